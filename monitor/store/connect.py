"""Connect: from a URL to an open store whose schema is that of this version, or to one sentence that says why not."""

from pathlib import Path

from monitor.store import postgres, sqlite
from monitor.store.address import masked, sqlite_path
from monitor.store.contract import StoreUnusable
from monitor.store.failure import surroundings
from monitor.store.leases import SqlLeases
from monitor.store.sql import SqlStore
from monitor.store.upgrade import prepare


async def open_sql(url: str, *, readonly: bool = False, busy_seconds: float = sqlite.BUSY_SECONDS) -> SqlStore:
    """As `open_store`. `busy_seconds` is how long SQLite waits for a lock of somebody else."""
    path = sqlite_path(url)
    if path is None:
        return await _open_postgres(url, readonly=readonly)
    if readonly:
        return await _read_file(path, busy_seconds)
    return await _open_file(path, busy_seconds)


async def _open_postgres(url: str, *, readonly: bool) -> SqlStore:
    where = masked(url)
    with surroundings(where):
        engine = postgres.engine(url, readonly=readonly)
        try:
            await prepare(engine, where, readonly=readonly)
        except BaseException:
            await engine.dispose()
            raise
    leases = None if readonly else SqlLeases(where, postgres.engine(url, readonly=False, connections=1))
    return SqlStore(where, writer=engine, reader=engine, readonly=readonly, leases=leases)


async def _read_file(path: Path, busy_seconds: float) -> SqlStore:
    with surroundings(str(path)):
        if not sqlite.exists(path):
            raise StoreUnusable(f"there is no database at {path}: start the monitor, or run `monitor db upgrade`")
        reader = sqlite.reading_engine(path, busy_seconds)
        try:
            await prepare(reader, str(path), readonly=True)
        except BaseException:
            await reader.dispose()
            raise
    return SqlStore(str(path), writer=reader, reader=reader, readonly=True)


async def _open_file(path: Path, busy_seconds: float) -> SqlStore:
    """1. claim the file, 2. make it if there is none, 3. look for damage, 4. bring the schema up to date."""
    where, path = str(path), sqlite.unlinked(path)
    with surroundings(where):
        path.parent.mkdir(parents=True, exist_ok=True)
        hold = sqlite.Hold(path)
        try:
            if not sqlite.exists(path):
                draft = sqlite.begin_new(path)
                await _prepare_file(draft, where, busy_seconds)
                sqlite.finish_new(draft, path)
            else:
                await _prepare_file(path, where, busy_seconds)
        except BaseException:
            hold.release()
            raise
    return SqlStore(
        where,
        writer=sqlite.writing_engine(path, busy_seconds),
        reader=sqlite.reading_engine(path, busy_seconds),
        hold=hold,
    )


async def _prepare_file(path: Path, where: str, busy_seconds: float) -> None:
    await sqlite.examine_log(path, where)
    engine = sqlite.writing_engine(path, busy_seconds)
    try:
        await sqlite.examine(engine, path, where)
        await prepare(engine, where, readonly=False)
    finally:
        await engine.dispose()
