"""Access: who may change something or read what the public does not.

With a token, whoever has it. Without one, only whoever sits at this machine: the listener is bound to loopback then,
and what a browser sends on behalf of some web page, or a proxy for somebody else, is not that.
"""

import hmac
from ipaddress import ip_address

from aiohttp import web

PROXIED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")


def require(request: web.Request, token: str | None) -> None:
    """Returns for whoever may; raises the answer for everybody else."""
    if token:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), token.encode())
        if scheme.lower() != "bearer" or not same:
            raise web.HTTPUnauthorized(text="A token is needed.\n", headers={"WWW-Authenticate": "Bearer"})
        return
    if not _is_here(request.remote) or any(name in request.headers for name in PROXIED):
        raise web.HTTPForbidden(text="Only from this machine, as no monitor.ops_token is set.\n")
    if "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise web.HTTPForbidden(text="Not from a page of another site.\n")


def _is_here(peer: str | None) -> bool:
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
