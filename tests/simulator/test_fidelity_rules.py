"""Fidelity, rules for every request: statuses, headers worth keeping, caches, throttling, money, wrong requests."""

import asyncio
import json
import re
from contextlib import suppress
from typing import Any

import aiohttp
import jmespath
import pytest

from monitor.simulator.cache import Cache
from monitor.simulator.visit import FILE_LIFE, PAGE_LIFE, Answer, data
from tests.simulator.conftest import KEY, SIMULATION, Buyer, Shopper

pytestmark = pytest.mark.slow

TREE = "C/api/catalog_system/pub/category/tree/1"
EDGE, API = "x-vtex-cache-status-janus-edge", "x-vtex-cache-status-janus-apicache"


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "code"),
    [
        ("POST", "C/api/checkout/pub/orderForms/simulation", {"items": []}, 400, "ORD001"),
        ("POST", "C/api/checkout/pub/orderForms/simulation", [], 400, "ORD001"),
        ("POST", "C/api/checkout/pub/orderForms/simulation?sc=9", SIMULATION, 400, "CHK0010"),
        ("POST", "C/api/checkout/pub/orderForms/simulation", {**SIMULATION, "postalCode": "x"}, 400, "ORD001"),
        ("POST", "C/api/checkout/pub/orderForms/simulation", {"items": [{"id": "1", "seller": "2"}]}, 400, "CHK0045"),
        ("GET", "C/api/checkout/pub/orderForm/unknown", None, 400, "ORD002"),
        ("GET", "C/api/checkout/pub/postal-code/BR/01310-100", None, 400, "ORD001"),
        ("GET", "C/api/checkout/pub/postal-code/BRA/123", None, 400, "ORD001"),
        ("GET", "C/api/intelligent-search/v1/products?field=sku", None, 400, "BAD_REQUEST"),
        ("GET", "C/api/intelligent-search/v1/product-search?query=a&simulationBehavior=no", None, 400, "BAD_REQUEST"),
        ("GET", "C/api/nothing/here", None, 404, "404"),
        ("GET", "C/api/sessions", None, 405, "405"),
        ("POST", "C/api/catalog_system/pub/category/tree/1", None, 405, "405"),
    ],
)
async def test_wrong_requests(shopper: Shopper, method: str, url: str, body: Any, status: int, code: str) -> None:
    """A wrong request is told by a code that blames the caller."""
    got, _, content = await shopper.ask(method, url, json=body)
    answer = json.loads(content)
    assert (got, answer["error"]["code"] if "error" in answer else answer["code"]) == (status, code)


async def test_headers_worth_keeping(shopper: Shopper) -> None:
    """Backend application with its version, release track and a request id stand on every answer behind the router."""
    _, headers, _ = await shopper.ask("GET", "A/demostore/pricing/config", headers=KEY)
    assert re.fullmatch(r"pricing-v\d+\.\d+\.\d+", headers["x-vtex-janus-router-backend-app"])
    assert headers["x-track"] == "stable"
    assert re.fullmatch(r"[0-9a-f]{32}", headers["x-request-id"])
    assert re.fullmatch(r"[0-9a-f-]{36}", headers["x-vtex-operation-id"])
    assert (await shopper.ask("GET", "M/"))[1]["x-router-cache"] == "MISS"
    _, headers, _ = await shopper.ask("GET", "A/demostore/pricing/prices/1/computed/1", headers=KEY)
    assert {"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"} <= set(headers)


async def test_the_payments_network_has_no_router(shopper: Shopper) -> None:
    """The gateway answers on a network of its own, without the router's headers, and outlives the router."""
    shopper.simulator.strike("shared:gateway", "http_503")
    status, headers, _ = await shopper.ask("GET", "P/api/pvt/merchants/payment-systems", headers=KEY)
    assert (status, "x-vtex-janus-router-backend-app" in headers) == (200, False)


