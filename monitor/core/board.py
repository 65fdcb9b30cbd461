"""Board: one frozen picture of everything now. It is replaced whole; the desk owns it, everybody else reads it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.incident import Incident
from monitor.core.module import Platform, Status
from monitor.core.rollup import ComponentStatus, component_status
from monitor.core.track import Track


@dataclass(frozen=True, slots=True)
class Condition:
    """A settled status and since when."""

    status: Status
    since: datetime


@dataclass(frozen=True, slots=True)
class Vantage:
    """A place that looks. `canaries` holds, by target, when each last answered the present question and whether well.

    `asked_at` is the present question; `sees_at` the last question most canaries answered well;
    `blind_since` is set while most do not.
    """

    asked_at: datetime | None = None
    sees_at: datetime | None = None
    blind_since: datetime | None = None
    canaries: Mapping[str, tuple[datetime, bool]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens for extra runs, refilled at `rate` a second: 60 a minute and a tenth of the scheduled load."""

    tokens: float = 60.0
    at: datetime | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """Everything that is known now. The mappings are never changed in place.

    `tracks` by (module, probe, location), `probes` by (module, probe), `modules` by id. `incidents` by id: those open,
    and those resolved so recently that they may reopen.
    """

    platform: Platform
    tracks: Mapping[tuple[str, str, str], Track] = field(default_factory=dict)
    probes: Mapping[tuple[str, str], Condition] = field(default_factory=dict)
    modules: Mapping[str, Condition] = field(default_factory=dict)
    incidents: Mapping[str, Incident] = field(default_factory=dict)
    vantages: Mapping[str, Vantage] = field(default_factory=dict)
    versions: Mapping[str, tuple[str, datetime]] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def status(self, module: str) -> Status:
        """The status of a module; unknown until something is."""
        condition = self.modules.get(module)
        return Status.UNKNOWN if condition is None else condition.status

    def tracks_of(self, module: str, probe: str) -> dict[str, Track]:
        """The tracks of one probe by location."""
        locations = self.platform.probes[(module, probe)].locations
        return {place: t for place in locations if (t := self.tracks.get((module, probe, place)))}

    def incident_of(self, module: str) -> Incident | None:
        """The open incident that a module is a member of; of several, the one in which it has not answered yet."""
        found = [(i, member) for i in self.incidents.values() if i.is_open and (member := i.member(module))]
        return min(found, key=lambda pair: pair[1].until is not None, default=(None, None))[0]

    def component(self, id: str) -> ComponentStatus | None:
        """What a visitor feels of a component; None when nothing is known."""
        component = self.platform.components[id]
        return component_status(component, {module: self.status(module) for module in component.modules})
