"""A million stored runs, and little memory: the program starts, answers, and is killed and back as with none."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.running import eventually, get
from tests.processes.stations import killed
from tests.processes.troubled import scene, watched

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

RUNS = 1_000_000
MEMORY = 256_000  # kB that it may need
ADDRESSES = 1_000_000  # kB that it may ask for; threads and mapped files count, used or not


def fill(database: Path) -> None:
    """Copies the first run to every ten minutes of the past."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {RUNS}) "
            "INSERT INTO runs (source, at, form, duration, rest) "
            "SELECT first.source, first.at - n.i * 600000000, first.form, first.duration, first.rest "
            "FROM n, (SELECT runs.* FROM runs JOIN sources s ON s.id = source WHERE module = 'files' LIMIT 1) AS first"
        )
        connection.commit()


def kilobytes(pid: int) -> int:
    """The most memory that a process had."""
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in status if line.startswith("VmHWM")).split()[1])


async def test_a_million_stored_runs_cost_no_memory(tmp_path: Path) -> None:
    """With a limit on what it may ask for: it listens, publishes, tells of an outage, and goes on after a kill."""
    async with watched(tmp_path) as (station, receiver):
        async with scene(station, receiver) as seen:
            assert await seen.one.leave() == 0
        fill(tmp_path / "data" / "monitor.db")
        station.before = ("sh", "-c", f'ulimit -v {ADDRESSES}; exec "$@"', "sh")
        async with scene(station, receiver) as seen:
            seen.target.works = False
            await eventually(lambda: seen.said("opened"), 60, "the outage is told")
            most = kilobytes(seen.one.process.pid)
            assert most < MEMORY
            await eventually(station.has_delivered_all, 60, "and that is on disk: a kill before that repeats it")
            await killed(seen.one)
        async with station.running() as one:
            page = f"http://127.0.0.1:{station.page}/api/v1/status.json"
            await eventually(lambda: '"status":"down"' in get(page)[1], 60, "it goes on where it was")
            assert await one.leave() == 0
        assert len(seen.said("opened")) == 1
        assert station.rows("SELECT count(*) FROM observations")[0][0] > RUNS
        print(f"{most} kB at most")
