"""Control API: faults switched on and off over plain HTTP on loopback."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.simulator.faults import FAULTS, OPTIONS, WrongFault, nearest
from monitor.simulator.listener import LOOPBACK, bound

if TYPE_CHECKING:
    from monitor.simulator.server import Simulator


FIELDS = ("fault", *OPTIONS)
MOST_LATE = 86400  # seconds the status page may be late


def control_app(simulator: "Simulator") -> web.Application:
    """The application behind `/state`, `/faults` and `/status-page`."""

    async def state(request: web.Request) -> web.Response:
        return web.json_response(simulator.state())

    async def strike(request: web.Request) -> web.Response:
        try:
            wanted: Any = json.loads(await request.read())
        except (ValueError, RecursionError):
            return _wrong(400, 'the body must be JSON such as {"fault": "http_503"}')
        if not isinstance(wanted, dict):
            return _wrong(400, 'the body must be a JSON object such as {"fault": "http_503"}')
        for name in wanted:
            if name not in FIELDS:
                return _wrong(400, f"no field {name!r}" + nearest(name, FIELDS))
        if "fault" not in wanted:
            return _wrong(400, f"fault is missing; one of {', '.join(FAULTS)}")
        fault = wanted.pop("fault")
        try:
            done = simulator.strike(request.match_info["module"], fault, **wanted)
        except WrongFault as wrong:
            return _wrong(400, str(wrong))
        return web.json_response(done.shown())

    async def clear(request: web.Request) -> web.Response:
        try:
            return web.json_response({"cleared": simulator.clear(request.match_info["module"])})
        except WrongFault as wrong:
            return _wrong(404, str(wrong))

    async def clear_all(request: web.Request) -> web.Response:
        return web.json_response({"cleared": simulator.clear()})

    async def tell_page(request: web.Request) -> web.Response:
        try:
            wanted: Any = json.loads(await request.read())
        except (ValueError, RecursionError):
            wanted = None
        delay = wanted.get("delay") if isinstance(wanted, dict) and len(wanted) == 1 else None
        if isinstance(delay, bool) or not isinstance(delay, int | float) or not 0 <= delay <= MOST_LATE:
            return _wrong(400, f'the body must be {{"delay": SECONDS}}, from 0 to {MOST_LATE}')
        simulator.platform.faults.told_after = float(delay)
        return web.json_response(simulator.state()["status_page"])

    app = web.Application(middlewares=[_errors_as_json])
    app.add_routes(
        [
            web.get("/state", state),
            web.put("/faults/{module}", strike),
            web.delete("/faults/{module}", clear),
            web.delete("/faults", clear_all),
            web.put("/status-page", tell_page),
        ]
    )
    return app


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Even what no route takes is answered in JSON, with the routes there are."""
    try:
        return await handler(request)
    except web.HTTPException as problem:
        routes = "GET /state, PUT /faults/MODULE, DELETE /faults/MODULE, DELETE /faults, PUT /status-page"
        return _wrong(problem.status, f"{request.method} {request.path} is not one of {routes}")


def _wrong(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


@asynccontextmanager
async def serve(app: web.Application, port: int) -> AsyncIterator[str]:
    """An application on a loopback port while the block lasts; gives its URL. Raises PortTaken."""
    plug = bound(port)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    try:
        await runner.setup()
        await web.SockSite(runner, plug).start()
        yield f"http://{LOOPBACK}:{plug.getsockname()[1]}"
    finally:
        await runner.cleanup()
        plug.close()
