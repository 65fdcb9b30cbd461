"""The control API: what it takes, what it shows, and what it says when it is asked for something that is not."""

import socket
from typing import Any

import aiohttp
import pytest

from monitor.simulator import PortTaken, Simulator
from tests.simulator.conftest import Buyer, Shopper


async def _ask(simulator: Simulator, method: str, path: str, **options: Any) -> tuple[int, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, simulator.control_url + path, **options) as response,
    ):
        return response.status, await response.json()


async def test_a_fault_is_put_shown_and_deleted(shopper: Shopper) -> None:
    """What is put strikes at once and stands in the state with all its options, until it is deleted."""
    simulator = shopper.simulator
    wanted = {"fault": "http_503", "ratio": 0.75, "delay": 3.0, "locations": [], "ramp": 0}
    status, shown = await _ask(simulator, "PUT", "/faults/logistics", json={**wanted, "ratio": 1})
    assert (status, shown["fault"], shown["ratio"]) == (200, "http_503", 1.0)
    assert (await shopper.simulate())[0] == 500
    _, state = await _ask(simulator, "GET", "/state")
    assert state["faults"]["logistics"]["hit"] == 1
    assert state["modules"]["logistics"] == {"version": "logistics-v4.45.0"}
    assert state["connect_to"] == simulator.connect_to
    assert await _ask(simulator, "DELETE", "/faults/logistics") == (200, {"cleared": True})
    assert (await shopper.simulate())[0] == 200
    assert await _ask(simulator, "DELETE", "/faults/logistics") == (200, {"cleared": False})


async def test_all_faults_are_deleted_at_once(simulator: Simulator) -> None:
    """`DELETE /faults` leaves nothing struck, shared strikes included."""
    for module in ("checkout", "shared:gateway", "shared:www.demostore.example"):
        assert (await _ask(simulator, "PUT", f"/faults/{module}", json={"fault": "slow"}))[0] == 200
    _, state = await _ask(simulator, "GET", "/state")
    assert set(state["faults"]) == {"checkout", "janus", "shared:www.demostore.example"}
    assert (await _ask(simulator, "DELETE", "/faults"))[0] == 200
    assert (await _ask(simulator, "GET", "/state"))[1]["faults"] == {}


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/faults/chekout", '{"fault": "slow"}', "did you mean 'checkout'"),
        ("/faults/shared:gatway", '{"fault": "slow"}', "did you mean 'shared:gateway'"),
        ("/faults/checkout", '{"fault": "http_5o3"}', "did you mean 'http_503'"),
        ("/faults/checkout", '{"fault": 3}', "no fault 3"),
        ("/faults/checkout", '{"falt": "slow"}', "did you mean 'fault'"),
        ("/faults/checkout", '{"fault": "slow", "ration": 1}', "did you mean 'ratio'"),
        ("/faults/checkout", '{"fault": "slow", "self": 1}', "no field 'self'"),
        ("/faults/checkout", '{"fault": "slow", "ratio": 2}', "ratio must be a number from 0 to 1"),
        ("/faults/checkout", '{"fault": "slow", "delay": "3s"}', "delay must be a number"),
        ("/faults/checkout", '{"fault": "slow", "delay": NaN}', "delay must be a number"),
        ("/faults/checkout", '{"fault": "slow", "locations": "here"}', "locations must be a list"),
        ("/faults/checkout", "{}", "fault is missing"),
        ("/faults/checkout", "[]", "JSON object"),
        ("/faults/checkout", "fault", "must be JSON"),
    ],
)
async def test_a_wrong_put_is_explained(simulator: Simulator, path: str, body: str, said: str) -> None:
    """A strike that cannot be gets 400, one sentence with the nearest right word, and changes nothing."""
    status, answer = await _ask(simulator, "PUT", path, data=body)
    assert status == 400
    assert said in answer["error"]
    assert (await _ask(simulator, "GET", "/state"))[1]["faults"] == {}


