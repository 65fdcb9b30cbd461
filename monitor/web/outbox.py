"""Outbox: what waits for which channel and why, and what people may do about it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiohttp import web

from monitor.core.effect import Answered, Deed, Refusal
from monitor.core.observation import stamp
from monitor.core.outbox import Letter, Place, State
from monitor.core.outcome import letters_object
from monitor.web.counter import API, Counter, checked, json_answer, refusal, refusal_of, request_key, said, sent
from monitor.web.paging import Query, cursor_of, instant, limit_of, linked, micros, next_of, word_of
from monitor.web.schemas import COUNT, ID, NEXT, SECONDS, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref
from monitor.web.spoken import author

STATES = tuple(state.value for state in State)
ACTS = {"again": "Send a dead notice once more", "give-up": "Send a notice that waits no more"}


class Outgoing(Protocol):
    """Whoever carries letters."""

    def channels(self) -> list[dict[str, Any]]:
        """Every channel and how it fares: `id kind pending oldest_seconds breaker last_error`, and when it last
        `delivered`."""
        ...

    async def letters(
        self, channel: str | None, state: str | None, limit: int, after: Place | None
    ) -> Sequence[Letter] | Refusal:
        """The newest letters first, those that stand behind a place."""
        ...

    async def act(self, act: str, incident: str, seq: int, channel: str) -> Refusal | None:
        """Sends a dead letter again, or gives one up that waits; why not."""
        ...

    async def test(self, channel: str) -> str | Refusal | None:
        """Sends a test notice: why it did not arrive, None when it did."""
        ...


def outbox_routes(counter: Counter, outgoing: Outgoing) -> list[web.RouteDef]:
    """Every request about what leaves."""
    office = _Outbox(counter, outgoing)
    letter = f"{API}/outbox/{{event_id}}/{{channel}}"
    return [
        web.get(f"{API}/outbox", office.listed),
        *(web.post(f"{letter}/{act}", office.acted(act)) for act in ACTS),
        web.post(f"{API}/channels/{{id}}/test", office.test),
    ]


async def outbox_page(request: web.Request, outgoing: Outgoing, query: Query) -> tuple[Sequence[Letter], str | None]:
    """The page of letters that is asked for by what stands in the address, and where the next one is. Raises the answer
    for what cannot be asked, and where the store does not answer."""
    channel, state, limit = word_of(query, "channel"), query.get("state"), limit_of(query)
    if state is not None and state not in STATES:
        raise refusal(400, f"`state` is one of {', '.join(STATES)}")
    after = cursor_of(query, int, str, int, str)
    place = None if after is None else (instant(after[0]), *after[1:])
    found = await outgoing.letters(channel, state, limit + 1, place)
    if isinstance(found, Refusal):
        raise refusal_of(found)
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], next_of(request, None if last is None else (micros(last.at), *last.key))


class _Outbox:
    """The handlers."""

    def __init__(self, counter: Counter, outgoing: Outgoing) -> None:
        self.counter = counter
        self.outgoing = outgoing

    async def listed(self, request: web.Request) -> web.Response:
        """Every channel, and a page of letters, the newest first."""
        letters, more = await outbox_page(request, self.outgoing, request.query)
        return linked(await json_answer(_listed, self.outgoing.channels(), letters, more), more)

    def acted(self, act: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of what people may do about one letter."""

        async def handler(request: web.Request) -> web.StreamResponse:
            event_id, channel = request.match_info["event_id"], request.match_info["channel"]
            await self._perform(
                request, notice_deed(act, event_id, channel), acting(self.outgoing, act, event_id, channel)
            )
            return await json_answer(dict, {"event_id": event_id, "channel": channel})

        return handler

    async def test(self, request: web.Request) -> web.StreamResponse:
        """A test notice through the real path: whether it arrived, and why not."""
        id = request.match_info["id"]
        answer = await self._perform(request, Deed("notice.test", id), trying(self.outgoing, id))
        told = answer.detail  # as it is stored, where what is false or empty is left out
        return await json_answer(dict, {"delivered": bool(told.get("delivered")), "reason": told.get("reason")})

    async def _perform(self, request: web.Request, deed: Deed, doing: Callable[[], Awaitable[Answered]]) -> Answered:
        body = await sent(request, ("author",))
        try:
            told = said(request, self.counter, deed, body, author(body), request_key(request))
        except ValueError as error:
            raise refusal(400, str(error)) from None
        return checked(await self.counter.perform(told, doing))


def notice_deed(act: str, event_id: str, channel: str) -> Deed:
    """What somebody does about a notice, for the audit log."""
    return Deed(f"notice.{act}", event_id, {"channel": channel})


def acting(outgoing: Outgoing, act: str, event_id: str, channel: str) -> Callable[[], Awaitable[Answered]]:
    """Sends a dead notice again, or gives one up that waits."""
    incident, _, seq = event_id.rpartition("-")
    number = int(seq) if seq.isascii() and seq.isdigit() and len(seq) < 19 and incident.isprintable() else -1

    async def doing() -> Answered:
        return Answered(event_id, await outgoing.act(act, incident, number, channel))

    return doing


def trying(outgoing: Outgoing, channel: str) -> Callable[[], Awaitable[Answered]]:
    """Sends a test notice; the detail says whether it arrived, and why not."""

    async def doing() -> Answered:
        reason = await outgoing.test(channel)
        if isinstance(reason, Refusal):
            return Answered(channel, reason, changed=False)
        return Answered(channel, detail={"delivered": reason is None, "reason": reason})

    return doing


def _listed(channels: list[dict[str, Any]], letters: Sequence[Letter], more: str | None) -> dict[str, Any]:
    known = ("id", "kind", "pending", "oldest_seconds", "breaker", "last_error")
    told = [{**{name: one[name] for name in known}, "last_delivered_at": stamp(one["delivered"])} for one in channels]
    return {"channels": told, "letters": letters_object(letters), "next": more}


def posted() -> dict[str, Schema]:
    """Everything about what leaves, by its name in the description."""
    event_id: Schema = {"type": "string", "pattern": "^.+-[0-9]+$"}
    withheld = answered({"module": maybe(ID), "why": TEXT})
    letter = {
        "event_id": event_id,
        "incident": ID,
        "seq": COUNT,
        "channel": ID,
        "event": TEXT,
        "why": TEXT,
        "at": TIME,
        "state": one_of(STATES),
        "attempts": COUNT,
        "next_at": maybe(TIME),
        "last_error": maybe(TEXT),
        "external": maybe(TEXT),
        "settled_at": maybe(TIME),
        "tried_at": maybe(TIME),
    }
    channel = {
        "id": ID,
        "kind": maybe(ID),
        "pending": COUNT,
        "oldest_seconds": maybe(SECONDS),
        "breaker": maybe(one_of(("closed", "open", "half_open", "gone"))),
        "last_error": maybe(TEXT),
        "last_delivered_at": maybe(TIME),
    }
    happening = {
        "seq": COUNT,
        "event": TEXT,
        "at": TIME,
        "notices": listed(ref("letter")),
        "withheld": listed(withheld),
    }
    return {
        "letter": answered(letter),
        "notices": answered({"planned": COUNT, "delivered": COUNT, "withheld": listed(withheld)}),
        "happening": answered(happening),
        "outbox": answered({"channels": listed(answered(channel)), "letters": listed(ref("letter")), "next": NEXT}),
        "letter_acted": answered({"event_id": event_id, "channel": ID}),
        "tested": answered({"delivered": {"type": "boolean"}, "reason": maybe(TEXT)}),
    }
