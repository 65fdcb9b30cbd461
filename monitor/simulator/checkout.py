"""Checkout's simulation: the richest answer there is, since it asks nearly every other module and names who failed.

What a cart needs as well is told here too: lines with their prices and promotions, delivery options, ways to pay.
"""

from typing import Any

from monitor.simulator.links import AFFILIATE, SIMULATION, SUBSCRIPTION, Report, ask
from monitor.simulator.shop import (
    BY_SKU,
    PAYMENT_SYSTEMS,
    PROMOTED_SKU,
    PROMOTION,
    installments,
    is_served,
    place_of,
    shipping,
)
from monitor.simulator.visit import Answer, Endpoint, Visit, bad, data

_SAID = {
    "withoutStock": ("withoutStock", "Item sem estoque"),
    "cannotBeDelivered": ("cannotBeDelivered", "Item não pode ser entregue"),
    "unavailableItemFulfillment": ("ORD027", "Item não encontrado ou indisponível"),
}


def check_account(visit: Visit) -> None:
    """Refuses everything for an account that was switched off."""
    if not visit.ledger.settings.active:
        raise bad(visit, "the account is inactive", "CHK0280")


def items_wanted(visit: Visit, wanted: Any) -> list[dict[str, Any]]:
    """The items of a request, each with `id`, `quantity` and `seller`. Refuses anything else."""
    if not isinstance(wanted, list) or not wanted:
        raise bad(visit, "items must be a list that is not empty")
    for item in wanted:
        if not isinstance(item, dict) or not str(item.get("id", "")).isdecimal():
            raise bad(visit, "each item needs the id of a SKU", "CHK0022")
        quantity = item.get("quantity", 1)
        if isinstance(quantity, bool) or not isinstance(quantity, int) or not 0 < quantity <= 1000:
            raise bad(visit, "quantity must be a whole number from 1 to 1000", "CHK0023")
        seller = str(item.get("seller", "1"))
        if not seller or len(seller) > 60:
            raise bad(visit, "each item needs a seller", "CHK0024")
        if seller != "1":
            raise bad(visit, f"no seller {seller!r} in this shop", "CHK0045")
    return wanted


def priced(
    visit: Visit, wanted: dict[str, Any], report: Report, *, served: bool
) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """One line of a simulation or cart, in cents, and the message that goes with it when it cannot be sold."""
    sku, quantity = str(wanted["id"]), wanted.get("quantity", 1)
    product = BY_SKU.get(sku)
    price = product.price if product else 0
    availability = "available"
    if product is None:
        availability = "unavailableItemFulfillment"
    elif visit.available(sku) < quantity:
        availability = "withoutStock"
    elif not served:
        availability = "cannotBeDelivered"
    line = {
        "id": sku,
        "uniqueId": visit.unique(f"line/{sku}").upper(),
        "productId": str(product.id) if product else None,
        "name": product.name if product else None,
        "quantity": quantity,
        "seller": "1",
        "availability": availability,
        "price": price,
        "listPrice": product.list_price if product else 0,
        "sellingPrice": price,
        "measurementUnit": "un",
        "unitMultiplier": 1,
        "priceTags": _price_tags(sku, report),
        "priceDefinition": {
            "calculatedSellingPrice": price,
            "total": price * quantity,
            "sellingPrices": [{"value": price, "quantity": quantity}],
        },
    }
    if availability == "available":
        return line, None
    code, text = _SAID[availability]
    return line, {"code": code, "text": text, "status": "error", "fields": {"id": sku}}


def _price_tags(sku: str, report: Report) -> list[dict[str, Any]]:
    """The standing promotion, on the SKU that has it, as long as somebody knows of it."""
    if sku != PROMOTED_SKU or report.without("rates-and-benefits"):
        return []
    name = f"discount@price-{PROMOTION['id']}"
    return [{"name": name, "value": 0, "rawValue": 0.0, "isPercentual": False, "identifier": PROMOTION["id"]}]


def promotions(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Which promotions apply to these lines: what their price tags name."""
    applied = any(line["priceTags"] for line in lines)
    return {
        "attachmentId": "ratesAndBenefitsData",
        "rateAndBenefitsIdentifiers": [PROMOTION] if applied else [],
        "teaser": [],
    }


def payment_data(report: Report, value: int) -> dict[str, Any]:
    """The ways to pay; none while what knows them is out."""
    out = report.without("payments", "payment-options")
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
    check_account(visit)
    wanted = visit.object()
    items = items_wanted(visit, wanted.get("items"))
    postal_code, country = wanted.get("postalCode"), wanted.get("country")
    if postal_code is not None and (country != "BRA" or place_of(str(postal_code)) is None):
        raise bad(visit, "postalCode needs eight digits and country BRA")
    if visit.query.get("sc", "1") != "1":
        raise bad(visit, "there is only sales channel 1", "CHK0010")
    more = (
        *((SUBSCRIPTION,) if wanted.get("subscriptionData") else ()),
        *((AFFILIATE,) if visit.query.get("affiliateId") else ()),
    )
    report = await ask(visit, SIMULATION + more)
    served = postal_code is None or is_served(str(postal_code))
    lines, told = [], []
    for item in items:
        line, message = priced(visit, item, report, served=served)
        lines.append(line)
        if message:
            told.append(message)
    value = sum(line["priceDefinition"]["total"] for line in lines if line["availability"] == "available")
    return data(
        {
            "messages": report.messages + told,
            "items": lines,
            "totals": [{"id": "Items", "name": "Total dos Itens", "value": value}],
            "ratesAndBenefitsData": promotions(lines),
            "logisticsInfo": logistics_info(
                lines, reachable=postal_code is not None and not report.without("postal-code")
            ),
            "paymentData": payment_data(report, value),
            "postalCode": postal_code,
            "country": country,
            "geoCoordinates": [],
            "selectableGifts": [],
            "purchaseConditions": {"itemPurchaseConditions": []},
            "pickupPoints": [],
            "subscriptionData": wanted.get("subscriptionData"),
            "operationId": visit.unique("operation"),
        }
    )


ENDPOINTS = (
    Endpoint("POST", ("commerce", "io", "store"), "/api/checkout/pub/orderForms/simulation", "checkout", simulation),
)