async def test_settings_are_put_and_shown(simulator: Simulator) -> None:
    """What is put takes the place of what was there, the rest stays; the state shows all of it."""
    _, before = await _ask(simulator, "GET", "/state")
    assert before["settings"]["cache"] == 0
    status, shown = await _ask(simulator, "PUT", "/settings", json={"cache": 1800, "recaptcha": "always"})
    assert (status, shown) == (200, {**before["settings"], "cache": 1800, "recaptcha": "always"})
    assert (await _ask(simulator, "GET", "/state"))[1]["settings"] == shown


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('{"cash": 1}', "did you mean 'cache'"),
        ('{"self": 1}', "no setting 'self'"),
        ('{"cache": -1}', "cache must be a number from 0 to 86400"),
        ('{"cache": true}', "cache must be a number"),
        ('{"cache": NaN}', "cache must be a number"),
        ('{"limits": 2}', "limits must be a number from 0 to 1"),
        ('{"active": 1}', "active must be true or false"),
        ('{"recaptcha": "sometimes"}', "recaptcha must be one of vtexCriteria, never, always"),
        ('{"feed": ["schema"]}', "feed must be one of"),
        ("[]", "JSON object"),
        ("x", "must be JSON"),
    ],
)
async def test_a_wrong_setting_is_explained(simulator: Simulator, body: str, said: str) -> None:
    """A setting that cannot be gets 400, one sentence with the right words, and changes nothing."""
    _, before = await _ask(simulator, "GET", "/state")
    status, answer = await _ask(simulator, "PUT", "/settings", data=body)
    assert (status, said in answer["error"]) == (400, True), answer
    assert (await _ask(simulator, "GET", "/state"))[1]["settings"] == before["settings"]


async def test_the_state_counts_who_was_asked(buyer: Buyer) -> None:
    """Requests by route, carts made and orders placed with their statuses: what a monitor did can be proven."""
    shopper = buyer.shopper
    await buyer.fill()
    await buyer.place()
    await shopper.ask("GET", "C/nothing")
    shopper.simulator.strike("shared:gateway", "http_503")
    await shopper.ask("GET", "C/api/oms/pvt/orders")
    _, state = await _ask(shopper.simulator, "GET", "/state")
    assert state["carts"] == 1
    assert state["orders"] == {"placed": 1, "statuses": {"order-created": 1}}
    assert state["asked"]["POST /api/checkout/pub/orderForm/{id}/attachments/shippingData"] == 2
    assert state["asked"]["GET /api/oms/pvt/orders"] == 1
    assert state["asked"]["no route"] == 1
    assert sum(state["asked"].values()) == state["requests"]


async def test_a_fault_is_deleted_with_a_tail(shopper: Shopper) -> None:
    """`?tail=` lets a fault fade over so many seconds; deleted once more, nothing is left of it."""
    simulator = shopper.simulator
    await _ask(simulator, "PUT", "/faults/logistics", json={"fault": "http_503"})
    assert (await _ask(simulator, "DELETE", "/faults/logistics?tail=600"))[1] == {"cleared": True}
    assert (await _ask(simulator, "GET", "/state"))[1]["faults"]["logistics"]["clearing"] is True
    assert (await shopper.simulate())[0] == 500
    assert (await _ask(simulator, "DELETE", "/faults/logistics"))[1] == {"cleared": True}
    assert (await _ask(simulator, "GET", "/state"))[1]["faults"] == {}
    assert (await shopper.simulate())[0] == 200
    for query, said in (("tail=x", "number of seconds"), ("tail=-1", "from 0"), ("tale=1", "did you mean 'tail'")):
        status, answer = await _ask(simulator, "DELETE", f"/faults?{query}")
        assert (status, said in answer["error"]) == (400, True), answer


async def test_unknown_things_are_404_in_json(simulator: Simulator) -> None:
    """A module nobody knows cannot be cleared, and a path nobody knows names the ones there are."""
    status, answer = await _ask(simulator, "DELETE", "/faults/chekout")
    assert (status, "checkout" in answer["error"]) == (404, True)
    status, answer = await _ask(simulator, "GET", "/faulst")
    assert (status, "/state" in answer["error"]) == (404, True)
    assert (await _ask(simulator, "POST", "/state"))[0] == 405


async def test_canaries_answer_whatever_is_struck(simulator: Simulator) -> None:
    """Three addresses of their own, which no fault reaches."""
    simulator.strike("shared:gateway", "refuse")
    assert len(set(simulator.canaries)) == 3
    async with aiohttp.ClientSession() as session:
        for url in simulator.canaries:
            async with session.get(url) as response:
                assert response.status == 200


async def test_ports_that_were_asked_for() -> None:
    """The first host takes the port that was asked for; a port in use is refused by name."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with Simulator.open(port=port) as simulator:
        assert simulator.ports["commerce"] == port
        with pytest.raises(PortTaken, match=str(port)):
            async with Simulator.open(port=port):
                pass
