"""The platform's own status page: late, in both shapes, and naming what is felt."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from monitor.clock import SystemClock
from monitor.config.file import load
from monitor.core.expectation import Outcome, Result, judge
from monitor.core.observation import Observation
from monitor.core.target import Network
from monitor.probers import Reach, look
from monitor.simulator import Simulator
from monitor.simulator.faults import Faults
from monitor.simulator.modules import STRUCK
from monitor.simulator.settings import Settings
from monitor.simulator.statuspage import FELT_IN, GROUPS, posts
from tests.simulator.conftest import Shopper

LATE = Settings().page_delay
SHIPPED = load(Path(__file__).parents[2] / "probes.yaml", {}).platform


@pytest.fixture
async def reach(simulator: Simulator) -> AsyncIterator[Reach]:
    """As a monitor that was given the simulator's block reaches it."""
    network = Network(tuple(simulator.connect_to.items()), simulator.ca_file)
    async with Reach.open(network, frozenset(), SystemClock()) as reach:
        yield reach


async def official(reach: Reach) -> tuple[Observation, Result]:
    """One run of the shipped probe."""
    probe = SHIPPED.probes["janus", "official-page"]
    observation = await look(probe, reach)
    return observation, judge(observation, probe.expect)


async def told(shopper: Shopper, path: str) -> Any:
    status, _, body = await shopper.ask("GET", f"O{path}")
    assert status == 200
    return json.loads(body)


def test_a_fault_is_told_late_and_a_short_one_never() -> None:
    """Eighteen minutes, and with the end of the fault it is resolved; a deploy is no incident."""
    faults = Faults("demostore")
    faults.strike("logistics", "http_503")
    faults.strike("catalog", "version_change")
    now = faults.strikes["logistics"].at
    assert posts(faults, LATE, now + timedelta(minutes=17, seconds=59)) == []
    (post,) = posts(faults, LATE, now + timedelta(minutes=18))
    assert (post.components, post.stage, post.status) == (("Shipping Calculation",), "investigating", "full_outage")
    assert post.began_at == now
    assert post.posted_at == now + timedelta(minutes=18)
    assert "ogistics" not in post.headline
    assert posts(faults, LATE, now + timedelta(minutes=36))[0].stage == "identified"
    faults.clear()
    assert posts(faults, LATE, now + timedelta(minutes=36)) == []  # it was over before anybody told
    (post,) = posts(faults, 0, now + timedelta(minutes=36))
    assert post.stage == "resolved"


def test_every_module_is_felt_in_a_component_of_the_page() -> None:
    """And every component that the shipped file shows as touched by the module alone is among those of the page."""
    names = {name for group in GROUPS.values() for name in group}
    assert len(names) == 18
    assert {name for felt in FELT_IN.values() for name in felt} <= names
    assert set(STRUCK) <= set(FELT_IN)


async def test_both_shapes_tell_the_same(shopper: Shopper) -> None:
    """Nothing at first; then one incident under one component in each, with the worst status of its shape."""
    simulator = shopper.simulator
    simulator.set(page_delay=0)
    assert (await told(shopper, "/proxy/status.vtex.com/"))["summary"]["ongoing_incidents"] == []
    assert (await told(shopper, "/api/v2/summary.json"))["status"]["indicator"] == "none"

    simulator.strike("payments", "http_500")
    own = (await told(shopper, "/proxy/status.vtex.com"))["summary"]
    plain = await told(shopper, "/api/v2/summary.json")
    (ongoing,), (incident,) = own["ongoing_incidents"], plain["incidents"]
    assert ongoing["name"] == incident["name"] == "Elevated errors in Payments Gateway"
    assert own["affected_components"][0]["status"] == "full_outage"
    assert incident["components"][0]["status"] == "major_outage"
    assert [one["name"] for one in plain["components"] if one["group"]] == [*GROUPS]

    simulator.clear()
    assert (await told(shopper, "/api/v2/incidents/unresolved.json"))["incidents"] == []
    assert (await told(shopper, "/api/v2/incidents.json"))["incidents"][0]["status"] == "resolved"


async def test_the_shipped_probe_reads_it(simulator: Simulator, reach: Reach) -> None:
    """With all components, by one request; and a struck page is unknown, whatever strikes it."""
    simulator.set(page_delay=0)
    simulator.strike("oms", "slow")
    observation, result = await official(reach)
    assert result.outcome is Outcome.PASSED
    assert len(observation.values["components"]) == 18
    assert observation.values["indicator"] == "minor"
    (incident,) = observation.values["incidents"]
    assert incident["components"] == ["Order Management"]
    assert incident["url"] == f"https://status.vtex.com/incidents/{incident['id']}"
    assert simulator.platform.requests == 1

    for fault in ("http_503", "garbage", "wrong_json", "truncate", "reset", "refuse"):
        simulator.strike("shared:status", fault)
        observation, result = await official(reach)
        assert (result.outcome, observation.values) == (Outcome.UNKNOWN, {}), fault


async def test_the_control_api_sets_how_late_it_is(simulator: Simulator) -> None:
    """By a setting, and the state shows what the page tells."""
    async with aiohttp.ClientSession(simulator.control_url) as session:
        simulator.strike("search", "http_500")
        async with session.put("/settings", json={"page_delay": 0}) as response:
            assert response.status == 200
        async with session.get("/state") as response:
            assert (await response.json())["status_page"] == {
                "url": "https://status.vtex.com",
                "posts": [{"name": "Elevated errors in Store Framework", "status": "identified"}],
            }


def test_faults_that_are_over_are_not_remembered_for_ever() -> None:
    """The page of a simulator that runs for weeks stays small."""
    faults = Faults("demostore")
    for _ in range(200):
        faults.strike("oms", "http_500")
    assert len(posts(faults, 0, datetime.now(UTC))) <= 51
