"""Budget: how much of the time that an objective allows to be lost is lost, and how fast it goes.

Everything comes from the spans of `core.uptime`, and so from confirmed changes of status; degraded time is good time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.core.series import Grid
from monitor.core.uptime import Span, Uptime, figure, together, uptime

PERIOD = timedelta(days=30)  # that an objective is about
LONGEST = timedelta(days=91)  # that spans are asked for: every window, and the first bin of the longest
BURNS = {"1h": timedelta(hours=1), "6h": timedelta(hours=6), "3d": timedelta(days=3)}


@dataclass(frozen=True, slots=True)
class Budget:
    """The error budget of an objective over the last 30 days, planned work left out.

    `burn` by the length of time it is measured over: 1 is the speed at which all of the budget lasts exactly 30 days;
    None where nothing is known of that time, or nothing may be lost at all. `exhausted_at` is when it will be spent if
    things go on as over the longest of these, old losses leaving the 30 days meanwhile; the present moment where it is
    spent already, None where it lasts for 30 days.
    """

    objective: float
    allowed_seconds: float
    spent_seconds: float
    burn: Mapping[str, float | None]
    exhausted_at: datetime | None = None

    @property
    def left_seconds(self) -> float:
        """What may still be lost; below 0 when it is overspent."""
        return self.allowed_seconds - self.spent_seconds

    @property
    def left_ratio(self) -> float | None:
        """What is left as a share of all of it, below 0 when it is overspent; None when nothing may be lost at all."""
        return self.left_seconds / self.allowed_seconds if self.allowed_seconds > 0 else None


def budget(cut: Sequence[Span], now: datetime, objective: float) -> Budget:
    """The budget of a module from its spans, which reach back 30 days or to the first thing known of it."""
    return budget_of([cut], now, objective)


def budget_of(lines: Sequence[Sequence[Span]], now: datetime, objective: float) -> Budget:
    """The budget of several lines together, as those of a group or of the platform."""
    whole = figure(together(lines, now - PERIOD, now))
    counted = PERIOD.total_seconds() * len(lines) - whole.excluded_seconds
    allowed = max(0.0, (1 - objective) * counted)
    lately = {name: figure(together(lines, now - length, now)) for name, length in BURNS.items()}
    return Budget(
        objective=objective,
        allowed_seconds=allowed,
        spent_seconds=whole.lost_seconds,
        burn={name: burn(one, objective) for name, one in lately.items()},
        exhausted_at=_exhausted(lines, now, allowed, whole.lost_seconds, lately["3d"].lost_seconds),
    )


def _exhausted(
    lines: Sequence[Sequence[Span]], now: datetime, allowed: float, spent: float, lately: float
) -> datetime | None:
    """When spent time reaches what is allowed: what was lost lately comes in evenly, what was lost long ago goes out
    span by span, so that the sum is straight between the edges of these."""
    if spent > 0 and spent >= allowed:
        return now
    rate = lately / BURNS["3d"].total_seconds()
    if rate <= 0:
        return None
    leaving: dict[float, float] = {0.0: 0.0, PERIOD.total_seconds(): 0.0}  # change of speed at which losses leave
    for span in (one for cut in lines for one in cut if one.lost and one.until > now - PERIOD and one.since < now):
        begin, end = ((max(now - PERIOD, min(one, now)) - now + PERIOD) for one in (span.since, span.until))
        for edge, change in ((begin.total_seconds(), span.lost), (end.total_seconds(), -span.lost)):
            leaving[edge] = leaving.get(edge, 0.0) + change
    edges, speed = sorted(leaving), rate
    for at, after in pairwise(edges):
        speed -= leaving[at]
        reached = spent + speed * (after - at)
        if speed > 0 and reached >= allowed:
            return now + timedelta(seconds=at + max(0.0, allowed - spent) / speed)
        spent = reached
    return None


def burn(lately: Uptime, objective: float) -> float | None:
    """How many times faster than it may the budget goes; None where that cannot be said."""
    if lately.ratio is None or objective >= 1:
        return None
    return (1 - lately.ratio) / (1 - objective)


def by_bin(cut: Sequence[Span], grid: Grid) -> list[Uptime]:
    """The availability of each bin, by the function that gives every other figure. Spans stand in order of time."""
    found: list[Uptime] = []
    first = 0
    for start in grid.times:
        end = min(start + grid.step, grid.until)
        while first < len(cut) and cut[first].until <= start:
            first += 1
        last = first
        while last < len(cut) and cut[last].since < end:
            last += 1
        found.append(uptime(cut[first:last], start, end))
    return found
