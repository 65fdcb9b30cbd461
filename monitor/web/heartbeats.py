"""Heartbeats: modules call in. A call is on disk before it is acknowledged."""

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from monitor.core.heartbeat import HEARTBEAT
from monitor.core.module import Platform
from monitor.core.probe import Probe
from monitor.core.target import HeartbeatTarget

STORED_WITHIN = 10.0  # seconds a call waits for the disk

Take = Callable[[str, str], Awaitable[bool]]  # module, probe → whether it is on disk


async def receive(request: web.Request, platform: Platform, take: Take) -> web.Response:
    """Takes one call. What it carries besides the secret is neither read nor kept."""
    probe = _called(platform, request.match_info)
    if probe is None:
        raise web.HTTPNotFound(text="No heartbeat of that name is listened to.\n")
    _check(request, probe.ask)
    try:
        async with asyncio.timeout(STORED_WITHIN):
            stored = await take(*probe.key)
    except TimeoutError:
        stored = False
    if not stored:
        text = "Heard, but it cannot be stored at the moment: call again.\n"
        raise web.HTTPServiceUnavailable(text=text, headers={"Retry-After": "5"})
    return web.Response(status=204)


def _called(platform: Platform, names: Mapping[str, str]) -> Probe | None:
    """The heartbeat that is called, also by a former id of its module; None for one that is off and for all else."""
    id = names["module"]
    if id not in platform.modules:
        id = next((one.id for one in platform.modules.values() if id in one.aliases), id)
    probe = platform.probes.get((id, names["probe"]))
    return probe if probe is not None and probe.kind == HEARTBEAT and probe.off is None else None


def _check(request: web.Request, target: HeartbeatTarget) -> None:
    """Returns for whoever has the secret of the probe, and for everybody where it has none."""
    if target.secret is None:
        return
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode("utf-8", "surrogateescape"), target.secret.encode())
    if scheme.lower() != "bearer" or not same:
        raise web.HTTPUnauthorized(
            text="The secret of this heartbeat is needed.\n", headers={"WWW-Authenticate": "Bearer"}
        )
