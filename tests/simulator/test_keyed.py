"""What an application key may read, and that nobody reads it without one."""

import json
from typing import Any

import pytest

from tests.simulator.conftest import KEY, Shopper, check

C = "C/api"

# method, url, body, module that answers, what must hold (JMESPath that gives true)
KEYED: list[tuple[str, str, Any, str, list[str]]] = [
    (
        "GET",
        f"{C}/logistics/pvt/configuration/docks",
        None,
        "logistics",
        ["[0].id && [0].name", "[0].isActive == `true`"],
    ),
    ("GET", f"{C}/logistics/pvt/configuration/warehouses", None, "logistics", ["[0].id != `null`"]),
    (
        "GET",
        f"{C}/logistics/pvt/inventory/skus/1",
        None,
        "logistics",
        ["skuId == '1'", "balance[0].totalQuantity > `0`", "balance[0].reservedQuantity == `0`"],
    ),
    (
        "POST",
        f"{C}/logistics/pvt/shipping/calculate",
        {"items": [{"id": "1", "quantity": 1}], "location": {"zipCode": "01310100", "country": "BRA"}},
        "logistics",
        ["[0][0].availabilityQuantity > `0`", "[0][0].slaType == 'Normal'", "[0][0].listPrice == `12.9`"],
    ),
    ("GET", "A/demostore/pricing/config", None, "pricing", ["hasMigrated", "blockAccount == `false`"]),
    (
        "GET",
        "A/demostore/pricing/prices/1/computed/1",
        None,
        "pricing",
        ["sellingPrice == `49.9`", "listPrice == `59.9`", "tradePolicyId == '1'"],
    ),
    (
        "GET",
        f"{C}/rnb/pvt/benefits/calculatorconfiguration",
        None,
        "rates-and-benefits",
        ["length(items) == `1`", "limitConfiguration.activesCount == `1`"],
    ),
    (
        "GET",
        "P/api/pvt/merchants/payment-systems",
        None,
        "payments",
        ["[0].id && [0].name && [0].groupName", "[0].isAvailable"],
    ),
    (
        "GET",
        "P/api/pvt/installments?request.value=10&request.salesChannel=1",
        None,
        "payment-options",
        ["value == `10`", "length(installments[0].options) > `0`"],
    ),
    (
        "GET",
        f"{C}/oms/pvt/orders?per_page=1&page=1",
        None,
        "oms",
        ["length(list) == `1`", "paging.total > `0`", "stats != `null`", "list[0].workflowInErrorState == `false`"],
    ),
    ("GET", f"{C}/oms/pvt/orders/1000000000-01", None, "oms", ["orderId && status", "workflowIsInError == `false`"]),
    (
        "GET",
        f"{C}/orders/feed/config",
        None,
        "workflow",
        ["quantity == `3`", "approximateAgeOfOldestMessageInSeconds < `60`"],
    ),
    ("GET", f"{C}/vlm/account/stores", None, "license-manager", ["[0].id && [0].name", "length([0].hosts) > `0`"]),
    (
        "GET",
        f"{C}/license-manager/site/pvt/roles/list/paged?numItems=1&pageNumber=1",
        None,
        "license-manager",
        ["length(items) == `1`", "paging.total > `0`"],
    ),
    ("GET", f"{C}/giftcardproviders", None, "gift-card", ["[0].id && [0].serviceUrl"]),
    ("GET", f"{C}/dataentities", None, "master-data", ["contains([].acronym, 'CL')", "contains([].acronym, 'AD')"]),
    ("GET", f"{C}/dataentities/PR/search?_fields=id", None, "master-data", ["type(@) == 'array'"]),
    (
        "GET",
        f"{C}/storage/profile-system/schemas/profileSystem",
        None,
        "profile",
        ["title && properties", "version == `1`"],
    ),
    (
        "GET",
        f"{C}/rns/settings",
        None,
        "subscriptions",
        ["isUsingV3", "executionHourInUtc == `9`", "workflowVersion != `null`"],
    ),
    ("GET", "A/demostore/suggestions/configuration", None, "suggestions", ["Score && Matchers && MatchFlux"]),
    ("GET", f"{C}/seller-register/pvt/sellers?from=0&to=1", None, "marketplace", ["items[0].id == '1'"]),
    ("GET", f"{C}/fulfillment/pvt/affiliates", None, "fulfillment", ["type(@) == 'array'"]),
    ("GET", f"{C}/checkout/pvt/configuration/orderForm", None, "checkout", ["recaptchaValidation == 'vtexCriteria'"]),
    ("GET", "M/_v/cms/api/faststore", None, "headless-cms", ["length(contentTypes) > `0`"]),
]


@pytest.mark.parametrize(("method", "url", "body", "module", "wanted"), KEYED, ids=lambda value: None)
async def test_keyed_routes(shopper: Shopper, method: str, url: str, body: Any, module: str, wanted: list[str]) -> None:
    """A keyed route answers with a key, 401 without and 403 with one that may not read it."""
    got, headers, content = await shopper.ask(method, url, json=body, headers=KEY)
    assert got == 200
    check(module, url[0], headers, content, wanted)
    if module != "headless-cms":  # no scheme of authentication is declared for it
        assert (await shopper.ask(method, url, json=body))[0] == 401
        wrong = {**KEY, "X-VTEX-API-AppToken": "forbidden"}
        assert (await shopper.ask(method, url, json=body, headers=wrong))[0] == 403


async def test_a_machine_logs_in(shopper: Shopper) -> None:
    """A key in the body gives a token, and nothing without."""
    url = "C/api/vtexid/apptoken/login"
    status, _, body = await shopper.ask("POST", url, json={"appkey": "k", "apptoken": "t"})
    answer = json.loads(body)
    assert (status, answer["authStatus"]) == (200, "Success")
    assert answer["token"]
    assert answer["expires"]
    assert (await shopper.ask("POST", url, json={}))[0] == 401
