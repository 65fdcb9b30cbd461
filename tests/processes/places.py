"""Places: the real program with real agents, each in a network of its own that one cable joins to ours.

A web server answers each place as it is told to; a Mosquitto is the broker; cables are pulled and put back.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, closing
from pathlib import Path
from typing import Any

from tests.processes.enclave import Enclave, enclave
from tests.processes.running import Program, eventually, program
from tests.programs import path_of

PLACES = {name: number for number, name in enumerate(("sao", "mia", "fra"), 1)}
HOSTS = {"a": "11.0.0.1", "b": "11.0.0.2", "c": "11.0.0.3", "only-fra": "11.0.0.4"}
CANARIES = [f"11.0.1.{number}" for number in range(1, 4)]
PORT, BROKER = 8000, 1883
SERVER = """
import asyncio, json, pathlib, sys
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    peer, here = writer.get_extra_info("peername")[0], writer.get_extra_info("sockname")[0]
    failing = here in json.loads(pathlib.Path(sys.argv[1]).read_text()).get(peer, ())
    status = b"503 Service Unavailable" if failing else b"200 OK"
    writer.write(b"HTTP/1.1 " + status + b"\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\nok")
    await writer.drain()
    writer.close()
async def main():
    server = await asyncio.start_server(answer, "0.0.0.0", int(sys.argv[2]), backlog=1024)
    print("open", flush=True)
    await server.serve_forever()
asyncio.run(main())
"""


def secret(place: str) -> str:
    """What the agent of a place and the core know."""
    return f"{place}-0123456789-abcdefghijklmnopqrstuvwxyz"


def configuration() -> str:
    """Three modules that three places look at, and one that only the last of them does."""
    canaries = ", ".join(f'"http://{one}:{PORT}/"' for one in CANARIES)
    places = "\n".join(f'  - {{id: {name}, domain: {name}, secret: "{secret(name)}"}}' for name in PLACES)
    modules = "\n".join(
        f"  - id: {id}\n    probes:\n"
        f'      - {{id: home, kind: http, url: "http://{host}:{PORT}/", locations: [{", ".join(_seen_from(id))}]}}'
        for id, host in HOSTS.items()
    )
    return f"""\
version: 1
site: {{languages: [en]}}
monitor:
  public: "127.0.0.1:8080"
  ops: "127.0.0.1:9464"
  canaries: [{canaries}]
  broker: mqtt://127.0.0.1:{BROKER}
locations:
{places}
defaults: {{interval: 5s, timeout: 2s, confirm: 2s}}
modules:
{modules}
"""


def _seen_from(module: str) -> list[str]:
    return ["fra"] if module == "only-fra" else list(PLACES)


class World:
    """A core, a broker, and the agents by place."""

    def __init__(self, inside: Enclave, folder: Path, stack: AsyncExitStack) -> None:
        self.inside, self.folder, self._stack = inside, folder, stack
        self.agents: dict[str, Program] = {}
        self._answers = folder / "answers.json"
        self.fail({})

    def fail(self, modules: Mapping[str, list[str]]) -> None:
        """From now on these modules fail, as seen from each place."""
        told = {f"10.77.{PLACES[place]}.2": [HOSTS[one] for one in failing] for place, failing in modules.items()}
        fresh = self._answers.with_suffix(".new")
        fresh.write_text(json.dumps(told))
        fresh.replace(self._answers)

    def cut(self, place: str) -> None:
        """Pulls the cable of a place: it reaches neither the modules nor the broker."""
        self.inside.do(f"ip link set v{PLACES[place]} down")

    def plug(self, place: str) -> None:
        """Puts it back."""
        self.inside.do(f"ip link set v{PLACES[place]} up")

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database of the core."""
        with closing(sqlite3.connect(f"file:{self.inside.data / 'monitor.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    async def are(self, within: float, **statuses: str) -> float:
        """Seconds until these modules have these statuses."""
        began = time.monotonic()
        wanted = {id.replace("_", "-"): status for id, status in statuses.items()}

        def so() -> bool:
            found = self.inside.statuses()
            return all(found[id] == status for id, status in wanted.items())

        await eventually(so, within, f"{wanted}, not {self.inside.statuses()}")
        return time.monotonic() - began

    def own(self) -> tuple[str, str | None]:
        """How the monitor says it is itself."""
        said = self.inside.status()["monitor"]
        return said["status"], said["reason"]

    def seen(self, module: str) -> dict[str, str]:
        """What each place sees of a module, as it is published."""
        (found,) = (one for one in self.inside.status()["modules"] if one["id"] == module)
        return {place["id"]: place["status"] for place in found["locations"]}

    async def begin(self) -> None:
        """The core begins, or begins again."""
        self.core = await self._stack.enter_async_context(self.inside.running(configuration()))

    async def serve(self) -> None:
        """The web server and the broker."""
        inside, conf = self.inside, self.folder / "mosquitto.conf"
        conf.write_text(f"listener {BROKER} 0.0.0.0\nallow_anonymous true\nuser root\n")
        inside.do(*(f"ip addr add {one}/32 dev lo" for one in (*HOSTS.values(), *CANARIES)))
        server = (sys.executable, "-c", SERVER, str(self._answers), str(PORT))
        one = await asyncio.create_subprocess_exec(*inside.enter, *server, stdout=asyncio.subprocess.PIPE)
        inside.keep(one)
        assert one.stdout is not None
        assert await one.stdout.readline() == b"open\n"
        with (self.folder / "mosquitto.log").open("ab") as log:
            broker = (path_of("mosquitto"), "-c", str(conf))
            inside.keep(await asyncio.create_subprocess_exec(*inside.enter, *broker, stdout=log, stderr=log))

    @asynccontextmanager
    async def agent(self, place: str) -> AsyncIterator[Program]:
        """The agent of a place, in a network that one cable joins to ours."""
        number, folder = PLACES[place], self.folder / place
        folder.mkdir(exist_ok=True)
        holder = await asyncio.create_subprocess_exec(
            *self.inside.enter, *("unshare", "-n", "sh", "-c", "ip link set lo up && echo in && exec sleep 1000"),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.inside.keep(holder)
        assert holder.stdout is not None
        assert await holder.stdout.readline() == b"in\n"
        there = Enclave(holder.pid, folder)
        self.inside.do(
            f"ip link add v{number} type veth peer name e{number} netns {holder.pid}",
            f"ip addr add 10.77.{number}.1/24 dev v{number}",
            f"ip link set v{number} up",
        )
        there.do(
            f"ip addr add 10.77.{number}.2/24 dev e{number}",
            f"ip link set e{number} up",
            f"ip route add default via 10.77.{number}.1",
        )
        command = ("agent", "--location", place, "--broker", f"mqtt://10.77.{number}.1:{BROKER}")
        command = (*command, "--data", str(folder / "data"))
        async with program(
            *command, log=folder / "log", before=there.enter, MONITOR_LOCATION_SECRET=secret(place)
        ) as one:
            self.agents[place] = one
            yield one


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[World]:
    """The core with an agent at every place, from the moment at which everything is up."""
    async with enclave(folder) as inside, AsyncExitStack() as stack:
        one = World(inside, folder, stack)
        await one.serve()
        await one.begin()
        for place in PLACES:
            await stack.enter_async_context(one.agent(place))
        await one.are(60, **{id.replace("-", "_"): "up" for id in HOSTS})
        yield one
        assert await one.core.leave() == 0
        for agent in one.agents.values():
            assert await agent.leave() == 0
