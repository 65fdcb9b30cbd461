"""Schedule: planned work as operators read it, with what each piece of it lets them do, and what a plan is made of."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.core.agenda import may_begin
from monitor.core.maintenance import Maintenance, Window, WorkStage
from monitor.core.module import Platform
from monitor.core.wording import N_
from monitor.pages import works
from monitor.pages.lens import Lens
from monitor.pages.planned import LISTED, WorkView, work_page
from monitor.pages.view import Link, When
from monitor.pages.watch import Watch

ACTS: dict[str, str] = {
    "begin": N_("Begin now"),
    "extend": N_("Move its end"),
    "verify": N_("Done, being verified"),
    "complete": N_("Complete"),
    "cancel": N_("Cancel"),
}


@dataclass(frozen=True, slots=True)
class WorkRow:
    """A piece of work: what it excuses, where its plan comes from, and what may be done with it now."""

    view: WorkView
    excuses: str
    origin: str
    until: str  # its planned end, as a field for a time in the site's zone holds it
    acts: tuple[str, ...]
    sequence: int  # which state of it this is


@dataclass(frozen=True, slots=True)
class WindowRow:
    """A window that a person planned to repeat."""

    id: str
    title: str
    rule: str
    lasts: str
    what: str


@dataclass(frozen=True, slots=True)
class ModuleGroup:
    """Modules that are chosen from, by the group whose components they are part of; without an id those of none."""

    id: str
    name: str
    modules: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class ScheduleView:
    """The page. `ahead` are the next times of the plan that was tried out."""

    going_on: tuple[WorkRow, ...]
    coming: tuple[WorkRow, ...]
    more: str
    past: tuple[WorkRow, ...]
    windows: tuple[WindowRow, ...]
    groups: tuple[ModuleGroup, ...]
    zone: str
    ahead: tuple[When, ...]


def schedule_view(lens: Lens, watch: Watch, ahead: Sequence[datetime] = ()) -> ScheduleView:
    """All planned work, and the choices of the form."""
    picture = lens.facts.picture
    coming = works.coming(picture)
    more = len(coming) - LISTED

    def rows(found: Iterable[Maintenance]) -> tuple[WorkRow, ...]:
        return tuple(_row(lens, watch, one) for one in found)

    return ScheduleView(
        going_on=rows(works.going_on(picture)),
        coming=rows(coming[:LISTED]),
        more=lens.counted("{count} more in the calendar", "{count} more in the calendar", more) if more > 0 else "",
        past=rows(works.past(picture)[:LISTED]),
        windows=tuple(_window(lens, one) for one in watch.board.agenda.windows.values()),
        groups=tuple(_groups(lens, watch.board.platform)),
        zone=lens.facts.site.timezone,
        ahead=tuple(lens.when(at) for at in ahead),
    )


def next_work(lens: Lens, module: str) -> Link | None:
    """The work that comes next on a module: its headline and when."""
    coming = works.coming(lens.facts.picture)
    found = next((one for one in coming if one.concerns(module)), None)
    if found is None:
        return None
    view = work_page(lens, found)
    return Link(f"{view.title}, {view.span}", f"healthcheck/maintenance#work-{found.id}")


def _row(lens: Lens, watch: Watch, one: Maintenance) -> WorkRow:
    agenda = watch.board.agenda
    acts: tuple[str, ...] = ()
    if one.is_going_on:
        acts = ("extend", "verify", "complete") if one.stage is WorkStage.IN_PROGRESS else ("extend", "complete")
    elif not one.is_over:
        acts = ("begin", "extend", "cancel") if may_begin(agenda, one) else ("extend", "cancel")
    origin = N_("Planned in the configuration") if one.author == "monitor" else N_("Planned by a person")
    return WorkRow(
        view=work_page(lens, one),
        excuses=", ".join(one.excuses) or lens.word(N_("every fault")),
        origin=lens.word(origin),
        until=f"{one.planned_until.astimezone(ZoneInfo(lens.facts.site.timezone)):%Y-%m-%dT%H:%M}",
        acts=acts if one.id in agenda.works else (),
        sequence=one.sequence,
    )


def _window(lens: Lens, one: Window) -> WindowRow:
    what = [lens.module_name(id) for id in one.modules]
    return WindowRow(
        id=one.id,
        title=lens.text(one.title),
        rule=one.rule or "",
        lasts=lens.length(one.ends - one.begins),
        what=lens.names(what) if what else lens.word(N_("Everything")),
    )


def _groups(lens: Lens, platform: Platform) -> Iterable[ModuleGroup]:
    """Every module once, below the first group that it is part of."""
    left = dict(platform.modules)
    for group in platform.groups:
        ids = dict.fromkeys(id for component in group.components for id in component.modules if id in left)
        if ids:
            found = tuple(Link(lens.text(left.pop(id).name), id) for id in ids)
            yield ModuleGroup(group.id, lens.text(group.name), found)
    if left:
        rest = tuple(Link(lens.text(one.name), id) for id, one in left.items())
        yield ModuleGroup("", lens.word(N_("Other modules")), rest)
