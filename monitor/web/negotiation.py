"""Negotiation: which form of an answer a reader asked for (RFC 9110, 12.5)."""

from collections.abc import Sequence

from aiohttp import web

OPENMETRICS = "application/openmetrics-text"


def offered(header: str, name: str) -> bool:
    """Whether a list such as `gzip;q=0.5, *;q=0` accepts a name: an entry of its own goes before the asterisk."""
    found = _weights(header)
    return found.get(name, found.get("*", 0.0)) > 0


def wants_openmetrics(request: web.BaseRequest) -> bool:
    """Whether a scraper takes OpenMetrics, and likes it no less than the plain text of Prometheus."""
    found = _weights(request.headers.get("Accept", ""))
    weight = found.get(OPENMETRICS, 0.0)
    return weight > 0 and weight >= found.get("text/plain", 0.0)


def preferred(known: Sequence[str], *headers: str) -> str:
    """The language that the first of these lists to name one of ours likes best, else the first of ours. A list may
    name a language by its first part alone, or in a variety that we do not have."""
    for header in headers:
        wanted = _weights(header)
        for tag in sorted(wanted, key=lambda tag: -wanted[tag]):
            whole = (one for one in known if one.lower() == tag)
            alike = (one for one in known if one.lower().partition("-")[0] == tag.partition("-")[0])
            found = next(whole, next(alike, None))
            if found is not None and wanted[tag] > 0:
                return found
    return known[0]


def _weights(header: str) -> dict[str, float]:
    """The entries of a list with their `q`; of one that is named several times, in versions, the highest."""
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
        found[value] = max(weight, found.get(value, 0.0))
    return found


def takes_gzip(request: web.BaseRequest) -> bool:
    """Whether the reader unpacks gzip."""
    return offered(request.headers.get("Accept-Encoding", ""), "gzip")


def matches(header: str, etag: str) -> bool:
    """Whether `If-None-Match` names a tag; weak and strong ones are alike here."""
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))
