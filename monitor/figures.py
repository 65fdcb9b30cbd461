"""Figures: answers for any stretch of the past, however long, and has its days summed up."""

from collections.abc import Callable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from monitor.clock import Clock
from monitor.core.availability import Availability, Subject
from monitor.core.board import Board
from monitor.core.daily import Reckoning, lines_of
from monitor.core.effect import Refusal
from monitor.core.overlay import works_of
from monitor.core.site import Site
from monitor.core.uptime import Spent
from monitor.store import TROUBLES, Store


class Figures:
    """`board` and `site` give those of now."""

    def __init__(self, store: Store, clock: Clock, board: Callable[[], Board], site: Callable[[], Site]) -> None:
        self._store = store
        self._clock = clock
        self._board = board
        self._site = site

    async def spent(self, subjects: Sequence[Subject], since: datetime, until: datetime) -> list[Spent] | Refusal:
        """How a window was spent by each of these; a refusal while the store does not answer."""
        board = self._board()
        try:
            history, totals = await self._store.reckoned(since, until, lines_of(board.platform, subjects))
        except TROUBLES:
            return Refusal("away", "the store does not answer")
        past = Availability(board.platform, history, tuple(works_of(board, history)), since)
        found = Reckoning(past, since, until, totals)
        return [found.spent(one) for one in subjects]

    async def close(self) -> None:
        """Sums up the days that are over. Raises StoreFailed or StoreUnusable."""
        await self._store.close_days(self._board().platform, ZoneInfo(self._site().timezone), self._clock.now())
