"""Two agents of one place divide its probes; whatever becomes of one of them, every probe is asked, and none is taken
twice.
"""

import asyncio
import re
import signal
import sqlite3
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.notify.test_mqtt import mosquitto
from tests.places.test_link import PLAIN
from tests.processes.running import Program, eventually, free_port, get, program

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PROBES, EVERY = 40, 5
SECRET = "sao-0123456789-abcdefghijklmnopqrstuvwxyz"


class Cable:
    """What joins an agent to the broker; cut, it takes nothing and lets nobody in."""

    def __init__(self, broker: int) -> None:
        self.port, self._broker = free_port(), broker
        self._ends: set[asyncio.StreamWriter] = set()

    async def plug(self) -> None:
        self._server = await asyncio.start_server(self._join, "127.0.0.1", self.port)

    def cut(self) -> None:
        self._server.close()
        for end in tuple(self._ends):
            end.close()

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", self._broker)
        self._ends |= {writer, out}
        try:
            with suppress(ConnectionError):
                await asyncio.gather(_carry(reader, out), _carry(there, writer))
        finally:
            for end in (writer, out):
                end.close()
                self._ends.discard(end)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


class Place:
    """A core, a broker, a shop that writes down when it was asked for what, and two agents of one place."""

    def __init__(self, folder: Path, broker: int, stack: AsyncExitStack) -> None:
        self.folder, self.broker, self._stack = folder, broker, stack
        self.page, self.ops, self.shop = free_port(), free_port(), free_port()
        self.asked: dict[str, list[float]] = defaultdict(list)
        self.cable = Cable(broker)
        self.agents: dict[str, Program] = {}

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.asked[head.split()[1]].append(time.time())
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        await writer.drain()
        writer.close()

    def configuration(self) -> str:
        """Forty probes of four modules, all of one place."""
        url = f"http://127.0.0.1:{self.shop}"
        modules = "".join(
            f"  - id: m{module}\n    probes:\n"
            + "".join(
                f'      - {{id: p{one}, kind: http, url: "{url}/m{module}/p{one}", allow_private: true}}\n'
                for one in range(PROBES // 4)
            )
            for module in range(4)
        )
        return (
            "version: 1\nsite: {languages: [en]}\n"
            f'monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}", '
            f'broker: "mqtt://127.0.0.1:{self.broker}"}}\n'
            f'locations: [{{id: here, domain: own}}, {{id: sao, domain: sao, secret: "{SECRET}"}}]\n'
            f"defaults: {{interval: {EVERY}s, timeout: 2s, confirm: 2s, locations: [sao]}}\nmodules:\n{modules}"
        )

    async def agent(self, name: str, port: int) -> None:
        """An agent with a data directory of its own; with the same again after it has ended."""
        command = ("agent", "--location", "sao", "--data", str(self.folder / name))
        broker = ("--broker", f"mqtt://127.0.0.1:{port}")
        one = program(*command, *broker, log=self.folder / f"{name}.log", MONITOR_LOCATION_SECRET=SECRET)
        self.agents[name] = await self._stack.enter_async_context(one)

    def part(self, name: str) -> int:
        """How many probes fall to an agent, as it said last; 0 before it said so."""
        log = self.folder / f"{name}.log"
        said = re.findall(rf"(\d+) of {PROBES} probes fall to us", log.read_text()) if log.exists() else []
        return int(said[-1]) if said else 0

    def is_divided(self) -> bool:
        """Whether each asks its part, and together all."""
        return 0 < self.part("one") < PROBES and self.part("one") + self.part("two") == PROBES

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database of the core."""
        with closing(sqlite3.connect(f"file:{self.folder / 'core/monitor.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def kept(self, since: float, until: float) -> dict[tuple[str, str], list[float]]:
        """When the runs that are stored of a time were made, by probe."""
        within = f"at BETWEEN {int(since * 1e6)} AND {int(until * 1e6)}"
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for module, probe, at in self.rows(f"SELECT module, probe, at FROM observations WHERE {within} ORDER BY at"):
            found[(module, probe)].append(at / 1e6)
        return found

    def is_calm(self) -> bool:
        """Whether nothing was ever down, and nobody was told anything."""
        moved = self.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')")
        return moved == self.rows("SELECT count(*) FROM incidents") == [(0,)]

    async def steady(self) -> None:
        """For a quarter of a minute each probe is asked at each point of its grid, by one agent."""
        began = time.time()
        await asyncio.sleep(3 * EVERY + 1)
        for path, times in self.asked.items():
            now = [one for one in times if one >= began]
            assert len(now) in (3, 4), (path, now)
        assert len(self.asked) == PROBES

    def figure(self, name: str) -> float:
        """A metric of the place."""
        (value,) = re.findall(
            rf'^{name}{{location="sao"}} (\S+)$', get(f"http://127.0.0.1:{self.ops}/metrics")[1], re.M
        )
        return float(value)


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """All of it, from the moment at which both agents have their part."""
    port = free_port()
    (folder / "broker").mkdir()
    with mosquitto(folder / "broker", PLAIN.format(port)):
        async with AsyncExitStack() as stack:
            one = Place(folder, port, stack)
            server = await asyncio.start_server(one.answer, "127.0.0.1", one.shop, backlog=1024)
            await stack.enter_async_context(server)
            await one.cable.plug()
            stack.callback(one.cable.cut)
            (folder / "probes.yaml").write_text(one.configuration())
            command = ("run", "--config", str(folder / "probes.yaml"), "--data", str(folder / "core"))
            core = await stack.enter_async_context(program(*command, log=folder / "core.log"))
            await one.agent("one", port)
            await one.agent("two", one.cable.port)
            began = time.monotonic()
            await eventually(one.is_divided, 60, "the probes are divided")
            print(f"divided {one.part('one')} and {one.part('two')}, {time.monotonic() - began:.1f} s after both began")
            yield one
            assert one.is_calm()
            assert await core.leave() == 0
            for agent in one.agents.values():
                if agent.process.returncode is None:
                    assert await agent.leave() == 0


async def test_what_an_agent_that_is_killed_asked_is_asked_by_the_other(tmp_path: Path) -> None:
    """Within 45 s, and divided again once it is back; nothing is down for it, and no point of a grid is taken twice."""
    async with place(tmp_path) as one:
        await one.steady()
        one.agents["two"].tell(signal.SIGKILL)
        killed = time.time()
        await eventually(lambda: all(times[-1] > killed + 0.1 for times in one.asked.values()), 45, "all are asked")
        print(f"all asked again {time.time() - killed:.1f} s after the kill")
        await eventually(lambda: one.part("one") == PROBES, 5, "all fall to the one that is left")
        await one.steady()
        await one.agent("two", one.cable.port)
        began = time.monotonic()
        await eventually(one.is_divided, 30, "divided again")
        print(f"divided again {time.monotonic() - began:.1f} s after it began")
        await asyncio.sleep(EVERY)
        await one.steady()
        until = time.time()
        kept = one.kept(killed - 3 * EVERY, until - 2)
        assert len(kept) == PROBES
        points = (until - 2 - killed) // EVERY + 3
        # Whoever takes a probe over asks it once besides its grid, and there were two changes of hands.
        assert all(len(times) <= points + 3 for times in kept.values()), {len(times) for times in kept.values()}


async def test_an_agent_that_is_cut_off_goes_on_and_nothing_is_taken_twice(tmp_path: Path) -> None:
    """The other asks its part as well meanwhile; what it brings when it is back is known already."""
    async with place(tmp_path) as one:
        await one.steady()
        own = one.part("two")
        before = one.figure("monitor_place_repeated_total")  # until the probes were divided both asked all of them
        one.cable.cut()
        cut = time.time()
        await eventually(lambda: one.part("one") == PROBES, 45, "all fall to the one that is heard of")
        print(f"all fall to the other {time.time() - cut:.1f} s after the cut")
        await asyncio.sleep(30)
        points = (time.time() - cut - 15) / EVERY
        twice = [times for times in one.asked.values() if sum(at > cut + 15 for at in times) > 1.5 * points]
        assert len(twice) == own  # it did go on with its part, and with no other
        await one.cable.plug()
        plugged = time.time()
        await eventually(lambda: one.is_divided() and one.figure("monitor_place_waiting") < 100, 45, "it is back")
        await eventually(lambda: one.figure("monitor_place_repeated_total") > before, 20, "what both saw is known")
        await asyncio.sleep(EVERY)
        print(f"{one.figure('monitor_place_repeated_total') - before:.0f} runs of both were left out")
        kept = one.kept(cut, plugged)
        points = (plugged - cut) // EVERY
        assert len(kept) == PROBES
        assert all(points - 1 <= len(times) <= points + 3 for times in kept.values()), kept


async def test_an_agent_that_stands_still_is_replaced_and_goes_on_with_its_part(tmp_path: Path) -> None:
    """Nobody says that it is gone; the others ask its part all the same, within 45 s."""
    async with place(tmp_path) as one:
        one.agents["two"].tell(signal.SIGSTOP)
        stopped = time.time()
        await eventually(lambda: all(times[-1] > stopped + 0.1 for times in one.asked.values()), 45, "all are asked")
        print(f"all asked again {time.time() - stopped:.1f} s after it was stopped")
        await asyncio.sleep(EVERY)
        one.agents["two"].tell(signal.SIGCONT)
        went_on = time.time()
        await eventually(one.is_divided, 30, "divided again")
        print(f"divided again {time.time() - went_on:.1f} s after it went on")
        await asyncio.sleep(EVERY)
        await one.steady()
