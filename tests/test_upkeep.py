"""Upkeep: what is done every ten minutes, also after the store refused it."""

import asyncio
import logging
from datetime import datetime, timedelta

import pytest

from monitor import upkeep
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.site import Site
from monitor.figures import Figures
from monitor.store import StoreFailed
from monitor.store.memory import MemoryStore
from monitor.upkeep import Upkeep
from tests.fakes import FakeClock
from tests.pages import pictures
from tests.pages.pictures import NOW


class Refusing(MemoryStore):
    """A store that refuses the first time it is swept."""

    def __init__(self) -> None:
        super().__init__()
        self.swept, self.again = 0, asyncio.Event()

    async def sweep(self, now: datetime, keep_observations: timedelta, keep_rollups: timedelta) -> int:
        self.swept += 1
        if self.swept == 1:
            raise StoreFailed("the store: gone")
        self.again.set()
        return await super().sweep(now, keep_observations, keep_rollups)


async def test_a_store_that_refuses_is_told_in_a_line_and_swept_the_next_time(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no bug of ours."""
    monkeypatch.setattr(upkeep, "EVERY", 0.01)
    caplog.set_level(logging.WARNING)
    store, clock = Refusing(), FakeClock(NOW)
    board = Board(pictures.flawless().board.platform)
    figures = Figures(store, clock, lambda: board, Site)
    one = Upkeep(store, clock, figures, lambda: Config(board.platform), lambda: board, lambda planned: None)
    running = asyncio.create_task(one.run())
    async with asyncio.timeout(10):
        await store.again.wait()
    running.cancel()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING] == [
        "what is too old stays for now, the store does not answer: the store: gone"
    ]
