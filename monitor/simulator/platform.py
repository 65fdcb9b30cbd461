"""Platform: one request through host, gateway and module, as a real one would pass them.

In the way of a request lie the host, the edge cache, the gateway, its limits, the API cache and the module, in this
order. A strike on the host or the gateway answers without the header of an application; a module's own strike has it,
since the request did reach it.
"""

import asyncio

from aiohttp import web

from monitor.simulator import wire
from monitor.simulator.cache import API, EDGE, Cache
from monitor.simulator.faults import Faults, Strike
from monitor.simulator.hosts import HOSTS, KINDS, kind_of
from monitor.simulator.keys import allow
from monitor.simulator.ledger import Ledger
from monitor.simulator.limits import Limits
from monitor.simulator.links import pass_through
from monitor.simulator.modules import GATEWAY
from monitor.simulator.routes import Route, home_of, route
from monitor.simulator.visit import Answer, Refused, Visit, data

_STOPS_TIME = ("stale", "stall")


class Platform:
    """Answers for every host of one account."""

    def __init__(self, account: str) -> None:
        self.account = account
        self.faults = Faults(account)
        self.ledger = Ledger(self.faults)
        self.requests = 0
        self._cache = Cache(lambda: self.ledger.settings.cache)
        self._limits = Limits(lambda: self.ledger.settings.limits)

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
        found = route(kind, request.method, request.path)
        self.ledger.asked[found.endpoint.name if isinstance(found, Route) else "no route"] += 1
        behind: list[Strike] = []
        host = f"shared:{KINDS[kind].named(self.account)}"
        broken = await self._in_front(request, host, location, behind)
        if broken is None:
            broken = self._from_cache(request, EDGE, behind)
        if broken is None and KINDS[kind].routed:
            broken = await self._in_front(request, GATEWAY, location, behind)
        if broken is not None:
            return broken
        if not isinstance(found, Route):
            return wire.whole(_no_route(found))
        refused = self._limits.refuse(found.endpoint.module, found.endpoint.name)
        if refused is not None:
            return wire.whole(refused)
        cached = self._from_cache(request, API, behind)
        return cached or await self._reach(request, found, kind, location, number, behind)

    def _from_cache(self, request: web.BaseRequest, layer: str, behind: list[Strike]) -> web.StreamResponse | None:
        """What a cache answers in the module's place; None when it has to be asked, or a strike in front spoils it."""
        if request.method != "GET" or behind:
            return None
        copy = self._cache.answer(layer, _cache_key(request), request.headers)
        return wire.whole(copy) if copy is not None else None

    async def _in_front(
        self, request: web.BaseRequest, key: str, location: str | None, behind: list[Strike]
    ) -> web.StreamResponse | None:
        """What a strike on the host or the gateway answers; None when the request goes on, its effect noted."""
        strike = self.faults.draw(key, location)
        if strike is None:
            return None
        broken = await self._struck_edge(request, strike, gateway=key == GATEWAY)
        if broken is None:
            behind.append(strike)
        return broken

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
            answer = await _asked(await self._visit(request, found, location, number, behind), found)
        self._mark(answer, module, kind, number)
        if request.method == "GET" and not behind:
            self._cache.keep(_cache_key(request), answer)
        for one in behind:
            answer = wire.aged(one, wire.spoiled(one, answer))
        if any(one.fault == "truncate" for one in behind):
            return await wire.send_part(request, answer)
        return wire.whole(answer)

    async def _visit(
        self, request: web.BaseRequest, found: Route, location: str | None, number: int, behind: list[Strike]
    ) -> Visit:
        """The request as its module sees it; for one whose data stands still, no time passes."""
        visit = Visit(
            account=self.account,
            host=request.host,
            method=request.method,
            path=request.path,
            module=found.endpoint.module,
            faults=self.faults,
            ledger=self.ledger,
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
        return visit

    def _mark(self, answer: Answer, module: str, kind: str, number: int) -> None:
        """Adds the headers that the router leaves on every answer that passed it."""
        headers = answer.headers
        headers["X-Request-Id"] = f"{number:032x}"
        if KINDS[kind].routed:
            headers["X-VTEX-Janus-Router-Backend-App"] = self.faults.version(module)
            headers["X-Track"] = "stable"
            headers["X-VTEX-Operation-Id"] = f"{number:08x}-0000-4000-8000-{number:012x}"
        if kind == "io":
            headers["X-Router-Cache"] = "MISS"


async def _asked(visit: Visit, found: Route) -> Answer:
    """The module's answer, once what carries it works and the key, where one is needed, may read."""
    endpoint = found.endpoint
    carried = await pass_through(visit, endpoint.through)
    if carried is not None:
        return carried
    try:
        if endpoint.keyed:
            await allow(visit)
        return await endpoint.reply(visit)
    except Refused as refused:
        return refused.answer


def _no_route(allowed: tuple[str, ...]) -> Answer:
    """The router's own answer to what no application takes."""
    if not allowed:
        return data({"error": {"code": "404", "message": "no route for this path", "exception": None}}, 404)
    body = {"error": {"code": "405", "message": f"this path answers {', '.join(allowed)}", "exception": None}}
    return data(body, 405, headers={"Allow": ", ".join(allowed)})


def _cache_key(request: web.BaseRequest) -> tuple[str, str]:
    return request.host.partition(":")[0].lower(), request.path_qs


def location_of(request: web.BaseRequest) -> str | None:
    """Where a request says it comes from: `X-Monitor-Location`, else the last word of its `User-Agent`."""
    named = request.headers.get("X-Monitor-Location")
    if named:
        return named
    words = request.headers.get("User-Agent", "").split()
    return words[-1].strip("()") if words else None
