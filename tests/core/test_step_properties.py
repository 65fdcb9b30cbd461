"""What holds of every step, whatever happens in whatever order on whatever graph."""

from collections import defaultdict
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import settling
from monitor.core.effect import Ask, Moved, Observed, Saved
from monitor.core.expectation import judge
from monitor.core.incident import Change
from monitor.core.module import Platform, Status
from monitor.core.track import CAP, PARTIAL_LIMIT
from tests.core.worlds import HARMLESS, Beat, days, live, worlds
from tests.depth import examples

EVERYTHING = ("tick", "reload", "canaries")
FAILING = (Status.DOWN, Status.DEGRADED)


@settings(max_examples=examples(60))
@given(worlds(), days(kinds=EVERYTHING))
def test_incidents_hold_together(world: Platform, beats: list[Beat]) -> None:
    """A module fails in one open incident at most; an open one has a member that has not answered; ends follow
    beginnings; and whoever is failing and measured is in an incident."""
    for _, _, _, board in live(world, beats).steps:
        open_ones = [i for i in board.incidents.values() if i.is_open]
        failing = [m.module for i in open_ones for m in i.members if m.until is None]
        assert len(failing) == len(set(failing))
        for incident in board.incidents.values():
            names = [m.module for m in incident.members]
            assert len(names) == len(set(names))
            assert incident.resolved_at is None or incident.resolved_at >= incident.detected_at >= incident.started_at
            assert all(m.until is None or m.until >= m.since for m in incident.members)
            assert incident.is_open == any(m.until is None for m in incident.members)
            assert [u.at for u in incident.updates] == sorted(u.at for u in incident.updates)
            assert sum(m.role == "root" for m in incident.members) <= 1
        for incident in open_ones:
            for member in incident.members:
                if member.until is None:
                    assert member.status is board.status(member.module) or member.status is Status.UNKNOWN
        assert {id for id, c in board.modules.items() if c.status in FAILING} <= set(failing)


@settings(max_examples=examples(60))
@given(worlds(canaries=3), days(kinds=("tick", "canaries", "canaries", "reload")))
def test_transitions_of_a_module_follow_one_another(world: Platform, beats: list[Beat]) -> None:
    """Each begins where the last one ended, is a change, and is dated no earlier than it and not ahead of now."""
    last: dict[str, tuple[Status, datetime]] = {}
    for effect in live(world, beats).effects:
        if isinstance(effect, Moved):
            t = effect.transition
            before, since = last.get(t.module, (Status.UNKNOWN, t.since))
            assert (t.before, t.after is t.before) == (before, False)
            assert since <= t.since <= t.at
            last[t.module] = (t.after, t.since)


@settings(max_examples=examples(30))
@given(worlds(), days(kinds=EVERYTHING))
def test_an_incident_is_told_in_order(world: Platform, beats: list[Beat]) -> None:
    """Opened once and first; resolved and reopened in turns; nothing else is said while it is over."""
    told: dict[str, list[Change]] = defaultdict(list)
    for effect in live(world, beats).effects:
        if isinstance(effect, Saved) and effect.change:
            told[effect.incident.id].append(effect.change)
    for changes in told.values():
        assert changes[0] is Change.OPENED
        assert changes.count(Change.OPENED) == 1
        is_open = True
        for change in changes[1:]:
            assert (change is Change.REOPENED) != is_open
            is_open = change is not Change.RESOLVED


@settings(max_examples=examples(30))
@given(worlds(canaries=3), days(outcomes="+" + HARMLESS, kinds=("tick", "canaries")))
def test_harmless_results_blame_nobody(world: Platform, beats: list[Beat]) -> None:
    """Own trouble, walls and wrong requests: no module is ever down or degraded."""
    assert not {e.transition.after for e in live(world, beats).effects if isinstance(e, Moved)} & set(FAILING)


