"""Incidents: what people read of them and say about them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from monitor.core.effect import Refusal, Spoken
from monitor.core.incident import Incident, Stage
from monitor.core.observation import moment
from monitor.core.statement import incident_object, incidents_of
from monitor.core.word import Acknowledge, Correct, Edit, Open, Publish, Word, Write
from monitor.web.access import require
from monitor.web.counter import API, Counter, checked, json_answer, refusal, refusal_of, request_key, sent
from monitor.web.full import full_incidents

KINDS = ("open", "resolved", "draft")  # of `?status=`
LONGEST_NAME = 100  # characters of an author


def incident_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about incidents. ID is an id, or the beginning of one that only one of those listed has."""
    incidents, one = _Incidents(counter), f"{API}/incidents/{{id}}"
    return [
        web.get(f"{API}/incidents", incidents.listed),
        web.post(f"{API}/incidents", incidents.open),
        web.get(one, incidents.shown),
        web.patch(one, incidents.edit),
        web.post(f"{one}/updates", incidents.update),
        web.patch(f"{one}/updates/{{number}}", incidents.correct),
        web.post(f"{one}/acknowledge", incidents.acknowledge),
        web.post(f"{one}/resolve", incidents.resolve),
        web.post(f"{one}/postmortem", incidents.postmortem),
        web.post(f"{one}/publish", incidents.publish),
    ]


class _Incidents:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    # -- read ---------------------------------------------------------------------------------------------------------

    async def listed(self, request: web.Request) -> web.Response:
        """Every incident with the detail of its evidence, or those of one status."""
        require(request, self.counter.token)
        status = request.query.get("status")
        if status not in (None, *KINDS):
            raise refusal(400, f"`status` is one of {', '.join(KINDS)}")
        counter = self.counter
        return await json_answer(full_incidents, counter.board(), counter.history(), counter.speech(), status)

    async def shown(self, request: web.Request) -> web.Response:
        """One incident, however old."""
        require(request, self.counter.token)
        return await self._object(self._id(request))

    async def _object(self, id: str, status: int = 200) -> web.Response:
        incident = await self.counter.find(id)
        if isinstance(incident, Refusal):
            raise refusal_of(incident)
        board, speech = self.counter.board(), self.counter.speech()
        return await json_answer(_whole, incident, board.platform, speech, status=status)

    def _id(self, request: web.Request) -> str:
        """The id that is meant."""
        given = request.match_info["id"]
        known = [one.id for one in incidents_of(self.counter.board(), self.counter.history())]
        if given in known:
            return given
        meant = [id for id in known if id.startswith(given)]
        if len(meant) > 1:
            raise refusal(409, f"{given} begins {len(meant)} incidents: {', '.join(meant[:5])}")
        return meant[0] if meant else given

    # -- write --------------------------------------------------------------------------------------------------------

    async def _say(self, request: web.Request, word: Word, body: Mapping[str, Any], status: int = 200) -> web.Response:
        """The incident as it is once the word is on disk."""
        answer = checked(await self.counter.hear(Spoken(word, _author(body), request_key(request))))
        return await self._object(answer.id, status if answer.changed else 200)

    async def open(self, request: web.Request) -> web.Response:
        """Opens one by hand: 201, or 200 where this was said already."""
        keys = ("title", "message", "modules", "components", "impact", "status", "started_at", "draft", "author")
        body = await sent(request, self.counter, keys)
        draft = body.get("draft", False)
        if not isinstance(draft, bool):
            raise refusal(400, "`draft` is true or false")
        if (before := self._opened_by(request_key(request))) is not None:
            return await self._object(before)
        word = Open(
            title=self._text(body, "title"),
            body=self._text(body, "message"),
            modules=_names(body, "modules"),
            components=_names(body, "components"),
            impact=_word(body, "impact") or "minor",
            stage=_stage(body) or Stage.INVESTIGATING,
            started_at=_moment(body, "started_at"),
            draft=draft,
        )
        return await self._say(request, word, body, 201)

    def _opened_by(self, key: str | None) -> str | None:
        """The id of the incident that this request has opened, also when the board no longer holds it."""
        every = incidents_of(self.counter.board(), self.counter.history())
        mine = (one.id for one in every if one.by_hand and one.acts and one.acts[0].request == key)
        return None if key is None else next(mine, None)

    async def update(self, request: web.Request) -> web.Response:
        """Writes an update: 201, or 200 where this was said already."""
        body = await sent(request, self.counter, ("message", "status", "confirm_cause", "author"))
        word = Write(self._id(request), self._text(body, "message"), _stage(body), _confirm(body))
        return await self._say(request, word, body, 201)

    async def correct(self, request: web.Request) -> web.Response:
        """Another text for an update; its time stays."""
        body = await sent(request, self.counter, ("message", "author"))
        number = request.match_info["number"]
        if not (number.isascii() and number.isdigit() and len(number) < 7):
            raise refusal(404, "updates are counted from 1")
        return await self._say(request, Correct(self._id(request), int(number), self._text(body, "message")), body)

    async def edit(self, request: web.Request) -> web.Response:
        """Another title, summary or impact; null goes back to the monitor's own."""
        body = await sent(request, self.counter, ("title", "summary", "impact", "confirm_cause", "author"))
        impact = (_word(body, "impact") or "") if "impact" in body else None
        word = Edit(
            self._id(request),
            title=self._text(body, "title") if "title" in body else None,
            summary=self._text(body, "summary") if "summary" in body else None,
            impact=impact,
            confirm=_confirm(body),
        )
        return await self._say(request, word, body)

    async def acknowledge(self, request: web.Request) -> web.Response:
        """Somebody works on it."""
        body = await sent(request, self.counter, ("author",))
        return await self._say(request, Acknowledge(self._id(request)), body)

    async def resolve(self, request: web.Request) -> web.Response:
        """It is over, by a person's word."""
        return await self._ending(request, Stage.RESOLVED)

    async def postmortem(self, request: web.Request) -> web.Response:
        """What was learned from one that is over."""
        return await self._ending(request, Stage.POSTMORTEM)

    async def _ending(self, request: web.Request, stage: Stage) -> web.Response:
        body = await sent(request, self.counter, ("message", "confirm_cause", "author"))
        word = Write(self._id(request), self._text(body, "message"), stage, _confirm(body))
        return await self._say(request, word, body)

    async def publish(self, request: web.Request) -> web.Response:
        """A draft appears in public."""
        body = await sent(request, self.counter, ("author",))
        return await self._say(request, Publish(self._id(request)), body)

    def _text(self, body: Mapping[str, Any], key: str) -> dict[str, str]:
        """A text per language; one that was given once is in the site's first language."""
        said = body.get(key)
        if said is None:
            return {}
        if isinstance(said, str):
            return {next(iter(self.counter.board().platform.languages), "en"): said}
        if isinstance(said, dict) and all(isinstance(one, str) for one in said.values()):
            return dict(said)
        raise refusal(400, f"`{key}` is a text, or an object with a text per language")


