"""Rounds: who is asked when. A fixed grid on the monotonic clock, one task per run, nobody waits for anybody.

One heap holds the next due time of every probe. A run that is still under way when its probe is due again is not
doubled: that point of the grid is skipped and counted. So are those that a probe waits through for a seat, when more
is due than can be under way. What was due while the process stood still is not made up for all at once: each probe is
asked once more, spread as they always are.
"""

import asyncio
import heapq
import logging
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from typing import NamedTuple

from monitor.clock import Clock
from monitor.core.observation import Observation
from monitor.core.probe import Probe, next_due, phase_of
from monitor.probers.seats import Seats, most_runs

log = logging.getLogger(__name__)

Key = tuple[str, str]
Look = Callable[[Probe, datetime, bool], Awaitable[Observation]]

SOFT_LIMIT = 3.0  # seconds after which a run that has no answer yet raises doubt
FIRST_ROUND = 4.0  # seconds in which every new probe has its first run
HAIR = 0.001  # seconds within which two points of a grid are one
IDLE = 1.0  # seconds between looks while nothing can begin
LEAP = 2.0  # seconds by which the walk must come too late to have stood still, instead of being busy
MADE_UP = 60.0  # seconds in which a rare probe is asked that was due meanwhile
MADE_UP_EXTRA = 10.0  # … and extra runs
BURST = 8  # runs begun together: one wake of the process for all of them, and none waits long behind the others
LONGEST_TICK = 0.05  # seconds by which a point of a grid moves at most to be one of them


class Due(NamedTuple):
    """An entry of the heap: when, what, whether it is an extra run, under which plan it was entered, and whether it was
    put off once."""

    at: float
    order: int
    key: Key
    extra: bool
    plan: int
    put_off: bool = False


