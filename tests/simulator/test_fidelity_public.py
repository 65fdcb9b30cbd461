"""Fidelity, public probes: each route that needs no key answers with the documented status, fields, types and headers.

A row reads: number and name of the probe, the request, the status, the module that answers, and what must hold of the
answer, as JMESPath that gives true. Pages, files and what spans two requests follow below the table.
"""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.simulator.conftest import KEY, Shopper, check

pytestmark = pytest.mark.slow

C = "C/api"
IS = "C/api/intelligent-search/v1"

# method, url, body, status, module that answers, what must hold (JMESPath that gives true)
Row = tuple[str, str, str, Any, int, str, list[str]]

OPEN: list[Row] = [
    (
        "4 category tree",
        "GET",
        f"{C}/catalog_system/pub/category/tree/1",
        None,
        200,
        "catalog",
        [
            "length(@) > `0`",
            "type([0].id) == 'number' && type([0].name) == 'string'",
            "length([?type(hasChildren) == 'boolean' && type(children) == 'array' && url]) == length(@)",
        ],
    ),
    (
        "5 sales channel",
        "GET",
        f"{C}/catalog_system/pub/saleschannel/1",
        None,
        200,
        "catalog",
        ["IsActive == `true`", "CurrencyCode == 'BRL'", "CountryCode == 'BRA'", "CultureInfo == 'pt-BR'"],
    ),
    (
        "6 legacy search",
        "GET",
        f"{C}/catalog_system/pub/products/search?fq=skuId:1&_from=0&_to=0",
        None,
        200,
        "legacy-search",
        [
            "type(@) == 'array'",
            "[0].productId == '101'",
            "[0].linkText == 'caneca-aurora'",
            "[0].items[0].itemId == '1'",
            "[0].items[0].sellers[0].commertialOffer.Price == `49.9`",
        ],
    ),
    (
        "7 variations",
        "GET",
        f"{C}/catalog_system/pub/products/variations/101",
        None,
        200,
        "catalog",
        [
            "productId == `101`",
            "available == `true`",
            "skus[0].sku == `1`",
            "skus[0].available == `true`",
            "skus[0].bestPrice == `4990`",
        ],
    ),
    (
        "8 product by SKU",
        "GET",
        f"{IS}/products?sc=1&field=sku&value=1",
        None,
        200,
        "search",
        ["type(@) == 'object'", "productId == '101'", "items[0].itemId == '1'"],
    ),
    (
        "9 query",
        "GET",
        f"{IS}/product-search/category-1/casa?query=caneca&sc=1&locale=pt-BR&count=1",
        None,
        200,
        "search",
        ["type(products) == 'array'", "recordsFiltered > `0`", "type(searchId) == 'string'"],
    ),
    (
        "10 query, old path",
        "GET",
        f"{C}/io/_v/api/intelligent-search/product_search/trade-policy/1?query=caneca&count=1",
        None,
        200,
        "search",
        ["type(products) == 'array'", "recordsFiltered == `1`", "type(searchId) == 'string'"],
    ),
    (
        "10b search alone",
        "GET",
        f"{IS}/product-search/category-1/casa?query=caneca&sc=1&count=1&simulationBehavior=skip",
        None,
        200,
        "search",
        ["recordsFiltered > `0`"],
    ),
    (
        "11 top searches",
        "GET",
        f"{IS}/top-searches",
        None,
        200,
        "search",
        ["type(searches[0].term) == 'string'", "type(searches[0].count) == 'number'"],
    ),
    (
        "12 session",
        "POST",
        f"{C}/sessions",
        {"public": {}},
        201,
        "session",
        ["type(sessionToken) == 'string'", "type(segmentToken) == 'string'"],
    ),
    (
        "14 cart",
        "GET",
        f"{C}/checkout/pub/orderForm?forceNewCart=true",
        None,
        200,
        "checkout",
        ["length(orderFormId) == `32`", "type(items) == 'array'", "messages == `[]`", "value == `0`"],
    ),
    (
        "16 postal code",
        "GET",
        f"{C}/checkout/pub/postal-code/BRA/01310-100",
        None,
        200,
        "postal-code",
        ["city == 'São Paulo'", "state == 'SP'", "country == 'BRA'", "postalCode == '01310-100'"],
    ),
    (
        "17 regions",
        "GET",
        f"{C}/checkout/pub/regions/?country=BRA&postalCode=01310-100",
        None,
        200,
        "checkout",
        ["type([0].id) == 'string'", "[0].sellers[0].id == '1'"],
    ),
    (
        "18 pickup points",
        "GET",
        f"{C}/checkout/pub/pickup-points?postalCode=01310-100&countryCode=BRA",
        None,
        200,
        "logistics",
        ["paging.total == `1`", "type(items) == 'array'"],
    ),
    (
        "19 profile",
        "GET",
        f"{C}/checkout/pub/profiles?email=nobody@demostore.example",
        None,
        200,
        "profile",
        ["contains(keys(@), 'userProfileId')", "isComplete == `false`"],
    ),
    (
        "20 VTEX ID",
        "GET",
        f"{C}/vtexid/pub/authentication/start?scope=demostore",
        None,
        200,
        "vtex-id",
        [
            "length(authenticationToken) > `0`",
            "type(showClassicAuthentication) == 'boolean'",
            "type(showAccessKeyAuthentication) == 'boolean'",
        ],
    ),
]


