"""PostgreSQL fails over: the primary is stopped, or its machine answers nothing any more, and its standby is promoted.
The monitor, which names both, goes on with the one that takes writes: nothing is lost, nothing said twice.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgres import Server, own_pair
from tests.processes.running import eventually
from tests.processes.stations import Station, hook
from tests.processes.test_server_away import rows
from tests.processes.troubled import scene

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
pytest.importorskip("asyncpg")


@pytest.fixture
def pair() -> Iterator[tuple[Server, Server]]:
    with own_pair() as both:
        yield both


@pytest.mark.parametrize("how", ["stopped", "silent"])
async def test_a_server_that_fails_over_costs_neither_notice_nor_fact(
    tmp_path: Path, pair: tuple[Server, Server], how: str
) -> None:
    """An outage that begins between the two is told from memory, and stored by the one that was promoted."""
    primary, standby = pair
    named = f"postgresql://monitor@127.0.0.1:{primary.port},127.0.0.1:{standby.port}/postgres"
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        station = Station(tmp_path, [channel], interval="5s", more=f', database: "{named}"')
        async with scene(station, receiver) as seen:
            pids = primary.pids()
            try:
                if how == "stopped":
                    await asyncio.to_thread(primary.stop)
                else:
                    for pid in pids:
                        os.kill(pid, signal.SIGSTOP)
                await seen.fails_meanwhile()
                await asyncio.to_thread(standby.promote)
                await eventually(
                    lambda: station.series("monitor_store_writable") == 1, 100, "the other one takes writes"
                )
                await seen.works_again()
            finally:
                if how == "silent":
                    for pid in pids:
                        os.kill(pid, signal.SIGCONT)
        seen.rows = lambda query: rows(standby, query)
        seen.is_stored()
        stored = rows(standby, "SELECT count(*) FROM observations WHERE module = 'files'")[0][0]
        print(f"{stored} runs stored of {seen.target.asked} asked")
        assert stored >= seen.target.asked - 1, "one may have been under way at the end"
        assert "Traceback" not in seen.one.output
