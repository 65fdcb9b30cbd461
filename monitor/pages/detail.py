"""Detail: the pages behind the home page, one component, module or month."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from monitor.core.guide import anchor
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.statement import WINDOWS
from monitor.core.uptime import Day
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.bars import KINDS
from monitor.pages.cells import cell
from monitor.pages.healthcheck import ModuleView, NeedView, module_view
from monitor.pages.known import ComponentFacts, ModuleFacts
from monitor.pages.lens import Lens
from monitor.pages.planned import WorkView, under_way
from monitor.pages.view import ComponentView, Figure, IncidentLine, Link, Mark

DAY_WORDS = {
    Status.UP: N_("Good"),
    Status.DEGRADED: N_("Degraded"),
    Status.DOWN: N_("Down"),
    Status.UNKNOWN: N_("No data"),
}
WINDOW_WORDS = {"24h": N_("24 hours"), "7d": N_("7 days"), "30d": N_("30 days"), "90d": N_("90 days")}


@dataclass(frozen=True, slots=True)
class DayView:
    """A row of the table of days."""

    label: str
    iso: str
    mark: Mark
    down: str
    degraded: str
    known: str
    incidents: tuple[Link, ...]  # those that went on at any time of that day


@dataclass(frozen=True, slots=True)
class DatedLine:
    """A past incident below its day."""

    day: str
    line: IncidentLine


@dataclass(frozen=True, slots=True)
class ComponentPage:
    """A component with its figures, the table of its days, its modules and its incidents."""

    component: ComponentView
    figures: tuple[tuple[str, Figure], ...]
    days: tuple[DayView, ...]
    modules: tuple[NeedView, ...]
    incidents: tuple[DatedLine, ...]
    works: tuple[WorkView, ...]


@dataclass(frozen=True, slots=True)
class ModulePage:
    """A module with its figures, what depends on it and its incidents."""

    module: ModuleView
    figures: tuple[tuple[str, Figure], ...]
    needed_by: tuple[NeedView, ...]
    components: tuple[Link, ...]
    incidents: tuple[DatedLine, ...]
    works: tuple[WorkView, ...]
    codes: tuple[Link, ...]  # that name it in answers of others


@dataclass(frozen=True, slots=True)
class MonthView:
    """A month with the incidents that began in it, the newest first."""

    label: str
    href: str
    count: str
    incidents: tuple[DatedLine, ...]
    earlier: Link | None
    later: Link | None


@dataclass(frozen=True, slots=True)
class HistoryView:
    """Every month, the newest first."""

    months: tuple[MonthView, ...]
    reported: bool  # there are reports to lead to


def component_page(lens: Lens, facts: ComponentFacts) -> ComponentPage:
    """A component's page."""
    modules = [id for id in facts.component.modules if id in lens.facts.modules]
    past, incidents = _past(lens, facts.component.id), lens.facts.incidents_of_component(facts.component.id)
    return ComponentPage(
        lens.component(facts),
        tuple((lens.word(WINDOW_WORDS[window]), lens.figure(facts.uptime[window])) for window in WINDOWS),
        (*_rows(lens, facts.component.id, facts.days[len(past) :]), *past),
        tuple(_short(lens, one) for one in modules),
        _dated(lens, incidents),
        under_way(lens, facts.component.modules),
    )


def module_page(lens: Lens, facts: ModuleFacts) -> ModulePage:
    """A module's page."""
    id, every = facts.module.id, lens.facts
    components = [every.platform.components[one] for one in every.platform.components_of([id])]
    return ModulePage(
        module_view(lens, facts),
        tuple((lens.word(WINDOW_WORDS[window]), lens.figure(every.uptime[id][window])) for window in WINDOWS),
        tuple(_short(lens, one) for one in every.needed_by(id)),
        tuple(Link(lens.text(one.name), f"components/{one.id}/") for one in components),
        _dated(lens, every.incidents_of_module(id)),
        under_way(lens, [id]),
        tuple(Link(code, f"codes/#{here}") for code in facts.module.signals if (here := anchor(code))),
    )


def months(lens: Lens) -> HistoryView:
    """The history, whole; each month is a page of its own too."""
    return HistoryView(tuple(month(lens, first) for first in lens.facts.first_days), bool(lens.facts.reports))


@cell
def month(lens: Lens, first: date) -> MonthView:
    """The month that begins on this day."""
    incidents, firsts = lens.facts.incidents_of_month(first), lens.facts.first_days
    index = firsts.index(first)
    return MonthView(
        _month_link(lens, first).text,
        month_folder(first),
        lens.counted("{count} incident", "{count} incidents", len(incidents)) if incidents else "",
        _dated(lens, incidents, lens.speech.short_day),
        _month_link(lens, firsts[index + 1]) if index + 1 < len(firsts) else None,
        _month_link(lens, firsts[index - 1]) if index else None,
    )


def month_folder(first: date) -> str:
    """Where the page of a month stands."""
    return f"history/{first:%Y-%m}/"


def _month_link(lens: Lens, first: date) -> Link:
    return Link(_heading(lens.speech.month(lens.language, first)), month_folder(first))


@cell
def _past(lens: Lens, component: str) -> tuple[DayView, ...]:
    """The days before today, most of the table: only an incident that began or ended makes it another one."""
    return _rows(lens, component, lens.facts.past_days_of(component))


def _rows(lens: Lens, component: str, days: Sequence[Day]) -> tuple[DayView, ...]:
    """Rows of the table of days, the newest first."""
    struck = [_struck(lens, one) for one in lens.facts.incidents_of_component(component)]
    return tuple(_day(lens, day, struck) for day in reversed(days))


def _day(lens: Lens, day: Day, struck: list[tuple[date, date, Link]]) -> DayView:
    speech, language = lens.speech, lens.language
    return _row(
        speech.short_day(language, day.date),
        day.date.isoformat(),
        lens.mark((KINDS[day.status], DAY_WORDS[day.status])),
        speech.duration(language, day.down_seconds) if day.down_seconds else "–",
        speech.duration(language, day.degraded_seconds) if day.degraded_seconds else "–",
        speech.percent(language, day.coverage, 0),
        tuple(link for first, last, link in struck if first <= day.date <= last),
    )


@lru_cache(maxsize=8192)
def _row(*told: Any) -> DayView:
    """Equal rows are one object: most days of most components are alike."""
    return DayView(*told)


def _struck(lens: Lens, incident: Incident) -> tuple[date, date, Link]:
    """The first and the last day of an incident, and its page."""
    end, line = incident.ended_at or incident.resolved_at, lens.line(incident)
    last = lens.facts.today() if end is None else lens.facts.local(end)
    return lens.facts.local(incident.started_at), last, Link(line.title, line.href)


def _short(lens: Lens, id: str) -> NeedView:
    return NeedView(id, lens.module_name(id), lens.mark(words.MODULE[lens.facts.status_of(id)]))


def _dated(
    lens: Lens, incidents: Iterable[Incident], told: Callable[[str, date], str] | None = None
) -> tuple[DatedLine, ...]:
    told, local = told or lens.speech.day, lens.facts.local
    return tuple(DatedLine(told(lens.language, local(one.started_at)), lens.line(one)) for one in incidents)


def _heading(text: str) -> str:
    return text[:1].upper() + text[1:]