@settings(max_examples=examples(15))
@given(worlds(canaries=3), days(kinds=EVERYTHING))
def test_the_same_day_gives_the_same_answer(world: Platform, beats: list[Beat]) -> None:
    """Byte for byte: boards and effects."""
    assert repr(live(world, beats).steps) == repr(live(world, beats).steps)


@settings(max_examples=examples(30))
@given(worlds(canaries=3), days(kinds=("tick", "tick", "canaries", "reload")))
def test_who_is_passed_over_at_a_glance_would_have_stayed_as_it_was(world: Platform, beats: list[Beat]) -> None:
    quick = live(world, beats).steps
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "is_settled", lambda *_: False)
        slow = live(world, beats).steps
    assert quick == slow


@settings(max_examples=examples(40))
@given(worlds(canaries=3), days(kinds=EVERYTHING))
def test_scores_stay_within_their_bounds(world: Platform, beats: list[Beat]) -> None:
    """However long a run of failures, one place is never surer than the odds that it is itself broken."""
    for _, _, _, board in live(world, beats).steps:
        for track in board.tracks.values():
            assert 0 <= track.score <= CAP
            assert 0 <= track.slow_score <= CAP
            assert 0 <= track.partial_score <= PARTIAL_LIMIT
            assert 0.002 <= track.noise <= 0.05
            assert len(track.undo) <= 25
            assert all(not before.undo for _, before in track.undo)
            assert len(track.sightings) <= 5
            assert track.bad_since is None or track.score > 0
            assert track.good_streak == 0 or track.good_since is not None


@settings(max_examples=examples(30))
@given(worlds(), days(kinds=("tick", "reload")))
def test_only_what_is_asked_is_asked_again(world: Platform, beats: list[Beat]) -> None:
    """Never a probe that is off or gone, never one of mere evidence, never twice for one pause."""
    for _, event, effects, board in live(world, beats).steps:
        asks = [e for e in effects if isinstance(e, Ask)]
        assert len(asks) <= 1
        for ask in asks:
            assert isinstance(event, Observed)
            probe = board.platform.probes[(ask.module, ask.probe)]
            assert (probe.off, probe.role) == (None, "verdict")
            assert 0.3 <= ask.after <= 10


@settings(max_examples=examples(30))
@given(worlds(), days(outcomes="+---~x"))
def test_extra_runs_stay_within_their_budget(world: Platform, beats: list[Beat]) -> None:
    """At most a minute's worth at once, then 60 a minute and a tenth of the scheduled load."""
    run = live(world, beats)
    asks = [e for e in run.effects if isinstance(e, Ask)]
    spent = sum(beat.after for beat in beats) + 10 * len(beats)
    rate = 1 + 0.1 * len(world.probes) / 30
    assert len(asks) <= 60 * rate + rate * spent


@settings(max_examples=examples(60))
@given(worlds(), days(), st.integers(0, 60))
def test_a_restart_changes_nothing_of_what_follows(world: Platform, beats: list[Beat], restart_at: int) -> None:
    """The stream of transitions and incidents is the same with and without a restart at any event."""

    def news(restart: int | None) -> list[object]:
        found: list[object] = []
        for effect in live(world, beats, restart).effects:
            if isinstance(effect, Moved):
                found.append(effect)
            elif isinstance(effect, Saved):
                found.append((effect.incident.id, effect.change, effect.at, effect.incident))
        return found

    assert news(restart_at) == news(None)


@settings(max_examples=examples(30))
@given(worlds(), days())
def test_only_failures_and_slowness_make_a_module_worse(world: Platform, beats: list[Beat]) -> None:
    """From up or unknown: no tick, no good run and none that says nothing does."""
    for before, event, effects, _ in live(world, beats).steps:
        for move in (e.transition for e in effects if isinstance(e, Moved)):
            if move.after in FAILING and move.before not in FAILING:
                assert isinstance(event, Observed)
                probe = before.platform.probes[(move.module, event.observation.probe)]
                assert judge(event.observation, probe.expect).outcome in ("failed", "slow")
