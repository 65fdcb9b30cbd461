"""Facts: the figures of one picture, worked out once for all languages, and again only where they have changed."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from monitor.core.board import Condition, Version
from monitor.core.effect import Gap
from monitor.core.history import Latency
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.module import FAILING, Status
from monitor.core.report import Report
from monitor.core.rollup import RANK, component_status
from monitor.core.statement import only_cached
from monitor.core.uptime import END, Day
from monitor.pages import bars, sparkline, works
from monitor.pages.cells import Cells, cell, given, given_by
from monitor.pages.each import Each
from monitor.pages.known import ComponentFacts, ModuleFacts, Struck
from monitor.pages.news import began_at
from monitor.pages.picture import Picture
from monitor.pages.truth import Contradiction, contradictions

GAPS = timedelta(days=2)  # how long a gap in our own sight is mentioned
RECENT_DAYS = 14  # told one by one
RECENT = timedelta(hours=2)  # how long the newest hour of latency tells of now


def newest_of(latency: Latency, now: datetime) -> float | None:
    """The median in ms of the present hour, else of the one before; None where neither had an answered run."""
    newest = latency.points[-1] if latency.points else None
    return newest[1] if newest is not None and now - newest[0] < RECENT else None


class Facts:
    """What every page draws from. Everything is worked out when it is first asked for, as cells."""

    name = "facts"

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self.cells: Cells = picture.cells
        self.site = picture.site
        self.platform = picture.board.platform
        self.uptime = Each(self.platform.modules, picture.uptimes_of)
        self.uptime_together = picture.uptimes_together
        self.days = Each(self.platform.modules, picture.days_of)
        self.cells.belong_to(self)

    @property
    def picture(self) -> Picture:
        """The picture itself. Whoever looks at it is made again each time: look at something smaller if you can."""
        self._moment()
        return self._picture

    @property
    def seen(self) -> Picture:
        """The picture, for what is given."""
        return self._picture

    @given
    def contradictions(self) -> tuple[Contradiction, ...]:
        """What of all this does not hold together."""
        return contradictions(self._picture)

    @given
    def _moment(self) -> object:
        return object()

    # --- components and modules

    @property
    def components(self) -> Mapping[str, ComponentFacts]:
        """Every component by id."""
        return Each(self.platform.components, self.component)

    @property
    def modules(self) -> Mapping[str, ModuleFacts]:
        """Every module by id."""
        return Each(self.platform.modules, self.module)

    @cell
    def component(self, id: str) -> ComponentFacts:
        """A component."""
        line = self._picture.days_of_component(id)
        figures = self._picture.uptimes_of_component(id)
        component = self.platform.components[id]
        statuses = {one: self.status_of(one) for one in component.modules}
        status = component_status(component, statuses, self.planned())
        return ComponentFacts(component, status, line, bars.draw(line), figures)

    def past_days_of(self, component: str) -> tuple[Day, ...]:
        """The days of a component before today, the oldest first."""
        return self._picture.past_days_of_component(component)

    @cell
    def module(self, id: str) -> ModuleFacts:
        """A module."""
        latency = self.latency_of(id)
        return ModuleFacts(
            self.platform.modules[id],
            self.condition_of(id),
            self._locations_of(id),
            latency,
            self._spark_of(id),
            self.struck_by(id),
            self._is_cached(id),
            self._now_of(id),
            self._version_of(id),
        )

    @given_by("settled")
    def condition_of(self, module: str) -> Condition | None:
        """Its settled status and since when; None until something is known."""
        return self._picture.board.modules.get(module)

    @given_by("settled")
    def status_of(self, module: str) -> Status:
        """Its status; unknown until something is known."""
        return self._picture.board.status(module)

    @given_by("standing")
    def failing(self) -> tuple[str, ...]:
        """The modules that fail now, in the order of the configuration."""
        return tuple(id for id in self.platform.modules if self._picture.board.status(id) in FAILING)

    @given_by("standing")
    def planned(self) -> frozenset[str]:
        """The modules that are worked on, those left out that fail in a way the work does not excuse."""
        return self._picture.board.planned

    @given_by("latency")
    def latency_of(self, module: str) -> Latency:
        """Its latency of the last day."""
        return self._picture.history.latency.get(module, Latency())

    @given_by("seen")
    def _locations_of(self, module: str) -> dict[str, Status]:
        return self._picture.locations_of(module)

    @given_by("version")
    def _version_of(self, module: str) -> Version | None:
        return self._picture.board.version(module)

    @cell
    def _now_of(self, module: str) -> float | None:
        latency = self.latency_of(module)
        if latency.points:
            until = latency.points[-1][0] + RECENT
            self.cells.stands_until(until if until > self._picture.now else END)
        return newest_of(latency, self._picture.now)

    @given_by("seen")
    def _is_cached(self, module: str) -> bool:
        return only_cached(self._picture.board, module)

    @cell
    def _spark_of(self, module: str) -> sparkline.Sparkline | None:
        return sparkline.draw(self.latency_of(module).points)

    @cell
    def needed_by(self, module: str) -> tuple[str, ...]:
        """The modules that depend on it, in the order of the configuration."""
        return self._needs().get(module, ())

    @cell
    def _needs(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, dict[str, None]] = {}
        for id, module in self.platform.modules.items():
            for edge in module.depends_on:
                found.setdefault(edge.module, {})[id] = None
        return {id: tuple(ids) for id, ids in found.items()}

    # --- incidents

    @property
    def incidents(self) -> Mapping[str, Incident]:
        """Every incident by id, the newest first; what the board knows is newer than what was stored."""
        return Each(dict.fromkeys(self._ids()), self.incident)

    @property
    def open_incidents(self) -> list[Incident]:
        """Those going on, the worst first, the newest first among equals."""
        return [self.incident(id) for id in self._open()]

    @given_by("standing")
    def _known(self) -> dict[str, Incident]:
        return self._picture.known

    @cell
    def _ids(self) -> tuple[str, ...]:
        return tuple(self._known())

    @given_by("incident")
    def incident(self, id: str) -> Incident:
        """One incident. Raises KeyError."""
        return self._picture.known[id]

    @cell
    def _open(self) -> tuple[str, ...]:
        going_on = [one for one in self._known().values() if one.is_open]
        return tuple(one.id for one in sorted(going_on, key=lambda one: -RANK.index(one.impact)))

    @given_by("struck")
    def incidents_of_module(self, module: str) -> tuple[Incident, ...]:
        """Those it is or was a member of, the newest first."""
        return self._picture.known_of_modules.get(module, ())

    @given_by("touched")
    def incidents_of_component(self, component: str) -> tuple[Incident, ...]:
        """Those it is or was touched by, the newest first."""
        return self._picture.known_of_components.get(component, ())

    @given_by("struck")
    def struck_by(self, module: str) -> Struck | None:
        """The open one it is a member of; of several the worst, and ours before what a person opened: they say more."""
        going_on = [one for one in self._picture.known_of_modules.get(module, ()) if one.is_open]
        worst = min(going_on, key=lambda one: (one.by_hand, -RANK.index(one.impact)), default=None)
        if worst is None:
            return None
        return Struck(worst.id, worst.impact, worst.cause.module, self._picture.roles[worst.id][module])

    @given_by("struck")
    def own_incident_of(self, module: str) -> str | None:
        """The id of the open one it is a member of, of several the newest of our own."""
        going_on = [one for one in self._picture.known_of_modules.get(module, ()) if one.is_open]
        return min(going_on, key=lambda one: one.by_hand).id if going_on else None

    # --- planned work

    @given
    def going_on(self) -> tuple[Maintenance, ...]:
        """Work under way, the first to begin first."""
        return tuple(works.going_on(self._picture))

    @given
    def soon(self) -> tuple[Maintenance, ...]:
        """Work to come that is near."""
        return tuple(works.soon(self._picture))

    @given
    def works_told(self) -> tuple[Maintenance, ...]:
        """Work that feeds tell of."""
        return tuple(works.told(self._picture))

    @property
    def works(self) -> Mapping[str, Maintenance]:
        """Work that has a page of its own, by id."""
        return Each(dict.fromkeys(self._works()), self.work)

    @given
    def _works(self) -> dict[str, Maintenance]:
        return {one.id: one for one in works.with_pages(self._picture)}

    @cell
    def work(self, id: str) -> Maintenance:
        """One piece of work. Raises KeyError."""
        return self._works()[id]

    # --- reports

    @property
    def reports(self) -> Mapping[str, Report]:
        """Of every month and quarter, by name, the newest first."""
        return Each(dict.fromkeys(self._report_names()), self.report)

    @cell
    def _report_names(self) -> tuple[str, ...]:
        return tuple(self._reports())

    @given
    def _reports(self) -> dict[str, Report]:
        return {one.whole.name: one for one in self._picture.reports}

    @cell
    def report(self, name: str) -> Report:
        """One of them. Raises KeyError."""
        return self._reports()[name]

    @given_by("incident")
    def has_page(self, incident: str) -> bool:
        """Whether an incident can be read on a page of its own: the oldest have none any more."""
        return incident in self._picture.known

    # --- how well we see

    @given
    def is_withheld(self) -> bool:
        """Whether something fails whose incident is not public yet."""
        return bool(self._picture.withheld)

    @given
    def has_data(self) -> bool:
        """Whether anything was observed."""
        return self._picture.data_until is not None

    @given
    def gaps_over(self) -> tuple[Gap, ...]:
        """Gaps in our own sight that ended lately, the newest first."""
        oldest = self._picture.now - GAPS
        found = [gap for gap in self._picture.history.gaps if gap.until is not None and gap.until >= oldest]
        return tuple(sorted(found, key=lambda gap: gap.since, reverse=True))

    # --- time

    @given
    def is_young(self) -> bool:
        """Whether the first thing became known within the days that are told one by one."""
        began = self._began()
        return began is not None and self._picture.now - began <= timedelta(days=RECENT_DAYS)

    @given
    def minute(self) -> datetime:
        """The minute of the picture. What says how new it is to the minute stays as it is in between."""
        return self._picture.now.replace(second=0, microsecond=0)

    @given
    def data_until(self) -> datetime | None:
        """When the newest observation ended; None before the first one."""
        return self._picture.data_until

    @cell
    def today(self) -> date:
        """The present day of the site's zone."""
        return self.local(self._picture.midnight())

    @property
    def first_days(self) -> tuple[date, ...]:
        """First days of the months from the first known thing to now, the newest first."""
        return self._firsts()

    def incidents_of_month(self, first: date) -> list[Incident]:
        """What began in the month with this first day, the newest first."""
        return [self.incident(id) for id in self._began_in(first)]

    @cell
    def _firsts(self) -> tuple[date, ...]:
        return tuple(self._months())

    @cell
    def _began_in(self, first: date) -> tuple[str, ...]:
        return self._months()[first]

    @cell
    def _months(self) -> dict[date, tuple[str, ...]]:
        known = self.incidents.values()
        first = min(filter(None, [self.began, *(one.started_at for one in known)]), default=None)
        day = self.today().replace(day=1)
        found: dict[date, list[str]] = {day: []}
        while first is not None and day > self.local(first).replace(day=1):
            day = (day - timedelta(days=1)).replace(day=1)
            found[day] = []
        for one in known:
            found[self.local(one.started_at).replace(day=1)].append(one.id)
        return {first: tuple(ids) for first, ids in found.items()}

    @property
    def began(self) -> datetime | None:
        """When the first thing became known; None while nothing is."""
        return self._began()

    @given_by("standing")
    def _began(self) -> datetime | None:
        return min((moves[0].since for moves in self._picture.history.transitions.values() if moves), default=None)

    @given_by("standing")
    def known_since(self) -> datetime | None:
        """When the first thing became known, be it on the board alone; None while nothing is."""
        return began_at(self._picture)

    def local(self, at: datetime) -> date:
        """The calendar day of a moment in the site's zone."""
        return self._picture.local(at)
