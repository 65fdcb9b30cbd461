"""Working hours: days, times of day, days off, and when they open again."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.routes import DAYS, WorkingHours, telling_of
from monitor.core.hours import Hours, open_from

from .support import parsed

ZONE = ZoneInfo("America/Sao_Paulo")


def business(calendar: str) -> Hours:
    """The hours of a channel that keeps this calendar."""
    channels = "channels: {chat: {kind: slack, url: 'https://chat.example/hook', hours: business}}"
    sections = parsed(f"{channels}\ncalendars: {{business: {{timezone: America/Sao_Paulo, {calendar}}}}}").sections
    return telling_of(sections, "UTC").hours["chat"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@pytest.mark.parametrize(
    ("calendar", "moment", "within"),
    [
        ("days: mon-fri", "2026-11-26T09:00", True),
        ("days: mon-fri", "2026-11-26T18:00", False),
        ("days: mon-fri", "2026-11-28T12:00", False),
        ("from: '22:00', until: '06:00'", "2026-11-26T23:30", True),
        ("from: '22:00', until: '06:00'", "2026-11-26T12:00", False),
        ("from: '22:00', until: '06:00'", "2026-11-28T03:00", True),  # Friday's night
        ("from: '22:00', until: '06:00'", "2026-11-30T03:00", False),  # Sunday's
        ("from: '22:00', until: '06:00', holidays: BR", "2026-12-26T03:00", False),
        ("holidays: BR", "2026-11-20T12:00", False),  # Consciência Negra, of the whole country since 2024
        ("holidays: BR", "2026-04-03T12:00", False),  # Good Friday moves
        ("holidays: BR", "2026-07-09T12:00", True),  # a day of São Paulo's own
        ("holidays: BR-SP", "2026-07-09T12:00", False),
        ("holidays: BR-SP", "2026-02-17T12:00", True),  # carnival is no public holiday
        ("holidays: [BR-SP, 2026-02-17]", "2026-02-17T12:00", False),
        ("holidays: [BR, PT]", "2026-12-08T12:00", False),
    ],
)
def test_hours_know_their_days(calendar: str, moment: str, within: bool) -> None:
    assert business(calendar).within(at(moment)) is within


def test_after_a_holiday_hours_open_on_the_next_day_of_work() -> None:
    """From the eve of a long weekend."""
    hours = business("holidays: BR-SP")
    assert hours.opens_at(at("2026-11-19T18:30")) == at("2026-11-23T09:00")
    assert hours == business("holidays: BR-SP")


ZONES = ("America/Sao_Paulo", "Europe/Berlin", "America/Santiago", "Australia/Lord_Howe", "Asia/Kathmandu")
QUARTER = timedelta(minutes=15)


def by_the_clock(zone: str, begin: int, end: int, days: frozenset[str]) -> WorkingHours:
    return WorkingHours("business", ZoneInfo(zone), days, begin, end, frozenset(), ())


@given(
    zone=st.sampled_from(ZONES),
    begin=st.integers(0, 95),
    end=st.integers(1, 96),
    days=st.frozensets(st.sampled_from(DAYS), min_size=1),
    day=st.sampled_from(["2026-03-28", "2026-10-24", "2026-04-04", "2026-09-05", "2026-06-10", "2018-11-03"]),
    minute=st.integers(0, 2 * 1440),
)
def test_hours_open_at_the_first_moment_that_lies_in_them(
    zone: str, begin: int, end: int, days: frozenset[str], day: str, minute: int
) -> None:
    """Over both changes of clocks, in zones that change by an hour, by half of one, at midnight: the opening lies in
    them, and no moment between now and then does."""
    if begin == end:
        return
    hours = by_the_clock(zone, begin * 15, end * 15, days)
    now = datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(minutes=minute)
    opens = hours.opens_at(now)
    assert opens is not None
    assert opens > now
    at = (now + QUARTER).replace(minute=(now + QUARTER).minute // 15 * 15)
    seen_closed = not hours.within(now)
    while seen_closed and at < opens:
        assert not hours.within(at), f"{at} lies in them, before {opens}"
        at += QUARTER
    assert hours.within(opens)


def test_hours_that_come_twice_open_twice() -> None:
    """When clocks are set back into them after they were over."""
    hours = by_the_clock("Europe/Berlin", 60, 150, frozenset(DAYS))
    assert hours.opens_at(datetime(2026, 10, 25, 0, 45, tzinfo=UTC)) == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)
    skipped = by_the_clock("Europe/Berlin", 120, 180, frozenset(DAYS))
    assert skipped.opens_at(datetime(2026, 3, 29, 0, 0, tzinfo=UTC)) == datetime(2026, 3, 30, 0, 0, tzinfo=UTC)


@given(st.lists(st.tuples(st.integers(0, 23), st.integers(1, 12)), min_size=1, max_size=3), st.integers(0, 1439))
def test_several_hours_open_together_or_never(spans: list[tuple[int, int]], minute: int) -> None:
    """The first moment that lies in all of them; none comes where they never meet."""
    days = frozenset(DAYS)
    each = [by_the_clock("Europe/Berlin", b * 60, (b + length) % 24 * 60 or 1440, days) for b, length in spans]
    now = datetime(2026, 3, 28, tzinfo=UTC) + timedelta(minutes=minute)
    opens = open_from(each, now)
    meets = next((h for h in range(24) if all(one.within(datetime(2026, 6, 1, h, tzinfo=UTC)) for one in each)), None)
    if opens is None:
        assert meets is None
    else:
        assert all(one.within(opens) for one in each)
