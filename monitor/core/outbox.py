"""Outbox: what becomes of a message on its way to one channel. Which is sent next, when again, and when no more.

A letter is one event for one channel. Those of one incident leave in order, the next one once the one before is
delivered or given up; between incidents there is no order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import ClassVar

from monitor.core.effect import Happened
from monitor.core.intent import Notice
from monitor.core.module import Priority

FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)
SHORTEST_PAUSE = timedelta(milliseconds=200)
LAST_TRY = timedelta(minutes=1)  # before nobody wants to hear of it, when a receiver asked for a longer pause
GRACE = timedelta(hours=1)  # for which letters wait for a channel that has left the configuration to come back
GONE = "the channel is no longer configured"
STALE = timedelta(minutes=10)  # what waited longer is folded into one message
RELEVANT, RELEVANT_OTHERWISE = timedelta(hours=24), timedelta(hours=72)  # pages, and everything else …
REVIEW, REVIEWED = "self:review:", timedelta(days=14)  # … but for reviews, whose ids begin so
LEASE = timedelta(seconds=30)  # how long a claim holds beyond the time an attempt may take
PAGES = (Priority.URGENT, Priority.HIGH)
LONGEST_ERROR = 300  # characters of why an attempt failed
UNDATED = datetime(1970, 1, 1, tzinfo=UTC)  # when something happened, where the row of the letter does not tell


class State(StrEnum):
    """What became of a letter. `collapsed`: a later one of the same incident said it as well."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    DEAD = "dead"
    COLLAPSED = "collapsed"
    WITHHELD = "withheld"


WAITING = (State.PENDING, State.SENDING)
OVER = tuple(state for state in State if state not in WAITING)
Place = tuple[datetime, str, int, str]  # where a letter stands among all, the newest first


@dataclass(frozen=True, slots=True)
class Letter:
    """One event of an incident on its way to a channel.

    `opens`: the channel knew of nothing going on. `page`: somebody may be woken by it. `next_at` is when it is tried
    again, `tried_at` when that was decided, or when the attempt began that is under way; `claimed_until` how long
    whoever sends it may take; `last_error` why the last attempt failed; `external` what the service calls the incident;
    `settled_at` when it was over with it.
    """

    incident: str
    seq: int
    channel: str
    event: str
    why: str
    at: datetime
    opens: bool = False
    page: bool = False
    state: State = State.PENDING
    attempts: int = 0
    next_at: datetime | None = None
    claimed_until: datetime | None = None
    last_error: str | None = None
    external: str | None = None
    settled_at: datetime | None = None
    tried_at: datetime | None = None

    @property
    def key(self) -> tuple[str, int, str]:
        """What it is stored under."""
        return self.incident, self.seq, self.channel

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.at, *self.key

    @property
    def event_id(self) -> str:
        """What receivers tell repeats by: the same for every attempt, and on every channel."""
        return f"{self.incident}-{self.seq}"


def letters_of(happened: Happened) -> list[Letter]:
    """The letters of an event, one for each channel that is told."""
    incident = happened.incident
    page = incident.priority in PAGES and happened.event not in ("resolved", "acknowledged", "lowered")
    return [
        Letter(incident.id, happened.seq, one.channel, happened.event, one.why, happened.at, one.opens, page)
        for one in happened.said
        if isinstance(one, Notice)
    ]


# -- what is sent next ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sending:
    """A letter that is to be sent now as this event, and those that it says as well, the oldest first."""

    letter: Letter
    event: str
    folded: tuple[Letter, ...] = ()


def next_of(waiting: Sequence[Letter], now: datetime) -> Sending:
    """What is sent next of an incident to a channel, once it is time. `waiting` stand in order of `seq`.

    What has waited for long is folded into the newest: one message in place of many, with the first and last times;
    what began and ended meanwhile is told as something that was.
    """
    head = waiting[0]
    overtaken = not head.opens and waiting[-1].event == "resolved"
    if len(waiting) == 1 or (now - head.at < STALE and not overtaken):
        return Sending(head, head.event)
    *folded, last = waiting
    if last.event == "resolved":
        return Sending(last, "summary" if head.opens else "resolved", tuple(folded))
    return Sending(last, head.event if head.opens else last.event, tuple(folded))


def is_free(letter: Letter, now: datetime) -> bool:
    """Whether it may be claimed: nobody is sending it. A claim from a future that was taken back is worth nothing."""
    if letter.state is not State.SENDING or letter.claimed_until is None:
        return letter.state in WAITING
    return letter.claimed_until < now or (letter.tried_at is not None and letter.tried_at > now + LEASE)


def wait_of(letter: Letter, now: datetime) -> timedelta:
    """How long it waits from now on: until it is tried again, or until the claim of whoever sends it ends.

    Never longer than was decided then: a clock that was ahead when it was written, and is right again, strands nothing.
    """
    until = letter.claimed_until if letter.state is State.SENDING else letter.next_at
    if until is None:
        return timedelta(0)
    longest = until - letter.tried_at if letter.tried_at is not None else GRACE
    return max(timedelta(0), min(until - now, longest))


