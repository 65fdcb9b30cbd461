"""Fidelity, keyed probes: what an application key of the account may read, and that nobody reads it without one.

A row reads: number and name of the probe, the request, the module that answers, and what must hold of the answer, as
JMESPath that gives true. 55 to 57 have no documented route to ask.
"""

import asyncio
import json
from typing import Any

import pytest

from tests.simulator.conftest import KEY, Shopper, check

pytestmark = pytest.mark.slow

C = "C/api"
CALCULATE = {"items": [{"id": "1", "quantity": 1}], "location": {"zipCode": "01310100", "country": "BRA"}}

Row = tuple[str, str, str, Any, str, list[str]]

KEYED: list[Row] = [
    (
        "31 docks",
        "GET",
        f"{C}/logistics/pvt/configuration/docks",
        None,
        "logistics",
        ["type(@) == 'array'", "[0].id && [0].name", "type([0].isActive) == 'boolean'"],
    ),
    (
        "31 warehouses",
        "GET",
        f"{C}/logistics/pvt/configuration/warehouses",
        None,
        "logistics",
        ["type(@) == 'array'", "[0].id && [0].name", "type([0].isActive) == 'boolean'"],
    ),
    (
        "32 stock",
        "GET",
        f"{C}/logistics/pvt/inventory/skus/1",
        None,
        "logistics",
        ["skuId == '1'", "balance[0].totalQuantity == `500`", "balance[0].reservedQuantity == `0`"],
    ),
    (
        "33 shipping",
        "POST",
        f"{C}/logistics/pvt/shipping/calculate",
        CALCULATE,
        "logistics",
        ["[0][0].availabilityQuantity > `0`", "type([0][0].slaType) == 'string'", "[0][0].listPrice == `12.9`"],
    ),
    (
        "34 pricing",
        "GET",
        "A/demostore/pricing/config",
        None,
        "pricing",
        ["hasMigrated == `true`", "blockAccount == `false`", "blockedRoutes == `null`"],
    ),
    (
        "35 computed price",
        "GET",
        "A/demostore/pricing/prices/1/computed/1",
        None,
        "pricing",
        ["sellingPrice == `49.9`", "listPrice == `59.9`", "tradePolicyId == '1'"],
    ),
    (
        "36 promotions",
        "GET",
        f"{C}/rnb/pvt/benefits/calculatorconfiguration",
        None,
        "rates-and-benefits",
        ["type(items) == 'array'", "limitConfiguration.activesCount == `1`"],
    ),
    (
        "37 payment systems",
        "GET",
        "P/api/pvt/merchants/payment-systems",
        None,
        "payments",
        ["type(@) == 'array'", "[0].id && [0].name && [0].groupName", "type([0].isAvailable) == 'boolean'"],
    ),
    (
        "38 installments",
        "GET",
        "P/api/pvt/installments?request.value=10&request.salesChannel=1",
        None,
        "payment-options",
        ["value == `10`", "length(installments[0].options) > `0`"],
    ),
    (
        "39 OMS list",
        "GET",
        f"{C}/oms/pvt/orders?per_page=1&page=1",
        None,
        "oms",
        [
            "length(list) == `1`",
            "list[0].workflowInErrorState == `false`",
            "paging.total == `4200`",
            "paging.pages == `4200`",
            "paging.currentPage == `1`",
            "type(stats) == 'object'",
        ],
    ),
    (
        "40 OMS by id",
        "GET",
        f"{C}/oms/pvt/orders/1000000000-01",
        None,
        "oms",
        ["orderId == '1000000000-01'", "status == 'invoiced'", "workflowIsInError == `false`"],
    ),
    (
        "41 feed",
        "GET",
        f"{C}/orders/feed/config",
        None,
        "workflow",
        [
            "quantity == `3`",
            "approximateAgeOfOldestMessageInSeconds < `60`",
            "queue.visibilityTimeoutInSeconds == `240`",
            "queue.messageRetentionPeriodInSeconds == `345600`",
        ],
    ),
    (
        "42 License Manager",
        "GET",
        f"{C}/vlm/account/stores",
        None,
        "license-manager",
        ["[0].id && [0].name", "length([0].hosts) > `0`"],
    ),
    (
        "43 roles",
        "GET",
        f"{C}/license-manager/site/pvt/roles/list/paged?numItems=1&pageNumber=1",
        None,
        "license-manager",
        ["length(items) == `1`", "paging.total > `0`"],
    ),
    ("45 gift cards", "GET", f"{C}/giftcardproviders", None, "gift-card", ["[0].id && [0].serviceUrl"]),
    (
        "46 Master Data",
        "GET",
        f"{C}/dataentities",
        None,
        "master-data",
        ["contains([].acronym, 'CL')", "contains([].acronym, 'AD')"],
    ),
    (
        "47 documents",
        "GET",
        f"{C}/dataentities/PR/search?_fields=id",
        None,
        "master-data",
        ["type(@) == 'array'", "[0].id != `null`"],
    ),
    (
        "48 profile",
        "GET",
        f"{C}/storage/profile-system/schemas/profileSystem",
        None,
        "profile",
        ["title == 'profileSystem'", "type(properties) == 'object'", "version == `1`"],
    ),
    (
        "49 subscriptions",
        "GET",
        f"{C}/rns/settings",
        None,
        "subscriptions",
        ["isUsingV3 == `true`", "executionHourInUtc == `9`", "type(workflowVersion) == 'string'"],
    ),
    (
        "50 suggestions",
        "GET",
        "A/demostore/suggestions/configuration",
        None,
        "suggestions",
        ["type(Score) == 'object'", "type(Matchers) == 'array'", "MatchFlux == 'default'"],
    ),
    (
        "51 sellers",
        "GET",
        f"{C}/seller-register/pvt/sellers?from=0&to=1",
        None,
        "marketplace",
        ["items[0].id == '1'"],
    ),
    ("52 affiliates", "GET", f"{C}/fulfillment/pvt/affiliates", None, "fulfillment", ["type(@) == 'array'"]),
    (
        "53 Checkout's configuration",
        "GET",
        f"{C}/checkout/pvt/configuration/orderForm",
        None,
        "checkout",
        ["recaptchaValidation == 'vtexCriteria'", "minimumQuantityAccumulatedForItems == `1`"],
    ),
]
KEYED_ROWS = [pytest.param(*row[1:], id=row[0]) for row in KEYED]


