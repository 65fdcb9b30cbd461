"""`kill -9` at any moment: whatever was said to be stored is stored, and the database is whole."""

import asyncio
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine, text

from monitor.store.connect import open_sql
from monitor.store.schema import HEAD
from tests.store.past import NOON, incident

WRITER = """
import asyncio, sys
from monitor.store import open_store
from tests.store.past import after, incident, run, trouble

async def write(url, first):
    store = await open_store(url)
    number = first
    while True:
        module = f"module-{number}"
        await store.commit([*trouble(module), *(run(after(n), module=module) for n in range(1, 20))])
        print(number, flush=True)
        number += 1

asyncio.run(write(sys.argv[1], int(sys.argv[2])))
"""


async def killed(url: str, first: int, seconds: float) -> int:
    """Lets a process write for so long, kills it, and returns the number after the last one it said was stored."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, str(first), stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2]
    )
    assert process.stdout is not None
    said = [await process.stdout.readline()]
    await asyncio.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    said += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()
    numbers = [int(line) for line in said if line.endswith(b"\n")]  # the last line may be cut
    return numbers[-1] + 1 if numbers else first


async def kill_again_and_again(url: str, times: int) -> None:
    """Kills a writer at times of a fixed series, and looks at what it left each time."""
    moments = random.Random(20261123)
    stored = 0
    for _ in range(times):
        stored = await killed(url, stored, moments.uniform(0, 0.3))
        store = await open_sql(url)
        assert await store.check() == []
        memory = await store.recall(NOON)
        known = {one.id for one in memory.incidents}
        missing = [number for number in range(stored) if incident(f"module-{number}").id not in known]
        await store.close()
        assert missing == []
        assert len(memory.modules) == len(known) == len(memory.tracks)  # whole steps only
        stored = len(known)


async def test_a_killed_writer_loses_nothing_it_said_it_stored(tmp_path: Path) -> None:
    """Twice, as a sample of the loop below."""
    await kill_again_and_again(f"sqlite:///{tmp_path}/monitor.db", 2)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_writer_killed_many_times_loses_nothing(tmp_path: Path) -> None:
    """Each time at another moment."""
    await kill_again_and_again(f"sqlite:///{tmp_path}/monitor.db", 12)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_writer_on_a_server_killed_many_times_loses_nothing(postgres_url: str) -> None:
    """The server takes back what was not committed."""
    await kill_again_and_again(postgres_url, 12)


def old_database(file: Path) -> None:
    """A database as the first version made it."""
    config = Config()
    config.set_main_option("script_location", "monitor:store/migrations")
    engine = create_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO conditions VALUES ('checkout', '', 'up', 1)"))
    engine.dispose()


OPENER = "import asyncio, sys; from monitor.store import open_store; asyncio.run(open_store(sys.argv[1]))"


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_killed_upgrade_is_whole_or_absent(tmp_path: Path) -> None:
    """At whatever moment: the next start finds the old tables or the new ones, and what was stored is there."""
    moments, old = random.Random(7), tmp_path / "old.db"
    await asyncio.to_thread(old_database, old)
    versions = set()
    for number in range(10):
        file = tmp_path / f"{number}.db"
        file.write_bytes(old.read_bytes())
        process = await asyncio.create_subprocess_exec(sys.executable, "-c", OPENER, f"sqlite:///{file}")
        while not file.with_name(f"{number}.db.lock").exists():  # noqa: ASYNC110 (a process tells nobody)
            await asyncio.sleep(0.01)
        await asyncio.sleep(moments.uniform(0, 0.8))
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()
        with closing(sqlite3.connect(file)) as connection:
            versions |= set(connection.execute("SELECT version_num FROM alembic_version").fetchall())
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        store = await open_sql(f"sqlite:///{file}")
        assert (await store.recall(NOON)).modules.keys() == {"checkout"}
        await store.close()
    assert versions <= {("0001",), (HEAD,)}
