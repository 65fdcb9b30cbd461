"""A disk that is full, that fails or that somebody else keeps locked: the program goes on from memory, says so once,
and writes everything down when it can.
"""

import asyncio
import os
import resource
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.processes.running import eventually, get
from tests.processes.stations import killed
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


@contextmanager
def disk_of_its_own(folder: Path) -> Iterator[None]:
    """A file system on a disk that is a file, mounted at `folder`; there again after each use."""
    folder.mkdir(exist_ok=True)
    image = folder.with_suffix(".img")
    if not image.exists():
        with image.open("wb") as file:
            file.truncate(64 << 20)
        if shutil.which("mkfs.ext4") is None or subprocess.run(["mkfs.ext4", "-qF", image], check=False).returncode:
            pytest.skip("no file system can be made here")
    if subprocess.run(["mount", "-o", "loop", image, folder], capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def turn_read_only(folder: Path) -> None:
    """As if the disk had reported an error: at once, whoever has files open there."""
    subprocess.run(["mount", "-o", "remount,abort", folder], check=True)


async def test_a_file_system_that_becomes_read_only_stops_neither_probing_nor_paging(tmp_path: Path) -> None:
    """As ext4 does after an error, whoever has files open: the outage is told, nobody is called down for it, the last
    page stands, a stop is a clean one; and on the disk that was mended everything is whole up to that moment."""
    data = tmp_path / "data"
    async with watched(tmp_path) as (station, receiver):
        with disk_of_its_own(data):
            async with scene(station, receiver) as seen:
                stored = seen.target.asked
                await asyncio.sleep(2)
                turn_read_only(data)
                await seen.fails_meanwhile()
                whole(data / "public")
                assert get(f"http://127.0.0.1:{station.page}/")[0] == 200
                began = time.monotonic()
                assert await seen.one.leave() == 0
                print(f"left after {time.monotonic() - began:.1f} s")
                assert "Traceback" not in seen.one.output
        with disk_of_its_own(data):
            assert station.rows("PRAGMA integrity_check") == [("ok",)]
            assert station.rows("SELECT count(*) FROM incidents") == [(0,)]
            assert station.rows("SELECT count(*) FROM observations WHERE module = 'files'")[0][0] >= stored - 1
            async with scene(station, receiver) as seen:
                assert await seen.one.leave() == 0


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


async def test_no_number_is_given_twice_by_a_monitor_that_is_killed_while_nothing_can_be_stored(
    tmp_path: Path,
) -> None:
    """People hear the end of an outage that the store never hears of; the end that the next process sees is another
    event, under another number."""
    async with watched(tmp_path) as (station, receiver):
        async with scene(station, receiver) as seen:
            seen.target.works = False
            await eventually(lambda: seen.said("opened"), 60, "the outage is told")
            await eventually(station.has_delivered_all, 30, "and that is stored")
            with closing(sqlite3.connect(tmp_path / "data" / "monitor.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                seen.target.works = True
                await eventually(lambda: seen.said("resolved"), 150, "the end is told from memory")
                await killed(seen.one)
        async with scene(station, receiver) as seen:
            await eventually(lambda: len(set(seen.said("resolved"))) == 2, 150, "the end is told again")
            assert await seen.one.leave() == 0
    (opened,), (first, second) = set(seen.said("opened")), dict.fromkeys(seen.said("resolved"))
    numbers = [int(one.rpartition("-")[2]) for one in (opened, first, second)]
    assert numbers == sorted(set(numbers)), (opened, first, second)
    assert {one.rpartition("-")[0] for one in (first, second)} == {opened.rpartition("-")[0]}


async def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    """Standard error on a device that is always full."""
    async with watched(tmp_path) as (station, receiver):
        station.before = ("sh", "-c", 'exec "$@" > /dev/full 2>&1', "sh")
        async with scene(station, receiver) as seen:
            seen.target.works = False
            await eventually(lambda: seen.said("opened"), 60, "the outage is told")
            assert await seen.one.leave() == 0
