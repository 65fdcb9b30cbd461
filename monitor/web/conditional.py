"""Conditional: which state of a thing a client knows, by its ETag (RFC 9110, 13). A tag is made from the bytes of the
answer, so it changes exactly when they do.
"""

import re
from collections.abc import Iterable
from hashlib import sha256

from aiohttp import web
from aiohttp.typedefs import Handler

_TAG = re.compile(r'(W/)?"([^"]*)"')


@web.middleware
async def tagged(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every answer below `/api/` that is whole has its ETag, also one to a change that shows what was changed; whoever
    reads and has it already is answered 304."""
    response = await handler(request)
    reads = request.method in ("GET", "HEAD")
    shown = reads or "Content-Location" in response.headers
    if not (isinstance(response, web.Response) and shown and response.status in (200, 201)):
        return response
    if not request.path.startswith("/api/") or not isinstance(response.body, bytes):
        return response
    response.headers["ETag"] = tag = tag_of(response.body)
    if reads and is_known(request, tag):
        kept = {name: response.headers[name] for name in ("ETag", "Link", "Vary") if name in response.headers}
        return web.Response(status=304, headers=kept)
    return response


def tag_of(body: bytes) -> str:
    """The strong ETag of an answer."""
    return f'"{sha256(body).hexdigest()[:32]}"'


def is_known(request: web.Request, tag: str) -> bool:
    """Whether whoever reads has this state already. A cache or a proxy may have made the tag a weak one."""
    return _names(request.headers.getall("If-None-Match", ()), tag, weak=True)


def expected(request: web.Request) -> tuple[str, ...]:
    """The states that a change is meant for; empty where it is meant for any."""
    return tuple(request.headers.getall("If-Match", ()))


def is_expected(wanted: Iterable[str], tag: str) -> bool:
    """Whether a thing is still in a state that a change is meant for."""
    return _names(wanted, tag, weak=False)


def _names(given: Iterable[str], tag: str, *, weak: bool) -> bool:
    for line in given:
        if line.strip() == "*":
            return True
        if any(f'"{found[2]}"' == tag for found in _TAG.finditer(line) if weak or not found[1]):
            return True
    return False
