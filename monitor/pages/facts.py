"""Facts: the figures of one picture, worked out once for all languages."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from monitor.core.board import Condition
from monitor.core.history import Latency
from monitor.core.incident import Incident
from monitor.core.module import Component, Module, Status
from monitor.core.rollup import RANK, ComponentStatus
from monitor.core.statement import WINDOWS, only_cached
from monitor.core.uptime import Day, Uptime, days
from monitor.pages import bars, sparkline
from monitor.pages.picture import DAYS, Picture


@dataclass(frozen=True, slots=True)
class ComponentFacts:
    """A component with its 90 days."""

    component: Component
    status: ComponentStatus | None
    days: tuple[Day, ...]
    bars: bars.Bars
    uptime: dict[str, Uptime]


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """A module as it is now. `incident` is the open one it is a member of; `cached`: only caches answer for it."""

    module: Module
    condition: Condition | None
    locations: dict[str, Status]
    latency: Latency
    spark: sparkline.Sparkline | None
    incident: Incident | None
    cached: bool = False

    @property
    def status(self) -> Status:
        """Its status; unknown until something is known."""
        return self.condition.status if self.condition else Status.UNKNOWN


class Facts:
    """What every page draws from. Everything is worked out when it is first asked for."""

    def __init__(self, picture: Picture) -> None:
        self.picture = picture
        self.site = picture.site
        self.platform = picture.board.platform
        self.zone = ZoneInfo(picture.site.timezone)

    @cached_property
    def components(self) -> dict[str, ComponentFacts]:
        """The components in page order."""
        statuses, found = self.picture.components(), {}
        for id, component in self.platform.components.items():
            cut = self.picture.spans_of_component(id)
            line = tuple(days(cut, self.picture.now, DAYS, self.zone))
            figures = {window: self.picture.uptime(cut, window) for window in WINDOWS}
            found[id] = ComponentFacts(component, statuses[id], line, bars.draw(line), figures)
        return found

    @cached_property
    def modules(self) -> dict[str, ModuleFacts]:
        """The modules in the order of the configuration."""
        board, found = self.picture.board, {}
        for id, module in self.platform.modules.items():
            latency = self.picture.history.latency.get(id, Latency())
            found[id] = ModuleFacts(
                module,
                board.modules.get(id),
                self.picture.locations_of(id),
                latency,
                sparkline.draw(latency.points),
                next((one for one in sorted(self.open_incidents, key=_by_hand) if one.member(id)), None),
                only_cached(board, id),
            )
        return found

    @cached_property
    def uptime(self) -> dict[str, dict[str, Uptime]]:
        """The figures of every module by window."""
        cuts = {id: self.picture.spans_of(id) for id in self.platform.modules}
        return {id: {window: self.picture.uptime(cut, window) for window in WINDOWS} for id, cut in cuts.items()}

    @cached_property
    def incidents(self) -> dict[str, Incident]:
        """Every incident by id, the newest first; what the board knows is newer than what was stored."""
        known = {one.id: one for one in self.picture.history.incidents}
        known.update(self.picture.board.incidents)
        return dict(sorted(known.items(), key=lambda pair: (pair[1].started_at, pair[0]), reverse=True))

    @cached_property
    def open_incidents(self) -> list[Incident]:
        """Those going on, the worst first, the newest first among equals."""
        going_on = [one for one in self.incidents.values() if one.is_open]
        return sorted(going_on, key=lambda one: -RANK.index(one.impact))

    @cached_property
    def months(self) -> dict[date, list[Incident]]:
        """First days of the months from the first known thing to now, the newest first, with what began in them."""
        first = min(filter(None, [self.began, *(one.started_at for one in self.incidents.values())]), default=None)
        day = self.local(self.picture.now).replace(day=1)
        found: dict[date, list[Incident]] = {day: []}
        while first is not None and day > self.local(first).replace(day=1):
            day = (day - timedelta(days=1)).replace(day=1)
            found[day] = []
        for one in self.incidents.values():
            found[self.local(one.started_at).replace(day=1)].append(one)
        return found

    @cached_property
    def began(self) -> datetime | None:
        """When the first thing became known; None while nothing is."""
        return min((moves[0].since for moves in self.picture.history.transitions.values() if moves), default=None)

    def local(self, at: datetime) -> date:
        """The calendar day of a moment in the site's zone."""
        return at.astimezone(self.zone).date()

    def seconds_of(self, day: date) -> float:
        """How much of a calendar day of the site's zone has passed."""
        after = day + timedelta(days=1)
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone).astimezone(UTC)
        end = datetime(after.year, after.month, after.day, tzinfo=self.zone).astimezone(UTC)
        return (min(end, self.picture.now) - start).total_seconds()


def _by_hand(incident: Incident) -> bool:
    """The monitor's own say more of a module."""
    return incident.by_hand
