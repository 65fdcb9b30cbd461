"""Multi-target: `GET /probe?target=&module=`, by which a Prometheus asks for one target at a time, as it asks the
blackbox exporter."""

import gzip
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import isnan

from aiohttp import web

from monitor.web.access import admit
from monitor.web.negotiation import takes_gzip, wants_openmetrics

log = logging.getLogger(__name__)

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"
LIMIT = "X-Prometheus-Scrape-Timeout-Seconds"
TRUE = "true"


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `limit` is the time limit of the scrape in seconds, None when it names none."""

    target: str
    module: str | None = None
    hostname: str | None = None
    location: str | None = None
    debug: bool = False
    limit: float | None = None
    openmetrics: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """The answer: a page of metrics with status 200, else why there is none."""

    status: int
    text: str
    openmetrics: bool = False


Answers = Callable[[Asked], Awaitable[Told]]


async def unasked(asked: Asked) -> Told:
    """The answer where nothing is probed."""
    return Told(400, "nothing is probed here")


async def multitarget(request: web.Request, answers: Answers) -> web.Response:
    """What is known of one target. Its steps and settings are for those only who may read the rest of this side."""
    asked = asked_of(request)
    if asked.debug:
        await admit(request)
    try:
        told = await answers(asked)
    except Exception:
        log.exception("/probe could not be answered")
        raise web.HTTPInternalServerError(text="The probe could not be answered; the log says why.\n") from None
    if told.status != 200:
        return web.Response(status=told.status, text=f"{told.text}\n")
    kind = PLAIN if asked.debug else OPENMETRICS if told.openmetrics else TEXT
    headers = {"Content-Type": kind, "Vary": "Accept, Accept-Encoding", "Cache-Control": "no-store"}
    body = told.text.encode("utf-8", "replace")
    if takes_gzip(request):
        body, headers["Content-Encoding"] = gzip.compress(body, 1, mtime=0), "gzip"
    return web.Response(body=body, headers=headers)


def asked_of(request: web.Request) -> Asked:
    """What a request asks for. Raises 400 where no target is named and, as the exporter does, 500 for a time limit that
    is no number.
    """
    query = request.query
    target = query.get("target", "")
    if not target:
        raise web.HTTPBadRequest(text="target: the id of a module, or what one of its probes asks\n")
    limit = request.headers.get(LIMIT)
    try:
        seconds = None if limit is None else float(limit)
    except ValueError:
        seconds = float("nan")
    if seconds is not None and isnan(seconds):
        raise web.HTTPInternalServerError(text=f"{LIMIT} is no number\n")
    debug = query.get("debug") == TRUE
    openmetrics = not debug and wants_openmetrics(request)
    module, hostname, location = (query.get(name) or None for name in ("module", "hostname", "location"))
    return Asked(target, module, hostname, location, debug, seconds, openmetrics)
