"""What a server goes through: restarts, failures, refusals; and that no error tells the password."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from monitor.store import StoreFailed, StoreUnusable, open_store, postgres
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.store.past import FAILED, NOON, after, run, trouble

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


@contextmanager
def gone() -> Iterator[str]:
    """The address of a machine that takes what is sent and never answers."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen()
        yield f"127.0.0.1:{one.getsockname()[1]}"


async def test_of_several_servers_the_one_that_takes_writes_is_found(postgres_url: str) -> None:
    """Also behind one that answers nothing, in time, by whoever writes and whoever only reads."""
    user, _, rest = postgres_url.rpartition("@")
    host, _, name = rest.partition("/")
    with gone() as dead:
        for several in (f"{dead},{host}", f"127.0.0.1:1,{host}", f"{host},{dead}"):
            for wanted in ("", "?target_session_attrs=read-write", "?target_session_attrs=primary"):
                url = f"{user}@{several}/{name}{wanted}"
                await (await open_sql(url)).close()
                await (await open_sql(url, readonly=True)).close()


@pytest.mark.parametrize("several", [True, False])
async def test_no_server_of_the_wanted_kind_is_a_passing_trouble(postgres_url: str, several: bool) -> None:
    """One of them may be promoted in a minute."""
    url = postgres_url.replace("monitor@", f"monitor:{SECRET}@") + "?target_session_attrs=standby"
    if several:
        url = url.replace("@", "@127.0.0.1:1,")
    with pytest.raises(StoreFailed, match="no server that is standby") as caught:
        await open_store(url)
    assert SECRET not in str(caught.value)


async def test_no_answer_is_told_in_words() -> None:
    """The driver's own error has none."""
    with gone() as dead, pytest.raises(StoreFailed, match="no answer in time"):
        await open_store(f"postgresql://monitor@{dead}/monitor")


async def test_a_server_that_took_over_without_the_last_commits_gets_all_that_follows(postgres_url: str) -> None:
    """A standby that does not keep up may lack what we know to be stored: which numbers sources and forms have, and
    which months have a table."""
    store = await open_sql(postgres_url)
    await store.commit([run(after(1)), run(after(2), FAILED)])
    async with store.writer.begin() as connection:
        for table in ("runs", "sources", "forms", "rollups"):
            await connection.execute(text(f"DELETE FROM {table}"))
        own = "pid <> pg_backend_pid() AND datname = current_database()"
        await connection.execute(text(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {own}"))
    await store.writer.dispose()
    await store.commit([run(after(61)), run(after(62), FAILED)])
    seen = await store.observations("checkout", since=NOON, until=after(100), limit=9)
    assert sorted(one.at for one, _ in seen) == [after(61), after(62)]
    assert await store.check() == []
    await store.close()
