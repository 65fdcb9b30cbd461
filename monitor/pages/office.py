"""Office: prints the pages of operators, in the same style as the public ones. Nothing here is written to the disk.

Templates stand in `templates/ops/`, script and additional style in `ops/` of the theme; a theme of one's own that lacks
them gets the built-in ones.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader

from monitor.core.incident import Incident
from monitor.core.wording import N_
from monitor.pages.clients import clients_view
from monitor.pages.dashboard import board_view, box_view, health_view
from monitor.pages.dossier import dossier
from monitor.pages.facts import Facts
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.letters import course_view, post_view
from monitor.pages.logbook import logbook_view
from monitor.pages.picture import Picture
from monitor.pages.plain import legal
from monitor.pages.quiet import silences_view
from monitor.pages.render import RIGHT_TO_LEFT, Press
from monitor.pages.schedule import schedule_view
from monitor.pages.subscription import SAID, choice_view
from monitor.pages.translate import Speech
from monitor.pages.view import Link
from monitor.pages.watch import Watch

TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
UPLOT = ("vendor/uplot/uPlot.iife.min.js", "vendor/uplot/uPlot.min.css")

# Sentences of the side that serves these pages.
REFUSALS = (
    N_("There is no such page."),
    N_("Not from a page of another site."),
    N_("This form was made before you logged in, or before a restart. Nothing was changed: load it again."),
    N_("Only operators may change something; you are a viewer."),
    N_("Too many wrong tries: try again in a minute."),
    N_("Too many log in at once: try again in a moment."),
    N_("That is not the token."),
    N_("The name or the password is wrong."),
    N_("This link does not lead anywhere."),
    N_("This link has expired."),
    N_("Too many at once: try again in a minute."),
    N_("This is no form of ours."),
    *SAID,
    N_("This form was sent before, with something else in it. Nothing was changed now: look at it, then send it."),
)

DONE: dict[str, str] = {
    "acknowledge": N_("Acknowledged"),
    "update": N_("Update written"),
    "correct": N_("Update corrected"),
    "edit": N_("Public wording edited"),
    "resolve": N_("Resolved by a person"),
    "postmortem": N_("Postmortem written"),
    "publish": N_("Published"),
    "lower": N_("Priority lowered"),
    "open": N_("Opened by hand"),
    "already": N_("It was so already, so nothing was changed."),
    "silence": N_("Silenced: notices are kept back, incidents are recorded as ever."),
    "lift": N_("The silence is lifted."),
    "schedule": N_("The work is planned."),
    "begin": N_("The work has begun."),
    "extend": N_("Its end is moved."),
    "verify": N_("The work is being verified."),
    "complete": N_("The work is over."),
    "cancel": N_("The work will not take place."),
    "again": N_("The notice is sent once more."),
    "give-up": N_("The notice is given up."),
    "test": N_("The test notice arrived."),
    "probe": N_("The probes were asked once more: what they see appears here in a moment."),
}


@dataclass(frozen=True, slots=True)
class OfficeFrame:
    """What stands around every page of operators. `base` leads to the root of this side."""

    language: str
    direction: str
    site: str
    base: str
    page: str
    languages: tuple[str, ...]
    stores: bool  # whether there are any
    assets: Mapping[str, str]


class Office:
    """`watch`, `speech` and `theme` give what is so now; `builtin` is the theme that comes along."""

    def __init__(
        self, watch: Callable[[], Watch], speech: Callable[[], Speech], theme: Callable[[], Path], builtin: Path
    ) -> None:
        self._watch = watch
        self._speech = speech
        self._theme = theme
        self._builtin = builtin

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the site, the first one first."""
        return self._speech().languages

    def page(self, name: str, language: str, about: Mapping[str, Any]) -> bytes | None:
        """A page; None where it is about nothing we know. `about` is what the template sees as `visit`."""
        watch, speech = self._watch(), self._speech()
        picture = Picture(watch.site, watch.board, watch.history, watch.now, watch.data_until)
        try:
            return self._page(name, Lens(Facts(picture), speech, language), watch, about)
        finally:
            picture.cells.close()

    def _page(self, name: str, lens: Lens, watch: Watch, about: Mapping[str, Any]) -> bytes | None:
        speech, language = lens.speech, lens.language
        view = _view(name, lens, watch, about)
        if view is None:
            return None
        desk = _desk(*self._place())
        frame = OfficeFrame(
            language=language,
            direction="rtl" if language.partition("-")[0] in RIGHT_TO_LEFT else "ltr",
            site=watch.site.name,
            base=about["base"],
            page=name,
            languages=speech.languages,
            stores=bool(watch.board.platform.clients),
            assets=desk.names,
        )
        template = desk.press.environment.get_template(f"ops/{name}.html")
        told = course_view(lens, about.get("course"))
        said = {
            **about,
            "told": told,
            "request": secrets.token_urlsafe(12),
            "reason": _reason(speech, language, about["refused"]),
        }
        return legal(template.render(frame=frame, view=view, visit=said, speech=speech, done=DONE)).encode()

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """A file that pages ask for, by the name that holds its hash."""
        content = _desk(*self._place()).assets.get(name)
        return None if content is None else (TYPES[Path(name).suffix], content)

    def _place(self) -> tuple[Path, Path, int]:
        """Where the theme is, and when it was last changed."""
        theme = self._theme()
        return theme, self._builtin, max(file.stat().st_mtime_ns for file in theme.rglob("*"))


