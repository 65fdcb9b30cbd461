"""Troubled: a monitor over a target that fails when it is told to, while its store is in trouble."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from tests.processes.running import Program, eventually, get
from tests.processes.stations import Hook, Station, everything, hook

LAG = 0.3  # seconds, what others do here left out: a disk that kept the loop waiting would do so for five


class Target:
    """What the module asks; it works until it is told not to. `asked` counts; `broken` are the paths that do not work
    when all else does."""

    def __init__(self) -> None:
        self.works, self.asked = True, 0
        self.broken: set[str] = set()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked += 1
        works = self.works and request.path not in self.broken
        return web.Response(status=200 if works else 503)


@asynccontextmanager
async def target(port: int) -> AsyncIterator[Target]:
    found, app = Target(), web.Application()
    app.router.add_get("/{path:.*}", found.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield found
    finally:
        await runner.cleanup()


class Scene:
    """A monitor that has seen its module work, and everything around it."""

    def __init__(self, station: Station, receiver: Hook, target: Target, one: Program) -> None:
        self.station, self.receiver, self.target, self.one = station, receiver, target, one
        self.rows = station.rows  # what a query gives

    async def fails_meanwhile(self) -> None:
        """While nothing can be stored: an outage is seen and told, and so is the trouble with the store, once."""
        await eventually(lambda: self.station.series("monitor_store_writable") == 0, 60, "the store refuses")
        asked = self.target.asked
        self.target.works = False
        await eventually(lambda: self.said("opened"), 60, "the outage is told")
        await eventually(lambda: self.said("storage"), 60, "that nothing can be stored is told")
        lag = self.station.series("monitor_event_loop_own_lag_seconds")
        print(f"the loop was held up for {lag * 1000:.0f} ms at most")
        assert lag < LAG
        await eventually(lambda: self.target.asked > asked + 4, 60, "probing goes on")
        assert "self.storage" in get(f"http://127.0.0.1:{self.station.ops}/api/ops/v1/status")[1]

    async def works_again(self, leave: bool = True) -> None:
        """By itself; everything is stored, and nothing was told twice."""
        await eventually(lambda: self.station.series("monitor_store_writable") == 1, 60, "the store takes writes")
        await eventually(lambda: self.one.output.count("the outbox is written down again"), 60, "the outbox as well")
        assert len(self.said("storage")) == len(self.said("opened")) == 1
        if leave:
            assert await self.one.leave() == 0

    def said(self, word: str) -> list[str]:
        """The ids of notices of an event, or for a reason."""
        return [one["event_id"] for one in self.receiver.at("/chat") if word in (one["event"], one["why"])]

    def is_stored(self) -> None:
        """What was told stands in the database, which is whole."""
        rows = self.rows
        stored = {f"{incident}-{seq}" for incident, seq in rows("SELECT incident, seq FROM happenings")}
        told = {id for id in everything(self.receiver.at("/chat")) if not id.startswith("self:")}
        assert told == stored
        assert rows("SELECT DISTINCT state FROM outbox") in ([("delivered",)], [("delivered",), ("collapsed",)])
        assert rows("SELECT count(*) FROM incidents") == [(1,)]
        failed = "SELECT count(*) FROM observations WHERE outcome = 'failed'"
        assert rows(failed)[0][0] >= 2, "what was seen while nothing could be stored"


@asynccontextmanager
async def scene(station: Station, receiver: Hook) -> AsyncIterator[Scene]:
    async with target(station.target) as asked, station.running() as one:
        page = f"http://127.0.0.1:{station.page}/api/v1/status.json"
        await eventually(lambda: '"status":"up"' in get(page)[1], 60, "the module works")
        yield Scene(station, receiver, asked, one)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[tuple[Station, Hook]]:
    async with hook() as receiver:
        channel = f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'
        yield Station(folder, [channel], interval="5s"), receiver
