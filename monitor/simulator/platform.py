"""Platform: one request through host, gateway and module, as a real one would pass them.

A strike on the host or the gateway is met first and answers without the header of an application; a module's own
strike comes after, with its header, since the request did reach it.
"""

import asyncio
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from monitor.simulator import wire
from monitor.simulator.faults import Faults, Strike
from monitor.simulator.hosts import HOSTS, KINDS, kind_of
from monitor.simulator.links import call, pass_through
from monitor.simulator.modules import GATEWAY
from monitor.simulator.routes import Route, home_of, route
from monitor.simulator.visit import Answer, Refused, Visit, data, error

_WRONG_TOKEN = "forbidden"  # the token of a key that exists and may read nothing
_STOPS_TIME = ("stale", "stall")


class Platform:
    """Answers for every host of one account."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.faults = Faults(account)
        self.requests = 0
        self._carts: dict[str, Any] = {}

    def shows_expired(self, kind: str) -> bool:
        """Whether this handshake gets the expired certificate: a module's strike shows on the host it lives on."""
        for key, strike in list(self.faults.strikes.items()):
            if strike.fault == "certificate_expired" and kind in self._certificates_of(key):
                return self.faults.draw_handshake(key)
        return False

    def _certificates_of(self, key: str) -> list[str]:
        if key == GATEWAY:
            return [host.kind for host in HOSTS if host.routed]
        name = key.removeprefix("shared:")
        kind = home_of(key) if name == key else kind_of(name, self.account)
        return [kind] if kind else []

    async def answer(self, request: web.BaseRequest, listener: str) -> web.StreamResponse:
        """Answers one request that came in on the listener of a host kind."""
        self.requests += 1
        number, location = self.requests, location_of(request)
        kind = kind_of(request.host, self.account) or listener
        host = KINDS[kind]
        behind: list[Strike] = []
        for key in (f"shared:{host.named(self.account)}", *((GATEWAY,) if host.routed else ())):
            strike = self.faults.draw(key, location)
            if strike is None:
                continue
            broken = await self._struck_edge(request, strike, gateway=key == GATEWAY)
            if broken is not None:
                return broken
            behind.append(strike)
        found = route(kind, request.method, request.path)
        if not isinstance(found, Route):
            return wire.whole(_no_route(found))
        return await self._reach(request, found, kind, location, number, behind)

    async def _struck_edge(
        self, request: web.BaseRequest, strike: Strike, *, gateway: bool
    ) -> web.StreamResponse | None:
        """What a struck host or gateway does by itself; None when the request goes on to the module."""
        if strike.fault == "timeout" and gateway:
            await asyncio.sleep(strike.delay)  # the router waits for the application, then says so
        answer = wire.edge_error_of(strike, gateway=gateway)
        if answer is not None:
            return wire.whole(answer)
        return await self._broken(request, strike)

    async def _broken(self, request: web.BaseRequest, strike: Strike) -> web.StreamResponse | None:
        """Performs a fault after which there is no answer; None for the others, after the wait of a slow one."""
        match strike.fault:
            case "refuse":
                return wire.reset(request)
            case "reset":
                await asyncio.sleep(strike.delay)
                return wire.reset(request)
            case "timeout":
                return await wire.hold(request, strike.delay)
            case "slow":
                await asyncio.sleep(strike.delay)
        return None

    async def _reach(
        self,
        request: web.BaseRequest,
        found: Route,
        kind: str,
        location: str | None,
        number: int,
        behind: list[Strike],
    ) -> web.StreamResponse:
        """The module's part: its own strike, its answer, and what the strikes in front of it make of that."""
        module = found.endpoint.module
        strike = self.faults.draw(module, location)
        answer: Answer | None = None
        if strike is not None:
            broken = await self._broken(request, strike)
            if broken is not None:
                return broken
            answer = wire.error_of(strike)
            behind.append(strike)
        if answer is None:
            visit = Visit(
                account=self.account,
                host=request.host,
                method=request.method,
                path=request.path,
                module=module,
                faults=self.faults,
                carts=self._carts,
                query=request.query,
                headers=request.headers,
                cookies=request.cookies,
                body=await request.read(),
                params=found.params,
                location=location,
                number=number,
            )
            for one in behind:
                if one.fault in _STOPS_TIME and one.frozen_at is not None:
                    visit.moment = min(visit.moment, one.frozen_at)
                    visit.number = int(visit.moment.timestamp())
            answer = await _asked(visit, found)
        self._mark(answer, module, kind, number)
        for one in behind:
            answer = wire.aged(one, wire.spoiled(one, answer))
        if any(one.fault == "truncate" for one in behind):
            return await wire.send_part(request, answer)
        return wire.whole(answer)

    def _mark(self, answer: Answer, module: str, kind: str, number: int) -> None:
        """Adds the headers that router and caches leave on every answer that passed them."""
        headers = answer.headers
        headers["X-Request-Id"] = f"{number:032x}"
        if KINDS[kind].routed:
            headers["X-VTEX-Janus-Router-Backend-App"] = self.faults.version(module)
            headers["X-Track"] = "stable"
        if answer.cached and answer.status < 300:
            headers["X-VTEX-Cache-Status-Janus-Edge"] = "MISS"
            headers["X-VTEX-Cache-Status-Janus-ApiCache"] = "MISS"
            headers["X-vtex-processed-at"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _asked(visit: Visit, found: Route) -> Answer:
    """The module's answer, once what carries it works and the key, where one is needed, may read."""
    endpoint = found.endpoint
    carried = await pass_through(visit, endpoint.through)
    if carried is not None:
        return carried
    try:
        if endpoint.keyed:
            await _allow(visit)
        return await endpoint.reply(visit)
    except Refused as refused:
        return refused.answer


async def _allow(visit: Visit) -> None:
    """Lets a request with an application key pass. Refuses one without, and all of them without License Manager."""
    key, token = visit.headers.get("X-VTEX-API-AppKey"), visit.headers.get("X-VTEX-API-AppToken")
    if not key or not token:
        raise Refused(error(401, "401", "an application key and its token are needed", visit))
    if token == _WRONG_TOKEN:
        raise Refused(error(403, "403", "this key may not read that", visit))
    if visit.module != "license-manager" and await call(visit, "license-manager") is not None:
        raise Refused(error(503, "CHK0027", "License Manager could not be asked what this key may read", visit))


def _no_route(allowed: tuple[str, ...]) -> Answer:
    """The router's own answer to what no application takes."""
    if not allowed:
        return data({"error": {"code": "404", "message": "no route for this path", "exception": None}}, 404)
    body = {"error": {"code": "405", "message": f"this path answers {', '.join(allowed)}", "exception": None}}
    return data(body, 405, headers={"Allow": ", ".join(allowed)})


def location_of(request: web.BaseRequest) -> str | None:
    """Where a request says it comes from: `X-Monitor-Location`, else the last word of its `User-Agent`."""
    named = request.headers.get("X-Monitor-Location")
    if named:
        return named
    words = request.headers.get("User-Agent", "").split()
    return words[-1].strip("()") if words else None
