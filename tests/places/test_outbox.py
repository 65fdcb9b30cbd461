"""What an agent keeps on its disk, and how it measures its clock."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.places.outbox import BATCH_BYTES, Outbox, OutboxFailed, packed
from monitor.places.skew import Skew
from monitor.places.wire import MOST_ITEMS

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@asynccontextmanager
async def opened(folder: Path, **keys: Any) -> AsyncIterator[Outbox]:
    """An outbox in a folder."""
    one = Outbox(folder / "outbox.db", **keys)
    await one.open()
    try:
        yield one
    finally:
        await one.close()


def items(count: int, text: str = "x") -> list[tuple[float, float | None, bytes]]:
    return [(float(n), 0.0, packed({"seen": {"n": n, "text": text}})) for n in range(count)]


async def test_numbers_are_given_once(tmp_path: Path) -> None:
    """Also when everything was dropped, and after a start: the core would take a second one for a copy."""
    async with opened(tmp_path) as one:
        await one.put(items(3))
        epoch = one.epoch
        assert [kept.number for kept in await one.after(0, 0.0)] == [1, 2, 3]
        await one.drop(3)
        assert (one.first, one.last, one.waiting, one.oldest_at) == (4, 3, 0, None)
    async with opened(tmp_path) as one:
        assert (one.epoch, one.first, one.last) == (epoch, 4, 3)
        await one.put(items(2))
        assert [kept.number for kept in await one.after(0, 0.0)] == [4, 5]
        assert one.oldest_at == 0.0
    assert (tmp_path / "outbox.db").stat().st_mode & 0o077 == 0


async def test_a_batch_is_as_large_as_it_may_be(tmp_path: Path) -> None:
    """In number and in size; one item is always a batch."""
    async with opened(tmp_path) as one:
        await one.put(items(MOST_ITEMS + 10))
        assert len(await one.after(0, 0.0)) == MOST_ITEMS
        assert len(await one.after(MOST_ITEMS, 0.0)) == 10
        await one.put(items(3, "y" * (BATCH_BYTES + 1)))
        assert len(await one.after(MOST_ITEMS + 10, 0.0)) == 1


async def test_what_nobody_knew_of_the_clock_is_settled_once(tmp_path: Path) -> None:
    """A copy says what the first one said, also after a start, when the clock is measured anew."""
    async with opened(tmp_path) as one:
        await one.put([(1.0, None, packed({})), (2.0, 3.5, packed({}))])
        assert [kept.ahead for kept in await one.after(0, 7.25)] == [7.25, 3.5]
    async with opened(tmp_path) as one:
        assert [kept.ahead for kept in await one.after(0, 99.0)] == [7.25, 3.5]


async def test_what_finds_no_room_goes_oldest_first_and_is_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest says most of what is so now."""
    async with opened(tmp_path, most=700_000) as one:
        for turn in range(12):
            await one.put(
                [(0.0, 0.0, packed({"n": f"{turn}-{n} {hash((turn, n)) * 7919:x}" * 20})) for n in range(2000)]
            )
        assert one.lost >= 5000
        assert one.first == one.lost + 1
        assert one.last == 24_000
        assert one.waiting == 24_000 - one.lost
        assert next(kept.number for kept in await one.after(0, 0.0)) == one.first
    assert "the outbox is full" in caplog.text
    assert (tmp_path / "outbox.db").stat().st_size < 6_000_000


@pytest.mark.parametrize("damage", ["garbage", "torn"])
async def test_a_damaged_outbox_is_set_aside(damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Loudly, and the agent goes on with a new one: it is worth more awake than with what it saw before."""
    async with opened(tmp_path) as one:
        await one.put([(0.0, 0.0, packed({"n": f"{n:x}" * 500})) for n in range(3000)])
        epoch = one.epoch
    file = tmp_path / "outbox.db"
    whole = file.read_bytes()
    file.write_bytes(b"no database" * 1000 if damage == "garbage" else whole[:4096] + b"\xff" * 8192 + whole[12288:])
    async with opened(tmp_path) as one:
        assert one.epoch != epoch
        await one.put(items(1))
    assert "is damaged" in caplog.text
    assert (tmp_path / "outbox.db.damaged").exists()


async def test_a_disk_that_refuses_loses_nothing_that_was_there(tmp_path: Path) -> None:
    """All of a writing is kept or nothing, and no number is spent on nothing."""
    async with opened(tmp_path) as one:
        await one.put(items(2))
        (pages,) = await one._do(lambda: one._db.execute("PRAGMA page_count").fetchone())
        await one._do(lambda: one._db.execute(f"PRAGMA max_page_count = {pages}").fetchone())
        with pytest.raises(OutboxFailed, match="full"):
            await one.put([(0.0, 0.0, packed({"n": f"{n * 7919:x}" * 900})) for n in range(200)])
        assert one.last == 2
        await one._do(lambda: one._db.execute("PRAGMA max_page_count = 10000").fetchone())
        await one.put(items(1))
        assert [kept.number for kept in await one.after(0, 0.0)] == [1, 2, 3]


async def test_facts_are_kept(tmp_path: Path) -> None:
    """The newest of each name."""
    async with opened(tmp_path) as one:
        assert await one.recall("configuration") is None
        await one.remember("configuration", b"1")
        await one.remember("configuration", b"2")
    async with opened(tmp_path) as one:
        assert await one.recall("configuration") == b"2"


async def test_where_there_can_be_none_it_is_said(tmp_path: Path) -> None:
    """With the name of the file."""
    (tmp_path / "outbox.db").mkdir()
    with pytest.raises(OutboxFailed, match=r"outbox\.db"):
        await Outbox(tmp_path / "outbox.db").open()
    with sqlite3.connect(":memory:") as memory:
        assert memory


@pytest.mark.property
@given(
    st.floats(-86_400, 86_400),
    st.lists(st.tuples(st.floats(0, 2), st.floats(0, 2), st.floats(0, 1)), min_size=1, max_size=8),
)
@example(0.0, [(0.0, 0.0, 0.82421875)])  # which no microsecond holds
def test_the_quickest_answer_says_best_by_how_much_a_clock_is_ahead(
    ahead: float, ways: list[tuple[float, float, float]]
) -> None:
    """No worse than half the time it was on the way, however unlike the two ways are."""
    skew, now = Skew(), NOON
    assert skew.ahead is None
    for there, back, busy in ways:
        received = now + timedelta(seconds=there)
        answered = received + timedelta(seconds=busy)
        skew.answered(now + timedelta(seconds=ahead), received, answered, there + busy + back)
        now += timedelta(seconds=10)
    assert skew.ahead is not None
    assert abs(skew.ahead - ahead) <= min(there + back for there, back, _ in ways) / 2 + 1e-4


def test_a_clock_that_was_set_is_known_at_once() -> None:
    """Nobody has to wait for eight answers; an answer that cannot be is none."""
    skew = Skew()
    skew.answered(NOON, NOON, NOON, 0.1)
    skew.set_by(-40.0)
    assert skew.ahead == pytest.approx(-39.95)
    skew.answered(NOON, NOON, NOON - timedelta(seconds=1), 0.0)
    skew.answered(NOON, NOON, NOON + timedelta(seconds=9), 1.0)
    assert skew.ahead == pytest.approx(-39.95)
