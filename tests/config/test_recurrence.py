"""When windows of planned work take place: rules on the clock of the wall, through both of its changes."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.recurrence import MOST, plan_of, starts, wall_of, windows_of, wrong_with
from monitor.core.maintenance import Window
from tests.config.support import parsed

HOUR = timedelta(hours=1)
FAR = timedelta(days=90)


def window(begins: str, rule: str | None, zone: str, hours: float = 1) -> Window:
    """A window that begins when the clock of a zone shows this for the first time."""
    local = datetime.fromisoformat(begins).replace(tzinfo=ZoneInfo(zone))
    first = local.astimezone(UTC)
    return Window("w", {"en": "Works"}, first, first + hours * HOUR, zone, wall_of(local, zone), rule)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "begins", "expected"),
    [
        # New York goes from 02:00 to 03:00 on 8 March 2026: 02:30 is read as before the change, 03:30 in summer time.
        pytest.param("America/New_York", "2026-03-07T02:30", ["07 07:30", "08 07:30", "09 06:30"], id="NY, spring"),
        # 01:30 occurs twice on 1 November 2026; the first one, still summer time, is meant.
        pytest.param("America/New_York", "2026-10-31T01:30", ["31 05:30", "01 05:30", "02 06:30"], id="NY, autumn"),
        pytest.param("Europe/Madrid", "2026-03-28T02:30", ["28 01:30", "29 01:30", "30 00:30"], id="Madrid, spring"),
        pytest.param("Europe/Madrid", "2026-10-24T02:30", ["24 00:30", "25 00:30", "26 01:30"], id="Madrid, autumn"),
        # Brazil had summer time until 2019; midnight of 4 November 2018 did not exist.
        pytest.param("America/Sao_Paulo", "2018-11-03T00:30", ["03 03:30", "04 03:30", "05 02:30"], id="SP, 2018"),
        pytest.param("America/Sao_Paulo", "2019-02-15T23:30", ["16 01:30", "17 01:30", "18 02:30"], id="SP, 2019"),
    ],
)
def test_a_daily_window_keeps_its_time_on_the_wall(zone: str, begins: str, expected: list[str]) -> None:
    """Day by day through the change; every day has its window, and each takes as long as the first."""
    one = window(begins, "FREQ=DAILY", zone)
    found = starts(one, one.begins, one.begins + 2 * timedelta(days=1) + 2 * HOUR)
    assert [f"{start:%d %H:%M}" for start in found] == expected


def test_a_window_that_begins_in_a_skipped_hour_keeps_its_time_on_other_days() -> None:
    """The first time is moved by the change, the others are at 02:30 as written."""
    one = window("2026-03-08T02:30", "FREQ=DAILY", "America/New_York")
    local = [
        f"{start.astimezone(ZoneInfo('America/New_York')):%d %H:%M}"
        for start in starts(one, one.begins, one.begins + FAR)
    ]
    assert local[:3] == ["08 03:30", "09 02:30", "10 02:30"]


def test_a_window_over_a_change_takes_its_time_not_that_of_the_wall() -> None:
    """Three hours from 01:00 end at 05:00 in spring and at 03:00 in autumn."""
    for begins, end in (("2026-03-29T01:00", "05:00"), ("2026-10-25T01:00", "03:00")):
        one = window(begins, None, "Europe/Madrid", hours=3)
        assert f"{one.ends.astimezone(ZoneInfo('Europe/Madrid')):%H:%M}" == end


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=SU", ["11-29", "12-06", "12-13"]),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU", ["11-29", "12-13", "12-27"]),
        ("FREQ=MONTHLY;BYDAY=1MO", ["12-07", "01-04", "02-01"]),
        ("FREQ=MONTHLY;BYDAY=-1FR", ["11-27", "12-25", "01-29"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", ["11-30", "12-31", "01-31"]),
        ("FREQ=MONTHLY;BYDAY=TU,TH;BYSETPOS=2", ["12-03", "01-07", "02-04"]),
        ("FREQ=DAILY;COUNT=2", ["11-27", "11-28"]),
        ("FREQ=DAILY;UNTIL=20261129", ["11-27", "11-28", "11-29"]),
        ("FREQ=DAILY;UNTIL=20261128T050000Z", ["11-27", "11-28"]),
        ("FREQ=DAILY;UNTIL=20261128T045959Z", ["11-27"]),
        ("FREQ=DAILY;UNTIL=20261128T020000", ["11-27", "11-28"]),
        ("FREQ=YEARLY", ["11-27"]),
        ("FREQ=HOURLY;INTERVAL=24;BYHOUR=3", []),
    ],
)
def test_rules_mean_what_rfc_5545_says(rule: str, expected: list[str]) -> None:
    """Written on Friday 27 November 2026, 02:00 in São Paulo, which is 05:00 UTC; the next 90 days."""
    one = window("2026-11-27T02:00", rule, "America/Sao_Paulo")
    found = [f"{start:%m-%d}" for start in starts(one, one.begins - HOUR, one.begins + FAR)]
    assert found[: len(expected) or None][:3] == expected


def test_work_going_on_is_there_and_what_is_over_is_not() -> None:
    """A monitor that starts in the middle of a window knows of it."""
    one = window("2026-11-27T02:00", "FREQ=DAILY", "UTC", hours=2)
    assert starts(one, at("2026-11-28T03:00"), at("2026-11-28T04:00")) == (at("2026-11-28T02:00"),)
    assert starts(one, at("2026-11-28T04:00"), at("2026-11-28T05:00")) == ()
    once = window("2026-11-27T02:00", None, "UTC", hours=2)
    assert starts(once, at("2026-11-27T03:00"), at("2026-11-27T03:00")) == (once.begins,)
    assert starts(once, at("2026-11-27T04:00"), at("2027-11-27T04:00")) == ()


def test_an_hour_that_is_skipped_is_no_second_time_of_the_next() -> None:
    """02:30 is read as 03:30 in the night of the change, which has one of its own: two starts at once are one."""
    one = window("2026-03-29T00:30", "FREQ=HOURLY", "Europe/Madrid")
    found = starts(one, one.begins, one.begins + 4 * HOUR)
    assert found == tuple(one.begins + hours * HOUR for hours in range(5))


def test_a_rule_of_many_starts_gives_the_next_ones() -> None:
    """Each hour and minute of the day: the plan stays of a size that can be kept."""
    minutes = ",".join(map(str, range(60)))
    one = window("2026-11-27T02:00", f"FREQ=HOURLY;BYMINUTE={minutes}", "UTC", hours=0.01)
    ((_, found),) = plan_of([one], one.begins)
    assert len(found) == MOST
    assert found[0] == one.begins


@pytest.mark.parametrize(
    "rule",
    [
        *("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=MONTHLY;BYMONTHDAY=99", "FREQ=MONTHLY;BYMONTH=13"),
        *("FREQ=DAILY;BYHOUR=25", "FREQ=DAILY;UNTIL=20261399", "FREQ=DAILY;BYSETPOS=5;BYHOUR=1"),
    ],
)
def test_a_rule_that_never_takes_place_is_refused(rule: str) -> None:
    """Whoever writes it learns at once, and not from a window that is not there."""
    assert wrong_with(rule) is not None


def test_the_twenty_ninth_of_february_takes_place() -> None:
    assert wrong_with("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU") is None


def test_windows_of_the_file_are_read_in_their_zone() -> None:
    """One with an offset means that instant; one without an id is called by its place and beginning."""
    config = parsed(
        """
