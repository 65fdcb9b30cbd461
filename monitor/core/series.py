"""Series: what the runs of a module looked like over a window, bin by bin; what plots are drawn from.

A bin counts; percentiles are read from what was counted, so bins that are put together give the percentiles of all
their runs and never an average of percentiles. A bin without a run holds nothing: that is a gap and no zero.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from monitor.core.expectation import Outcome, Result, is_slow
from monitor.core.history import bucket_of, percentile
from monitor.core.observation import PHASES
from monitor.core.track import is_bad, is_usable

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Bin:
    """Runs of a stretch of time. `runs` counts those that say something about the module; what we could not tell counts
    nowhere.

    `seconds` and `buckets` (index of `core.history.bucket_of` → runs) cover the runs that were answered, slowly or
    not: how long a failure took says nothing about latency. `phases` are the seconds that `timed` of these spent in
    each; of the others that is not known.
    """

    runs: int = 0
    failed: int = 0
    slow: int = 0
    seconds: float = 0.0
    buckets: Mapping[int, int] = field(default_factory=dict)
    timed: int = 0
    phases: Mapping[str, float] = field(default_factory=dict)

    def add(self, result: Result, duration: float, phases: Mapping[str, float]) -> "Bin":
        """The bin with one more judged run of this many seconds."""
        if not is_usable(result):
            return self
        runs, failed, slow = self.runs + 1, self.failed + is_bad(result), self.slow + is_slow(result)
        if result.outcome not in (Outcome.PASSED, Outcome.SLOW):
            return Bin(runs, failed, slow, self.seconds, self.buckets, self.timed, self.phases)
        bucket = bucket_of(duration * 1000)
        buckets = {**self.buckets, bucket: self.buckets.get(bucket, 0) + 1}
        known = {name: self.phases.get(name, 0.0) + phases.get(name, 0.0) for name in PHASES if name in phases}
        timed = self.timed + bool(known)
        return Bin(runs, failed, slow, self.seconds + duration, buckets, timed, {**self.phases, **known})

    def merge(self, other: "Bin") -> "Bin":
        """Everything that both have counted."""
        return merged((self, other))

    def percentile_ms(self, share: float) -> float | None:
        """The milliseconds below which a share of the answered runs lies; None when none was answered."""
        return percentile(self.buckets, share)

    def phase_ms(self, name: str) -> float | None:
        """The mean milliseconds in a phase, a run that did not need it counted as 0; None where that is not known."""
        return self.phases.get(name, 0.0) / self.timed * 1000 if self.timed else None


def merged(bins: Iterable[Bin]) -> Bin:
    """Everything that was counted. Of hours there are tens of thousands, so each is looked at once."""
    several = tuple(bins)
    buckets: dict[int, int] = {}
    phases: dict[str, float] = {}
    for one in several:
        for index, count in one.buckets.items():
            buckets[index] = buckets.get(index, 0) + count
        for name, seconds in one.phases.items():
            phases[name] = phases.get(name, 0.0) + seconds
    return Bin(
        sum(one.runs for one in several),
        sum(one.failed for one in several),
        sum(one.slow for one in several),
        sum(one.seconds for one in several),
        buckets,
        sum(one.timed for one in several),
        phases,
    )


# -- the bins of a window ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """A length of time that people look at, and how long its bins may be, the finest first."""

    name: str
    length: timedelta
    steps: tuple[timedelta, ...]


def _minutes(*steps: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=step) for step in steps)


WINDOWS: dict[str, Window] = {
    one.name: one
    for one in (
        Window("1h", HOUR, _minutes(1, 2, 5, 15, 60)),
        Window("24h", timedelta(hours=24), _minutes(10, 30, 60)),
        Window("7d", timedelta(days=7), _minutes(60, 360)),
        Window("90d", timedelta(days=90), _minutes(360, 1440)),
    )
}


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins of equal length from `since` up to `until`, which lies in the last of them or at its end."""

    since: datetime
    until: datetime
    step: timedelta

    @property
    def times(self) -> list[datetime]:
        """When each bin begins."""
        return [self.since + n * self.step for n in range(-((self.since - self.until) // self.step))]

    @property
    def from_runs(self) -> bool:
        """Whether these bins are finer than the hours that are kept, so that single runs have to be counted."""
        return self.step < HOUR

    def bin_of(self, moment: datetime) -> datetime:
        """The start of the bin that a moment lies in."""
        return self.since + (moment - self.since) // self.step * self.step


def grid_of(window: Window, now: datetime, interval: timedelta, runs_kept: timedelta) -> Grid:
    """The bins of a window that ends now: as fine as it has them, but no finer than the interval of the probes, for
    most bins would hold no run; and no finer than an hour where single runs are not kept for so long.

    Bins begin at round times, so the same bin looks the same a minute later, and the first one may begin a little
    before the window.
    """
    possible = [step for step in window.steps if step >= HOUR or window.length <= runs_kept]
    step = next((step for step in possible if step >= interval), possible[-1])
    begins = now - window.length
    return Grid(begins - (begins - EPOCH) % step, now, step)


# -- everything together ----------------------------------------------------------------------------------------------

Bins = Mapping[datetime, Bin]  # by the start of each


@dataclass(frozen=True, slots=True)
class Column:
    """What some runs looked like: a value for each bin of the grid, None where there was no run."""

    bins: tuple[Bin | None, ...]

    def of(self, figure: Callable[[Bin], float | None]) -> list[float | None]:
        """A figure of each bin."""
        return [None if one is None else figure(one) for one in self.bins]

    def percentile_ms(self, share: float) -> list[float | None]:
        """A percentile of each bin."""
        return self.of(lambda one: one.percentile_ms(share))

    def phase_ms(self, name: str) -> list[float | None]:
        """The mean time in a phase of each bin."""
        return self.of(lambda one: one.phase_ms(name))

    @property
    def whole(self) -> Bin:
        """All bins as one."""
        return merged(one for one in self.bins if one is not None)


def column(several: Collection[Bins], times: Sequence[datetime]) -> Column:
    """Several bins of the same time as one."""
    found: list[Bin | None] = []
    for at in times:
        here = [bins[at] for bins in several if at in bins]
        found.append(here[0] if len(here) == 1 else merged(here) if here else None)
    return Column(tuple(one if one is not None and one.runs else None for one in found))


def by_place(counted: Mapping[tuple[str, str], Bins], places: Iterable[str], grid: Grid) -> dict[str, Column]:
    """A column for each place, from bins by (probe, location)."""
    times = grid.times
    return {
        place: column([bins for (_, location), bins in counted.items() if location == place], times) for place in places
    }


def together(columns: Collection[Column]) -> Column:
    """Columns of the same grid as one."""
    rows = zip(*(one.bins for one in columns), strict=True)
    found = ([one for one in row if one is not None] for row in rows)
    return Column(tuple(here[0] if len(here) == 1 else merged(here) if here else None for here in found))
