"""A core and three real agents, each with a cable of its own: one fault is one incident, a place that falls silent is
none, and what it brings afterwards is no ghost.
"""

import asyncio
import json
import signal
import time
from pathlib import Path

import pytest

from tests.processes.places import PLACES, World, world
from tests.processes.running import eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(420)]


def calm(one: World) -> bool:
    """Whether nothing was ever down, and nobody was told anything."""
    moved = one.rows("SELECT count(*) FROM transitions WHERE after IN ('down', 'degraded')")
    return moved == one.rows("SELECT count(*) FROM incidents") == [(0,)]


async def test_what_every_place_sees_is_one_incident_and_what_one_sees_is_its_own(tmp_path: Path) -> None:
    """Found by a quorum of agents, with extra runs where they are; the end as well. Then three modules fail as seen
    from one place: no module is down, the trouble is that of the place."""
    async with world(tmp_path) as one:
        one.fail({place: ["a"] for place in PLACES})
        took = await one.are(30, a="down")
        print(f"down after {took:.1f} s")
        (incident,) = one.inside.incidents()
        assert incident["cause"]["module"] == "a"
        one.fail({})
        took = await one.are(150, a="up")
        print(f"up after {took:.1f} s")
        failed = "SELECT DISTINCT location FROM observations WHERE module = 'a' AND outcome = 'failed'"
        assert {place for (place,) in one.rows(failed)} == set(PLACES)
        one.fail({"mia": ["a", "b", "c"]})
        await eventually(lambda: len(one.rows("SELECT id FROM incidents")) == 2, 120, "the place has an incident")
        assert {one.inside.statuses()[id] for id in "abc"} == {"up"}
        documents = [json.loads(document) for (document,) in one.rows("SELECT document FROM incidents")]
        (own,) = [found["cause"] for found in documents if found["cause"]["scope"] == "location"]
        assert own["locations"] == ["mia"]


async def test_an_agent_that_stands_still_is_given_up_and_nothing_falls_with_it(tmp_path: Path) -> None:
    """Within 31 s of its last heartbeat: what only it sees is unknown, the rest is up; when it goes on, all is."""
    async with world(tmp_path) as one:
        await asyncio.sleep(20)
        one.agents["fra"].tell(signal.SIGSTOP)
        began = time.monotonic()
        await eventually(lambda: one.own() == ("degraded", "self.unheard"), 40, "it is told")
        took = time.monotonic() - began
        print(f"stale {took:.1f} s after it was stopped")
        assert took <= 33  # of which two are for the page
        await one.are(5, a="up", b="up", c="up", only_fra="unknown")
        await asyncio.sleep(20)
        assert {one.inside.statuses()[id] for id in "abc"} == {"up"}
        assert one.seen("a") == {place: "unknown" if place == "fra" else "up" for place in PLACES}
        one.agents["fra"].tell(signal.SIGCONT)
        await one.are(40, only_fra="up")
        await eventually(lambda: one.own() == ("ok", None), 40, "all is seen again")
        await eventually(lambda: one.seen("a") == dict.fromkeys(PLACES, "up"), 20, "it is seen from everywhere")
        assert calm(one)
        assert one.rows("SELECT code FROM gaps WHERE location = 'fra' AND code = 'self.unheard'") == [("self.unheard",)]


async def test_a_place_that_was_cut_off_brings_everything_and_raises_no_ghost(tmp_path: Path) -> None:
    """A minute without its cable, in which it reached nothing: all of its failures arrive, each once, and none counts;
    nor does anything that the others see of it."""
    async with world(tmp_path) as one:
        one.cut("fra")
        cut = time.time()
        await eventually(lambda: one.own() == ("degraded", "self.unheard"), 45, "nothing is heard of it")
        await asyncio.sleep(65 - (time.time() - cut))
        one.plug("fra")
        plugged = time.time()
        await one.are(60, only_fra="up", a="up", b="up", c="up")
        print(f"back {time.time() - plugged:.1f} s after it was plugged in")
        missed = f"location = 'fra' AND at BETWEEN {int((cut + 3) * 1e6)} AND {int((plugged - 3) * 1e6)}"
        failed = "outcome IN ('failed', 'unknown') AND NOT discarded"
        query = (
            f"SELECT module, count(*) FROM observations WHERE module != '' AND {failed} AND {missed} GROUP BY module"
        )
        await eventually(lambda: len(one.rows(query)) == 4, 60, "what it saw meanwhile is there")
        await asyncio.sleep(10)
        counted = dict(one.rows(query))
        print(f"runs of the {plugged - cut:.0f} s without a cable: {counted}")
        assert all(count >= (plugged - cut - 6) // 5 - 2 for count in counted.values())
        twice = "SELECT count(*) - count(DISTINCT location || module || at) FROM observations WHERE module != ''"
        assert one.rows(twice) == [(0,)]
        await eventually(lambda: one.own() == ("ok", None), 40, "all is seen again")
        assert calm(one)


async def test_a_core_that_is_killed_and_comes_back_misses_nothing_that_agents_saw(tmp_path: Path) -> None:
    """It had taken batches that were not on disk, and it was away for half a minute: all of it comes, each run once."""
    async with world(tmp_path) as one:
        one.core.process.kill()
        await one.core.process.wait()
        killed = time.time()
        await asyncio.sleep(30)
        await one.begin()
        back = time.time()
        meanwhile = f"at BETWEEN {int(killed * 1e6)} AND {int(back * 1e6)}"
        query = (
            "SELECT location, module, count(*) FROM observations "
            f"WHERE module != '' AND outcome = 'passed' AND NOT discarded AND {meanwhile} GROUP BY location, module"
        )
        least = int(back - killed) // 5 - 1
        await eventually(
            lambda: [count >= least for *_, count in one.rows(query)] == [True] * 10,
            60,
            f"{least} of each: {one.rows(query)}",
        )
        print(f"runs of {back - killed:.0f} s: {one.rows(query)}")
        twice = "SELECT count(*) - count(DISTINCT location || module || at) FROM observations WHERE module != ''"
        assert one.rows(twice) == [(0,)]
        await one.are(60, a="up", b="up", c="up", only_fra="up")
        await eventually(lambda: one.own() == ("ok", None), 40, "it sees everything")
        assert calm(one)
