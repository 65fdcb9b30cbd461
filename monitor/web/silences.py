"""Silences: what people read of them, add and lift."""

from typing import Any

from aiohttp import web

from monitor.core.effect import Lifted, Silenced
from monitor.core.silence import STATUSES, Silence, silence_object
from monitor.core.silencing import silences_of
from monitor.web.counter import API, Counter, checked, json_answer, refusal, request_key, said, sent
from monitor.web.hush import KEYS, silenced_of
from monitor.web.incidents import meant_id
from monitor.web.paging import cursor_of, limit_of, linked, micros, next_of
from monitor.web.spoken import author


def silence_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about silences. ID is an id, or the beginning of one that is alone."""
    silences, one = _Silences(counter), f"{API}/silences/{{id}}"
    return [
        web.get(f"{API}/silences", silences.listed),
        web.post(f"{API}/silences", silences.add),
        web.get(one, silences.shown),
        web.delete(one, silences.lift),
    ]


def known_silences(counter: Counter) -> list[Silence]:
    """All that are remembered, the newest first."""
    return silences_of(counter.board(), counter.history())


def lifting(counter: Counter, given: str) -> Lifted:
    """The event that lifts a silence, also one that the board no longer holds. Raises the answer where several begin
    so."""
    known = {one.id: one for one in known_silences(counter)}
    id = _meant(list(known), given)
    return Lifted(id, known=known.get(id))


async def wanted(counter: Counter, body: dict[str, Any], request: str | None) -> Silenced:
    """The event that an object stands for; its incident may be the beginning of an id. Raises ValueError, or the
    answer where several begin so."""
    if counter.planner is None:
        raise refusal(503, "nothing can be planned here")
    if isinstance(body.get("incident"), str) and body["incident"].strip():
        body = {**body, "incident": meant_id(counter, body["incident"].strip())}
    return silenced_of(body, request, await counter.planner(), counter.clock.now())


class _Silences:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """All silences, the newest first, or those of one status."""
        query, after, limit = request.query, cursor_of(request.query, int, int, str), limit_of(request.query)
        status = query.get("status")
        if status not in (None, *STATUSES):
            raise refusal(400, f"`status` is one of {', '.join(STATUSES)}")
        now = self.counter.clock.now()
        found = [
            one
            for one in known_silences(self.counter)
            if status in (None, one.state(now)) and (after is None or _place(one) < after)
        ]
        more = next_of(request, _place(found[limit - 1]) if len(found) > limit else None)
        page = found[:limit]
        told = await json_answer(lambda: {"silences": [silence_object(one, now) for one in page], "next": more})
        return linked(told, more)

    async def shown(self, request: web.Request) -> web.Response:
        """One silence."""
        return await self._object(_meant([one.id for one in known_silences(self.counter)], request.match_info["id"]))

    async def add(self, request: web.Request) -> web.Response:
        """Silences what is named: 201, or 200 where this is silenced already."""
        body = await sent(request, KEYS)
        try:
            event = await wanted(self.counter, body, request_key(request))
        except ValueError as error:
            raise refusal(400, str(error)) from None
        told = said(request, self.counter, event, body, event.by, request_key(request))
        answer = checked(await self.counter.hear(told))
        return await self._object(answer.id, 201 if answer.changed else 200)

    async def lift(self, request: web.Request) -> web.Response:
        """Ends it now; what is over stays as it was."""
        body = await sent(request, ("author",)) if request.can_read_body else {}
        try:
            by = author(body)
        except ValueError as error:
            raise refusal(400, str(error)) from None
        event = lifting(self.counter, request.match_info["id"])
        told = said(request, self.counter, event, body, by, request_key(request))
        answer = checked(await self.counter.hear(told))
        return await self._object(answer.id)

    async def _object(self, id: str, status: int = 200) -> web.Response:
        one = next((one for one in known_silences(self.counter) if one.id == id), None)
        if one is None:
            raise refusal(404, f"there is no silence {id[:40]}")
        return await json_answer(silence_object, one, self.counter.clock.now(), status=status)


def _place(one: Silence) -> tuple[int, int, str]:
    """Where it stands among all."""
    return micros(one.begins), micros(one.created_at), one.id


def _meant(known: list[str], given: str) -> str:
    """The id that is meant; raises the answer where several begin so."""
    meant = [id for id in known if id.startswith(given)]
    if given in known or not meant:
        return given
    if len(meant) > 1:
        raise refusal(409, f"{given[:40]} begins {len(meant)} silences: {', '.join(meant[:5])}")
    return meant[0]
