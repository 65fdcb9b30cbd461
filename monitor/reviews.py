"""Reviews: sends the report of a quarter that is over to whoever a plan promises one, once.

It looks from time to time at what is due, so that a monitor that was down when a quarter ended sends it when it is
there again. What was sent stands in the store with the letters themselves: whoever else looks there sends none.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from monitor.clock import Clock
from monitor.config import Config
from monitor.core.availability import Availability
from monitor.core.board import Board
from monitor.core.history import History
from monitor.core.overlay import works_of
from monitor.core.period import before
from monitor.core.plan import Client
from monitor.core.report import report
from monitor.core.review import Review, Told, due, letters_of, told
from monitor.store import TROUBLES, Store

log = logging.getLogger(__name__)

LOOK_EVERY = 60.0  # seconds
AGAIN = timedelta(hours=1)  # after which a quarter of which nothing was known is looked at again
JUMP = 30.0  # seconds between wall and running clock that mean that the clock was set
TRUSTED = 3600.0  # seconds after which it is believed again: what leaves cannot be taken back


class Reviews:
    """`board` is what is known now, `posted` is called when letters wait in the outbox."""

    def __init__(
        self,
        config: Config,
        store: Store,
        clock: Clock,
        board: Callable[[], Board],
        posted: Callable[[], Awaitable[None]],
    ) -> None:
        self._config = config
        self._store = store
        self._clock = clock
        self._board = board
        self._posted = posted
        self._done: set[str] = set()  # marks of which nothing more is to be done …
        self._unknown: dict[str, datetime] = {}  # … and of those of which nothing was known, when
        self._offset = self._ahead()
        self._believed_at = clock.monotonic()

    def use(self, config: Config) -> None:
        """From now on this configuration says who is promised what."""
        self._config = config

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            try:
                await self.look()
            except TROUBLES as error:
                log.warning("reviews wait, the store does not answer: %s", error)
            except Exception:  # whatever it is, notices have no part in it
                log.exception("reviews failed and are tried again")
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Posts what is due and has not left. Raises StoreFailed or StoreUnusable."""
        if not self._believes():
            return
        now, zone = self._clock.now(), ZoneInfo(self._config.site.timezone)
        owed = [self._left(one, now) for one in due(self._config.site.plans, self._clients(), now, zone)]
        if not any(one.clients for one in owed):
            return
        marks = [one.mark(client) for one in owed for client in one.clients]
        self._done |= await self._store.outbox.posted(marks)
        owed = [found for one in owed if (found := one.without(self._done)).clients]
        if not owed:
            return
        history = await self._store.archive(before(owed[0].period, zone).since)
        board = self._board()
        for one in owed:
            content = await asyncio.to_thread(_told, one, board, history, zone)
            if content is None:
                self._unknown |= {one.mark(client): now for client in one.clients}
                continue
            letters = letters_of(one, content, board.platform.hours, now)
            fresh = await self._store.outbox.post_once(letters, now)
            self._done |= letters.keys()
            if fresh:
                log.info("the report of %s leaves for plan %s", one.period.name, one.plan.id)
                await self._posted()

    def _clients(self) -> tuple[Client, ...]:
        """Stores that reports can be sent to."""
        return tuple(one for one in self._config.platform.clients if one.channels)

    def _left(self, one: Review, now: datetime) -> Review:
        lately = {mark for mark, at in self._unknown.items() if abs(now - at) < AGAIN}
        return one.without(self._done | lately)

    def _ahead(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _believes(self) -> bool:
        """Whether the clock says what it said all the time: one that was set may be set right in a moment."""
        ahead, at = self._ahead(), self._clock.monotonic()
        if abs(ahead - self._offset) > JUMP:
            self._believed_at = at + TRUSTED
        self._offset = ahead
        return at >= self._believed_at


def _told(one: Review, board: Board, history: History, zone: ZoneInfo) -> Told | None:
    earlier = before(one.period, zone)
    past = Availability(board.platform, history, tuple(works_of(board, history)), earlier.since)
    shown, ours = (
        report(past, one.period, one.period, earlier, zone, (one.plan,), public=public) for public in (True, False)
    )
    return told(one.plan, shown, ours)
