"""Route: one way of telling people about incidents, as the configuration describes it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from monitor.core.hours import Hours
from monitor.core.identity import stable_id
from monitor.core.match import Match


class Rhythm(Protocol):
    """How often what was gathered is told."""

    @property
    def name(self) -> str:
        """How it is written."""
        ...

    @property
    def every(self) -> timedelta | None:
        """The length of a window; None where one ends at a time of day."""
        ...

    def next_at(self, at: datetime) -> datetime:
        """When a window ends that something falls into at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """Channels that are told so long after an incident opened. `unless_acknowledged`: not once a person said mine.

    Only in `hours`, where there are any; and in those of `office` unless the incident is urgent.
    """

    channels: tuple[str, ...]
    after: timedelta = timedelta(0)
    unless_acknowledged: bool = False
    hours: Hours | None = None
    office: Hours | None = None


@dataclass(frozen=True)
class Route:
    """Who is told about matching incidents. What is None fits everything.

    `stores` are those that an incident must concern. `hours` are those in which the route holds, None: always.
    `repeat` is how often an open incident is told again, None: as its priority says. With a `digest` its channels hear
    of what happened once in each window.
    """

    steps: tuple[Step, ...]
    priorities: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    components: frozenset[str] | None = None
    modules: frozenset[str] | None = None
    hours: Hours | None = None
    repeat: timedelta | None = None
    stores: frozenset[str] | None = None
    digest: Rhythm | None = None

    @cached_property
    def match(self) -> Match:
        """Which incidents it is about."""
        return Match(self.priorities, self.groups, self.components, self.modules, self.stores)

    @cached_property
    def channels(self) -> tuple[str, ...]:
        """Whom its steps tell, each once."""
        return tuple(dict.fromkeys(channel for one in self.steps for channel in one.channels))

    @cached_property
    def id(self) -> str:
        """What a restart or a reload knows it by: routes that say the same are the same."""
        wanted = (self.priorities, self.groups, self.components, self.modules, self.stores)
        listed = [None if one is None else sorted(one) for one in wanted]
        steps = [
            (one.channels, one.after, one.unless_acknowledged, _named(one.hours), _named(one.office))
            for one in self.steps
        ]
        return stable_id(f"route:{listed}:{steps}:{_named(self.hours)}:{self.repeat}:{_named(self.digest)}")


def _named(one: Hours | Rhythm | None) -> str | None:
    return None if one is None else one.name
