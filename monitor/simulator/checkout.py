"""Checkout's answers without a cart: the simulation, postal codes, regions, pickup points and profiles.

The simulation is the richest: it asks nearly every other module and names the one that failed.
"""

from typing import Any

from monitor.simulator.links import Report, ask_all
from monitor.simulator.shop import BY_SKU, PAYMENT_SYSTEMS, installments, is_served, place_of, shipping
from monitor.simulator.visit import Answer, Endpoint, Refused, Visit, data, error

PROMOTION = {"id": "promocao-permanente", "name": "Promoção permanente de teste", "featured": False}


def bad(visit: Visit, why: str, code: str = "ORD001") -> Refused:
    """A refusal of a request that is wrong by itself; its code is one of those that blame the caller."""
    return Refused(error(400, code, why, visit))


def items_wanted(visit: Visit, wanted: Any) -> list[dict[str, Any]]:
    """The items of a request, each with `id`, `quantity` and `seller`. Refuses anything else."""
    if not isinstance(wanted, list) or not wanted:
        raise bad(visit, "items must be a list that is not empty")
    for item in wanted:
        if not isinstance(item, dict) or not str(item.get("id", "")).isdecimal():
            raise bad(visit, "each item needs the id of a SKU")
        quantity = item.get("quantity", 1)
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity <= 1000:
            raise bad(visit, "quantity must be a whole number from 1 to 1000")
        if str(item.get("seller", "1")) != "1":
            raise bad(visit, f"no seller {item['seller']!r} in this shop", "CHK0045")
    return wanted


def priced(visit: Visit, wanted: dict[str, Any], *, served: bool) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """One line of a simulation or cart, in cents, and the message that goes with it when it cannot be sold."""
    product = BY_SKU.get(str(wanted["id"]))
    price = product.price if product else 0
    availability = "available"
    if product is None or product.stock < wanted.get("quantity", 1):
        availability = "withoutStock"
    elif not served:
        availability = "cannotBeDelivered"
    line = {
        "id": str(wanted["id"]),
        "uniqueId": visit.unique(f"line/{wanted['id']}").upper(),
        "productId": str(product.id) if product else None,
        "name": product.name if product else None,
        "quantity": wanted.get("quantity", 1),
        "seller": "1",
        "availability": availability,
        "price": price,
        "listPrice": product.list_price if product else 0,
        "sellingPrice": price,
        "measurementUnit": "un",
        "unitMultiplier": 1,
        "priceTags": [
            {
                "name": "discount@price-promocao-permanente",
                "value": 0,
                "isPercentual": False,
                "identifier": PROMOTION["id"],
            }
        ],
        "priceDefinition": {
            "calculatedSellingPrice": price,
            "total": price * wanted.get("quantity", 1),
            "sellingPrices": [{"value": price, "quantity": wanted.get("quantity", 1)}],
        },
    }
    if availability == "available":
        return line, None
    text = {"withoutStock": "Item sem estoque", "cannotBeDelivered": "Item não pode ser entregue"}[availability]
    return line, {"code": availability, "text": text, "status": "error", "fields": {"id": str(wanted["id"])}}


def payment_data(report: Report, value: int) -> dict[str, Any]:
    """The ways to pay; none while what knows them is out."""
    out = "payments" in report.soft or "payment-options" in report.soft
    return {
        "installmentOptions": [] if out else installments(value),
        "paymentSystems": [] if out else PAYMENT_SYSTEMS,
        "payments": [],
        "giftCards": [],
        "giftCardMessages": [],
        "availableAccounts": [],
        "availableTokens": [],
    }


def logistics_info(lines: list[dict[str, Any]], *, reachable: bool) -> list[dict[str, Any]]:
    """The delivery options line by line."""
    return [
        {
            "itemIndex": index,
            "addressId": None,
            "selectedSla": None,
            "selectedDeliveryChannel": None,
            "quantity": line["quantity"],
            "shipsTo": ["BRA"],
            "slas": shipping() if reachable and line["availability"] == "available" else [],
            "deliveryChannels": [{"id": "delivery"}, {"id": "pickup-in-point"}],
        }
        for index, line in enumerate(lines)
    ]


