"""Route: one way of telling people about incidents, as the configuration describes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Protocol

from monitor.core.identity import stable_id
from monitor.core.match import Match

OPENINGS = 400  # of several calendars, looked through for a moment that lies in all of them


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

    def closes_at(self, at: datetime) -> datetime | None:
        """The first moment after this one that does not lie in them; None when none comes."""
        ...


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


def open_from(hours: Sequence[Hours], at: datetime) -> datetime | None:
    """The first moment from this one on that lies in all of these hours; None when none comes."""
    for _ in range(OPENINGS):
        closed = next((one for one in hours if not one.within(at)), None)
        if closed is None:
            return at
        opens = closed.opens_at(at)
        if opens is None:
            return None
        at = opens
    return None


def _named(one: Hours | Rhythm | None) -> str | None:
    return None if one is None else one.name
