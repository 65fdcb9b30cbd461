"""`monitor db check` works out anew what is stored twice."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from monitor.core.board import Condition
from monitor.core.effect import Settled
from monitor.core.module import Status
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.store.past import FAILED, NOON, PASSED, SLOW, moved, run, trouble

CONDITION = "conditions: checkout is up since 2026-11-23T12:00:00.000Z, its changes of status lead to down"


async def store_of(folder: Path) -> SqlStore:
    """An hour of three runs, and a module that is down."""
    store = await open_sql(f"sqlite:///{folder / 'monitor.db'}")
    results = (PASSED, SLOW, FAILED)
    runs = [run(at=NOON + timedelta(seconds=30 * n), result=one) for n, one in enumerate(results)]
    await store.commit([*trouble(), *runs])
    return store


async def test_what_agrees_is_not_told_of(tmp_path: Path) -> None:
    """Runs as they come, and hours of which some runs are swept already."""
    store = await store_of(tmp_path)
    assert await store.check() == []
    await store.sweep(NOON + timedelta(days=7, seconds=40), timedelta(days=7), timedelta(days=400))
    assert await store.check() == []
    await store.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("UPDATE rollups SET runs = runs - 1", "runs, "),
        ("UPDATE rollups SET failed = failed + 1", "failed, counted"),
        ("UPDATE rollups SET seconds = seconds + 0.5", "seconds, counted"),
        ("UPDATE rollups SET buckets = '{}'", "the durations are not those of its runs"),
        ("DELETE FROM rollups WHERE hour = (SELECT max(hour) FROM rollups)", "missing, "),
    ],
)
async def test_an_hour_that_differs_from_its_runs_is_named(tmp_path: Path, change: str, said: str) -> None:
    """With what is stored and what was counted."""
    store = await store_of(tmp_path)
    await store.commit([run(at=NOON - timedelta(hours=2))])  # so that an hour may be missing after the oldest
    async with store.writing() as connection:
        await connection.execute(text(change))
    found = await store.check()
    assert found
    assert all(one.startswith("rollups: checkout/") and said in one for one in found)
    await store.close()


async def test_a_condition_that_its_changes_do_not_lead_to_is_named(tmp_path: Path) -> None:
    """What holds now is the end of what changed."""
    store = await store_of(tmp_path)
    await store.commit([moved("checkout", Status.DOWN, NOON), Settled("checkout", None, Condition(Status.UP, NOON))])
    assert await store.check() == [CONDITION]
    await store.close()
