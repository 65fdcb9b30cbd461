"""Fidelity, limits: how long a module waits for another, how many requests a minute are granted, what a day takes."""

import asyncio
import time
from collections import Counter
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from monitor.config.file import load, shipped
from monitor.core.target import HttpTarget
from monitor.simulator.hosts import kind_of
from monitor.simulator.limits import LIMITS, Limits
from monitor.simulator.links import CART, PAYING, PLACING, SIMULATION
from monitor.simulator.routes import Route, route
from monitor.simulator.settings import Settings
from tests.simulator.conftest import KEY, Shopper
from tests.simulator.test_shipped_probes import KEYS

pytestmark = pytest.mark.slow

# table of links, module, documented limit in seconds
WAITS = (
    (SIMULATION, "catalog", 3.0),
    (CART, "catalog", 3.0),
    (PLACING, "catalog", 3.0),
    (SIMULATION, "pricing", 0.9),
    (CART, "tax-service", 5.0),
    (PAYING, "payment-connectors", 20.0),
)


@pytest.mark.parametrize(("links", "module", "limit"), WAITS)
def test_a_link_waits_as_long_as_documented(links: tuple[object, ...], module: str, limit: float) -> None:
    """Each documented limit is that of the link."""
    assert {link.limit for link in links if link.module == module} == {limit}  # type: ignore[attr-defined]


def test_slow_parts_take_as_long_as_documented() -> None:
    """Two minutes of waiting and four of indexing, four to the order list, five for a payment."""
    settings = Settings()
    assert (settings.index, settings.order_index, settings.payment_window) == (6 * 60, 4 * 60, 5 * 60)


# module, requests a minute, whether each route has its own
GRANTED = (("catalog", 45_000, False), ("catalog", 15_000, True), ("oms", 6_000, False), ("gift-card", 5_000, False))


def test_the_documented_rates() -> None:
    """Catalog, Orders and Gift Card have published limits; the rest has none and is not limited."""
    assert {(module, one.a_minute, one.each_route) for one in LIMITS for module in one.modules} == {
        *GRANTED,
        ("workflow", 6_000, False),
    }


def test_a_minute_is_counted_and_begins_anew() -> None:
    """The request after the last granted one is told when the next minute begins, and passes then."""
    now = 600.0
    limits = Limits(lambda: 1.0, lambda: now)
    assert all(limits.refuse("gift-card", "GET /a") is None for _ in range(5_000))
    now = 615.0
    refused = limits.refuse("gift-card", "GET /b")
    assert refused is not None
    assert (refused.status, refused.headers["Retry-After"]) == (429, "46")
    assert limits.refuse("catalog", "GET /c") is None
    now = 660.0
    assert limits.refuse("gift-card", "GET /a") is None


def test_each_route_of_the_catalog_has_a_limit_within_that_of_the_account() -> None:
    """One route is refused at 15,000 while another goes on, and all of them at 45,000."""
    limits = Limits(lambda: 1.0, lambda: 0.0)
    assert all(limits.refuse("catalog", "GET /a") is None for _ in range(15_000))
    assert limits.refuse("catalog", "GET /a") is not None
    for name in ("/b", "/c"):
        assert all(limits.refuse("catalog", f"GET {name}") is None for _ in range(14_999))
    assert limits.refuse("catalog", "GET /d") is None
    assert limits.refuse("catalog", "GET /e") is not None


async def test_who_asks_too_often_is_told(shopper: Shopper) -> None:
    """Over the wire: 429 with Retry-After, for the limited API only."""
    shopper.simulator.set(limits=3 / 6_000)
    if time.monotonic() % 60 > 50:  # all of them in one minute
        await asyncio.sleep(11)
    answers = [await shopper.ask("GET", "C/api/oms/pvt/orders?per_page=1", headers=KEY) for _ in range(4)]
    assert [status for status, _, _ in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1][1]["retry-after"]) <= 60
    assert (await shopper.ask("GET", "C/api/vlm/account/stores", headers=KEY))[0] == 200


def test_a_day_of_the_shipped_probes_stays_within_the_limits() -> None:
    """Every probe at its interval for a simulated day, from three places, meets no limit and makes few carts."""
    now = 0.0
    limits = Limits(lambda: 1.0, lambda: now)
    probes = []
    for probe in load(shipped(), KEYS).platform.probes.values():
        if isinstance(probe.ask, HttpTarget) and probe.kind in ("http", "freshness"):
            address = urlsplit(probe.ask.url)
            found = route(str(kind_of(address.netloc, "demostore")), probe.ask.method, address.path)
            assert isinstance(found, Route), probe.key
            probes.append((probe.interval / timedelta(seconds=1), found.endpoint))
    assert len(probes) > 40
    asked: Counter[str] = Counter()
    for second in range(0, 24 * 3600, 5):
        now = float(second)
        for interval, endpoint in probes:
            if second % interval < 5:
                for _ in range(3):
                    asked[endpoint.name] += 1
                    assert limits.refuse(endpoint.module, endpoint.name) is None
    assert asked["GET /api/checkout/pub/orderForm"] <= 3 * 24 * 12
    for never in ("GET /api/orders/feed", "GET /api/vlm/account", "GET /api/catalog_system/pvt/seller/list"):
        assert asked[never] == 0