@pytest.mark.parametrize(
    ("fault", "key", "status"),
    [
        ("http_429", "catalog", 429),
        ("http_503", "catalog", 503),
        ("http_500", "shared:gateway", 502),
        ("timeout", "shared:gateway", 504),
    ],
)
async def test_statuses_of_the_platform(shopper: Shopper, fault: str, key: str, status: int) -> None:
    """A throttled call says when to come back; 502 and 504 are the router's own."""
    shopper.simulator.strike(key, fault, **({"delay": 0.05} if fault == "timeout" else {}))
    got, headers, _ = await shopper.ask("GET", TREE)
    assert (got, "retry-after" in headers) == (status, status == 429)


async def test_money(buyer: Buyer) -> None:
    """The same price is cents in Checkout and decimals in searches and Pricing."""
    shopper = buyer.shopper
    await buyer.open()
    await buyer.add()
    simulated = json.loads((await shopper.simulate())[2])
    for item in (buyer.cart["items"][0], simulated["items"][0]):
        for name in ("price", "listPrice", "sellingPrice"):
            assert type(item[name]) is int
    price = "items[0].sellers[0].commertialOffer.Price"
    found = {
        "C/api/intelligent-search/v1/products?sc=1&field=sku&value=1": price,
        "C/api/catalog_system/pub/products/search?fq=skuId:1": f"[0].{price}",
        "A/demostore/pricing/prices/1/computed/1": "sellingPrice",
    }
    for url, path in found.items():
        answer = json.loads((await shopper.ask("GET", url, headers=KEY))[2])
        assert jmespath.search(path, answer) == 49.9 == simulated["items"][0]["price"] / 100


async def test_writes_to_one_cart_must_not_meet(buyer: Buyer) -> None:
    """Of two writes at once the second is refused for contention, and the cart is free again afterwards."""
    await buyer.open()
    buyer.shopper.simulator.strike("fulfillment", "slow", delay=2)
    answers = await asyncio.gather(buyer.add(), buyer.add())
    assert sorted(status for status, _, _ in answers) == [200, 409]
    assert {answer["error"]["code"] for status, _, answer in answers if status == 409} == {"CHK0084"}
    buyer.shopper.simulator.strike("pricing", "http_500")
    assert (await buyer.add())[0] == 500
    buyer.shopper.simulator.clear()
    assert (await buyer.add())[0] == 200


async def test_a_cart_shows_its_person_to_its_owner(buyer: Buyer) -> None:
    """Without the cookie of its ownership personal data comes back masked."""
    await buyer.fill()
    stranger = Buyer(buyer.shopper)
    url = f"C/api/checkout/pub/orderForm/{buyer.id}"
    answer = json.loads((await buyer.shopper.ask("GET", url, cookies=buyer.cookies))[2])
    assert answer["clientProfileData"]["email"] == "monitor@demostore.example"
    _, headers, body = await stranger.shopper.ask("GET", url)
    assert json.loads(body)["clientProfileData"]["email"] == "m***"
    assert not any("Ownership" in one for one in headers.getall("Set-Cookie"))  # type: ignore[attr-defined]


async def test_caches_keep_nothing_unless_told(shopper: Shopper) -> None:
    """By itself no answer is a copy, so that a fault is seen at once; the headers say that the module was asked."""
    _, headers, _ = await shopper.ask("GET", TREE)
    assert (headers[EDGE], headers[API], "x-vtex-processed-at" in headers) == ("MISS", "MISS", True)
    _, headers, _ = await shopper.ask("GET", TREE)
    assert (headers[EDGE], headers[API]) == ("MISS", "MISS")
    shopper.simulator.strike("catalog", "http_500")
    assert (await shopper.ask("GET", TREE))[0] == 500


