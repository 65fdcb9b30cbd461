"""What the desk has stored together: runs wait for one another, and for nothing else."""

import asyncio
from datetime import timedelta

import pytest

from monitor import backlog as backlog_file
from monitor import desk as desk_file
from monitor.core.effect import Keep, Moved, Observed
from monitor.desk import Desk
from tests.stories.beats import START, observation
from tests.test_desk import CLOCK, RecordingStore, at_work


@pytest.fixture(autouse=True)
def for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written in these tests because of time alone."""
    monkeypatch.setattr(desk_file, "GATHERED", 3600.0)


def runs(desk: Desk, first: int, outcomes: str) -> None:
    """Runs of one module, ten seconds apart, from the so-many-th on."""
    for beat, outcome in enumerate(outcomes, first):
        CLOCK.at = START + timedelta(seconds=10 * beat)
        desk.take(Observed(observation("catalog", CLOCK.at, outcome)))


async def turns() -> None:
    """Everybody who has something to do has done it."""
    for _ in range(50):
        await asyncio.sleep(0)


async def test_runs_that_change_nothing_are_stored_together_with_the_next_change() -> None:
    """Good runs wait; the failure that takes the module down goes at once, with all before it."""
    store = RecordingStore()
    desk, _ = at_work(store)
    writer = asyncio.create_task(desk.write())
    runs(desk, 0, "+")  # up, which is news
    await turns()
    before = len(store.transactions)

    runs(desk, 1, "+++")
    await turns()
    assert len(store.transactions) == before
    assert len(desk.backlog) == 3

    runs(desk, 4, "-" * 10)
    await turns()
    writer.cancel()
    assert any(isinstance(one, Moved) for one in store.transactions[before])
    assert sum(isinstance(one, Keep) for one in store.stored) == 14
    assert not desk.backlog


async def test_whoever_waits_for_the_disk_waits_for_nobody_s_gathering() -> None:
    """A call of a heartbeat hears that it is stored as soon as it is."""
    store = RecordingStore()
    desk, _ = at_work(store)
    writer = asyncio.create_task(desk.write())
    runs(desk, 0, "+")
    await turns()
    runs(desk, 1, "++")
    async with asyncio.timeout(10):
        assert await desk.stored()
    writer.cancel()
    assert not desk.backlog


async def test_a_full_transaction_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where runs come fast, size decides and not time."""
    for file in (desk_file, backlog_file):
        monkeypatch.setattr(file, "AT_ONCE", 4)
    store = RecordingStore()
    desk, _ = at_work(store)
    writer = asyncio.create_task(desk.write())
    runs(desk, 0, "+")
    await turns()
    before = len(store.transactions)
    runs(desk, 1, "+" * 8)
    await turns()
    writer.cancel()
    assert [len(one) for one in store.transactions[before:]] == [4, 4]
