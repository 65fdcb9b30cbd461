"""Carts: the order form from its creation to the choice of a payment. What becomes of it then is in `orders.py`."""

from functools import wraps
from typing import Any

from monitor.simulator.checkout import (
    check_account,
    items_wanted,
    logistics_info,
    payment_data,
    priced,
    promotions,
)
from monitor.simulator.links import AVAILABILITY, CART, INSTALLMENTS, PROFILE, Link, Report, ask
from monitor.simulator.person import masked
from monitor.simulator.shop import PAYMENT_SYSTEMS, installments, is_served, place_of, shipping
from monitor.simulator.visit import Answer, Endpoint, Refused, Reply, Visit, bad, data, error

OWNERSHIP = "CheckoutOrderFormOwnership"

Cart = dict[str, Any]


def items_value(cart: Cart) -> int:
    """What the goods of a cart cost, in cents."""
    return sum(line["priceDefinition"]["total"] for line in cart["items"])


def chosen(cart: Cart) -> list[dict[str, Any]]:
    """The delivery options that were chosen, one for each line that has one."""
    return [sla for info in cart["logistics"] for sla in info["slas"] if sla["id"] == info["selectedSla"]]


def freight_value(cart: Cart) -> int:
    """What their delivery costs, in cents."""
    return sum(sla["price"] for sla in chosen(cart))


def totalizers(cart: Cart) -> list[dict[str, Any]]:
    """What the value of a cart is made of."""
    return [
        *([{"id": "Items", "name": "Total dos Itens", "value": items_value(cart)}] if cart["items"] else []),
        *([{"id": "Shipping", "name": "Total do Frete", "value": freight_value(cart)}] if chosen(cart) else []),
    ]


def shipping_of(cart: Cart) -> dict[str, Any] | None:
    """Where a cart goes to, and how; None before somebody said where."""
    address = cart["address"]
    if address is None:
        return None
    return {
        "attachmentId": "shippingData",
        "address": address,
        "selectedAddresses": [address],
        "logisticsInfo": cart["logistics"],
    }


def _answer(visit: Visit, cart: Cart, report: Report, *, new: bool = False) -> Answer:
    """The whole order form, with what its calls had to tell; who cannot show that it is theirs sees no person in it."""
    owned = new or visit.cookies.get(OWNERSHIP) == cart["owner"]
    value = items_value(cart) + freight_value(cart)
    lines = cart["items"]
    if report.without("rates-and-benefits"):
        lines = [{**line, "priceTags": []} for line in lines]
    form = {
        "orderFormId": cart["id"],
        "salesChannel": "1",
        "loggedIn": False,
        "canEditData": True,
        "value": value,
        "messages": report.messages + cart["messages"],
        "items": lines,
        "totalizers": totalizers(cart),
        "clientProfileData": cart["profile"] if owned else masked(cart["profile"]),
        "shippingData": shipping_of(cart),
        "paymentData": {**payment_data(report, value), "payments": cart["payments"]},
        "ratesAndBenefitsData": promotions(lines),
        "storePreferencesData": {
            "countryCode": "BRA",
            "currencyCode": "BRL",
            "timeZone": "E. South America Standard Time",
        },
    }
    answer = data(form)
    rest = "path=/; secure; HttpOnly; SameSite=None"
    answer.cookies = (
        f"checkout.vtex.com=__ofid={cart['id']}; {rest}",
        *((f"{OWNERSHIP}={cart['owner']}; {rest}",) if owned else ()),
    )
    return answer


async def _report(visit: Visit, cart: Cart, links: tuple[Link, ...] = CART, *, goods: bool = False) -> Report:
    """Asks what a cart needs: goods and money only once something lies in it, delivery and taxes with an address."""
    who = ("aws", "license-manager", "checkout-services", "session", "vtex-id", "profile", "gift-card")
    what = ("catalog", "fulfillment", "pricing", "rates-and-benefits", "payment-options", "payments", "logistics")
    where = ("logistics", "postal-code", "tax-service")
    with_goods, with_address = goods or bool(cart["items"]), cart["address"] is not None
    if not with_address and links is CART:
        links = AVAILABILITY
    return await ask(visit, links, *who, *(what if with_goods else ()), *(where if with_address else ()))


def cart_of(visit: Visit) -> Cart:
    """The cart a path names. Refuses an id nobody knows."""
    check_account(visit)
    id = visit.params["id"]
    cart: Cart | None = visit.ledger.carts.get(id)
    if cart is None:
        raise bad(visit, f"no order form {id[:40]!r}", "ORD002")
    return cart


async def order_form(visit: Visit) -> Answer:
    """The cart of the cookie, or a new one."""
    check_account(visit)
    held = visit.cookies.get("checkout.vtex.com", "").removeprefix("__ofid=")
    known = visit.ledger.carts.get(held) if visit.query.get("forceNewCart") != "true" else None
    cart = known or {
        "id": visit.unique("cart"),
        "owner": visit.unique("owner"),
        "busy": False,
        "items": [],
        "messages": [],
        "profile": None,
        "address": None,
        "logistics": [],
        "payments": [],
    }
    report = await _report(visit, cart)
    if known is None:
        visit.ledger.keep_cart(cart)
    return _answer(visit, cart, report, new=known is None)


async def one_order_form(visit: Visit) -> Answer:
    """A cart by its id."""
    cart = cart_of(visit)
    return _answer(visit, cart, await _report(visit, cart))


def writing(reply: Reply) -> Reply:
    """A write to a cart, which nobody else may be writing to at the same time."""

    @wraps(reply)
    async def alone(visit: Visit) -> Answer:
        cart = cart_of(visit)
        if cart["busy"]:
            raise Refused(error(409, "CHK0084", "this cart is being written to by another request", visit))
        cart["busy"] = True
        try:
            return await reply(visit)
        finally:
            cart["busy"] = False

    return alone


