"""Parts of the limits that plans promise: what is to come of each, and where it goes with a clock or a calendar."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from monitor.core.deadline import KIND, forgotten, is_overtaken, plan_of, shifted, tell, timed
from monitor.core.incident import Incident
from monitor.core.intent import Withheld
from monitor.core.module import Priority
from monitor.core.told import Told, moved
from tests.store.past import incident
from tests.stories.long_weekend import HOUR, MINUTE, ZONE, platform, there

PLANS = platform()
DAY = timedelta(days=1)


def at(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    """A moment on the wall of the shop."""
    return there(month, day, hour, minute).replace(tzinfo=ZoneInfo(ZONE))


FRIDAY = at(10, 30, 17, 50)


def opened(began: datetime) -> Incident:
    """An urgent outage of checkout that was detected then."""
    return incident("checkout", began)


def due(told: Told, plan: str | None = None) -> dict[str, datetime]:
    """When what is to come, of one plan or all."""
    return {one.what: one.at for one in told.turns if one.kind == KIND and plan in (None, plan_of(one.what))}


def test_half_of_a_limit_then_four_fifths_then_all_of_it() -> None:
    """In the hours of the plan: ten of the sixty minutes of Enterprise are on Friday, the others after a holiday on
    Monday. Global runs through the night."""
    told = timed(Told(), opened(FRIDAY), PLANS)
    assert sorted(due(told, "enterprise").values()) == [at(11, 3, 9, 20), at(11, 3, 9, 38), at(11, 3, 9, 50)]
    hour, two = ([FRIDAY + share * limit for share in (0.5, 0.8, 1)] for limit in (HOUR, 2 * HOUR))
    assert sorted(due(told, "global").values()) == sorted([*hour, *two])
    assert due(told, "community") == {}
    assert timed(told, opened(FRIDAY), PLANS) == told


@pytest.mark.parametrize("by", [DAY, -DAY, 40 * MINUTE], ids=["forward", "back", "a little"])
def test_a_clock_that_was_set_leaves_what_is_to_come_as_if_it_had_begun_by_the_new_one(by: timedelta) -> None:
    """And what was told is not told again."""
    told = timed(Told(), opened(FRIDAY), PLANS)
    first = min(told.turns, key=lambda one: one.at)
    told, said = tell(told, opened(FRIDAY), first, first.at, PLANS)
    assert said
    as_new = timed(Told(), opened(FRIDAY + by), PLANS)
    set_to = shifted(moved(told, by, first.at + by), by, PLANS)
    (mark,) = set_to.clocks
    assert due(set_to) == {what: when for what, when in due(as_new).items() if what != mark}
    assert mark in due(as_new)
    assert timed(set_to, opened(FRIDAY + by), PLANS) == set_to


def test_what_is_to_come_of_a_plan_whose_hours_changed_is_reckoned_anew() -> None:
    """Monday is a working day after all; the other plan's moments stay."""
    told = timed(Told(), opened(FRIDAY), PLANS)
    without = forgotten(told, ["enterprise"])
    assert (due(without, "enterprise"), due(without, "global")) == ({}, due(told, "global"))
    anew = timed(without, opened(FRIDAY), platform(holidays="2026-11-04"))
    assert min(due(anew, "enterprise").values()) == at(11, 2, 9, 20)


def test_what_would_come_on_a_day_that_became_a_holiday_comes_on_the_next() -> None:
    """Nothing is said that day."""
    told = timed(Told(), opened(FRIDAY), platform(holidays="2026-11-04"))
    first = min((one for one in told.turns if plan_of(one.what) == "enterprise"), key=lambda one: one.at)
    assert first.at == at(11, 2, 9, 20)
    told, said = tell(told, opened(FRIDAY), first, first.at, PLANS)
    assert (due(told)[first.what], said) == (at(11, 3, 9, 20), [])


def test_of_what_passed_while_nobody_looked_only_the_last_is_told() -> None:
    """Half an hour and four fifths of it at once are four fifths; other clocks have nothing to do with it."""
    told, now = timed(Told(), opened(FRIDAY), PLANS), FRIDAY + 50 * MINUTE
    passed = {one.what: is_overtaken(told, one, now) for one in told.turns if one.at <= now}
    first, second = (one for one in passed if ":response:" in one)
    assert passed == {first: True, second: False}
    assert not any(is_overtaken(told, one, FRIDAY + 40 * MINUTE) for one in told.turns)


def test_a_channel_that_is_closed_hears_of_it_when_it_opens() -> None:
    """Where it is not urgent; the reason stands with the incident."""
    plans = tuple(replace(one, response={"high": HOUR}) for one in PLANS.plans if one.id == "global")
    shop, one = replace(PLANS, plans=plans, clients=()), replace(opened(FRIDAY), priority=Priority.HIGH)
    told = timed(Told(channels=("chat",)), one, shop)
    half = min(told.turns, key=lambda turn: turn.at)
    told, said = tell(told, one, half, half.at, shop)
    assert said == [Withheld(half.at, "hours:business", one.id)]
    (later,) = (turn for turn in told.turns if turn.what == half.what)
    assert (later.at, later.channels) == (at(11, 3, 9), ("chat",))


def test_what_was_told_of_the_first_answer_stays_told_when_an_incident_is_over() -> None:
    """It may come back, and was answered or not; the wait for the next word begins anew."""
    told, one = timed(Told(), opened(FRIDAY), PLANS), opened(FRIDAY)
    for turn in sorted(told.turns, key=lambda turn: turn.at):
        told, _ = tell(told, one, turn, turn.at, PLANS)
    assert {mark.split(":")[1] for mark in told.clocks} == {"response", "update"}
    over = timed(told, replace(one, resolved_at=FRIDAY + DAY), PLANS)
    assert {mark.split(":")[1] for mark in over.clocks} == {"response"}
    assert due(over) == {}
