"""Recurrence: when a window of planned work takes place, by its RFC 5545 rule, in the local time of its zone.

Rules are expanded on the clock of the wall, and each start then gets its instant. A time that a clock change skips is
read with the offset before the change, so 02:30 of that night is 03:30; one that occurs twice is the first of the two
(RFC 5545, 3.3.5). The work takes as long as the first time, whatever the clock does meanwhile.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from monitor.core.agenda import Plan
from monitor.core.maintenance import Window

AHEAD = timedelta(days=90)  # how far windows that repeat are expanded
MOST = 500  # starts of one window, the next ones
_LAST_YEARS = datetime(9959, 1, 1)  # noqa: DTZ001 - a rule that matches nothing in forty years never does


def plan_of(windows: Iterable[Window], now: datetime) -> Plan:
    """All windows with the starts of the coming 90 days, and of work that is going on."""
    return tuple((window, starts(window, now, now + AHEAD)) for window in windows)


def starts(window: Window, since: datetime, until: datetime) -> tuple[datetime, ...]:
    """When a window begins: every start up to `until` whose work ends after `since`, as UTC instants, the next 500.

    Work that takes place once is always there until it has ended.
    """
    length = window.ends - window.begins
    if window.rule is None:
        return (window.begins.astimezone(UTC),) if window.ends > since else ()
    ahead = (at for at in _instants(window, until) if at + length > since)
    return tuple(islice(ahead, MOST))


def _instants(window: Window, until: datetime) -> Iterator[datetime]:
    zone = ZoneInfo(window.zone)
    rule, last = _apart(window.rule or "", zone)
    try:
        walls = rrulestr(rule, dtstart=datetime.fromisoformat(window.wall))
    except ValueError:  # a rule whose parts exclude each other from this start on
        return
    before = None
    for wall in walls:
        at = wall.replace(tzinfo=zone).astimezone(UTC)
        if at > until or (last is not None and at > last):
            return
        if at != before:  # an hour that is skipped is read as the next one, which has its own
            yield at
        before = at


def _apart(rule: str, zone: ZoneInfo) -> tuple[str, datetime | None]:
    """The rule without its UNTIL, and the last instant at which it may begin: without a `Z` on the clock of the wall, a
    date alone to the end of that day."""
    parts = rule.split(";")
    written = next((part.partition("=")[2] for part in parts if part.startswith("UNTIL=")), None)
    kept = ";".join(part for part in parts if not part.startswith("UNTIL="))
    return kept, None if written is None else _moment(written, zone)


def _moment(written: str, zone: ZoneInfo) -> datetime:
    day = date(int(written[:4]), int(written[4:6]), int(written[6:8]))
    clock = time(int(written[9:11]), int(written[11:13]), int(written[13:15])) if len(written) > 8 else time.max
    return datetime.combine(day, clock, UTC if written.endswith("Z") else zone)


def wrong_with(rule: str) -> str | None:
    """What is wrong with a rule that is written as RFC 5545 wants it; None when it takes place some day."""
    try:
        bare, _ = _apart(rule, ZoneInfo("UTC"))
        parts = [part for part in bare.split(";") if not part.startswith(("INTERVAL=", "COUNT="))]
        first = next(iter(rrulestr(";".join(parts), dtstart=_LAST_YEARS)), None)
    except ValueError:
        return "holds a number that is none of the calendar"
    return "never takes place" if first is None else None


def windows_of(sections: Sequence[Mapping[str, Any]]) -> tuple[Window, ...]:
    """The windows of `maintenance:`, as judging reads them. One without an id is called by its place and beginning."""
    return tuple(_window(number, one) for number, one in enumerate(sections, 1))


def wall_of(begins: datetime, zone: str) -> str:
    """What a clock in a zone shows at a moment; of one that was written for that very zone as it was written, though a
    clock change may skip it."""
    there = ZoneInfo(zone)
    local = begins if begins.tzinfo == there else begins.astimezone(there)
    return local.replace(tzinfo=None).isoformat()


def _window(number: int, section: Mapping[str, Any]) -> Window:
    begins: datetime = section["from"]
    return Window(
        id=section["id"] or f"{number}@{begins:%Y-%m-%dT%H:%M}",
        title=section["title"],
        begins=begins.astimezone(UTC),
        ends=(section["until"] or begins.astimezone(UTC) + section["duration"]).astimezone(UTC),
        zone=section["timezone"],
        wall=wall_of(begins, section["timezone"]),
        rule=section["rrule"],
        message=section["message"] or {},
        modules=tuple(section["modules"]),
        excuses=tuple(section["excuses"]),
    )
