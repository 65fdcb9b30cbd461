"""Ingest: what agents saw comes to the desk, each of it once and in the order in which it was seen.

The desk is the same for all: a batch becomes one event after another, and how far an agent has come (`Marked`) is
stored together with the last of them. Only then is the batch acknowledged; whatever is not comes again. What two
agents of a place asked at one time is taken from the first of them.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence, Sized
from dataclasses import replace
from datetime import timedelta
from typing import Protocol

from monitor.clock import Clock
from monitor.core.board import Board
from monitor.core.effect import Event, Marked, Observed, Storable
from monitor.core.observation import Observation
from monitor.places.tenure import Tenures
from monitor.places.wire import Acknowledged, Batch, Doubt, Item

log = logging.getLogger(__name__)

ROOM = 1000  # steps that may wait for the store: what comes after them waits at its place
TURN = 20  # items after which the event loop is left to others
AGAIN = 1.0  # seconds between two looks at whether there is room, or whether the store takes writes again
DOUBTFUL = timedelta(seconds=5)  # after which it says nothing any more that a run had no answer yet

Key = tuple[str, str, str]  # location, agent, epoch of its outbox


class Desk(Protocol):
    """What is needed of the desk."""

    @property
    def board(self) -> Board:
        """The newest."""
        ...

    @property
    def backlog(self) -> Sized:
        """What waits for the store; its length is how many steps."""
        ...

    def receive(self, event: Event | None, also: Sequence[Storable] = ()) -> None:
        """Takes an event, with more to be stored together with what follows from it; None: only that."""
        ...

    async def stored(self, hurry: bool = True) -> bool:
        """Waits until everything decided so far is stored; False as soon as the store refuses it."""
        ...


class Ingest:
    """`marks` is how far agents have come, as it is stored. `acknowledge` tells an agent of a location; `seen` hears of
    each run as it comes."""

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        marks: Mapping[Key, int],
        acknowledge: Callable[[str, Acknowledged], Awaitable[None]],
        seen: Callable[[Observation], None] = lambda observation: None,
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._stored = dict(marks)
        self._taken = dict(marks)  # the same, or further: what waits for the store
        self._acknowledge = acknowledge
        self._seen = seen
        self.batches: Counter[str] = Counter()  # that were taken, by location
        self.items: Counter[str] = Counter()  # … and what was in them
        self.repeated: Counter[str] = Counter()  # items that had come before, or that another agent saw as well
        self._tenures = Tenures()
        for location, agent, _ in marks:
            self._tenures.met(location, agent)

    async def take(self, location: str, batch: Batch) -> bool:
        """Hands to the desk what is new in a batch. False, and nothing of it is taken, where an earlier one is missing:
        the agent sends both again."""
        key = (location, batch.agent, batch.epoch)
        through = self._taken.get(key, 0)
        if batch.first > max(through + 1, batch.kept):
            about = {"location": location, "agent": batch.agent}
            log.info("%d of %s is missing: what follows waits", through + 1, batch.agent, extra={"about": about})
            return False
        fresh = batch.items[max(0, through + 1 - batch.first) :]
        self._tenures.met(location, batch.agent)
        self.batches[location] += 1
        self.items[location] += len(fresh)
        self.repeated[location] += len(batch.items) - len(fresh)
        for begin in range(0, len(fresh), TURN):
            while len(self._desk.backlog) > ROOM:  # noqa: ASYNC110  # the desk tells nobody when it shrinks
                await asyncio.sleep(AGAIN / 10)
            for number, item in enumerate(fresh[begin : begin + TURN], begin + 1):
                whole = number == len(fresh)
                mark: list[Storable] = [Marked(*key, batch.last, self._clock.now())] if whole else []
                if self._is_taken(batch.agent, item):
                    self.repeated[location] += 1
                    self._desk.receive(None, mark)
                else:
                    self._hand_over(item, mark)
            await asyncio.sleep(0)
        self._taken[key] = max(through, batch.last)
        return True

    def _is_taken(self, agent: str, item: Item) -> bool:
        """Whether another agent of that place saw the same."""
        if not isinstance(item, Observation) or item.module is None or not self._tenures.are_needed(item.location):
            return False
        probe = self._desk.board.platform.probes.get((item.module, item.probe))
        return probe is not None and self._tenures.is_taken(item.location, agent, probe, item.scheduled_at)

    def _hand_over(self, item: Item, mark: list[Storable]) -> None:
        match item:
            case Observation():
                self._desk.receive(Observed(item, carried=True), mark)
                self._seen(item)
            case Doubt(lagging, at) if self._clock.now() - at <= DOUBTFUL:
                self._desk.receive(lagging, mark)
            case Doubt():
                self._desk.receive(None, mark)
            case _:  # how far the clock there was set is its own affair: everything it says was corrected
                self._desk.receive(replace(item, shift=timedelta(0)), mark)

    async def settle(self, location: str, batch: Batch) -> None:
        """Acknowledges a batch that was taken, once everything of it is on disk; waits for a store that refuses."""
        key = (location, batch.agent, batch.epoch)
        while self._stored.get(key, 0) < batch.last:
            taken = self._taken.get(key, 0)
            if await self._desk.stored(hurry=False):
                self._stored[key] = max(taken, self._stored.get(key, 0))
            else:
                await asyncio.sleep(AGAIN)
        await self._acknowledge(location, Acknowledged(batch.agent, batch.epoch, self._stored[key]))
