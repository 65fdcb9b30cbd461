"""Subscribers: what operators may read of them, and how one is given what is kept of them, or erased.

Addresses are shown to nobody but an operator who asks for all of them, which the audit log says, without one.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from aiohttp import web

from monitor.core.effect import Answered, Deed, Refusal
from monitor.core.subscriber import FORMATS, KINDS, TOPICS, Subscriber, key_of, subscriber_to_json, without_address
from monitor.web.counter import API, Counter, Roll, checked, json_answer, refusal, refusal_of, request_key, said, sent
from monitor.web.schemas import ID, TEXT, TIME, Schema, answered, listed, maybe, one_of, ref
from monitor.web.schemas import sent as taken
from monitor.web.spoken import LONGEST_NAME, author

KEPT_BACK = ("cursor", "threads", "attempts", "next_at", "refusals")  # how far we are, which says nothing of them


def subscriber_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about subscribers."""
    subscribers = _Subscribers(counter)
    return [
        web.get(f"{API}/subscribers", subscribers.listed),
        web.post(f"{API}/subscribers/export", subscribers.export),
        web.post(f"{API}/subscribers/erase", subscribers.erase),
    ]


class _Subscribers:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """How many there are, and each without its address."""
        return await json_answer(_listed, await self._everybody())

    async def export(self, request: web.Request) -> web.Response:
        """Everything that is kept of everybody, or of one address."""
        body = await sent(request, ("address", "author"))
        wanted = _address(body)
        found = [one for one in await self._everybody() if wanted is None or _is(one, wanted)]

        async def doing() -> Answered:
            return Answered("", detail={"count": len(found)})

        await self._perform(request, body, "subscribers.export", doing)
        return await json_answer(lambda: {"subscribers": [_whole(one) for one in found]})

    async def erase(self, request: web.Request) -> web.Response:
        """Forgets an address, or the subscription of an id."""
        body = await sent(request, ("address", "id", "author"))
        address, id = _address(body), body.get("id")
        if (address is None) == (not isinstance(id, str) or not id):
            raise refusal(400, "say whom: `address` or `id`")
        ids = [one.id for one in await self._everybody() if one.id == id or (address and _is(one, address))]

        async def doing() -> Answered:
            if not ids:
                return Answered(refusal=Refusal("unknown", "nobody of that address or id is known"))
            return Answered("", await self._roll.erase(ids), detail={"count": len(ids)})

        await self._perform(request, body, "subscribers.erase", doing)
        return await json_answer(dict, {"erased": len(ids)})

    @property
    def _roll(self) -> Roll:
        if self.counter.roll is None:
            raise refusal(503, "subscribers are not kept here")
        return self.counter.roll

    async def _everybody(self) -> list[Subscriber]:
        found = await self._roll.everybody()
        if isinstance(found, Refusal):
            raise refusal_of(found)
        return found

    async def _perform(
        self, request: web.Request, body: dict[str, Any], act: str, doing: Callable[[], Awaitable[Answered]]
    ) -> None:
        try:
            told = said(request, self.counter, Deed(act), {}, author(body), request_key(request))
        except ValueError as error:
            raise refusal(400, str(error)) from None
        checked(await self.counter.perform(told, doing))


def _address(body: dict[str, Any]) -> str | None:
    address = body.get("address")
    if address is not None and (not isinstance(address, str) or not address.strip()):
        raise refusal(400, "`address` is an e-mail address, or one that is called")
    return None if address is None else address.strip()


def _is(one: Subscriber, address: str) -> bool:
    return one.key == key_of(one.kind, address)


def _listed(everybody: Sequence[Subscriber]) -> dict[str, Any]:
    counted = {kind: {"confirmed": 0, "unconfirmed": 0} for kind in KINDS}
    for one in everybody:
        counted[one.kind]["unconfirmed" if one.confirmed_at is None else "confirmed"] += 1
    return {"counts": counted, "subscribers": [without_address(one) for one in everybody]}


def _whole(one: Subscriber) -> dict[str, Any]:
    return {key: value for key, value in subscriber_to_json(one).items() if key not in KEPT_BACK}


def subscribing() -> dict[str, Schema]:
    """What is sent and answered, by name."""
    one = {
        "id": ID,
        "kind": one_of(KINDS),
        "language": TEXT,
        "components": {**maybe(listed(ID)), "description": "Null: everything."},
        "topics": listed(one_of(TOPICS)),
        "format": one_of(FORMATS),
        "created_at": TIME,
        "confirmed_at": maybe(TIME),
        "failing_since": maybe(TIME),
    }
    count = {"type": "integer", "minimum": 0}
    counts = answered({"confirmed": count, "unconfirmed": count})
    name = {"type": ["string", "null"], "maxLength": LONGEST_NAME}
    address = {"type": ["string", "null"], "minLength": 1, "description": "An e-mail address, or one that is called."}
    wish = {
        "email": address,
        "webhook": address,
        "components": {**maybe(listed(ID)), "description": "Ids; null: everything."},
        "topics": maybe(listed(one_of(TOPICS))),
        "language": {"type": "string", "description": "One of the site's; absent: as Accept-Language says."},
        "lang": {"type": "string", "description": "The same."},
        "format": one_of(FORMATS),
    }
    return {
        "subscriber": answered(one),
        "subscribers": answered(
            {
                "counts": answered(dict.fromkeys(KINDS, counts)),
                "subscribers": listed(ref("subscriber")),
            }
        ),
        "exported": answered({"subscribers": listed(answered({**one, "address": TEXT, "asked_at": maybe(TIME)}))}),
        "erased": answered({"erased": count}),
        "whose": taken({"address": address, "author": name}, ()),
        "whom": taken({"address": address, "id": maybe(TEXT), "author": name}, ()),
        "wish": taken(wish, ()),
        "wished": answered({"status": one_of(["asked"])}),
    }
