"""Badges: a name and a word beside it, as small pictures that read themselves aloud.

They stand on other people's pages, so they need no font, no style sheet and no script; colours carry white text at
a contrast of at least 4.5 to 1, and the word says what the colour shows.
"""

from math import ceil
from unicodedata import category, east_asian_width, normalize

from monitor.core.module import in_language
from monitor.core.rollup import ComponentStatus
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.news import headline
from monitor.pages.picture import Picture
from monitor.pages.plain import legal, xml
from monitor.pages.translate import Speech

COLOURS = {
    "ok": "#2e7d32",
    "slow": "#8a6100",
    "part": "#b54708",
    "down": "#c62828",
    "work": "#1565c0",
    "none": "#5f6368",
}
LABEL = "#444444"  # behind the name
LONGEST = 60  # characters of a name
UPTIME = N_("uptime, 90 days")

# Widths in px at 11 px of Verdana and of its twin DejaVu Sans; `textLength` makes up for what other fonts differ.
_WIDTHS = {
    char: width
    for width, chars in {
        3.0: "'IJijl",
        3.5: " \u00a0,./:;\\|",
        4.0: "-f",
        4.5: "!()[]rt",
        5.5: '"*_`s',
        6.0: "?Lcz",
        6.5: "FPTYakovxy",
        7.5: "ABCRVXZ",
        8.0: "NU",
        8.5: "&DGHOQ",
        9.0: "#+<=>^w~",
        9.5: "M",
        10.5: "%m",
        11.0: "@W…",
    }.items()
    for char in chars
}
_USUAL, _BROAD = 7.0, 11.0  # digits and most letters; what East Asian scripts write in a square, and emoji


def badge_files(picture: Picture, speech: Speech) -> dict[str, bytes]:
    """Status and uptime badges of the whole, of every module and of every component, in the default language."""
    language = speech.default
    platform = picture.board.platform
    mark, sentence = headline(picture)
    files = {"overall": badge(picture.site.name, speech.say(language, sentence), mark)}
    ratios, statuses = [], picture.components()
    for id, component in platform.components.items():
        figure = picture.uptime(picture.spans_of_component(id), "90d")
        ratios.append(figure.ratio)
        mark, word = words.COMPONENT[statuses[id]]
        name = in_language(component.name, language)
        files[f"components/{id}"] = badge(name, speech.gettext(language, word), mark)
        files[f"components/{id}/uptime"] = _uptime(name, figure.ratio, speech)
    for id, module in platform.modules.items():
        planned = id in picture.board.planned
        mark, word = words.COMPONENT[ComponentStatus.MAINTENANCE] if planned else words.MODULE[picture.board.status(id)]
        name = in_language(module.name, language)
        files[f"modules/{id}"] = badge(name, speech.gettext(language, word), mark)
        files[f"modules/{id}/uptime"] = _uptime(name, picture.uptime(picture.spans_of(id), "90d").ratio, speech)
    known = [ratio for ratio in ratios if ratio is not None]
    files["overall/uptime"] = _uptime(picture.site.name, sum(known) / len(known) if known else None, speech)
    return {f"badge/{name}.svg": svg.encode("utf-8", "replace") for name, svg in files.items()}


def _uptime(name: str, ratio: float | None, speech: Speech) -> str:
    """The share of good time over 90 days; the mean over components for the whole."""
    language = speech.default
    label = f"{name[:LONGEST]} {speech.gettext(language, UPTIME)}"
    if ratio is None:
        return badge(label, speech.gettext(language, N_("No data")), "none")
    mark = "ok" if ratio >= 0.999 else "slow" if ratio >= 0.99 else "part" if ratio >= 0.95 else "down"
    return badge(label, speech.percent(language, ratio), mark)


def badge(label: str, value: str, mark: str) -> str:
    """One badge: the label on grey, the value on the colour of its mark."""
    label = " ".join(legal(label).split())
    label = label if len(label) <= LONGEST + 20 else label[: LONGEST + 19] + "…"
    left, right = _width(label) + 10, _width(value) + 10
    text = 'y="14" fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11"'
    spoken = xml(f"{label}: {value}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" aria-label="{spoken}">'
        f"<title>{spoken}</title>"
        f'<rect width="{left + right}" height="20" rx="3" fill="{LABEL}"/>'
        f'<path fill="{COLOURS[mark]}" d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{right - 3}z"/>'
        f'<g aria-hidden="true"><text x="5" {text} textLength="{left - 10}">{xml(label)}</text>'
        f'<text x="{left + 5}" {text} textLength="{right - 10}">{xml(value)}</text></g>'
        "</svg>\n"
    )


def _width(text: str) -> int:
    """Of a text, in px. Letters with accents are as wide as those without; marks that stand on others take no room."""
    return max(8, ceil(sum(map(_width_of, normalize("NFD", text)))))


def _width_of(char: str) -> float:
    if category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if east_asian_width(char) in ("W", "F"):
        return _BROAD
    return _WIDTHS.get(char, _USUAL)