@pytest.mark.parametrize("fault", ["http_503", "reset", "timeout", "garbage"])
async def test_a_cache_answers_for_a_dead_backend(shopper: Shopper, fault: str) -> None:
    """A copy goes on answering, unless the query is another, or the caller wants none; POST is never kept."""
    shopper.simulator.set(cache=3600)
    _, headers, fresh = await shopper.ask("GET", TREE)
    assert headers[API] == "MISS"
    shopper.simulator.strike("catalog", fault, **({"delay": 0.05} if fault == "timeout" else {}))
    status, headers, body = await shopper.ask("GET", TREE)
    assert (status, headers[API], body) == (200, "HIT", fresh)
    assert {"age", "x-vtex-processed-at"} <= {name.lower() for name in headers}
    assert headers["x-vtex-janus-router-backend-app"].startswith("catalog-v")
    for options in ({"params": {"t": "1"}}, {"headers": {"Cache-Control": "no-cache"}}):
        body = b""
        with suppress(aiohttp.ClientError):  # the connection may be what is dead
            _, _, body = await shopper.ask("GET", TREE, **options)
        assert body != fresh
    assert (await shopper.simulate())[0] == 500


async def test_an_old_copy_is_asked_for_anew(shopper: Shopper) -> None:
    """A copy past its time is no answer any more; the one that takes its place says EXPIRED."""
    shopper.simulator.set(cache=3600)
    await shopper.ask("GET", TREE)
    assert (await shopper.ask("GET", TREE))[1][API] == "HIT"
    shopper.simulator.set(cache=0.001)
    assert (await shopper.ask("GET", TREE))[1][API] == "EXPIRED"
    shopper.simulator.set(cache=3600)
    assert (await shopper.ask("GET", TREE))[1][API] == "HIT"


async def test_the_edge_outlives_the_router_and_the_api_cache_does_not(shopper: Shopper) -> None:
    """Pages are kept before the router, answers of APIs behind it."""
    shopper.simulator.set(cache=3600)
    assert (await shopper.ask("GET", "W/"))[1][EDGE] == "MISS"
    await shopper.ask("GET", TREE)
    shopper.simulator.strike("shared:gateway", "http_503")
    status, headers, _ = await shopper.ask("GET", "W/")
    assert (status, headers[EDGE]) == (200, "HIT")
    assert (await shopper.ask("GET", TREE))[0] == 503
    shopper.simulator.strike("shared:store", "http_500")
    assert (await shopper.ask("GET", "W/"))[0] == 500


async def test_nothing_bad_and_nothing_of_one_shopper_is_kept(shopper: Shopper) -> None:
    """Errors and spoiled answers are no copies; carts, sessions and keyed answers are nobody else's."""
    shopper.simulator.set(cache=3600)
    shopper.simulator.strike("catalog", "garbage")
    await shopper.ask("GET", TREE)
    shopper.simulator.clear()
    assert isinstance(json.loads((await shopper.ask("GET", TREE))[2]), list)
    for url in ("C/api/checkout/pub/orderForm", "C/api/oms/pvt/orders", "C/api/vlm/account/stores"):
        for _ in range(2):
            _, headers, _ = await shopper.ask("GET", url, headers=KEY)
            assert EDGE not in headers


def test_copies_live_as_long_as_documented() -> None:
    """Pages up to half an hour and files up to an hour, or shorter where less is allowed."""
    now = 0.0
    longest = 86400.0
    cache = Cache(lambda: longest, lambda: now)
    cache.keep(("W", "/"), Answer(life=PAGE_LIFE))
    cache.keep(("I", "/a.png"), Answer(life=FILE_LIFE))
    cache.keep(("C", "/api/none"), data({}))
    for at, page, file in ((1799.0, True, True), (1801.0, False, True), (3601.0, False, False)):
        now = at
        assert (cache.answer("Edge", ("W", "/"), {}) is not None) == page
        assert (cache.answer("Edge", ("I", "/a.png"), {}) is not None) == file
    assert cache.answer("ApiCache", ("C", "/api/none"), {}) is None
    now, longest = 10.0, 5.0
    assert cache.answer("Edge", ("W", "/"), {}) is None
