"""What a file on a disk goes through: full, locked, damaged, cut off, from another version, taken."""
# ruff: noqa: ASYNC240 - a test may wait for the disk

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.series import Grid
from monitor.store import Rollup, StoreFailed, StoreUnusable, open_store, queries
from monitor.store.batch import Key
from monitor.store.connect import open_sql
from monitor.store.sql import SqlStore
from tests.store.past import FAILED, NOON, after, incident, run, saved, trouble


async def opened(file: Path, *, readonly: bool = False) -> SqlStore:
    """The store of a file, quick to say that somebody else has locked it."""
    return await open_sql(f"sqlite:///{file}", readonly=readonly, busy_seconds=0.2)


async def written(file: Path) -> None:
    """A database with a past, closed."""
    store = await opened(file)
    await store.commit(trouble())
    await store.close()


async def modules(store: SqlStore) -> set[str]:
    """The modules whose trouble is stored."""
    return set((await store.recall(NOON)).modules)


async def test_a_new_database_is_its_owners_only(tmp_path: Path) -> None:
    """Excerpts of answers are in it; missing folders are made."""
    file = tmp_path / "data" / "deep" / "monitor.db"
    store = await opened(file)
    await store.commit(trouble())
    modes = {stat.S_IMODE(one.stat().st_mode) for one in file.parent.iterdir()}
    await store.close()
    assert modes == {0o600}
    assert sorted(one.name for one in file.parent.iterdir()) == ["monitor.db", "monitor.db.lock"]


async def test_commits_wait_for_the_disk(file: Path) -> None:
    """A decision that people were told about survives a power loss: write-ahead log, synchronous FULL."""
    store = await opened(file)
    async with store.writer.connect() as connection:
        mode = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
        synchronous = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
    await store.close()
    assert (mode, synchronous) == ("wal", 2)


async def test_a_full_disk_is_told_and_over_when_there_is_space(file: Path) -> None:
    """Nothing of the refused commit is stored; later the same one is, and every run is counted once."""
    store = await opened(file)
    await store.commit(trouble("before"))
    await limit_pages(store, used=True)
    large = [*trouble("during"), *(run(after(n), FAILED, ms=1) for n in range(1, 2000))]

    for _ in range(2):
        with pytest.raises(StoreFailed, match=r"monitor\.db: the disk is full"):
            await store.commit(large)
    assert await modules(store) == {"before"}

    await limit_pages(store, used=False)
    await store.commit(large)
    assert await modules(store) == {"before", "during"}
    assert len(await store.observations("checkout", since=NOON, until=after(9999), limit=9999)) == 1999
    assert await store.check() == []
    await store.close()


async def limit_pages(store: SqlStore, *, used: bool) -> None:
    """Lets the database grow no further, or again."""
    async with store.writer.connect() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar() if used else 2**31
        await connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")


async def test_a_lock_of_somebody_else_is_told_and_over_when_it_is_gone(file: Path) -> None:
    """Another program may look into the file; meanwhile the event loop goes on."""
    store = await opened(file)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        committing = asyncio.create_task(store.commit(trouble()))
        beats = 0
        while not committing.done():
            await asyncio.sleep(0.01)
            beats += 1
        with pytest.raises(StoreFailed, match="locked by another connection"):
            await committing
        assert time.monotonic() - began >= 0.2
        assert beats > 5
        assert await modules(store) == set()  # and reading goes on
        other.execute("ROLLBACK")
    await store.commit(trouble())
    assert await modules(store) == {"checkout"}
    await store.close()


async def test_a_page_never_waits_for_a_write(file: Path) -> None:
    """Reading sees what was committed, while a transaction is open."""
    store = await opened(file)
    await store.commit(trouble("before"))
    async with store.writing() as connection:
        await connection.exec_driver_sql("DELETE FROM conditions")
        async with asyncio.timeout(1):
            assert await modules(store) == {"before"}
    await store.close()


async def test_a_transaction_that_fails_half_way_leaves_nothing(file: Path) -> None:
    """The last of seven tables refuses; the six before it are as they were."""
    store = await opened(file)
    async with store.writing() as connection:
        await connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON gaps BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    with pytest.raises(Exception, match="refused"):
        await store.commit(trouble())
    assert await modules(store) == set()
    async with store.writing() as connection:
        await connection.exec_driver_sql("DROP TRIGGER refuse")
    await store.commit(trouble())
    assert await modules(store) == {"checkout"}
    assert (await store.history(NOON, after(60))).incidents == (incident(),)
    await store.close()


