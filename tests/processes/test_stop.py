"""SIGTERM under load, more than once, and before anything is open: exit status 0, in time."""

import asyncio
import os
import random
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from aiohttp import web

from monitor.probers.seats import raise_limit
from tests.processes.running import Program, eventually, free_port, get, program
from tests.processes.stations import Notice, Station, hook, post

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IN_FLIGHT = int(os.environ.get("MONITOR_IN_FLIGHT", "1000"))  # with 10,000 it takes half a minute
STEADY = 5  # seconds without another one, as an overloaded monitor asks fewer
IN_TIME = 20  # seconds; it takes ten at most, and others are at work here


class Silent:
    """A server that takes connections and says nothing. `open` counts them."""

    def __init__(self) -> None:
        self.open, self.port = 0, 0

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while await reader.read(65536):
                pass
        except OSError:
            pass
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def silent() -> AsyncIterator[Silent]:
    found = Silent()
    server = await asyncio.start_server(found.handle, "127.0.0.1", 0, backlog=4096)
    found.port = server.sockets[0].getsockname()[1]
    async with server:
        yield found


async def never(path: str, notice: Notice) -> web.Response:
    """No answer in time."""
    await asyncio.sleep(3600)
    return web.Response()


def crowd(folder: Path, port: int, ops: int, chat: str, number: int) -> Path:
    """A configuration of so many modules, each of which is waited for while all are asked, and of a channel."""
    modules = "\n".join(
        f'  - {{id: m{n}, probes: [{{id: p, url: "http://127.0.0.1:{port}/{n}", allow_private: true}}]}}'
        for n in range(number)
    )
    file = folder / "probes.yaml"
    file.write_text(
        f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:1"}}
monitor: {{public: "127.0.0.1:{free_port()}", ops: "127.0.0.1:{ops}"}}
defaults: {{interval: 60s, timeout: 30s, confirm: 60s}}
modules:
{modules}
channels: {{chat: {{kind: webhook, url: "{chat}"}}}}
notify: [{{steps: [{{to: [chat]}}]}}]
"""
    )
    return file


async def test_a_stop_with_many_probes_in_flight_is_clean(tmp_path: Path) -> None:
    """None of them keeps it; told again and again meanwhile, by either signal, it leaves all the same and only once.
    What a person said is stored, and a notice under way is one that the next start sends at once."""
    raise_limit()
    async with silent() as server, hook() as receiver:
        receiver.answering = never
        ops = free_port()
        file = crowd(tmp_path, server.port, ops, f"{receiver.url}/chat", IN_FLIGHT)
        arguments = ("run", "--config", str(file), "--data", str(tmp_path / "data"))
        async with program(*arguments, log=tmp_path / "log") as one:
            most, grew_at = 0, time.monotonic()

            def steady() -> bool:
                nonlocal most, grew_at
                if server.open > most:
                    most, grew_at = server.open, time.monotonic()
                return most == IN_FLIGHT or (most > IN_FLIGHT // 3 and time.monotonic() - grew_at > STEADY)

            await eventually(lambda: get(f"http://127.0.0.1:{ops}/-/healthy")[0] == 200, 120, "it listens")
            await eventually(steady, 120, "they are in flight")
            said = {"title": "Trouble", "message": "It is so", "modules": ["m1"], "impact": "critical"}
            assert await asyncio.to_thread(post, f"http://127.0.0.1:{ops}/api/ops/v1/incidents", said)
            await eventually(lambda: receiver.at("/chat"), 60, "a notice is under way")
            began = time.monotonic()
            leaving = asyncio.create_task(one.leave(within=IN_TIME))
            while not leaving.done():
                await asyncio.sleep(0.1)
                for number in (signal.SIGTERM, signal.SIGINT):
                    if one.process.returncode is None:
                        one.tell(number)
            assert await leaving == 0
            took = time.monotonic() - began
        assert "Traceback" not in one.output
    with closing(sqlite3.connect(tmp_path / "data" / "monitor.db")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        letters = connection.execute("SELECT event, state, claimed_until FROM outbox").fetchall()
        assert letters == [("opened", "pending", None)]
    print(f"{most} in flight, gone after {took:.1f} s")


def minds(one: Program) -> bool:
    """Whether a process has said what is to happen at SIGTERM."""
    status = Path(f"/proc/{one.process.pid}/status").read_text()
    caught = int(next(line for line in status.splitlines() if line.startswith("SigCgt")).split()[1], 16)
    return bool(caught >> (signal.SIGTERM - 1) & 1)


async def test_a_stop_while_it_starts_is_clean(tmp_path: Path) -> None:
    """While the configuration is read, the database is made or read, the first page is written."""
    chance = random.Random(23)
    station = Station(tmp_path, ['log: {kind: webhook, url: "http://127.0.0.1:1/"}'])
    for round in range(10):
        async with station.begun() as one:
            await eventually(lambda one=one: minds(one), 30, "it minds signals")  # type: ignore[misc]
            await asyncio.sleep(chance.uniform(0, 0.4 if round % 2 else 2.0))
            assert await one.leave(chance.choice([signal.SIGTERM, signal.SIGINT]), within=IN_TIME) == 0
    assert "Traceback" not in one.output
    assert station.rows("PRAGMA integrity_check") == [("ok",)]
    async with station.running() as one:
        assert await one.leave(within=IN_TIME) == 0
