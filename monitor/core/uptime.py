"""Uptime: interval arithmetic over stored transitions, never counts of runs.

Page, badge, both APIs, metrics and reports all read these functions, so one figure has one source.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from operator import itemgetter

from monitor.core.detector import Transition
from monitor.core.module import Status
from monitor.core.weights import USUAL, Weights

END = datetime.max.replace(tzinfo=UTC)  # until when a status lasts that has not changed yet


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of time in one status; `until` is exclusive."""

    status: Status
    since: datetime
    until: datetime
    share: float | None = None  # of it that is lost, where that is not all of a down time and nothing of any other

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until - self.since).total_seconds()

    @property
    def lost(self) -> float:
        """The part of it that counts as lost, 0 to 1."""
        if self.share is not None:
            return self.share
        return 1.0 if self.status is Status.DOWN else 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """How the time of a window was spent. Windows that follow each other add up, and so do lines of several things.

    `shares` is the time that counts as lost, by how much of it does: kept apart, so that a sum of windows is to the
    microsecond what the whole of them is.
    """

    up: timedelta
    degraded: timedelta
    down: timedelta
    unknown: timedelta
    excluded: timedelta
    shares: Mapping[float, timedelta]

    @property
    def known(self) -> timedelta:
        """The time in which the status was known."""
        return self.up + self.degraded + self.down

    @property
    def lost(self) -> timedelta:
        """The time that counts as lost."""
        return sum((share * inside for share, inside in self.shares.items()), _NOTHING)

    def __add__(self, other: "Spent") -> "Spent":
        shares = dict(self.shares)
        for share, inside in other.shares.items():
            shares[share] = shares.get(share, _NOTHING) + inside
        return Spent(
            self.up + other.up,
            self.degraded + other.degraded,
            self.down + other.down,
            self.unknown + other.unknown,
            self.excluded + other.excluded,
            shares,
        )


@dataclass(frozen=True, slots=True)
class Uptime:
    """Availability over a window.

    `ratio` is 1 − lost time ÷ known time, None when nothing was known. Lost is down time, and of other bad time what
    the weights say. `coverage` is the share of the window (without excluded time) in which the status was known.
    """

    ratio: float | None
    coverage: float
    down_seconds: float
    degraded_seconds: float
    excluded_seconds: float
    lost_seconds: float = 0.0
    known_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Day:
    """One calendar day of a module or a component: the worst status known and how long it was not well.

    Planned work is cut out of it and only told by its length; `coverage` is the share of what has passed of the rest in
    which the status was known.
    """

    date: date
    status: Status
    down_seconds: float
    degraded_seconds: float
    coverage: float
    excluded_seconds: float = 0.0


def spans(transitions: Sequence[Transition], start: datetime, end: datetime) -> list[Span]:
    """The whole window cut into spans; before the first transition the status is unknown.

    `transitions` are those of one module in order of decision. A transition dated before an earlier one wins from its
    own date on: what was decided later was known better.
    """
    edges: list[tuple[datetime, Status]] = []
    for transition in transitions:
        while edges and edges[-1][0] >= transition.since:
            edges.pop()
        edges.append((transition.since, transition.after))
    edges.append((end, Status.UNKNOWN))
    found: list[Span] = []
    current, at = Status.UNKNOWN, start
    for since, status in edges:
        until = since if since < end else end
        if until > at:
            if found and found[-1].status is current:
                found[-1] = Span(current, found[-1].since, until)
            else:
                found.append(Span(current, at, until))
            at = until
        current = status
    return found


def without(cut: Sequence[Span], excluded: Iterable[tuple[datetime, datetime]]) -> list[Span]:
    """The spans with stretches of planned work cut out of them; `excluded` may overlap and stand in any order."""
    gaps = sorted(excluded)
    pieces: list[Span] = []
    first = 0
    for span in cut:
        at = span.since
        while first < len(gaps) and gaps[first][1] <= at:
            first += 1
        for since, until in gaps[first:]:
            if since >= span.until or at >= span.until:
                break
            if since > at:
                pieces.append(Span(span.status, at, since, span.share))
            at = max(at, until)
        if at < span.until:
            pieces.append(Span(span.status, at, span.until, span.share))
    return pieces