def _view(name: str, lens: Lens, watch: Watch, about: Mapping[str, Any]) -> object | None:
    match name:
        case "board":
            return board_view(lens, watch)
        case "module":
            return box_view(lens, watch, str(about["id"]), about.get("series"))
        case "incident":
            incident = about["incident"]
            assert isinstance(incident, Incident)
            return dossier(lens, watch, incident, about.get("course"))
        case "acknowledge":
            return () if about["incident"] is None else dossier(lens, watch, about["incident"])
        case "sessions":
            return [one | {key: exact(lens, one[key]) for key in ("since", "seen")} for one in about["sessions"]]
        case "audit":
            return logbook_view(lens, about)
        case "stores":
            return clients_view(lens, watch)
        case "silences":
            return silences_view(lens, watch)
        case "maintenance":
            return schedule_view(lens, watch, about.get("ahead", ()))
        case "open":
            platform = watch.board.platform
            modules = tuple(Link(lens.text(one.name), id) for id, one in platform.modules.items())
            return modules, tuple(Link(lens.text(one.name), id) for id, one in platform.components.items())
        case "outbox":
            return post_view(lens, about)
        case "subscription":
            return choice_view(lens, about["one"])
        case _:
            return health_view(lens, watch)


def _reason(speech: Speech, language: str, reason: str | None) -> tuple[str, bool] | None:
    """Why not, and whether that is in the reader's language: what the core refuses is told in English."""
    if not reason:
        return None
    ours = reason in REFUSALS or language.partition("-")[0] == "en"
    return speech.gettext(language, reason), ours


class _Desk:
    """A theme made ready for operators."""

    def __init__(self, theme: Path, builtin: Path) -> None:
        self.press = Press(theme)
        self.press.environment.loader = FileSystemLoader([theme / "templates", builtin / "templates"])
        folders = (theme / "ops", builtin / "ops")

        def own(name: str) -> bytes:
            """The theme's own file; the built-in one where it has none."""
            return next(folder / name for folder in folders if (folder / name).is_file()).read_bytes()

        sheets = {"healthcheck.css": _first("healthcheck.css", theme, builtin).read_text("utf-8"), **self.press.styles}
        files = {
            "style.css": f"{sheets['style.css']}{sheets['healthcheck.css']}".encode() + own("style.css"),
            "healthcheck.js": _first("healthcheck.js", theme, builtin).read_bytes(),
            **{Path(name).name: own(name) for name in ("live.js", "charts.js", *UPLOT)},
            "favicon.svg": (theme / "assets" / "favicon.svg").read_bytes(),
        }
        self.names: dict[str, str] = {}
        self.assets: dict[str, bytes] = {}
        for name, content in files.items():
            file = Path(name)
            hashed = f"{file.stem}.{sha256(content).hexdigest()[:10]}{file.suffix}"
            self.names[name] = f"healthcheck/assets/{hashed}"
            self.assets[hashed] = content


def _first(name: str, *themes: Path) -> Path:
    """The asset of the first theme that has it."""
    return next(file for theme in themes if (file := theme / "assets" / name).is_file())


@lru_cache(maxsize=2)
def _desk(theme: Path, builtin: Path, changed_at: int) -> _Desk:
    return _Desk(theme, builtin)
