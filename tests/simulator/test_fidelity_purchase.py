"""Fidelity, purchase flow: each of its nineteen steps, and the notes that save debugging time."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.simulator.faults import Faults
from monitor.simulator.ledger import Ledger
from tests.simulator.conftest import KEY, Buyer, Shopper

pytestmark = pytest.mark.slow

HEX = re.compile(r"[0-9a-f]{32}")


async def _order(shopper: Shopper, id: str) -> dict[str, Any]:
    status, _, body = await shopper.ask("GET", f"C/api/oms/pvt/orders/{id}", headers=KEY)
    assert status == 200
    return dict(json.loads(body))


async def _reserved(shopper: Shopper) -> int:
    _, _, body = await shopper.ask("GET", "C/api/logistics/pvt/inventory/skus/1", headers=KEY)
    return int(json.loads(body)["balance"][0]["reservedQuantity"])


async def test_steps_one_to_six_find_a_product(shopper: Shopper) -> None:
    """Home, session, category, search, product and image, each value taken from the answer before."""
    assert b"__RUNTIME__" in (await shopper.ask("GET", "W/"))[2]
    context = {"public": {"country": {"value": "BRA"}, "postalCode": {"value": "01310-100"}}}
    status, _, body = await shopper.ask("POST", "C/api/sessions", json=context)
    assert (status, {"segmentToken", "sessionToken"} <= set(json.loads(body))) == (201, True)
    _, _, body = await shopper.ask("GET", "C/api/catalog_system/pub/category/tree/1")
    slug = json.loads(body)[0]["url"].rpartition("/")[2]
    url = f"C/api/intelligent-search/v1/product-search/category-1/{slug}?query=caneca&sc=1&locale=pt-BR"
    _, _, body = await shopper.ask("GET", url)
    found = json.loads(body)
    assert found["recordsFiltered"] > 0
    product = found["products"][0]
    seller = next(one for one in product["items"][0]["sellers"] if one["sellerDefault"])
    assert (seller["sellerId"], seller["commertialOffer"]["Price"]) == ("1", 49.9)
    assert seller["commertialOffer"]["AvailableQuantity"] > 0
    assert product["productName"].encode() in (await shopper.ask("GET", f"W/{product['linkText']}/p"))[2]
    url = f"C/api/intelligent-search/v1/products?sc=1&field=slug&value={product['linkText']}"
    _, _, body = await shopper.ask("GET", url)
    assert json.loads(body)["productId"] == product["productId"]
    image = product["items"][0]["images"][0]["imageUrl"]
    status, headers, body = await shopper.ask("GET", image)
    assert (status, headers["content-type"], body[1:4]) == (200, "image/png", b"PNG")


async def test_steps_seven_to_fourteen_fill_a_cart(buyer: Buyer) -> None:
    """A cart takes items, a shopper, an address, a delivery option and a payment, in cents throughout."""
    status, _, cart = await buyer.open()
    assert (status, cart["items"], cart["messages"], cart["salesChannel"]) == (200, [], [], "1")
    assert HEX.fullmatch(buyer.id)
    assert buyer.cookies["checkout.vtex.com"] == f"__ofid={buyer.id}"
    assert "CheckoutOrderFormOwnership" in buyer.cookies
    _, _, cart = await buyer.add()
    assert [(item["availability"], bool(item["uniqueId"])) for item in cart["items"]] == [("available", True)]
    assert (cart["value"], [one["id"] for one in cart["totalizers"]]) == (4990, ["Items"])
    _, _, cart = await buyer.profile()
    assert cart["clientProfileData"]["email"] == "monitor@demostore.example"
    _, _, cart = await buyer.ship()
    slas = cart["shippingData"]["logisticsInfo"][0]["slas"]
    assert all(type(one["price"]) is int and one["shippingEstimate"] and one["deliveryChannel"] for one in slas)
    _, _, cart = await buyer.ship(slas[0]["id"])
    assert cart["shippingData"]["logisticsInfo"][0]["selectedSla"] == slas[0]["id"]
    totals = {one["id"]: one["value"] for one in cart["totalizers"]}
    assert (totals, cart["value"]) == ({"Items": 4990, "Shipping": 1290}, 6280)
    systems = cart["paymentData"]["paymentSystems"]
    assert all(one["id"] and one["name"] and one["groupName"] for one in systems)
    url = f"C/api/checkout/pub/orderForm/{buyer.id}/installments?paymentSystem={systems[0]['id']}"
    assert (await buyer.shopper.ask("GET", url))[0] == 400
    status, _, cart = await buyer.choose()
    assert (status, cart["value"], cart["messages"]) == (200, 6280, [])
    _, _, body = await buyer.shopper.ask("GET", url)
    parts = [(one["count"], one["value"], one["total"]) for one in json.loads(body)["installments"]]
    assert parts == [(1, 6280, 6280), (2, 3140, 6280), (3, 2093, 6280)]


async def test_steps_fifteen_to_nineteen_place_pay_and_cancel(buyer: Buyer) -> None:
    """An order is placed, paid, processed, seen in OMS and cancelled; its reservation is let go of at the end."""
    shopper = buyer.shopper
    await buyer.fill()
    status, _, placed = await buyer.place()
    assert status == 200
    assert re.fullmatch(r"\d+-01", buyer.order)
    assert buyer.order.startswith(buyer.group)
    assert (placed["orders"][0]["value"], placed["orders"][0]["state"]) == (6280, "order-created")
    assert re.fullmatch(r"[0-9A-F]{32}", buyer.transaction["transactionId"])
    assert buyer.transaction["merchantName"] == "DEMOSTORE"
    assert (
        placed["transactionData"]["receiverUri"]
        == f"https://demostore.vtexpayments.com.br/split/{buyer.group}/payments"
    )
    assert {"Vtex_CHKO_Auth", "CheckoutDataAccess"} <= set(buyer.cookies)
    assert await _reserved(shopper) == 1
    assert (await _order(shopper, buyer.order))["status"] == "order-created"
    status, _, body = await buyer.pay()
    assert (status, body) == (201, None)
    assert (await buyer.process())[0] == 204
    assert (await buyer.process())[0] == 204
    order = await _order(shopper, buyer.order)
    assert (order["status"], order["workflowIsInError"], order["value"]) == ("payment-pending", False, 6280)
    url = f"C/api/oms/pvt/orders/{buyer.order}/cancel"
    status, _, content = await shopper.ask("POST", url, json={"reason": "test"}, headers=KEY)
    answer = json.loads(content)
    assert (status, set(answer), answer["orderId"]) == (200, {"date", "orderId", "receipt"}, buyer.order)
    assert HEX.fullmatch(answer["receipt"])
    assert (await _order(shopper, buyer.order))["status"] == "cancellation-requested"
    assert await _reserved(shopper) == 1
    shopper.simulator.set(order_step=0)
    order = await _order(shopper, buyer.order)
    assert (order["status"], order["cancelReason"]) == ("canceled", "test")
    assert await _reserved(shopper) == 0
    again = json.loads((await shopper.ask("POST", url, json={"reason": "test"}, headers=KEY))[2])
    assert again == answer


async def test_the_older_payment_path_is_answered_too(buyer: Buyer) -> None:
    """The guide's `/api/pub/transactions/…` does what the schema's `/api/payments/transactions/…` does."""
    await buyer.fill()
    await buyer.place()
    assert (await buyer.pay("/api/pub"))[0] == 201
    assert (await buyer.process())[0] == 204


async def test_a_paid_order_takes_its_goods(buyer: Buyer) -> None:
    """Once the workflow has brought an order to its invoice the stock is smaller, and nothing is left to cancel."""
    shopper = buyer.shopper
    await buyer.fill()
    await buyer.place()
    await buyer.pay()
    await buyer.process()
    shopper.simulator.set(order_step=0)
    assert (await _order(shopper, buyer.order))["status"] == "invoiced"
    _, _, body = await shopper.ask("GET", "C/api/logistics/pvt/inventory/skus/1", headers=KEY)
    balance = json.loads(body)["balance"][0]
    assert (balance["totalQuantity"], balance["reservedQuantity"]) == (499, 0)
    url = f"C/api/oms/pvt/orders/{buyer.order}/cancel"
    assert (await shopper.ask("POST", url, json={}, headers=KEY))[0] == 400


NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("paid", "canceled", "seconds", "status", "reserved"),
    [
        (None, None, 0, "order-created", 1),
        (None, None, 299, "order-created", 1),
        (None, None, 300, "canceled", 0),
        (10, None, 10, "payment-pending", 1),
        (10, None, 30, "payment-approved", 1),
        (10, None, 50, "ready-for-handling", 1),
        (10, None, 70, "handling", 0),
        (10, None, 90, "invoiced", 0),
        (10, None, 9000, "invoiced", 0),
        (10, 40, 40, "cancellation-requested", 1),
        (10, 40, 60, "canceled", 0),
        (None, 40, 60, "canceled", 0),
    ],
)
def test_the_life_of_an_order(paid: int | None, canceled: int | None, seconds: int, status: str, reserved: int) -> None:
    """Where an order stands, and whether its goods are reserved, so many seconds after it was placed."""

    def at(second: int | None) -> datetime | None:
        return None if second is None else NOON + timedelta(seconds=second)

    ledger = Ledger(Faults("demostore"))
    order = ledger.place({"items": [{"id": "1", "quantity": 1}]}, 6280, "T", "auth", NOON)
    order.paid_at, order.canceled_at = at(paid), at(canceled)
    moment = at(seconds)
    assert moment is not None
    assert ledger.status(order, moment) == status
    assert ledger.stock("1", moment) == (499 if status in ("handling", "invoiced") else 500, reserved)


async def test_an_order_without_payment_is_cancelled_by_itself(buyer: Buyer) -> None:
    """When its time is over the order is cancelled, lets its reservation go and takes no payment any more."""
    shopper = buyer.shopper
    await buyer.fill()
    assert shopper.simulator.platform.ledger.settings.payment_window == 300
    await buyer.place()
    assert (await _order(shopper, buyer.order))["status"] == "order-created"
    assert await _reserved(shopper) == 1
    shopper.simulator.set(payment_window=0)
    assert (await _order(shopper, buyer.order))["status"] == "canceled"
    assert await _reserved(shopper) == 0
    await buyer.pay()
    status, _, answer = await buyer.process()
    assert (status, answer["error"]["code"]) == (400, "CHK004")


async def test_a_stalled_workflow_leaks_the_reservation(buyer: Buyer) -> None:
    """While the workflow stands still a cancelled order keeps its goods, which the leak check of stock sees."""
    shopper = buyer.shopper
    shopper.simulator.set(order_step=0)
    await buyer.fill()
    await buyer.place()
    shopper.simulator.strike("workflow", "stall")
    await shopper.ask("POST", f"C/api/oms/pvt/orders/{buyer.order}/cancel", json={}, headers=KEY)
    assert (await _order(shopper, buyer.order))["status"] == "cancellation-requested"
    assert await _reserved(shopper) == 1
    shopper.simulator.clear()
    assert await _reserved(shopper) == 0


async def test_the_order_list_is_late_and_by_id_is_not(buyer: Buyer) -> None:
    """A paid order is found by id at once and in the list once it is indexed; an unpaid one only on request."""
    shopper = buyer.shopper
    assert shopper.simulator.platform.ledger.settings.order_index == 240
    await buyer.fill()
    await buyer.place()

    async def first(more: str = "") -> Any:
        url = f"C/api/oms/pvt/orders?per_page=3&page=1{more}"
        listed = json.loads((await shopper.ask("GET", url, headers=KEY))[2])
        return listed["list"][0]["orderId"] if listed["list"] else None, listed["paging"]["total"]

    assert (await first("&incompleteOrders=true")) == (None, 0)
    shopper.simulator.set(order_index=0)
    assert (await first("&incompleteOrders=true")) == (buyer.order, 1)
    await buyer.pay()
    await buyer.process()
    assert await first() == (buyer.order, 4201)
    shopper.simulator.set(order_index=60)
    assert (await first())[0] != buyer.order


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"value": 1}, 400, "CHK0016"),
        ({"value": 1, "referenceValue": 1}, 400, "ORD009"),
        ({"referenceId": "0" * 32}, 400, "ORD002"),
    ],
)
async def test_values_that_differ_are_refused(buyer: Buyer, change: dict[str, Any], status: int, code: str) -> None:
    """`value` and `referenceValue` must agree with one another and with the cart."""
    await buyer.fill()
    got, _, answer = await buyer.place(**change)
    assert (got, answer["error"]["code"]) == (status, code)
    assert await _reserved(buyer.shopper) == 0


async def test_an_empty_cart_is_a_500(buyer: Buyer) -> None:
    """Placing nothing answers 500 with ORD005, so that a 500 there is no proof of an outage."""
    await buyer.open()
    status, _, answer = await buyer.place()
    assert (status, answer["error"]["code"]) == (500, "ORD005")


async def test_an_unknown_order_form_is_a_400(shopper: Shopper) -> None:
    """An order form nobody knows answers 400 with ORD002, in every step."""
    form = "C/api/checkout/pub/orderForm/0123456789abcdef0123456789abcdef"
    for path in ("items", "transaction", *(f"attachments/{one}" for one in ("clientProfileData", "shippingData"))):
        status, _, body = await shopper.ask("POST", f"{form}/{path}", json={})
        assert (status, json.loads(body)["error"]["code"]) == (400, "ORD002"), path


@pytest.mark.parametrize(
    ("step", "code"), [("profile", "ORD007"), ("ship", "ORD006"), ("delivery", "ORD006"), ("choose", "ORD020")]
)
async def test_an_unfinished_cart_cannot_be_placed(buyer: Buyer, step: str, code: str) -> None:
    """What is missing is told by a code that blames the cart."""
    await buyer.open()
    await buyer.add()
    for name in ("profile", "ship", "delivery", "choose"):
        if name == step or (name == "delivery" and step == "ship"):
            continue
        await (buyer.ship("Normal") if name == "delivery" else getattr(buyer, name)())
    status, _, answer = await buyer.place()
    assert (status, answer["error"]["code"]) == (400, code)


@pytest.mark.parametrize("setting", ["never", "vtexCriteria", "always"])
async def test_recaptcha_blocks_the_placing_only(buyer: Buyer, setting: str) -> None:
    """`always` asks for a token that a client of the API cannot have; the setting is in the configuration."""
    buyer.shopper.simulator.set(recaptcha=setting)
    url = "C/api/checkout/pvt/configuration/orderForm"
    _, _, body = await buyer.shopper.ask("GET", url, headers=KEY)
    assert json.loads(body)["recaptchaValidation"] == setting
    await buyer.fill()
    status, _, answer = await buyer.place()
    assert (status, answer.get("error", {}).get("code")) == ((400, "CHK0082") if setting == "always" else (200, None))


@pytest.mark.parametrize(
    ("system", "fields", "status"),
    [
        (17, {}, 204),
        (6, {}, 204),
        (125, {}, 428),
        (2, {}, 500),
        (2, {"cardNumber": "4111111111111111"}, 204),
        (2, {"cardNumber": "4000000000000002"}, 500),
    ],
)
async def test_what_the_gateway_says(buyer: Buyer, system: int, fields: dict[str, str], status: int) -> None:
    """204 for a good payment, 428 for one that is paid elsewhere, 500 for one that is refused."""
    await buyer.fill(system)
    await buyer.place()
    assert (await buyer.pay(fields=fields))[0] == 201
    got, _, answer = await buyer.process()
    assert got == status
    if status == 428:
        assert answer["RedirectResponseCollection"][0]["redirectUrl"]
        assert answer["paymentAuthorizationAppCollection"][0]["appName"] == "vtex.pix-payment"
    if status == 500:
        assert answer["error"]["code"] == "001"


async def test_the_callback_needs_the_cookies_and_a_payment(buyer: Buyer) -> None:
    """Without the cookies of the placing nobody is told; without a payment there is nothing to tell."""
    await buyer.fill()
    await buyer.place()
    assert (await buyer.process())[0] == 500
    await buyer.pay()
    stranger = Buyer(buyer.shopper)
    stranger.placed = buyer.placed
    assert (await stranger.process())[0] == 403
    buyer.placed["orders"][0]["orderGroup"] = "1"
    assert (await buyer.process())[0] == 404


@pytest.mark.parametrize(
    "change",
    [{"value": 1}, {"value": "6280"}, {"value": 1, "referenceValue": 1}, {"value": None, "referenceValue": None}],
)
async def test_a_wrong_payment_is_refused(buyer: Buyer, change: dict[str, Any]) -> None:
    """The payment must add up to the order, in cents."""
    await buyer.fill()
    await buyer.place()
    assert (await buyer.pay(**change))[0] == 400


async def test_a_payment_of_nothing_is_not_found(buyer: Buyer) -> None:
    """A transaction nobody opened, or one of another order, is a 404."""
    await buyer.fill()
    await buyer.place()
    buyer.placed["orders"][0]["orderGroup"] = "1"
    assert (await buyer.pay())[0] == 404


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ({"country": "BR"}, 400, "ORD026"),
        ({"postalCode": "123"}, 400, "ORD001"),
        ({"geoCoordinates": [-46.6, -123.5]}, 400, "ORD015"),
        ({"geoCoordinates": "here"}, 400, "ORD015"),
        ({"geoCoordinates": [-46.6, -23.5]}, 200, None),
        ({"postalCode": 20040002}, 200, None),
    ],
)
async def test_two_traps_of_an_address(buyer: Buyer, address: dict[str, Any], status: int, code: str | None) -> None:
    """Wrong coordinates blame the seller and a wrong country the postal codes, though both are the caller's."""
    await buyer.open()
    await buyer.add()
    buyer.address.update(address)
    got, _, answer = await buyer.ship()
    assert (got, answer.get("error", {}).get("code")) == (status, code)


async def test_stock_goes_down_until_it_is_sold_out(buyer: Buyer) -> None:
    """What is reserved cannot be sold again: carts, search and catalog say so."""
    shopper = buyer.shopper
    await buyer.open()
    await buyer.add(quantity=500)
    await buyer.profile()
    await buyer.ship("Normal")
    await buyer.choose()
    assert (await buyer.place())[0] == 200
    _, _, body = await shopper.simulate()
    answer = json.loads(body)
    assert (answer["items"][0]["availability"], answer["messages"][0]["code"]) == ("withoutStock", "withoutStock")
    _, _, body = await shopper.ask("GET", "C/api/catalog_system/pub/products/variations/101")
    assert json.loads(body)["available"] is False
    status, _, placed = await Buyer(shopper).open()
    assert (status, placed["items"]) == (200, [])
