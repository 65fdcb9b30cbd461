"""Ops: metrics, liveness, reload and full copies of what is known, for those who run the monitor.

Nothing here knows the rooms it serves: `OpsContext` holds what they gave.
"""

import asyncio
import gzip
import inspect
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from monitor.core.alias import aliases_of
from monitor.core.effect import Answered, Deed, Keep, Refusal
from monitor.core.observation import Observation, observation_to_json
from monitor.web.access import is_still_in, keep_out
from monitor.web.conditional import tagged
from monitor.web.counter import (
    API,
    LARGEST,
    Counter,
    checked,
    json_answer,
    module_of,
    recorder,
    refusal,
    request_key,
    said,
    sent,
)
from monitor.web.dashboard import Dashboard, Printer, probed
from monitor.web.events import Wire
from monitor.web.full import full_status
from monitor.web.guesses import Guesses
from monitor.web.headers import guard
from monitor.web.heartbeats import Take, receive
from monitor.web.keys import known_keys
from monitor.web.link import Links
from monitor.web.login import ATTEMPTS, ATTEMPTS_OF_ALL, GUESSES, Door
from monitor.web.logins import Logins
from monitor.web.mine import Mine
from monitor.web.modules import module_routes
from monitor.web.multitarget import OPENMETRICS, TEXT, Answers, multitarget, unasked
from monitor.web.negotiation import takes_gzip, wants_openmetrics
from monitor.web.objectives import objective_routes
from monitor.web.openapi import openapi_route
from monitor.web.outbox import Outgoing, outbox_routes
from monitor.web.postbox import Postbox
from monitor.web.routes import counter_routes
from monitor.web.series import Reader, SeriesRoutes, unread
from monitor.web.silence_forms import SilenceForms
from monitor.web.spoken import author
from monitor.web.subscribe import Door as Subscribing
from monitor.web.subscribe import Subscriptions
from monitor.web.uptime import Reckon, unreckoned, uptime_routes
from monitor.web.work_forms import WorkForms

log = logging.getLogger(__name__)

VIEWS = (None, "", "judged", "locations")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsContext(Counter):
    """What the operators' side is made of.

    `metrics_page(openmetrics, view, modules)` gives a whole page of metrics and is called in a worker thread;
    `ready` says why the monitor is not ready, None when it is; `leader` whether it leads, and who does; `reload`
    what is wrong with the configuration, nothing when it is in force; `follow` gives what is seen from now on;
    `called` takes the call of a heartbeat. `probe` runs a module's probes once more and gives their ids, or why it
    does not; `trouble` is what of our own does not work, and changes when that does; `runs` are the newest judged
    runs by module, probe and place; `health` is how the monitor itself is; `printer` prints the pages of the
    dashboard, and without one there is none; `links` reads acknowledge links; `answers` tells what is known of one
    target; `series` gives what runs looked like over time, `spent` how any stretch of it was spent; `outgoing` is
    whoever carries notices, and `subscriptions` whoever keeps those who asked to be told.
    """

    metrics_page: Callable[[bool, str | None, str | None], bytes]
    ready: Callable[[], str | None]
    leader: Callable[[], tuple[bool, str | None]] = lambda: (True, None)
    reload: Callable[[], Awaitable[list[str]] | list[str]]
    follow: Callable[[], AsyncIterator[Observation]]
    called: Take
    probe: Callable[[str], Sequence[str] | Refusal] = lambda module: Refusal("conflict", "nothing is probed here")
    trouble: Callable[[], object] = lambda: None
    printer: Printer | None = None
    links: Links | None = None
    trusted_proxies: Sequence[str] = ()
    contradictions: Callable[[], list[dict[str, str | None]]] = list
    series: Reader = unread
    spent: Reckon = unreckoned
    answers: Answers = unasked
    runs: Callable[[], Mapping[tuple[str, str, str], Keep]] = dict
    health: Callable[[], Mapping[str, Any]] = dict
    outgoing: Outgoing | None = None
    subscriptions: Subscriptions | None = None


def ops_app(context: OpsContext) -> web.Application:
    """The operators' side."""
    app = web.Application(client_max_size=LARGEST, middlewares=[tagged])
    app.on_response_prepare.append(guard)
    keep_out(app, context.roster, context.trusted_proxies, recorder(context))
    app.middlewares.append(known_keys)
    app[GUESSES] = Guesses(ATTEMPTS, ATTEMPTS_OF_ALL)
    ops = _Ops(context)
    dashboard = None
    if context.printer is not None:
        dashboard = Dashboard(context, context.printer, context.probe, context.series)
        app.middlewares.insert(0, dashboard.refusals)
        app.add_routes([*Door(dashboard, context.trusted_proxies).routes(), *dashboard.routes()])
        if context.links is not None:
            app.add_routes(Mine(dashboard, context.links, context.trusted_proxies).routes())
        if context.subscriptions is not None:
            app.add_routes(Subscribing(dashboard, context.subscriptions, context.trusted_proxies).routes())
        app.add_routes([*SilenceForms(dashboard).routes(), *WorkForms(dashboard).routes()])
        if context.outgoing is not None:
            app.add_routes(Postbox(dashboard, context.outgoing).routes())
    if context.outgoing is not None:
        app.add_routes(outbox_routes(context, context.outgoing))
    app.add_routes(
        [
            web.get("/metrics", ops.metrics),
            web.get("/probe", ops.answered),
            web.get("/-/healthy", ops.healthy),
            web.get("/-/ready", ops.ready),
            web.get("/-/leader", ops.leader),
            web.post("/-/reload", ops.reload),
            web.post("/heartbeat/{module}/{probe}", ops.heartbeat),
            *counter_routes(context),
            *Logins(context, dashboard).routes(),
            *objective_routes(context),
            *SeriesRoutes(context, context.series).routes(),
            *uptime_routes(context, context.spent),
            openapi_route(context),
            web.get("/events", Wire(context, context.trouble).events, allow_head=False),
            *module_routes(context, context.runs),
            web.post(f"{API}/modules/{{id}}/probe", ops.probe),
            web.get("/api/ops/v1/status", ops.status),
            web.get("/api/ops/v1/observations", ops.observations, allow_head=False),
        ]
    )
    return app


