"""A disk that is full, that fails or that somebody else keeps locked: the program goes on from memory, says so once,
and writes everything down when it can.
"""

import os
import resource
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.processes.running import Program, eventually, get
from tests.processes.stations import Hook, Station, everything, hook
from tests.processes.whole import whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

LAG = 1.0  # seconds: a disk that kept the loop waiting would do so for five; the rest is what others do here


class Target:
    """What the module asks; it works until it is told not to. `asked` counts."""

    def __init__(self) -> None:
        self.works, self.asked = True, 0

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(status=200 if self.works else 503)


@asynccontextmanager
async def target(port: int) -> AsyncIterator[Target]:
    found, app = Target(), web.Application()
    app.router.add_get("/", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield found
    finally:
        await runner.cleanup()


class Scene:
    """A monitor that has seen its module work, and everything around it."""

    def __init__(self, station: Station, receiver: Hook, target: Target, one: Program) -> None:
        self.station, self.receiver, self.target, self.one = station, receiver, target, one

    async def fails_meanwhile(self) -> None:
        """While nothing can be stored: an outage is seen and told, and so is the trouble with the store, once."""
        await eventually(lambda: self.station.series("monitor_store_writable") == 0, 60, "the store refuses")
        asked = self.target.asked
        self.target.works = False
        await eventually(lambda: self.said("opened"), 60, "the outage is told")
        await eventually(lambda: self.said("storage"), 60, "that nothing can be stored is told")
        assert self.station.series("monitor_event_loop_lag_seconds") < LAG
        await eventually(lambda: self.target.asked > asked + 4, 60, "probing goes on")
        assert "self.storage" in get(f"http://127.0.0.1:{self.station.ops}/api/ops/v1/status")[1]

    async def works_again(self, leave: bool = True) -> None:
        """By itself; everything is stored, and nothing was told twice."""
        await eventually(lambda: self.station.series("monitor_store_writable") == 1, 60, "the store takes writes")
        await eventually(lambda: self.one.output.count("the outbox is written down again"), 60, "the outbox as well")
        assert len(self.said("storage")) == len(self.said("opened")) == 1
        if leave:
            assert await self.one.leave() == 0

    def said(self, word: str) -> list[str]:
        """The ids of notices of an event, or for a reason."""
        return [one["event_id"] for one in self.receiver.at("/chat") if word in (one["event"], one["why"])]

    def is_stored(self) -> None:
        """What was told stands in the database, which is whole."""
        rows = self.station.rows
        assert rows("PRAGMA integrity_check") == [("ok",)]
        stored = {f"{incident}-{seq}" for incident, seq in rows("SELECT incident, seq FROM happenings")}
        told = {id for id in everything(self.receiver.at("/chat")) if not id.startswith("self:")}
        assert told == stored
        assert rows("SELECT DISTINCT state FROM outbox") in ([("delivered",)], [("delivered",), ("collapsed",)])
        assert rows("SELECT count(*) FROM incidents") == [(1,)]
        failed = "SELECT count(*) FROM observations WHERE outcome = 'failed'"
        assert rows(failed)[0][0] >= 2, "what was seen while nothing could be stored"


@asynccontextmanager
async def scene(station: Station, receiver: Hook) -> AsyncIterator[Scene]:
    async with target(station.target) as asked, station.running() as one:
        page = f"http://127.0.0.1:{station.page}/api/v1/status.json"
        await eventually(lambda: '"status":"up"' in get(page)[1], 60, "the module works")
        yield Scene(station, receiver, asked, one)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Station, Hook]]:
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        yield Station(folder, [channel], interval="5s"), receiver


def own_file_system(folder: Path, size: str) -> tuple[str, ...]:
    """The command by which a program has a small file system of its own at `folder`, gone with the program."""
    unshare = ("unshare", "--mount") if os.geteuid() == 0 else ("unshare", "--user", "--map-root-user", "--mount")
    command = (*unshare, "sh", "-c", f'mount -t tmpfs -o size={size} none "{folder}" && exec "$@"', "sh")
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    return command


async def test_a_full_disk_stops_neither_probing_nor_paging(tmp_path: Path) -> None:
    """A real file system without a free block: the outage is told, the old page stays whole, and once there is space
    everything is written down."""
    data = tmp_path / "data"
    data.mkdir()
    async with watched(tmp_path) as (station, receiver):
        station.before = own_file_system(data, "8m")
        async with scene(station, receiver) as seen:
            inside = Path(f"/proc/{seen.one.process.pid}/root{data}")
            fill(inside / "fill")
            await seen.fails_meanwhile()
            whole(published(inside))
            (inside / "fill").unlink()
            copied = tmp_path / "copied"
            await seen.works_again(leave=False)
            shutil.copytree(inside, copied, symlinks=True)
            whole(published(inside))
            assert await seen.one.leave() == 0
        shutil.rmtree(data)
        copied.rename(data)
        assert station.rows("PRAGMA integrity_check") == [("ok",)]
        assert station.rows("SELECT count(*) FROM incidents") == [(1,)]


def published(data: Path) -> Path:
    """The folder of the publication in force, also seen from outside."""
    return data / (data / "public").readlink()


def fill(file: Path) -> None:
    """Leaves no block of a file system free."""
    with file.open("wb", buffering=0) as rest:
        for size in (65536, 4096, 1):
            try:
                while True:
                    rest.write(bytes(size))
            except OSError:
                continue


async def test_a_disk_that_reports_errors_stops_neither_probing_nor_paging(tmp_path: Path) -> None:
    """Every write of the process to any file fails, to its log as well: as with a broken disk."""
    async with watched(tmp_path) as (station, receiver), scene(station, receiver) as seen:
        pid = seen.one.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
        await seen.fails_meanwhile()
        whole(tmp_path / "data" / "public")
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))
        await seen.works_again()
        seen.is_stored()
        whole(tmp_path / "data" / "public")


async def test_a_database_that_somebody_keeps_locked_loses_nothing(tmp_path: Path) -> None:
    """Another program holds it for half a minute; the loop does not wait for it, and everything is stored after."""
    async with watched(tmp_path) as (station, receiver), scene(station, receiver) as seen:
        with closing(sqlite3.connect(tmp_path / "data" / "monitor.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            await seen.fails_meanwhile()
            other.execute("ROLLBACK")
        await seen.works_again()
        seen.is_stored()
        runs = station.rows("SELECT count(*) FROM observations WHERE module = 'files'")[0][0]
        assert runs >= seen.target.asked - 1, "one may have been under way at the end"


async def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Standard error on a device that is always full."""
    async with watched(tmp_path) as (station, receiver):
        station.before = ("sh", "-c", 'exec "$@" > /dev/full 2>&1', "sh")
        async with scene(station, receiver) as seen:
            seen.target.works = False
            await eventually(lambda: seen.said("opened"), 60, "the outage is told")
            assert await seen.one.leave() == 0
