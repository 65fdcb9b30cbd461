"""Known: what is told of one component and of one module."""

from dataclasses import dataclass
from typing import NamedTuple

from monitor.core.board import Condition, Version
from monitor.core.history import Latency
from monitor.core.module import Component, Module, Status
from monitor.core.rollup import ComponentStatus
from monitor.core.uptime import Day, Uptime
from monitor.pages import bars, sparkline


@dataclass(frozen=True, slots=True)
class ComponentFacts:
    """A component with its 90 days."""

    component: Component
    status: ComponentStatus | None
    days: tuple[Day, ...]
    bars: bars.Bars
    uptime: dict[str, Uptime]


class Struck(NamedTuple):
    """What a module knows of the open incident that it is a member of, which stays while others become members: its
    id, impact and root, and the module's own role in it."""

    incident: str
    impact: str
    root: str | None
    role: str


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """A module as it is now. `struck` is by which open incident; `cached`: only caches answer for it.
    `now_ms` is the median of the present hour, or of the one before."""

    module: Module
    condition: Condition | None
    locations: dict[str, Status]
    latency: Latency
    spark: sparkline.Sparkline | None
    struck: Struck | None
    cached: bool = False
    now_ms: float | None = None
    version: Version | None = None

    @property
    def status(self) -> Status:
        """Its status; unknown until something is known."""
        return self.condition.status if self.condition else Status.UNKNOWN
