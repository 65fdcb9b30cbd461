"""Two monitors on one PostgreSQL: whatever becomes of the one that leads, the other one goes on."""

import asyncio
import json
import os
import random
import time
from contextlib import AsyncExitStack
from datetime import datetime
from pathlib import Path

import pytest

from tests.processes.pair import Pair, pair, watch
from tests.processes.running import eventually, get
from tests.processes.stations import Notice, Station, killed
from tests.proxy import Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
pytest.importorskip("asyncpg")

SOON = 15.0  # seconds within which the other one leads
ROUNDS = int(os.environ.get("MONITOR_TAKEOVERS", "2"))
CLOSE = 20.0  # seconds by which the beginning of an outage may be dated later: nobody looked for a takeover


async def fails(both: Pair, incidents: int) -> None:
    """An outage is seen and told, by whoever leads."""
    both.target.works = False
    await eventually(lambda: len(set(both.said("opened"))) == incidents, 60, "the outage is told")


async def works(both: Pair, incidents: int) -> None:
    """It is over, and that is told."""
    both.target.works = True
    await eventually(lambda: len(set(both.said("resolved"))) == incidents, 90, "its end is told")


def page(one: Station) -> str:
    """What the page of one of them says of every module; nothing where they differ."""
    status, body = get(f"http://127.0.0.1:{one.page}/api/v1/status.json")
    found = {one["status"] for one in json.loads(body)["modules"]} if status == 200 else set()
    return str(found.pop()) if len(found) == 1 else ""


async def test_the_standby_shows_what_the_leader_stores_and_takes_over_when_it_is_killed(
    tmp_path: Path, postgres_url: str
) -> None:
    """In the middle of an incident, which goes on as the same one."""
    async with pair(tmp_path, postgres_url) as both:
        leader = await both.leader()
        standby = both.other(leader)
        assert standby.stands_by()
        await fails(both, 1)
        await eventually(lambda: page(standby.station) == "down", 30, "the standby shows it")
        refused = get(f"http://127.0.0.1:{standby.station.ops}/-/reload", "POST")
        assert refused[0] == 503
        assert "stands by" in refused[1]
        assert str(leader.station.folder) in refused[1]
        assert standby.station.series("monitor_leader") == 0
        assert time.time() - standby.station.series("monitor_publish_last_success_timestamp_seconds") < 60
        assert leader.station.series("monitor_leader") == leader.station.series("monitor_standbys") == 1
        since = time.monotonic()
        await killed(leader.process)
        await both.taken_over(standby, since)
        assert both.took[0] < SOON
        await works(both, 1)
        assert set(both.said("opened")) == {one.rpartition("-")[0] + "-1" for one in both.said("resolved")}
        assert await standby.process.leave() == 0
        assert "Traceback" not in standby.process.output


async def test_a_leader_that_was_frozen_steps_down_when_it_goes_on(tmp_path: Path, postgres_url: str) -> None:
    """In the same process and without a word to anybody."""
    async with pair(tmp_path, postgres_url) as both:
        leader = await both.leader()
        standby = both.other(leader)
        await eventually(lambda: page(leader.station) == "up", 60, "the module works")
        since = time.monotonic()
        leader.freeze()
        await both.taken_over(standby, since)
        assert both.took[0] < SOON
        await fails(both, 1)
        leader.thaw()
        await eventually(leader.stands_by, 60, "it stands by")
        assert standby.leads()
        await works(both, 1)
        await asyncio.sleep(3)
        assert len(both.said("opened")) == len(both.said("resolved")) == 1
        for one in both.both:
            assert await one.process.leave() == 0
            assert "Traceback" not in one.process.output


async def test_a_leader_that_is_cut_off_from_the_database_tells_nobody_what_another_one_judges(
    tmp_path: Path, postgres_url: str
) -> None:
    """It sees the outage as well, and keeps it to itself; once it reaches the database again it stands by."""
    async with pair(tmp_path, postgres_url) as both:
        leader = await both.leader()
        standby = both.other(leader)
        await eventually(lambda: page(leader.station) == "up", 60, "the module works")
        await eventually(lambda: leader.station.series("monitor_standbys") == 1, 20, "the leader knows of the other")
        since = time.monotonic()
        leader.wire.way = Way.SWALLOWS
        both.target.works = False
        await both.taken_over(standby, since)
        assert both.took[0] < SOON
        await fails(both, 1)
        await asyncio.sleep(10)
        assert len(both.said("opened")) == 1
        assert not leader.leads()
        leader.wire.way = Way.WELL
        await leader.wire.cut()
        await eventually(leader.stands_by, 90, "it stands by")
        await works(both, 1)
        await asyncio.sleep(3)
        assert len(both.said("opened")) == len(both.said("resolved")) == 1
        for one in both.both:
            assert await one.process.leave() == 0
            assert "Traceback" not in one.process.output


