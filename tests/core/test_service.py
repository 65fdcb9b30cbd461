"""Clocks of plans: to the minute, over an evening, a weekend and a holiday, by the clock on the wall."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.routes import OutsideHours, WorkingHours
from monitor.core.hours import due_at, worked
from monitor.core.incident import Act, Lowered, Stage, Update
from monitor.core.module import Platform, Priority
from monitor.core.observation import stamp
from monitor.core.plan import Client, Plan
from monitor.core.service import clocks, services
from tests.store.past import incident

ZONE = ZoneInfo("America/Sao_Paulo")
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
WEEK = frozenset(("mon", "tue", "wed", "thu", "fri"))
OFFICE = WorkingHours("office", ZONE, WEEK, 9 * 60, 18 * 60, frozenset({date(2026, 11, 2)}))  # All Souls' Day, a Monday
LIMITS = {"response": {"urgent": HOUR}, "update": {"urgent": 30 * MINUTE}}
GOLD = Plan("gold", {"en": "Gold"}, clock=OFFICE, **LIMITS)
GLOBAL = Plan("global", {"en": "Global"}, **LIMITS)
FREE = Plan("free", {"en": "Free"}, clock=OFFICE)


def there(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """A moment of 2026 in São Paulo: of October from the 20th on, else of November."""
    month = 10 if day >= 20 else 11
    return datetime(2026, month, day, hour, minute, second, tzinfo=ZONE).astimezone(UTC)


FRIDAY = there(30, 17, 50)
URGENT = replace(
    incident("checkout", FRIDAY), detected_at=FRIDAY, published_at=FRIDAY, updates=(), priority=Priority.URGENT
)


def test_friday_evening_before_a_long_weekend() -> None:
    """Ten minutes of the hour pass on Friday; the rest on Tuesday from nine on. A plan without hours does not wait."""
    gold, word, around, words = clocks([GOLD, GLOBAL, FREE], URGENT)
    assert [one.at(share) for one in (gold,) for share in (0.5, 0.8, 1)] == [
        there(3, 9, 20),
        there(3, 9, 38),
        there(3, 9, 50),
    ]
    assert word.at(1) == there(3, 9, 20)
    assert (around.at(0.8), around.at(1), words.at(1)) == (there(30, 18, 38), there(30, 18, 50), there(30, 18, 20))
    for at, used, runs in (
        (there(30, 17, 56), 6, True),
        (there(30, 18), 10, False),
        (there(31, 12), 10, False),
        (there(2, 12), 10, False),
        (there(3, 9), 10, True),
        (there(3, 9, 50), 60, True),
        (there(3, 10, 50), 120, True),
    ):
        assert (gold.used(at) * 60, gold.is_running(at)) == (pytest.approx(used), runs)
    assert gold.kept is None


def test_a_clock_stops_with_the_first_answer_or_the_end() -> None:
    """And stays where it is: kept or not is told once it has stopped."""
    answered = replace(URGENT, acts=(Act(there(3, 9, 49), "acknowledged", "Ana"),))
    (gold, _) = clocks([GOLD], answered)
    assert (gold.stopped_at, gold.kept, gold.used(there(9, 12)) * 60) == (there(3, 9, 49), True, pytest.approx(59))
    late = replace(URGENT, acts=(Act(there(3, 9, 51), "acknowledged", "Ana"),))
    assert clocks([GOLD], late)[0].kept is False
    ended = replace(URGENT, resolved_at=there(30, 19), stage=Stage.RESOLVED)
    (only,) = clocks([GOLD], ended)
    assert (only.kind, only.stopped_at, only.kept) == ("response", there(30, 19), True)


def test_the_next_word_is_counted_from_the_last() -> None:
    """Whoever wrote it."""
    spoken = replace(URGENT, updates=(Update(there(3, 9, 10), Stage.IDENTIFIED, "x"),))
    assert clocks([GOLD], spoken)[1].at(1) == there(3, 9, 40)


def test_who_is_promised_nothing_has_no_clock() -> None:
    """Neither has a priority without a limit."""
    assert clocks([FREE], URGENT) == []
    assert clocks([GOLD], replace(URGENT, priority=Priority.LOW)) == []


def test_hours_that_never_open_keep_every_promise() -> None:
    """Nothing passes, and nothing is ever due."""
    never = replace(OFFICE, days=frozenset())
    assert (worked(never, FRIDAY, FRIDAY + timedelta(days=9)), due_at(never, FRIDAY, MINUTE)) == (timedelta(0), None)


def test_what_lasts_until_closing_time_is_due_then() -> None:
    """Not when the hours open again."""
    assert due_at(OFFICE, FRIDAY, 10 * MINUTE) == there(30, 18)


moments = st.integers(0, 20 * 86400).map(lambda second: datetime(2026, 10, 25, tzinfo=UTC) + timedelta(seconds=second))


@given(moments, st.integers(1, 12 * 3600))
def test_what_is_due_is_due_when_so_much_has_passed(since: datetime, seconds: int) -> None:
    """To the second, and not a second before."""
    limit = timedelta(seconds=seconds)
    due = due_at(OFFICE, since, limit)
    assert due is not None
    assert worked(OFFICE, since, due) == limit
    assert worked(OFFICE, since, due - timedelta(seconds=1)) == limit - timedelta(seconds=1)


@given(moments, st.integers(0, 5 * 86400))
def test_another_program_counts_the_same(since: datetime, seconds: int) -> None:
    """A look at the clock on the wall at every minute."""
    since = since.replace(second=0)
    until = since + timedelta(minutes=seconds // 60)
    looks = (since + n * MINUTE for n in range((until - since) // MINUTE))
    local = (at.astimezone(ZONE) for at in looks)
    count = sum(9 <= at.hour < 18 and at.weekday() < 5 and at.date() != date(2026, 11, 2) for at in local)
    assert worked(OFFICE, since, until) == count * MINUTE


@given(
    st.integers(0, 1439),
    st.integers(0, 1440),
    st.integers(0, 4 * 1440),
    st.integers(0, 3 * 1440),
    st.sampled_from(["America/New_York", "Australia/Lord_Howe", "Europe/Lisbon"]),
    st.sampled_from([date(2026, 10, 3), date(2026, 10, 24), date(2026, 10, 31), date(2026, 3, 7), date(2026, 3, 28)]),
)
def test_hours_of_any_shape_over_a_change_of_clocks(
    begin: int, end: int, after: int, length: int, zone: str, day: date
) -> None:
    """Counted minute by minute they are as long."""
    hours = WorkingHours("odd", ZoneInfo(zone), WEEK | {"sun"}, begin, end, frozenset())
    since = datetime(day.year, day.month, day.day, tzinfo=UTC) + after * MINUTE
    count = sum(hours.within(since + n * MINUTE) for n in range(length))
    assert worked(hours, since, since + length * MINUTE) == count * MINUTE


@given(moments, st.integers(0, 6 * 1440))
def test_outside_of_hours_is_every_other_hour(since: datetime, length: int) -> None:
    """Together they are all of the time; the weekend and the holiday lie outside."""
    closed, until = OutsideHours("closed", OFFICE), since + length * MINUTE
    assert worked(OFFICE, since, until) + worked(closed, since, until) == length * MINUTE
    for at in (since, until):
        assert closed.within(at) is not OFFICE.within(at)
    assert closed.opens_at(there(30, 17, 50)) == there(30, 18)
    assert closed.closes_at(there(31, 12)) == there(3, 9)
    assert closed.opens_at(there(2, 12)) == there(3, 18)


def test_hours_that_never_close_are_all_of_the_time() -> None:
    """Seven days a week, twenty-four hours a day."""
    always, since = WorkingHours("always", ZONE, WEEK | {"sat", "sun"}, 0, 1440, frozenset()), there(30, 17, 50)
    assert always.closes_at(since) is None
    assert worked(always, since, since + 9000 * MINUTE) == 9000 * MINUTE
    assert due_at(always, since, 9000 * MINUTE) == since + 9000 * MINUTE


def test_a_clock_runs_for_weeks() -> None:
    """200 hours, nine a day: 22 days of work and 110 minutes, without weekends and holidays."""
    slow = Plan("slow", {"en": "Slow"}, clock=OFFICE, response={"urgent": 200 * HOUR})
    (one,) = clocks([slow], URGENT)
    due = datetime(2026, 12, 3, 10, 50, tzinfo=ZONE).astimezone(UTC)
    assert (one.at(1), one.used(due)) == (due, pytest.approx(1))
    assert one.used(due + timedelta(days=1)) > 1
    around = Plan("around", {"en": "Around"}, response={"urgent": timedelta(days=40)})
    (one,) = clocks([around], URGENT)
    assert one.used(FRIDAY + timedelta(days=60)) == pytest.approx(1.5)


def test_what_was_opened_by_hand_was_answered_by_its_own_text() -> None:
    """A person told readers at that moment. Nobody has read a draft, so the clock runs on until it is published."""
    text = Update(FRIDAY, Stage.INVESTIGATING, "said", author="person", body={"en": "We are at it."})
    by_hand = replace(URGENT, by_hand=True, updates=(text,))
    (response, word) = clocks([GLOBAL], by_hand)
    assert (response.stopped_at, response.kept, word.since) == (FRIDAY, True, FRIDAY)
    draft = replace(by_hand, published_at=None)
    (response, word) = clocks([GLOBAL], draft)
    assert (response.stopped_at, word.since, word.at(1)) == (None, FRIDAY, FRIDAY + 30 * MINUTE)
    public = replace(draft, published_at=FRIDAY + 40 * MINUTE)
    (response, word) = clocks([GLOBAL], public)
    assert (response.stopped_at, response.kept, word.since) == (FRIDAY + 40 * MINUTE, True, FRIDAY + 40 * MINUTE)
    later = Update(FRIDAY + 5 * MINUTE, Stage.IDENTIFIED, "said", author="person", body={"en": "Found."})
    (_, silent) = services([GLOBAL], [replace(public, updates=(text, later))], FRIDAY + 41 * MINUTE)
    assert silent.worst_seconds == 60


def test_what_was_answered_in_a_ticket_counts_for_the_plan_of_its_store() -> None:
    """As first answer and as next word; of a ticket of no store for every plan."""
    at = FRIDAY + 20 * MINUTE
    for plan, gold, world in (("gold", at, None), ("global", None, at), (None, at, at)):
        act = Act(there(3, 9), "replied", "tickets", "x", {"at": stamp(at), "ticket": "1", "store": None, "plan": plan})
        found = {(one.plan, one.kind): one for one in clocks([GOLD, GLOBAL], replace(URGENT, acts=(act,)))}
        assert (found["gold", "response"].stopped_at, found["global", "response"].stopped_at) == (gold, world)
        assert (found["gold", "update"].since, found["global", "update"].since) == (gold or FRIDAY, world or FRIDAY)
        told = services([GOLD, GLOBAL], [replace(URGENT, acts=(act,))], there(3, 9))
        kept = {one.plan: one.kept for one in told if one.kind == "response"}
        assert kept == {"gold": int(gold is not None), "global": int(world is not None)}


def test_the_wait_for_a_word_is_counted_at_each_priority_by_itself() -> None:
    """From when it was lowered at the lower one; kept once that is over, and not before."""
    plan = Plan("both", {"en": "Both"}, update={"urgent": 30 * MINUTE, "normal": 2 * HOUR})
    low = Lowered(FRIDAY + 20 * MINUTE, Priority.URGENT, Priority.NORMAL)
    going_on = replace(URGENT, priority=Priority.NORMAL, lowered=low)
    ended = replace(going_on, resolved_at=FRIDAY + 100 * MINUTE, stage=Stage.RESOLVED)
    for one, kept in ((going_on, 0), (ended, 1)):
        urgent, normal = services([plan], [one], FRIDAY + 100 * MINUTE)
        assert (urgent.worst_seconds, urgent.kept, urgent.broken) == (20 * 60, 1, 0)
        assert (normal.worst_seconds, normal.kept, normal.broken) == (80 * 60, kept, 0)


def test_a_promise_is_counted_for_the_plans_of_the_stores_it_concerns() -> None:
    """Where stores are named at all."""
    stores = (Client("acme", "Acme", "gold"),)
    for clients, counted in (((), {"gold": 1, "global": 1}), (stores, {"gold": 1, "global": 0})):
        found = services(
            [GOLD, GLOBAL], [URGENT], there(3, 12), Platform({}, clients=clients, stores=frozenset({"acme"}))
        )
        assert {one.plan: one.asked for one in found if one.kind == "response"} == counted


def test_the_report_counts_what_the_clock_does() -> None:
    """An answer in the last minute keeps the promise in both."""
    for minute, kept in ((50, 1), (51, 0)):
        one = replace(URGENT, acts=(Act(there(3, 9, minute), "acknowledged", "Ana"),))
        (response, _) = services([GOLD], [one], there(3, 10))
        assert (response.kept, bool(clocks([GOLD], one)[0].kept)) == (kept, bool(kept))
