"""Routes: every path the platform answers, and which one a request means."""

import re
from dataclasses import dataclass

from monitor.simulator import (
    cart,
    catalog,
    checkout,
    identity,
    keyed,
    oms,
    orders,
    person,
    places,
    search,
    session,
    statuspage,
    storefront,
)
from monitor.simulator.visit import Endpoint

ENDPOINTS: tuple[Endpoint, ...] = (
    *catalog.ENDPOINTS,
    *search.ENDPOINTS,
    *session.ENDPOINTS,
    *checkout.ENDPOINTS,
    *places.ENDPOINTS,
    *person.ENDPOINTS,
    *cart.ENDPOINTS,
    *orders.ENDPOINTS,
    *oms.ENDPOINTS,
    *identity.ENDPOINTS,
    *keyed.ENDPOINTS,
    *storefront.ENDPOINTS,
    *statuspage.ENDPOINTS,
)


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint that was found, and the parts of the path it names."""

    endpoint: Endpoint
    params: dict[str, str]


def _pattern(path: str) -> re.Pattern[str]:
    """`{name}` is one part of a path, `{name:path}` the rest of it; a slash at the end makes no difference."""
    text = re.sub(r"\\{(\w+):path\\}", r"(?P<\1>.+)", re.escape(path))
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", text).removesuffix("/") + "/?")


_PATTERNS = [(endpoint, _pattern(endpoint.path)) for endpoint in ENDPOINTS]


def route(kind: str, method: str, path: str) -> Route | tuple[str, ...]:
    """The endpoint of a request, else the methods its path would have answered: none of them for an unknown path."""
    allowed: list[str] = []
    for endpoint, pattern in _PATTERNS:
        if kind in endpoint.hosts and (match := pattern.fullmatch(path)):
            if endpoint.method == method:
                return Route(endpoint, match.groupdict())
            allowed.append(endpoint.method)
    return tuple(dict.fromkeys(allowed))


def home_of(module: str) -> str | None:
    """The host kind a module is mainly reached under, whose certificate it stands for; None without a route."""
    return next((endpoint.hosts[0] for endpoint in ENDPOINTS if endpoint.module == module), None)
