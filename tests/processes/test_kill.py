"""`kill -9` at any moment: what was answered as stored reaches every channel, in order, and the program is soon back.

`make kill` does this 500 times.
"""

import asyncio
import os
import random
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.notify.test_mqtt import mosquitto
from tests.postgres import postgres_server, postgres_url
from tests.processes.running import Program, eventually, free_port, get
from tests.processes.stations import Hook, Notice, Station, everything, heard, hook, killed, told
from tests.processes.whole import whole

__all__ = ["postgres_server", "postgres_url"]

ROUNDS = int(os.environ.get("MONITOR_KILL_ROUNDS", "50"))
BACK = 5.0  # seconds within which it answers again, on a machine that is its own


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker of its own."""
    port, folder = free_port(), tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"):
        yield port


class Moments:
    """When it is killed: around a delivery and the publication that goes with it, while the configuration is read anew,
    while it starts, or any time within three seconds of an outage."""

    def __init__(self) -> None:
        self._random = random.Random(int(os.environ.get("MONITOR_KILL_SEED", "20261126")))

    def within(self, seconds: float) -> float:
        return self._random.uniform(0, seconds)

    async def answer(self, path: str, notice: Notice) -> web.Response:
        """Takes its time, so that it may be killed between sending and writing that down."""
        await asyncio.sleep(self.within(0.2))
        return web.Response()


class Loop:
    """A monitor killed again and again; what it was told, and how long it took to be back."""

    def __init__(self, station: Station, moments: Moments) -> None:
        self.station, self.moments = station, moments
        self.ids: list[str] = []
        self.back: list[float] = []

    async def rounds(self, number_of: int, look: Callable[[], None] = lambda: None) -> None:
        """Kills it so many times, and looks at what it left each time. Before that it has published once."""
        async with self.station.running() as one:
            page = f"http://127.0.0.1:{self.station.page}/"
            await eventually(lambda: get(page)[0] == 200, 60, "the first page is out")
            await killed(one)
        for number in range(number_of):
            if number % 7 == 3:  # also before it listens
                async with self.station.begun() as one:
                    await asyncio.sleep(self.moments.within(2.0))
                    await killed(one)
            async with self._running() as one:
                await self._round(one, number)
                await killed(one)
            whole(self.station.folder / "data" / "public")
            look()

    async def end(self) -> None:
        """Everything is over, and everything has left."""
        async with self._running() as one:
            for id in self.ids:
                await asyncio.to_thread(self.station.say, f"/incidents/{id}/resolve", message="over")
            await eventually(self.station.has_delivered_all, 60, "nothing waits any more")
            assert await one.leave() == 0
        assert max(self.back) <= BACK

    def arrived(self, stored: set[str], *everywhere: list[Notice]) -> None:
        """Every event that is stored came, at each of these receivers, those of an incident in order."""
        for notices in everywhere:
            assert everything(notices) == stored
            assert all(seqs == sorted(seqs) for seqs in told(notices).values())
            assert {one["event_id"] for one in notices if one["event"] == "opened"} == {f"{id}-1" for id in self.ids}

    def told(self, stored: set[str], notices: list[Notice]) -> str:
        repeats, back = len(notices) - len({one["event_id"] for one in notices}), sorted(self.back)
        return (
            f"{len(self.ids)} rounds, {len(stored)} events, 0 missing, {repeats} repeats; "
            f"answers again after {back[len(back) // 2]:.1f} s, {back[-1]:.1f} s at most"
        )

    @asynccontextmanager
    async def _running(self) -> AsyncIterator[Program]:
        began = time.monotonic()
        async with self.station.running() as one:
            self.back.append(time.monotonic() - began - waited_by(one.process.pid))
            yield one

    async def _round(self, one: Program, number: int) -> None:
        opened = await asyncio.to_thread(self.station.open, number)
        assert opened is not None
        id = str(opened["id"])
        self.ids.append(id)
        if number % 2:
            await asyncio.sleep(self.moments.within(0.1))
            await asyncio.to_thread(self.station.say, f"/incidents/{id}/resolve", message="over")
        if number % 5 == 4:
            self.station.rename(f"Shop {number}")
            one.tell(signal.SIGHUP)
        await asyncio.sleep(self.moments.within(0.3 if number % 3 else 3.0))


def waited_by(pid: int) -> float:
    """For how many seconds a process stood in line for a processor: what others do on this machine is not measured."""
    return float(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9


@pytest.mark.slow
@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_a_monitor_killed_again_and_again_loses_no_notice(tmp_path: Path, broker: int) -> None:
    """Every event that was answered as stored arrives on every channel, those of an incident in order; a repeat has the
    same id, database and site are whole each time, and the program answers again within five seconds."""
    moments = Moments()
    async with heard(broker) as over_mqtt, hook() as receiver:
        receiver.answering = moments.answer
        channels = (f'pager: {{kind: mqtt, url: "mqtt://127.0.0.1:{broker}"}}', _hook("chat", receiver))
        station = Station(tmp_path, channels)
        loop = Loop(station, moments)

        def look() -> None:
            assert station.rows("PRAGMA integrity_check") == [("ok",)]

        await loop.rounds(ROUNDS, look)
        await loop.end()
    stored = {f"{incident}-{seq}" for incident, seq in station.rows("SELECT incident, seq FROM happenings")}
    assert len(set(loop.ids)) == ROUNDS
    loop.arrived(stored, over_mqtt, receiver.at("/chat"))
    print(loop.told(stored, receiver.at("/chat")))


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_monitor_over_postgresql_killed_again_and_again_loses_no_notice(
    tmp_path: Path, postgres_url: str
) -> None:
    """The same, with everything on a server."""
    asyncpg = pytest.importorskip("asyncpg")
    moments = Moments()
    async with hook() as receiver:
        receiver.answering = moments.answer
        loop = Loop(Station(tmp_path, [_hook("chat", receiver)], more=f', database: "{postgres_url}"'), moments)
        await loop.rounds(max(8, ROUNDS // 5))
        await loop.end()
    connection = await asyncpg.connect(postgres_url)
    rows = await connection.fetch("SELECT incident, seq FROM happenings")
    await connection.close()
    stored = {f"{row['incident']}-{row['seq']}" for row in rows}
    loop.arrived(stored, receiver.at("/chat"))
    print(loop.told(stored, receiver.at("/chat")))


def _hook(name: str, receiver: Hook) -> str:
    return f'{name}: {{kind: webhook, url: "{receiver.url}/{name}"}}'


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_a_notice_that_was_taken_when_the_monitor_died_comes_once_more(tmp_path: Path) -> None:
    """Under the same id, as another attempt; and then never again."""
    async with hook() as receiver:
        station = Station(tmp_path, [_hook("chat", receiver)])
        async with station.running() as one:

            async def answer(path: str, notice: Notice) -> web.Response:
                await killed(one)
                return web.Response()

            receiver.answering = answer
            assert await asyncio.to_thread(station.open, 1) is not None
            await eventually(lambda: one.process.returncode is not None, 20, "it is dead")
        receiver.answering = None
        for _ in range(2):
            async with station.running() as one:
                await eventually(lambda: len(receiver.came) == 2, 20, "it comes again")
                await eventually(station.has_delivered_all, 20, "and that is written down")
                assert await one.leave() == 0
    first, second = receiver.at("/chat")
    assert (first["event_id"], first["attempt"]) == (second["event_id"], 1)
    assert second["attempt"] == 2
    assert station.rows("SELECT state, attempts FROM outbox") == [("delivered", 2)]
