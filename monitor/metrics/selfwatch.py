"""Selfwatch: how late the event loop is, which is how late everything else may be.

A call that blocks the loop delays every probe and looks like a slow target; this figure tells the two apart.
"""

import asyncio
from collections import deque
from collections.abc import Callable

EVERY = 0.5  # seconds
REMEMBERED = 60  # measurements: half a minute, so that no scrape misses a peak


async def watch_loop(report: Callable[[float], None], every: float = EVERY) -> None:
    """Reports for ever by how many seconds a short sleep came back late."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + every
        await asyncio.sleep(every)
        report(max(0.0, loop.time() - due))


class Peak:
    """The largest of the last measurements."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=REMEMBERED)

    def add(self, seconds: float) -> None:
        """One more measurement."""
        self._last.append(seconds)

    def __call__(self) -> float:
        return max(tuple(self._last), default=0.0)
