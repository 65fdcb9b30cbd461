"""The short way of a good run: it leads where the long one leads, and it is taken."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import calm
from monitor.core.board import Board
from monitor.core.clause import Clause
from monitor.core.effect import Keep, Observed
from monitor.core.expectation import Expect, Fresh
from monitor.core.marks import BACKEND
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.step import step
from tests.core.worlds import NAMES, Beat, Run, days, live, worlds
from tests.depth import examples
from tests.stories.beats import START, module, observation, platform

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
    one = observation("a", START + timedelta(seconds=60), "+")
    assert one.http is not None
    headers = {**one.http.headers, BACKEND: "checkout-v3.1.4"}
    short, whole = answered(well(), replace(one, http=replace(one.http, headers=headers)))
    assert short is None
    assert whole.version_of("a") == "checkout-v3.1.4"