async def test_a_cancelled_commit_is_whole_or_absent(file: Path) -> None:
    """Shutting down may cut a commit short at any point; afterwards the store works and counts right."""
    store = await opened(file)
    for number in range(12):
        task = asyncio.create_task(store.commit(trouble(f"module-{number}")))
        await asyncio.sleep(0.0005 * number)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await store.commit(trouble(f"module-{number}"))
        assert len(await store.observations(f"module-{number}", since=NOON, until=after(1), limit=9)) == 1
    assert len(await modules(store)) == 12
    assert await store.sweep(NOON + timedelta(days=9), timedelta(days=99), timedelta(days=1)) == 12
    await store.close()


async def test_a_second_process_is_told_who_has_the_file(file: Path) -> None:
    """Two writers would each judge for themselves. Readers are welcome."""
    store = await opened(file)
    await store.commit(trouble())
    code = f"import asyncio; from monitor.store import open_store; asyncio.run(open_store('sqlite:///{file}'))"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=subprocess.PIPE)
    _, said = await process.communicate()
    assert process.returncode == 1
    assert b"StoreUnusable" in said.splitlines()[-1]
    assert f"monitor.db is in use by process {os.getpid()}" in said.decode()

    reader = await opened(file, readonly=True)
    assert await modules(reader) == {"checkout"}
    await reader.close()
    await store.close()
    await (await opened(file)).close()  # free again


async def test_a_reader_cannot_write(file: Path) -> None:
    """Commands that only read leave the file as it is."""
    await written(file)
    reader = await opened(file, readonly=True)
    with pytest.raises(StoreUnusable, match="for reading only"):
        await reader.commit(trouble())
    await reader.close()


@pytest.mark.parametrize("readonly", [True, False])
@pytest.mark.parametrize("at", [0, 4096 + 8], ids=["header", "page"])
async def test_a_damaged_file_is_named_and_left_alone(file: Path, at: int, readonly: bool) -> None:
    """It may be all there is of the past: never replaced by an empty one, never changed."""
    await written(file)
    raw = bytearray(file.read_bytes())
    raw[at : at + 64] = b"\xff" * 64
    file.write_bytes(raw)
    with pytest.raises(StoreUnusable, match=r"monitor\.db is damaged.* backup"):
        await touch_everything(file, readonly)
    assert file.read_bytes() == bytes(raw)


async def touch_everything(file: Path, readonly: bool) -> None:
    """Opens and reads: what is opened for reading is not looked through first."""
    store = await opened(file, readonly=readonly)
    try:
        await store.recall(NOON)
        if problems := await store.check():
            raise StoreUnusable(f"{file} is damaged ({problems[0]}): put a backup in its place")
    finally:
        await store.close()


async def test_a_file_cut_to_nothing_is_no_new_database(file: Path) -> None:
    """Never silently empty."""
    file.touch()
    with pytest.raises(StoreUnusable, match="is empty, so it was cut off"):
        await opened(file)
    assert file.stat().st_size == 0


async def test_a_log_without_its_database_is_no_new_database(file: Path) -> None:
    """A new file beside an old log would mix the two."""
    await written(file)
    file.rename(file.with_name("monitor.db-wal"))
    with pytest.raises(StoreUnusable, match="is gone but its log"):
        await opened(file)


async def test_a_crash_while_a_database_is_made_leaves_no_half_of_it(file: Path) -> None:
    """It gets its name when it is whole; what was begun is begun again."""
    file.with_name("monitor.db.new").write_bytes(b"half of a databa")
    await written(file)
    assert not file.with_name("monitor.db.new").exists()


async def test_reading_needs_a_database(file: Path) -> None:
    """A command that only reads does not make one."""
    with pytest.raises(StoreUnusable, match="there is no database at"):
        await opened(file, readonly=True)
    assert list(file.parent.iterdir()) == []


