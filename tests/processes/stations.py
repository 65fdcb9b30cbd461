"""Stations: the real program with channels of every kind, and the receivers that it tells."""

import asyncio
import json
import re
import signal
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

import aiomqtt
from aiohttp import web

from tests.processes.running import Program, eventually, free_port, get, program

Notice = dict[str, Any]


class Station:
    """Ports and configuration of a monitor that tells these channels, each a line of YAML. With an interval its one
    module is asked, and fails; without one trouble is what people say."""

    def __init__(self, folder: Path, channels: Iterable[str], interval: str | None = None, more: str = "") -> None:
        self.folder = folder
        self.page, self.ops, self.target = free_port(), free_port(), free_port()
        self.file = folder / "probes.yaml"
        self.interval, self.more = interval, more
        self.before: tuple[str, ...] = ()  # a command that ends in calling the program
        self.use(channels)

    def use(self, channels: Iterable[str]) -> None:
        """Writes the configuration with these channels."""
        lines = list(channels)
        probe = f'{{id: home, url: "http://127.0.0.1:{self.target}/", allow_private: true, interval: {self.interval}}}'
        names = ", ".join(line.partition(":")[0] for line in lines)
        self.file.write_text(
            f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{self.page}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"{self.more}}}
defaults: {{timeout: 2s, confirm: 1s}}
modules:
  - id: files
    probes: [{"" if self.interval is None else probe}]
channels:
  {f"{chr(10)}  ".join(lines)}
notify: [{{steps: [{{to: [{names}]}}]}}]
"""
        )

    def rename(self, name: str) -> None:
        """Gives the site another name in the configuration."""
        lines = self.file.read_text().splitlines()
        self.file.write_text(
            "\n".join(re.sub(r"^site: {(name: [^,]*, )?", f"site: {{name: {name}, ", x) for x in lines)
        )

    @asynccontextmanager
    async def begun(self) -> AsyncIterator[Program]:
        """The program, from the moment it was called."""
        arguments = ("run", "--config", str(self.file), "--data", str(self.folder / "data"))
        async with program(*arguments, log=self.folder / "log", before=self.before) as one:
            yield one

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Program]:
        """The program, from the moment it listens."""
        async with self.begun() as one:
            await eventually(lambda: get(f"http://127.0.0.1:{self.ops}/-/healthy")[0] == 200, 120, "it listens")
            yield one

    def say(self, path: str, **body: object) -> dict[str, Any] | None:
        """What is answered to a word, if anything is before it dies."""
        return post(f"http://127.0.0.1:{self.ops}/api/ops/v1{path}", body)

    def open(self, number: int) -> dict[str, Any] | None:
        """An incident that a person opens."""
        said = {"title": f"Trouble {number}", "message": f"It is number {number}", "modules": ["files"]}
        return self.say("/incidents", **said, impact="critical")

    def outbox(self, query: str = "") -> dict[str, Any]:
        """Channels and letters, as operators read them."""
        found: dict[str, Any] = json.loads(get(f"http://127.0.0.1:{self.ops}/api/ops/v1/outbox{query}")[1])
        return found

    def has_delivered_all(self) -> bool:
        """Whether all that was to be said is said, and written down as such: a kill from then on repeats nothing."""
        return not any(channel["pending"] for channel in self.outbox()["channels"])

    def series(self, name: str) -> float:
        """The value of a metric without labels; with them, as they stand there."""
        page = get(f"http://127.0.0.1:{self.ops}/metrics")[1].splitlines()
        return next((float(line.rpartition(" ")[2]) for line in page if line.startswith(f"{name} ")), float("nan"))

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database while no monitor has it."""
        with closing(sqlite3.connect(self.folder / "data" / "monitor.db")) as connection:
            return connection.execute(query).fetchall()


def post(url: str, body: object) -> dict[str, Any] | None:
    """What is answered to a word; None where it is refused, or nobody answers."""
    headers = {"Content-Type": "application/json"}
    try:
        with urlopen(Request(url, json.dumps(body).encode(), headers, method="POST"), timeout=5) as answer:
            found: dict[str, Any] = json.loads(answer.read())
            return found
    except (HTTPError, URLError, OSError, ValueError):
        return None


class Hook:
    """A receiver of webhooks. `answering` says what is answered to each path; without it all is taken."""

    def __init__(self) -> None:
        self.url = ""
        self.came: list[tuple[str, Notice]] = []
        self.answering: Callable[[str, Notice], Awaitable[web.StreamResponse]] | None = None

    def at(self, path: str) -> list[Notice]:
        """Every notice that came there, in order."""
        return [notice for where, notice in self.came if where == path]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        notice = await request.json()
        assert request.headers.get("Idempotency-Key") == notice.get("event_id")
        self.came.append((request.path, notice))
        return web.Response() if self.answering is None else await self.answering(request.path, notice)


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """A receiver on loopback."""
    found, app = Hook(), web.Application()
    app.router.add_post("/{tail:.*}", found._handle)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await runner.cleanup()


@asynccontextmanager
async def heard(port: int) -> AsyncIterator[list[Notice]]:
    """Every notice on a broker, in order of arrival."""
    found: list[Notice] = []

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            found.append(json.loads(bytes(message.payload)))  # type: ignore[arg-type]

    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("vtex-status/notices", qos=1)
        task = asyncio.create_task(read(client))
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})


def told(notices: Iterable[Notice]) -> dict[str, list[int]]:
    """By incident the numbers of its events as they arrived, repeats of an id left out."""
    arrived = defaultdict[str, list[int]](list)
    for event_id in dict.fromkeys(str(one["event_id"]) for one in notices):
        incident, _, seq = event_id.rpartition("-")
        arrived[incident].append(int(seq))
    return arrived


def everything(notices: Iterable[Notice]) -> set[str]:
    """The ids of all events that these notices tell, those that were collapsed into another included."""
    found = list(notices)
    return {one["event_id"] for one in found} | {
        id for one in found if one["collapsed"] for id in one["collapsed"]["event_ids"]
    }


async def killed(one: Program) -> None:
    """As by a power cut."""
    one.tell(signal.SIGKILL)
    await one.process.wait()
