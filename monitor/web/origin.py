"""Origin: the address that a request comes from, also behind proxies.

A proxy appends the address it was asked from to `X-Forwarded-For`; what stands before that anybody may have written. So
the list is read from its end, for as long as whoever wrote an entry is one of the proxies that are trusted.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aiohttp import web


def origin_of(request: web.Request, trusted: Sequence[str]) -> str:
    """The address nearest to us that is no trusted proxy; `trusted` are addresses and networks."""
    hops = [one.strip() for line in request.headers.getall("X-Forwarded-For", []) for one in line.split(",")]
    found = request.remote or ""
    while hops and _is_among(found, _networks(tuple(trusted))):
        found = hops.pop()
    return _plain(found)


@lru_cache(4)
def _networks(written: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(one, strict=False) for one in written)


def _is_among(address: str, networks: Sequence[IPv4Network | IPv6Network]) -> bool:
    try:
        found = ip_address(_plain(address))
    except ValueError:
        return False
    return any(found in one for one in networks)


def _plain(address: str) -> str:
    """An address in one spelling: without a zone, and IPv4 as such; what is none is cut short."""
    try:
        found = ip_address(address.strip("[]").partition("%")[0])
    except ValueError:
        return address[:45]
    return str(getattr(found, "ipv4_mapped", None) or found)
