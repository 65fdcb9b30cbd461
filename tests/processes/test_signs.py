"""Every sign of the real program that needs more than a loop in trouble, driven past its limit by the fault itself: its
light, its metric and its reason come on, and go out by themselves.
"""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from aiohttp import web

from tests.processes.crowd import Crowd, serving
from tests.processes.running import eventually, get
from tests.processes.stations import Notice, Station, hook

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.timeout(360)]


def reason(ops: int) -> tuple[str, str | None]:
    """How operators read that we are."""
    said = json.loads(get(f"http://127.0.0.1:{ops}/api/ops/v1/status")[1])["monitor"]
    return said["status"], said["reason"]


async def test_a_site_that_cannot_be_published_is_a_light(tmp_path: Path) -> None:
    """Something stands where the lock of the publications was: readers keep the last page, operators hear why."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running() as monitor:
            await crowd.all_are("up")
            lock = crowd.data / ".publications" / "lock"
            lock.unlink()
            lock.mkdir()
            await eventually(lambda: crowd.light("publication"), 120, "the light is on")
            await eventually(lambda: reason(crowd.ops) == ("degraded", "self.storage"), 5, "with its reason")
            assert crowd.metric('monitor_trouble{code="self.storage"}') == 1
            page = get(f"http://127.0.0.1:{crowd.ops}/healthcheck")[1]
            assert "Past its limit" in page
            assert crowd.statuses()["up"] == 10, "the last page stands"
            assert not crowd.light("store_write")
            lock.rmdir()
            await eventually(crowd.is_well, 60, "the light is out")
            assert reason(crowd.ops) == ("ok", None)
            assert await monitor.leave() == 0
        assert monitor.output.count("the site cannot be published") == 1
        assert "the site is published again" in monitor.output


async def test_a_notice_that_waits_too_long_is_a_light(tmp_path: Path) -> None:
    """A receiver that says 503 for more than two minutes; afterwards the notice arrives and the light is out."""
    refusing = True

    async def answer(path: str, notice: Notice) -> web.StreamResponse:
        return web.Response(status=503 if refusing else 200)

    async with hook() as receiver:
        receiver.answering = answer
        station = Station(tmp_path, [f'chat: {{kind: webhook, url: "{receiver.url}/chat"}}'])
        async with station.running() as monitor:
            light = 'monitor_sign_past_limit{sign="outbox"}'
            assert station.series(light) == 0
            assert station.open(1) is not None
            await asyncio.sleep(60)
            assert station.series(light) == 0, "a minute is no trouble yet"
            await eventually(lambda: station.series(light) == 1, 120, "the light is on")
            assert station.series('monitor_trouble{code="self.connectivity"}') == 1
            await eventually(lambda: reason(station.ops) == ("degraded", "self.connectivity"), 5, "with its reason")
            assert "self.connectivity" in get(f"http://127.0.0.1:{station.ops}/healthcheck")[1]
            refusing = False
            await eventually(station.has_delivered_all, 90, "it is delivered")
            await eventually(lambda: station.series(light) == 0, 10, "the light is out")
            await eventually(lambda: reason(station.ops) == ("ok", None), 5, "and nothing is wrong")
            assert await monitor.leave() == 0


async def test_steps_that_wait_for_the_store_are_a_light(tmp_path: Path) -> None:
    """Somebody holds the database while 250 modules are asked every five seconds: more than a thousand steps wait."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 250)
        async with crowd.running() as monitor:
            await crowd.all_are("up")
            with closing(sqlite3.connect(crowd.data / "monitor.db", isolation_level=None)) as other:
                other.execute("BEGIN EXCLUSIVE")
                await eventually(lambda: crowd.lit("steps_unwritten", "self.storage"), 120, "the light is on")
                waiting = crowd.metric('monitor_queue_depth{queue="store"}')
                assert waiting is not None
                assert waiting > 1250
                assert crowd.light("events_waiting") is False
                other.execute("ROLLBACK")
            await eventually(crowd.is_well, 60, "the light is out")
            assert await monitor.leave() == 0
        assert crowd.rows("SELECT count(*) FROM incidents") == [(0,)]


async def test_events_that_wait_for_the_desk_are_a_light(tmp_path: Path) -> None:
    """1,500 events in one moment that take half a minute: told while they wait, and the loop is anybody's meanwhile."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running(module="tests.processes.steered") as monitor:
            await crowd.all_are("up")
            (crowd.data / "stuck").write_text("desk")
            await eventually(lambda: crowd.lit("events_waiting", "self.stall"), 15, "the light is on")
            lag = crowd.metric("monitor_event_loop_own_lag_seconds")
            print(f"the loop was late by {lag} s")
            await eventually(crowd.is_well, 90, "the light is out")
            assert lag is not None
            assert lag < 0.3
            assert crowd.rows("SELECT count(*) FROM incidents") == [(0,)]
            assert await monitor.leave() == 0
