"""Uptime: the figures of everything that has one, over any stretch of the past."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from monitor.core.availability import Subject, subject_of, subjects
from monitor.core.effect import Refusal
from monitor.core.observation import stamp
from monitor.core.statement import spent_object
from monitor.core.uptime import Spent
from monitor.web.counter import API, Counter, json_answer, refusal, refusal_of
from monitor.web.operation import MOMENT
from monitor.web.paging import moment_of, word_of
from monitor.web.schemas import Schema

USUAL = timedelta(days=30)
WINDOW: dict[str, Schema] = {
    "since": {**MOMENT, "description": "When it begins; of a day when that begins in UTC."},
    "until": {**MOMENT, "description": "When it ends, now at the latest."},
    "of": {
        "type": "string",
        "minLength": 1,
        "maxLength": 200,
        "description": "Only of this: the id of a module, a component or a group, `KIND:ID`, or `platform`.",
    },
}

Reckon = Callable[[Sequence[Subject], datetime, datetime], Awaitable[list[Spent] | Refusal]]


async def unreckoned(wanted: Sequence[Subject], since: datetime, until: datetime) -> list[Spent] | Refusal:
    """What is answered where nothing is kept to reckon with."""
    return Refusal("away", "there is no store here")


def uptime_routes(counter: Counter, spent: Reckon) -> list[web.RouteDef]:
    """The request that reads them."""

    async def told(request: web.Request) -> web.Response:
        """Those of one thing, or of all."""
        now, word = counter.clock.now(), word_of(request.query, "of")
        until = min(moment_of(request.query, "until") or now, now)
        since = moment_of(request.query, "since") or until - USUAL
        if since >= until:
            raise refusal(400, "`since` lies before `until`, and before now")
        platform = counter.board().platform
        one = None if word is None else subject_of(platform, word)
        if word is not None and one is None:
            raise refusal(400, "`of` is the id of a module, a component or a group, `KIND:ID`, or `platform`")
        wanted = subjects(platform) if one is None else [one]
        found = await spent(wanted, since, until)
        if isinstance(found, Refusal):
            raise refusal_of(found)
        return await json_answer(_object, wanted, found, since, until)

    return [web.get(f"{API}/uptime", told)]


def _object(wanted: Sequence[Subject], found: Sequence[Spent], since: datetime, until: datetime) -> dict[str, Any]:
    return {
        "since": stamp(since),
        "until": stamp(until),
        "figures": [
            {"kind": one.kind, "id": one.id or one.kind, **spent_object(spent)}
            for one, spent in zip(wanted, found, strict=True)
        ],
    }
