"""Working hours: days, times of day, days off, and when they open again."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.config.routes import telling_of
from monitor.core.route import Hours

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
