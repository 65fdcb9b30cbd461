"""Rounds: who is asked when. A fixed grid on the monotonic clock, one task per run, nobody waits for anybody.

One heap holds the next due time of every probe. A run that is still under way when its probe is due again is not
doubled: that point of the grid is skipped and counted.
"""

import asyncio
import heapq
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from math import ceil
from typing import NamedTuple

from monitor.clock import Clock
from monitor.core.observation import Observation
from monitor.core.probe import Probe, next_due, phase_of

Key = tuple[str, str]
Look = Callable[[Probe, datetime, bool], Awaitable[Observation]]

SOFT_LIMIT = 3.0  # seconds after which a run that has no answer yet raises doubt
FIRST_ROUND = 4.0  # seconds in which every new probe has its first run
HAIR = 0.001  # seconds within which two points of a grid are one
BURST = 8  # runs begun together: one wake of the process for all of them, and none waits long behind the others
LONGEST_TICK = 0.05  # seconds by which a point of a grid moves at most to be one of them


class Due(NamedTuple):
    """An entry of the heap: when, what, whether it is an extra run, and under which plan it was entered."""

    at: float
    order: int
    key: Key
    extra: bool
    plan: int


class Rounds:
    """Walks the probes of one location. `look(probe, scheduled_at, extra)` asks once; `hand_in` takes what it saw.

    `delayed` is told how many seconds late each run began, `skipped` which probe was still busy when due,
    `lagging` which one has waited for its answer past the soft limit.
    """

    def __init__(
        self,
        look: Look,
        hand_in: Callable[[Observation], None],
        clock: Clock,
        location: str = "here",
        delayed: Callable[[float], None] = lambda seconds: None,
        skipped: Callable[[Key], None] = lambda key: None,
        lagging: Callable[[Key], None] = lambda key: None,
    ) -> None:
        self._look = look
        self._hand_in = hand_in
        self._clock = clock
        self._location = location
        self._delayed = delayed
        self._skipped = skipped
        self._lagging = lagging
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
        """Goes on with these probes: the known ones keep their grid, new ones have their first run soon."""
        asked = {k: p for k, p in probes.items() if p.off is None and self._location in p.locations}
        now = self._clock.monotonic()
        self._plan += 1
        self._tick = tick_of(asked.values())
        self._epoch = self._clock.now().timestamp() - now
        self._heap = [e for e in self._heap if e.extra and e.key in asked]
        for key, probe in asked.items():
            known = self._probes.get(key)
            if known is not None and known.interval == probe.interval:
                due = self._next(probe, now)
            else:
                soon = min(FIRST_ROUND, probe.interval.total_seconds())
                due = now + phase_of(probe, self._location) * soon
            self._heap.append(Due(due, next(self._order), key, False, self._plan))
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

    async def walk(self) -> None:
        """Starts every run when it is due, until cancelled; runs under way are cancelled with it."""
        try:
            while True:
                self._changed.clear()
                now = self._clock.monotonic()
                for _ in range(BURST):  # a whole crowd in one beat of the event loop would hold up everybody
                    if self._heap and self._heap[0].at <= now:
                        self._start(heapq.heappop(self._heap), now)
                pause = max(0.0, self._heap[0].at - now) if self._heap else None
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # `wait_for` of 3.11 can lose a cancellation here
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
        task.add_done_callback(lambda _: self._under_way.pop(due.key, None))

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
