"""Incidents: what people read of them and say about them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from monitor.core.effect import Refusal, Spoken
from monitor.core.incident import Incident
from monitor.core.observation import stamp
from monitor.core.outcome import Course, events_object, notices_object
from monitor.core.search import KINDS, Search
from monitor.core.service import Clock, clocks, owed
from monitor.core.statement import incident_object, incidents_of
from monitor.web.conditional import expected, is_expected, tag_of
from monitor.web.counter import (
    API,
    Check,
    Counter,
    checked,
    json_answer,
    json_of,
    refusal,
    refusal_of,
    request_key,
    said,
    sent,
)
from monitor.web.full import full_incidents
from monitor.web.paging import cursor_of, instant, limit_of, linked, micros, moment_of, next_of
from monitor.web.paging import word_of as picked
from monitor.web.spoken import KEYS, author, word_of

CREATED = ("open", "update")  # acts that are answered with 201 where they are news

ACTS = ("acknowledge", "resolve", "postmortem", "publish", "lower", "reply")  # each has an address of its own

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
        *(web.post(f"{one}/{act}", incidents.say(act)) for act in ACTS),
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


class _Incidents:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """A page of incidents with the detail of their evidence, the newest first."""
        query, after = request.query, cursor_of(request.query, int, str)
        status = query.get("status")
        if status not in (None, *KINDS):
            raise refusal(400, f"`status` is one of {', '.join(KINDS)}")
        search = Search(
            status=status,
            module=picked(query, "module"),
            since=moment_of(query, "since"),
            until=moment_of(query, "until"),
            after=None if after is None else (instant(after[0]), after[1]),
            limit=limit_of(request.query),
        )
        found = await self.counter.incidents(search)
        if isinstance(found, Refusal):
            raise refusal_of(found)
        page, last = found
        more = next_of(request, None if last is None else (micros(last[0]), last[1]))
        courses = await self._courses([one.id for one in page])
        platform, speech = self.counter.board().platform, self.counter.speech()
        return linked(await json_answer(full_incidents, page, platform, speech, more, courses), more)

    async def _courses(self, ids: Sequence[str]) -> Mapping[str, Course] | None:
        """What was said of them; None while that cannot be read."""
        return None if self.counter.courses is None else await self.counter.courses(ids)

    async def _course(self, id: str) -> Course | None:
        courses = await self._courses([id])
        return None if courses is None else courses.get(id, Course())

    async def shown(self, request: web.Request) -> web.Response:
        """One incident, however old."""
        return await self._object(request, meant_id(self.counter, request.match_info["id"]))

    async def _object(self, request: web.Request, id: str, status: int = 200) -> web.Response:
        incident = await self.counter.find(id)
        if isinstance(incident, Refusal):
            raise refusal_of(incident)
        board, speech = self.counter.board(), self.counter.speech()
        response = await json_answer(_whole, incident, board.platform, speech, await self._course(id), status=status)
        if request.method not in ("GET", "HEAD"):  # what is answered, and its tag, are those of the incident
            response.headers["Content-Location"] = f"{API}/incidents/{id}"
        return response

    def say(self, act: str) -> Handler:
        """The handler of an act: it answers with the incident as it is once the word is on disk."""

        async def handler(request: web.Request) -> web.StreamResponse:
            body = await sent(request, KEYS[act])
            id = meant_id(self.counter, request.match_info["id"]) if "id" in request.match_info else ""
            language = next(iter(self.counter.board().platform.languages), "en")
            try:
                word, by = word_of(act, id, body, language, _number(request)), author(body)
            except ValueError as error:
                raise refusal(400, str(error)) from None
            told = said(request, self.counter, Spoken(word), body, by, request_key(request))
            answer = checked(await self.counter.hear(told, await self._unchanged(request, act, id)))
            created = act in CREATED and answer.changed
            return await self._object(request, answer.id, 201 if created else 200)

        return handler

    async def _unchanged(self, request: web.Request, act: str, id: str) -> Check | None:
        """What refuses a change that is meant for another state than the incident is in, when it is taken."""
        wanted = expected(request)
        if not wanted or act == "open":
            return None
        course = await self._course(id)

        def check(incident: Incident | None) -> Refusal | None:
            if incident is None:
                return None
            whole = _whole(incident, self.counter.board().platform, self.counter.speech(), course)
            current = is_expected(wanted, tag_of(json_of(whole)))
            return None if current else Refusal("outdated", "it is not as it was any more: read it again")

        return check


def _number(request: web.Request) -> int:
    """The number of an update in the path; 0 where there is none."""
    given = request.match_info.get("number", "0")
    if not (given.isascii() and given.isdigit() and len(given) < 7):
        raise refusal(404, "updates are counted from 1")
    return int(given)


def _clock(one: Clock) -> dict[str, Any]:
    """What a plan promises, without what changes with time alone: the tag of an incident is one of facts."""
    return {
        "plan": one.plan,
        "promise": one.kind,
        "priority": one.priority.value,
        "limit_seconds": round(one.limit.total_seconds()),
        "since": stamp(one.since),
        "half_at": stamp(one.at(0.5)),
        "warning_at": stamp(one.at(0.8)),
        "due_at": stamp(one.at(1)),
        "stopped_at": stamp(one.stopped_at),
        "kept": one.kept,
    }


def _whole(incident: Incident, platform: Any, speech: Any, course: Course | None) -> dict[str, Any]:
    found = incident_object(incident, platform, speech, public=False)
    found["clocks"] = [_clock(one) for one in clocks(owed(incident, platform), incident)]
    if course is None:
        return {**found, "events": None}
    return {**found, "notices": notices_object(course), "events": events_object(course)}
