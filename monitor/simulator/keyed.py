"""Keyed answers: what an application key of the account may ask. One writes: a specification of a product."""

from datetime import timedelta
from typing import Any

from monitor.simulator.shop import BY_ID, BY_SKU, PAYMENT_SYSTEMS, SPECIFICATION, money
from monitor.simulator.visit import Answer, Endpoint, Refused, Visit, data, error


def _product(visit: Visit) -> Any:
    product = BY_SKU.get(visit.params["sku"])
    if product is None:
        raise Refused(error(404, "sku-unknown", "SKU not found", visit))
    return product


async def docks(visit: Visit) -> Answer:
    """Loading docks, and warehouses alike."""
    return data([{"id": "1_1", "name": "Principal", "isActive": True, "priority": 1, "salesChannels": ["1"]}])


async def inventory(visit: Visit) -> Answer:
    """Stock of one SKU by warehouse."""
    product = _product(visit)
    total, reserved = visit.ledger.stock(str(product.sku), visit.moment)
    balance = {
        "warehouseId": "1_1",
        "warehouseName": "Principal",
        "totalQuantity": total,
        "reservedQuantity": reserved,
        "hasUnlimitedQuantity": False,
        "timeToRefill": None,
        "dateOfSupplyUtc": None,
        "leadTime": "00:00:00",
    }
    return data({"skuId": str(product.sku), "balance": [balance]})


async def calculate(visit: Visit) -> Answer:
    """Delivery options straight from Logistics: a list of options per item, prices in decimals."""
    wanted = visit.json()
    if isinstance(wanted, list) and len(wanted) == 1:  # the schema lists conditions, each with its items
        wanted = wanted[0]
    items = wanted.get("items") if isinstance(wanted, dict) else None
    if not isinstance(items, list) or not items or not isinstance(wanted.get("location"), dict):
        return error(400, "ORD001", "items and location are needed", visit)
    options = [
        {"slaType": name, "slaName": name, "availabilityQuantity": 1, "listPrice": price, "deliveryTime": days}
        for name, price, days in (("Normal", 12.9, "5.00:00:00"), ("Expressa", 29.9, "1.00:00:00"))
    ]
    return data([options for _ in items])


async def pricing_config(visit: Visit) -> Answer:
    """How prices are set up for the account."""
    return data({"hasMigrated": True, "blockAccount": False, "blockedRoutes": None, "defaultMarkup": 0})


