"""Planned: the pages of planned work, and what other pages say of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from monitor.core.announcement import WORK_STAGE, components_of, work_body, work_message, work_title
from monitor.core.maintenance import Maintenance, WorkStage
from monitor.core.observation import stamp
from monitor.core.wording import N_
from monitor.pages import works
from monitor.pages.lens import Lens
from monitor.pages.view import Link, Mark, UpdateView

NEXT = 4  # pieces of it
LISTED = 20  # pieces of work on the page of planned work, to come and past

MARKS = {
    WorkStage.SCHEDULED: "work",
    WorkStage.IN_PROGRESS: "work",
    WorkStage.VERIFYING: "work",
    WorkStage.COMPLETED: "ok",
    WorkStage.CANCELLED: "none",
}


@dataclass(frozen=True, slots=True)
class WorkView:
    """Planned work. `span` is its plan, or what it was once it is over; `begins` is the same for machines."""

    id: str
    href: str
    title: str
    message: str
    mark: Mark
    span: str
    begins: str
    lasts: str
    what: str
    modules: tuple[Link, ...]
    updates: tuple[UpdateView, ...]  # newest first
    over: bool


@dataclass(frozen=True, slots=True)
class PlannedView:
    """What the home page says: work under way, and work that comes soon."""

    going_on: tuple[WorkView, ...]
    soon: tuple[WorkView, ...]


@dataclass(frozen=True, slots=True)
class MaintenancePage:
    """All of it. `more` counts what is to come and not listed."""

    going_on: tuple[WorkView, ...]
    coming: tuple[WorkView, ...]
    more: str
    past: tuple[WorkView, ...]


def planned(lens: Lens) -> PlannedView:
    """For the home page."""
    return PlannedView(_views(lens, lens.facts.going_on()), _views(lens, lens.facts.soon()[:NEXT]))


def maintenance_page(lens: Lens) -> MaintenancePage:
    """The page of planned work."""
    picture = lens.facts.picture
    coming = works.coming(picture)
    more = len(coming) - LISTED
    return MaintenancePage(
        _views(lens, works.going_on(picture)),
        _views(lens, coming[:LISTED]),
        lens.counted("{count} more in the calendar", "{count} more in the calendar", more) if more > 0 else "",
        _views(lens, works.past(picture)[:LISTED]),
    )


def work_page(lens: Lens, work: Maintenance) -> WorkView:
    """The page of a single piece of work."""
    return _view(lens, work)


def under_way(lens: Lens, modules: Iterable[str]) -> tuple[WorkView, ...]:
    """The work under way on any of these modules, for their pages."""
    wanted = set(modules)
    hit = [one for one in lens.facts.going_on() if any(one.concerns(id) for id in wanted)]
    return _views(lens, hit)


def _views(lens: Lens, found: Iterable[Maintenance]) -> tuple[WorkView, ...]:
    return tuple(_view(lens, one) for one in found)


def _view(lens: Lens, work: Maintenance) -> WorkView:
    begins, ends = work.planned_from, work.planned_until
    if work.stage is WorkStage.COMPLETED:
        begins, ends = work.started_at or begins, work.ended_at or ends
    return WorkView(
        id=work.id,
        href=f"incidents/{work.id}/",
        title=lens.say(work_title(work)),
        message=lens.say(work_message(work)) if work.message else "",
        mark=lens.mark((MARKS[work.stage], WORK_STAGE[work.stage])),
        span=lens.speech.span(lens.language, begins, ends, lens.facts.site.timezone),
        begins=stamp(begins) or "",
        lasts=lens.speech.duration(lens.language, (ends - begins).total_seconds()),
        what=_what(lens, work),
        modules=tuple(lens.module_link(id) for id in work.modules),
        updates=tuple(
            UpdateView(lens.word(WORK_STAGE[one.stage]), lens.when(one.at), lens.say(work_body(one)))
            for one in reversed(work.updates)
        ),
        over=work.is_over,
    )


def _what(lens: Lens, work: Maintenance) -> str:
    """What is worked on: components where there are any, else modules."""
    if not work.modules:
        return lens.word(N_("Everything"))
    known = lens.facts.platform.components
    felt = [lens.text(known[id].name) for id in components_of(work, lens.facts.platform)]
    return lens.names(felt or [lens.module_name(id) for id in work.modules])
