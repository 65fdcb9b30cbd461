"""Rollup: an hour of one probe at one place, in a few numbers. Plots and latency figures are made of these."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from monitor.core.expectation import Result
from monitor.core.history import Latency, percentile
from monitor.core.series import HOUR, Bin

__all__ = ["HOUR", "LATENCY_HOURS", "Hours", "Rollup", "hour_of", "latency", "latency_of", "latency_since"]

LATENCY_HOURS = 24


@dataclass(frozen=True, slots=True)
class Rollup:
    """What was counted in the hour that begins at `hour`."""

    module: str
    probe: str
    location: str
    hour: datetime
    bin: Bin = field(default_factory=Bin)

    def add(self, result: Result, duration: float, phases: Mapping[str, float]) -> "Rollup":
        """The hour with one more judged run of this many seconds."""
        counted = self.bin.add(result, duration, phases)
        return Rollup(self.module, self.probe, self.location, self.hour, counted)

    def merge(self, other: "Rollup") -> "Rollup":
        """The hour with everything that another one counted, under the names of this one."""
        return replace(self, bin=self.bin.merge(other.bin))


def hour_of(moment: datetime) -> datetime:
    """The start of the hour, in UTC, that a moment lies in."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def latency_since(now: datetime) -> datetime:
    """The first of the hours that latency figures cover; the present hour is the last."""
    return hour_of(now) - (LATENCY_HOURS - 1) * HOUR


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of a module taken together: how many runs took how long, and the median of each hour."""

    total: Mapping[int, int] = field(default_factory=dict)
    points: tuple[tuple[datetime, float], ...] = ()

    @classmethod
    def of(cls, by_hour: Mapping[datetime, Mapping[int, int]]) -> "Hours":
        """From the buckets of each."""
        total: Counter[int] = Counter()
        for buckets in by_hour.values():
            total.update(buckets)
        return cls(total, tuple(point for hour in sorted(by_hour) for point in _point(hour, by_hour[hour])))


def latency(before: Hours, hour: datetime, buckets: Mapping[int, int]) -> Latency:
    """Latency from the hours before one, and this one's buckets."""
    total = Counter(before.total)
    total.update(buckets)
    return _latency(Hours(total, (*before.points, *_point(hour, buckets))))


def _point(hour: datetime, buckets: Mapping[int, int]) -> list[tuple[datetime, float]]:
    median = percentile(buckets, 0.5)
    return [] if median is None else [(hour, median)]


def latency_of(rollups: Iterable[Rollup]) -> dict[str, Latency]:
    """Latency by module, from all rollups given; modules without an answered run are absent."""
    hours: defaultdict[str, defaultdict[datetime, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
    for rollup in rollups:
        if rollup.bin.buckets:
            hours[rollup.module][rollup.hour].update(rollup.bin.buckets)
    return {module: _latency(Hours.of(by_hour)) for module, by_hour in hours.items()}


def _latency(hours: Hours) -> Latency:
    total = hours.total
    return Latency(percentile(total, 0.5), percentile(total, 0.95), percentile(total, 0.99), hours.points)