@pytest.mark.parametrize(("method", "url", "body", "module", "wanted"), KEYED_ROWS)
async def test_keyed_routes(shopper: Shopper, method: str, url: str, body: Any, module: str, wanted: list[str]) -> None:
    """A keyed route answers in the documented shape with a key whose role reaches its module."""
    for token in ("token", f"only:oms,{module}"):
        got, headers, content = await shopper.ask(method, url, json=body, headers={**KEY, "X-VTEX-API-AppToken": token})
        assert got == 200
        check(module, url[0], headers, content, wanted)


@pytest.mark.parametrize(("method", "url", "body", "module", "wanted"), KEYED_ROWS)
async def test_bad_keys(shopper: Shopper, method: str, url: str, body: Any, module: str, wanted: list[str]) -> None:
    """No key, a wrong or an expired one is a 401, and one whose role does not reach that a 403."""
    for headers, status in (
        ({}, 401),
        ({"X-VTEX-API-AppKey": "key"}, 401),
        ({"X-VTEX-API-AppToken": "token"}, 401),
        ({**KEY, "X-VTEX-API-AppToken": "wrong"}, 401),
        ({**KEY, "X-VTEX-API-AppToken": "expired"}, 401),
        ({**KEY, "X-VTEX-API-AppToken": "forbidden"}, 403),
        ({**KEY, "X-VTEX-API-AppToken": "only:nothing,else"}, 403),
    ):
        got, _, content = await shopper.ask(method, url, json=body, headers=headers)
        assert got == status, headers
        code = json.loads(content)["error"]["code"]
        assert code == ("CHK003" if module == "checkout" else str(status))


async def test_names_of_key_headers_may_be_written_in_any_case(shopper: Shopper) -> None:
    """Header names are case-insensitive."""
    headers = {name.lower(): value for name, value in KEY.items()}
    assert (await shopper.ask("GET", f"{C}/vlm/account/stores", headers=headers))[0] == 200


async def test_forty_four_a_machine_logs_in(shopper: Shopper) -> None:
    """A key in the body gives a token, and nothing with a wrong one or without."""
    url = "C/api/vtexid/apptoken/login"
    status, _, body = await shopper.ask("POST", url, json={"appkey": "k", "apptoken": "t"})
    answer = json.loads(body)
    assert (status, answer["authStatus"]) == (200, "Success")
    assert (type(answer["token"]), type(answer["expires"])) == (str, int)
    for wrong in ({}, {"appkey": "k"}, {"appkey": "k", "apptoken": "expired"}, {"appkey": "k", "apptoken": 1}):
        assert (await shopper.ask("POST", url, json=wrong))[0] == 401


async def test_fifty_four_the_cms_declares_no_key(shopper: Shopper) -> None:
    """Content types of a headless project are read without one."""
    status, _, body = await shopper.ask("GET", "M/_v/cms/api/faststore")
    assert (status, type(json.loads(body)["contentTypes"])) == (200, list)


@pytest.mark.parametrize("url", [f"{C}/giftcardproviders", f"{C}/dataentities/PR/search?_fields=id"])
async def test_ranges_are_told_in_a_header(shopper: Shopper, url: str) -> None:
    """What is asked for with `REST-Range` is answered with `REST-Content-Range`."""
    _, headers, _ = await shopper.ask("GET", url, headers={**KEY, "REST-Range": "resources=0-1"})
    assert headers["rest-content-range"] == "resources 0-1/1"


