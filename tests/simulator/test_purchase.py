"""A purchase up to its payment, and what is said of requests and items that cannot be."""

import json
from typing import Any

import pytest

from tests.simulator.conftest import SIMULATION, Shopper


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


@pytest.mark.parametrize(
    ("change", "availability"),
    [
        ({"items": [{"id": "999", "quantity": 1, "seller": "1"}]}, "withoutStock"),
        ({"items": [{"id": "7", "quantity": 1, "seller": "1"}]}, "withoutStock"),
        ({"postalCode": "00000-001"}, "cannotBeDelivered"),
    ],
)
async def test_what_cannot_be_sold_is_told_in_a_message(
    shopper: Shopper, change: dict[str, Any], availability: str
) -> None:
    """An item that is sold out, unknown or out of reach gives 200, its availability and a message."""
    url = "C/api/checkout/pub/orderForms/simulation"
    status, _, body = await shopper.ask("POST", url, json={**SIMULATION, **change})
    answer = json.loads(body)
    assert (status, answer["items"][0]["availability"]) == (200, availability)
    assert [message["code"] for message in answer["messages"]] == [availability]
    assert answer["logisticsInfo"][0]["slas"] == []


async def test_a_cart_goes_as_far_as_the_payment(shopper: Shopper) -> None:
    """A cart takes items, a shopper, an address, a delivery option and a payment, in cents throughout."""
    form = "C/api/checkout/pub/orderForm"
    _, headers, body = await shopper.ask("GET", f"{form}?forceNewCart=true")
    id = json.loads(body)["orderFormId"]
    assert any(f"checkout.vtex.com=__ofid={id}" in one for one in headers.getall("Set-Cookie"))  # type: ignore[attr-defined]
    _, _, body = await shopper.ask("GET", form, cookies={"checkout.vtex.com": f"__ofid={id}"})
    assert json.loads(body)["orderFormId"] == id
    items = {"orderItems": [{"id": "1", "quantity": 1, "seller": "1"}]}
    _, _, body = await shopper.ask("POST", f"{form}/{id}/items", json=items)
    assert json.loads(body)["value"] == 4990
    profile = {"email": "monitor@demostore.example", "firstName": "Monitor"}
    _, _, body = await shopper.ask("POST", f"{form}/{id}/attachments/clientProfileData", json=profile)
    assert json.loads(body)["clientProfileData"]["firstName"] == "Monitor"
    address = {"addressType": "residential", "postalCode": "01310-100", "country": "BRA"}
    url = f"{form}/{id}/attachments/shippingData"
    _, _, body = await shopper.ask("POST", url, json={"selectedAddresses": [address]})
    sla = json.loads(body)["shippingData"]["logisticsInfo"][0]["slas"][0]["id"]
    choice = {"itemIndex": 0, "selectedSla": sla, "selectedDeliveryChannel": "delivery"}
    _, _, body = await shopper.ask("POST", url, json={"selectedAddresses": [address], "logisticsInfo": [choice]})
    answer = json.loads(body)
    assert answer["shippingData"]["logisticsInfo"][0]["selectedSla"] == sla
    assert [total["id"] for total in answer["totalizers"]] == ["Items", "Shipping"]
    assert answer["value"] == 4990 + 1290
    payment = {"paymentSystem": 6, "installments": 1, "value": 6280, "referenceValue": 6280}
    url = f"{form}/{id}/attachments/paymentData"
    status, _, body = await shopper.ask("POST", url, json={"payments": [payment]})
    assert (status, json.loads(body)["messages"]) == (200, [])
    status, _, body = await shopper.ask("POST", url, json={"payments": [{**payment, "value": 1}]})
    assert (status, json.loads(body)["error"]["code"]) == (400, "CHK0016")
    status, _, body = await shopper.ask("GET", f"{form}/{id}/installments?paymentSystem=2")
    assert (status, json.loads(body)["installments"][0]["count"]) == (200, 1)
    status, _, body = await shopper.ask(
        "POST", url.replace("paymentData", "shippingData"), json={"selectedAddresses": [{"country": "BR"}]}
    )
    assert (status, json.loads(body)["error"]["code"]) == (400, "ORD026")