async def simulation(visit: Visit) -> Answer:
    """What a cart would cost and how it would arrive, without making one."""
    wanted = visit.object()
    items = items_wanted(visit, wanted.get("items"))
    postal_code, country = wanted.get("postalCode"), wanted.get("country")
    if postal_code is not None and (country != "BRA" or place_of(str(postal_code)) is None):
        raise bad(visit, "postalCode needs eight digits and country BRA")
    if visit.query.get("sc", "1") != "1":
        raise bad(visit, "there is only sales channel 1", "CHK0010")
    report = await ask_all(visit)
    served = postal_code is None or is_served(str(postal_code))
    lines, told = [], []
    for item in items:
        line, message = priced(visit, item, served=served)
        lines.append(line)
        if message:
            told.append(message)
    value = sum(line["priceDefinition"]["total"] for line in lines if line["availability"] == "available")
    return data(
        {
            "messages": report.messages + told,
            "items": lines,
            "totals": [{"id": "Items", "name": "Total dos Itens", "value": value}],
            "ratesAndBenefitsData": {"rateAndBenefitsIdentifiers": [PROMOTION], "teaser": []},
            "logisticsInfo": logistics_info(
                lines, reachable=postal_code is not None and "postal-code" not in report.soft
            ),
            "paymentData": payment_data(report, value),
            "postalCode": postal_code,
            "country": country,
            "geoCoordinates": [],
            "selectableGifts": [],
            "purchaseConditions": {"itemPurchaseConditions": []},
            "pickupPoints": [],
            "subscriptionData": None,
            "operationId": visit.unique("operation"),
        }
    )


async def postal_code(visit: Visit) -> Answer:
    """The place a postal code stands for."""
    place = place_of(visit.params["code"])
    if visit.params["country"] != "BRA" or place is None:
        raise bad(visit, "country must be a code of three letters and the postal code have eight digits")
    city, state = place
    return data(
        {
            "postalCode": visit.params["code"],
            "city": city,
            "state": state,
            "country": "BRA",
            "street": "",
            "number": "",
            "neighborhood": "",
            "complement": "",
            "reference": "",
            "geoCoordinates": [],
        },
        cached=True,
    )


async def regions(visit: Visit) -> Answer:
    """Which sellers deliver to a place."""
    if visit.query.get("country") != "BRA" or place_of(visit.query.get("postalCode", "")) is None:
        raise bad(visit, "country and postalCode are needed")
    sellers = [{"id": "1", "name": visit.account, "logo": None}] if is_served(visit.query["postalCode"]) else []
    return data([{"id": "v2.0000000000000001", "sellers": sellers}])


async def pickup_points(visit: Visit) -> Answer:
    """Where an order can be collected near a place."""
    place = place_of(visit.query.get("postalCode", ""))
    if place is None or visit.query.get("countryCode") != "BRA":
        raise bad(visit, "postalCode and countryCode are needed, or geoCoordinates")
    city, state = place
    point = {
        "id": "1_loja-centro",
        "friendlyName": "Loja do centro",
        "address": {"city": city, "state": state, "country": "BRA", "postalCode": visit.query["postalCode"]},
        "businessHours": [
            {"DayOfWeek": day, "OpeningTime": "09:00:00", "ClosingTime": "18:00:00"} for day in range(1, 6)
        ],
    }
    return data(
        {
            "paging": {"page": 1, "pageSize": 50, "total": 1, "pages": 1},
            "items": [{"distance": 1.2, "pickupPoint": point}],
        }
    )


async def profile(visit: Visit) -> Answer:
    """What is known of a shopper: nothing, for an address that belongs to nobody."""
    email = visit.query.get("email", "")
    if "@" not in email:
        raise bad(visit, "email is needed")
    return data(
        {
            "userProfileId": None,
            "userProfile": None,
            "profileProvider": None,
            "availableAccounts": [],
            "availableAddresses": [],
            "isComplete": False,
        }
    )


_API = ("commerce", "io", "store")
_PUB = "/api/checkout/pub"

ENDPOINTS = (
    Endpoint("POST", _API, f"{_PUB}/orderForms/simulation", "checkout", simulation),
    Endpoint("GET", _API, f"{_PUB}/postal-code/{{country}}/{{code}}", "postal-code", postal_code),
    Endpoint("GET", _API, f"{_PUB}/regions", "checkout", regions),
    Endpoint("GET", _API, f"{_PUB}/pickup-points", "logistics", pickup_points),
    Endpoint("GET", _API, f"{_PUB}/profiles", "profile", profile),
)
