"""A recording judged again gives the same answer as while it happened, however often."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.board import Board
from monitor.core.effect import Ask, AskCanaries, Effect, Hold, Moved, Observed, Reconfigured, Saved, Ticked
from monitor.core.module import Platform, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.replay import TICK, fitted, replay
from monitor.core.step import step
from tests.core.worlds import Beat, days, events, worlds
from tests.depth import examples
from tests.stories.beats import START, canary, module, observation, platform

PLACES = {"x": "one", "y": "two", "z": "three"}
Decided = list[tuple[datetime, list[Effect]]]


def recorded(world: Platform, beats: Iterable[Beat]) -> list[Observation]:
    """What a random day leaves in a recording."""
    return [event.observation for _, event in events(world, beats) if isinstance(event, Observed)]


def everywhere(world: Platform, recording: Sequence[Observation]) -> tuple[Platform, list[Observation]]:
    """The same day seen from three places: failures are seen by all, by two or by one of them in turn."""

    def placed(probe: Probe) -> Probe:
        return replace(probe, locations=tuple(PLACES))

    modules = {id: replace(one, probes=tuple(map(placed, one.probes))) for id, one in world.modules.items()}
    seen: list[Observation] = []
    for index, one in enumerate(recording):
        for turn, place in enumerate(PLACES):
            here = replace(one, location=place, at=one.at + timedelta(milliseconds=turn))
            if one.module is not None and turn > (index // 16) % 3:
                here = replace(observation(one.module, here.at, "+", place), probe=one.probe)
            seen.append(here)
    return replace(world, modules=modules, locations=PLACES), seen


def told(platform: Platform, recording: Sequence[Observation], until: datetime | None = None) -> tuple[Decided, Board]:
    """Every moment at which `replay` decided anything, and the last board."""
    beats = list(replay(platform, recording, until))
    return [(now, effects) for now, _, effects in beats if effects], beats[-1][1] if beats else Board(platform)


def patient(
    platform: Platform, recording: Sequence[Observation], until: datetime | None = None
) -> tuple[Decided, Board]:
    """The same with a tick every second, whether anything can happen or not: the application as it runs."""
    found: Decided = []
    board, now = Board(platform), None

    def take(event: Observed | Reconfigured | Ticked, at: datetime) -> None:
        nonlocal board
        board, effects = step(board, event, at)
        if effects:
            found.append((at, effects))

    def seconds(start: datetime, end: datetime) -> Iterator[datetime]:
        return (start + TICK * count for count in range(1, (end - start) // TICK + 1))

    for one in recording:
        if now is None:
            now = one.ended_at
            take(Reconfigured(platform), now)
        for at in seconds(now, one.ended_at):
            now = at
            take(Ticked(), at)
        now = max(now, one.ended_at)
        take(Observed(one), now)
    if now is not None and until is not None:
        for at in seconds(now, until):
            take(Ticked(), at)
    return found, board


def decided(found: Decided) -> list[tuple[datetime, Effect]]:
    """What a reader sees of it: no requests to ask again."""
    return [(now, one) for now, effects in found for one in effects if not isinstance(one, Ask | AskCanaries | Hold)]


@settings(max_examples=examples(4))
@given(worlds(canaries=3), days(kinds=("tick", "canaries")))
def test_the_same_recording_gives_the_same_answer(world: Platform, beats: list[Beat]) -> None:
    """Byte for byte, boards included."""
    recording = recorded(world, beats)
    assert repr(told(world, recording)) == repr(told(world, recording))


@settings(max_examples=examples(10))
@given(worlds(canaries=3), days(kinds=("tick", "canaries")), st.sampled_from([0, 100, 3000]))
def test_seconds_in_which_nothing_can_happen_change_nothing(world: Platform, beats: list[Beat], rest: int) -> None:
    """Skipped or ticked through: the same decisions at the same moments, and the same board in the end."""
    recording = recorded(world, beats)
    until = max((one.ended_at for one in recording), default=START) + timedelta(seconds=rest)
    quick, board = told(world, recording, until)
    slow, same = patient(world, recording, until)
    assert decided(quick) == decided(slow)
    assert board.incidents == same.incidents
    assert (board.modules, board.probes, board.tracks) == (same.modules, same.probes, same.tracks)


@settings(max_examples=examples(6))
@given(worlds(), days())
def test_nor_where_three_places_look(world: Platform, beats: list[Beat]) -> None:
    """Regions, votes and silent places included."""
    world, recording = everywhere(world, recorded(world, beats))
    quick, board = told(world, recording)
    slow, same = patient(world, recording)
    assert decided(quick) == decided(slow)
    assert (board.incidents, board.regional, board.vantages) == (same.incidents, same.regional, same.vantages)


@settings(max_examples=examples(8))
@given(worlds(canaries=3), days(kinds=("tick", "canaries")), st.integers(0, 3000))
def test_until_is_where_the_clock_stops(world: Platform, beats: list[Beat], stop: int) -> None:
    """Before the end: exactly what had been decided by then; nothing is decided later."""
    recording = recorded(world, beats)
    until = START + timedelta(seconds=stop)
    part, _ = told(world, recording, until)
    whole, _ = told(world, recording)
    assert all(now <= until for now, _ in part)
    end = max((one.ended_at for one in recording), default=START)
    if until <= end:
        assert decided(part) == [(now, one) for now, one in decided(whole) if now <= until]
    else:
        assert decided(part)[: len(decided(whole))] == decided(whole)


FAILING = [observation("a", START + timedelta(seconds=30 * beat), "++----"[beat]) for beat in range(6)]


def moves(world: Platform, recording: Sequence[Observation], until: datetime | None = None) -> list[tuple[str, float]]:
    """The statuses that were decided, and when, in seconds from the start."""
    found, _ = told(world, recording, until)
    return [
        (str(one.transition.after), round((now - START).total_seconds(), 2))
        for now, one in decided(found)
        if isinstance(one, Moved)
    ]


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        pytest.param(-1, [], id="before the beginning"),
        pytest.param(0.04, [], id="in the middle of the first run"),
        pytest.param(0.05, ["up"], id="at the end of the first run"),
        pytest.param(120, ["up"], id="before the verdict"),
        pytest.param(None, ["up", "down"], id="to the end"),
        pytest.param(249, ["up", "down"], id="past the end"),
        pytest.param(252, ["up", "down", "unknown"], id="until nothing is known any more"),
        pytest.param(9000, ["up", "down", "unknown"], id="hours later"),
    ],
)
def test_the_clock_runs_on_after_the_last_run(until: float | None, expected: list[str]) -> None:
    """A module that falls silent is unknown when its patience is over, as it would be in life."""
    end = None if until is None else START + timedelta(seconds=until)
    assert [status for status, _ in moves(platform(module("a")), FAILING, end)] == expected


def test_an_empty_recording_decides_nothing() -> None:
    """There is no moment to begin with."""
    assert list(replay(platform(module("a")), [])) == []
    assert list(replay(platform(module("a")), [], START)) == []


def test_a_run_that_ended_earlier_does_not_set_the_clock_back() -> None:
    """The clock reads the end of the newest run so far."""
    late = observation("a", START + timedelta(seconds=5), "+")
    times = [now for now, _, _ in replay(platform(module("a")), [FAILING[0], FAILING[1], late, FAILING[2]])]
    assert times == sorted(times)


def test_silence_between_runs_is_noticed_when_it_happens() -> None:
    """Not only when the next run comes in: unknown after three intervals and a timeout."""
    recording = [FAILING[0], observation("a", START + timedelta(hours=2), "+")]
    (_, up), (status, at), _ = moves(platform(module("a")), recording)
    assert (up, status) == (0.05, "unknown")
    assert 100 <= at <= 102


# -- the platform of a recording --------------------------------------------------------------------------------------


def test_a_recording_decides_which_canaries_there_were() -> None:
    """Without their lines failures are believed at once; with them as many as were asked."""
    world = platform(module("a"), canaries=3)
    assert fitted(world, FAILING).canaries == 0
    asked = [canary(START, True, name) for name in ("1.1.1.1:443", "9.9.9.9:443", "1.1.1.1:443")]
    assert fitted(world, [*FAILING, *asked]).canaries == 2
    assert moves(fitted(world, FAILING), FAILING)[-1][0] == "down"


def test_a_probe_was_asked_wherever_it_was_recorded() -> None:
    """Also where the configuration has it asked no more; those not recorded stay as they are."""
    world = platform(module("a", places=("x",)), module("b", places=("x",)), locations=PLACES)
    seen = [replace(one, location=place) for one in FAILING for place in "zxy"]
    told_platform = fitted(world, seen)
    assert told_platform.modules["a"].probes[0].locations == ("x", "y", "z")
    assert told_platform.modules["b"] == world.modules["b"]


def test_places_that_nobody_configured_are_a_failure_domain_each() -> None:
    """Down as soon as failures of three places span 15 s; three of one domain would have to wait for a minute."""
    recording = [
        replace(observation("a", START + timedelta(seconds=30 * beat + late), "++---"[beat]), location=place)
        for beat in range(5)
        for late, place in enumerate("xyz")
    ]
    apart = fitted(platform(module("a", places=())), recording)
    together = replace(apart, locations=dict.fromkeys("xyz", "one"))
    assert [moves(world, recording)[-1] for world in (apart, together)] == [("down", 90.05), ("down", 120.05)]


def test_a_probe_that_is_off_here_was_on_there() -> None:
    """Its key is not needed to judge what it saw; one of mere evidence stays evidence."""
    base = module("a")
    off = replace(base, probes=(replace(base.probes[0], off="VTEX_APP_KEY is not set"),))
    assert moves(platform(off), FAILING) == []
    assert moves(fitted(platform(off), FAILING), FAILING)[-1][0] == "down"
    mere = replace(base, probes=(replace(base.probes[0], role=Role.EVIDENCE),))
    assert moves(fitted(platform(mere), FAILING), FAILING) == []


def test_a_probe_that_was_not_recorded_says_nothing() -> None:
    """A module that nobody asked about is unknown throughout."""
    _, board = told(fitted(platform(module("a"), module("b")), FAILING), FAILING)
    assert (board.status("a"), board.status("b")) == (Status.DOWN, Status.UNKNOWN)


def test_extra_runs_are_part_of_the_recording() -> None:
    """`replay` asks for none: what was recorded between two beats is all there is."""
    found, _ = told(platform(module("a")), FAILING)
    incidents = [one for _, one in decided(found) if isinstance(one, Saved)]
    assert [one.change for one in incidents if one.change] == ["opened"]
    assert moves(platform(module("a")), FAILING)[-1] == ("down", 120.05)