@writing
async def add_items(visit: Visit) -> Answer:
    """Puts items into a cart."""
    cart = cart_of(visit)
    wanted = items_wanted(visit, visit.object().get("orderItems"))
    report = await _report(visit, cart, goods=True)
    cart["messages"] = []
    for item in wanted:
        line, message = priced(visit, item, report, served=True)
        if message:
            cart["messages"].append(message)
        else:
            cart["items"].append(line)
    cart["logistics"] = _logistics(cart)
    return _answer(visit, cart, report)


def _logistics(cart: Cart, *, reachable: bool = True) -> list[dict[str, Any]]:
    if cart["address"] is None:
        return []
    return logistics_info(cart["items"], reachable=reachable and is_served(str(cart["address"]["postalCode"])))


@writing
async def client_profile(visit: Visit) -> Answer:
    """Says who buys."""
    cart = cart_of(visit)
    given = visit.object()
    if "@" not in str(given.get("email", "")):
        raise bad(visit, "email is needed")
    report = await _report(visit, cart, PROFILE)
    kept = ("email", "firstName", "lastName", "document", "documentType", "phone")
    cart["profile"] = {"attachmentId": "clientProfileData", **{name: given.get(name) for name in kept}}
    return _answer(visit, cart, report)


@writing
async def shipping_data(visit: Visit) -> Answer:
    """Says where to, and then by which delivery option."""
    cart = cart_of(visit)
    given = visit.object()
    addresses = given.get("selectedAddresses")
    if not isinstance(addresses, list) or not addresses or not isinstance(addresses[0], dict):
        raise bad(visit, "selectedAddresses is needed")
    address = addresses[0]
    if address.get("country") != "BRA":
        raise bad(visit, "country must be a code of three letters that the shop serves", "ORD026")
    if place_of(str(address.get("postalCode", ""))) is None:
        raise bad(visit, "postalCode needs eight digits")
    if not _is_on_earth(address.get("geoCoordinates") or []):
        raise bad(visit, "geoCoordinates must be a longitude and a latitude", "ORD015")  # blames the seller, wrongly
    report = await _report(visit, {**cart, "address": address})
    cart["address"] = address
    cart["logistics"] = _logistics(cart, reachable=not report.without("postal-code"))
    choices = given.get("logisticsInfo") or []
    for choice in choices if isinstance(choices, list) else []:
        if not isinstance(choice, dict):
            raise bad(visit, "logisticsInfo must hold objects")
        index, sla = choice.get("itemIndex", 0), choice.get("selectedSla")
        if not isinstance(index, int) or not 0 <= index < len(cart["logistics"]):
            raise bad(visit, f"no item {index!r:.20}", "CHK0041")
        if not shipping(str(sla)):
            raise bad(visit, "no such delivery option")
        cart["logistics"][index].update(
            selectedSla=sla, selectedDeliveryChannel=choice.get("selectedDeliveryChannel", "delivery")
        )
    return _answer(visit, cart, report)


def _is_on_earth(coordinates: Any) -> bool:
    match coordinates:
        case []:
            return True
        case [int() | float() as longitude, int() | float() as latitude]:
            return -180 <= longitude <= 180 and -90 <= latitude <= 90
    return False


@writing
async def choose_payment(visit: Visit) -> Answer:
    """Says how it will be paid. Value and reference value must agree, since no interest applies here."""
    cart = cart_of(visit)
    payments = visit.object().get("payments")
    if not isinstance(payments, list) or not all(isinstance(one, dict) for one in payments):
        raise bad(visit, "payments must be a list")
    if any(type(one.get("value")) is not int for one in payments):
        raise bad(visit, "each payment needs its value in cents")
    if any(one["value"] != one.get("referenceValue") for one in payments):
        raise bad(visit, "value and referenceValue differ", "CHK0016")
    known = {str(system["id"]) for system in PAYMENT_SYSTEMS}
    if any(str(one.get("paymentSystem")) not in known for one in payments):
        raise bad(visit, "no such payment system", "ORD020")
    report = await _report(visit, cart)
    cart["payments"] = payments
    return _answer(visit, cart, report)


async def installment_options(visit: Visit) -> Answer:
    """In how many parts one way to pay can be split, once a way to pay was chosen."""
    cart = cart_of(visit)
    if not cart["payments"]:
        raise bad(visit, "no payment was chosen yet", "ORD002")
    await _report(visit, cart, INSTALLMENTS)
    value = items_value(cart) + freight_value(cart)
    wanted = visit.query.get("paymentSystem", "")
    matching = [option for option in installments(value) if option["paymentSystem"] == wanted]
    if not matching:
        raise bad(visit, "no such payment system")
    return data(matching[0])


_API = ("commerce", "io", "store")
_FORM = "/api/checkout/pub/orderForm"

ENDPOINTS = (
    Endpoint("GET", _API, _FORM, "checkout", order_form),
    Endpoint("GET", _API, f"{_FORM}/{{id}}", "checkout", one_order_form),
    Endpoint("POST", _API, f"{_FORM}/{{id}}/items", "checkout", add_items),
    Endpoint("POST", _API, f"{_FORM}/{{id}}/attachments/clientProfileData", "checkout", client_profile),
    Endpoint("POST", _API, f"{_FORM}/{{id}}/attachments/shippingData", "checkout", shipping_data),
    Endpoint("POST", _API, f"{_FORM}/{{id}}/attachments/paymentData", "checkout", choose_payment),
    Endpoint("GET", _API, f"{_FORM}/{{id}}/installments", "checkout", installment_options),
)
