"""A fault shows in what depends on the module, after the time the link allows; its codes are in the fidelity tests."""

import json
import time
from typing import Any

import pytest

from tests.simulator.conftest import KEY, Shopper

SEARCH = "C/api/intelligent-search/v1/product-search/category-1/casa?query=caneca&count=1"


@pytest.mark.parametrize(("module", "limit", "code"), [("catalog", 3.0, "ORD021.1"), ("pricing", 0.9, "CHK0270")])
async def test_a_timeout_costs_the_documented_limit(shopper: Shopper, module: str, limit: float, code: str) -> None:
    """Checkout waits as long as its link allows, no longer, and gives that link's code."""
    shopper.simulator.strike(module, "timeout")
    start = time.monotonic()
    status, _, body = await shopper.simulate()
    assert limit <= time.monotonic() - start < limit + 1.5
    assert (status, json.loads(body)["error"]["code"]) == (500, code)


async def test_a_slow_dependency_slows_the_dependant(shopper: Shopper) -> None:
    """Slowness below the limit is passed on, and nothing fails."""
    shopper.simulator.strike("logistics", "slow", delay=0.4)
    start = time.monotonic()
    status, _, _ = await shopper.simulate()
    assert status == 200
    assert time.monotonic() - start >= 0.4


async def test_a_file_fault_shows_nowhere_else(shopper: Shopper) -> None:
    """Nothing that answers by itself needs the files: their fault is one module's."""
    shopper.simulator.strike("file-system", "http_503")
    assert (await shopper.ask("GET", "I/arquivos/ids/101"))[0] == 503
    for url in ("W/", "M/", "W/checkout/", SEARCH):
        assert (await shopper.ask("GET", url))[0] == 200
    assert (await shopper.simulate())[0] == 200


async def _price(shopper: Shopper, more: str = "") -> Any:
    status, _, body = await shopper.ask("GET", SEARCH + more)
    answer = json.loads(body)
    assert (status, answer["recordsFiltered"]) == (200, 1)
    return answer["products"][0]["items"][0]["sellers"][0]["commertialOffer"]["Price"]


@pytest.mark.parametrize("module", ["checkout", "logistics", "pricing"])
async def test_search_needs_the_simulation_unless_told_to_skip_it(shopper: Shopper, module: str) -> None:
    """With a sick simulation products come without a price, and with one when the simulation is skipped."""
    assert await _price(shopper) == 49.9
    shopper.simulator.strike(module, "http_500")
    assert await _price(shopper) == 0
    assert await _price(shopper, "&simulationBehavior=skip") == 49.9


async def test_a_cart_names_who_it_could_not_ask(shopper: Shopper) -> None:
    """Making a cart tells of the session, but does not need the goods."""
    shopper.simulator.strike("session", "http_500")
    shopper.simulator.strike("logistics", "http_500")
    status, _, body = await shopper.ask("GET", "C/api/checkout/pub/orderForm?forceNewCart=true")
    assert (status, [one["code"] for one in json.loads(body)["messages"]]) == (200, ["CHK0048"])


async def test_pages_stand_on_vtex_io(shopper: Shopper) -> None:
    """Without VTEX IO neither storefront nor admin is rendered; the checkout page is."""
    shopper.simulator.strike("vtex-io", "http_503")
    for url in ("W/", "W/caneca-aurora/p", "M/", "M/admin/login"):
        assert (await shopper.ask("GET", url))[0] == 503
    assert (await shopper.ask("GET", "W/checkout/"))[0] == 200


async def test_keys_need_license_manager(shopper: Shopper) -> None:
    """Without License Manager no key may read anything, while public routes go on."""
    shopper.simulator.strike("license-manager", "http_500")
    assert (await shopper.ask("GET", "C/api/oms/pvt/orders", headers=KEY))[0] == 503
    assert (await shopper.ask("GET", "C/api/catalog_system/pub/category/tree/1"))[0] == 200
