"""Badges: a name and a word beside it, as small pictures that read themselves aloud.

They stand on other people's pages, so they need no font, no style sheet and no script; colours carry white text at
a contrast of at least 4.5 to 1, and the word says what the colour shows.
"""

from math import ceil
from unicodedata import category, east_asian_width, normalize

from monitor.core.alias import aliases_of
from monitor.core.availability import PLATFORM
from monitor.core.rollup import ComponentStatus
from monitor.core.text import Text, in_language
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.cells import cell, key_of
from monitor.pages.facts import Facts
from monitor.pages.found import Key
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
    return picture.cells.only(Badges(Facts(picture), speech).lay)


class Badges:
    """Single badges, as cells."""

    name = "badges"

    def __init__(self, facts: Facts, speech: Speech) -> None:
        self.facts = facts
        self.speech = speech
        self.cells = facts.cells
        self.cells.belong_to(self)

    def lay(self) -> None:
        """Lays them down."""
        self.cells.list("badges", self.paths())
        mark, sentence = headline(self.facts.seen)
        overall = badge(self.facts.site.name, self.speech.say(self.speech.default, sentence), mark)
        self.cells.put("badge/overall.svg", _bytes(overall))

    @cell
    def paths(self) -> dict[str, Key]:
        """All but the one of the whole."""
        files = {"overall/uptime": key_of(Badges.overall_uptime, self)}
        for id in self.facts.components:
            files[f"components/{id}"] = key_of(Badges.component, self, id)
            files[f"components/{id}/uptime"] = key_of(Badges.component_uptime, self, id)
        for id in self.facts.modules:
            files[f"modules/{id}"] = key_of(Badges.module, self, id)
            files[f"modules/{id}/uptime"] = key_of(Badges.module_uptime, self, id)
        for old, id in aliases_of(self.facts.platform).items():
            files[f"modules/{old}"] = key_of(Badges.module, self, id, old)
            files[f"modules/{old}/uptime"] = key_of(Badges.module_uptime, self, id, old)
        return {f"badge/{name}.svg": key for name, key in files.items()}

    @cell
    def component(self, id: str) -> bytes:
        """How a component is."""
        facts = self.facts.components[id]
        return self._status(facts.component.name, words.COMPONENT[facts.status])

    @cell
    def module(self, id: str, old: str = "") -> bytes:
        """How a module is, also for whoever knows it by an `old` id."""
        planned = id in self.facts.planned()
        mark = words.COMPONENT[ComponentStatus.MAINTENANCE] if planned else words.MODULE[self.facts.status_of(id)]
        return self._status(self.facts.platform.modules[id].name, mark)

    @cell
    def component_uptime(self, id: str) -> bytes:
        """How a component was."""
        facts = self.facts.components[id]
        return self._uptime(in_language(facts.component.name, self.speech.default), facts.uptime["90d"].ratio)

    @cell
    def module_uptime(self, id: str, old: str = "") -> bytes:
        """How a module was, also for whoever knows it by an `old` id."""
        name = in_language(self.facts.platform.modules[id].name, self.speech.default)
        return self._uptime(name, self.facts.uptime[id]["90d"].ratio)

    @cell
    def overall_uptime(self) -> bytes:
        """How the whole platform was."""
        return self._uptime(self.facts.site.name, self.facts.uptime_together(PLATFORM)["90d"].ratio)

    def _status(self, name: Text, mark: tuple[str, str]) -> bytes:
        language = self.speech.default
        return _bytes(badge(in_language(name, language), self.speech.gettext(language, mark[1]), mark[0]))

    def _uptime(self, name: str, ratio: float | None) -> bytes:
        """The share of good time over 90 days."""
        language = self.speech.default
        label = f"{name[:LONGEST]} {self.speech.gettext(language, UPTIME)}"
        if ratio is None:
            return _bytes(badge(label, self.speech.gettext(language, N_("No data")), "none"))
        mark = "ok" if ratio >= 0.999 else "slow" if ratio >= 0.99 else "part" if ratio >= 0.95 else "down"
        return _bytes(badge(label, self.speech.percent(language, ratio), mark))


def _bytes(svg: str) -> bytes:
    return svg.encode("utf-8", "replace")


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
