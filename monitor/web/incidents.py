"""Incidents: what people read of them and say about them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from monitor.core.effect import Refusal, Spoken
from monitor.core.incident import Incident
from monitor.core.outcome import Course, events_object, notices_object
from monitor.core.statement import incident_object, incidents_of
from monitor.web.access import name_for
from monitor.web.counter import API, Counter, checked, json_answer, refusal, refusal_of, request_key, sent
from monitor.web.full import full_incidents
from monitor.web.spoken import KEYS, author, word_of

KINDS = ("open", "resolved", "draft")  # of `?status=`
CREATED = ("open", "update")  # acts that are answered with 201 where they are news

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def incident_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about incidents. ID is an id, or the beginning of one that only one of those listed has."""
    incidents, one = _Incidents(counter), f"{API}/incidents/{{id}}"
    return [
        web.get(f"{API}/incidents", incidents.listed),
        web.post(f"{API}/incidents", incidents.say("open")),
        web.get(one, incidents.shown),
        web.patch(one, incidents.say("edit")),
        web.post(f"{one}/updates", incidents.say("update")),
        web.patch(f"{one}/updates/{{number}}", incidents.say("correct")),
        *(web.post(f"{one}/{act}", incidents.say(act)) for act in ("acknowledge", "resolve", "postmortem", "publish")),
    ]


def meant_id(counter: Counter, given: str) -> str:
    """The id that is meant; raises the answer where several begin so."""
    known = [one.id for one in incidents_of(counter.board(), counter.history())]
    if given in known:
        return given
    meant = [id for id in known if id.startswith(given)]
    if len(meant) > 1:
        raise refusal(409, f"{given} begins {len(meant)} incidents: {', '.join(meant[:5])}")
    return meant[0] if meant else given


def opened_by(counter: Counter, key: str | None) -> str | None:
    """The id of the incident that this request has opened, also when the board no longer holds it."""
    every = incidents_of(counter.board(), counter.history())
    mine = (one.id for one in every if one.by_hand and one.acts and one.acts[0].request == key)
    return None if key is None else next(mine, None)


class _Incidents:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """Every incident with the detail of its evidence, or those of one status."""
        status = request.query.get("status")
        if status not in (None, *KINDS):
            raise refusal(400, f"`status` is one of {', '.join(KINDS)}")
        counter = self.counter
        ids = [one.id for one in incidents_of(counter.board(), counter.history())]
        courses = await self._courses(ids)
        return await json_answer(full_incidents, counter.board(), counter.history(), counter.speech(), status, courses)

    async def _courses(self, ids: Sequence[str]) -> Mapping[str, Course] | None:
        """What was said of them; None while that cannot be read."""
        return None if self.counter.courses is None else await self.counter.courses(ids)

    async def shown(self, request: web.Request) -> web.Response:
        """One incident, however old."""
        return await self._object(meant_id(self.counter, request.match_info["id"]))

    async def _object(self, id: str, status: int = 200) -> web.Response:
        incident = await self.counter.find(id)
        if isinstance(incident, Refusal):
            raise refusal_of(incident)
        board, speech = self.counter.board(), self.counter.speech()
        courses = await self._courses([id])
        course = None if courses is None else courses.get(id, Course())
        return await json_answer(_whole, incident, board.platform, speech, course, status=status)

    def say(self, act: str) -> Handler:
        """The handler of an act: it answers with the incident as it is once the word is on disk."""

        async def handler(request: web.Request) -> web.StreamResponse:
            body = await sent(request, KEYS[act])
            id = meant_id(self.counter, request.match_info["id"]) if "id" in request.match_info else ""
            if act == "open" and (before := opened_by(self.counter, request_key(request))) is not None:
                return await self._object(before)
            language = next(iter(self.counter.board().platform.languages), "en")
            try:
                word = word_of(act, id, body, language, _number(request))
                by = name_for(request, author(body))
            except ValueError as error:
                raise refusal(400, str(error)) from None
            answer = checked(await self.counter.hear(Spoken(word, by, request_key(request))))
            created = act in CREATED and answer.changed
            return await self._object(answer.id, 201 if created else 200)

        return handler


def _number(request: web.Request) -> int:
    """The number of an update in the path; 0 where there is none."""
    given = request.match_info.get("number", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise refusal(404, "updates are counted from 1")
    return int(given)


def _whole(incident: Incident, platform: Any, speech: Any, course: Course | None) -> dict[str, Any]:
    found = incident_object(incident, platform, speech, public=False)
    if course is None:
        return {**found, "events": None}
    return {**found, "notices": notices_object(course), "events": events_object(course)}
