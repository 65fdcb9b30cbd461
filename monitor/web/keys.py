"""Keys: what may stand in the query of an address. A key that nobody knows is told, not ignored: whoever asks for
`?open=true` and gets everything would believe that everything is open.
"""

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.web.counter import API, refusal
from monitor.web.openapi import OPERATIONS
from monitor.web.operation import Operation


@web.middleware
async def known_keys(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Requests of the API that are described are answered 400 when their query has a key that is not. Elsewhere it is
    passed over: people bring along what others hang on to the address of a page, scrapers what the exporter before us
    took, and a heartbeat counts whatever the job that sends it adds."""
    operation = _operation(request) if request.query else None
    if operation is not None:
        unknown = sorted(set(request.query) - set(operation.keys))
        if unknown:
            raise _refused(operation, unknown[0])
    return await handler(request)


def _operation(request: web.Request) -> Operation | None:
    resource = request.match_info.route.resource
    if resource is None or not resource.canonical.startswith(f"{API}/"):
        return None
    method = "get" if request.method == "HEAD" else request.method.lower()
    return OPERATIONS.get((method, resource.canonical))


def _refused(operation: Operation, key: str) -> web.HTTPException:
    known = ", ".join(f"`{name}`" for name in operation.keys) or "none"
    return refusal(400, f"`{_short(key)}` is no key of this address; those there are: {known}")


def _short(key: str) -> str:
    return "".join(one if one.isprintable() else "�" for one in key[:80])
