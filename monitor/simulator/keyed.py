"""Keyed answers: what an application key of the account may read. All of them read; none changes anything."""

from datetime import UTC, datetime, timedelta
from typing import Any

from monitor.simulator.shop import BY_SKU, PAYMENT_SYSTEMS, money
from monitor.simulator.visit import Answer, Endpoint, Refused, Visit, data, error


def _stamp(visit: Visit, ago: timedelta = timedelta()) -> str:
    return (visit.moment - ago).strftime("%Y-%m-%dT%H:%M:%S.0000000+00:00")


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
    balance = {
        "warehouseId": "1_1",
        "warehouseName": "Principal",
        "totalQuantity": product.stock,
        "reservedQuantity": 0,
        "hasUnlimitedQuantity": False,
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
            "priceValidUntil": _stamp(visit, -timedelta(days=365)),
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


async def orders(visit: Visit) -> Answer:
    """A page of orders, newest first; the newest is always a minute old while the module works."""
    size = max(1, min(100, visit.number_of("per_page", 15)))
    listed = [
        {
            "orderId": f"{1000000000 + index}-01",
            "creationDate": _stamp(visit, timedelta(minutes=1 + 7 * index)),
            "status": "ready-for-handling",
            "totalValue": 4990 + 1290,
            "workflowInErrorState": False,
        }
        for index in range(size)
    ]
    paging = {"total": 4200, "pages": -(-4200 // size), "currentPage": visit.number_of("page", 1), "perPage": size}
    return data({"list": listed, "paging": paging, "facets": [], "stats": {"stats": {"totalValue": {"Count": 4200}}}})


async def order(visit: Visit) -> Answer:
    """One order by its id."""
    id = visit.params["id"]
    if not id.replace("-", "").isdecimal():
        return error(404, "OMS003", "order not found", visit)
    return data({"orderId": id, "status": "invoiced", "value": 6280, "workflowIsInError": False})


async def feed_config(visit: Visit) -> Answer:
    """How full the order feed is and how long its oldest message waits: ever longer while data stands still."""
    waited = int((datetime.now(UTC) - visit.moment).total_seconds())
    return data(
        {
            "quantity": 3,
            "approximateAgeOfOldestMessageInSeconds": 12 + waited,
            "filter": {"type": "FromWorkflow", "status": ["ready-for-handling"]},
            "queue": {"visibilityTimeoutInSeconds": 240, "messageRetentionPeriodInSeconds": 345600},
        }
    )


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


async def profile_schema(visit: Visit) -> Answer:
    """The shape of a profile."""
    return data({"title": "profileSystem", "version": 1, "properties": {"email": {"type": "string"}}})


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
        {"recaptchaValidation": "vtexCriteria", "minimumQuantityAccumulatedForItems": 1, "taxConfiguration": None}
    )


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
    _keyed("GET", "/api/oms/pvt/orders", "oms", orders),
    _keyed("GET", "/api/oms/pvt/orders/{id}", "oms", order),
    _keyed("GET", "/api/orders/feed/config", "workflow", feed_config),
    _keyed("GET", "/api/giftcardproviders", "gift-card", gift_card_providers),
    _keyed("GET", "/api/dataentities", "master-data", entities),
    _keyed("GET", "/api/dataentities/{entity}/search", "master-data", documents),
    _keyed("GET", "/api/storage/profile-system/schemas/profileSystem", "profile", profile_schema),
    _keyed("GET", "/api/rns/settings", "subscriptions", subscription_settings),
    _keyed("GET", "/{account}/suggestions/configuration", "suggestions", suggestion_settings, "api"),
    _keyed("GET", "/api/seller-register/pvt/sellers", "marketplace", sellers),
    _keyed("GET", "/api/fulfillment/pvt/affiliates", "fulfillment", affiliates),
    _keyed("GET", "/api/checkout/pvt/configuration/orderForm", "checkout", checkout_settings),
)
