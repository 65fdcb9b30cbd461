"""Status page: what the platform says of itself, in the two shapes that machines read, and as late as in real life.

A fault is told once it has lasted for a while, under the public component it is felt in and never under the module
that was struck; one that is over before that is never told.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from html import escape
from typing import Any

from monitor.simulator.faults import Faults, Strike
from monitor.simulator.hosts import KINDS, kind_of
from monitor.simulator.modules import GATEWAY
from monitor.simulator.visit import Answer, Endpoint, Visit, data, page

NAME = "VTEX"
GROUPS: dict[str, tuple[str, ...]] = {
    "Storefront": ("Portal/CMS", "Store Framework", "FastStore", "Sales App", "3rd Party Apps"),
    "Checkout": (
        *("Order Placement", "Shipping Calculation", "Pricing Calculation"),
        *("Payments Gateway", "Payment Connectors"),
    ),
    "Admin": (
        *("Catalog Management", "Content Management", "Order Management"),
        *("Marketplace Connectors", "Admin Operations"),
    ),
    "Developer Tools": ("VTEX IO", "Master Data", "API Integrations"),
}
ELSEWHERE = ("API Integrations",)  # where everything else is felt

# Where shoppers and merchants feel a module, or a kind of host.
FELT_IN: dict[str, tuple[str, ...]] = {
    GATEWAY: ("Order Placement", "Store Framework", "Admin Operations", "API Integrations"),
    "license-manager": ("Admin Operations",),
    "vtex-id": ("Admin Operations",),
    "vtex-io": ("VTEX IO",),
    "file-system": ("Portal/CMS",),
    "store-framework": ("Store Framework",),
    "faststore": ("FastStore",),
    "headless-cms": ("Content Management",),
    "checkout-ui": ("Order Placement",),
    "catalog": ("Catalog Management",),
    "search": ("Store Framework", "FastStore"),
    "legacy-search": ("Portal/CMS",),
    "session": ("Store Framework", "FastStore"),
    "checkout": ("Order Placement",),
    "postal-code": ("Shipping Calculation",),
    "profile": ("Order Placement",),
    "logistics": ("Shipping Calculation",),
    "pricing": ("Pricing Calculation",),
    "rates-and-benefits": ("Pricing Calculation",),
    "payment-options": ("Payments Gateway",),
    "payments": ("Payments Gateway",),
    "gift-card": ("Content Management",),
    "fulfillment": ("Order Placement",),
    "oms": ("Order Management",),
    "workflow": ("Order Management",),
    "subscriptions": ("Order Management",),
    "master-data": ("Master Data",),
    "marketplace": ("Marketplace Connectors",),
    "suggestions": ("Marketplace Connectors",),
    "admin": ("Admin Operations",),
    "indexing": ("Catalog Management",),
    "tax-service": ("Pricing Calculation",),
    "payment-connectors": ("Payment Connectors",),
    "channels": ("Marketplace Connectors",),
    "audit": ("Admin Operations",),
    "order-routing": ("Order Placement",),
    "order-authorization": ("Order Placement",),
    "checkout-services": ("Order Placement",),
    "recaptcha": ("Order Placement",),
    "aws": ("Order Placement",),
    "portal": ("Portal/CMS",),
    "sales-app": ("Sales App",),
    "third-party-apps": ("3rd Party Apps",),
    "message-center": ("Admin Operations",),
    "store": ("Store Framework", "FastStore", "Order Placement"),
    "io": ("VTEX IO", "Admin Operations"),
    "images": ("Portal/CMS",),
    "assets": ("Portal/CMS",),
}
UNTOLD = ("version_change",)  # nobody calls a deploy an incident

# What a fault does, in words of a headline and as a component's status; everything else is an outage.
SLOWNESS = ("slow", "timeout", "stale", "stall")


@dataclass(frozen=True, slots=True)
class Post:
    """One incident of the page. `began_at` is the fault's, `posted_at` when the page told it."""

    id: str
    headline: str
    components: tuple[str, ...]
    status: str  # of the components, as incident.io spells it
    stage: str
    began_at: datetime
    posted_at: datetime
    resolved_at: datetime | None


def posts(faults: Faults, delay: float, now: datetime) -> list[Post]:
    """What a page that is so many seconds late tells at a moment, the newest first."""
    late = timedelta(seconds=delay)
    found = []
    for key, strike, end in _troubles(faults):
        if strike.fault in UNTOLD or (end or now) - strike.at < late:
            continue
        components = _felt_in(key, faults.account)
        if components:
            found.append(_post(key, strike, components, strike.at + late, end, now))
    return sorted(found, key=lambda one: (one.posted_at, one.id), reverse=True)


def _troubles(faults: Faults) -> Iterable[tuple[str, Strike, datetime | None]]:
    standing = faults.standing()
    yield from faults.past
    yield from ((key, strike, None) for key, strike in standing.items())


def _felt_in(key: str, account: str) -> tuple[str, ...]:
    shared, _, host = key.partition(":")
    kind = kind_of(host, account) if shared == "shared" else key
    return () if kind == "status" else FELT_IN.get(kind or "", ELSEWHERE)


def _post(
    key: str, strike: Strike, components: tuple[str, ...], posted: datetime, end: datetime | None, now: datetime
) -> Post:
    slow = strike.fault in SLOWNESS
    known = now - posted >= posted - strike.at  # as long again, and they know what it is
    return Post(
        id=blake2b(f"{key}{strike.at}".encode(), digest_size=6).hexdigest(),
        headline=f"{'Slow responses' if slow else 'Elevated errors'} in {components[0]}",
        components=components,
        status="degraded_performance" if slow else "full_outage" if strike.ratio >= 1 else "partial_outage",
        stage="resolved" if end else "identified" if known else "investigating",
        began_at=strike.at,
        posted_at=posted,
        resolved_at=end,
    )


