"""An urgent incident on a Friday at 17:50 before a holiday: who is told, when, by what, and what the clocks say."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.cli import main
from monitor.core.effect import Missed, Silenced
from monitor.core.incident import Stage
from monitor.core.observation import stamp
from monitor.core.service import clocks
from monitor.core.silence import Scope
from monitor.core.word import Acknowledge, Write
from tests.stories.long_weekend import MINUTE, ZONE, Weekend, platform, there, written

FRIDAY = there(10, 30, 17, 50)
TUESDAY = there(11, 3, 10, 0)
TOLD = [
    "Fri 17:50 first pager chat acme-team bolt-team cora-team dune-team echo-team",
    "Fri 18:05 escalated phone",
    "Fri 18:20 clock:global:response:50 acme-team bolt-team",
    "Fri 18:35 escalated ana",
    "Fri 18:38 clock:global:response:80 acme-team bolt-team",
    "Fri 18:50 clock:global:response:100 acme-team bolt-team ana",
    "Fri 18:50 clock:global:update:50 acme-team bolt-team",
    "Fri 19:26 clock:global:update:80 acme-team bolt-team",
    "Fri 19:50 clock:global:update:100 acme-team bolt-team ana",
    "Tue 09:20 clock:enterprise:response:50 cora-team dune-team",
    "Tue 09:38 clock:enterprise:response:80 cora-team dune-team",
    "Tue 09:50 clock:enterprise:response:100 cora-team dune-team",
]


def test_an_urgent_incident_before_a_long_weekend_is_told_to_the_minute() -> None:
    """The teams of a plan with hours hear of its limit on Tuesday, those of one without on Friday night; nobody hears
    of a clock of a plan that promises none."""
    weekend = Weekend(FRIDAY)
    weekend.until(TUESDAY)
    assert weekend.told() == TOLD
    assert weekend.events() == ["clock_warning", "clock_warning", "clock_breached"] * 3


def test_at_noon_on_a_weekend_or_a_holiday_the_telephone_rings() -> None:
    """As it does at night: all of it lies outside of business hours; at noon on a Tuesday it waits for the evening."""
    for month, day in ((10, 31), (11, 2)):
        weekend = Weekend(there(month, day, 12, 0))
        weekend.until(there(month, day, 12, 16))
        assert weekend.told()[-1].split(" ", 2)[1:] == ["12:15", "escalated phone"]
    weekend = Weekend(there(11, 3, 12, 0))
    weekend.until(there(11, 3, 18, 1))
    assert [one for one in weekend.told() if "phone" in one] == ["Tue 18:00 escalated phone"]


@pytest.mark.slow
def test_the_clocks_stand_still_over_the_weekend() -> None:
    """Ten minutes of the hour pass on Friday, the others on Tuesday."""
    weekend = Weekend(FRIDAY)
    for day, hour, used in ((30, 18, 10), (31, 12, 10), (2, 12, 10), (3, 9, 10)):
        at = there(10 if day >= 30 else 11, day, hour)
        weekend.until(at)
        by_plan = {(one.plan, one.kind): one for one in clocks(platform().plans, weekend.incident)}
        assert by_plan["enterprise", "response"].used(weekend.at(at)) * 60 == pytest.approx(used)
        assert not by_plan["enterprise", "response"].is_running(weekend.at(at)) or day == 3
        assert by_plan["global", "response"].used(weekend.at(at)) * 60 == pytest.approx(
            (weekend.at(at) - weekend.since).total_seconds() / 60
        )


def test_who_says_mine_stops_the_clock_of_the_answer() -> None:
    """At 18:05, before the telephone: nobody hears of that limit any more, of the next word they still do."""
    weekend = Weekend(FRIDAY)
    weekend.until(there(10, 30, 18, 4))
    weekend.story.say(Acknowledge(weekend.id), by="Bo")
    weekend.until(TUESDAY)
    assert not any(":response:" in one for one in weekend.told())
    assert [one for one in weekend.clocks() if ":update:" in one] == [one for one in TOLD if ":update:" in one]
    assert "Fri 18:05 escalated phone" not in weekend.told()


def test_a_word_for_readers_begins_the_next_wait() -> None:
    """It is an answer as well."""
    weekend = Weekend(FRIDAY)
    weekend.until(there(10, 30, 18, 30))
    weekend.story.say(Write(weekend.id, {"en": "We are at it."}), by="Bo")
    weekend.until(TUESDAY)
    assert weekend.clocks() == [
        "Fri 18:20 clock:global:response:50 acme-team bolt-team",
        "Fri 19:30 clock:global:update:50 acme-team bolt-team",
        "Fri 20:06 clock:global:update:80 acme-team bolt-team",
        "Fri 20:30 clock:global:update:100 acme-team bolt-team ana",
    ]


@pytest.mark.slow
def test_what_ends_over_the_weekend_is_no_longer_due() -> None:
    """Whether it ends by itself or a person ends it; whoever heard of it hears that it is over."""
    for by_hand in (False, True):
        weekend = Weekend(FRIDAY)
        weekend.until(there(10, 31, 12))
        if by_hand:
            weekend.story.say(Write(weekend.id, {}, Stage.RESOLVED), by="Bo")
        weekend.outcome = "+"
        weekend.until(TUESDAY)
        assert not any("enterprise" in one for one in weekend.clocks())
        (over,) = (one for one in weekend.told() if " resolved " in one)
        assert {"pager", "cora-team", "dune-team", "acme-team", "bolt-team", "phone", "ana"} <= set(over.split())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("holidays", "day"),
    [("", "Mon"), ("2026-11-02, 2026-11-03", "Wed"), ("2026-10-30, 2026-11-02", "Tue"), ("BR-SP", "Tue")],
)
def test_holidays_on_either_side(holidays: str, day: str) -> None:
    """A Friday that is a holiday itself gives the hour no minutes."""
    weekend = Weekend(FRIDAY, holidays=holidays)
    weekend.until(there(11, 5, 12))
    later = ("09:30", "09:48", "10:00") if "10-30" in holidays else ("09:20", "09:38", "09:50")
    assert [one[:9] for one in weekend.clocks() if "enterprise" in one] == [f"{day} {at}" for at in later]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Asia/Kolkata", "Pacific/Auckland", "UTC"])
def test_another_place_reads_its_own_clock(zone: str) -> None:
    """Also where clocks are put back on that Sunday."""
    weekend = Weekend(FRIDAY, zone=zone)
    weekend.until(TUESDAY)
    assert weekend.told() == TOLD


@pytest.mark.slow
def test_an_hour_that_comes_twice_is_two_hours() -> None:
    """Of a plan without hours, in the night in which clocks are put back."""
    weekend = Weekend(there(11, 1, 1, 0), zone="America/New_York")
    weekend.until(there(11, 1, 4, 0))
    answers = [one for one in weekend.clocks() if "global:response" in one]
    assert [one[:9] for one in answers] == ["Sun 01:30", "Sun 01:48", "Sun 01:00"]  # an hour later, at one again


@pytest.mark.slow
def test_what_is_not_urgent_waits_for_hours() -> None:
    """The team of a plan hears of a high incident when its hours begin, and its clock runs from then on."""
    weekend = Weekend(FRIDAY, priority="high")
    weekend.until(there(11, 3, 13, 0))
    assert [one for one in weekend.clocks() if "enterprise" in one] == [
        "Tue 10:50 clock:enterprise:response:50 cora-team dune-team",
        "Tue 12:02 clock:enterprise:response:80 cora-team dune-team",
        "Tue 12:50 clock:enterprise:response:100 cora-team dune-team",
    ]
    assert not any("clock:global" in one for one in weekend.clocks())


@pytest.mark.slow
def test_a_silence_keeps_back_what_is_due_and_tells_the_most_of_it_then() -> None:
    """One notice for a clock of which more than one was kept back."""
    weekend = Weekend(FRIDAY)
    until = weekend.at(there(10, 30, 19, 0))
    weekend.story.order(Silenced(Scope(incident=weekend.id), "known", until, by="Bo"))
    weekend.until(TUESDAY)
    assert [one for one in weekend.clocks() if "global:response" in one] == [
        "Fri 19:00 clock:global:response:100 acme-team bolt-team ana"
    ]


def test_a_monitor_that_was_away_tells_once_what_it_missed() -> None:
    """E.g. from Friday night to Tuesday noon: the end of each limit, and not its halves."""
    weekend = Weekend(FRIDAY)
    weekend.until(there(10, 30, 18, 10))
    weekend.story.now = weekend.at(there(11, 3, 12))
    weekend.restart()
    weekend.story.tick()
    assert weekend.clocks() == [
        "Tue 12:00 clock:global:response:100 acme-team bolt-team ana",
        "Tue 12:00 clock:global:update:100 acme-team bolt-team ana",
        "Tue 12:00 clock:enterprise:response:100 cora-team dune-team",
    ]


@pytest.mark.slow
def test_a_clock_that_is_set_tells_nothing_early() -> None:
    """What had forty minutes left has forty minutes left by any clock; what it says now is when the incident began, for
    plans with hours too. What was told is not told again."""
    weekend = Weekend(FRIDAY)
    weekend.until(there(10, 30, 18, 25))
    story, by = weekend.story, timedelta(days=1)
    story.now += by
    weekend.seen += by
    story._take(Missed("here", story.now, story.now, "self.clock", by))
    weekend.until(TUESDAY)
    assert [one[:9] for one in weekend.clocks() if "global:response" in one] == ["Fri 18:20", "Sat 18:38", "Sat 18:50"]
    assert [one[:9] for one in weekend.clocks() if "enterprise" in one] == ["Tue 09:30", "Tue 09:48", "Tue 10:00"]


def test_a_holiday_that_is_written_meanwhile_counts() -> None:
    """A reload moves what is to come, and tells nothing twice."""
    weekend = Weekend(FRIDAY, holidays="")
    weekend.until(there(10, 31, 12))
    weekend.story.reconfigure(platform())
    weekend.until(TUESDAY)
    assert weekend.told() == TOLD


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.sets(st.integers(0, 88 * 60), max_size=3))
def test_a_restart_at_any_minute_changes_nothing_that_is_told(minutes: set[int]) -> None:
    """The same, to the same channels, at the same minute."""
    weekend = Weekend(FRIDAY)
    for minute in sorted(minutes):
        weekend.until(FRIDAY + timedelta(minutes=minute))
        weekend.restart()
    weekend.until(TUESDAY)
    assert weekend.told() == TOLD


@pytest.mark.slow
def test_the_program_says_the_same_of_a_recording(tmp_path: Path) -> None:
    """`monitor replay` of what was seen from Friday to Tuesday, every ten minutes."""
    zone, seen = ZoneInfo(ZONE), []
    at, end = (moment.replace(tzinfo=zone).astimezone(UTC) for moment in (FRIDAY - 10 * MINUTE, TUESDAY))
    while at <= end:
        common = {"module": "checkout", "probe": "ask", "location": "here", "address": "127.0.0.1:9"}
        dated = {"at": stamp(at), "scheduled_at": stamp(at), "duration": 0, "failure": {"code": "tls.cert_expired"}}
        seen.append(json.dumps({**common, **dated}))
        at += 10 * MINUTE
    config, recording = tmp_path / "probes.yaml", tmp_path / "seen.jsonl"
    config.write_text(written().replace("interval: 1h", "interval: 10m"))
    recording.write_text("\n".join(seen) + "\n")
    done = CliRunner().invoke(main, ["replay", str(recording), "--config", str(config)])
    told: dict[tuple[str, str], list[str]] = {}
    for one in map(json.loads, done.stdout.splitlines()):
        if one["event"] == "notice" and one["why"] != "reminder":
            there = datetime.fromisoformat(one["at"]).astimezone(zone)
            told.setdefault((f"{there:%a %H:%M}", one["why"]), []).append(one["channel"])
    assert sorted(f"{at} {why} {' '.join(names)}" for (at, why), names in told.items()) == sorted(TOLD)