version: 1
site: {timezone: Europe/Madrid, languages: [en]}
modules: [{id: catalog, probes: []}]
maintenance:
  - {title: A, from: 2026-11-29T02:00, until: 2026-11-29T03:30, modules: [catalog], excuses: [slow, http.503, tls]}
  - {id: b, title: B, from: "2026-11-29T02:00-03:00", duration: 2h, rrule: FREQ=WEEKLY, timezone: America/Sao_Paulo}
"""
    )
    one, other = windows_of(config.sections["maintenance"])
    assert (one, other) == config.windows
    assert (one.id, one.begins, one.ends - one.begins) == ("1@2026-11-29T02:00", at("2026-11-29T01:00"), 1.5 * HOUR)
    assert (one.modules, one.excuses) == (("catalog",), ("slow", "http.503", "tls"))
    assert (other.begins, other.wall, other.rule) == (at("2026-11-29T05:00"), "2026-11-29T02:00:00", "FREQ=WEEKLY")


zones = st.sampled_from(
    ["America/Sao_Paulo", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
)


@given(
    st.dates(date(2024, 1, 1), date(2030, 1, 1)),
    st.integers(0, 24 * 60 - 1),
    st.sampled_from(["FREQ=DAILY", "FREQ=WEEKLY;BYDAY=SU,WE", "FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=DAILY;INTERVAL=3"]),
    zones,
)
def test_every_start_is_at_the_time_of_the_wall_or_in_a_change(day: date, minute: int, rule: str, zone: str) -> None:
    """In order, within the time that was asked for, none twice; off the wall's time only by what a clock skips."""
    begins = datetime(day.year, day.month, day.day, minute // 60, minute % 60).isoformat()  # noqa: DTZ001
    one = window(begins, rule, zone)
    found = starts(one, one.begins, one.begins + FAR)
    assert list(found) == sorted(set(found))
    for start in found:
        assert one.begins - HOUR <= start <= one.begins + FAR
        local = start.astimezone(ZoneInfo(zone))
        shown = datetime.fromisoformat(begins)
        if (local.hour, local.minute) != (shown.hour, shown.minute):
            before = (start - timedelta(days=1)).astimezone(ZoneInfo(zone)).utcoffset()
            assert local.utcoffset() != before


def test_the_manual_says_which_time_is_meant() -> None:
    """What is skipped and what occurs twice is documented."""
    page = (Path(__file__).parents[2] / "docs" / "maintenance.md").read_text()
    assert "03:30" in page
    assert "the first of the two" in page