@pytest.mark.parametrize(
    ("method", "url", "body", "status", "module", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in OPEN]
)
async def test_public_routes(
    shopper: Shopper, method: str, url: str, body: Any, status: int, module: str, wanted: list[str]
) -> None:
    """A public route answers without a key, under its module's application, in the documented shape."""
    got, headers, content = await shopper.ask(method, url, json=body)
    assert got == status
    check(module, url[0], headers, content, wanted)
    assert headers["x-vtex-janus-router-backend-app"] == shopper.simulator.platform.faults.version(module)


@pytest.mark.parametrize(
    ("url", "content_type", "contains"),
    [
        pytest.param("W/", "text/html", b"__RUNTIME__", id="1 home"),
        pytest.param("M/", "text/html", b"__RUNTIME__", id="1 home of the account"),
        pytest.param("W/caneca-aurora/p", "text/html", b"Caneca Aurora", id="2 product page"),
        pytest.param("W/api/health/live", "text/plain", b"Ok", id="3 FastStore"),
        pytest.param("W/checkout/", "text/html", b"checkout", id="the checkout page"),
        pytest.param("M/admin/login", "text/html", b"vtexid", id="23 admin"),
        pytest.param("I/arquivos/ids/101/caneca-aurora.png", "image/png", b"PNG", id="21 image"),
        pytest.param("S/arquivos/ids/101", "image/png", b"PNG", id="21 image, other host"),
    ],
)
async def test_pages_and_files(shopper: Shopper, url: str, content_type: str, contains: bytes) -> None:
    """Pages, files and the liveness text come with their own type."""
    status, headers, body = await shopper.ask("GET", url)
    assert (status, headers["content-type"].partition(";")[0]) == (200, content_type)
    assert contains in body


async def test_a_search_tells_its_range_in_a_header(shopper: Shopper) -> None:
    """The legacy search counts in `resources` and answers 206 for a part of the list."""
    status, headers, body = await shopper.ask("GET", "C/api/catalog_system/pub/products/search?_from=0&_to=1")
    assert (status, headers["resources"], len(json.loads(body))) == (206, "0-1/7", 2)
    status, _, _ = await shopper.ask("GET", "C/api/catalog_system/pub/products/search?_from=0&_to=51")
    assert status == 400
    status, headers, _ = await shopper.ask("GET", "C/api/catalog_system/pub/products/search?_from=0&_to=50")
    assert (status, headers["resources"]) == (200, "0-50/7")
    status, _, _ = await shopper.ask("GET", "C/api/catalog_system/pub/products/search?_from=2490&_to=2501")
    assert status == 400


async def test_thirteen_the_session_opens_a_segment(shopper: Shopper) -> None:
    """The two cookies of a session give the segment; without them it fails."""
    _, headers, _ = await shopper.ask("POST", "C/api/sessions", json={"public": {}})
    cookies = {
        name: value for name, value in (one.partition(";")[0].split("=", 1) for one in headers.getall("Set-Cookie"))
    }  # type: ignore[attr-defined]
    assert set(cookies) == {"vtex_session", "vtex_segment"}
    status, _, body = await shopper.ask("GET", "C/api/segments", cookies=cookies)
    segment = json.loads(body)
    assert status == 200
    assert segment["currencyCode"] == "BRL"
    assert {"channel", "countryCode", "cultureInfo"} <= set(segment)
    assert (await shopper.ask("GET", "C/api/segments"))[0] == 400


async def test_fifteen_and_twenty_two_are_one_answer(shopper: Shopper) -> None:
    """The simulation lists the payment methods of the store, which is how they are seen without a key."""
    _, _, body = await shopper.simulate()
    systems = json.loads(body)["paymentData"]["paymentSystems"]
    assert systems
    assert all(type(one["id"]) is int and one["name"] and one["groupName"] for one in systems)


