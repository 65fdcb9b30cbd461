"""Render: from a picture to the bytes of every HTML page, in every language of the site.

Templates and assets are the theme's; views decide what is said. Frames, views and pages are cells, so a publication
costs what has changed. Same picture, same bytes: no page asks for the time.
"""

import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from hashlib import sha256
from itertools import count
from pathlib import Path
from secrets import token_hex
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context, Macro
from markupsafe import Markup

from monitor.core.alias import aliases_of
from monitor.pages.about import about
from monitor.pages.card import card_path, territory
from monitor.pages.cells import cell, given, key_of
from monitor.pages.codes import codes_page
from monitor.pages.detail import component_page, module_page, month, month_folder, months
from monitor.pages.facts import Facts
from monitor.pages.found import Content, Key
from monitor.pages.healthcheck import healthcheck
from monitor.pages.home import around, dated, home, support
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.plain import legal
from monitor.pages.planned import maintenance_page, work_page
from monitor.pages.reports import report_folder, report_page, reports_page
from monitor.pages.slice import Slice
from monitor.pages.support import support_page
from monitor.pages.translate import Speech
from monitor.pages.truth import promise
from monitor.pages.view import Link

ON_THE_WAY = timedelta(minutes=2)  # from a publication through caches to an open page that looks every half minute
ROWS = 1 << 13  # of tables, that are kept printed
LARGE = 1 << 13  # characters of what is kept as bytes, which no page puts together again
KEPT = f"kept-{token_hex(16)}"  # stands for a large fragment; nobody can guess it
_KEPT = re.compile(rf"({KEPT}-\d+\.)")
RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}


