"""When an incident appears in public: by the rules of the configuration, by time, or by a person's word."""

from datetime import timedelta

import pytest

from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.match import Match, PublishRule
from monitor.core.module import Component, Group, Priority, Status
from monitor.core.publishing import public, withheld
from monitor.core.word import Publish, Write
from tests.core.places import look, regional, seen_from, world
from tests.stories.beats import START, Story, module, observation, story
from tests.stories.test_incidents import by_first, merged, needing

MINUTES = timedelta(minutes=1)
APPROVED = PublishRule(after=None)
GROUPS = (Group("shop", {"en": "Shop"}, (Component("pages", {"en": "Pages"}, ("catalog",)),)),)


def ruled(*rules: PublishRule, priority: Priority = Priority.HIGH, **more: object) -> Story:
    return story(module("catalog", priority=priority), publishing=rules, groups=GROUPS, **more)


def wait(told: Story, time: timedelta) -> Story:
    """Goes on failing, a run and a tick every ten seconds."""
    until = told.now + time
    while told.now < until:
        told.feed(observation("catalog", told.now + timedelta(seconds=10), "-"))
        told.tick()
    return told


def opened(told: Story) -> Incident:
    told.play({"catalog": "++----"})
    return told.incidents[0]


def rule(after: timedelta | None, **match: frozenset[str]) -> PublishRule:
    return PublishRule(Match(**match), after)


def test_without_rules_an_incident_is_public_from_the_moment_it_opens() -> None:
    one = opened(ruled())
    assert one.published_at == one.detected_at


@pytest.mark.parametrize(
    ("rules", "at_once"),
    [
        ([APPROVED], False),
        ([rule(None, priorities=frozenset({"low", "high"}))], False),
        ([rule(None, priorities=frozenset({"low"}))], True),
        ([rule(None, modules=frozenset({"catalog"}))], False),
        ([rule(None, modules=frozenset({"checkout"}))], True),
        ([rule(None, groups=frozenset({"shop"}))], False),
        ([rule(None, groups=frozenset({"shop"}), priorities=frozenset({"low"}))], True),
        ([rule(timedelta(0), groups=frozenset({"shop"})), APPROVED], True),
        ([rule(timedelta(0), groups=frozenset({"other"})), APPROVED], False),
    ],
)
def test_the_first_rule_that_fits_wins(rules: list[PublishRule], at_once: bool) -> None:
    """All that it names must fit; where none does it is at once."""
    assert (opened(ruled(*rules)).published_at is not None) is at_once


def test_a_draft_is_judged_and_told_as_any_other() -> None:
    """It opens, is public once its time has come, and ends."""
    told = ruled(rule(5 * MINUTES))
    one = opened(told)
    assert one.published_at is None
    assert told.changes == ["opened"]
    wait(told, 3 * MINUTES)
    assert told.incidents[0].published_at is None
    wait(told, 2 * MINUTES)
    after = told.incidents[0]
    assert after.published_at is not None
    assert 5 * MINUTES <= after.published_at - one.detected_at < 5 * MINUTES + timedelta(seconds=11)
    assert after.told_at == after.published_at


def test_time_goes_on_across_a_restart() -> None:
    """What was missed meanwhile is made up for at the first tick."""
    told = ruled(rule(5 * MINUTES))
    opened(told)
    told.restart(pause=600)
    told.tick()
    assert told.incidents[0].published_at == told.now


def test_what_ends_as_a_draft_never_appears_unless_a_person_says_so() -> None:
    told = ruled(rule(30 * MINUTES))
    told.play({"catalog": "++----++++++"})
    (one,) = told.incidents
    assert (one.is_open, one.published_at) == (False, None)
    told.now += timedelta(hours=2)
    told.tick()
    assert told.incidents[0].published_at is None
    told.say(Publish(one.id))
    assert told.incidents[0].published_at == told.now


def test_an_update_of_a_person_does_not_publish() -> None:
    """Somebody may write while others still look."""
    told = ruled(APPROVED)
    one = opened(told)
    told.say(Write(one.id, {"en": "We look."}))
    assert told.incidents[0].published_at is None


def test_the_rules_are_looked_at_again_when_it_worsens() -> None:
    """From slow to down its priority rises, and with it the rule."""
    told = ruled(rule(None, priorities=frozenset({"normal", "low"})), priority=Priority.URGENT)
    told.play({"catalog": "++" + "~" * 8 + "-" * 8})
    (one,) = told.incidents
    assert told.changes[:2] == ["opened", "worsened"]
    assert one.published_at is not None
    assert one.published_at > one.detected_at


def test_new_rules_hold_for_drafts_and_never_take_back_what_is_public() -> None:
    told = ruled(APPROVED)
    opened(told)
    told.reconfigure(ruled().board.platform)
    told.tick()
    at = told.incidents[0].published_at
    assert at is not None
    told.reconfigure(ruled(APPROVED).board.platform)
    wait(told, MINUTES)
    assert told.incidents[0].published_at == at


def test_trouble_of_a_place_follows_the_rules_too() -> None:
    told = world(*seen_from("a", "b", "c"))
    told.reconfigure(type(told.board.platform)(**{**vars(told.board.platform), "publishing": (APPROVED,)}))
    look(told, {"x": "++------", "y": "+" * 8, "z": "+" * 8})
    assert regional(told)[0].published_at is None


def test_a_draft_that_takes_a_public_incident_in_becomes_public() -> None:
    """Readers of the younger one are sent to it."""
    told = story(
        needing("cart", "prices"),
        needing("checkout", "prices"),
        module("prices"),
        publishing=(rule(None, modules=frozenset({"cart"})),),
    )
    told.play({"cart": "++----------", "checkout": "++----------", "prices": "+++++-------"}, extra=False)
    older, younger = by_first(told)["cart"], by_first(told)["checkout"]
    assert younger.merged_into == older.id
    assert younger.published_at is not None
    assert older.published_at is not None
    assert older.published_at > older.detected_at


def test_without_rules_joining_changes_nothing_of_when_they_appeared() -> None:
    for one in merged().incidents:
        assert one.published_at == one.detected_at


def test_readers_know_that_something_fails_whose_incident_they_do_not_see() -> None:
    """The board for them has no draft in it, and every status as it is measured."""
    told = ruled(APPROVED)
    one = opened(told)
    board, history = public(told.board, History(incidents=(one,)))
    assert (dict(board.incidents), history.incidents) == ({}, ())
    assert board.status("catalog") is Status.DOWN
    assert withheld(told.board) == {"catalog"}
    told.say(Publish(one.id))
    assert withheld(told.board) == frozenset()
    assert public(told.board, History())[0].incidents == told.board.incidents
    assert told.incidents[0].started_at > START
