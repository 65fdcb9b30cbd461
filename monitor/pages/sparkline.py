"""Sparkline: the median of each hour of the last day as one thin line; hours without runs stay empty."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, HEIGHT, MARGIN = 240, 36, 3
HOURS = 24


@dataclass(frozen=True, slots=True)
class Sparkline:
    """`line` is the path, `last` its newest point; `low` and `high` are what bottom and top stand for, in ms."""

    line: str
    last: tuple[float, float]
    low: float
    high: float
    width: int = WIDTH
    height: int = HEIGHT


def draw(points: Sequence[tuple[datetime, float]]) -> Sparkline | None:
    """The line of the 24 hours up to the newest point; None when there are too few to show a course."""
    if len(points) < 2:
        return None
    end = points[-1][0]
    shown = [(at, value) for at, value in points if at > end - timedelta(hours=HOURS)]
    low, high = min(value for _, value in shown), max(value for _, value in shown)
    # A steady module draws a flat line, not its own noise blown up.
    span = max(high - low, high * 0.2, 1.0)
    line, before = "", None
    x = y = 0.0
    for at, value in shown:
        back = (end - at) / timedelta(hours=1)
        x = round(WIDTH - MARGIN - back * (WIDTH - 2 * MARGIN) / (HOURS - 1), 1)
        y = round(HEIGHT - MARGIN - (value - low) / span * (HEIGHT - 2 * MARGIN), 1)
        joined = before is not None and at - before <= timedelta(minutes=90)
        line += f"{'L' if joined else 'M'}{x:g} {y:g}"
        before = at
    return Sparkline(line, (x, y), low, high)
