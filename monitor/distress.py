"""Distress: tells people that nothing can be stored: once, on one channel, and not again for an hour."""

import asyncio
from collections.abc import Awaitable, Callable

from monitor.clock import Clock
from monitor.core.outbox import Letter
from monitor.notify.text import STORAGE

TOLD_AFTER = 15.0  # seconds; a server that is restarted, or a lock, wakes nobody
AGAIN_AFTER = 3600.0  # seconds
LOOK_EVERY = 1.0  # seconds


class Distress:
    """`trouble` says why the store refuses writes now, `channel` who is to hear of it, `post` puts a letter into the
    outbox, which carries it from memory meanwhile."""

    def __init__(
        self,
        clock: Clock,
        trouble: Callable[[], str | None],
        channel: Callable[[], str | None],
        post: Callable[[Letter], Awaitable[None]],
    ) -> None:
        self._clock = clock
        self._trouble, self._channel, self._post = trouble, channel, post
        self._since: float | None = None
        self._told_at: float | None = None

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Tells of a trouble that has lasted."""
        now, trouble = self._clock.monotonic(), self._trouble()
        if trouble is None:
            self._since = None
            return
        if self._since is None:
            self._since = now
        lately = self._told_at is not None and now - self._told_at < AGAIN_AFTER
        if lately or now - self._since < TOLD_AFTER or (channel := self._channel()) is None:
            return
        self._told_at, at = now, self._clock.now()
        await self._post(Letter(STORAGE, int(at.timestamp()), channel, "summary", f"storage {trouble}", at, page=True))
