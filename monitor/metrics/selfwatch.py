"""Selfwatch: how late the event loop is, which is how late everything else may be.

A call that blocks the loop delays every probe and looks like a slow target; this figure tells the two apart.
"""

from collections import deque

REMEMBERED = 120  # measurements, a quarter of a second apart: half a minute, so that no scrape misses a peak


class Peak:
    """The largest of the last measurements."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=REMEMBERED)

    def add(self, seconds: float) -> None:
        """One more measurement."""
        self._last.append(seconds)

    def __call__(self) -> float:
        return max(tuple(self._last), default=0.0)
