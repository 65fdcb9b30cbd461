"""Detail: the pages behind the home page, one component, module or month."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.statement import WINDOWS
from monitor.core.uptime import Day
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.bars import KINDS
from monitor.pages.facts import ComponentFacts, ModuleFacts
from monitor.pages.healthcheck import ModuleView, NeedView, module_view
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


def component_page(lens: Lens, facts: ComponentFacts) -> ComponentPage:
    """A component's page."""
    modules = [lens.facts.modules[id] for id in facts.component.modules if id in lens.facts.modules]
    incidents = [one for one in lens.facts.incidents.values() if facts.component.id in one.components]
    return ComponentPage(
        lens.component(facts),
        tuple((lens.word(WINDOW_WORDS[window]), lens.figure(facts.uptime[window])) for window in WINDOWS),
        tuple(_day(lens, day, incidents) for day in reversed(facts.days)),
        tuple(_short(lens, one) for one in modules),
        _dated(lens, incidents),
        under_way(lens, facts.component.modules),
    )


def module_page(lens: Lens, facts: ModuleFacts) -> ModulePage:
    """A module's page."""
    id, every = facts.module.id, lens.facts
    needed_by = [one for one in every.modules.values() if any(edge.module == id for edge in one.module.depends_on)]
    components = [every.platform.components[one] for one in every.platform.components_of([id])]
    return ModulePage(
        module_view(lens, facts),
        tuple((lens.word(WINDOW_WORDS[window]), lens.figure(every.uptime[id][window])) for window in WINDOWS),
        tuple(_short(lens, one) for one in needed_by),
        tuple(Link(lens.text(one.name), f"components/{one.id}/") for one in components),
        _dated(lens, [one for one in every.incidents.values() if one.member(id)]),
        under_way(lens, [id]),
    )


def months(lens: Lens) -> HistoryView:
    """The history, whole; each month is a page of its own too."""
    firsts = list(lens.facts.months)
    links = [Link(_heading(lens.speech.month(lens.language, first)), f"history/{first:%Y-%m}/") for first in firsts]
    found = []
    for index, first in enumerate(firsts):
        incidents = lens.facts.months[first]
        found.append(
            MonthView(
                links[index].text,
                links[index].href,
                lens.counted("{count} incident", "{count} incidents", len(incidents)) if incidents else "",
                _dated(lens, incidents, lens.speech.short_day),
                links[index + 1] if index + 1 < len(links) else None,
                links[index - 1] if index else None,
            )
        )
    return HistoryView(tuple(found))


def _day(lens: Lens, day: Day, incidents: list[Incident]) -> DayView:
    speech, language = lens.speech, lens.language
    known = min(1.0, day.known_seconds / max(lens.facts.seconds_of(day.date), 1.0))
    return DayView(
        speech.short_day(language, day.date),
        day.date.isoformat(),
        lens.mark((KINDS[day.status], DAY_WORDS[day.status])),
        speech.duration(language, day.down_seconds) if day.down_seconds else "–",
        speech.duration(language, day.degraded_seconds) if day.degraded_seconds else "–",
        speech.percent(language, known, 0),
        tuple(Link(line.title, line.href) for one in incidents if _was_on(lens, one, day) for line in [lens.line(one)]),
    )


def _was_on(lens: Lens, incident: Incident, day: Day) -> bool:
    end = incident.ended_at or incident.resolved_at or lens.facts.picture.now
    return lens.facts.local(incident.started_at) <= day.date <= lens.facts.local(end)


def _short(lens: Lens, facts: ModuleFacts) -> NeedView:
    return NeedView(facts.module.id, lens.text(facts.module.name), lens.mark(words.MODULE[facts.status]))


def _dated(
    lens: Lens, incidents: list[Incident], told: Callable[[str, date], str] | None = None
) -> tuple[DatedLine, ...]:
    told, local = told or lens.speech.day, lens.facts.local
    return tuple(DatedLine(told(lens.language, local(one.started_at)), lens.line(one)) for one in incidents)


def _heading(text: str) -> str:
    return text[:1].upper() + text[1:]
