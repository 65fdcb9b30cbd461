"""Control API: faults and settings switched over plain HTTP on loopback."""

import json
from typing import Any, Protocol

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.simulator.faults import FAULTS, OPTIONS, Strike, WrongFault, nearest
from monitor.simulator.platform import Platform
from monitor.simulator.settings import Settings

FIELDS = ("fault", *OPTIONS)


class Switches(Protocol):
    """What can be switched: `Simulator` says what each of these does."""

    platform: Platform

    def strike(self, module: str, fault: str, **options: Any) -> Strike: ...

    def clear(self, module: str | None = None, tail: float | None = None) -> bool: ...

    def set(self, /, **settings: Any) -> Settings: ...

    def state(self) -> dict[str, Any]: ...


def control_app(simulator: Switches) -> web.Application:
    """The application behind `/state`, `/faults` and `/settings`."""

    async def state(request: web.Request) -> web.Response:
        return web.json_response(simulator.state())

    async def strike(request: web.Request) -> web.Response:
        try:
            wanted = await _object(request, '{"fault": "http_503"}')
            for name in wanted:
                if name not in FIELDS:
                    return _wrong(400, f"no field {name!r}" + nearest(name, FIELDS))
            if "fault" not in wanted:
                return _wrong(400, f"fault is missing; one of {', '.join(FAULTS)}")
            done = simulator.strike(request.match_info["module"], wanted.pop("fault"), **wanted)
        except WrongFault as wrong:
            return _wrong(400, str(wrong))
        return web.json_response(done.shown())

    async def clear(request: web.Request) -> web.Response:
        module = request.match_info.get("module")
        try:
            if module is not None:
                simulator.platform.faults.key(module)
        except WrongFault as wrong:
            return _wrong(404, str(wrong))
        try:
            return web.json_response({"cleared": simulator.clear(module, _tail(request))})
        except WrongFault as wrong:
            return _wrong(400, str(wrong))

    async def settings(request: web.Request) -> web.Response:
        try:
            return web.json_response(simulator.set(**await _object(request, '{"cache": 1800}')).shown())
        except WrongFault as wrong:
            return _wrong(400, str(wrong))

    app = web.Application(middlewares=[_errors_as_json])
    app.add_routes(
        [
            web.get("/state", state),
            web.put("/faults/{module}", strike),
            web.delete("/faults/{module}", clear),
            web.delete("/faults", clear),
            web.put("/settings", settings),
        ]
    )
    return app


async def _object(request: web.Request, such_as: str) -> dict[str, Any]:
    """The body as a JSON object. Raises WrongFault."""
    try:
        wanted: Any = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise WrongFault(f"the body must be JSON such as {such_as}") from None
    if not isinstance(wanted, dict):
        raise WrongFault(f"the body must be a JSON object such as {such_as}")
    return wanted


def _tail(request: web.Request) -> float | None:
    """The seconds over which a fault fades, if the query says so. Raises WrongFault."""
    for name in request.query:
        if name != "tail":
            raise WrongFault(f"no parameter {name!r}" + nearest(name, ["tail"]))
    text = request.query.get("tail")
    try:
        return None if text is None else float(text)
    except ValueError:
        raise WrongFault(f"tail must be a number of seconds, not {text!r}") from None


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Even what no route takes is answered in JSON, with the routes there are."""
    try:
        return await handler(request)
    except web.HTTPException as problem:
        routes = "GET /state, PUT /faults/MODULE, DELETE /faults/MODULE, DELETE /faults, PUT /settings"
        return _wrong(problem.status, f"{request.method} {request.path} is not one of {routes}")


def _wrong(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