async def test_somebody_elses_database_is_left_alone(file: Path) -> None:
    """A wrong path in the configuration does no harm."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StoreUnusable, match="holds other tables"):
        await opened(file)


async def test_a_file_that_may_not_be_opened_is_a_passing_trouble(file: Path) -> None:
    """A mount that is not there yet, or a folder in the way of a folder."""
    file.write_text("not a folder")
    with pytest.raises(StoreFailed, match=r"monitor\.db"):
        await opened(file / "monitor.db")
    file.unlink()
    file.mkdir()
    with pytest.raises(StoreUnusable, match="is a folder"):
        await opened(file)


async def test_unreadable_rows_are_found(file: Path) -> None:
    """A check reads everything, so that nobody finds out when it is needed."""
    store = await opened(file)
    await store.commit([*trouble(), saved(incident("payments"))])
    async with store.writing() as connection:
        await connection.exec_driver_sql("UPDATE conditions SET status = 'fine' WHERE probe = ''")
        await connection.exec_driver_sql("UPDATE tracks SET document = '{'")
        await connection.exec_driver_sql("UPDATE incidents SET stage = 'resolved' WHERE key LIKE '%payments%'")
    problems = await store.check()
    assert len(problems) == 3
    assert "conditions: the row checkout,  cannot be read" in problems[0]
    assert "tracks: the row checkout, http, here cannot be read" in problems[1]
    assert problems[2] == f"incidents: stage of {incident('payments').id} is not that of its document"
    await store.close()


async def test_no_statement_reads_all_of_a_large_table(file: Path) -> None:
    """Millions of runs do not make a commit, a restart or a page slower: each finds its rows by an index."""
    store, said = await opened(file), []
    for engine in (store.writer, store.reader):
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *args: said.append(args[2:4]))
    await store.commit([*trouble(), run(after(1)), run(after(2), probe="tls")])
    await store.commit([run(after(1))])
    await store.recall(NOON)
    await store.history(NOON, after(60))
    await store.observations("checkout", "http", since=NOON, until=after(60), limit=9)
    for step in (timedelta(minutes=1), timedelta(hours=6)):
        await store.bins("checkout", ["http", "tls"], ["here", "there"], Grid(NOON, after(600), step))
    await store.versions("checkout", NOON)
    await store.rename({"checkout": "cart"})
    await store.sweep(NOON, timedelta(days=1), timedelta(days=1))
    await store.close()

    scans = set()
    with closing(sqlite3.connect(file)) as other:
        for statement, parameters in said:
            first = parameters[0] if isinstance(parameters, list) else parameters
            if statement.startswith(("SELECT", "INSERT", "UPDATE", "DELETE")):
                plan = [row[3] for row in other.execute(f"EXPLAIN QUERY PLAN {statement}", first)]
                scans |= {
                    (step, statement) for step in plan if step.startswith(("SCAN runs", "SCAN rollups", "SCAN forms"))
                }
    assert len(said) > 30
    assert scans == set()


async def test_the_public_way_to_open_a_store(file: Path) -> None:
    """A URL is all it takes."""
    store = await open_store(f"sqlite:///{file}")
    await store.commit(trouble())
    await store.close()
    store = await open_store(f"sqlite:///{file}", readonly=True)
    assert len((await store.recall(NOON)).incidents) == 1
    await store.close()


async def test_the_hours_of_a_source_are_read_only_where_there_may_be_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour that began after every run of a source has nothing stored; with thousands of sources, reading that would
    hold up each new hour. What is late, or was counted before a restart, is read and added to."""
    url, asked, read = f"sqlite:///{tmp_path}/monitor.db", list[int](), queries.stored_hours

    async def watched(connection: AsyncConnection, hours: Sequence[tuple[Key, datetime]]) -> dict[Any, Rollup]:
        found = await read(connection, hours)
        asked.append(len(hours))
        assert found.keys() <= set(hours)
        return found

    monkeypatch.setattr(queries, "stored_hours", watched)
    store = await open_sql(url)
    hour = 3600.0
    for at in (10, hour + 10, 3 * hour + 10, 20, 3 * hour + 20):
        await store.commit([run(after(at)), run(after(at), probe="tls")])
    assert asked == [2, 0, 0, 2, 0]  # the fourth is late
    await store.close()
    store = await open_sql(url)
    await store.commit([run(after(3 * hour + 30))])
    assert asked[-1] == 1
    grid = Grid(after(0), after(4 * hour), timedelta(hours=1))
    found = await store.bins("checkout", ["http", "tls"], ["here"], grid)
    counted = {key[0]: {at: one.runs for at, one in bins.items()} for key, bins in found.items()}
    assert counted["http"] == {after(0): 2, after(hour): 1, after(3 * hour): 3}
    assert counted["tls"] == {after(0): 2, after(hour): 1, after(3 * hour): 2}
    await store.close()
