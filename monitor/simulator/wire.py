"""The wire: how an answer leaves, whole or struck. The only file that touches sockets under HTTP.

A refused connection cannot depend on a path, since the path comes after the connection: for one module of a shared
host, `refuse` resets the connection before the first byte of an answer. `shared:HOST` really stops listening.
"""

import asyncio
import socket
import struct
from datetime import UTC, datetime
from email.utils import format_datetime
from random import Random

from aiohttp import web

from monitor.simulator.faults import Strike
from monitor.simulator.visit import Answer, data, page

RETRY_AFTER = 30  # seconds a throttled caller is asked to wait

_STATUS = {"http_500": 500, "http_429": 429, "http_503": 503}
_GATEWAY_STATUS = {"http_500": 502, "http_429": 429, "http_503": 503, "timeout": 504}
_SAID = {
    429: "Too many requests for this route; wait before the next one.",
    500: "The application failed while answering.",
    502: "The router got no valid answer from the application.",
    503: "The circuit breaker is open: the application behind it is failing.",
    504: "The application did not answer the router in time.",
}


def error_of(strike: Strike) -> Answer | None:
    """The answer of a module that is struck with a status; None for every other fault."""
    status = _STATUS.get(strike.fault)
    if status is None:
        return None
    body = {"error": {"code": str(status), "message": _SAID[status], "exception": None}}
    return data(body, status, headers=_throttled() if status == 429 else None)


def edge_error_of(strike: Strike, *, gateway: bool) -> Answer | None:
    """What the gateway or a host's front says by itself: a bare page, no application behind it."""
    status = (_GATEWAY_STATUS if gateway else _STATUS).get(strike.fault)
    if status is None:
        return None
    answer = page(
        f"<html><head><title>{status}</title></head><body><h1>{_SAID[status]}</h1></body></html>", status, life=0
    )
    if status == 429:
        answer.headers.update(_throttled())
    return answer


def _throttled() -> dict[str, str]:
    return {
        "Retry-After": str(RETRY_AFTER),
        "Ratelimit-Limit": "200",
        "Ratelimit-Remaining": "0",
        "Ratelimit-Reset": str(RETRY_AFTER),
    }


def spoiled(strike: Strike, answer: Answer) -> Answer:
    """The answer with its body spoiled as the fault says; untouched by faults that spoil nothing."""
    if strike.fault == "garbage":
        answer.body = b"\xfe\x80\x1f" + Random(strike.seen).randbytes(240) + b"\xff"
    elif strike.fault == "wrong_json":
        # Valid, and nothing of what was asked for; an image becomes JSON too, as a misrouted request would.
        answer.body, answer.content_type = b'{"unexpected":true,"items":null,"version":0}', "application/json"
    return answer


def aged(strike: Strike, answer: Answer) -> Answer:
    """The answer of a cache that stopped asking the module behind it."""
    frozen = strike.frozen_at
    if strike.fault == "stale" and frozen is not None:
        answer.headers.update(
            {
                "X-VTEX-Cache-Status-Janus-Edge": "HIT",
                "X-VTEX-Cache-Status-Janus-ApiCache": "HIT",
                "X-vtex-processed-at": frozen.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "Last-Modified": format_datetime(frozen, usegmt=True),
                "Age": str(int((datetime.now(UTC) - frozen).total_seconds())),
            }
        )
    return answer


def whole(answer: Answer) -> web.StreamResponse:
    """The answer as an HTTP response, for the server to write."""
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    for cookie in answer.cookies:
        response.headers.add("Set-Cookie", cookie)
    response.headers["Content-Type"] = answer.content_type
    return response


async def send_part(request: web.BaseRequest, answer: Answer) -> web.StreamResponse:
    """Promises the whole body, sends half of it and closes."""
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.headers["Content-Type"] = answer.content_type
    body = answer.body or b"half of this never arrives"
    response.content_length = len(body)
    await response.prepare(request)
    await response.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return response


async def hold(request: web.BaseRequest, seconds: float) -> web.StreamResponse:
    """Says nothing for a while, then closes without an answer."""
    await asyncio.sleep(seconds)
    if request.transport is not None:
        request.transport.close()
    return web.Response()


def reset(request: web.BaseRequest) -> web.StreamResponse:
    """Tears the connection down with RST: lingering for zero seconds throws away what was not sent."""
    transport = request.transport
    if transport is not None:
        plug = transport.get_extra_info("socket")
        if plug is not None:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
    return web.Response()