@dataclass(frozen=True, slots=True)
class Alternate:
    """The same page in another language. `href` leads there from here, `url` from anywhere; `locale` is for cards."""

    language: str
    name: str
    href: str
    url: str
    locale: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around every page. `base` leads to the root of the site, `root` to the root of the language."""

    language: str
    direction: str
    site: str
    base: str
    root: str
    page: str  # the template's name without its ending
    canonical: str
    alternates: tuple[Alternate, ...]
    support: tuple[Link, ...]
    subscribe: str
    favicon: str
    script: str
    card: str  # the address of the picture that a shared link shows
    old_after: int  # seconds after which readers are told that the data is old


def html_files(picture: Picture, speech: Speech, theme: Path, part: Slice | None = None) -> dict[str, bytes]:
    """Every HTML page and every asset of the theme, by its path below the root of the site. Of pages that were never
    printed, the home pages and as many as the slice takes, those of the default language first."""
    printed = printers(Facts(picture), speech, theme)
    return picture.cells.only(lambda: lay_html(printed, part or Slice()))


def printers(facts: Facts, speech: Speech, theme: Path) -> list["Printer"]:
    """Who prints the pages, by language, the default one first."""
    press = _press(theme, _changed_at(str(theme)))
    return [Printer(Lens(facts, speech, language), press) for language in speech.languages]


def lay_html(printed: Sequence["Printer"], part: Slice) -> None:
    """Lays the pages and the assets down."""
    for name, content in printed[0].press.assets.items():
        printed[0].cells.put(name, content)
    for printer in printed:
        printer.lay_home()
    for printer in printed:
        wanted = printer.paths()
        printer.cells.list(f"pages/{printer.lens.language}", wanted, lambda key: key[2] == "404" or part.takes())


def pages(facts: Facts) -> Iterable[tuple[str, str, object]]:
    """Every page of a language but the home page: the template's name, the folder below the root of the language, what
    it is about."""
    yield "healthcheck", "healthcheck/", None
    yield "about", "about/", None
    yield "history", "history/", None
    for first in facts.first_days:
        yield "month", month_folder(first), first
    if facts.reports:
        yield "reports", "reports/", None
    for name in facts.reports:
        yield "report", report_folder(name), name
    for id in facts.incidents:
        yield "incident", f"incidents/{id}/", id
    yield "maintenance", "maintenance/", None
    yield "codes", "codes/", None
    yield "support", "support/", None
    for id in facts.works:
        yield "work", f"incidents/{id}/", id
    for id in facts.components:
        yield "component", f"components/{id}/", id
    for id in facts.modules:
        yield "module", f"modules/{id}/", id


# What makes the view of each page.
VIEWS: Mapping[str, Callable[[Lens, Any], object]] = {
    "home": lambda lens, _: home(lens),
    "healthcheck": lambda lens, _: healthcheck(lens),
    "about": lambda lens, _: about(lens),
    "history": lambda lens, _: months(lens),
    "month": lambda lens, first: month(lens, first),
    "reports": lambda lens, _: reports_page(lens),
    "report": lambda lens, name: report_page(lens, lens.facts.report(name)),
    "incident": lambda lens, id: lens.incident(lens.facts.incident(id)),
    "maintenance": lambda lens, _: maintenance_page(lens),
    "codes": lambda lens, _: codes_page(lens),
    "support": lambda lens, _: support_page(lens, support(lens.facts, lens)),
    "work": lambda lens, id: work_page(lens, lens.facts.work(id)),
    "component": lambda lens, id: component_page(lens, lens.facts.components[id]),
    "module": lambda lens, id: module_page(lens, lens.facts.modules[id]),
    "404": lambda lens, _: None,
}


def standalone(lens: Lens, page: str, view: object, theme: Path) -> bytes:
    """A page that is no part of the site: one file, whose links lead to the site where that is published."""
    press, site = Press(theme), lens.facts.site
    frame = replace(_frame(lens, page, "", (), press), root=f"{site.url}/{_under(lens.language, lens.speech, '')}")
    return press.print(frame, view, lens.speech)


class Printer:
    """The pages of one language. A page whose view is what it was last time is not rendered again."""

    def __init__(self, lens: Lens, press: "Press") -> None:
        self.lens = lens
        self.press = press
        self.name = ("printer", lens.language)
        self.cells = lens.cells
        self.cells.belong_to(self)

    @property
    def home(self) -> str:
        """The path of the home page."""
        return _under(self.lens.language, self.lens.speech, "") + "index.html"

    def lay_home(self) -> None:
        """Lays down the home page, the one that changes whatever happens."""
        self.cells.list(f"home/{self.lens.language}", {self.home: key_of(Printer.dated_home, self)})

    @cell
    def dated_home(self) -> bytes:
        """The home page."""
        return dated(self._home(), self.lens)

    @cell
    def _home(self) -> tuple[Content, ...]:
        return around(self._theme().print(self._frame("home", ""), self._view("home", None), self.lens.speech))

    @cell
    def paths(self) -> dict[str, Key]:
        """Every page but that one."""
        lens = self.lens
        found = {
            _under(lens.language, lens.speech, folder) + "index.html": key_of(Printer.page, self, page, folder, which)
            for page, folder, which in pages(lens.facts)
        }
        for old, id in aliases_of(lens.facts.platform).items():
            path = _under(lens.language, lens.speech, f"modules/{old}/") + "index.html"
            found[path] = key_of(Printer.page, self, "module", f"modules/{id}/", id, old)
        if lens.language == lens.speech.default:
            found["404.html"] = key_of(Printer.page, self, "404", "", None)
        return found

    @cell
    def page(self, page: str, folder: str, which: Hashable, old: str = "") -> bytes:
        """The page that stands in a folder below the root of the language, and as it is under an `old` id as well."""
        frame, view = self._frame(page, folder), self._view(page, which)
        return self._theme().print(frame, view, self.lens.speech)

    @cell
    def _view(self, page: str, which: Hashable) -> object:
        return VIEWS[page](self.lens, which)

    @cell
    def _frame(self, page: str, folder: str) -> Frame:
        return _frame(self.lens, page, folder, support(self.lens.facts, self.lens), self._theme())

    @given
    def _theme(self) -> "Press":
        return self.press


class Press:
    """A theme made ready: compiled templates, the style in its shortest form, assets under the hash of their bytes."""

    def __init__(self, theme: Path) -> None:
        self.environment = Environment(
            loader=FileSystemLoader(theme / "templates"),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=StrictUndefined,
            extensions=["jinja2.ext.i18n"],
        )
        self.environment.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
        self.environment.globals["_"] = _said
        sheets = sorted((theme / "assets").glob("*.css"))
        self.styles = {file.name: Markup(_shortened(file.read_text("utf-8"))) for file in sheets}
        self.environment.globals["styles"] = self.styles
        self.environment.globals["style"] = self.styles["style.css"]
        self.environment.globals["kept"] = self._kept
        self.environment.globals["each"] = self._each
        self.environment.globals["shared"] = self._shared
        self._fragments: dict[tuple[str, str, str, str], tuple[object, str]] = {}
        self._contents: dict[str, Content] = {}  # of the large ones, by what stands for them in a page
        self._number = count()
        self._rows: dict[tuple[str, str, str, Hashable], str] = {}
        self.assets: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        self.environment.globals["assets"] = self.names
        for file in sorted((theme / "assets").iterdir()):
            if file.is_file() and file.name not in self.styles:
                content = file.read_bytes()
                self.names[file.name] = f"assets/{file.stem}.{sha256(content).hexdigest()[:10]}{file.suffix}"
                self.assets[self.names[file.name]] = content

    def print(self, frame: Frame, view: object, speech: Speech) -> bytes:
        """The bytes of a page. What large fragments are kept for it are parts of them."""
        template = self.environment.get_template(f"{frame.page}.html")
        parts = self._parts(template.render(frame=frame, view=view, speech=speech))
        return Content.of(*parts) if len(parts) > 1 else parts[0]

    def _parts(self, text: str) -> list[bytes]:
        """A printed text, cut where large fragments stand in it."""
        pieces = _KEPT.split(legal(text))
        return [self._contents[one] if place % 2 else one.encode() for place, one in enumerate(pieces) if one]

    @pass_context
    def _kept(self, context: Context, macro: Macro, one: Any) -> str:
        """What a macro makes of a view with an id: a page with a thousand of them is printed where they changed."""
        frame: Frame = context["frame"]
        key = (frame.language, frame.base, macro.name, one.id)
        before = self._fragments.get(key)
        if before is not None and before[0] == one:
            return before[1]
        text = macro(one)
        if len(text) >= LARGE:
            name = f"{KEPT}-{next(self._number)}."
            self._contents[name] = Content(b"".join(self._parts(text)))
            text = Markup(name)
        if before is not None:
            self._contents.pop(before[1], None)
        self._fragments[key] = (one, text)
        return text

    @pass_context
    def _each(self, context: Context, macro: Macro, some: Iterable[Any]) -> str:
        """The same of many, each with the end of its line."""
        return Markup("".join(f"{self._kept(context, macro, one)}\n" for one in some))

    @pass_context
    def _shared(self, context: Context, macro: Macro, one: Hashable) -> str:
        """What a macro makes of a view that stands on many pages, printed once for all of them."""
        frame: Frame = context["frame"]
        key = (frame.language, frame.base, macro.name, one)
        if key not in self._rows:
            if len(self._rows) >= ROWS:
                del self._rows[next(iter(self._rows))]  # the oldest
            self._rows[key] = macro(one)
        return self._rows[key]


def _changed_at(folder: str) -> int:
    """When a file or folder below this one was changed last, in nanoseconds."""
    with os.scandir(folder) as found:
        dates = [max(one.stat().st_mtime_ns, _changed_at(one.path) if one.is_dir() else 0) for one in found]
    return max(dates, default=0)


@lru_cache(maxsize=4)
def _press(theme: Path, changed_at: int) -> Press:
    return Press(theme)


@pass_context
def _said(context: Context, message: str, /, **places: object) -> Markup:
    """A message in the language of the page, its places filled. It does what `gettext` does, in a quarter of the time:
    every page says some forty of them."""
    text = Markup(context["speech"].gettext(context["frame"].language, message))
    return text % places if places or "%" in text else text


@pass_context
def _gettext(context: Context, message: str) -> str:
    return str(context["speech"].gettext(context["frame"].language, message))


@pass_context
def _ngettext(context: Context, singular: str, plural: str, count: int) -> str:
    return str(context["speech"].ngettext(context["frame"].language, singular, plural, count))


def _shortened(style: str) -> str:
    """The style without comments and without space that means nothing."""
    style = re.sub(r"/\*.*?\*/", "", style, flags=re.S)
    style = re.sub(r"\s+", " ", style)
    return re.sub(r" ?([{};,>]) ?", r"\1", style).replace(";}", "}").strip()


def _under(language: str, speech: Speech, folder: str) -> str:
    return folder if language == speech.default else f"{language.lower()}/{folder}"


def _frame(lens: Lens, page: str, folder: str, support: tuple[Link, ...], press: Press) -> Frame:
    site, speech, language = lens.facts.site, lens.speech, lens.language
    here = _under(language, speech, folder)
    base = "../" * here.count("/") or "./"
    if page == "404":  # shown in place of any address, so only links from the root lead anywhere
        base = urlsplit(site.url).path.rstrip("/") + "/"
    return Frame(
        language=language,
        direction="rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr",
        site=site.name,
        base=base,
        root=base + _under(language, speech, ""),
        page=page,
        canonical=f"{site.url}/{here}",
        alternates=tuple(
            Alternate(one, _own_name(one), base + there, f"{site.url}/{there}", territory(one))
            for one in speech.languages
            for there in [_under(one, speech, folder)]
        ),
        support=support,
        subscribe=_subscribe(site.subscribe_url),
        favicon=base + press.names["favicon.svg"],
        script=base + press.names["refresh.js"],
        card=f"{site.url}/{card_path(language, speech)}",
        old_after=round((promise(lens.facts.platform) + ON_THE_WAY).total_seconds()),
    )


def _subscribe(url: str | None) -> str:
    """Where the form is sent; `site.subscribe_url` may name it itself."""
    return "" if url is None else f"{url.removesuffix('/subscribe')}/subscribe"


@lru_cache(maxsize=64)
def _own_name(language: str) -> str:
    name = Locale.parse(language, sep="-").get_language_name() or language
    return name[:1].upper() + name[1:]
