"""Places: where goods can go to, or be fetched from, as Checkout tells it without a cart."""

from monitor.simulator.shop import is_served, place_of
from monitor.simulator.visit import API_LIFE, Answer, Endpoint, Visit, bad, data


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
        life=API_LIFE,
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


_API = ("commerce", "io", "store")
_PUB = "/api/checkout/pub"

ENDPOINTS = (
    Endpoint("GET", _API, f"{_PUB}/postal-code/{{country}}/{{code}}", "postal-code", postal_code),
    Endpoint("GET", _API, f"{_PUB}/regions", "checkout", regions),
    Endpoint("GET", _API, f"{_PUB}/pickup-points", "logistics", pickup_points),
)
