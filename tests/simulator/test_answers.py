"""Each route answers in the shape that VTEX documents for it."""

import json
from typing import Any

import pytest

from tests.simulator.conftest import SIMULATION, Shopper, check

C = "C/api"
IS = "C/api/intelligent-search/v1"

# method, url, body, status, module that answers, what must hold (JMESPath that gives true)
OPEN: list[tuple[str, str, Any, int, str, list[str]]] = [
    (
        "GET",
        f"{C}/catalog_system/pub/category/tree/1",
        None,
        200,
        "catalog",
        ["length(@) > `0`", "length([?id && name && url && type(children) == 'array']) == length(@)"],
    ),
    (
        "GET",
        f"{C}/catalog_system/pub/saleschannel/1",
        None,
        200,
        "catalog",
        ["IsActive", "CurrencyCode == 'BRL'", "CountryCode == 'BRA'", "CultureInfo == 'pt-BR'"],
    ),
    (
        "GET",
        f"{C}/catalog_system/pub/products/variations/101",
        None,
        200,
        "catalog",
        ["productId == `101`", "available", "skus[0].sku == `1`", "skus[0].available", "skus[0].bestPrice == `4990`"],
    ),
    (
        "GET",
        f"{C}/catalog_system/pub/products/search?fq=skuId:1&_from=0&_to=0",
        None,
        200,
        "legacy-search",
        [
            "[0].productId == '101'",
            "[0].linkText == 'caneca-aurora'",
            "[0].items[0].itemId == '1'",
            "[0].items[0].sellers[0].commertialOffer.Price == `49.9`",
        ],
    ),
    (
        "GET",
        f"{IS}/products?sc=1&field=sku&value=1",
        None,
        200,
        "search",
        ["productId == '101'", "items[0].itemId == '1'"],
    ),
    (
        "GET",
        f"{IS}/product-search/category-1/casa?query=caneca&sc=1&locale=pt-BR&count=1",
        None,
        200,
        "search",
        ["type(products) == 'array'", "recordsFiltered > `0`", "searchId != `null`"],
    ),
    (
        "GET",
        f"{C}/io/_v/api/intelligent-search/product_search/trade-policy/1?query=caneca&count=1",
        None,
        200,
        "search",
        ["recordsFiltered == `1`"],
    ),
    ("GET", f"{IS}/top-searches", None, 200, "search", ["searches[0].term != `null`", "searches[0].count > `0`"]),
    ("POST", f"{C}/sessions", {"public": {}}, 201, "session", ["sessionToken != ''", "segmentToken != ''"]),
    (
        "GET",
        f"{C}/checkout/pub/orderForm?forceNewCart=true",
        None,
        200,
        "checkout",
        ["length(orderFormId) == `32`", "type(items) == 'array'", "messages == `[]`", "value == `0`"],
    ),
    (
        "POST",
        f"{C}/checkout/pub/orderForms/simulation?sc=1&RnbBehavior=0",
        SIMULATION,
        200,
        "checkout",
        [
            "messages == `[]`",
            "items[0].availability == 'available'",
            "items[0].price == `4990`",
            "items[0].priceDefinition.total == `4990`",
            "items[0].priceTags != `[]`",
            "ratesAndBenefitsData.rateAndBenefitsIdentifiers != `[]`",
            "logisticsInfo[0].slas[0].[id, price, shippingEstimate] | length([?@]) == `3`",
            "logisticsInfo[0].slas[0].deliveryChannel == 'delivery'",
            "paymentData.paymentSystems[0].id && paymentData.paymentSystems[0].groupName",
            "paymentData.installmentOptions != `[]`",
        ],
    ),
    (
        "GET",
        f"{C}/checkout/pub/postal-code/BRA/01310-100",
        None,
        200,
        "postal-code",
        ["city == 'São Paulo'", "state == 'SP'", "country == 'BRA'", "postalCode == '01310-100'"],
    ),
    (
        "GET",
        f"{C}/checkout/pub/regions/?country=BRA&postalCode=01310-100",
        None,
        200,
        "checkout",
        ["[0].id != `null`", "[0].sellers[0].id == '1'"],
    ),
    (
        "GET",
        f"{C}/checkout/pub/pickup-points?postalCode=01310-100&countryCode=BRA",
        None,
        200,
        "logistics",
        ["paging.total == `1`", "length(items) == `1`"],
    ),
    (
        "GET",
        f"{C}/checkout/pub/profiles?email=nobody@demostore.example",
        None,
        200,
        "profile",
        ["contains(keys(@), 'userProfileId')", "isComplete == `false`"],
    ),
    (
        "GET",
        f"{C}/vtexid/pub/authentication/start?scope=demostore",
        None,
        200,
        "vtex-id",
        ["authenticationToken != ''", "type(showClassicAuthentication) == 'boolean'"],
    ),
]


@pytest.mark.parametrize(("method", "url", "body", "status", "module", "wanted"), OPEN, ids=lambda value: None)
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
        ("W/", "text/html", b"__RUNTIME__"),
        ("M/", "text/html", b"__RUNTIME__"),
        ("W/caneca-aurora/p", "text/html", b"Caneca Aurora"),
        ("W/api/health/live", "text/plain", b"Ok"),
        ("W/checkout/", "text/html", b"checkout"),
        ("M/admin/login", "text/html", b"vtexid"),
        ("I/arquivos/ids/101/caneca-aurora.png", "image/png", b"PNG"),
        ("S/arquivos/ids/101", "image/png", b"PNG"),
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
    status, _, _ = await shopper.ask("GET", "C/api/catalog_system/pub/products/search?_from=0&_to=50")
    assert status == 400


async def test_the_session_opens_a_segment(shopper: Shopper) -> None:
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
