"""Card: the picture that a link to the page shows where it is shared, one per language, drawn when facts change.

Brand, one sentence, the worst of what is going on, the date. It is drawn with the theme's colours and letters; a
character that those lack is left out, since an empty box says nothing.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from math import ceil, floor
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from babel import Locale
from babel.core import get_global
from PIL import Image, ImageColor, ImageDraw, ImageFont

from monitor.core.incident import Incident
from monitor.core.wording import title
from monitor.pages import words
from monitor.pages.badges import COLOURS
from monitor.pages.facts import Facts
from monitor.pages.feeds import under_of
from monitor.pages.news import headline
from monitor.pages.picture import Picture
from monitor.pages.plain import legal
from monitor.pages.translate import Speech

WIDTH, HEIGHT, MARGIN = 1200, 630, 72
MOST = 3  # incidents that are named
LONGEST = 200  # characters of a text that are looked at; no line holds as many
SHADES = 24  # of each of nine colours: a PNG names 256
FINE = 4  # how much finer shapes are drawn, to be made smooth
USUAL = {**COLOURS, "bg": "#ffffff", "ink": "#161b26", "muted": "#586070", "line": "#dfe3e9"}

Palette = tuple[tuple[str, str], ...]


class Fonts(NamedTuple):
    """The folder of the letters, and when it last changed: another font is another picture."""

    folder: Path
    changed_at: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """A line for an incident: the mark of its impact, what it is, since when."""

    mark: str
    title: str
    since: str


@dataclass(frozen=True, slots=True)
class Card:
    """What a card shows; equal cards are the same picture."""

    brand: str
    mark: str
    sentence: str
    troubles: tuple[Trouble, ...]
    more: str
    date: str
    host: str


def card_files(picture: Picture, speech: Speech, theme: Path) -> dict[str, bytes]:
    """`card.png` below the root of every language: 1200 by 630 pixels."""
    return picture.cells.only(lambda: lay_cards(Facts(picture), speech, theme))


def lay_cards(facts: Facts, speech: Speech, theme: Path) -> None:
    """Lays them down."""
    fonts, palette = fonts_of(theme), _palette(theme)
    for language in speech.languages:
        facts.cells.put(card_path(language, speech), draw(card(facts, speech, language), fonts, palette))


def card_path(language: str, speech: Speech) -> str:
    """Where the card of a language lies."""
    return f"{under_of(language, speech)}card.png"


def territory(language: str) -> str:
    """The language as Open Graph wants it, with a country: the one meant, or the likeliest: `pt_BR`, `en_US`."""
    locale = Locale.parse(language, sep="-")
    likely = get_global("likely_subtags").get(locale.language, "")
    return f"{locale.language}_{locale.territory or likely.rpartition('_')[2] or 'US'}"


def card(facts: Facts, speech: Speech, language: str) -> Card:
    """The card of a picture in one language."""
    site, picture = facts.site, facts.seen
    mark, sentence = headline(picture)
    going_on = facts.open_incidents
    return Card(
        brand=site.name,
        mark=mark,
        sentence=speech.say(language, sentence),
        troubles=tuple(_trouble(one, facts, speech, language) for one in going_on[:MOST]),
        more=f"+ {len(going_on) - MOST}" if len(going_on) > MOST else "",
        date=speech.day(language, picture.now, site.timezone),
        host=urlsplit(site.url).netloc,
    )


def _trouble(incident: Incident, facts: Facts, speech: Speech, language: str) -> Trouble:
    at, zone = incident.started_at, facts.site.timezone
    today = facts.local(at) == facts.local(facts.seen.now)
    since = speech.clock(language, at, zone) if today else speech.short_day(language, at, zone)
    mark, _ = words.IMPACT.get(incident.impact, words.IMPACT["minor"])
    return Trouble(mark, speech.say(language, title(incident, facts.platform)), since)


def fonts_of(theme: Path) -> Fonts:
    """The letters of a theme."""
    folder = theme / "fonts"
    files = os.scandir(folder) if folder.is_dir() else ()
    return Fonts(folder, max((file.stat().st_mtime_ns for file in files), default=0))


def _palette(theme: Path) -> Palette:
    """The colours that the style of the theme names, by day; the usual ones where it does not."""
    style = theme / "assets" / "style.css"
    return _colours(style, style.stat().st_mtime_ns)


@lru_cache(maxsize=4)
def _colours(style: Path, changed_at: int) -> Palette:
    pairs = re.findall(r"--([a-z]+): *(#(?:[0-9a-fA-F]{3}){1,2})\b", style.read_text("utf-8"))
    named = reversed(pairs)  # the first one is by day
    return tuple(sorted((USUAL | {name: colour for name, colour in named if name in USUAL}).items()))


# --- drawing


@lru_cache(maxsize=16)
def draw(shown: Card, fonts: Fonts, palette: Palette) -> bytes:
    """The card as PNG."""
    sheet = _Sheet(fonts, dict(palette))
    sheet.brand(shown.brand, shown.date)
    sheet.verdict(shown.mark, shown.sentence, centred=not shown.troubles)
    for place, trouble in enumerate(shown.troubles):
        sheet.trouble(376 + 56 * place, trouble)
    sheet.foot(shown.host, shown.more)
    return sheet.png()


class _Sheet:
    """A card in the making: pixels are places in a list of colours. That begins with the ground; then each colour has
    the shades between the ground and itself, itself last, for the soft edges of letters and shapes."""

    def __init__(self, fonts: Fonts, colours: dict[str, str]) -> None:
        self.fonts = fonts
        names = [name for name in colours if name != "bg"]
        self.full = {name: SHADES * place for place, name in enumerate(names, 1)}
        self.image = Image.new("P", (WIDTH, HEIGHT), 0)
        self.image.putpalette(_shades(colours["bg"], [colours[name] for name in names]))
        self.pen = ImageDraw.Draw(self.image)

    def lay(self, form: Image.Image, at: tuple[int, int], colour: str) -> None:
        """Lays down a form, white on black, in a colour."""
        first = self.full[colour] - SHADES
        shades = [first + -(-SHADES * share // 255) for share in range(256)]
        self.image.paste(form.point(shades), at, form.point([0, *[255] * 255]))

    def brand(self, name: str, date: str) -> None:
        """The first line: drawing, name, date."""
        for x, top in ((0, 24), (14, 0), (28, 12)):
            line = (MARGIN + x, MARGIN + top, MARGIN + x + 6, MARGIN + 40)
            self.pen.rounded_rectangle(line, radius=3, fill=self.full["ink"])
        start = self.right(MARGIN + 20, date, 28, "muted") - 40
        self.left(MARGIN + 56, MARGIN + 20, name, 34, "ink", start, bold=True)

    def verdict(self, mark: str, sentence: str, centred: bool) -> None:
        """The mark and the sentence, in at most two lines; in the middle of the card when nothing else is there."""
        middle = 320 if centred else 244
        self.pen.rectangle((0, 0, WIDTH, 12), fill=self.full[mark])
        self.shape(mark, (MARGIN, middle - 48), 96)
        start, room = MARGIN + 132, WIDTH - 2 * MARGIN - 132
        for size in (72, 56, 48) if centred else (60, 48):  # the largest that needs nothing cut off, else the last
            lines = self.wrapped(sentence, size, room)
            if _font(self.fonts, True, size).getlength(lines[-1]) <= room:
                break
        for place, line in enumerate(lines):
            y = middle + (place - (len(lines) - 1) / 2) * size * 1.2
            self.left(start, y, line, size, "ink", start + room, bold=True)

    def trouble(self, y: int, trouble: Trouble) -> None:
        """A line for one incident."""
        self.shape(trouble.mark, (MARGIN, y - 16), 32)
        start = self.right(y, trouble.since, 28, "muted") - 32
        self.left(MARGIN + 52, y, trouble.title, 30, "ink", start)

    def foot(self, host: str, more: str) -> None:
        """The last line: where it is from, how many more."""
        y = HEIGHT - MARGIN
        self.pen.line((MARGIN, y - 36, WIDTH - MARGIN, y - 36), fill=self.full["line"], width=2)
        start = self.right(y, more, 28, "muted") - 32
        self.left(MARGIN, y, host, 28, "muted", start)

    def png(self) -> bytes:
        """The whole card."""
        out = BytesIO()
        self.image.save(out, "PNG", compress_level=6)
        return out.getvalue()

    # --- text

    def left(self, x: float, y: float, text: str, size: int, colour: str, end: float, bold: bool = False) -> None:
        """A text that begins at `x` and ends before `end`; y is its middle."""
        font = _font(self.fonts, bold, size)
        self.write(x, y, _fitting(text, font, end - x), font, colour)

    def right(self, y: float, text: str, size: int, colour: str) -> float:
        """A text at the right edge; where it begins."""
        font = _font(self.fonts, False, size)
        text = _fitting(text, font, WIDTH / 3)
        start = WIDTH - MARGIN - font.getlength(text)
        self.write(start, y, text, font, colour)
        return start

    def write(self, x: float, y: float, text: str, font: ImageFont.FreeTypeFont, colour: str) -> None:
        """A text that begins at `x`; y is its middle."""
        left, top, right, bottom = font.getbbox(text, anchor="lm")
        at = floor(x + left), floor(y + top)
        form = Image.new("L", (ceil(x + right) - at[0] + 1, ceil(y + bottom) - at[1] + 1), 0)
        ImageDraw.Draw(form).text((x - at[0], y - at[1]), text, font=font, fill=255, anchor="lm")
        self.lay(form, at, colour)

    def wrapped(self, text: str, size: int, room: float) -> list[str]:
        """The text in at most two lines; what does not fit is cut off when it is drawn."""
        font = _font(self.fonts, True, size)
        first, rest = _drawable(text, font), ""
        while font.getlength(first) > room and " " in first:
            first, _, last = first.rpartition(" ")
            rest = f"{last} {rest}".strip()
        return [first, rest] if rest else [first]

    # --- shapes

    def shape(self, mark: str, at: tuple[float, float], size: int) -> None:
        """The mark of a status: its form says it as its colour does."""
        self.lay(_form(mark, size), (round(at[0]), round(at[1])), mark)


def _shades(ground: str, colours: Sequence[str]) -> list[int]:
    """Red, green and blue of the ground, then of the shades up to each colour."""
    found = list(ImageColor.getrgb(ground))
    for colour in map(ImageColor.getrgb, colours):
        for step in range(1, SHADES + 1):
            found += [round(a + (b - a) * step / SHADES) for a, b in zip(found[:3], colour, strict=True)]
    return found


@lru_cache(maxsize=16)
def _form(mark: str, size: int) -> Image.Image:
    """The form of a mark, white on black."""
    scale = size * FINE / 20  # they are drawn on 20 by 20, as on the pages
    form = Image.new("L", (size * FINE, size * FINE), 0)
    pen = ImageDraw.Draw(form)

    def to(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return [(x * scale, y * scale) for x, y in points]

    pen_width = round(2.2 * scale)
    match mark:
        case "ok":
            pen.ellipse(to((1, 1), (19, 19)), fill=255)
            pen.line(to((6, 10.3), (8.7, 13), (14, 7.6)), fill=0, width=pen_width, joint="curve")
        case "slow":
            pen.polygon(to((10, 1.4), (19, 18), (1, 18)), fill=255)
            pen.line(to((10, 7), (10, 12)), fill=0, width=pen_width)
            pen.ellipse(to((8.9, 13.6), (11.1, 15.8)), fill=0)
        case "part":
            pen.polygon(to((10, 0.8), (19.2, 10), (10, 19.2), (0.8, 10)), fill=255)
            pen.line(to((6.3, 10), (13.7, 10)), fill=0, width=pen_width)
        case "down":
            corners = ((6.4, 1), (13.6, 1), (19, 6.4), (19, 13.6), (13.6, 19), (6.4, 19), (1, 13.6), (1, 6.4))
            pen.polygon(to(*corners), fill=255)
            pen.line(to((6.8, 6.8), (13.2, 13.2)), fill=0, width=pen_width)
            pen.line(to((13.2, 6.8), (6.8, 13.2)), fill=0, width=pen_width)
        case "work":
            pen.rounded_rectangle(to((1, 1), (19, 19)), radius=4 * scale, fill=255)
            pen.line(to((7.5, 6), (7.5, 14)), fill=0, width=pen_width)
            pen.line(to((12.5, 6), (12.5, 14)), fill=0, width=pen_width)
        case _:
            pen.ellipse(to((1, 1), (19, 19)), outline=255, width=pen_width)
            pen.ellipse(to((8.4, 8.4), (11.6, 11.6)), fill=255)
    return form.resize((size, size), Image.Resampling.LANCZOS)


@lru_cache(maxsize=32)
def _font(fonts: Fonts, bold: bool, size: int) -> ImageFont.FreeTypeFont:
    """The letters of the theme; those that Pillow brings along where it has none."""
    file = fonts.folder / ("bold.otf" if bold else "regular.otf")
    if file.is_file():
        return ImageFont.truetype(str(file), size)
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)
    return found


def _drawable(text: str, font: ImageFont.FreeTypeFont) -> str:
    """One line of the text, without what the font has no form for."""
    return " ".join("".join(char for char in legal(text[:LONGEST]) if char.isspace() or _known(char, font)).split())


@lru_cache(maxsize=4096)
def _known(char: str, font: ImageFont.FreeTypeFont) -> bool:
    return bytes(font.getmask(char)) != _unknown(font)


@lru_cache(maxsize=32)
def _unknown(font: ImageFont.FreeTypeFont) -> bytes:
    return bytes(font.getmask("\uffff"))  # no character, so no font has a form for it


def _fitting(text: str, font: ImageFont.FreeTypeFont, room: float) -> str:
    """The text, cut off with an ellipsis where it would be wider than the room."""
    text = _drawable(text, font)
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(f"{text}…") > room:
        text = text[:-1].rstrip()
    return f"{text}…"