class _Ops:
    """The handlers."""

    def __init__(self, context: OpsContext) -> None:
        self.context = context
        self._scraping = asyncio.Lock()  # a crowd of scrapes takes one thread, not all that there are

    async def metrics(self, request: web.Request) -> web.Response:
        """The whole page or, when it cannot be made, none: half a page looks like series that have vanished."""
        view, modules = request.query.get("view"), self._wanted(request.query.get("module"))
        if view not in VIEWS:
            raise web.HTTPBadRequest(text="view: `judged`, which is the default, or `locations`\n")
        openmetrics = wants_openmetrics(request)
        packed = takes_gzip(request)
        try:
            async with self._scraping:
                body = await asyncio.to_thread(self._page, openmetrics, view or None, modules, packed)
        except Exception:
            log.exception("the page of metrics could not be made")
            raise web.HTTPInternalServerError(text="The metrics could not be collected; the log says why.\n") from None
        headers = {"Content-Type": OPENMETRICS if openmetrics else TEXT, "Vary": "Accept, Accept-Encoding"}
        if packed:
            headers["Content-Encoding"] = "gzip"
        return web.Response(body=body, headers=headers)

    def _wanted(self, modules: str | None) -> str | None:
        """The pattern of modules that is asked for; one without a wildcard names a module, also by a former id."""
        if not modules or any(letter in modules for letter in "*?["):
            return modules or None
        platform = self.context.board().platform
        id = aliases_of(platform).get(modules, modules)
        if id not in platform.modules:
            raise web.HTTPBadRequest(text=f"module: there is no module `{modules[:40]}`, nor is it a pattern\n")
        return id

    async def answered(self, request: web.Request) -> web.Response:
        """One target, as a Prometheus asks the blackbox exporter for it."""
        return await multitarget(request, self.context.answers)

    def _page(self, openmetrics: bool, view: str | None, modules: str | None, packed: bool) -> bytes:
        page = self.context.metrics_page(openmetrics, view, modules)
        return gzip.compress(page, 1, mtime=0) if packed else page

    async def healthy(self, request: web.Request) -> web.Response:
        """The process answers, nothing more."""
        return web.Response(text="Healthy\n")

    async def ready(self, request: web.Request) -> web.Response:
        """Whether the page is out and facts are stored; of one who stands by, whether it could take over now."""
        reason, (leads, _) = self.context.ready(), self.context.leader()
        if reason is not None:
            return web.Response(status=503, text=f"{reason}\n")
        return web.Response(text="Ready\n" if leads else "Ready, and standing by\n")

    async def leader(self, request: web.Request) -> web.Response:
        """Whether changes are taken here. Who leads is told to those who may read this side."""
        leads, _ = self.context.leader()
        return web.Response(text="Leads\n") if leads else web.Response(status=503, text="Stands by\n")

    async def reload(self, request: web.Request) -> web.Response:
        """Puts the configuration file in force, or says line by line why not."""
        told = said(request, self.context, Deed("configuration.reload"), {}, key=request_key(request))
        answer = await self.context.perform(told, self._reloaded)
        if answer.refusal is not None and answer.refusal.kind == "wrong":
            return web.Response(status=400, text=f"{answer.refusal.reason}\n")
        checked(answer)
        return web.Response(text="The configuration is in force.\n")

    async def _reloaded(self) -> Answered:
        answer = self.context.reload()
        problems = await answer if inspect.isawaitable(answer) else answer
        return Answered(refusal=Refusal("wrong", "\n".join(problems))) if problems else Answered()

    async def heartbeat(self, request: web.Request) -> web.Response:
        """A module calls."""
        return await receive(request, self.context.board().platform, self.context.called)

    async def status(self, request: web.Request) -> web.Response:
        """Every module with every probe at every place, and why each last run was judged as it was."""
        context = self.context
        now = context.clock.now()
        health, found = context.health(), context.contradictions()
        return await json_answer(full_status, context.board(), context.history(), context.speech(), now, health, found)

    async def probe(self, request: web.Request) -> web.Response:
        """Runs the probes of a module once more, now: 202 with their ids."""
        body = await sent(request, ("author",))
        id = module_of(self.context, request)
        try:
            told = said(request, self.context, Deed("probe.run", id), body, author(body), request_key(request))
        except ValueError as error:
            raise refusal(400, str(error)) from None

        async def probing() -> Answered:
            return probed(id, self.context.probe(id))

        answer = checked(await self.context.perform(told, probing))
        return await json_answer(dict, {"module": id, "asked": answer.detail["asked"]}, status=202)

    async def observations(self, request: web.Request) -> web.StreamResponse:
        """What is seen from now on, one observation a line, for as long as somebody listens."""
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson; charset=utf-8"})
        await response.prepare(request)
        seen = self.context.follow()
        try:
            async for observation in seen:
                if not is_still_in(request):
                    break
                line = json.dumps(observation_to_json(observation), ensure_ascii=False, separators=(",", ":"))
                await response.write(line.encode("utf-8", "replace") + b"\n")
        except ConnectionError:
            pass  # nobody listens any more
        return response
