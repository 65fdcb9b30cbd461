"""The short way of a good run: it leads where the long one leads, and it is taken."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import calm
from monitor.core.board import Board
from monitor.core.clause import Clause
from monitor.core.effect import Keep, Observed, Reconfigured
from monitor.core.expectation import Expect, Fresh, Outcome, Result
from monitor.core.marks import BACKEND
from monitor.core.module import Platform, Status
from monitor.core.observation import Http, Observation
from monitor.core.step import step
from monitor.core.track import is_bad
from tests.core.worlds import NAMES, Beat, Run, days, live, worlds
from tests.depth import examples
from tests.stories.beats import START, canary, module, observation, platform

WELL = "++++++++++-~?cbx"  # mostly
EXPECTED = (
    Expect(slow_after=timedelta(seconds=0.5)),
    Expect(fresh=Fresh("updated", within=timedelta(minutes=1))),
    Expect(json=(("count", (Clause("baseline", 0.1),)),)),
)


@settings(max_examples=examples(25), deadline=None)
@given(worlds(canaries=3), days(WELL, ("tick", "canaries", "reload")), st.sampled_from(EXPECTED))
def test_the_short_way_leads_where_the_long_one_leads(world: Platform, beats: list[Beat], expect: Expect) -> None:
    """Every board and every effect of every day is the same."""
    first = world.modules[NAMES[0]]
    probes = tuple(replace(probe, expect=expect) for probe in first.probes)
    world = replace(world, modules={**world.modules, NAMES[0]: replace(first, probes=probes)})
    short = live(world, beats)
    long = long_way(world, beats)
    for one, other in zip(short.steps, long.steps, strict=True):
        assert one == other


def long_way(world: Platform, beats: list[Beat]) -> Run:
    """The day as it is lived without the short way."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calm, "learned", lambda *_: None)
        return live(world, beats)


def answered(board: Board, one: Observation) -> tuple[Board | None, Board]:
    """Where the short way leads, if it is open, and where a step does."""
    now = one.ended_at
    after, effects = step(board, Observed(one), now)
    kept = effects[0]
    assert isinstance(kept, Keep)
    key = (one.module or "", one.probe)
    probe, runs = board.platform.probes[key], after.tracks[(*key, one.location)].runs
    return calm.learned(board, probe, one, kept.result, runs, now), after


def well() -> Board:
    """A module that is up."""
    board = Board(platform(module("a")))
    for second in (0, 30):
        at = START + timedelta(seconds=second)
        board, _ = step(board, Observed(observation("a", at, "+")), at + timedelta(seconds=1))
    return board


def test_most_runs_go_the_short_way() -> None:
    """Where a module is up and answers well."""
    short, whole = answered(well(), observation("a", START + timedelta(seconds=60), "+"))
    assert short is not None
    assert short == whole


@pytest.mark.parametrize("outcome", list("-~?cbx"))
def test_whatever_is_not_well_does_not(outcome: str) -> None:
    """It may decide something."""
    short, _ = answered(well(), observation("a", START + timedelta(seconds=60), outcome))
    assert short is None


def test_a_new_version_does_not() -> None:
    """It is told."""
    short, whole = answered(well(), later(60, version="checkout-v3.1.4"))
    assert short is None
    assert whole.version_of("a") == "checkout-v3.1.4"
    short, same = answered(whole, later(90, version="checkout-v3.1.4"))
    assert short == same, "that it is still the same is no news"
    assert answered(same, later(120, version="checkout-v3.1.5"))[0] is None


def later(seconds: float, version: str = "", **changes: Any) -> Observation:
    """One more good run, of an application that names its version if it does."""
    one = observation("a", START + timedelta(seconds=seconds), "+")
    headers = {BACKEND: version} if version else {}
    return replace(one, http=Http(200, headers=headers, bytes=2), **changes)


def test_an_answer_that_is_not_http_goes_it_as_well() -> None:
    """A connection, a name, a certificate."""
    one = replace(later(60), http=None)
    short, whole = answered(well(), one)
    assert short == whole


def test_it_is_remembered_whether_the_target_is_private() -> None:
    """The network outside has a part in it, or none, from this run on."""
    short, whole = answered(well(), later(60, address="10.0.0.1:443"))
    assert short == whole
    assert whole.tracks["a", "ask", "here"].private
    short, whole = answered(whole, later(90, address=None))
    assert short == whole
    assert whole.tracks["a", "ask", "here"].private, "as the last address that was known"


def test_what_a_cache_answers_does_not() -> None:
    """It proves the edge only, and nothing is learned of the module."""
    one = later(60)
    assert one.http is not None
    cached = replace(one, http=replace(one.http, headers={"x-vtex-cache-status-janus-edge": "HIT"}))
    short, whole = answered(well(), cached)
    assert short is None
    assert whole.tracks["a", "ask", "here"].good_streak == 2


def test_what_two_places_look_at_does_not() -> None:
    """Each has a vote on the other."""
    board = Board(platform(module("a", places=("here", "there"))))
    for second in (0, 30, 60):
        at = START + timedelta(seconds=second)
        for place in ("here", "there"):
            board, _ = step(board, Observed(observation("a", at, "+", place)), at + timedelta(seconds=1))
    assert board.modules["a"].status is Status.UP
    assert answered(board, later(90))[0] is None


@pytest.mark.parametrize("expect", EXPECTED[1:], ids=["freshness", "baseline"])
def test_what_runs_are_compared_with_begins_on_the_long_way(expect: Expect) -> None:
    """Also where the configuration asks for it from now on, and there is nothing to compare with yet."""
    board = well()
    (probe,) = board.platform.probes.values()
    asked = replace(module("a"), probes=(replace(probe, expect=expect),))
    board, _ = step(board, Reconfigured(platform(asked)), START + timedelta(seconds=50))
    short, whole = answered(board, later(60, values={"updated": "12:00", "count": 8}))
    assert short is None
    assert not is_bad(whole.tracks["a", "ask", "here"].last or Result(Outcome.FAILED))


def test_a_place_that_was_blind_during_the_run_says_nothing() -> None:
    """It is on the short way once it sees again, and begins after that."""
    board = replace(well(), platform=platform(module("a"), canaries=3))
    for second, sees in ((40, False), (70, True)):
        for name in "xyz":
            at = START + timedelta(seconds=second)
            board, _ = step(board, Observed(canary(at, sees, name)), at + timedelta(seconds=1))
        if not sees:
            assert answered(board, later(50))[0] is None
    assert answered(board, later(69.9, duration=0.3))[0] is None, "it began while nobody could tell"
    short, whole = answered(board, later(90))
    assert short == whole
