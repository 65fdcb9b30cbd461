"""Daily: what whole days of a line come to, so that the figure of a long window is the sum of its days and of the rest
of it at both ends, to the microsecond what its changes of status come to.

A line is a module, or a component together with the modules it is made of. What a day holds does not depend on what
partial outages weigh: the time in which some modules are down and others are not is told apart, and weighed by whoever
asks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from functools import reduce
from itertools import pairwise
from operator import add

from monitor.core.availability import Availability, Subject, parts
from monitor.core.module import Platform
from monitor.core.period import midnight
from monitor.core.uptime import Span, Spent, spent
from monitor.core.weights import Weights

Lines = Mapping[str, tuple[str, ...]]  # what modules a line is made of, by its name

_APART = 0.5
APART = Weights(degraded=0.0, partial=_APART)  # under which what is down in part shows as such
_NOTHING = timedelta(0)


@dataclass(frozen=True, slots=True)
class Sum:
    """How some time of a line was spent; `partly` is the part of `down` in which some of its modules are known not to
    be."""

    up: timedelta
    degraded: timedelta
    down: timedelta
    partly: timedelta
    unknown: timedelta
    excluded: timedelta

    def weighed(self, weights: Weights) -> Spent:
        """As a figure is made of it."""
        shares: dict[float, timedelta] = {}
        partly = max(weights.partial, weights.degraded)
        for share, inside in ((1.0, self.down - self.partly), (partly, self.partly), (weights.degraded, self.degraded)):
            if share and inside:
                shares[share] = shares.get(share, _NOTHING) + inside
        return Spent(self.up, self.degraded, self.down, self.unknown, self.excluded, shares)


@dataclass(frozen=True, slots=True)
class Totals:
    """What whole days from `since` to `until` come to, by line."""

    since: datetime
    until: datetime
    sums: Mapping[str, Sum]


def lines_of(platform: Platform, subjects: Iterable[Subject] | None = None) -> dict[str, tuple[str, ...]]:
    """The lines that the figures of these add up; all there are."""
    if subjects is None:
        wanted = [Subject("module", id) for id in platform.modules]
        wanted += [Subject("component", id) for id in platform.components]
    else:
        wanted = [line for subject in subjects for line in _lines(platform, subject)]
    return {one.name: (one.id,) if one.kind == "module" else platform.components[one.id].modules for one in wanted}


def _lines(platform: Platform, subject: Subject) -> list[Subject]:
    if subject.kind in ("module", "component"):
        return [subject]
    kind = "component" if platform.components else "module"
    return [Subject(kind, id) for id in parts(platform, subject)]


def calendar(zone: tzinfo, since: datetime, until: datetime) -> list[datetime]:
    """The midnights of a zone from the last one that is not after `since` to the last that is not after `until`."""
    day, last = since.astimezone(zone).date(), until.astimezone(zone).date()
    found: list[datetime] = []
    while day <= last:
        begins = midnight(day, zone)
        if not found or found[-1] < begins:  # a day that a zone left out never began
            found.append(begins)
        day += timedelta(days=1)
    return found


def apart(platform: Platform) -> Platform:
    """The platform as days are summed up for it."""
    return replace(platform, weights=APART)


def between(cut: Sequence[Span], edges: Sequence[datetime]) -> list[Spent]:
    """How the time between each edge and the next was spent, from spans in order of time."""
    found = []
    first = 0
    for start, end in pairwise(edges):
        while first < len(cut) and cut[first].until <= start:
            first += 1
        last = first
        while last < len(cut) and cut[last].since < end:
            last += 1
        found.append(spent(cut[first:last], start, end))
    return found


def sums(cut: Sequence[Span], edges: Sequence[datetime]) -> list[Sum]:
    """The same as days are summed up, from spans that are weighed `APART`."""
    return [
        Sum(one.up, one.degraded, one.down, one.shares.get(_APART, _NOTHING), one.unknown, one.excluded)
        for one in between(cut, edges)
    ]


def day_by_day(
    past: Availability, subject: Subject, zone: tzinfo, start: datetime, end: datetime
) -> list[tuple[date, Spent]]:
    """How every day of a window was spent, the first and the last as much of it as lies in the window."""
    edges = [start, *(one for one in calendar(zone, start, end) if start < one < end), end]
    lines = [between(cut, edges) for cut in past.lines(subject).values()]
    each = (reduce(add, parts) for parts in zip(*lines, strict=True))
    return [(at.astimezone(zone).date(), one) for at, one in zip(edges, each, strict=False)]


@dataclass(frozen=True)
class Reckoning:
    """One window of the past, ready to be asked. `past` knows the time before and after the days that `totals` sum up,
    and all of it where there are none; what it says of these days is not to be believed, so nobody else asks it."""

    past: Availability
    start: datetime
    end: datetime
    totals: Totals | None = None

    def spent(self, subject: Subject) -> Spent:
        """How the window was spent; that of a group or the platform is the sum over its components."""
        if self.totals is None:
            return self.past.spent(subject, self.start, self.end)
        rims = self.past.spent(subject, self.start, self.totals.since)
        rims += self.past.spent(subject, self.totals.until, self.end)
        weights = self.past.platform.weights
        return sum((self.totals.sums[one.name].weighed(weights) for one in _lines(self.past.platform, subject)), rims)
