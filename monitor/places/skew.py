"""Skew: by how much the clock of a place is ahead of the core's. Measured with every heartbeat that is answered.

Four moments make one measure: sent and come by the clock here, received and answered by the clock there. The one of the
least time on the way says it best. How long it was on its way is told by a clock that nobody sets.
"""

from collections import deque
from datetime import datetime, timedelta

REMEMBERED = 8  # measures
ROUNDED = 1e-5  # seconds by which moments, written to the microsecond, may miss what a clock that nobody sets says


class Skew:
    """What was measured lately. `ahead` is None as long as nothing was."""

    def __init__(self) -> None:
        self._measures: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)  # seconds on the way, seconds ahead

    @property
    def ahead(self) -> float | None:
        """Seconds that our clock is ahead; negative where it is behind."""
        return min(self._measures)[1] if self._measures else None

    def answered(self, sent_at: datetime, received_at: datetime, answered_at: datetime, elapsed: float) -> None:
        """Takes a measure: the answer came `elapsed` seconds after we sent."""
        there = (answered_at - received_at).total_seconds()
        on_the_way = elapsed - there
        if there < 0 or on_the_way < -ROUNDED:
            return  # the clock there was set meanwhile
        come_at = sent_at + timedelta(seconds=elapsed)
        ahead = ((sent_at - received_at) + (come_at - answered_at)) / 2
        self._measures.append((max(0.0, on_the_way), ahead.total_seconds()))

    def set_by(self, seconds: float) -> None:
        """Our clock was set by so many seconds."""
        self._measures = deque(((trip, ahead + seconds) for trip, ahead in self._measures), maxlen=REMEMBERED)