def uptime(cut: Sequence[Span], start: datetime, end: datetime) -> Uptime:
    """The figure for a window, from its spans in order of time. What no span covers is excluded."""
    return figure(spent(cut, start, end))


def stays(cut: Sequence[Span], start: datetime, end: datetime) -> timedelta:
    """How long a window may move on before its figure can become another one: as long as what comes in at its end is
    the same as what goes out at its start. `cut` reaches beyond the window."""
    first = next((span for span in cut if span.until > start), None)
    last = next((span for span in reversed(cut) if span.since <= end), None)
    if first is None or last is None or first.since > start or last.until <= end:
        return _NOTHING
    if (first.status, first.share) != (last.status, last.share):
        return _NOTHING
    return min(first.until - start, last.until - end)


def spent(cut: Sequence[Span], start: datetime, end: datetime) -> Spent:
    """How a window was spent, added up exactly, so that a figure moves only when there is a reason, and not in its last
    digit by itself."""
    length = dict(_NO_TIME)
    shares: dict[float, timedelta] = {}
    for span in reversed(cut):
        since, until = span.since, span.until
        if until <= start:
            break
        whole = start <= since and until <= end
        inside = until - since if whole else _overlap(start, end, since, until)
        length[span.status] += inside
        if span.share is not None:
            shares[span.share] = shares.get(span.share, _NOTHING) + inside
        elif span.status is Status.DOWN:
            shares[1.0] = shares.get(1.0, _NOTHING) + inside
    return Spent(
        up=length[Status.UP],
        degraded=length[Status.DEGRADED],
        down=length[Status.DOWN],
        unknown=length[Status.UNKNOWN],
        excluded=end - start - sum(length.values(), _NOTHING),
        shares={share: inside for share, inside in shares.items() if share and inside},
    )


def together(cuts: Iterable[Sequence[Span]], start: datetime, end: datetime) -> Spent:
    """How a window was spent on several lines."""
    return sum((spent(cut, start, end) for cut in cuts), _NOTHING_SPENT)


def figure(time: Spent) -> Uptime:
    """The figure of time that was spent so."""
    known, counted = time.known, time.known + time.unknown
    return Uptime(
        ratio=1 - time.lost / known if known > _NOTHING else None,
        coverage=known / counted if counted > _NOTHING else 0.0,
        down_seconds=time.down.total_seconds(),
        degraded_seconds=time.degraded.total_seconds(),
        excluded_seconds=time.excluded.total_seconds(),
        lost_seconds=time.lost.total_seconds(),
        known_seconds=known.total_seconds(),
    )


def weighed(cut: list[Span], weights: Weights) -> list[Span]:
    """The spans of a module, the degraded ones as lost as the weights say."""
    if not weights.degraded:
        return cut
    return [replace(one, share=weights.degraded) if one.status is Status.DEGRADED else one for one in cut]


def interruptions(cut: Sequence[Span], least: timedelta, end: datetime = END) -> list[Span]:
    """The stretches of down time of at least some length, however they are cut inside; planned work and time of which
    nothing is known end one. One that goes on is as long as it is by `end`."""
    found: list[Span] = []
    for span in cut:
        if span.status is not Status.DOWN:
            continue
        if found and found[-1].until == span.since:
            found[-1] = Span(Status.DOWN, found[-1].since, span.until)
        else:
            found.append(Span(Status.DOWN, span.since, span.until))
    return [one for one in found if (one.until if one.until < END else end) - one.since >= least]


def days(cut: Sequence[Span], now: datetime, count: int, zone: tzinfo = UTC) -> list[Day]:
    """The last `count` calendar days of a zone up to today, the oldest first."""
    result: list[Day] = []
    index = 0
    for day, start, end in _calendar(now.astimezone(zone).date(), count, zone):
        end = min(end, now)
        length = dict(_NO_TIME)
        while index < len(cut) and cut[index].until <= start:
            index += 1
        look = index
        while look < len(cut) and cut[look].since < end:
            length[cut[look].status] += _overlap(start, end, cut[look].since, cut[look].until)
            look += 1
        told = end - max(start, cut[0].since) if cut else _NOTHING
        result.append(_day(day, length, end - start, max(_NOTHING, told - sum(length.values(), _NOTHING))))
    return result


