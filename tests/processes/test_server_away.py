"""A PostgreSQL server that is stopped, that hangs, and whose answer gets lost: judging and notices go on from memory,
and afterwards everything is there once.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.postgres import Server, own_server
from tests.processes.running import eventually
from tests.processes.stations import Station, hook
from tests.processes.troubled import scene

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


async def test_a_server_that_is_away_costs_neither_notice_nor_fact(tmp_path: Path, server: Server) -> None:
    """It is stopped, an outage begins and is told; it is back, and holds one incident with all that was said of it."""
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        station = Station(tmp_path, [channel], interval="5s", more=f', database: "{server.dsn}"')
        async with scene(station, receiver) as seen:
            seen.rows = lambda query: rows(server, query)
            await asyncio.to_thread(server.stop)
            await seen.fails_meanwhile()
            await asyncio.to_thread(server.serve)
            await seen.works_again()
        seen.is_stored()


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
