"""Outbox: what waits for which channel and why, and what people may do about it."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol

from aiohttp import web

from monitor.core.effect import Refusal
from monitor.core.observation import stamp
from monitor.core.outbox import Letter, State
from monitor.core.outcome import letters_object
from monitor.web.counter import API, json_answer, refusal, refusal_of, sent
from monitor.web.schemas import COUNT, ID, SECONDS, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref

MOST = 200  # letters in one answer
STATES = tuple(state.value for state in State)
ACTS = {"again": "Send a dead notice once more", "give-up": "Send a notice that waits no more"}


class Outgoing(Protocol):
    """Whoever carries letters."""

    def channels(self) -> list[dict[str, Any]]:
        """Every channel and how it fares: `id kind pending oldest_seconds breaker last_error`, and when it last
        `delivered`."""
        ...

    async def letters(
        self, channel: str | None, state: str | None, limit: int, offset: int
    ) -> Sequence[Letter] | Refusal:
        """The newest letters first."""
        ...

    async def act(self, act: str, incident: str, seq: int, channel: str) -> Refusal | None:
        """Sends a dead letter again, or gives one up that waits; why not."""
        ...

    async def test(self, channel: str) -> str | Refusal | None:
        """Sends a test notice: why it did not arrive, None when it did."""
        ...


def outbox_routes(outgoing: Outgoing) -> list[web.RouteDef]:
    """Every request about what leaves."""
    office = _Outbox(outgoing)
    letter = f"{API}/outbox/{{event_id}}/{{channel}}"
    return [
        web.get(f"{API}/outbox", office.listed),
        *(web.post(f"{letter}/{act}", office.acted(act)) for act in ACTS),
        web.post(f"{API}/channels/{{id}}/test", office.test),
    ]


def whole(text: str | None, least: int, most: int, default: int, name: str) -> int:
    """A number of the query; raises the answer for what is none."""
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
        raise refusal(400, f"`{name}` is a number from {least} to {most}")
    return int(text)


class _Outbox:
    """The handlers."""

    def __init__(self, outgoing: Outgoing) -> None:
        self.outgoing = outgoing

    async def listed(self, request: web.Request) -> web.Response:
        """Every channel, and a page of letters, the newest first."""
        query = request.query
        channel, state = query.get("channel"), query.get("state")
        if state is not None and state not in STATES:
            raise refusal(400, f"`state` is one of {', '.join(STATES)}")
        limit = whole(query.get("limit"), 1, MOST, 50, "limit")
        offset = whole(query.get("offset"), 0, 10**8, 0, "offset")
        letters = await self.outgoing.letters(channel, state, limit + 1, offset)
        if isinstance(letters, Refusal):
            raise refusal_of(letters)
        more = offset + limit if len(letters) > limit else None
        return await json_answer(_listed, self.outgoing.channels(), letters[:limit], more)

    def acted(self, act: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """The handler of what people may do about one letter."""

        async def handler(request: web.Request) -> web.StreamResponse:
            await sent(request, ())
            incident, _, seq = request.match_info["event_id"].rpartition("-")
            if not (seq.isascii() and seq.isdigit() and len(seq) < 19):
                raise refusal(404, "there is no such notice")
            refused = await self.outgoing.act(act, incident, int(seq), request.match_info["channel"])
            if refused is not None:
                raise refusal_of(refused)
            return await json_answer(dict, {"event_id": f"{incident}-{seq}", "channel": request.match_info["channel"]})

        return handler

    async def test(self, request: web.Request) -> web.StreamResponse:
        """A test notice through the real path: whether it arrived, and why not."""
        await sent(request, ())
        reason = await self.outgoing.test(request.match_info["id"])
        if isinstance(reason, Refusal):
            raise refusal_of(reason)
        return await json_answer(dict, {"delivered": reason is None, "reason": reason})


def _listed(channels: list[dict[str, Any]], letters: Sequence[Letter], more: int | None) -> dict[str, Any]:
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
    }
    channel = {
        "id": ID,
        "kind": ID,
        "pending": COUNT,
        "oldest_seconds": maybe(SECONDS),
        "breaker": maybe(one_of(("closed", "open", "half_open"))),
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
        "outbox": answered(
            {"channels": listed(answered(channel)), "letters": listed(ref("letter")), "next": maybe(COUNT)}
        ),
        "letter_acted": answered({"event_id": event_id, "channel": ID}),
        "tested": answered({"delivered": {"type": "boolean"}, "reason": maybe(TEXT)}),
    }
