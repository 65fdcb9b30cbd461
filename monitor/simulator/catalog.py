"""Catalog and legacy search: the category tree, sales channels, variations, and the older search beside them."""

from typing import Any

from monitor.simulator.shop import BY_ID, CATEGORIES, PRODUCTS, SPECIFICATION, Product, found, money
from monitor.simulator.visit import API_LIFE, Answer, Endpoint, Visit, data

MOST_SPAN = 50  # from the first to the last of a page
LAST_REACHABLE = 2500


def offer(visit: Visit, product: Product, *, with_price: bool = True) -> dict[str, Any]:
    """The commercial offer of a search answer, in decimals. The key it stands under is misspelt on the platform too."""
    price = money(product.price) if with_price else 0
    stock = visit.available(product.sku) if with_price else 0
    return {
        "Price": price,
        "ListPrice": money(product.list_price) if with_price else 0,
        "PriceWithoutDiscount": price,
        "AvailableQuantity": stock,
        "IsAvailable": stock > 0,
        "Installments": [],
    }


def item_of(visit: Visit, product: Product, *, with_price: bool = True) -> dict[str, Any]:
    """The SKU of a product as both searches show it."""
    return {
        "itemId": str(product.sku),
        "name": product.name,
        "nameComplete": product.name,
        "ean": f"789{product.sku:010d}",
        "images": [
            {
                "imageId": str(product.id),
                "imageUrl": f"https://{visit.account}.vteximg.com.br/arquivos/ids/{product.id}/{product.slug}.png",
            }
        ],
        "sellers": [
            {
                "sellerId": "1",
                "sellerName": visit.account,
                "sellerDefault": True,
                "commertialOffer": offer(visit, product, with_price=with_price),
            }
        ],
    }


def product_of(visit: Visit, product: Product, *, with_price: bool = True) -> dict[str, Any]:
    """A product as both searches show it."""
    name, slug = CATEGORIES[product.category]
    return {
        "productId": str(product.id),
        "productName": product.name,
        "brand": product.brand,
        "linkText": product.slug,
        "link": f"/{product.slug}/p",
        "categories": [f"/{name}/"],
        "categoryId": str(product.category),
        "categoryTree": [{"id": product.category, "name": name, "href": f"/{slug}"}],
        "metaTagDescription": ", ".join(visit.ledger.indexed(str(product.id), visit.moment)),
        "items": [item_of(visit, product, with_price=with_price)],
    }


async def tree(visit: Visit) -> Answer:
    """The categories of the shop, one level deep."""
    return data(
        [
            {
                "id": id,
                "name": name,
                "hasChildren": False,
                "url": f"https://{visit.account}.vtexcommercestable.com.br/{slug}",
                "children": [],
                "Title": name,
                "MetaTagDescription": "",
            }
            for id, (name, slug) in CATEGORIES.items()
        ],
        life=API_LIFE,
    )


async def sales_channel(visit: Visit) -> Answer:
    """One sales channel (trade policy); the shop has only the first."""
    if visit.params["id"] != "1":
        return data("sales channel not found", 404)
    return data(
        {
            "Id": 1,
            "Name": "Loja principal",
            "IsActive": True,
            "ProductClusterId": None,
            "CountryCode": "BRA",
            "CultureInfo": "pt-BR",
            "TimeZone": "E. South America Standard Time",
            "CurrencyCode": "BRL",
            "CurrencySymbol": "R$",
            "CurrencyLocale": 1046,
            "Position": 1,
        },
        life=API_LIFE,
    )


async def variations(visit: Visit) -> Answer:
    """Price and stock of a product's SKUs, prices in cents."""
    product = BY_ID.get(visit.params["id"])
    if product is None:
        return data("product not found", 404)
    stock = visit.available(product.sku)
    sku = {
        "sku": product.sku,
        "skuname": product.name,
        "dimensions": {},
        "available": stock > 0,
        "availablequantity": stock,
        "listPrice": product.list_price,
        "bestPrice": product.price,
        "sellerId": "1",
        "seller": visit.account,
    }
    return data(
        {
            "productId": product.id,
            "name": product.name,
            "salesChannel": "1",
            "available": stock > 0,
            "displayMode": "lista",
            "dimensions": [],
            "skus": [sku],
        },
        life=API_LIFE,
    )


async def legacy_search(visit: Visit) -> Answer:
    """The older search: a bare array, its range in the header `resources`, 206 while there is more."""
    first, last = visit.number_of("_from", 0), visit.number_of("_to", 9)
    if last < first or last - first > MOST_SPAN or last > LAST_REACHABLE:
        return data(f"a page spans at most {MOST_SPAN} and ends at {LAST_REACHABLE}", 400)
    filters = visit.query.get("fq", "")
    matching = list(PRODUCTS)
    for field, value in (part.partition(":")[::2] for part in filters.split(",") if part):
        matching = [product for product in matching if _has(product, field, value)]
    if text := visit.query.get("ft"):
        matching = [product for product in matching if product in found(text)]
    some = matching[first : last + 1]
    return data(
        [{**product_of(visit, product), **_specifications(visit, product)} for product in some],
        206 if len(some) < len(matching) else 200,
        life=API_LIFE,
        headers={"resources": f"{first}-{last}/{len(matching)}"},
    )


def _specifications(visit: Visit, product: Product) -> dict[str, Any]:
    """The specifications of a product as the older search shows them: each under its own name, and all their names."""
    values = visit.ledger.indexed(str(product.id), visit.moment)
    return {"allSpecifications": [SPECIFICATION] if values else [], **({SPECIFICATION: values} if values else {})}


def _has(product: Product, field: str, value: str) -> bool:
    match field:
        case "skuId":
            return str(product.sku) == value
        case "productId":
            return str(product.id) == value
        case "C":
            return value.strip("/") == str(product.category)
        case _:
            return False


# A store's own domain passes API calls on as well, which is how a browser reaches them.
_API = ("commerce", "io", "store")

ENDPOINTS = (
    Endpoint("GET", _API, "/api/catalog_system/pub/category/tree/{depth}", "catalog", tree),
    Endpoint("GET", _API, "/api/catalog_system/pub/saleschannel/{id}", "catalog", sales_channel),
    Endpoint("GET", _API, "/api/catalog_system/pub/products/variations/{id}", "catalog", variations),
    Endpoint("GET", _API, "/api/catalog_system/pub/products/search", "legacy-search", legacy_search),
)
