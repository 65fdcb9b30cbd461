"""Intelligent Search: product look-up, full-text query, top searches, on the current path and the one to be retired.

Unless told `simulationBehavior=skip`, each answer asks the Checkout simulation for price and stock. When that fails
the products still come, without an offer: so a sick simulation shows in one query and not in its `skip` twin.
"""

import asyncio
from typing import Any

from monitor.simulator.catalog import product_of
from monitor.simulator.links import SIMULATION, ask, call
from monitor.simulator.shop import BY_ID, BY_SKU, BY_SLUG, SPECIFICATION, Product, found
from monitor.simulator.visit import API_LIFE, Answer, Endpoint, Refused, Visit, data

SIMULATION_LIMIT = 5.0
QUERY_LIFE = 120.0  # seconds a cache may keep an answer; said in its `Cache-Control`


def _refuse(visit: Visit, why: str) -> Refused:
    return Refused(
        data(
            {
                "status": 400,
                "code": "BAD_REQUEST",
                "name": "BadRequest",
                "level": "error",
                "response": {"data": {"message": why, "path": visit.path}},
            },
            400,
        )
    )


async def _priced(visit: Visit) -> bool:
    """Whether the products of this answer get an offer."""
    behavior = visit.query.get("simulationBehavior", "default")
    if behavior not in ("default", "skip", "only1P"):
        raise _refuse(visit, f"simulationBehavior {behavior!r} is not known")
    if behavior == "skip":
        return True  # price and stock come from the index
    trouble = await call(visit, "checkout", SIMULATION_LIMIT)
    if trouble is not None:
        return False
    try:
        async with asyncio.timeout(SIMULATION_LIMIT):
            await ask(visit, SIMULATION, "catalog", "logistics", "pricing", "rates-and-benefits", "fulfillment")
    except (Refused, TimeoutError):
        return False
    return True


def _indexed(visit: Visit, product: Product, *, priced: bool) -> dict[str, Any]:
    """A product as the index holds it: what the catalog said some minutes ago."""
    values = visit.ledger.indexed(str(product.id), visit.moment)
    properties = [{"name": SPECIFICATION, "originalName": SPECIFICATION, "values": values}] if values else []
    return {**product_of(visit, product, with_price=priced), "properties": properties}


async def product(visit: Visit) -> Answer:
    """One product, looked up without the search pipeline. A bare object, 404 when there is none."""
    if not visit.query.get("sc") or not visit.query.get("value"):
        raise _refuse(visit, "sc and value are needed")
    field, value = visit.query.get("field", "sku"), visit.query["value"]
    index: dict[str, Product] | None = {"sku": BY_SKU, "id": BY_ID, "slug": BY_SLUG}.get(field)
    if index is None:
        raise _refuse(visit, f"field {field!r} is not known")
    if value not in index:
        return data({"message": "product not found"}, 404)
    return data(_indexed(visit, index[value], priced=await _priced(visit)), life=API_LIFE)


async def query(visit: Visit) -> Answer:
    """Full-text search within facets."""
    facets = [part for part in visit.params.get("facets", "").split("/") if part]
    if len(facets) % 2:
        raise _refuse(visit, "facets come in pairs of name and value")
    pairs = dict(zip(facets[::2], facets[1::2], strict=True))
    if visit.path.startswith("/api/io/") and "trade-policy" not in pairs:
        raise _refuse(visit, "the trade-policy facet is needed")
    text = visit.query.get("query", "")
    count, first = visit.number_of("count", 24), visit.number_of("from", 0)
    if count > 100:
        raise _refuse(visit, "count is at most 100")
    matching = found(text, pairs.get("category-1"))
    priced = await _priced(visit)
    products = [_indexed(visit, one, priced=priced) for one in matching[first : first + count]]
    answer = data(
        {
            "products": products,
            "recordsFiltered": len(matching),
            "fuzzy": "0",
            "operator": "and",
            "redirect": None,
            "translated": False,
            "searchId": visit.unique("search"),
            "locale": visit.query.get("locale", "pt-BR"),
            "query": text,
            "options": {"sorts": [], "counts": []},
            "pagination": {"count": -(-len(matching) // count) if count else 0, "perPage": count},
        },
        life=QUERY_LIFE,
    )
    answer.headers["Cache-Control"] = f"public, max-age={QUERY_LIFE:g}"
    return answer


async def top_searches(visit: Visit) -> Answer:
    """What shoppers look for most."""
    terms = (("caneca", 412), ("mochila", 377), ("fone", 290), ("garrafa", 118))
    return data({"searches": [{"term": term, "count": count} for term, count in terms]}, life=API_LIFE)


_API = ("commerce", "io", "store")
_V1 = "/api/intelligent-search/v1"
_OLD = "/api/io/_v/api/intelligent-search"

ENDPOINTS = (
    Endpoint("GET", _API, f"{_V1}/products", "search", product),
    Endpoint("GET", _API, f"{_V1}/product-search", "search", query),
    Endpoint("GET", _API, f"{_V1}/product-search/{{facets:path}}", "search", query),
    Endpoint("GET", _API, f"{_V1}/top-searches", "search", top_searches),
    Endpoint("GET", _API, f"{_OLD}/product_search/{{facets:path}}", "search", query, through=("vtex-io",)),
    Endpoint("GET", _API, f"{_OLD}/top_searches", "search", top_searches, through=("vtex-io",)),
)
