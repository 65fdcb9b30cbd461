"""Subscriber: a customer who asked to be told, by e-mail or by a call to an address of theirs, of what is public.

How far each of them has heard is kept with them: one number into the row of bulletins, and for each incident that was
told as going on how much of it was told. So one event costs one row, however many there are to tell.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.observation import moment, stamp

UNCONFIRMED_FOR = timedelta(hours=48)  # how long an address waits to be confirmed before it is forgotten
MOST_ASKED = 5  # confirmations that one address is sent within that time, whoever asks for them
MOST_UNCONFIRMED = 2000  # addresses that wait at a time
SUFFERED = timedelta(days=3)  # how long one may fail without a break before it is removed
MOST_TRIES = 12  # to ask an address whether it wants to be told: some half an hour
MOST_REFUSED = 5  # messages in a row that a receiver may refuse for good
KINDS = ("email", "webhook")
TOPICS = ("incidents", "maintenance")
FORMATS = ("notice", "statuspage")


@dataclass(frozen=True, slots=True)
class Thread:
    """What a subscriber was told of one incident or piece of work: so many of its updates, the last by the bulletin of
    that number; `over`: they know that it has ended."""

    step: int
    number: int
    over: bool = False


@dataclass(frozen=True, slots=True)
class Subscriber:
    """`components` None: everything. `cursor` is the number of the last bulletin that is done with.

    `asked_at` is when they were asked to confirm, `failing_since` when the first of an unbroken row of attempts failed,
    `refusals` how many messages in a row were refused for good, `next_at` when it is tried again.
    """

    id: str
    kind: str
    address: str
    language: str
    created_at: datetime
    components: frozenset[str] | None = None
    topics: frozenset[str] = frozenset(TOPICS)
    format: str = "notice"
    asked_at: datetime | None = None
    confirmed_at: datetime | None = None
    cursor: int = 0
    threads: Mapping[str, Thread] = field(default_factory=dict)
    attempts: int = 0
    failing_since: datetime | None = None
    next_at: datetime | None = None
    refusals: int = 0

    @property
    def key(self) -> str:
        """What is the same in every request of one address."""
        return key_of(self.kind, self.address)

    def is_forgotten(self, now: datetime) -> bool:
        """Whether it waited too long to be confirmed."""
        return self.confirmed_at is None and now - self.created_at >= UNCONFIRMED_FOR


def key_of(kind: str, address: str) -> str:
    """The key of an address. The name before the @ of a mail is kept as it is written, but compared without case."""
    return f"{kind}:{address.casefold() if kind == 'email' else address}"


def confirmed(one: Subscriber, before: Subscriber | None, newest: int, now: datetime) -> Subscriber:
    """From now on it is told. It hears of what is new, and goes on where the one before it, of the same address, was.

    `newest` is the number of the newest bulletin.
    """
    if one.confirmed_at is not None:
        return one
    heard = (newest, {}) if before is None else (before.cursor, before.threads)
    fresh = replace(one, confirmed_at=now, cursor=heard[0], threads=heard[1])
    return replace(fresh, attempts=0, failing_since=None, next_at=None, refusals=0)


def asked(one: Subscriber, now: datetime) -> Subscriber:
    """Whoever it is was asked to confirm."""
    return replace(one, asked_at=now, attempts=0, failing_since=None, next_at=None)


def failed(one: Subscriber, now: datetime, pause: timedelta, *, count: bool = True) -> Subscriber:
    """After an attempt that failed in a way that may pass. Not to `count`: they could not help it."""
    since = one.failing_since or (now if count else None)
    return replace(one, attempts=one.attempts + 1, failing_since=since, next_at=now + pause)


def suffered(one: Subscriber, now: datetime) -> bool:
    """Whether it has failed for so long that it is to be removed; who never said yes is not asked for long."""
    if one.confirmed_at is None:
        return one.attempts >= MOST_TRIES
    return one.failing_since is not None and now - one.failing_since >= SUFFERED


def subscriber_to_json(one: Subscriber) -> dict[str, Any]:
    """The stored form; `subscriber_from_json` gives an equal one back."""
    return {
        "id": one.id,
        "kind": one.kind,
        "address": one.address,
        "language": one.language,
        "created_at": stamp(one.created_at),
        "components": None if one.components is None else sorted(one.components),
        "topics": sorted(one.topics),
        "format": one.format,
        "asked_at": stamp(one.asked_at),
        "confirmed_at": stamp(one.confirmed_at),
        "cursor": one.cursor,
        "threads": {id: [thread.step, thread.number, thread.over] for id, thread in one.threads.items()},
        "attempts": one.attempts,
        "failing_since": stamp(one.failing_since),
        "next_at": stamp(one.next_at),
        "refusals": one.refusals,
    }


def subscriber_from_json(raw: Mapping[str, Any]) -> Subscriber:
    """The inverse of `subscriber_to_json`. Raises KeyError or ValueError for anything else."""
    created = moment(raw["created_at"])
    if created is None:
        raise ValueError("a moment is missing")
    return Subscriber(
        id=raw["id"],
        kind=raw["kind"],
        address=raw["address"],
        language=raw["language"],
        created_at=created,
        components=None if raw["components"] is None else frozenset(raw["components"]),
        topics=frozenset(raw["topics"]),
        format=raw["format"],
        asked_at=moment(raw["asked_at"]),
        confirmed_at=moment(raw["confirmed_at"]),
        cursor=raw["cursor"],
        threads={id: Thread(*thread) for id, thread in raw["threads"].items()},
        attempts=raw["attempts"],
        failing_since=moment(raw["failing_since"]),
        next_at=moment(raw["next_at"]),
        refusals=raw["refusals"],
    )


def without_address(one: Subscriber) -> dict[str, Any]:
    """What operators may see of it anywhere: everything but who it is."""
    return {
        "id": one.id,
        "kind": one.kind,
        "language": one.language,
        "components": None if one.components is None else sorted(one.components),
        "topics": sorted(one.topics),
        "format": one.format,
        "created_at": stamp(one.created_at),
        "confirmed_at": stamp(one.confirmed_at),
        "failing_since": stamp(one.failing_since),
    }
