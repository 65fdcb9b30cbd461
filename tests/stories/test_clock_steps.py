"""The clock of the machine is set by a day while something fails: nothing is told early, twice or apart."""

from collections import Counter
from datetime import timedelta

import pytest

from monitor.core.effect import Gap, Happened, Missed, Saved, Silenced
from monitor.core.intent import Notice
from monitor.core.module import Priority
from monitor.core.route import Route, Step
from monitor.core.silence import Scope
from monitor.core.word import Acknowledge
from tests.stories.beats import Story, module, observation, story

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CHAIN = Route((Step(("pager",)), Step(("boss",), 10 * MINUTE, True)))
BOTH = pytest.mark.parametrize("by", [DAY, -DAY], ids=["forward", "back"])


def failing() -> Story:
    """Checkout needs the catalog, which has been down for three minutes."""
    urgent = Priority.URGENT
    modules = (module("checkout", "catalog", priority=urgent), module("catalog", priority=urgent))
    return story(*modules, routes=(CHAIN,)).play({"catalog": "++" + "-" * 6, "checkout": "+" * 8})


def set_clock(told: Story, by: timedelta) -> None:
    """As the application tells it, before anything comes due by the new time."""
    told.now += by
    told.asked = [(at + by, ask) for at, ask in told.asked]
    told._take(Missed("here", told.now, told.now, "self.clock", by))


def passing(told: Story, minutes: float, checkout: str = "+", catalog: str = "-") -> None:
    """So much time goes by."""
    for second in range(1, int(minutes * 60) + 1):
        told.now += timedelta(seconds=1)
        told.tick()
        if second % 30 == 0:
            told.feed(observation("catalog", told.now, catalog))
            told.feed(observation("checkout", told.now, checkout))


def said(told: Story) -> Counter[tuple[str, str]]:
    """Why and to whom, how often."""
    each = (one for effect in told.effects if isinstance(effect, Happened) for one in effect.said)
    return Counter((one.why, one.channel) for one in each if isinstance(one, Notice))


@BOTH
def test_what_broke_first_stays_first(by: timedelta) -> None:
    """A module that fails because of another one belongs to its incident, whatever day it is by then."""
    told = failing()
    count = len(told.effects)
    set_clock(told, by)
    assert {one.at for one in told.effects[count:] if isinstance(one, Saved)} == {told.now}
    passing(told, 5, checkout="-")
    assert told.changes == ["opened", "member_added"]
    assert told.incidents[0].cause.module == "catalog"
    assert said(told) == {("first", "pager"): 1}


@BOTH
def test_how_long_it_lasts_is_no_matter_of_the_date(by: timedelta) -> None:
    """An outage of ten minutes is one of ten minutes; its id stays."""
    told = failing()
    before = told.incidents[0]
    set_clock(told, by)
    passing(told, 6)
    passing(told, 5, catalog="+")
    after = told.incidents[-1]
    assert (told.changes, after.id) == (["opened", "resolved"], before.id)
    assert after.resolved_at is not None
    assert timedelta(minutes=8) < after.resolved_at - after.started_at < timedelta(minutes=13)


@BOTH
def test_an_acknowledgement_holds_for_half_an_hour(by: timedelta) -> None:
    """Neither shorter nor longer; the step it stops comes once."""
    told = failing()
    told.say(Acknowledge(told.incidents[0].id), by="Ana")
    passing(told, 1)
    set_clock(told, by)
    passing(told, 27)
    assert ("escalated", "boss") not in said(told)
    passing(told, 4)
    assert said(told)[("escalated", "boss")] == 1


@BOTH
def test_a_silence_lasts_as_long_as_somebody_wanted(by: timedelta) -> None:
    """What it kept back comes when its half hour is over, once."""
    told = failing()
    told.order(Silenced(Scope(), "deploy", told.now + 30 * MINUTE, everything=True, by="Ana"))
    passing(told, 1)
    set_clock(told, by)
    passing(told, 28)
    assert ("escalated", "boss") not in said(told)
    passing(told, 3)
    assert said(told)[("escalated", "boss")] == 1


def test_a_clock_that_was_set_back_while_nobody_ran_delays_nothing() -> None:
    """What is remembered lies a day ahead: the step comes ten minutes after the beginning all the same."""
    told = failing()
    told.restart(pause=-DAY.total_seconds())
    told.asked.clear()
    passing(told, 11)
    assert said(told) == {("first", "pager"): 1, ("escalated", "boss"): 1}
    passing(told, 4, catalog="+")
    assert told.changes == ["opened", "resolved"]


@BOTH
def test_a_restart_goes_on_by_the_new_clock(by: timedelta) -> None:
    """What the step changed is stored with it."""
    told = failing()
    set_clock(told, by)
    told.restart(pause=3)
    told.asked.clear()
    passing(told, 5, checkout="-")
    assert told.changes == ["opened", "member_added"]
    passing(told, 5, checkout="-")
    assert said(told) == {("first", "pager"): 1, ("escalated", "boss"): 1}


def test_nothing_is_stored_anew_by_a_clock_that_was_not_set() -> None:
    """A stall is no new time; that nobody looked meanwhile is stored, and why."""
    told = failing()
    count = len(told.effects)
    told._take(Missed("here", told.now - MINUTE, told.now, "self.stall"))
    assert told.effects[count:] == [Gap("here", told.now - MINUTE, told.now, "self.stall")]