async def test_wildcards_are_blocked(shopper: Shopper) -> None:
    """Master Data refuses searches with wildcards for a while, with 503."""
    status, _, _ = await shopper.ask("GET", f"{C}/dataentities/PR/search?_where=name=*a*", headers=KEY)
    assert status == 503


async def test_bad_input_of_installments_has_a_code(shopper: Shopper) -> None:
    """The gateway answers bad input with 400 and an error of its own."""
    status, _, body = await shopper.ask("GET", "P/api/pvt/installments?request.value=x", headers=KEY)
    assert (status, bool(json.loads(body)["error"]["code"])) == (400, True)


@pytest.mark.parametrize("id", ["0000000000-01", "1000000000", "nothing", "1500000000001-01", "²000000000-01"])
async def test_an_unknown_order_is_a_404(shopper: Shopper, id: str) -> None:
    """An order nobody placed is not found."""
    assert (await shopper.ask("GET", f"{C}/oms/pvt/orders/{id}", headers=KEY))[0] == 404
    assert (await shopper.ask("POST", f"{C}/oms/pvt/orders/{id}/cancel", json={}, headers=KEY))[0] == 404


@pytest.mark.parametrize(
    ("feed", "status", "age"),
    [
        ("schema", 200, "approximateAgeOfOldestMessageInSeconds"),
        ("guide", 200, "aproximateAgeOfOldestMessageInSeconds"),
        ("removed", 404, None),
    ],
)
async def test_the_feed_is_spelt_in_two_ways_or_gone(shopper: Shopper, feed: str, status: int, age: str | None) -> None:
    """Schema and guide spell the age differently, and a feed without events is removed."""
    shopper.simulator.set(feed=feed)
    got, _, body = await shopper.ask("GET", f"{C}/orders/feed/config", headers=KEY)
    assert got == status
    assert [name for name in json.loads(body) if "roximate" in name] == ([age] if age else [])


async def test_the_feed_grows_older_while_the_workflow_stalls(shopper: Shopper) -> None:
    """A workflow that stands still lets the oldest message of the feed wait, second by second."""

    async def age() -> float:
        _, _, body = await shopper.ask("GET", f"{C}/orders/feed/config", headers=KEY)
        return float(json.loads(body)["approximateAgeOfOldestMessageInSeconds"])

    assert await age() < 12.5
    shopper.simulator.strike("workflow", "stall")
    await asyncio.sleep(0.6)
    assert await age() > 12.5


@pytest.mark.parametrize("fault", ["http_500", "reset", "wrong_json"])
async def test_a_failing_workflow_leaves_orders_in_error(shopper: Shopper, fault: str) -> None:
    """Orders that come in while the workflow fails are listed as in error, until it works again."""

    async def newest() -> tuple[bool, str]:
        _, _, body = await shopper.ask("GET", f"{C}/oms/pvt/orders?per_page=1", headers=KEY)
        return json.loads(body)["list"][0]["workflowInErrorState"], json.loads(body)["list"][0]["status"]

    assert await newest() == (False, "ready-for-handling")
    shopper.simulator.strike("workflow", fault)
    assert await newest() == (True, "payment-pending")
    shopper.simulator.clear()
    assert await newest() == (False, "ready-for-handling")


async def test_reading_the_feed_hides_it_from_its_owner(shopper: Shopper) -> None:
    """Items that are taken cannot be seen by anybody else: why a monitor reads the configuration only."""
    url = f"{C}/orders/feed?maxlot=10"
    _, _, first = await shopper.ask("GET", url, headers=KEY)
    _, _, second = await shopper.ask("GET", url, headers=KEY)
    assert (len(json.loads(first)), json.loads(second)) == (3, [])
    assert {"eventId", "handle", "domain", "state", "lastState", "orderId"} <= set(json.loads(first)[0])


@pytest.mark.parametrize(
    ("method", "url", "contains"),
    [
        ("GET", "C/api/vlm/account", b"appToken"),
        ("GET", "C/api/catalog_system/pvt/seller/list", b"Password"),
        ("GET", "C/api/orders/feed", b"handle"),
        ("POST", "C/api/vtexid/pub/authentication/accesskey/send", b""),
    ],
)
async def test_what_a_monitor_must_not_ask_is_there_and_counted(
    shopper: Shopper, method: str, url: str, contains: bytes
) -> None:
    """Routes that give keys or passwords away, take orders or mail people exist, so that asking them shows."""
    name = f"{method} {url.removeprefix('C')}"
    assert name not in shopper.simulator.state()["asked"]
    status, _, body = await shopper.ask(method, url, headers=KEY)
    assert status < 300
    assert contains in body
    assert shopper.simulator.state()["asked"][name] == 1
