"""Keys: what may stand in the query of an address. A key that nobody knows is told, not ignored: whoever asks for
`?open=true` and gets everything would believe that everything is open.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.web.counter import refusal
from monitor.web.openapi import OPERATIONS
from monitor.web.operation import HTML, JSON, LINES, Operation


@web.middleware
async def known_keys(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requests that are described are answered 400 when their query has a key that is not. Pages are for people, who
    bring along what others hang on to an address."""
    operation = _operation(request) if request.query else None
    if operation is not None and operation.kind != HTML:
        unknown = sorted(set(request.query) - set(operation.keys))
        if unknown:
            raise _refused(operation, unknown[0])
    return await handler(request)


def _operation(request: web.Request) -> Operation | None:
    resource = request.match_info.route.resource
    method = "get" if request.method == "HEAD" else request.method.lower()
    return None if resource is None else OPERATIONS.get((method, resource.canonical))


def _refused(operation: Operation, key: str) -> web.HTTPException:
    known = ", ".join(f"`{name}`" for name in operation.keys) or "none"
    sentence = f"`{_short(key)}` is no key of this address; those there are: {known}"
    if operation.kind in (JSON, LINES):
        return refusal(400, sentence)
    return web.HTTPBadRequest(text=f"{sentence}\n")


def _short(key: str) -> str:
    return "".join(one if one.isprintable() else "�" for one in key[:80])
