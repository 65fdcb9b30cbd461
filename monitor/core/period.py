"""Period: a month, a quarter or any stretch of time that figures are told of, on the calendar of a zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
_QUARTER = re.compile(r"(\d{4})-[Qq]([1-4])")
FIRST, LAST = 1971, 8999  # years


@dataclass(frozen=True, slots=True)
class Period:
    """`name` is `2026-11` of a month, `2026-Q4` of a quarter, and empty of any other stretch. `until` is exclusive."""

    name: str
    since: datetime
    until: datetime

    @property
    def is_quarter(self) -> bool:
        """Whether it is a quarter of a year."""
        return "Q" in self.name


def midnight(day: date, zone: tzinfo) -> datetime:
    """When a day begins in a zone, in UTC; where the clock skips midnight, at the moment of the change."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def named(name: str, zone: tzinfo) -> Period:
    """The month or quarter of that name. Raises ValueError with a sentence's end for any other text."""
    month, quarter = _MONTH.fullmatch(name.strip()), _QUARTER.fullmatch(name.strip())
    if (found := month or quarter) and not FIRST <= int(found[1]) <= LAST:
        raise ValueError("lies too far away")
    if month:
        return _months(int(month[1]), int(month[2]), 1, zone)
    if quarter:
        return _months(int(quarter[1]), 3 * int(quarter[2]) - 2, 3, zone)
    raise ValueError("must be a month such as 2026-11 or a quarter such as 2026-Q4")


def _months(year: int, first: int, count: int, zone: tzinfo) -> Period:
    year, first = year + (first - 1) // 12, (first - 1) % 12 + 1
    after = first - 1 + count
    begin, end = date(year, first, 1), date(year + after // 12, after % 12 + 1, 1)
    name = f"{year:04}-{first:02}" if count == 1 else f"{year:04}-Q{(first + 2) // 3}"
    return Period(name, midnight(begin, zone), midnight(end, zone))


def quarter_of(at: datetime, zone: tzinfo) -> Period:
    """The quarter that a moment lies in."""
    day = at.astimezone(zone).date()
    return _months(day.year, (day.month - 1) // 3 * 3 + 1, 3, zone)


def before(period: Period, zone: tzinfo) -> Period:
    """The month, the quarter or the stretch of the same length just before."""
    if not period.name:
        return Period("", period.since - (period.until - period.since), period.since)
    first = period.since.astimezone(zone)
    back = 3 if period.is_quarter else 1
    return _months(first.year, first.month - back, back, zone)


def so_far(period: Period, before: Period, now: datetime) -> tuple[Period, Period]:
    """Both up to now: of a period that is not over, the one before is only compared as far as it has come."""
    if now >= period.until:
        return period, before
    passed = now - period.since
    return (
        Period(period.name, period.since, max(now, period.since)),
        Period(before.name, before.since, min(before.until, max(before.since, before.since + passed))),
    )


def all_of(began: datetime, now: datetime, zone: tzinfo) -> list[Period]:
    """Every month and every quarter in which something was known up to now, the newest first, quarters before their
    months."""
    found: list[Period] = []
    at = now.astimezone(zone).date().replace(day=1)
    first = began.astimezone(zone).date().replace(day=1)
    quarter = ""
    while at >= first:
        whole = quarter_of(midnight(at, zone), zone)
        if whole.name != quarter:
            found.append(whole)
            quarter = whole.name
        found.append(_months(at.year, at.month, 1, zone))
        at = (at - timedelta(days=1)).replace(day=1)
    return found
