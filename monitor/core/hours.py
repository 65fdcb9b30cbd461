"""Hours: working hours, when they open, and how much of a time lies in them."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

OPENINGS = 400  # of several calendars, looked through for a moment that lies in all of them
LONGEST = timedelta(days=366)  # that a clock is followed


class Hours(Protocol):
    """Working hours."""

    @property
    def name(self) -> str:
        """What their calendar is called."""
        ...

    def within(self, at: datetime) -> bool:
        """Whether a moment lies in them."""
        ...

    def opens_at(self, at: datetime) -> datetime | None:
        """The first moment after this one that lies in them; None when none comes."""
        ...

    def closes_at(self, at: datetime) -> datetime | None:
        """The first moment after this one that does not lie in them; None when none comes."""
        ...


def open_from(hours: Sequence[Hours], at: datetime) -> datetime | None:
    """The first moment from this one on that lies in all of these hours; None when none comes."""
    for _ in range(OPENINGS):
        closed = next((one for one in hours if not one.within(at)), None)
        if closed is None:
            return at
        opens = closed.opens_at(at)
        if opens is None:
            return None
        at = opens
    return None


def worked(hours: Hours | None, since: datetime, until: datetime) -> timedelta:
    """How much of a stretch lies in working hours, to the minute they begin and end at."""
    until = min(until, since + LONGEST)
    if hours is None:
        return max(timedelta(0), until - since)
    return sum((min(end, until) - at for at, end in _open(hours, since, until)), timedelta(0))


def due_at(hours: Hours | None, since: datetime, limit: timedelta) -> datetime | None:
    """When so much time will have been worked since a moment; None where that lies further away than a clock is
    followed."""
    if hours is None:
        return since + limit
    for at, end in _open(hours, since, since + LONGEST):
        if end - at >= limit:
            return at + limit
        limit -= end - at
    return None


def _open(hours: Hours, since: datetime, until: datetime) -> Iterable[tuple[datetime, datetime]]:
    """The working hours in a stretch, one after the other; the last of them may end after it."""
    at: datetime | None = since if hours.within(since) else hours.opens_at(since)
    while at is not None and at < until:
        closes = hours.closes_at(at)
        yield at, until if closes is None else closes
        at = None if closes is None else hours.opens_at(closes)
