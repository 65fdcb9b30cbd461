"""Pulse: whether this process itself was awake. A stall, a suspended machine or a clock that was set look like trouble
of everybody else, unless one keeps an eye on oneself.

A short sleep that comes back late is a stall of the event loop. Sleeps do not count the time a machine is suspended
(CLOCK_BOOTTIME does), and the clock on the wall can be set: both show as a sudden difference to the monotonic clock.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

log = logging.getLogger(__name__)

EVERY = 0.25  # seconds between beats
WORTH_KEEPING = 0.2  # seconds a beat must be late to be remembered
JUMP = 2.0  # seconds by which two clocks may part before it is told
REMEMBERED = 64


@dataclass(frozen=True, slots=True)
class Clocks:
    """The three clocks at one moment, in seconds."""

    monotonic: float
    boot: float
    wall: float


def read_clocks() -> Clocks:
    """What they say now."""
    boot = time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
    return Clocks(time.monotonic(), boot, time.time())


class Pulse:
    """Beats for ever. `late` is told how late each beat came; `missed(code, seconds, shift)` that this long
    went by unseen, and by how many seconds the clock was set."""

    def __init__(
        self,
        late: Callable[[float], None] = lambda seconds: None,
        missed: Callable[[str, float, float], None] = lambda code, seconds, shift: None,
        clocks: Callable[[], Clocks] = read_clocks,
    ) -> None:
        self._late = late
        self._missed = missed
        self._clocks = clocks
        self._stalls: deque[tuple[float, float]] = deque(maxlen=REMEMBERED)
        self._due = clocks().monotonic + EVERY
        self._last = clocks()

    async def beat(self) -> None:
        """Runs until cancelled."""
        while True:
            self._due = self._clocks().monotonic + EVERY
            await asyncio.sleep(EVERY)
            self.look()

    def look(self) -> None:
        """One beat: how late it is, and whether the clocks have parted since the last one."""
        now, before = self._clocks(), self._last
        self._last = now
        late = max(0.0, now.monotonic - self._due)
        self._late(late)
        if late >= WORTH_KEEPING:
            self._stalls.append((self._due, now.monotonic))
        awake = now.monotonic - before.monotonic
        asleep = (now.boot - before.boot) - awake
        stepped = (now.wall - before.wall) - awake - max(asleep, 0.0)
        shift = stepped if abs(stepped) > JUMP else 0.0
        if shift:
            log.warning("the clock of this machine was set by %+.1f s", shift)
        if asleep > JUMP:  # whose clock may have been set meanwhile, or as it woke up
            log.warning("this machine was suspended for %.0f s", asleep)
            self._missed("self.stall", asleep + awake, shift)
        elif shift:
            self._missed("self.clock", awake, shift)
        if shift or asleep > JUMP:
            self._stalls.append((before.monotonic, now.monotonic))

    def stalled(self, since: float, until: float) -> float:
        """The longest stall, in seconds, that a run between these two moments of the monotonic clock met.

        One that has not been noticed yet, because the run is over before the next beat, counts as well.
        """
        stalls = [*self._stalls, (self._due, until)]
        return max(0.0, *(min(until, end) - max(since, start) for start, end in stalls))
