"""Backlog: what waits for the store is bounded; what was decided is stored, in order, whatever the store does."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor import backlog as backlog_file
from monitor.backlog import Backlog
from monitor.core.effect import Keep, Moved, Remember, Storable
from monitor.core.module import Status
from monitor.core.track import Track
from tests.store.past import NOON, moved, run

BOUND, PORTION = 6, 3


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds that a short series of steps reaches."""
    monkeypatch.setattr(backlog_file, "STEPS", BOUND)
    monkeypatch.setattr(backlog_file, "AT_ONCE", PORTION)
    monkeypatch.setattr(backlog_file, "MANY_AT_ONCE", 2 * PORTION)


def step(number: int, kind: str) -> list[Storable]:
    """A step of one of three probes: a run, a run that is remembered, or one that decides something."""
    module, at = f"module-{number % 3}", NOON + timedelta(seconds=number)
    effects: list[Storable] = [run(at, module=module)]
    if kind != "run":
        effects.append(Remember(module, "http", "here", replace(Track(), score=float(number))))
    if kind == "decision":
        effects.append(moved(module, Status.DOWN, at))
    return effects


KINDS = st.sampled_from(["run", "remember", "decision"])
MOVES = st.lists(st.one_of(KINDS, st.sampled_from(["store", "refuse", "begin"])), max_size=60)


@pytest.mark.property
@given(MOVES)
def test_decisions_are_stored_in_order_and_the_rest_is_bounded(moves: list[str]) -> None:
    """Whatever comes in while a portion is under way, is refused or is stored: every transition arrives once and in
    order, what is remembered last of each probe arrives last, and each run is stored or counted as given up."""
    waits, stored, wanted = Backlog(), list[Storable](), list[Storable]()
    bare = 0
    for number, move in enumerate([*moves, "store"]):
        if move in ("run", "remember", "decision"):
            effects = step(number, move)
            bare += move != "run"
            wanted += effects
            waits.add(effects)
        elif move == "begin":
            waits.portion()
        elif move == "refuse":
            waits.portion()
            waits.back()
        else:
            stored += waits.portion()
            waits.stored()
        assert len(waits) <= BOUND + 2 * PORTION + bare
    while waits:
        stored += waits.portion()
        waits.stored()
    assert decided(stored) == decided(wanted)
    assert remembered(stored) == remembered(wanted)
    runs = [one for one in stored if isinstance(one, Keep)]
    assert len(runs) + waits.shed == sum(isinstance(one, Keep) for one in wanted)
    assert runs == sorted(runs, key=lambda one: one.observation.at)


def decided(effects: list[Storable]) -> list[Moved]:
    return [one for one in effects if isinstance(one, Moved)]


def remembered(effects: list[Storable]) -> dict[str, Track | None]:
    """What a restart would find of each module."""
    return {one.module: one.track for one in effects if isinstance(one, Remember)}


def test_a_store_that_is_away_for_good_costs_no_memory() -> None:
    """What is remembered of a probe a thousand times is kept once."""
    waits = Backlog()
    for number in range(1000):
        waits.add(step(number, "remember"))
    assert len(waits) <= BOUND + 3
    assert waits.shed == 1000 - BOUND


def test_the_oldest_runs_go_first() -> None:
    """The newest say how things are."""
    waits = Backlog()
    for number in range(BOUND + 4):
        waits.add(step(number, "run"))
    kept = []
    while waits:
        kept += waits.portion()
        waits.stored()
    assert [one.observation.at for one in kept if isinstance(one, Keep)] == [
        NOON + timedelta(seconds=number) for number in range(4, BOUND + 4)
    ]


def test_a_step_is_stored_when_it_and_all_before_it_are() -> None:
    """Whoever waits for it is not told too early, though later ones were given up."""
    waits = Backlog()
    for number in range(BOUND):
        waits.add(step(number, "decision"))
    waits.portion()
    mine = waits.decided
    for number in range(2 * BOUND):
        waits.add(step(number, "run"))
    waits.stored()
    assert waits.waits_for(mine)
    while waits.waits_for(mine):
        waits.portion()
        waits.stored()
    assert len(waits) > 0