def _whole(incident: Incident, platform: Any, speech: Any) -> dict[str, Any]:
    return incident_object(incident, platform, speech, public=False)


def _word(body: Mapping[str, Any], key: str) -> str | None:
    said = body.get(key)
    if said is not None and not isinstance(said, str):
        raise refusal(400, f"`{key}` is a text")
    return said


def _names(body: Mapping[str, Any], key: str) -> tuple[str, ...]:
    said = body.get(key)
    listed = [] if said is None else [said] if isinstance(said, str) else said
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise refusal(400, f"`{key}` is a list of ids")
    return tuple(dict.fromkeys(listed))


def _author(body: Mapping[str, Any]) -> str | None:
    """Who says it, for the record of operators; never shown in public."""
    said = " ".join((_word(body, "author") or "").split())
    if len(said) > LONGEST_NAME or not said.isprintable():
        raise refusal(400, f"`author` is a name of up to {LONGEST_NAME} printable characters")
    return said or None


def _stage(body: Mapping[str, Any]) -> Stage | None:
    said = _word(body, "status")
    try:
        return None if said is None else Stage(said)
    except ValueError:
        raise refusal(400, f"`status` is one of {', '.join(Stage)}") from None


def _moment(body: Mapping[str, Any], key: str) -> datetime | None:
    said = _word(body, key)
    try:
        return moment(said)
    except (ValueError, OverflowError):
        raise refusal(400, f"`{key}` is a time with its zone, such as 2026-11-23T12:00:00Z") from None


def _confirm(body: Mapping[str, Any]) -> str | bool:
    said = body.get("confirm_cause", False)
    if not isinstance(said, str | bool):
        raise refusal(400, "`confirm_cause` is true, or the id of the module it comes from")
    return said