class Rounds:
    """Walks the probes of one location. `look(probe, scheduled_at, extra)` asks once; `hand_in` takes what it saw.

    `delayed` is told how many seconds late each run began, `skipped` which probe was still busy when due,
    `left_out` how many points of its grid one waited through for a seat, `lagging` which one has waited for its answer
    past the soft limit.
    """

    def __init__(
        self,
        look: Look,
        hand_in: Callable[[Observation], None],
        clock: Clock,
        location: str = "here",
        delayed: Callable[[float], None] = lambda seconds: None,
        skipped: Callable[[Key], None] = lambda key: None,
        left_out: Callable[[Key, int], None] = lambda key, points: None,
        lagging: Callable[[Key], None] = lambda key: None,
    ) -> None:
        self._look = look
        self._hand_in = hand_in
        self._clock = clock
        self._location = location
        self._delayed = delayed
        self._skipped = skipped
        self._left_out = left_out
        self._lagging = lagging
        self.seats = Seats(most_runs())
        self._probes: dict[Key, Probe] = {}
        self._heap: list[Due] = []
        self._order = count()
        self._plan = 0
        self._tick = 0.0
        self._epoch = 0.0  # what the wall clock shows when the monotonic one shows nothing
        self._changed = asyncio.Event()
        self._held: dict[Key, float] = {}
        self._under_way: dict[Key, asyncio.Task[None]] = {}

    def plan(self, probes: Mapping[Key, Probe]) -> None:
        """Goes on with these probes: the known ones keep their grid and what they wait for, new ones have their first
        run soon."""
        asked = {k: p for k, p in probes.items() if p.off is None and self._location in p.locations}
        now = self._clock.monotonic()
        waiting = {due.key: due.at for due in self._heap if not due.extra and due.plan == self._plan}
        self._plan += 1
        self._tick = tick_of(asked.values())
        self._epoch = self._clock.now().timestamp() - now
        self._heap = [e for e in self._heap if e.extra and e.key in asked]
        for key, probe in asked.items():
            known = self._probes.get(key)
            is_known = known is not None and known.interval == probe.interval
            if is_known:
                due = min(self._next(probe, now), waiting.get(key, math.inf))
            else:
                soon = min(FIRST_ROUND, probe.interval.total_seconds())
                due = now + phase_of(probe, self._location) * soon
            # A first run is never put off: whoever waits for a first word has waited through our own start already.
            self._heap.append(Due(due, next(self._order), key, False, self._plan, put_off=not is_known))
        heapq.heapify(self._heap)
        self._probes = asked
        self._changed.set()

    def ask(self, key: Key, after: float) -> None:
        """One more run of a probe, `after` seconds from now."""
        if key in self._probes:
            at = self._clock.monotonic() + after
            heapq.heappush(self._heap, Due(at, next(self._order), key, True, self._plan))
            self._changed.set()

    def hold(self, key: Key, seconds: float) -> None:
        """No run of a probe for so many seconds."""
        self._held[key] = self._clock.monotonic() + seconds

    def is_held(self, key: Key) -> bool:
        """Whether no run of a probe may be made now."""
        return self._held.get(key, 0.0) > self._clock.monotonic()

    def behind(self) -> float:
        """How many seconds the run that has waited the longest for a seat is late by now."""
        return max(0.0, self._clock.monotonic() - self._heap[0].at) if self._heap else 0.0

    async def walk(self) -> None:
        """Starts every run when it is due, until cancelled; runs under way are cancelled with it."""
        wakes: float | None = None
        try:
            while True:
                self._changed.clear()
                now = self._clock.monotonic()
                if wakes is not None and now - wakes > LEAP:
                    self._spread(now)
                for _ in range(BURST):  # a whole crowd in one beat of the event loop would hold up everybody
                    if self._heap and self._heap[0].at <= now and self.seats.is_free():
                        self._start(heapq.heappop(self._heap), now)
                due = self._heap[0].at if self._heap else now + IDLE
                wakes = max(due, now) if self.seats.is_free() else now + IDLE  # who leaves a seat wakes it
                with suppress(TimeoutError):
                    async with asyncio.timeout(wakes - now):  # `wait_for` of 3.11 can lose a cancellation here
                        await self._changed.wait()
        finally:
            for task in self._under_way.values():
                task.cancel()
            await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    def _start(self, due: Due, now: float) -> None:
        probe = self._probes.get(due.key)
        if probe is None or (not due.extra and due.plan != self._plan):
            return
        if not due.extra:
            if passed := int((now - due.at) / probe.interval.total_seconds()):
                self._left_out(due.key, passed)
            following = self._next(probe, max(now, due.at + HAIR))
            heapq.heappush(self._heap, Due(following, next(self._order), due.key, False, self._plan))
        self._delayed(now - due.at)
        if due.key in self._under_way:
            self._skipped(due.key)
            return
        if self._held.get(due.key, now) > now:
            return
        self._held.pop(due.key, None)
        scheduled_at = self._clock.now() - timedelta(seconds=now - due.at)
        task = asyncio.create_task(self._run(probe, scheduled_at, due.extra), name=f"probe {'/'.join(due.key)}")
        self._under_way[due.key] = task
        self.seats.taken += 1
        task.add_done_callback(lambda _: self._leave(due.key))

    def _leave(self, key: Key) -> None:
        """A run is over; whoever waits for its seat may have it."""
        self._under_way.pop(key, None)
        self.seats.taken -= 1
        self.admit()

    def admit(self) -> None:
        """Lets in whoever waits, where there is a seat."""
        if self._heap and self._heap[0].at <= self._clock.monotonic() and self.seats.is_free():
            self._changed.set()

    def _spread(self, now: float) -> None:
        """What was due while this process stood still is asked once, each probe in its own place of the time to come:
        frequent ones at the next point of their grid, rare ones within a minute, extra runs within seconds. What was
        put off before is not put off again, or a process that stands still all the time would ask nobody."""
        moved, count = [], 0
        for due in self._heap:
            probe = self._probes.get(due.key)
            if due.at <= now and probe is not None and not due.put_off:
                interval, count = probe.interval.total_seconds(), count + 1
                soon = MADE_UP_EXTRA if due.extra else MADE_UP
                if due.extra or interval > soon:
                    at = now + phase_of(probe, self._location) * soon
                else:
                    at = self._next(probe, now)
                due = due._replace(at=at, put_off=True)
            moved.append(due)
        heapq.heapify(moved)
        self._heap = moved
        if count:
            log.warning("%d probes were due while this process stood still: each is asked once", count)

    def _next(self, probe: Probe, after: float) -> float:
        """The next point of the grid, which all locations share though their monotonic clocks do not agree."""
        shift = self._epoch % probe.interval.total_seconds()
        due = next_due(probe, self._location, after + shift) - shift
        return ceil(due / self._tick) * self._tick if self._tick else due

    async def _run(self, probe: Probe, scheduled_at: datetime, extra: bool) -> None:
        if len(probe.locations) == 1:  # nobody else could be asked meanwhile
            self._hand_in(await self._look(probe, scheduled_at, extra))
            return
        doubtful = asyncio.get_running_loop().call_later(SOFT_LIMIT, self._lagging, probe.key)
        try:
            self._hand_in(await self._look(probe, scheduled_at, extra))
        finally:
            doubtful.cancel()


def tick_of(probes: Iterable[Probe]) -> float:
    """Seconds between bursts; 0 where so few are due that each begins by itself."""
    rate = sum(1 / probe.interval.total_seconds() for probe in probes)
    return min(LONGEST_TICK, BURST / rate) if rate * LONGEST_TICK > 1 else 0.0
