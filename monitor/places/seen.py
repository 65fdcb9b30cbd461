"""Seen: what an agent saw waits here for its disk, with what was known of its clock in that moment."""

import asyncio
import logging
from collections.abc import Callable

from monitor.clock import Clock
from monitor.places.outbox import Outbox, OutboxFailed, packed
from monitor.places.sending import curtailed
from monitor.places.skew import Skew
from monitor.places.wire import Item, item_from_json, item_to_json

log = logging.getLogger(__name__)

MOST_IN_MEMORY = 20_000  # items that wait for the disk
RETRY = 1.0  # seconds after which the disk is tried again


class Seen:
    """Takes what was seen at a place and puts it into the outbox, while `keep` runs; `news` is called for what is on
    the disk. `trouble` says why it is not, `lost` how much was given up meanwhile."""

    def __init__(self, outbox: Outbox, clock: Clock, location: str, skew: Skew, news: Callable[[], None]) -> None:
        self.trouble = ""
        self.lost = 0
        self._outbox = outbox
        self._clock = clock
        self._location = location
        self._skew = skew
        self._news = news
        self._items: list[tuple[float, float | None, bytes]] = []
        self._has_items = asyncio.Event()
        self._writing_since: float | None = None

    @property
    def waiting(self) -> int:
        """How many items are not on the disk yet."""
        return len(self._items)

    def take(self, item: Item) -> None:
        """Something was seen."""
        raw = item_to_json(item)
        try:
            item_from_json(raw, self._location)
            kept = packed(raw)
        except (TypeError, ValueError, OverflowError, RecursionError):
            # A target may answer what no core would read: it must not stand in the way of everything after it.
            kept = packed(item_to_json(curtailed(item, "cannot be told to the core")))
        self._items.append((self._clock.now().timestamp(), self._skew.ahead, kept))
        if len(self._items) > MOST_IN_MEMORY:
            del self._items[0]
            self.lost += 1
        self._has_items.set()

    async def keep(self) -> None:
        """What was seen goes to the disk at once; while that refuses it waits in memory, and says so."""
        while True:
            await self._has_items.wait()
            self._has_items.clear()
            try:
                await self._store()
            except OutboxFailed as error:
                if not self.trouble:
                    log.error("what is seen cannot be kept: %s", error)
                self.trouble = f"what is seen cannot be kept: {error}"
                await asyncio.sleep(RETRY)
                self._has_items.set()

    async def flush(self) -> None:
        """Returns once everything is on the disk. Raises OutboxFailed."""
        await self._store()
        while self._writing_since is not None:  # noqa: ASYNC110 - the disk has not said yet that it has it
            await asyncio.sleep(0.01)

    def stuck(self, patience: float) -> str | None:
        """What is not done after so many seconds."""
        since = self._writing_since
        return "outbox" if since is not None and self._clock.monotonic() - since > patience else None

    async def _store(self) -> None:
        items, self._items = self._items, []
        if not items:
            return
        self._writing_since = self._clock.monotonic()
        try:
            await self._outbox.put(items)
        except BaseException:
            self._items = items + self._items
            raise
        finally:
            self._writing_since = None
        if self.trouble:
            log.info("what is seen is kept again")
            self.trouble = ""
        self._news()
