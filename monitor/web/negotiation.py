"""Negotiation: which form of an answer a reader asked for (RFC 9110, 12.5)."""

from aiohttp import web


def offered(header: str, name: str) -> bool:
    """Whether a list such as `gzip;q=0.5, *;q=0` accepts a name: an entry of its own goes before the asterisk."""
    found: dict[str, float] = {}
    for entry in header.lower().split(","):
        value, *params = (part.strip() for part in entry.split(";"))
        weight = 1.0
        for param in params:
            if param.startswith("q="):
                try:
                    weight = float(param[2:])
                except ValueError:
                    weight = 0.0
        found[value] = weight
    return found.get(name, found.get("*", 0.0)) > 0


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether the reader unpacks gzip."""
    return offered(request.headers.get("Accept-Encoding", ""), "gzip")


def matches(header: str, etag: str) -> bool:
    """Whether `If-None-Match` names a tag; weak and strong ones are alike here."""
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))
