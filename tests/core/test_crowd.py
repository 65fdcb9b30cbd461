"""Crowds: nobody is lost and nobody is told twice, however members come and go and wherever a restart falls."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import crowd as crowds
from monitor.core.board import Board
from monitor.core.effect import Effect, Happened, Saved, Ticked
from monitor.core.module import Platform, Status
from monitor.core.step import step
from tests.core.places import look, seen_from
from tests.core.places import world as placed
from tests.core.worlds import Beat, days, live, worlds
from tests.depth import examples
from tests.stories.beats import START, module, story

FAILING = (Status.DOWN, Status.DEGRADED)


@contextmanager
def crowds_from(members: int) -> Iterator[None]:
    """A crowd is as small as this, so that small worlds have some."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(crowds, "CROWD", members)
        yield


def hold_together(board: Board) -> None:
    """Who fails is a member of exactly one open incident that has not answered, and members are as they are known."""
    members = [m for one in board.incidents.values() if one.is_open for m in one.members if m.until is None]
    names = [member.module for member in members]
    assert len(names) == len(set(names))
    assert {id for id, one in board.modules.items() if one.status in FAILING} <= set(names)
    for member in members:
        assert member.status in (board.status(member.module), Status.UNKNOWN)


def stored(effects: Iterable[Effect]) -> dict[str, object]:
    return {one.incident.id: one.incident for one in effects if isinstance(one, Saved)}


@settings(max_examples=examples(40))
@given(worlds(), days(kinds=("tick", "reload", "canaries")))
def test_members_of_crowds_are_counted_in_at_once_and_stored_with_the_next_tick(
    world: Platform, beats: list[Beat]
) -> None:
    with crowds_from(2):
        run = live(world, beats)
        for _, _, _, board in run.steps:
            hold_together(board)
        *_, (_, _, _, board) = run.steps
        board, last = step(board, Ticked(), run.ended_at)
    assert not board.unsaid
    known = stored([*run.effects, *last])
    for id, incident in board.incidents.items():
        assert known[id] == incident


@settings(max_examples=examples(40))
@given(worlds(), days(), st.integers(0, 60))
def test_who_was_not_stored_yet_when_the_monitor_was_killed_is_counted_in_afterwards(
    world: Platform, beats: list[Beat], restart_at: int
) -> None:
    with crowds_from(2):
        for _, _, _, board in live(world, beats, restart_at).steps:
            hold_together(board)


def test_all_that_happens_within_a_second_is_one_entry_and_one_event() -> None:
    victims = [module(f"m{number}", "root") for number in range(20)]
    with crowds_from(5):
        told = story(module("root"), *victims)
        told.play({one: "++++----------++++++++" for one in ("root", *(v.id for v in victims))})
    (incident,) = told.incidents
    assert len(incident.members) == 21
    assert incident.resolved_at is not None
    kinds = [update.kind for update in incident.updates]
    assert kinds.count("member_added") < 10
    assert 1 <= kinds.count("member_cleared") <= 2
    named = [id for one in incident.updates for id in one.params.get("modules", [one.params.get("module")])]
    assert {v.id for v in victims} <= set(named)
    events = [effect for effect in told.effects if isinstance(effect, Happened)]
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    assert incident.started_at > START


def test_who_fails_by_what_a_crowd_shares_belongs_to_it_and_nobody_else_does() -> None:
    """The certificate of one host: another module there is one of them, a module on another host is not."""
    several, other = seen_from(*"abcd", hosts=1, places=("x",)), seen_from("h", "e", hosts=2, places=("x",))[1]
    late = {"d@x": "+++++++x", "e@x": "+++++++x"}
    with crowds_from(3):
        told = look(placed(*several, other, locations={"x": "one"}), {"x": "++xxxxxx", **late})
        (crowd,) = told.incidents
        assert crowd.cause.shared is not None
        assert (crowd.cause.shared["kind"], len(crowd.members)) == ("certificate", 3)
        found = [crowds.crowd_of(told.board, id, told.now, told.now) for id in "de"]
    assert [one is not None and one.id == crowd.id for one in found] == [True, False]


def test_members_of_a_crowd_that_are_well_again_do_not_end_what_it_came_from() -> None:
    """They are cleared together, and the incident stays at its stage while its root fails."""
    victims = {f"m{number}": "++++-------++++++++" for number in range(8)}
    with crowds_from(5):
        told = story(module("root"), *(module(id, "root") for id in victims))
        told.play({"root": "++++" + "-" * 15, **victims})
    (incident,) = told.incidents
    cleared = [update for update in incident.updates if update.kind == "member_cleared"]
    assert {id for update in cleared for id in update.params["modules"]} == set(victims)
    assert {str(update.stage) for update in cleared} == {"identified"}
