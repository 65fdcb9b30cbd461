"""Carts: the order form from its creation to the choice of a payment. Nothing here ever places an order."""

from typing import Any

from monitor.simulator.checkout import bad, items_wanted, logistics_info, payment_data, priced
from monitor.simulator.links import Report, ask_all
from monitor.simulator.shop import installments, is_served, place_of, shipping
from monitor.simulator.visit import Answer, Endpoint, Visit, data

MOST_CARTS = 1000  # the oldest is forgotten beyond that, so a long run stays small

Cart = dict[str, Any]


def _answer(visit: Visit, cart: Cart, report: Report) -> Answer:
    """The whole order form, with what its calls had to tell."""
    lines: list[dict[str, Any]] = cart["items"]
    items = sum(line["priceDefinition"]["total"] for line in lines)
    chosen = [sla for info in cart["logistics"] for sla in info["slas"] if sla["id"] == info["selectedSla"]]
    freight = sum(sla["price"] for sla in chosen)
    value = items + freight
    address = cart["address"]
    form = {
        "orderFormId": cart["id"],
        "salesChannel": "1",
        "loggedIn": False,
        "canEditData": True,
        "value": value,
        "messages": report.messages + cart["messages"],
        "items": lines,
        "totalizers": [
            *([{"id": "Items", "name": "Total dos Itens", "value": items}] if lines else []),
            *([{"id": "Shipping", "name": "Total do Frete", "value": freight}] if chosen else []),
        ],
        "clientProfileData": cart["profile"],
        "shippingData": None
        if address is None
        else {"address": address, "selectedAddresses": [address], "logisticsInfo": cart["logistics"]},
        "paymentData": {**payment_data(report, value), "payments": cart["payments"]},
        "ratesAndBenefitsData": {"rateAndBenefitsIdentifiers": [], "teaser": []},
        "storePreferencesData": {
            "countryCode": "BRA",
            "currencyCode": "BRL",
            "timeZone": "E. South America Standard Time",
        },
    }
    answer = data(form)
    answer.cookies = (
        f"checkout.vtex.com=__ofid={cart['id']}; path=/; secure; HttpOnly; SameSite=None",
        f"CheckoutOrderFormOwnership={visit.unique('owner')}; path=/; secure; HttpOnly; SameSite=None",
    )
    return answer


async def _report(visit: Visit, cart: Cart) -> Report:
    """Asks what a cart needs: goods and money only once something lies in it."""
    who = ("license-manager", "session", "vtex-id", "profile", "gift-card")
    goods = ("catalog", "fulfillment", "pricing", "rates-and-benefits", "payment-options", "payments")
    return await ask_all(visit, *who, *(goods if cart["items"] else ()), *(("logistics",) if cart["address"] else ()))


def _cart(visit: Visit, id: str) -> Cart:
    cart: Cart | None = visit.carts.get(id)
    if cart is None:
        raise bad(visit, f"no order form {id[:40]!r}", "ORD002")
    return cart


async def order_form(visit: Visit) -> Answer:
    """The cart of the cookie, or a new one."""
    held = visit.cookies.get("checkout.vtex.com", "").removeprefix("__ofid=")
    if visit.query.get("forceNewCart") != "true" and held in visit.carts:
        cart = visit.carts[held]
    else:
        cart = {
            "id": visit.unique("cart"),
            "items": [],
            "messages": [],
            "profile": None,
            "address": None,
            "logistics": [],
            "payments": [],
        }
    report = await _report(visit, cart)
    visit.carts[cart["id"]] = cart
    while len(visit.carts) > MOST_CARTS:
        visit.carts.pop(next(iter(visit.carts)))
    return _answer(visit, cart, report)


async def one_order_form(visit: Visit) -> Answer:
    """A cart by its id."""
    cart = _cart(visit, visit.params["id"])
    return _answer(visit, cart, await _report(visit, cart))


async def add_items(visit: Visit) -> Answer:
    """Puts items into a cart."""
    cart = _cart(visit, visit.params["id"])
    wanted = items_wanted(visit, visit.object().get("orderItems"))
    cart["messages"] = []
    lines = []
    for item in wanted:
        line, message = priced(visit, item, served=True)
        lines.append(line)
        if message:
            cart["messages"].append(message)
    report = await _report(visit, {**cart, "items": lines})
    cart["items"] = cart["items"] + [line for line in lines if line["availability"] == "available"]
    cart["logistics"] = _logistics(cart)
    return _answer(visit, cart, report)


def _logistics(cart: Cart) -> list[dict[str, Any]]:
    if cart["address"] is None:
        return []
    return logistics_info(cart["items"], reachable=is_served(cart["address"]["postalCode"]))


async def client_profile(visit: Visit) -> Answer:
    """Says who buys."""
    cart = _cart(visit, visit.params["id"])
    given = visit.object()
    if "@" not in str(given.get("email", "")):
        raise bad(visit, "email is needed")
    report = await _report(visit, cart)
    kept = ("email", "firstName", "lastName", "document", "documentType", "phone")
    cart["profile"] = {name: given.get(name) for name in kept}
    return _answer(visit, cart, report)


async def shipping_data(visit: Visit) -> Answer:
    """Says where to, and then by which delivery option."""
    cart = _cart(visit, visit.params["id"])
    given = visit.object()
    addresses = given.get("selectedAddresses")
    if not isinstance(addresses, list) or not addresses or not isinstance(addresses[0], dict):
        raise bad(visit, "selectedAddresses is needed")
    address = addresses[0]
    if address.get("country") != "BRA":
        raise bad(visit, "country must be a code of three letters that the shop serves", "ORD026")
    if place_of(str(address.get("postalCode", ""))) is None:
        raise bad(visit, "postalCode needs eight digits")
    report = await _report(visit, {**cart, "address": address})
    cart["address"] = address
    cart["logistics"] = _logistics(cart)
    chosen = given.get("logisticsInfo") or []
    for choice in chosen if isinstance(chosen, list) else []:
        index, sla = choice.get("itemIndex", 0), choice.get("selectedSla")
        if not isinstance(index, int) or not 0 <= index < len(cart["logistics"]) or not shipping(str(sla)):
            raise bad(visit, "no such item or delivery option")
        cart["logistics"][index].update(
            selectedSla=sla, selectedDeliveryChannel=choice.get("selectedDeliveryChannel", "delivery")
        )
    return _answer(visit, cart, report)


async def choose_payment(visit: Visit) -> Answer:
    """Says how it will be paid. Value and reference value must agree, since no interest applies here."""
    cart = _cart(visit, visit.params["id"])
    payments = visit.object().get("payments")
    if not isinstance(payments, list) or not all(isinstance(one, dict) for one in payments):
        raise bad(visit, "payments must be a list")
    if any(one.get("value") != one.get("referenceValue") for one in payments):
        raise bad(visit, "value and referenceValue differ", "CHK0016")
    report = await _report(visit, cart)
    cart["payments"] = payments
    return _answer(visit, cart, report)


async def installment_options(visit: Visit) -> Answer:
    """In how many parts one way to pay can be split."""
    cart = _cart(visit, visit.params["id"])
    await _report(visit, cart)
    value = sum(line["priceDefinition"]["total"] for line in cart["items"])
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