async def test_a_refused_search_has_an_envelope_of_its_own(shopper: Shopper) -> None:
    """400 answers of Intelligent Search carry `status`, `code`, `name`, `level` and `response.data`."""
    status, _, body = await shopper.ask("GET", f"{IS}/products?field=sku")
    answer = json.loads(body)
    assert (status, set(answer)) == (400, {"status", "code", "name", "level", "response"})
    assert "data" in answer["response"]
    assert (await shopper.ask("GET", f"{IS}/products?sc=1&field=sku&value=999"))[0] == 404
    assert (await shopper.ask("GET", f"{C}/io/_v/api/intelligent-search/product_search/a/b?query=x"))[0] == 400


async def test_search_says_how_long_it_may_be_kept(shopper: Shopper) -> None:
    """A query answers with the `Cache-Control` that caches go by."""
    _, headers, _ = await shopper.ask("GET", f"{IS}/product-search/category-1/casa?query=caneca")
    assert headers["cache-control"] == "public, max-age=120"


async def test_a_customer_comes_back_masked(shopper: Shopper) -> None:
    """A complete profile is shown by its first letters only."""
    url = f"{C}/checkout/pub/profiles?email=cliente@demostore.example"
    answer = json.loads((await shopper.ask("GET", url))[2])
    assert (answer["isComplete"], answer["userProfile"]["email"]) == (True, "c***")


async def test_vtex_id_says_its_limit(shopper: Shopper) -> None:
    """The first step of a login shows a limit of its own."""
    _, headers, _ = await shopper.ask("GET", f"{C}/vtexid/pub/authentication/start?scope=demostore")
    assert headers["x-ratelimit-limit"] == "200"


async def test_a_change_reaches_search_after_its_lag(shopper: Shopper) -> None:
    """What the store's job writes into the catalog is shown by both searches once it is indexed, not before."""
    simulator = shopper.simulator
    assert simulator.platform.ledger.settings.index == 360
    simulator.set(touch=0)
    url = f"{C}/catalog_system/pvt/products/101/specification"

    async def shown() -> list[Any]:
        new = json.loads((await shopper.ask("GET", f"{IS}/products?sc=1&field=sku&value=1"))[2])
        old = json.loads((await shopper.ask("GET", f"{C}/catalog_system/pub/products/search?fq=skuId:1"))[2])[0]
        values = [one["values"] for one in new["properties"] if one["name"] == "Monitor"]
        assert new["metaTagDescription"] == old["metaTagDescription"] == ", ".join(values[0] if values else [])
        assert ("Monitor" in old["allSpecifications"]) == bool(values)
        return [*values, *([old["Monitor"]] if "Monitor" in old else [])]

    assert await shown() == []
    wanted = [{"Value": ["first"], "Id": 1, "Name": "Monitor"}]
    assert (await shopper.ask("POST", url, json=wanted, headers=KEY))[0] == 200
    assert json.loads((await shopper.ask("GET", url, headers=KEY))[2]) == wanted
    assert await shown() == []
    simulator.set(index=0)
    assert await shown() == [["first"], ["first"]]
    simulator.strike("indexing", "stall")
    await shopper.ask("POST", url, json=[{"Value": ["second"], "Id": 1, "Name": "Monitor"}], headers=KEY)
    assert json.loads((await shopper.ask("GET", url, headers=KEY))[2])[0]["Value"] == ["second"]
    assert await shown() == [["first"], ["first"]]
    simulator.clear()
    assert await shown() == [["second"], ["second"]]
    assert (await shopper.ask("POST", url, json=wanted))[0] == 401
    assert (await shopper.ask("POST", url, json=[{"Name": "Monitor"}], headers=KEY))[0] == 400


@pytest.mark.parametrize("struck", [None, "indexing", "catalog"])
async def test_the_time_in_search_stands_still_without_indexing(shopper: Shopper, struck: str | None) -> None:
    """The store's job writes the time once a minute; in search it is as old as the lag, and older when that stalls."""
    simulator = shopper.simulator
    simulator.set(touch=0.1, index=0)
    if struck:
        simulator.strike(struck, "http_500")

    async def written() -> str:
        url = f"{IS}/products?sc=1&field=sku&value=1&simulationBehavior=skip"
        return str(json.loads((await shopper.ask("GET", url))[2])["properties"][0]["values"][0])

    first = await written()
    assert abs((datetime.now(UTC) - datetime.fromisoformat(first)).total_seconds()) < 30
    await asyncio.sleep(1.2)
    assert (await written() == first) == (struck is not None)
