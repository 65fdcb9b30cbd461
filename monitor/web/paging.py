"""Paging: how a list is asked for and told page by page. A cursor says after what the next page goes on; it means
nothing to anybody else, and what is added meanwhile moves nothing.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web

from monitor.core.observation import moment
from monitor.web.counter import refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST, USUAL = 200, 100  # entries of a page
LONGEST_CURSOR = 500
LARGEST = 2**55  # microseconds of a thousand years

Query = Mapping[str, str]  # what stands in the address


def limit_of(query: Query) -> int:
    """How many entries are wanted at most. Raises the answer 400."""
    given = query.get("limit", str(USUAL))
    if not (given.isascii() and given.isdigit() and len(given) < 4 and 1 <= int(given) <= MOST):
        raise refusal(400, f"`limit` is a number from 1 to {MOST}")
    return int(given)


def cursor_of(query: Query, *kinds: type) -> tuple[Any, ...] | None:
    """What a cursor of ours holds, values of these kinds; None for the first page. Raises the answer 400."""
    given = query.get("cursor")
    if given is None:
        return None
    try:
        if len(given) > LONGEST_CURSOR:
            raise ValueError
        found = json.loads(urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        if not isinstance(found, list) or [type(one) for one in found] != list(kinds):
            raise ValueError
        if not all(abs(one) < LARGEST if isinstance(one, int) else one.isprintable() for one in found):
            raise ValueError
    except (ValueError, RecursionError):
        raise refusal(400, "`cursor` is none of ours: take it from `next` of the page before") from None
    return tuple(found)


def cursor(*values: Any) -> str:
    """A cursor that holds these."""
    return urlsafe_b64encode(json.dumps(values, separators=(",", ":")).encode()).decode().rstrip("=")


def micros(at: datetime) -> int:
    """A moment as a cursor holds it."""
    return (at - EPOCH) // timedelta(microseconds=1)


def instant(value: int) -> datetime:
    """The inverse of `micros`."""
    return EPOCH + timedelta(microseconds=value)


def next_of(request: web.Request, after: Sequence[Any] | None) -> str | None:
    """Where the next page is asked for; None at the end."""
    return None if after is None else str(request.rel_url.update_query(cursor=cursor(*after)))


def linked(response: web.Response, after: str | None) -> web.Response:
    """The answer with its `Link` to the next page (RFC 8288)."""
    if after is not None:
        response.headers["Link"] = f'<{after}>; rel="next"'
    return response


def moment_of(query: Query, name: str) -> datetime | None:
    """A time in the address, as RFC 3339 has it; a day is its beginning in UTC. Raises the answer 400."""
    given = query.get(name)
    if given is None:
        return None
    try:
        # A `+` that was not escaped comes as a space.
        found = moment(f"{given}T00:00:00Z" if len(given) == 10 else given.replace(" ", "+"))
        assert found is not None
        found.timestamp()
    except (ValueError, OverflowError):
        raise refusal(400, f"`{name}` is a time with its zone, such as 2026-11-23T12:00:00Z, or a day") from None
    return found


def word_of(query: Query, name: str, longest: int = 200) -> str | None:
    """A word in the address that things are picked by. Raises the answer 400 for what cannot be one."""
    given = query.get(name)
    if given is not None and not (1 <= len(given) <= longest and given.isprintable()):
        raise refusal(400, f"`{name}` takes up to {longest} printable characters")
    return given
