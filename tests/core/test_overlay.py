"""What holds of judgement whatever is planned: nothing is hidden that was not announced, and nothing is lost."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.agenda import WorkAct
from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.effect import (
    Answered,
    Arranged,
    Effect,
    Event,
    Happened,
    Informed,
    Moved,
    Ordered,
    Planned,
    Saved,
    Scheduled,
    Ticked,
)
from monitor.core.history import History, board_from
from monitor.core.incident import Change
from monitor.core.maintenance import Window
from monitor.core.module import FAILING, Platform, Status
from monitor.core.overlay import is_excused, spans_of, works_of
from monitor.core.step import step
from monitor.core.uptime import spans, uptime
from monitor.core.weights import USUAL
from tests.core.worlds import NAMES, Beat, days, events, worlds
from tests.depth import examples
from tests.stories.beats import START, remembered

SECOND = timedelta(seconds=1)

scopes = st.sampled_from([(), ("a",), ("a", "b"), ("c", "d")])
kinds = st.sampled_from([(), (), ("slow",), ("degraded",), ("http.503",), ("tls",)])


def window(begins: int, length: int, modules: tuple[str, ...], excuses: tuple[str, ...]) -> Window:
    """Work so many seconds after the start, for so many seconds."""
    start = START + begins * SECOND
    return Window("w", {"en": "W"}, start, start + length * SECOND, modules=modules, excuses=excuses)


windows = st.lists(
    st.builds(window, st.integers(0, 1500), st.integers(30, 2000), scopes, kinds), min_size=1, max_size=3
).map(lambda found: [replace(one, id=f"w{number}") for number, one in enumerate(found)])

Step = tuple[datetime, Board, Event, list[Effect], Board]


def lived(
    world: Platform, beats: list[Beat], planned: list[Window], by_hand: bool, restart: int | None = None
) -> list[Step]:
    """A day with this work planned from its beginning, ticks in between, by the file or by a person."""
    board, told, found = Board(world), list[Effect](), list[Step]()
    plan: list[Event] = [Scheduled(one, (one.begins,)) for one in planned]
    if not by_hand:
        plan = [Planned([(one, [one.begins]) for one in planned])]
    happened: list[tuple[float, Event]] = [(0.0, one) for one in plan]
    last = 0.0
    for seconds, event in events(world, beats):
        happened += [(last + more, Ticked()) for more in range(5, int(seconds - last), 5)]
        happened.append((seconds, event))
        last = seconds
    for index, (seconds, event) in enumerate(happened):
        now = START + timedelta(seconds=seconds)
        if index == restart:
            board = board_from(world, remembered(told, exactly=True))
        before = board
        board, effects = step(board, event, now)
        told += effects
        found.append((now, before, event, effects, board))
    return found


@settings(max_examples=examples(60), deadline=None)
@given(worlds(), days(), windows, st.booleans())
def test_whoever_fails_is_in_an_incident_or_excused(
    world: Platform, beats: list[Beat], planned: list[Window], by_hand: bool
) -> None:
    """Never both, never neither."""
    for _, _, _, _, board in lived(world, beats, planned, by_hand):
        failing = {id for id, condition in board.modules.items() if condition.status in FAILING}
        told = {
            m.module for i in board.incidents.values() if i.is_open for m in i.members if m.until is None and m.seen
        }
        assert failing <= told | set(board.held)
        assert not set(board.held) & told
        assert set(board.held) <= board.maintained
        assert board.planned <= board.maintained
        for id in board.held:
            assert is_excused(board, id, board.modules[id].since) or id not in failing


@settings(max_examples=examples(60), deadline=None)
@given(worlds(), days(), windows)
def test_no_incident_opens_for_what_is_excused(world: Platform, beats: list[Beat], planned: list[Window]) -> None:
    """An opening, and a member that is added, were not excused at that moment."""
    for now, _, _, effects, board in lived(world, beats, planned, False):
        for effect in effects:
            if isinstance(effect, Saved) and effect.change in (Change.OPENED, Change.REOPENED):
                seen = [m for m in effect.incident.members if m.seen and m.until is None]
                assert seen
                assert not {m.module for m in seen} & set(board.held)
                assert all(m.since <= now for m in seen)


@settings(max_examples=examples(60), deadline=None)
@given(worlds(), days(), windows)
def test_planned_work_changes_no_status(world: Platform, beats: list[Beat], planned: list[Window]) -> None:
    """The same changes, in the same order, as on a day without it, for as long as it is under way."""

    def moves(steps: list[Step]) -> list[tuple[str, Status, datetime]]:
        found = [e.transition for *_, effects, _ in steps for e in effects if isinstance(e, Moved)]
        return [(one.module, one.after, one.since) for one in found]

    everything = [replace(one, modules=(), excuses=(), ends=START + timedelta(days=9)) for one in planned]
    without = moves(lived(world, beats, [], False))
    assert [one[:2] for one in moves(lived(world, beats, everything, False))] == [one[:2] for one in without]


@settings(max_examples=examples(60), deadline=None)
@given(worlds(), days(), windows)
def test_time_is_excluded_or_counted_and_never_both(world: Platform, beats: list[Beat], planned: list[Window]) -> None:
    """Excluded time is work under way; down time that is left lies outside of it, or was not excused."""
    steps = lived(world, beats, planned, False)
    now, board = steps[-1][0] + SECOND, steps[-1][-1]
    moved: dict[str, list[Transition]] = {}
    for *_, effects, _ in steps:
        for effect in effects:
            if isinstance(effect, Moved):
                moved.setdefault(effect.transition.module, []).append(effect.transition)
    history = History(transitions={id: tuple(found) for id, found in moved.items()})
    works = works_of(board, history)
    for name in NAMES:
        whole = uptime(spans(moved.get(name, ()), START, now), START, now)
        cut = uptime(spans_of(name, history, works, START, now, USUAL), START, now)
        planned_seconds = sum((b - a).total_seconds() for one in works for a, b in one.excluded(name, now))
        assert cut.down_seconds <= whole.down_seconds
        assert cut.excluded_seconds <= planned_seconds + 1e-6
        assert whole.excluded_seconds == 0
        for one in works:
            stretches = one.excluded(name, now)
            assert all(a < b for a, b in stretches)
            assert all(a[1] <= b[0] for a, b in pairwise(stretches))
            for each in one.counted:
                end = each.until or now
                assert not any(a < end and each.since < b for a, b in stretches if each.module == name)


@settings(max_examples=examples(30), deadline=None)
@given(worlds(), days(), windows, st.integers(0, 200))
def test_a_restart_in_the_middle_changes_nothing(
    world: Platform, beats: list[Beat], planned: list[Window], index: int
) -> None:
    """What is under way, what is held and what became of each piece of work are the same afterwards."""
    straight = lived(world, beats, planned, False)
    again = lived(world, beats, planned, False, restart=index)
    (*_, one), (*_, other) = straight[-1], again[-1]
    assert {id: (w.stage, w.started_at, w.ended_at) for id, w in one.agenda.works.items()} == {
        id: (w.stage, w.started_at, w.ended_at) for id, w in other.agenda.works.items()
    }


@settings(max_examples=examples(30), deadline=None)
@given(worlds(), days(), windows, st.sampled_from(WorkAct), st.integers(0, 400))
def test_a_person_s_word_at_any_moment_loses_no_failure(
    world: Platform, beats: list[Beat], planned: list[Window], act: WorkAct, index: int
) -> None:
    """Begun, cancelled, extended, verified or completed: whoever fails is in an incident or excused."""
    steps = lived(world, beats, planned, True)
    now, *_, board = steps[index % len(steps)]
    for id in list(board.agenda.works):
        board, effects = step(board, Ordered(id, act, now + 600 * SECOND), now)
        assert all(isinstance(e, Arranged | Saved | Happened | Informed | Answered) for e in effects)
    failing = {id for id, condition in board.modules.items() if condition.status in FAILING}
    told = {m.module for i in board.incidents.values() if i.is_open for m in i.members if m.until is None}
    assert failing <= told | set(board.held)
