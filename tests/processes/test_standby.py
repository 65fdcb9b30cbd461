"""Two monitors on one PostgreSQL: whatever becomes of the one that leads, the other one goes on."""

import asyncio
import json
import time
from pathlib import Path

import pytest

from tests.processes.pair import One, Pair, pair
from tests.processes.running import eventually, get
from tests.processes.stations import killed
from tests.proxy import Way

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
pytest.importorskip("asyncpg")

SOON = 15.0  # seconds within which the other one leads


async def fails(both: Pair, incidents: int) -> None:
    """An outage is seen and told, by whoever leads."""
    both.target.works = False
    await eventually(lambda: len(set(both.said("opened"))) == incidents, 60, "the outage is told")


async def works(both: Pair, incidents: int) -> None:
    """It is over, and that is told."""
    both.target.works = True
    await eventually(lambda: len(set(both.said("resolved"))) == incidents, 90, "its end is told")


def page(one: One) -> str:
    """What its own page says of the module."""
    status, body = get(f"http://127.0.0.1:{one.station.page}/api/v1/status.json")
    return str(json.loads(body)["modules"][0]["status"]) if status == 200 else ""


async def test_the_standby_shows_what_the_leader_stores_and_takes_over_when_it_is_killed(
    tmp_path: Path, postgres_url: str
) -> None:
    """In the middle of an incident, which goes on as the same one."""
    async with pair(tmp_path, postgres_url) as both:
        leader = await both.leader()
        standby = both.other(leader)
        assert standby.stands_by()
        await fails(both, 1)
        await eventually(lambda: page(standby) == "down", 30, "the standby shows it")
        refused = get(f"http://127.0.0.1:{standby.station.ops}/-/reload", "POST")
        assert refused[0] == 503
        assert "stands by" in refused[1]
        assert str(leader.station.folder) in refused[1]
        assert standby.station.series("monitor_leader") == 0
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
        await eventually(lambda: page(leader) == "up", 60, "the module works")
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
        await eventually(lambda: page(leader) == "up", 60, "the module works")
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