_NOTHING = timedelta(0)
_NO_TIME = dict.fromkeys(Status, _NOTHING)
_NOTHING_SPENT = Spent(_NOTHING, _NOTHING, _NOTHING, _NOTHING, _NOTHING, {})


@lru_cache(maxsize=8)
def _calendar(today: date, count: int, zone: tzinfo) -> tuple[tuple[date, datetime, datetime], ...]:
    """The last days of a zone with their first and last instant in UTC; every module of a publication asks for them."""
    found = []
    for back in range(count - 1, -1, -1):
        day, after = today - timedelta(days=back), today - timedelta(days=back - 1)
        start = datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
        found.append((day, start, datetime(after.year, after.month, after.day, tzinfo=zone).astimezone(UTC)))
    return tuple(found)


@lru_cache(maxsize=8192)
def _same(day: Day) -> Day:
    """Equal days are one object: most days of most modules are alike, and pages and reports keep hundreds of each."""
    return day


def _day(day: date, length: dict[Status, timedelta], passed: timedelta, excluded: timedelta) -> Day:
    down, degraded = length[Status.DOWN], length[Status.DEGRADED]
    known, counted = length[Status.UP] + degraded + down, passed - excluded
    order = (Status.DOWN, Status.DEGRADED, Status.UP)
    worst = next((status for status in order if length[status] > _NOTHING), Status.UNKNOWN)
    coverage = known / counted if counted > _NOTHING else 0.0
    return _same(Day(day, worst, down.total_seconds(), degraded.total_seconds(), coverage, excluded.total_seconds()))


def merge(cuts: Sequence[Sequence[Span]], weights: Weights = USUAL) -> list[Span]:
    """Spans of several modules seen as one: the worst status known at each moment (worst-of roll-up).

    What is cut out of one says nothing there; what is cut out of all of them is cut out of the whole. Where some are
    down and others are not, and where none is worse than degraded, as much is lost as the weights say.
    """
    moves = sorted(((at, which, to) for which, cut in enumerate(cuts) for at, to in _moves(cut)), key=itemgetter(0))
    seen: list[Status | None] = [None] * len(cuts)
    count: dict[Status | None, int] = {None: len(cuts), **dict.fromkeys(Status, 0)}
    merged: list[Span] = []
    since: datetime | None = None
    for until, which, to in moves:
        status = next((one for one in _WORST_FIRST if count[one]), None)
        if since is not None and until > since and status is not None:
            standing = bool(count[Status.UP] or count[Status.DEGRADED])  # one that is known is not down
            share = _share(status, standing, weights)
            last = merged[-1] if merged else None
            if last is not None and last.until == since and last.status is status and last.share == share:
                merged[-1] = Span(status, last.since, until, share)
            else:
                merged.append(Span(status, since, until, share))
        count[seen[which]] -= 1
        count[to] += 1
        seen[which], since = to, until
    return merged


_WORST_FIRST = (Status.DOWN, Status.DEGRADED, Status.UP, Status.UNKNOWN)


def _moves(cut: Sequence[Span]) -> Iterable[tuple[datetime, Status | None]]:
    """When a line changes, and to what; None where it is cut out."""
    end = None
    for span in cut:
        if end is not None and end < span.since:
            yield end, None
        yield span.since, span.status
        end = span.until
    if end is not None:
        yield end, None


def _share(worst: Status, standing: bool, weights: Weights) -> float | None:
    """What is lost of a moment at which this is the worst status; None: as usual."""
    if worst is Status.DOWN and standing and weights.partial != USUAL.partial:
        return max(weights.partial, weights.degraded)  # nothing gets better by going down
    if worst is Status.DEGRADED and weights.degraded:
        return weights.degraded
    return None


def _overlap(start: datetime, end: datetime, since: datetime, until: datetime) -> timedelta:
    return max(_NOTHING, min(end, until) - max(start, since))
