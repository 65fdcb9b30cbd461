"""`kill -9` at any moment: what was answered as stored reaches every channel, in order, and the program is soon back.

`make kill` does this 500 times.
"""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from tests.notify.test_mqtt import mosquitto
from tests.processes.running import eventually, free_port
from tests.processes.stations import Hook, Notice, Station, everything, heard, hook, killed, told

ROUNDS = int(os.environ.get("MONITOR_KILL_ROUNDS", "50"))
BACK = 5.0  # seconds of a free processor within which it runs again


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[int]:
    """The port of a broker of its own."""
    port, folder = free_port(), tmp_path / "broker"
    folder.mkdir()
    with mosquitto(folder, f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"):
        yield port


class Moments:
    """When it is killed: often around a delivery, else any time within three seconds of an outage."""

    def __init__(self) -> None:
        self._random = random.Random(20261126)

    def next(self, number: int) -> float:
        return self._random.uniform(0, 0.3 if number % 3 else 3.0)

    async def answer(self, path: str, notice: Notice) -> web.Response:
        """Takes its time, so that it may be killed between sending and writing that down."""
        await asyncio.sleep(self._random.uniform(0, 0.2))
        return web.Response()


@pytest.mark.slow
@pytest.mark.timeout(60 + 30 * ROUNDS)
async def test_a_monitor_killed_again_and_again_loses_no_notice(tmp_path: Path, broker: int) -> None:
    """Every event that was answered as stored arrives on every channel, those of an incident in order; a repeat has the
    same id, the database is whole, and the program runs again within five seconds."""
    moments, starts, work = Moments(), list[float](), list[float]()
    ids: list[str] = []
    async with heard(broker) as over_mqtt, hook() as receiver:
        receiver.answering = moments.answer
        channels = (f'pager: {{kind: mqtt, url: "mqtt://127.0.0.1:{broker}"}}', _hook("chat", receiver))
        station = Station(tmp_path, channels)
        for number in range(ROUNDS):
            began = time.monotonic()
            async with station.running() as one:
                starts.append(time.monotonic() - began)
                work.append(seconds_of(one.process.pid))
                opened = await asyncio.to_thread(station.open, number)
                assert opened is not None
                ids.append(str(opened["id"]))
                if number % 2:
                    await asyncio.sleep(moments.next(1) / 3)
                    await asyncio.to_thread(station.say, f"/incidents/{opened['id']}/resolve", message="over")
                await asyncio.sleep(moments.next(number))
                await killed(one)
            assert station.rows("PRAGMA integrity_check") == [("ok",)]
        async with station.running() as one:
            for id in ids:
                await asyncio.to_thread(station.say, f"/incidents/{id}/resolve", message="over")

            def waiting() -> bool:
                return any(channel["pending"] for channel in station.outbox()["channels"])

            await eventually(lambda: not waiting(), 60, "nothing waits any more")
            assert await one.leave() == 0
    stored = {f"{incident}-{seq}" for incident, seq in station.rows("SELECT incident, seq FROM happenings")}
    assert len(set(ids)) == ROUNDS
    for notices in (over_mqtt, receiver.at("/chat")):
        assert everything(notices) == stored
        assert all(seqs == sorted(seqs) for seqs in told(notices).values())
        assert {one["event_id"] for one in notices if one["event"] == "opened"} == {f"{id}-1" for id in ids}
    repeats = len(receiver.at("/chat")) - len({one["event_id"] for one in receiver.at("/chat")})
    usual, worst = sorted(starts)[len(starts) // 2], max(starts)
    print(f"{ROUNDS} kills, {len(stored)} events, {repeats} repeats; back in {usual:.1f} s, {worst:.1f} s at most")
    assert max(work) <= BACK  # what others do on this machine is not measured


def seconds_of(pid: int) -> float:
    """How long a process has had a processor."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


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
                assert await one.leave() == 0
    first, second = receiver.at("/chat")
    assert (first["event_id"], first["attempt"]) == (second["event_id"], 1)
    assert second["attempt"] == 2
    assert station.rows("SELECT state, attempts FROM outbox") == [("delivered", 2)]
