"""On PostgreSQL the runs of each month are a table of their own, which goes as a whole."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from monitor.store.connect import open_sql
from monitor.store.migrations.versions import v0017_months
from monitor.store.months import made, month_of, months
from monitor.store.postgres import engine
from monitor.store.rows import micros
from monitor.store.sql import SqlStore
from monitor.store.upgrade import migrate
from tests.store.past import run

WEEK, YEAR = timedelta(days=7), timedelta(days=400)


async def tables(store: SqlStore) -> dict[str, int]:
    """How many runs lie in the table of each month."""
    async with store.reading() as connection:
        names = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'runs'::regclass ORDER BY 1"
        found = (await connection.execute(text(names))).scalars().all()
        return {one: (await connection.execute(text(f"SELECT count(*) FROM {one}"))).scalar_one() for one in found}


def at(year: int, month: int, day: int, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=UTC)


async def test_each_month_has_a_table_that_goes_when_all_of_it_is_too_old(ready_postgres: str) -> None:
    """Runs of a month that is not over by then go one by one, as ever."""
    store = await open_sql(ready_postgres)
    moments = [at(2026, 9, 30, 23), at(2026, 10, 1), at(2026, 10, 31, 12), at(2026, 12, 31, 23), at(2027, 1, 1)]
    await store.commit([run(one) for one in moments])
    before = {"runs_2026_09": 1, "runs_2026_10": 2, "runs_2026_12": 1, "runs_2027_01": 1}
    assert await tables(store) == before
    assert await store.sweep(at(2026, 10, 8), WEEK, YEAR) == 1
    assert await tables(store) == {name: count for name, count in before.items() if name != "runs_2026_09"}
    assert await store.sweep(at(2027, 1, 8) - timedelta(minutes=1), WEEK, YEAR) == 3
    assert await tables(store) == {"runs_2026_12": 0, "runs_2027_01": 1}
    await store.commit([run(at(2026, 10, 2))])
    assert (await tables(store))["runs_2026_10"] == 1
    await store.close()


async def test_a_table_that_somebody_reads_goes_another_time(ready_postgres: str) -> None:
    """The sweep waits for nobody, and does the rest."""
    store = await open_sql(ready_postgres)
    await store.commit([run(at(2026, 9, 30)), run(at(2026, 11, 1))])
    async with store.reading() as connection:
        await connection.execute(text("SELECT count(*) FROM runs"))
        assert await store.sweep(at(2026, 11, 20), WEEK, YEAR) == 2
    assert await tables(store) == {"runs_2026_09": 0, "runs_2026_11": 0}
    assert await store.sweep(at(2026, 11, 20), WEEK, YEAR) == 0
    assert await tables(store) == {"runs_2026_11": 0}
    await store.close()


async def test_what_is_stored_already_moves_into_months(ready_postgres: str) -> None:
    """The upgrade of a database with one table of runs keeps all of them."""
    store = await open_sql(ready_postgres)
    await store.commit([run(at(2026, 9, 30)), run(at(2026, 11, 1)), run(at(2026, 11, 2))])
    async with store.writing() as connection:
        for one in (
            "DROP VIEW observations",
            "CREATE TABLE plain (LIKE runs INCLUDING ALL)",
            "ALTER TABLE plain RENAME CONSTRAINT plain_pkey TO pk_plain",
            "INSERT INTO plain SELECT * FROM runs",
            "DROP TABLE runs",
            "ALTER TABLE plain RENAME TO runs",
            "ALTER TABLE runs RENAME CONSTRAINT pk_plain TO pk_runs",
            v0017_months._VIEW,
            "UPDATE alembic_version SET version_num = '0016'",
        ):
            await connection.execute(text(one))
    await store.close()
    writer = engine(ready_postgres, readonly=False)
    async with writer.begin() as connection:
        await connection.run_sync(migrate)
    await writer.dispose()
    store = await open_sql(ready_postgres)
    assert await tables(store) == {"runs_2026_09": 1, "runs_2026_10": 0, "runs_2026_11": 2}
    assert len(await store.observations("checkout", since=at(2026, 1, 1), until=at(2027, 1, 1), limit=9)) == 3
    assert await store.check() == []
    await store.close()


def test_months_follow_one_another() -> None:
    """Also over the end of a year; bounds touch and never overlap."""
    found = list(months(micros(at(2026, 11, 30, 23)), micros(at(2027, 2, 1))))
    assert found == [at(2026, 11, 1), at(2026, 12, 1), at(2027, 1, 1), at(2027, 2, 1)]
    assert month_of(micros(at(2027, 1, 1)) - 1) == at(2026, 12, 1)
    since, until = micros(at(2026, 12, 1)), micros(at(2027, 1, 1))
    assert made(at(2026, 12, 1)).endswith(f"runs_2026_12 PARTITION OF runs FOR VALUES FROM ({since}) TO ({until})")
