"""A disk that is full, that fails or that somebody else keeps locked: the program goes on from memory, says so once,
and writes everything down when it can.
"""

import os
import resource
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.processes.running import eventually
from tests.processes.troubled import scene, watched
from tests.processes.whole import whole

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


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
        assert station.rows("PRAGMA integrity_check") == [("ok",)]
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