async def disturbed(both: Pair, way: str, moment: float) -> float:
    """What becomes of the leader, after a moment; how long it took until the other one led."""
    leader = await both.leader()
    standby = both.other(leader)
    await eventually(standby.stands_by, 60, "the other one stands by")
    await asyncio.sleep(moment)
    since = time.monotonic()
    match way:
        case "kill":
            await killed(leader.process)
        case "freeze":
            leader.freeze()
        case "partition":
            leader.wire.way = Way.SWALLOWS
        case _:
            assert await leader.process.leave() == 0
    await both.taken_over(standby, since)
    return both.took[-1]


async def mended(both: Pair, way: str, stack: AsyncExitStack) -> None:
    """Whoever led before is there again, and stands by."""
    former = next(one for one in both.both if not one.leads())
    match way:
        case "freeze":
            former.thaw()
        case "partition":
            former.wire.way = Way.WELL
            await former.wire.cut()
        case _:
            former.running = await stack.enter_async_context(former.station.running())
    await eventually(former.stands_by, 120, "it stands by")


@pytest.mark.timeout(120 + 300 * ROUNDS)
async def test_round_after_round_the_story_is_that_of_a_monitor_that_nobody_disturbs(
    tmp_path: Path, postgres_url: str
) -> None:
    """One beside them watches the same module: the same outages, each told once opened and once resolved."""
    chance = random.Random(int(os.environ.get("MONITOR_TAKEOVERS_SEED", "12")))
    took: dict[str, list[float]] = {}
    async with pair(tmp_path, postgres_url, ROUNDS) as both, AsyncExitStack() as stack:
        channel = f'alone: {{kind: webhook, url: "{both.receiver.url}/alone"}}'
        (tmp_path / "alone").mkdir()
        alone = Station(tmp_path / "alone", [channel], interval="5s")
        alone.target = both.both[0].station.target
        alone.use([channel])
        watch(alone, ROUNDS)
        await stack.enter_async_context(alone.running())

        async def told(count: int, *events: str) -> None:
            for path in ("/chat", "/alone"):
                await eventually(lambda path=path: len(seen(both, path, *events)) == count, 150, f"{path}: {events}")

        for one in (both.both[0].station, alone):
            await eventually(lambda one=one: page(one) == "up", 60, "all of it works")
        for number in range(ROUNDS):
            way = ("kill", "freeze", "partition", "stop")[number % 4]
            both.target.broken = {f"/part-{number}"}
            took.setdefault(way, []).append(await disturbed(both, way, chance.uniform(0, 8)))
            await told(number + 1, "opened")
            await mended(both, way, stack)
            both.target.broken = set()
            await told(number + 1, "resolved")
        for one in both.both:
            assert "Traceback" not in one.process.output
    stories = [
        [(one["event"], modules_of(one), one["incident"]["started_at"]) for one in seen(both, path).values()]
        for path in ("/chat", "/alone")
    ]
    assert [one[:2] for one in stories[0]] == [one[:2] for one in stories[1]]
    for (*_, here), (*_, there) in zip(*stories, strict=True):
        apart = datetime.fromisoformat(here) - datetime.fromisoformat(there)
        assert abs(apart.total_seconds()) < CLOSE
    repeats = len(both.receiver.at("/chat")) - len(seen(both, "/chat"))
    seconds = {way: " ".join(f"{one:.1f}" for one in sorted(some)) for way, some in took.items()}
    print(f"takeovers by what became of the leader: {seconds}; repeats under the same id: {repeats}")
    assert max(both.took) < SOON


def seen(both: Pair, path: str, *events: str) -> dict[str, Notice]:
    """Notices of incidents that came there, each id once."""
    return {
        one["event_id"]: one
        for one in both.receiver.at(path)
        if not one["event_id"].startswith("self:") and (not events or one["event"] in events)
    }


def modules_of(notice: Notice) -> list[str]:
    """What the incident of a notice is about."""
    return sorted(one["id"] for one in notice["incident"]["modules"])
