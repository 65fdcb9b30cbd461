"""What plots are drawn from, held against every store: runs and hours in the bins of a window."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

from monitor.core.board import Version
from monitor.core.effect import Keep, Versioned
from monitor.core.expectation import Outcome, Result
from monitor.core.series import Bin, Grid, merged
from monitor.store import Rollup, Store
from monitor.store.connect import open_sql
from monitor.store.rows import micros
from tests.store.conftest import Shelf
from tests.store.past import FAILED, NOON, PASSED, SLOW, UNKNOWN, after, run

MINUTES = Grid(NOON, after(4 * 3600), timedelta(minutes=10))
HOURS = Grid(NOON, after(4 * 3600), timedelta(hours=1))
DAY = Grid(NOON - timedelta(hours=12), after(12 * 3600), timedelta(days=1))
WHOLE = (["http", "tls"], ["here", "there"])
NUMBERS = count()
OLD = {"hour": micros(NOON), "buckets": '{"60":8}'}
PHASES = {"resolve": 0.01, "connect": 0.02, "processing": 0.07}


def seen(at: datetime, result: Result = PASSED, ms: float = 100, probe: str = "http", place: str = "here") -> Keep:
    """A judged run with phases."""
    one = run(at, result, ms=ms, probe=probe)
    return replace(one, observation=replace(one.observation, location=place, phases=PHASES))


@pytest.mark.parametrize("grid", [MINUTES, HOURS], ids=["runs", "hours"])
async def test_runs_are_counted_in_their_bins(store: Store, grid: Grid) -> None:
    """By probe and place, each with its latency and phases; what nobody saw is absent."""
    await store.commit([seen(after(10)), seen(after(20), SLOW, 1000), seen(after(30), FAILED, 9000)])
    await store.commit([seen(after(3 * 3600 + 1), place="there"), seen(after(40), probe="tls")])
    found = await store.bins("checkout", *WHOLE, grid)
    assert found.keys() == {("http", "here"), ("http", "there"), ("tls", "here")}
    assert found[("http", "here")].keys() == {NOON}
    assert found[("http", "there")].keys() == {after(3 * 3600)}
    one = found[("http", "here")][NOON]
    assert (one.runs, one.failed, one.slow, one.timed) == (3, 1, 1, 2)
    assert one.seconds == pytest.approx(1.1)
    assert one.percentile_ms(0.99) == pytest.approx(1000, rel=0.12)
    assert {name: one.phase_ms(name) for name in PHASES} == pytest.approx({n: s * 1000 for n, s in PHASES.items()})


@pytest.mark.parametrize("grid", [MINUTES, HOURS], ids=["runs", "hours"])
async def test_only_what_is_asked_for_is_counted(store: Store, grid: Grid) -> None:
    """Of these probes and places, from the first bin up to the end, without it."""
    outside = [seen(NOON - timedelta(seconds=1)), seen(after(4 * 3600))]
    await store.commit([*outside, seen(after(1)), seen(after(2), probe="tls"), seen(after(3), place="there")])
    found = await store.bins("checkout", ["http"], ["here"], grid)
    assert {key: {at: one.runs for at, one in bins.items()} for key, bins in found.items()} == {
        ("http", "here"): {NOON: 1}
    }
    assert await store.bins("payments", *WHOLE, grid) == {}
    assert await store.bins("checkout", [], [], grid) == {}


@pytest.mark.parametrize("grid", [MINUTES, HOURS], ids=["runs", "hours"])
async def test_what_says_nothing_of_the_module_counts_nowhere(store: Store, grid: Grid) -> None:
    """Our own trouble, a place that could not see, and the answer of a cache."""
    cached = Result(Outcome.PASSED, edge_only=True)
    lost = replace(seen(after(3)), discarded=True)
    await store.commit([seen(after(1), UNKNOWN), seen(after(2), cached), lost])
    found = await store.bins("checkout", *WHOLE, grid)
    assert sum(one.runs for bins in found.values() for one in bins.values()) == 0


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 4 * 3600 - 1), st.sampled_from([PASSED, SLOW, FAILED, UNKNOWN]), st.integers(1, 9000)),
        max_size=25,
        unique_by=lambda one: one[0],
    )
)
async def test_runs_and_hours_give_the_same(shelf: Shelf, runs: list[tuple[int, Result, int]]) -> None:
    """Fine bins put together are the hours, and hours put together are the day, whatever was seen."""
    store = await shelf.open()
    module = f"module-{next(NUMBERS)}"  # one of its own each time: the store stays
    made = [seen(after(at), result, ms) for at, result, ms in runs]
    await store.commit([replace(one, observation=replace(one.observation, module=module)) for one in made])
    fine, hours, day = [
        (await store.bins(module, *WHOLE, grid)).get(("http", "here"), {}) for grid in (MINUTES, HOURS, DAY)
    ]
    for hour in HOURS.times:
        parts = merged(one for at, one in fine.items() if hour <= at < hour + HOURS.step)
        assert same(parts, hours.get(hour, Bin()))
    assert same(merged(hours.values()), merged(day.values()))
    assert merged(fine.values()).failed == sum(result is FAILED for _, result, _ in runs)


def same(one: Bin, other: Bin) -> bool:
    whole = (one.runs, one.failed, one.slow, one.timed) == (other.runs, other.failed, other.slow, other.timed)
    return whole and dict(one.buckets) == dict(other.buckets) and dict(one.phases) == pytest.approx(dict(other.phases))


async def test_an_hour_goes_on_after_a_restart_with_its_phases(shelf: Shelf) -> None:
    """What was summed up before is part of it."""
    for second in range(3):
        await (await shelf.open()).commit([seen(after(second))])
    one = (await shelf.store.bins("checkout", *WHOLE, HOURS))[("http", "here")][NOON]
    assert (one.runs, one.timed) == (3, 3)
    assert one.phases["connect"] == pytest.approx(0.06)


async def test_a_made_up_past_is_counted_once(store: Store) -> None:
    """Its runs are in its hours already."""
    await store.seed(
        [], [], [Rollup("checkout", "http", "here", NOON, Bin(runs=1, failed=1))], [seen(after(5), FAILED)]
    )
    for grid in (MINUTES, HOURS):
        assert (await store.bins("checkout", *WHOLE, grid))[("http", "here")][NOON].runs == 1


async def test_versions_that_took_the_place_of_another(store: Store) -> None:
    """From a moment on, the oldest first; the first one ever seen is no change."""
    for seconds, name, before in [(0, "v1", None), (100, "v2", "v1"), (300, "v3", "v2")]:
        await store.commit([Versioned("checkout", "http", Version(name, after(seconds), before))])
    await store.commit([Versioned("payments", "http", Version("v9", after(200), "v8"))])
    assert [one.name for one in await store.versions("checkout", NOON)] == ["v2", "v3"]
    assert [one.name for one in await store.versions("checkout", after(101))] == ["v3"]


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    return f"sqlite:///{tmp_path}/old.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def test_hours_of_an_older_version_have_no_phases(database: str) -> None:
    """They are not known, and not zero; what else was counted stays."""
    driver = database.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    engine = create_async_engine(driver)
    async with engine.begin() as connection:
        await connection.run_sync(upgraded_to_4)
        row = "('checkout', 'http', 'here', :hour, 9, 1, 0, 0.8, :buckets)"
        columns = "module, probe, location, hour, runs, failed, slow, seconds, buckets"
        await connection.execute(text(f"INSERT INTO rollups ({columns}) VALUES {row}"), OLD)
    await engine.dispose()
    store = await open_sql(database)
    one = (await store.bins("checkout", *WHOLE, HOURS))[("http", "here")][NOON]
    assert (one.runs, one.failed, one.timed, one.phase_ms("tls")) == (9, 1, 0, None)
    assert one.percentile_ms(0.5) == pytest.approx(105.9, rel=0.01)
    await store.close()


def upgraded_to_4(connection: Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "monitor:store/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "0004")
