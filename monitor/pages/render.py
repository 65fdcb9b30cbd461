"""Render: from a picture to the bytes of every HTML page, in every language of the site.

Templates and assets are the theme's; views decide what is said. A page whose view is what it was last time is not
rendered again, so a publication costs what has changed. Same picture, same bytes: no page asks for the time.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from monitor.pages.about import about
from monitor.pages.card import card_path, territory
from monitor.pages.detail import component_page, module_page, months
from monitor.pages.facts import Facts
from monitor.pages.healthcheck import healthcheck
from monitor.pages.home import home, support
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.plain import legal
from monitor.pages.planned import maintenance_page, work_pages
from monitor.pages.translate import Speech
from monitor.pages.view import Link

RIGHT_TO_LEFT = {"ar", "fa", "he", "ur"}
INLINED = {"style.css"}

Printed = tuple[tuple[object, ...], bytes]  # what a page was made from, and the page


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


def html_files(picture: Picture, speech: Speech, theme: Path) -> dict[str, bytes]:
    """Every HTML page and every asset of the theme, by its path below the root of the site."""
    press = _press(theme, max(file.stat().st_mtime_ns for file in theme.rglob("*")))
    facts = Facts(picture)
    files = dict(press.assets)
    printed: dict[str, Printed] = {}
    for language in speech.languages:
        lens = Lens(facts, speech, language)
        links = support(facts, lens)
        for page, folder, view in views(lens):
            path = _under(language, speech, folder) + "index.html"
            frame = _frame(picture, speech, language, page, folder, links, press)
            files[path], printed[path] = press.print(path, page, frame, view, speech)
    lens = Lens(facts, speech, speech.default)
    frame = _frame(picture, speech, speech.default, "404", "", support(facts, lens), press)
    files["404.html"], printed["404.html"] = press.print("404.html", "404", frame, None, speech)
    press.printed = printed
    return files


def views(lens: Lens) -> Iterable[tuple[str, str, object]]:
    """Every page of a language: the template's name, the folder below the root of the language, the view."""
    facts = lens.facts
    yield "home", "", home(lens)
    yield "healthcheck", "healthcheck/", healthcheck(lens)
    yield "about", "about/", about(lens)
    history = months(lens)
    yield "history", "history/", history
    for month in history.months:
        yield "month", month.href, month
    for incident in facts.incidents.values():
        view = lens.incident(incident)
        yield "incident", view.href, view
    yield "maintenance", "maintenance/", maintenance_page(lens)
    for work in work_pages(lens):
        yield "work", work.href, work
    for id, component in facts.components.items():
        yield "component", f"components/{id}/", component_page(lens, component)
    for id, module in facts.modules.items():
        yield "module", f"modules/{id}/", module_page(lens, module)


class Press:
    """A theme made ready: compiled templates, the style in its shortest form, assets under the hash of their bytes.

    `printed` holds the pages of the last publication with the views they were made from.
    """

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
        self.style = Markup(_shortened((theme / "assets" / "style.css").read_text("utf-8")))
        self.environment.globals["style"] = self.style
        self.assets: dict[str, bytes] = {}
        self.names: dict[str, str] = {}
        for file in sorted((theme / "assets").iterdir()):
            if file.is_file() and file.name not in INLINED:
                content = file.read_bytes()
                self.names[file.name] = f"assets/{file.stem}.{sha256(content).hexdigest()[:10]}{file.suffix}"
                self.assets[self.names[file.name]] = content
        self.printed: Mapping[str, Printed] = {}

    def print(self, path: str, page: str, frame: Frame, view: object, speech: Speech) -> tuple[bytes, Printed]:
        """The bytes of a page, and what to keep of it for the next publication."""
        made_from = (page, frame, view, speech)
        before = self.printed.get(path)
        if before is not None and before[0] == made_from:
            return before[1], before
        template = self.environment.get_template(f"{page}.html")
        content = legal(template.render(frame=frame, view=view, speech=speech)).encode()
        return content, (made_from, content)


@lru_cache(maxsize=4)
def _press(theme: Path, changed_at: int) -> Press:
    return Press(theme)


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


def _frame(
    picture: Picture, speech: Speech, language: str, page: str, folder: str, support: tuple[Link, ...], press: Press
) -> Frame:
    site, here = picture.site, _under(language, speech, folder)
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
        subscribe=site.subscribe_url or "",
        favicon=base + press.names["favicon.svg"],
        script=base + press.names["refresh.js"],
        card=f"{site.url}/{card_path(language, speech)}",
    )


@lru_cache(maxsize=64)
def _own_name(language: str) -> str:
    name = Locale.parse(language, sep="-").get_language_name() or language
    return name[:1].upper() + name[1:]
