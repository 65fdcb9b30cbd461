"""What the application shows of its own: how new the newest result is."""

from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from monitor.app import App
from monitor.config import Config
from monitor.core.board import Board
from monitor.core.module import Platform
from monitor.standby import Standby
from monitor.store.memory import MemoryStore
from tests.fakes import FakeClock
from tests.store.past import run
from tests.stories.beats import START

NOTHING = Platform({})
DAY = timedelta(days=1)


class Shown:
    """An application of which nothing runs, and what it shows."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.app = App(Config(NOTHING), folder, clock=self.clock)
        self.app.desk = cast(Any, SimpleNamespace(board=Board(NOTHING)))
        self.app.watchroom = cast(Any, SimpleNamespace(judged=lambda keep: None))

    def judged(self, ended_at: datetime) -> None:
        """A run that ended then is judged."""
        self.app.judged(self.app.desk.board, run(ended_at - timedelta(milliseconds=100)))

    def until(self) -> datetime | None:
        """The end of the newest result, as it is shown."""
        return self.app._scene().data_until


def test_the_newest_result_is_the_one_that_ended_last(tmp_path: Path) -> None:
    """Not the one that came last."""
    shown = Shown(tmp_path)
    assert shown.until() is None
    shown.judged(START - timedelta(seconds=3))
    shown.judged(START - timedelta(seconds=9))
    assert shown.until() == START - timedelta(seconds=3)


def test_no_result_is_newer_than_now_once_the_clock_is_set_back(tmp_path: Path) -> None:
    """Nor does it grow newer by itself: a monitor to which nothing comes any more does not look fresh."""
    shown = Shown(tmp_path)
    shown.clock.at = START + DAY
    shown.judged(shown.clock.at)
    shown.clock.at = START
    assert shown.until() == START
    shown.clock.at += timedelta(minutes=5)
    assert shown.until() == START
    shown.judged(shown.clock.at - timedelta(seconds=1))
    assert shown.until() == shown.clock.at - timedelta(seconds=1)


def test_no_result_is_newer_than_now_when_the_clock_of_an_agent_is_ahead(tmp_path: Path) -> None:
    """By a little, or by a day."""
    for ahead in (timedelta(seconds=4), DAY):
        shown = Shown(tmp_path)
        shown.judged(START + ahead)
        assert shown.until() == START


async def test_no_result_is_newer_than_now_on_the_page_of_a_standby(tmp_path: Path) -> None:
    """The clock of whoever leads may be ahead, or was."""
    store, clock, alone = MemoryStore(), FakeClock(), cast(Any, None)
    await store.commit([run(START + DAY)])
    standby = Standby(Config(NOTHING), tmp_path, store, clock, alone)
    await standby._recall()
    assert standby._scene().data_until == START
