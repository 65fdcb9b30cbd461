"""Who is told what about an incident, and why not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.incident import Change
from monitor.core.module import Component, Group, Priority
from monitor.core.notice import Notice, Route, Step, Told, Withheld, escalate, plan
from tests.stories.beats import START, module, story

TOLD = story(module("checkout", "catalog"), module("catalog")).play(
    {"checkout": "++" + "-" * 6, "catalog": "++" + "-" * 6}
)
(INCIDENT,) = TOLD.incidents
GROUPS = (Group("buying", {"en": "Buying"}, (Component("cart", {"en": "Cart"}, ("checkout",)),)),)
PLATFORM = replace(TOLD.board.platform, groups=GROUPS)
HIT = replace(INCIDENT, components=("cart",), priority=Priority.URGENT)
MINUTE = timedelta(minutes=1)
BOTH = Route((Step(("pager",)), Step(("chat",), 10 * MINUTE)))


def test_one_first_notice_for_each_channel_and_none_for_members() -> None:
    """Two routes to the same channel are one notice; a member is withheld with its reason."""
    told, said = plan(Told(), HIT, Change.OPENED, START, (BOTH, BOTH), PLATFORM)
    assert said == [Notice(START, "first", HIT.id, "pager")]
    _, said = plan(told, HIT, Change.MEMBER_ADDED, START + MINUTE, (BOTH,), PLATFORM)
    assert said == [Withheld(START + MINUTE, "explained_by:catalog", HIT.id)]


def test_a_step_that_is_due_is_told_once_dated_when_it_was_due() -> None:
    """Also when the look came late; not at all once the incident is over."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    assert escalate(told, START + 9 * MINUTE)[1] == []
    late, said = escalate(told, START + 60 * MINUTE)
    assert said == [Notice(START + 10 * MINUTE, "escalated", HIT.id, "chat")]
    assert escalate(late, START + 90 * MINUTE)[1] == []
    over, _ = plan(told, HIT, Change.RESOLVED, START + MINUTE, (BOTH,), PLATFORM)
    assert escalate(over, START + 60 * MINUTE)[1] == []


def test_resolved_reaches_everybody_who_heard_of_it() -> None:
    """And nobody else."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = escalate(told, START + 10 * MINUTE)
    told, said = plan(told, HIT, Change.RESOLVED, START + 20 * MINUTE, (), PLATFORM)
    assert [(one.why, one.channel) for one in said if isinstance(one, Notice)] == [
        ("resolved", "pager"),
        ("resolved", "chat"),
    ]
    assert told == Told()


@pytest.mark.parametrize("change", [Change.WORSENED, Change.MEMBER_ADDED, Change.CAUSE_CHANGED])
def test_whom_an_incident_concerns_later_hears_of_it_then(change: Change) -> None:
    """What began as a small thing and became urgent reaches the pager, once, and its steps begin at that moment."""
    mild = replace(HIT, priority=Priority.NORMAL)
    urgent = replace(BOTH, priorities=frozenset({"urgent"}))
    told, said = plan(Told(), mild, Change.OPENED, START, (urgent,), PLATFORM)
    assert said == []
    told, said = plan(told, HIT, change, START + MINUTE, (urgent,), PLATFORM)
    assert said == [Notice(START + MINUTE, change.value, HIT.id, "pager")]
    told, said = plan(told, HIT, Change.WORSENED, START + 2 * MINUTE, (urgent,), PLATFORM)
    assert said == []
    _, said = escalate(told, START + 11 * MINUTE)
    assert said == [Notice(START + 11 * MINUTE, "escalated", HIT.id, "chat")]


def test_a_relapse_is_told_as_reopened() -> None:
    """It was resolved for everybody, so everybody hears of it anew."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    told, _ = plan(told, HIT, Change.RESOLVED, START + MINUTE, (BOTH,), PLATFORM)
    _, said = plan(told, HIT, Change.REOPENED, START + 2 * MINUTE, (BOTH,), PLATFORM)
    assert said == [Notice(START + 2 * MINUTE, "reopened", HIT.id, "pager")]


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        ({}, True),
        ({"priorities": frozenset({"urgent"})}, True),
        ({"priorities": frozenset({"low"})}, False),
        ({"groups": frozenset({"buying"})}, True),
        ({"groups": frozenset({"admin"})}, False),
        ({"components": frozenset({"cart", "other"})}, True),
        ({"modules": frozenset({"catalog"})}, True),
        ({"modules": frozenset({"catalog"}), "priorities": frozenset({"low"})}, False),
    ],
)
def test_a_route_takes_what_fits_all_it_names(wanted: dict[str, frozenset[str]], fits: bool) -> None:
    """What it does not name fits everything."""
    assert Route((), **wanted).fits(HIT, PLATFORM) is fits


def test_outside_its_hours_a_route_withholds() -> None:
    """With the name of the calendar."""
    closed = replace(BOTH, hours="business", within=lambda at: False)
    _, said = plan(Told(), HIT, Change.OPENED, START, (closed,), PLATFORM)
    assert said == [Withheld(START, "hours:business", HIT.id)]


def test_an_acknowledgement_by_itself_tells_nobody() -> None:
    """Who says mine has heard of it; whoever heard still hears of the end."""
    told, _ = plan(Told(), HIT, Change.OPENED, START, (BOTH,), PLATFORM)
    after, said = plan(told, HIT, Change.ACKNOWLEDGED, START + MINUTE, (BOTH,), PLATFORM)
    assert (after, said) == (told, [])
