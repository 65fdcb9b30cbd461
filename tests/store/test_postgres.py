"""What a server goes through: restarts, failures, refusals; and that no error tells the password."""

import pytest
from sqlalchemy import text

from monitor.store import StoreFailed, StoreUnusable, open_store, postgres
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.store.past import NOON, after, run, trouble

SECRET = "sesame"


async def test_a_lost_connection_costs_no_fact(postgres_url: str) -> None:
    """After a restart of the server, the same commit is made again over a new connection."""
    store = await open_sql(postgres_url)
    await store.commit(trouble())
    for effects in (trouble("payments"), trouble("search")):
        async with store.reader.connect() as connection:
            own = "pid <> pg_backend_pid() AND datname = current_database()"
            await connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}"))
        try:
            await store.commit(effects)
        except StoreFailed:
            await store.commit(effects)
    assert len((await store.recall(NOON)).modules) == 3
    await store.close()


async def test_a_connection_lost_in_mid_transaction_stores_nothing(postgres_url: str) -> None:
    """The commit says that it failed, and may be made again."""
    store = await open_sql(postgres_url)
    with pytest.raises(StoreFailed):
        await die_writing(store)
    await store.commit(trouble())
    assert (await store.recall(NOON)).modules.keys() == {"checkout"}
    await store.close()


async def die_writing(store: SqlStore) -> None:
    """The server drops the connection between two statements of a transaction."""
    async with store.writing() as connection:
        await connection.execute(text("DELETE FROM conditions"))
        pid = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar()
        async with store.reader.connect() as other:
            await other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        await connection.execute(text("SELECT 1"))


async def test_an_unreachable_server_is_a_passing_trouble(postgres_url: str) -> None:
    """It may be back in a minute, so whoever opens may try again."""
    base, _, _ = postgres_url.rpartition(":")
    with pytest.raises(StoreFailed) as caught:
        await open_store(f"{base}:1/monitor".replace("monitor@", f"monitor:{SECRET}@"))
    assert SECRET not in str(caught.value)


async def test_a_database_that_is_not_there_is_a_lasting_one(postgres_url: str) -> None:
    """Somebody has to create it; the message says which, and not the password."""
    url = (postgres_url + "_missing").replace("monitor@", f"monitor:{SECRET}@")
    with pytest.raises(StoreUnusable, match=r"does not exist; correct `monitor\.database`") as caught:
        await open_store(url)
    assert "monitor:***@127.0.0.1" in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("bad", ["?sslmode=perhaps", ":port/x"])
async def test_a_url_that_makes_no_sense_is_told_without_its_password(postgres_server: str, bad: str) -> None:
    """What the driver says about it may quote it, so it is not passed on."""
    with pytest.raises(StoreUnusable) as caught:
        await open_store(f"postgresql://monitor:{SECRET}@127.0.0.1{bad}")
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_without_its_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL is an extra; one line says how to get it."""

    def missing(name: str) -> object:
        raise ImportError(name)

    monkeypatch.setattr(postgres, "import_module", missing)
    with pytest.raises(StoreUnusable, match=r"pip install 'vtex-monitor\[postgres\]'"):
        await open_store("postgresql://host/monitor")


async def test_a_reader_cannot_write(postgres_url: str) -> None:
    """Neither through our methods nor behind them."""
    await (await open_sql(postgres_url)).close()
    reader = await open_sql(postgres_url, readonly=True)
    with pytest.raises(StoreUnusable, match="for reading only"):
        await reader.commit([run(after(1))])
    with pytest.raises(StoreFailed, match="read-only transaction"):
        async with reader.reading() as connection:
            await connection.execute(text("DELETE FROM conditions"))
    await reader.close()


async def test_reading_needs_the_tables(postgres_url: str) -> None:
    """A command that only reads does not make them."""
    with pytest.raises(StoreUnusable, match="run `monitor db upgrade`"):
        await open_sql(postgres_url, readonly=True)
