"""Sending: from the outbox to the core, in batches, until the core says that it has them.

A broker that has a message is no core that has stored it: nothing leaves the outbox before the core has acknowledged
it. What is not acknowledged is sent again, the more rarely the longer nobody answers, so that a core that was away
finds no queue of copies.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from monitor.clock import Clock
from monitor.core.effect import Missed
from monitor.core.observation import Failure, Observation
from monitor.lasting import LinkFailed
from monitor.places import topics
from monitor.places.link import Link
from monitor.places.outbox import Kept, Outbox
from monitor.places.seal import Refused, Seal
from monitor.places.wire import Acknowledged, Batch, Doubt, Item, item_from_json, pack

log = logging.getLogger(__name__)

LINGER = 0.25  # seconds in which what is seen together goes together
UNDER_WAY = 8  # batches that are sent and not acknowledged, at most
AGAIN, MOST_AGAIN = 15.0, 300.0  # seconds without an acknowledgement after which the same is sent again
TOO_LARGE = "is too large to be told to the core"
LOOK = 1.0  # seconds between looks while nothing happens


class Sending:
    """`skew` gives the seconds our clock is ahead, None while that is not known; what was seen until then is put right
    as it is sent."""

    def __init__(
        self, outbox: Outbox, link: Link, seal: Seal, agent: str, clock: Clock, skew: Callable[[], float | None]
    ) -> None:
        self.through = outbox.first - 1  # acknowledged up to here
        self._outbox = outbox
        self._link = link
        self._seal = seal
        self._agent = agent
        self._clock = clock
        self._skew = skew
        self._sent = self.through
        self._under_way: deque[int] = deque()  # the last number of each batch
        self._moved_at = clock.monotonic()
        self._patience = AGAIN
        self._told = False
        self._turn = 0  # how often it began anew
        self._news = asyncio.Event()

    def news(self) -> None:
        """There is something to send, or somebody to send it to."""
        self._news.set()

    def anew(self) -> None:
        """A new connection, or a core that answers again: what is not acknowledged is sent again, at once."""
        self._turn += 1
        self._sent, self._patience = self.through, AGAIN
        self._under_way.clear()
        self._moved_at = self._clock.monotonic()
        self._news.set()

    async def acknowledged(self, word: Acknowledged) -> None:
        """The core has stored all up to a number. What it says of another outbox, or said before, is passed over."""
        if word.epoch != self._outbox.epoch or word.agent != self._agent or word.through <= self.through:
            return
        if word.through > self._outbox.last:
            log.error("the core acknowledges what was never seen here (%d of %d)", word.through, self._outbox.last)
            return
        self.through = word.through
        self._sent = max(self._sent, self.through)
        while self._under_way and self._under_way[0] <= self.through:
            self._under_way.popleft()
        self._moved_at, self._patience = self._clock.monotonic(), AGAIN
        if self._told:
            log.info("the core acknowledges again")
            self._told = False
        await self._outbox.drop(self.through)
        self._news.set()

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK):
                    await self._news.wait()
                    await asyncio.sleep(LINGER)
            self._news.clear()
            if self._link.online.is_set():
                self._look_back()
                await self.send()

    async def send(self) -> None:
        """Sends what may be under way now."""
        with suppress(LinkFailed):  # told by the link; what was not taken is sent again
            while len(self._under_way) < UNDER_WAY and self._sent < self._outbox.last:
                kept = await self._outbox.after(self._sent, self._skew() or 0.0)
                if not kept:
                    return
                turn = self._turn
                last = await self._publish(kept)
                if turn != self._turn:
                    continue  # begun anew meanwhile, from further back
                self._sent = max(last, self.through)
                if not self._under_way:
                    self._moved_at = self._clock.monotonic()
                self._under_way.append(last)

    def _look_back(self) -> None:
        """What was not acknowledged for so long is sent again."""
        now = self._clock.monotonic()
        if self._under_way and now - self._moved_at >= self._patience:
            if not self._told:
                log.warning("the core acknowledges nothing since %g s: it is sent again", self._patience)
            self._told = True
            patience = min(2 * self._patience, MOST_AGAIN)
            self.anew()
            self._patience = patience

    async def _publish(self, kept: list[Kept]) -> int:
        """The number of the last one that went. A batch that is too large goes in halves."""
        topic = topics.observations(self._seal.location)
        while True:
            items = tuple(self._read(one) for one in kept)
            now = self._clock.now() - timedelta(seconds=self._skew() or 0.0)
            first = kept[0].number
            kept_from = min(self._outbox.first, first)
            batch = Batch(self._agent, self._outbox.epoch, first, kept_from, now, items)
            try:
                payload = pack(self._seal, topic, batch)
            except Refused:
                if len(kept) == 1:
                    payload = pack(self._seal, topic, replace(batch, items=(curtailed(items[0], TOO_LARGE),)))
                else:
                    kept = kept[: len(kept) // 2]
                    continue
            await self._link.publish(topic, payload)
            return kept[-1].number

    def _read(self, kept: Kept) -> Item:
        item = item_from_json(kept.item, self._seal.location)
        return moved(item, kept.ahead) if kept.ahead else item


def moved(item: Item, ahead: float) -> Item:
    """What was seen by a clock that is ahead, at the times of one that is right."""
    by = timedelta(seconds=ahead)
    match item:
        case Observation():
            steps = item.steps and tuple(
                replace(one, seen=one.seen and replace(one.seen, at=one.seen.at - by, scheduled_at=one.seen.at - by))
                for one in item.steps
            )
            return replace(item, at=item.at - by, scheduled_at=item.scheduled_at - by, steps=steps)
        case Missed():
            return replace(item, since=item.since - by, until=item.until - by)
        case Doubt():
            return replace(item, at=item.at - by)


def curtailed(item: Item, why: str) -> Item:
    """What cannot be told as it is says so, and nothing of what was seen; nobody is blamed for that."""
    if not isinstance(item, Observation):
        return item
    log.warning("what %s/%s answered %s", item.module, item.probe, why)
    bare = Observation(item.at, item.module, item.probe, item.location, item.scheduled_at, item.duration)
    return replace(bare, failure=Failure("self.resources", f"the answer {why}"))