# -- the two shapes ---------------------------------------------------------------------------------------------------


def _id(name: str) -> str:
    return blake2b(name.encode(), digest_size=6).hexdigest()


def _at(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _statuses(told: Iterable[Post]) -> dict[str, str]:
    """The components that are not operational; the oldest trouble of each."""
    return {name: one.status for one in told if one.resolved_at is None for name in one.components}


def _told(visit: Visit) -> list[Post]:
    return posts(visit.faults, visit.ledger.settings.page_delay, visit.moment)


async def own(visit: Visit) -> Answer:
    """The page's own interface, as incident.io has it."""
    told = _told(visit)
    items = [
        {
            "group": {
                "name": group,
                "hidden": False,
                "components": [{"component_id": _id(name), "name": name, "hidden": False} for name in names],
            }
        }
        for group, names in GROUPS.items()
    ]
    ongoing = [
        {
            "id": one.id,
            "name": one.headline,
            "status": one.stage,
            "type": "incident",
            "published_at": _at(one.posted_at),
            "affected_components": [{"component_id": _id(name), "status": one.status} for name in one.components],
            "component_impacts": [
                {"component_id": _id(name), "start_at": _at(one.began_at), "status": one.status}
                for name in one.components
            ],
            "updates": [{"id": f"{one.id}-1", "published_at": _at(one.posted_at), "to_status": "investigating"}],
        }
        for one in told
        if one.resolved_at is None
    ]
    summary = {
        "id": _id(NAME),
        "name": NAME,
        "public_url": f"https://{KINDS['status'].name}",
        "components": [{"id": _id(name), "name": name} for names in GROUPS.values() for name in names],
        "structure": {"items": items},
        "affected_components": [
            {"component_id": _id(name), "status": status} for name, status in _statuses(told).items()
        ],
        "ongoing_incidents": ongoing,
        "scheduled_maintenances": [],
        "locale": "en-US",
        "expose_status_summary_api": True,
    }
    return data({"summary": summary})


def _spelt(status: str) -> str:
    return "major_outage" if status == "full_outage" else status


def _components(told: Iterable[Post]) -> list[dict[str, Any]]:
    statuses = _statuses(told)
    found: list[dict[str, Any]] = []
    for group, names in GROUPS.items():
        members = [
            {"id": _id(name), "name": name, "status": _spelt(statuses.get(name, "operational")), "group": False}
            for name in names
        ]
        order = ("operational", "degraded_performance", "partial_outage", "major_outage")
        worst = max((one["status"] for one in members), key=order.index)
        inside = [one["id"] for one in members]
        found += [{"id": _id(group), "name": group, "status": worst, "group": True, "components": inside}, *members]
    return found


def _incident(one: Post) -> dict[str, Any]:
    link = f"https://{KINDS['status'].name}/incidents/{one.id}"
    impact = {"degraded_performance": "minor", "partial_outage": "major"}.get(one.status, "critical")
    newest = one.resolved_at or one.posted_at
    update = {"id": f"{one.id}1", "status": one.stage, "body": f"{one.headline}.", "display_at": _at(newest)}
    return {
        "id": one.id,
        "name": one.headline,
        "status": one.stage,
        "impact": impact,
        "shortlink": link,
        "started_at": _at(one.began_at),
        "created_at": _at(one.posted_at),
        "updated_at": _at(newest),
        "resolved_at": _at(one.resolved_at),
        "components": [{"id": _id(name), "name": name, "status": _spelt(one.status)} for name in one.components],
        "incident_updates": [{**update, "affected_components": None}],
    }


def _page(told: list[Post]) -> dict[str, Any]:
    newest = max((one.resolved_at or one.posted_at for one in told), default=None)
    return {"id": _id(NAME), "name": NAME, "url": f"https://{KINDS['status'].name}", "updated_at": _at(newest)}


async def summary(visit: Visit) -> Answer:
    """Statuspage v2: everything, of the incidents those going on."""
    told = _told(visit)
    status = {"indicator": "none", "description": "All Systems Operational"}
    if _statuses(told):
        status = {"indicator": "major", "description": "Partial System Outage"}
    return data(
        {
            "page": _page(told),
            "status": status,
            "components": _components(told),
            "incidents": [_incident(one) for one in told if one.resolved_at is None],
            "scheduled_maintenances": [],
        }
    )


async def incidents(visit: Visit) -> Answer:
    """Statuspage v2: the newest incidents, those that are over as well."""
    told = _told(visit)
    return data({"page": _page(told), "incidents": [_incident(one) for one in told]})


async def unresolved(visit: Visit) -> Answer:
    """Statuspage v2: the incidents going on."""
    told = _told(visit)
    return data({"page": _page(told), "incidents": [_incident(one) for one in told if one.resolved_at is None]})


async def for_people(visit: Visit) -> Answer:
    """The page itself, and under it the page of an incident."""
    lines = "".join(f"<li>{escape(one.headline)}: {one.stage}</li>" for one in _told(visit))
    return page(f"<!doctype html><title>{NAME} status</title><h1>{NAME} status</h1><ul>{lines}</ul>")


_HERE = ("status",)
ENDPOINTS = (
    Endpoint("GET", _HERE, "/", "status-page", for_people),
    Endpoint("GET", _HERE, "/incidents/{id}", "status-page", for_people),
    Endpoint("GET", _HERE, "/proxy/{host}", "status-page", own),
    Endpoint("GET", _HERE, "/api/v2/summary.json", "status-page", summary),
    Endpoint("GET", _HERE, "/api/v2/incidents.json", "status-page", incidents),
    Endpoint("GET", _HERE, "/api/v2/incidents/unresolved.json", "status-page", unresolved),
)
