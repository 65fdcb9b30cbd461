"""A PostgreSQL server that is stopped, that hangs, and whose answer gets lost: judging and notices go on from memory,
and afterwards everything is there once.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Server, own_server, own_server_on_a_disk, say
from tests.processes.running import eventually, free_port
from tests.processes.stations import Station, hook
from tests.processes.test_disk import fill
from tests.processes.troubled import scene, target

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
asyncpg = pytest.importorskip("asyncpg")


@pytest.fixture
def server() -> Iterator[Server]:
    with own_server() as one:
        yield one


def rows(server: Server, query: str) -> list[tuple[Any, ...]]:
    """What a query gives."""

    async def ask() -> list[tuple[Any, ...]]:
        connection = await asyncpg.connect(server.dsn)
        try:
            return [tuple(row) for row in await connection.fetch(query)]
        finally:
            await connection.close()

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, ask()).result()


@pytest.mark.parametrize("away", [0.0, 120.0], ids=["for a moment", "for two minutes more"])
async def test_a_server_that_is_away_costs_neither_notice_nor_fact(tmp_path: Path, server: Server, away: float) -> None:
    """It is stopped, an outage begins and is told; it is back, and holds one incident with all that was said of it, and
    every run."""
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        station = Station(tmp_path, [channel], interval="5s", more=f', database: "{server.dsn}"')
        async with scene(station, receiver) as seen:
            seen.rows = lambda query: rows(server, query)
            await asyncio.to_thread(server.stop)
            before = station.series("process_resident_memory_bytes")
            await seen.fails_meanwhile()
            await asyncio.sleep(away)
            grew = station.series("process_resident_memory_bytes") - before
            print(f"{grew / 1e6:+.0f} MB while it was away")
            assert grew < 50e6
            await asyncio.to_thread(server.serve)
            await seen.works_again()
        seen.is_stored()
        stored = rows(server, "SELECT count(*) FROM observations WHERE module = 'files'")[0][0]
        print(f"{stored} runs stored of {seen.target.asked} asked")
        assert stored >= seen.target.asked - 1, "one may have been under way at the end"


def beside(station: Station, port: int) -> None:
    """Fifty more modules, which work: much is written, and the free room within the tables lasts for seconds."""
    modules = "".join(
        f'  - {{id: m{n}, probes: [{{id: p, url: "http://127.0.0.1:{port}/", allow_private: true, interval: 5s}}]}}\n'
        for n in range(50)
    )
    station.file.write_text(station.file.read_text().replace("channels:", f"{modules}channels:"))


@pytest.mark.parametrize("logs", [False, True], ids=["its tables", "its log as well"])
async def test_a_server_whose_disk_is_full_costs_neither_notice_nor_fact(tmp_path: Path, logs: bool) -> None:
    """It refuses what is new, or ends when not even its log has room; an outage begins and is told. Once there is space
    it holds one incident with all that was said of it, and every run."""
    with own_server_on_a_disk("80m") as server:
        async with hook() as receiver, target(port := free_port()):
            channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
            station = Station(tmp_path, [channel], interval="5s", more=f', database: "{server.dsn}"')
            beside(station, port)
            async with scene(station, receiver) as seen:
                seen.rows = lambda query: rows(server, query)
                fill(server.data / "fill")
                if logs:
                    with suppress(asyncpg.PostgresError, OSError):
                        for _ in range(9):
                            await say(server.dsn, "SELECT pg_switch_wal()")
                await seen.fails_meanwhile()
                (server.data / "fill").unlink()
                if not server.runs():
                    await asyncio.to_thread(server.serve)
                await seen.works_again()
            seen.is_stored()
            stored = rows(server, "SELECT count(*) FROM observations WHERE module = 'files'")[0][0]
            assert stored >= seen.target.asked - 1, "one may have been under way at the end"
            assert "Traceback" not in seen.one.output


async def test_a_server_that_hangs_keeps_neither_notices_nor_the_end_waiting(tmp_path: Path, server: Server) -> None:
    """It takes what is sent and answers nothing: the outage is told all the same, a stop ends in time, and once it goes
    on it has what was said to be stored."""
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        station = Station(tmp_path, [channel], interval="5s", more=f', database: "{server.dsn}"')
        async with scene(station, receiver) as seen:
            pids = server.pids()
            try:
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                await seen.fails_meanwhile()
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
                await seen.works_again(leave=False)
                seen.rows = lambda query: rows(server, query)
                await eventually(
                    lambda: rows(server, "SELECT 1 FROM outbox WHERE state = 'delivered'"), 60, "it is told"
                )
                pids = server.pids()
                for pid in pids:
                    os.kill(pid, signal.SIGSTOP)
                await asyncio.sleep(6)
                assert await seen.one.leave(within=20) == 0
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)
        seen.is_stored()
