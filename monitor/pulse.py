"""Pulse: whether this process itself was awake. A stall, a suspended machine or a clock that was set look like trouble
of everybody else, unless one keeps an eye on oneself.

A short sleep that comes back late is a stall of the event loop, or of the whole process. Sleeps do not count the time a
machine is suspended (CLOCK_BOOTTIME does), and the clock on the wall can be set: both show as a sudden difference to
the monotonic clock.
"""

import asyncio
import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from monitor.clock import Clock, SystemClock

log = logging.getLogger(__name__)

EVERY = 0.1  # seconds between beats
AT_ONCE = 0.5  # seconds for reading three clocks; took it longer, they are read again
WORTH_KEEPING = 0.02  # seconds a beat must be late to be remembered
JUMP = 2.0  # seconds by which two clocks may part, or that may go by unseen, before it is told
REMEMBERED = 1000
LATELY = 10.0  # seconds of the past that the share of lost time is about …
ONCE = 1.0  # … and what one stall counts for at most: a process that was stopped once has all its time again
STUCK = 1.0  # seconds after which what the loop is held up by goes to the log
FRAMES = 12  # of a stack, the innermost


@dataclass(frozen=True, slots=True)
class Clocks:
    """The three clocks at one moment, in seconds."""

    monotonic: float
    boot: float
    wall: float


def clocks_of(clock: Clock) -> Callable[[], Clocks]:
    """What they say now, at one moment: a process that is stopped between two of them would see one that was set."""

    def read() -> Clocks:
        while True:
            began = clock.monotonic()
            boot, wall = clock.boot(), clock.now().timestamp()
            if clock.monotonic() - began < AT_ONCE:
                return Clocks(began, boot, wall)

    return read


def queued() -> float:
    """For how many seconds since it began the calling thread could have run, and stood in line for a processor instead;
    0 where nobody tells."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class Pulse:
    """Beats for ever. `late` is told how late each beat came, and how much of that the machine had no processor for it;
    `missed(code, seconds, shift)` that this long went by unseen, and by how many seconds the clock was set. `lost` is
    the share of the last seconds in which the loop could not do what was due, 0 to 1."""

    def __init__(
        self,
        late: Callable[[float, float], None] = lambda seconds, queued: None,
        missed: Callable[[str, float, float], None] = lambda code, seconds, shift: None,
        clocks: Callable[[], Clocks] | None = None,
    ) -> None:
        self.lost = 0.0
        self._late = late
        self._missed = missed
        self._clocks = clocks or clocks_of(SystemClock())
        self._stalls: deque[tuple[float, float, float]] = deque(maxlen=REMEMBERED)  # since, until, seconds asleep
        self._last = self._clocks()
        self._due = self._last.monotonic + EVERY
        self._queued = queued()

    async def beat(self) -> None:
        """Runs until cancelled, with a thread beside it that looks what holds the loop up."""
        over = threading.Event()
        watcher = (threading.get_ident(), over)
        threading.Thread(target=self._look_on, args=watcher, name="pulse", daemon=True).start()
        self._last = self._clocks()
        try:
            while True:
                self._due = self._last.monotonic + EVERY  # what happens from the last reading on is counted
                await asyncio.sleep(EVERY)
                self.look()
        finally:
            over.set()

    def look(self) -> None:
        """One beat: how late it is, and whether the clocks have parted since the last one."""
        now, before = self._clocks(), self._last
        self._last = now
        late = max(0.0, now.monotonic - self._due)
        stood, self._queued = self._queued, queued()
        self._late(late, min(late, max(0.0, self._queued - stood)))
        awake = now.monotonic - before.monotonic
        if awake > 0:
            self.lost += (min(1.0, late / awake) - self.lost) * min(awake, ONCE) / LATELY
        asleep = max(0.0, (now.boot - before.boot) - awake)
        asleep = asleep if asleep > JUMP else 0.0
        stepped = (now.wall - before.wall) - awake - asleep
        shift = stepped if abs(stepped) > JUMP else 0.0
        if late >= WORTH_KEEPING or asleep:
            self._stalls.append((before.monotonic if asleep else self._due, now.monotonic, asleep))
        self._due = max(self._due, now.monotonic)  # what was counted is not counted again
        if shift:
            log.warning("the clock of this machine was set by %+.1f s", shift)
        if asleep:  # whose clock may have been set meanwhile, or as it woke up
            log.warning("this machine was suspended for %.0f s", asleep)
        elif late > JUMP:
            log.warning("this process stood still for %.1f s", late)
        if asleep or late > JUMP:
            self._missed("self.stall", asleep + awake, shift)
        elif shift:
            self._missed("self.clock", awake, shift)

    def stalled(self, since: float, until: float) -> float:
        """How many seconds a run between these two moments of the monotonic clock lost to us, all stalls together.

        One that has not been noticed yet, because the run is over before the next beat, counts as well.
        """
        lost = max(0.0, until - max(since, self._due))
        for start, end, asleep in reversed(self._stalls):
            if end <= since:
                break
            if start < until:
                lost += min(until, end) - max(since, start) + asleep
        return lost

    def _look_on(self, thread: int, over: threading.Event) -> None:
        """Tells the log what a loop that stands still is busy with; not when the whole process stood still."""
        told, woke = None, time.monotonic()
        while not over.wait(EVERY):
            before, woke, due = woke, time.monotonic(), self._due
            stuck = self._clocks().monotonic - due
            if due == told or stuck < STUCK or woke - before > EVERY + STUCK / 2:
                continue
            frame, told = sys._current_frames().get(thread), due
            log.warning("the event loop has stood still for %.1f s in %s", stuck, _stack(frame))


def _stack(frame: FrameType | None) -> str:
    """Where a thread is, the innermost call first, on one line."""
    found: list[str] = []
    while frame is not None and len(found) < FRAMES:
        found.append(f"{frame.f_code.co_qualname} ({frame.f_code.co_filename}:{frame.f_lineno})")
        frame = frame.f_back
    return ", called by ".join(found)
