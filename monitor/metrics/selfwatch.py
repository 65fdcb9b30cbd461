"""Selfwatch: how late the event loop is, which is how late everything else may be.

A call that blocks the loop delays every probe and looks like a slow target; this figure tells the two apart.
"""

import time
from collections import deque
from collections.abc import Callable

REMEMBERED = 30.0  # seconds, so that no scrape misses a peak


class Peak:
    """The largest of the last measurements."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: deque[tuple[float, float]] = deque()  # when, and how much: what a later one outdid is left out

    def add(self, seconds: float) -> None:
        """One more measurement."""
        while self._last and self._last[-1][1] <= seconds:
            self._last.pop()
        now = self._now()
        self._last.append((now, seconds))
        while self._last[0][0] < now - REMEMBERED:
            self._last.popleft()

    def __call__(self) -> float:
        since = self._now() - REMEMBERED
        return max((seconds for at, seconds in tuple(self._last) if at >= since), default=0.0)
