"""Three agents and two cores over one broker and one PostgreSQL: whatever is killed, frozen or cut off during a story
of faults, people are told the story of a monitor that nobody disturbs.
"""

import asyncio
import os
import random
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path

import pytest

from tests.processes.pair import Pair, pair, watch
from tests.processes.places import PLACES, secret
from tests.processes.running import Program, eventually, free_port, program
from tests.processes.stations import Notice, Station, killed
from tests.processes.test_standby import disturbed, mended, modules_of, page, seen
from tests.programs import path_of

pytest.importorskip("asyncpg")

ROUNDS = int(os.environ.get("MONITOR_APART_ROUNDS", "2"))
CLOSE = 20.0  # seconds by which the beginning of an outage may be dated otherwise: nobody looked for a takeover
WAYS = ("kill", "agent frozen", "broker killed", "freeze", "agent killed", "partition")


class Broker:
    """A Mosquitto that is killed and comes back on its port, with nothing of what it held."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None
        (folder / "broker.conf").write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\nuser root\n")

    async def begin(self) -> None:
        with (self._folder / "broker.log").open("ab") as log:
            command = (path_of("mosquitto"), "-c", str(self._folder / "broker.conf"))
            self._process = await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log)

    async def end(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Apart:
    """The cores, what lies between, and the agents by place."""

    def __init__(self, folder: Path, cores: Pair, broker: Broker, stack: AsyncExitStack, chance: random.Random) -> None:
        self.cores, self.broker, self.agents = cores, broker, dict[str, Program]()
        self._folder, self._stack, self._chance = folder, stack, chance

    async def agent(self, place: str) -> None:
        """The agent of a place begins, or begins again on the disk it had."""
        command = ("agent", "--location", place, "--broker", f"mqtt://127.0.0.1:{self.broker.port}")
        folder = self._folder / place
        folder.mkdir(exist_ok=True)
        self.agents[place] = await self._stack.enter_async_context(
            program(*command, "--data", str(folder), log=folder / "log", MONITOR_LOCATION_SECRET=secret(place))
        )

    async def meets(self, way: str) -> "asyncio.Task[None]":
        """One part of it goes, at some moment; the task ends when that part is back."""
        place = self._chance.choice(list(PLACES))
        moment = self._chance.uniform(0, 8)
        if way in ("kill", "freeze", "partition"):
            await disturbed(self.cores, way, moment)
            return asyncio.create_task(mended(self.cores, way, self._stack))
        await asyncio.sleep(moment)
        if way == "broker killed":
            await self.broker.end()
        elif way == "agent killed":
            await killed(self.agents[place])
        else:
            self.agents[place].tell(signal.SIGSTOP)
        return asyncio.create_task(self._back(way, place))

    async def _back(self, way: str, place: str) -> None:
        await asyncio.sleep(self._chance.uniform(5, 40) if way != "broker killed" else self._chance.uniform(2, 10))
        if way == "broker killed":
            await self.broker.begin()
        elif way == "agent killed":
            await self.agent(place)
        else:
            self.agents[place].tell(signal.SIGCONT)


@asynccontextmanager
async def apart(folder: Path, database: str, parts: int, chance: random.Random) -> AsyncIterator[Apart]:
    """All of it, from the moment at which both cores say that every module is up as seen from three places."""
    broker = Broker(folder)
    places = "\n".join(f'  - {{id: {name}, domain: {name}, secret: "{secret(name)}"}}' for name in PLACES)
    elsewhere = f"locations:\n{places}\ndefaults: {{locations: [{', '.join(PLACES)}], "

    def spread_out(station: Station) -> None:
        watch(station, parts)
        text = station.file.read_text().replace("defaults: {", elsewhere, 1)
        station.file.write_text(text.replace("database:", f"broker: 'mqtt://127.0.0.1:{broker.port}', database:", 1))

    async with AsyncExitStack() as stack:
        await broker.begin()
        stack.push_async_callback(broker.end)
        cores = await stack.enter_async_context(pair(folder, database, prepare=spread_out))
        one = Apart(folder, cores, broker, stack, chance)
        for place in PLACES:
            await one.agent(place)
        for core in cores.both:
            await eventually(lambda core=core: page(core.station) == "up", 90, "every module is seen")
        yield one
        for agent in one.agents.values():
            agent.tell(signal.SIGCONT)
            assert await agent.leave() == 0
            assert "Traceback" not in agent.output


@pytest.mark.slow
@pytest.mark.timeout(180 + 240 * ROUNDS)
async def test_whatever_is_disturbed_the_story_is_that_of_a_monitor_that_nobody_disturbs(
    tmp_path: Path, postgres_url: str
) -> None:
    """One beside them watches the same modules alone: the same outages with the same causes, each told once opened and
    once resolved, and nothing else."""
    seed = int(os.environ.get("MONITOR_APART_SEED", "7"))
    chance = random.Random(seed)
    async with apart(tmp_path, postgres_url, ROUNDS, chance) as one, AsyncExitStack() as stack:
        cores = one.cores
        channel = f'alone: {{kind: webhook, url: "{cores.receiver.url}/alone"}}'
        (tmp_path / "alone").mkdir()
        alone = Station(tmp_path / "alone", [channel], interval="5s")
        alone.target = cores.both[0].station.target
        alone.use([channel])
        watch(alone, ROUNDS)
        await stack.enter_async_context(alone.running())
        await eventually(lambda: page(alone) == "up", 60, "all of it works")

        async def told(count: int, event: str) -> None:
            for path in ("/chat", "/alone"):
                await eventually(lambda path=path: len(seen(cores, path, event)) == count, 180, f"{path}: {event}")

        for number in range(ROUNDS):
            way = WAYS[number % len(WAYS)]
            print(f"round {number}: {way}")
            cores.target.broken = {f"/part-{number}"}
            back = await one.meets(way)
            await told(number + 1, "opened")
            await back
            cores.target.broken = set()
            await told(number + 1, "resolved")
        for core in cores.both:
            assert "Traceback" not in core.process.output
    stories = [[story(notice) for notice in seen(cores, path, "opened", "resolved").values()] for path in PATHS]
    assert [one[:-1] for one in stories[0]] == [one[:-1] for one in stories[1]]
    apart_by = [abs((here[-1] - there[-1]).total_seconds()) for here, there in zip(*stories, strict=True)]
    repeats = len(cores.receiver.at("/chat")) - len(seen(cores, "/chat"))
    print(f"seed {seed}: beginnings at most {max(apart_by):.1f} s apart; repeats under the same id: {repeats}")
    assert max(apart_by) < CLOSE


PATHS = ("/chat", "/alone")


def story(notice: Notice) -> tuple[str, list[str], str | None, str | None, datetime]:
    """What happened to which modules, which was the cause and why, and since when."""
    incident = notice["incident"]
    cause = incident["cause"]
    since = datetime.fromisoformat(incident["started_at"])
    return notice["event"], modules_of(notice), cause["module"], cause["code"], since
