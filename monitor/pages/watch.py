"""Watch: what operators look at. Unlike a picture it holds drafts, the newest run of every probe, and how we are."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

from monitor.core.board import Board
from monitor.core.effect import Keep
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.presence import Attendance
from monitor.core.rollup import RANK
from monitor.core.selfcheck import Sign
from monitor.core.site import Site
from monitor.core.statement import incidents_of


@dataclass(frozen=True, slots=True)
class Lead:
    """Who leads, of the monitors that share a store: `ours` when we do; how many others stand by, as far as we know;
    why nobody can be asked."""

    ours: bool
    leader: str | None
    others: int
    trouble: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """How the monitor itself is: troubles in words, None where there is none; what in the publication
    contradicts itself; the loop's lag in seconds; what waits. `signs` are figures with their limits. `silent` are the
    channels that do not deliver, each with the reason; `outbox` why notices leave from memory; `letters` how many
    wait. `places` are those that have agents, `lead` is who leads of several monitors; None: there can be but one."""

    store: str | None = None
    publication: str | None = None
    configuration: str | None = None
    contradictions: tuple[str, ...] = ()
    lag: float | None = None
    events: int = 0
    backlog: int = 0
    outbox: str | None = None
    silent: tuple[tuple[str, str], ...] = ()
    letters: int = 0
    signs: tuple[Sign, ...] = ()
    places: tuple[Attendance, ...] = ()
    lead: Lead | None = None


@dataclass(frozen=True)
class Watch:
    """`runs` holds the newest judged run by (module, probe, location), since the start."""

    site: Site
    board: Board
    history: History
    now: datetime
    data_until: datetime | None = None
    runs: Mapping[tuple[str, str, str], Keep] = field(default_factory=dict)
    health: Health = Health()

    @cached_property
    def incidents(self) -> list[Incident]:
        """Every incident, drafts included, the newest first."""
        return incidents_of(self.board, self.history)

    @cached_property
    def open_incidents(self) -> list[Incident]:
        """Those going on, the worst first, the newest first among equals."""
        return sorted((one for one in self.incidents if one.is_open), key=lambda one: -RANK.index(one.impact))

    @cached_property
    def incident_by_module(self) -> dict[str, Incident]:
        """The open incident that says most of a module: the monitor's own before one that was opened by hand."""
        found: dict[str, Incident] = {}
        for one in sorted(self.open_incidents, key=lambda one: one.by_hand):
            for member in one.members:
                found.setdefault(member.module, one)
        return found
