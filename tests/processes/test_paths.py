"""The real program when people, pauses and other monitors get in each other's way: whoever is told is told once, or
again under the same id.
"""

import asyncio
import json
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.processes.running import eventually, get
from tests.processes.stations import Notice, Station, hook, told

pytestmark = pytest.mark.slow


def webhook(name: str, url: str, timeout: str = "10s") -> str:
    return f'{name}: {{kind: webhook, url: "{url}/{name}", timeout: {timeout}}}'


# -- people ------------------------------------------------------------------------------------------------------------


@pytest.mark.timeout(120)
async def test_many_who_say_mine_while_another_says_it_is_over(tmp_path: Path) -> None:
    """Twenty at once, each twice under one name, and the end in between: one acknowledgement at most, one end, in order
    of their numbers, and the same on every channel."""
    async with hook() as receiver:
        station = Station(tmp_path, [webhook("pager", receiver.url), webhook("chat", receiver.url)])
        async with station.running() as one:
            ids = []
            for number in range(3):
                opened = await asyncio.to_thread(station.open, number)
                assert opened is not None
                ids.append(str(opened["id"]))
                said: list[Any] = [
                    asyncio.to_thread(station.say, f"/incidents/{opened['id']}/acknowledge", by=f"Ana {n // 2}")
                    for n in range(20)
                ]
                said.insert(
                    5 * number, asyncio.to_thread(station.say, f"/incidents/{opened['id']}/resolve", message="over")
                )
                await asyncio.gather(*said)

            def over() -> bool:
                ends = [n["dedup_key"] for n in receiver.at("/chat") if n["event"] == "resolved"]
                return sorted(ends) == sorted(ids) and station.has_delivered_all()

            await eventually(over, 30, "everybody hears of the ends")
            assert await one.leave() == 0
    for path in ("/pager", "/chat"):
        for id in ids:
            events = Counter(str(n["event"]) for n in receiver.at(path) if n["dedup_key"] == id)
            assert events["opened"] == events["resolved"] == 1
            assert events["acknowledged"] <= 1
        assert all(seqs == sorted(seqs) for seqs in told(receiver.at(path)).values())
    seqs = station.rows("SELECT incident, seq FROM happenings ORDER BY incident, seq")
    for id in ids:
        mine = [seq for incident, seq in seqs if incident == id]
        assert mine == list(range(1, len(mine) + 1))


# -- time in which nobody ran ------------------------------------------------------------------------------------------


@pytest.mark.timeout(180)
async def test_steps_that_came_due_while_nobody_ran_are_told_once_at_once_and_in_order(tmp_path: Path) -> None:
    """Three steps and several reminders were due; each channel hears once, before anything else, and never again."""
    async with hook() as receiver:
        names = ("first", "second", "third", "fourth")
        station = Station(tmp_path, [webhook(name, receiver.url) for name in names])
        chain = "{to: [first]}, {after: 20s, to: [second]}, {after: 22s, to: [third]}, {after: 24s, to: [fourth]}"
        text = station.file.read_text().partition("notify:")[0]
        station.file.write_text(f"{text}notify: [{{repeat: 1m, steps: [{chain}]}}]\n")
        async with station.running() as one:
            opened = await asyncio.to_thread(station.open, 1)
            assert opened is not None
            await eventually(lambda: receiver.at("/first"), 15, "the first one is told")
            await eventually(station.has_delivered_all, 15, "and that is on disk: a kill before that repeats it")
            one.tell(signal.SIGKILL)
            await one.process.wait()
        assert [path for path, _ in receiver.came] == ["/first"]
        await asyncio.sleep(26)
        async with station.running() as one:
            began = time.monotonic()
            await eventually(lambda: all(receiver.at(f"/{name}") for name in names), 30, "all are told")
            took = time.monotonic() - began
            await asyncio.sleep(6)
            assert await one.leave() == 0
        events = {name: [n["event"] for n in receiver.at(f"/{name}")] for name in names}
        assert events == {"first": ["opened"], **{name: ["escalated"] for name in names[1:]}}
        numbers = [receiver.at(f"/{name}")[0]["seq"] for name in names]
        assert numbers == sorted(numbers)
        print(f"three overdue steps told {took:.1f} s after it listens")


# -- two monitors on one PostgreSQL ------------------------------------------------------------------------------------


@pytest.mark.timeout(300)
async def test_a_monitor_that_was_frozen_while_another_carried_on_loses_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    """It holds claims when it is stopped, for a minute; they end, the other leads and sends what was claimed, and the
    first one, when it goes on, stands by and writes over nothing. What came twice has the same id."""
    async with hook() as receiver:
        slow = asyncio.Event()

        async def answer(path: str, notice: Notice) -> web.Response:
            await slow.wait()
            return web.Response()

        receiver.answering = answer
        stations = []
        for name in ("a", "b"):
            folder = tmp_path / name
            folder.mkdir()
            more = f', database: "{postgres_url}"'
            stations.append(Station(folder, [webhook("pager", receiver.url, "2s")], more=more))
        first, second = stations
        async with first.running() as frozen:
            opened = [await asyncio.to_thread(first.open, number) for number in range(3)]
            ids = {str(one["id"]) for one in opened if one is not None}
            assert len(ids) == 3
            await eventually(lambda: receiver.at("/pager"), 15, "one is under way")
            frozen.tell(signal.SIGSTOP)
            stopped = time.monotonic()
            try:
                slow.set()
                async with second.running() as other:
                    await eventually(lambda: set(told(receiver.at("/pager"))) == ids, 90, "the other sends them all")
                    await eventually(  # a minute to learn of it, and the rest of the claim: the limit and half a minute
                        second.has_delivered_all, 100, "and writes that down"
                    )
                    count = len(receiver.at("/pager"))
                    await asyncio.sleep(max(0.0, stopped + 60 - time.monotonic()))
                    frozen.tell(signal.SIGCONT)
                    await eventually(lambda: get(f"http://127.0.0.1:{first.ops}/-/healthy")[0] == 200, 30, "it goes on")
                    assert await asyncio.to_thread(first.open, 9) is None, "the other leads by now"
                    again = await asyncio.to_thread(second.open, 9)
                    assert again is not None
                    ids.add(str(again["id"]))
                    await eventually(lambda: set(told(receiver.at("/pager"))) == ids, 60, "and tells what is new")
                    await eventually(first.has_delivered_all, 90, "nothing waits")
                    letters = json.loads(get(f"http://127.0.0.1:{second.ops}/api/ops/v1/outbox?limit=50")[1])["letters"]
                    assert await other.leave() == 0
            finally:
                frozen.tell(signal.SIGCONT)
            assert await frozen.leave() == 0
    assert {one["state"] for one in letters} == {"delivered"}
    ids_seen = Counter(str(n["event_id"]) for n in receiver.at("/pager"))
    assert set(ids_seen) == {f"{id}-1" for id in ids}
    repeats = sum(ids_seen.values()) - len(ids_seen)
    assert repeats <= 2
    print(f"{len(ids_seen)} notices, {repeats} repeats, {count} when it went on")