def is_past(letter: Letter, now: datetime) -> bool:
    """Whether nobody wants to hear of it any more; what a person wants sent again is tried once in any case."""
    if letter.attempts == 0 and letter.next_at is not None and letter.last_error != GONE:
        return False
    return now - letter.at > relevance_of(letter)


def relevance_of(letter: Letter) -> timedelta:
    """For how long anybody wants to hear of it."""
    if letter.incident.startswith(REVIEW):
        return REVIEWED
    return RELEVANT if letter.page else RELEVANT_OTHERWISE


# -- what became of it ------------------------------------------------------------------------------------------------


def claimed(letter: Letter, now: datetime, limit: timedelta = timedelta(0)) -> Letter:
    """On its way, for no longer than the limit."""
    until = now + limit + LEASE
    return replace(letter, state=State.SENDING, attempts=letter.attempts + 1, claimed_until=until, tried_at=now)


def released(letter: Letter) -> Letter:
    """Whoever was sending it stopped before anything was known: it goes to the next one at once."""
    return replace(letter, state=State.PENDING, claimed_until=None, next_at=None)


def left_over(letter: Letter, now: datetime) -> Letter:
    """Its channel is gone: it waits for that to come back, and not for ever."""
    return replace(letter, state=State.PENDING, claimed_until=None, next_at=now + GRACE, tried_at=now, last_error=GONE)


def found_again(letter: Letter, now: datetime) -> Letter:
    """Its channel is there again, or another one under the same name."""
    if letter.last_error == GONE:
        return replace(letter, next_at=None, last_error=None)
    return letter if letter.next_at is None else replace(letter, next_at=now, tried_at=now)


def delivered(letter: Letter, now: datetime, external: str | None) -> Letter:
    """The receiver has taken it."""
    return replace(letter, state=State.DELIVERED, external=external, claimed_until=None, next_at=None, settled_at=now)


def collapsed(letter: Letter, now: datetime, into: Letter) -> Letter:
    """Another one said it as well."""
    return replace(
        letter,
        state=State.COLLAPSED,
        claimed_until=None,
        next_at=None,
        settled_at=now,
        last_error=f"told with {into.event_id}",
    )


def dead(letter: Letter, now: datetime, reason: str) -> Letter:
    """It will never arrive."""
    return replace(
        letter, state=State.DEAD, claimed_until=None, next_at=None, settled_at=now, last_error=reason[:LONGEST_ERROR]
    )


def buried(letter: Letter, now: datetime) -> Letter:
    """What is left of a letter whose row cannot be read, given up; without a date it stands where it was found."""
    found = replace(letter, at=now) if letter.at == UNDATED else letter
    return dead(found, now, letter.last_error or "")


def again(letter: Letter, now: datetime) -> Letter:
    """A person wants it sent once more, as new."""
    return replace(
        letter, state=State.PENDING, attempts=0, claimed_until=None, next_at=now, tried_at=now, settled_at=None
    )


def failed(
    letter: Letter,
    now: datetime,
    reason: str,
    chance: float,
    *,
    permanent: bool = False,
    retry_after: timedelta | None = None,
) -> Letter:
    """The letter after an attempt that failed: tried again after a pause, or dead. There is no limit to attempts while
    anybody wants to hear of it. `chance`, from 0 up to 1, is drawn anew for each."""
    if permanent:
        return dead(letter, now, reason)
    asked = min(retry_after or timedelta(0), letter.at + relevance_of(letter) - LAST_TRY - now)
    pause = max(pause_of(letter.attempts, chance), asked)
    return replace(
        letter,
        state=State.PENDING,
        claimed_until=None,
        next_at=now + pause,
        tried_at=now,
        last_error=reason[:LONGEST_ERROR],
    )


def pause_of(attempts: int, chance: float) -> timedelta:
    """How long to wait after so many attempts: any time up to a bound that doubles, so that not all come at once."""
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * float(1 << min(max(attempts - 1, 0), 20)))
    return max(SHORTEST_PAUSE, chance * bound)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a channel is tried at all: after `LIMIT` failures one after the other only once a minute, until it works.

    `open_until`, in seconds of a clock that nobody sets, is None while it is closed.
    """

    failures: int = 0
    open_until: float | None = None

    LIMIT: ClassVar[int] = 5
    PAUSE: ClassVar[float] = 60.0

    def state(self, now: float) -> str:
        """`closed`, `open`, or `half_open` when one attempt may tell."""
        if self.open_until is None:
            return "closed"
        return "open" if self.open_until > now else "half_open"

    def failed(self, now: float) -> "Breaker":
        """After one more failure."""
        failures = self.failures + 1
        return Breaker(failures, now + self.PAUSE if failures >= self.LIMIT else None)

    def worked(self) -> "Breaker":
        """After a delivery."""
        return Breaker()