async def computed_price(visit: Visit) -> Answer:
    """The price of one SKU in one trade policy, in decimals."""
    product = _product(visit)
    return data(
        {
            "tradePolicyId": visit.params["policy"],
            "listPrice": money(product.list_price),
            "sellingPrice": money(product.price),
            "costPrice": money(product.price // 2),
            "priceValidUntil": (visit.moment + timedelta(days=365)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        headers={"Ratelimit-Limit": "2000", "Ratelimit-Remaining": "1999", "Ratelimit-Reset": "60"},
    )


async def benefits(visit: Visit) -> Answer:
    """The promotions and taxes of the account."""
    item = {"idCalculatorConfiguration": "promocao-permanente", "name": "Promoção permanente", "isActive": True}
    return data({"items": [item], "disabledItems": [], "limitConfiguration": {"activesCount": 1, "limit": 100}})


async def payment_systems(visit: Visit) -> Answer:
    """The payment systems the gateway knows."""
    return data([{**system, "isAvailable": True} for system in PAYMENT_SYSTEMS])


async def gateway_installments(visit: Visit) -> Answer:
    """Installments of a value, in decimals."""
    try:
        value = float(visit.query["request.value"])
    except (KeyError, ValueError):
        return error(400, "1407", "request.value is needed", visit)
    options = [{"quantity": count, "value": round(value / count, 2), "interestRate": 0} for count in (1, 2, 3)]
    installments = [{"paymentSystem": one["id"], "name": one["name"], "options": options} for one in PAYMENT_SYSTEMS]
    return data({"value": value, "installments": installments})


async def gift_card_providers(visit: Visit) -> Answer:
    """Who issues gift cards."""
    provider = {"id": "demo", "serviceUrl": "https://giftcards.example/api", "preAuthEnabled": True}
    return data([provider], headers={"REST-Content-Range": "resources 0-1/1"})


async def entities(visit: Visit) -> Answer:
    """The data entities of Master Data."""
    known = (("CL", "Clientes"), ("AD", "Endereços"), ("PR", "Monitor"))
    return data([{"acronym": acronym, "name": name, "isActive": True} for acronym, name in known])


async def documents(visit: Visit) -> Answer:
    """Documents of one entity."""
    if "*" in "".join(visit.query.values()):
        return error(503, "wildcards", "too many searches with wildcards", visit)
    return data([{"id": "probe-1"}], headers={"REST-Content-Range": "resources 0-1/1"})


async def subscription_settings(visit: Visit) -> Answer:
    """How recurring orders are set up."""
    return data({"isUsingV3": True, "executionHourInUtc": 9, "workflowVersion": "1.0"})


async def suggestion_settings(visit: Visit) -> Answer:
    """How received SKUs are matched."""
    return data(
        {"Score": {"Approve": 80, "Reject": 31}, "Matchers": [{"MatcherId": "vtex-matcher"}], "MatchFlux": "default"}
    )


async def sellers(visit: Visit) -> Answer:
    """The sellers of the account."""
    items = [{"id": "1", "name": visit.account, "isActive": True}]
    return data({"items": items, "paging": {"from": 0, "to": 1, "total": 1}})


async def affiliates(visit: Visit) -> Answer:
    """The affiliates of the seller side."""
    return data([{"id": "DMO", "name": "Demonstração", "salesChannel": "1"}])


async def checkout_settings(visit: Visit) -> Answer:
    """How carts are set up."""
    return data(
        {
            "recaptchaValidation": visit.ledger.settings.recaptcha,
            "minimumQuantityAccumulatedForItems": 1,
            "taxConfiguration": None,
        }
    )


async def seller_list(visit: Visit) -> Answer:
    """The sellers with their user names and passwords: here so that it is seen when a monitor asks for them."""
    seller = {"SellerId": "1", "Name": visit.account, "Email": "seller@example.com", "UserName": "seller"}
    return data([{**seller, "Password": "not-a-real-password", "IsActive": True}])


def _product_id(visit: Visit) -> str:
    id = visit.params["id"]
    if id not in BY_ID:
        raise Refused(error(404, "product-unknown", "product not found", visit))
    return id


async def specification(visit: Visit) -> Answer:
    """The specification of a product as the catalog holds it now, which search shows only later."""
    values = visit.ledger.specification(_product_id(visit), visit.moment)
    return data([{"Value": values, "Id": 1, "Name": SPECIFICATION}] if values else [])


async def set_specification(visit: Visit) -> Answer:
    """Writes the specification of a product, as a store's own job would."""
    id, wanted = _product_id(visit), visit.json()
    match wanted:
        case [{"Value": [str(), *_] as values, "Name": str(name)}] if name == SPECIFICATION:
            visit.ledger.change(id, [str(value)[:200] for value in values[:10]], visit.moment)
            return Answer(200)
    return error(400, "specification", f"a list with one {SPECIFICATION} and its Value is needed", visit)


def _keyed(method: str, path: str, module: str, reply: Any, host: str = "commerce") -> Endpoint:
    hosts = ("commerce", "io") if host == "commerce" else (host,)
    return Endpoint(method, hosts, path, module, reply, keyed=True)


ENDPOINTS = (
    _keyed("GET", "/api/logistics/pvt/configuration/docks", "logistics", docks),
    _keyed("GET", "/api/logistics/pvt/configuration/warehouses", "logistics", docks),
    _keyed("GET", "/api/logistics/pvt/inventory/skus/{sku}", "logistics", inventory),
    _keyed("POST", "/api/logistics/pvt/shipping/calculate", "logistics", calculate),
    _keyed("GET", "/{account}/pricing/config", "pricing", pricing_config, "api"),
    _keyed("GET", "/{account}/pricing/prices/{sku}/computed/{policy}", "pricing", computed_price, "api"),
    _keyed("GET", "/api/rnb/pvt/benefits/calculatorconfiguration", "rates-and-benefits", benefits),
    _keyed("GET", "/api/pvt/merchants/payment-systems", "payments", payment_systems, "payments"),
    _keyed("GET", "/api/pvt/installments", "payment-options", gateway_installments, "payments"),
    _keyed("GET", "/api/giftcardproviders", "gift-card", gift_card_providers),
    _keyed("GET", "/api/dataentities", "master-data", entities),
    _keyed("GET", "/api/dataentities/{entity}/search", "master-data", documents),
    _keyed("GET", "/api/rns/settings", "subscriptions", subscription_settings),
    _keyed("GET", "/{account}/suggestions/configuration", "suggestions", suggestion_settings, "api"),
    _keyed("GET", "/api/seller-register/pvt/sellers", "marketplace", sellers),
    _keyed("GET", "/api/catalog_system/pvt/seller/list", "catalog", seller_list),
    _keyed("GET", "/api/catalog_system/pvt/products/{id}/specification", "catalog", specification),
    _keyed("POST", "/api/catalog_system/pvt/products/{id}/specification", "catalog", set_specification),
    _keyed("GET", "/api/fulfillment/pvt/affiliates", "fulfillment", affiliates),
    _keyed("GET", "/api/checkout/pvt/configuration/orderForm", "checkout", checkout_settings),
)
