"""Route: one way of telling people about incidents, as the configuration describes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from monitor.core.identity import stable_id
from monitor.core.match import Match


class Hours(Protocol):
    """Working hours."""

    @property
    def name(self) -> str:
        """What their calendar is called."""
        ...

    def within(self, at: datetime) -> bool:
        """Whether a moment lies in them."""
        ...

    def opens_at(self, at: datetime) -> datetime | None:
        """The first moment after this one that lies in them; None when none comes."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Channels that are told so long after an incident opened. `unless_acknowledged`: not once a person said mine."""

    channels: tuple[str, ...]
    after: timedelta = timedelta(0)
    unless_acknowledged: bool = False


@dataclass(frozen=True)
class Route:
    """Who is told about matching incidents. What is None fits everything.

    `hours` are those in which the route holds, None: always. `repeat` is how often an open incident is told again,
    None: as its priority says.
    """

    steps: tuple[Step, ...]
    priorities: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    components: frozenset[str] | None = None
    modules: frozenset[str] | None = None
    hours: Hours | None = None
    repeat: timedelta | None = None

    @cached_property
    def match(self) -> Match:
        """Which incidents it is about."""
        return Match(self.priorities, self.groups, self.components, self.modules)

    @cached_property
    def id(self) -> str:
        """What a restart or a reload knows it by: routes that say the same are the same."""
        wanted = (self.priorities, self.groups, self.components, self.modules)
        listed = [None if one is None else sorted(one) for one in wanted]
        hours = None if self.hours is None else self.hours.name
        return stable_id(f"route:{listed}:{self.steps}:{hours}:{self.repeat}")
