"""Wire: what a place and the core tell each other, as documents, and what makes bytes of them and reads them back.

Nothing that is read is believed before its seal is opened, and nothing of a wrong form comes further than here.
`Newest` knows what was said before: a copy of an honest message is no honest message.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from monitor.core.effect import Ask, AskCanaries, Hold, Lagging, Missed
from monitor.core.fields import count, mapping, needed, number, sequence, text, time
from monitor.core.observation import Observation, observation_from_json, observation_to_json
from monitor.places.seal import Refused, Seal
from monitor.places.topics import Kind, parse

MOST_ITEMS = 500  # of a batch
MOST_AGENTS = 1000  # of a place
LONGEST_NAME = 100  # characters of an agent, an epoch, a location
LONGEST_WAIT = 366 * 86400.0  # seconds that anything here can be about


@dataclass(frozen=True, slots=True)
class Doubt:
    """A run that had no answer yet at a moment."""

    lagging: Lagging
    at: datetime


Item = Observation | Missed | Doubt


@dataclass(frozen=True, slots=True)
class Batch:
    """What an agent saw, `items` numbered from `first` on without a gap.

    `epoch` names its outbox: another one counts from 1 again. `kept` is the lowest number which that still holds, so
    what is below it and was never received is lost.
    """

    agent: str
    epoch: str
    first: int
    kept: int
    sent_at: datetime
    items: tuple[Item, ...]

    @property
    def last(self) -> int:
        """The number of the last item."""
        return self.first + len(self.items) - 1


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """All that an agent saw, up to this number of its outbox, is on disk here."""

    agent: str
    epoch: str
    through: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """An agent is there, since `since`.

    `at` is what its clock shows, `skew` how many seconds that is ahead of the core's (None: not known yet). `waiting`
    items are in its outbox, the oldest for `oldest` seconds; `lost` went from it for lack of room. `digest` names the
    configuration in force there, empty where there is none, `trouble` says why it is not the newest one it was given.
    `probes` are those that fall to this agent.
    """

    agent: str
    epoch: str
    at: datetime
    since: datetime
    digest: str = ""
    waiting: int = 0
    oldest: float = 0.0
    lost: int = 0
    skew: float | None = None
    version: str = ""
    trouble: str = ""
    probes: int = 0


@dataclass(frozen=True, slots=True)
class Gone:
    """The agent that is there since `since` is there no more. `orderly`: it said so itself."""

    agent: str
    epoch: str
    since: datetime
    orderly: bool = False


@dataclass(frozen=True, slots=True)
class Time:
    """The heartbeat of that `echo` came at `received_at` by the core's clock, and was answered at `sent_at`.

    `roster` names the agents that divide the probes of the place by then; empty: as before.
    """

    agent: str
    echo: datetime
    received_at: datetime
    sent_at: datetime
    roster: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Order:
    """What the core wants of a place, and until when. A hold is over by then, the others are moot."""

    what: Ask | Hold | AskCanaries
    until: datetime


@dataclass(frozen=True, slots=True)
class Orders:
    """Some orders."""

    orders: tuple[Order, ...]


@dataclass(frozen=True, slots=True)
class Configuration:
    """The share of a place, as `share` writes it. `digest` names it; a later `issued_at` takes precedence."""

    digest: str
    issued_at: datetime
    share: Mapping[str, Any] = field(repr=False)  # secrets are among it


Document = Batch | Acknowledged | Heartbeat | Gone | Time | Orders | Configuration


def pack(seal: Seal, topic: str, document: Document) -> bytes:
    """A document, sealed for the topic it is published under. Raises Refused where it is too large."""
    raw = _WRITERS[type(document)](document)
    return seal.close(topic, json.dumps(raw, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


def unpack(seal: Seal, topic: str, payload: bytes) -> Document:
    """The document that was published under a topic. Raises Refused for whatever is none."""
    try:
        found = parse(topic)
    except ValueError:
        raise Refused("topic") from None
    if found.location != seal.location:
        raise Refused("topic")
    said = seal.open(topic, payload)
    try:
        raw = json.loads(said, parse_constant=_no_number)
        if not isinstance(raw, dict):
            raise TypeError("no object")
        document = _READERS[found.kind](raw, found.location)
        if found.rest and not isinstance(document, Batch) and getattr(document, "agent", found.rest) != found.rest:
            raise ValueError("it is for another agent")
        return document
    except (TypeError, ValueError, OverflowError, RecursionError, KeyError):
        raise Refused("form") from None


class Newest:
    """What is the newest of each name: who says something older, or the same again, is refused."""

    def __init__(self, most: int = 10_000) -> None:
        self._seen: dict[str, datetime] = {}
        self._most = most

    def look(self, name: str, at: datetime) -> None:
        """Takes note of what was said under a name at a moment. Raises Refused unless that is the newest of it."""
        known = self._seen.pop(name, None)
        self._seen[name] = at if known is None else max(known, at)
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]
        if known is not None and at <= known:
            raise Refused("old")


# -- writing -----------------------------------------------------------------------------------------------------------


def item_to_json(item: Item) -> dict[str, Any]:
    """One of a batch."""
    match item:
        case Observation():
            return {"seen": observation_to_json(item)}
        case Missed():
            since, until, shift = _text(item.since), _text(item.until), item.shift.total_seconds()
            return {"missed": {"since": since, "until": until, "code": item.code, "shift": shift}}
        case Doubt(lagging, at):
            return {"lagging": {"module": lagging.module, "probe": lagging.probe, "at": _text(at)}}


def _batch(batch: Batch) -> dict[str, Any]:
    return {
        "agent": batch.agent,
        "epoch": batch.epoch,
        "first": batch.first,
        "kept": batch.kept,
        "sent_at": _text(batch.sent_at),
        "items": [item_to_json(item) for item in batch.items],
    }


def _orders(said: Orders) -> dict[str, Any]:
    return {"orders": [_order(one) for one in said.orders]}


def _order(order: Order) -> dict[str, Any]:
    until = {"until": _text(order.until)}
    match order.what:
        case Ask(module, probe, _, after):
            return {"do": "ask", "module": module, "probe": probe, "after": after, **until}
        case Hold(module, probe):
            return {"do": "hold", "module": module, "probe": probe, **until}
        case AskCanaries():
            return {"do": "canaries", **until}


def _plain(document: Any) -> dict[str, Any]:
    """A document of plain fields."""
    values = {name: getattr(document, name) for name in document.__slots__}
    return {name: _text(value) if isinstance(value, datetime) else value for name, value in values.items()}


_WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    Batch: _batch,
    Orders: _orders,
    **dict.fromkeys((Acknowledged, Heartbeat, Gone, Time, Configuration), _plain),
}


def _text(moment: datetime) -> str:
    """To the microsecond: what is compared, and what clocks are measured by, is not rounded."""
    return moment.astimezone(UTC).isoformat()


# -- reading -----------------------------------------------------------------------------------------------------------

T = TypeVar("T")
Raw = Mapping[str, Any]


def item_from_json(raw: Any, location: str) -> Item:
    """One of a batch, of a place: what it says to have seen elsewhere is refused. Raises TypeError or ValueError."""
    if not isinstance(raw, dict) or len(raw) != 1:
        raise TypeError("no item")
    if (seen := mapping(raw, "seen")) is not None:
        observation = observation_from_json(seen)
        if observation.location != location:
            raise ValueError("it was seen elsewhere")
        return observation
    if (missed := mapping(raw, "missed")) is not None:
        shift = _within(number(missed, "shift") or 0.0, -LONGEST_WAIT)
        since, until = _moment(missed, "since"), _moment(missed, "until")
        return Missed(location, since, until, _name(missed, "code"), timedelta(seconds=shift))
    late = needed(mapping(raw, "lagging"), "lagging")
    return Doubt(Lagging(_name(late, "module"), _name(late, "probe"), location), _moment(late, "at"))


def _read_batch(raw: Raw, location: str) -> Batch:
    items = needed(sequence(raw, "items"), "items")
    if not 0 < len(items) <= MOST_ITEMS:
        raise ValueError("no such batch")
    read = tuple(item_from_json(item, location) for item in items)
    first, kept = _number(raw, "first", 1), _number(raw, "kept", 1)
    if kept > first:
        raise ValueError("it holds what the outbox does not")
    return Batch(_agent(raw), _name(raw, "epoch"), first, kept, _moment(raw, "sent_at"), read)


def _read_acknowledged(raw: Raw, location: str) -> Acknowledged:
    return Acknowledged(_name(raw, "agent"), _name(raw, "epoch"), _number(raw, "through", 0))


def _read_heartbeat(raw: Raw, location: str) -> Heartbeat:
    return Heartbeat(
        agent=_agent(raw),
        epoch=_name(raw, "epoch"),
        at=_moment(raw, "at"),
        since=_moment(raw, "since"),
        digest=_short(raw, "digest"),
        waiting=_number(raw, "waiting", 0),
        oldest=_within(number(raw, "oldest") or 0.0),
        lost=_number(raw, "lost", 0),
        skew=number(raw, "skew"),
        version=_short(raw, "version"),
        trouble=(text(raw, "trouble") or "")[:500],
        probes=count(raw, "probes") or 0,
    )


def _read_gone(raw: Raw, location: str) -> Gone:
    return Gone(_agent(raw), _name(raw, "epoch"), _moment(raw, "since"), raw.get("orderly") is True)


def _read_time(raw: Raw, location: str) -> Time:
    roster = sequence(raw, "roster") or ()
    if len(roster) > MOST_AGENTS or not all(isinstance(one, str) and 0 < len(one) <= LONGEST_NAME for one in roster):
        raise ValueError("no such roster")
    moments = (_moment(raw, "echo"), _moment(raw, "received_at"), _moment(raw, "sent_at"))
    return Time(_name(raw, "agent"), *moments, roster)


def _read_orders(raw: Raw, location: str) -> Orders:
    orders = needed(sequence(raw, "orders"), "orders")
    if len(orders) > 100 * MOST_ITEMS:
        raise ValueError("too many")
    return Orders(tuple(_read_order(one, location) for one in orders))


def _read_order(raw: Any, location: str) -> Order:
    if not isinstance(raw, dict):
        raise TypeError("no order")
    until = _moment(raw, "until")
    match raw.get("do"):
        case "ask":
            after = _within(number(raw, "after") or 0.0)
            return Order(Ask(_name(raw, "module"), _name(raw, "probe"), location, after), until)
        case "hold":
            return Order(Hold(_name(raw, "module"), _name(raw, "probe"), location, until), until)
        case "canaries":
            return Order(AskCanaries(location), until)
    raise ValueError("no such order")


def _read_configuration(raw: Raw, location: str) -> Configuration:
    share = needed(mapping(raw, "share"), "share")
    return Configuration(_name(raw, "digest"), _moment(raw, "issued_at"), share)


_READERS: dict[Kind, Callable[[Raw, str], Document]] = {
    Kind.OBSERVATIONS: _read_batch,
    Kind.ACKNOWLEDGED: _read_acknowledged,
    Kind.HEARTBEAT: _read_heartbeat,
    Kind.GONE: _read_gone,
    Kind.TIME: _read_time,
    Kind.ORDERS: _read_orders,
    Kind.CONFIGURATION: _read_configuration,
}


def _moment(raw: Raw, key: str) -> datetime:
    moment = needed(time(raw, key), key)
    if not 1970 <= moment.year < 9000:  # something may be added to it
        raise ValueError(f"`{key}` is out of range")
    return moment


def _name(raw: Raw, key: str) -> str:
    name = needed(text(raw, key), key)
    if not 0 < len(name) <= LONGEST_NAME:
        raise ValueError(f"`{key}` is no name")
    return name


def _agent(raw: Raw) -> str:
    """Who speaks: a name that can be part of the topic under which it is answered."""
    name = _name(raw, "agent")
    if not name.isprintable() or any(sign in name for sign in "/+#"):
        raise ValueError("`agent` is no part of a topic")
    return name


def _short(raw: Raw, key: str) -> str:
    return (text(raw, key) or "")[:LONGEST_NAME]


def _number(raw: Raw, key: str, least: int) -> int:
    value = needed(count(raw, key), key)
    if value < least:
        raise ValueError(f"`{key}` is out of range")
    return value


def _within(seconds: float, least: float = 0.0) -> float:
    if not least <= seconds <= LONGEST_WAIT:
        raise ValueError("out of range")
    return seconds


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")
