"""Latency in logarithmic buckets, and the board a restart goes on with."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.board import Condition
from monitor.core.effect import Gap
from monitor.core.history import Memory, board_from, bucket_of, percentile
from monitor.core.incident import Incident
from monitor.core.maintenance import Window, announced, begun
from monitor.core.module import Status
from monitor.core.track import Track
from tests.store.past import incident
from tests.stories.beats import START, module, platform

KEY = ("catalog", "ask", "here")
durations = st.floats(0.1, 9_000_000)


@pytest.mark.parametrize(
    ("milliseconds", "bucket"),
    [(0.0, 0), (-1.0, 0), (0.1, 0), (1.0, 20), (100.0, 60), (1e9, 160)],
    ids=["nothing", "less than nothing", "the smallest", "one", "a hundred", "eleven days"],
)
def test_which_bucket_holds_a_duration(milliseconds: float, bucket: int) -> None:
    """Twenty to the decade above a tenth of a millisecond, the last one for all that is longer."""
    assert bucket_of(milliseconds) == bucket


@given(durations, durations)
def test_longer_durations_are_in_later_buckets(one: float, other: float) -> None:
    """Or in the same."""
    assert (bucket_of(one) <= bucket_of(other)) or one > other


@given(durations)
def test_a_single_run_is_its_own_percentile(milliseconds: float) -> None:
    """To within a bucket, which is 12 % wide."""
    for share in (0.0, 0.5, 0.95, 1.0):
        found = percentile({bucket_of(milliseconds): 1}, share)
        assert found == pytest.approx(milliseconds, rel=0.13)


@given(st.lists(durations, min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_percentile_is_the_duration_below_which_a_share_lies(runs: list[float], share: float) -> None:
    """As sorting the runs says, to within a bucket."""
    buckets: dict[int, int] = {}
    for one in runs:
        buckets[bucket_of(one)] = buckets.get(bucket_of(one), 0) + 1
    index = max(0, -int(-share * len(runs) // 1) - 1)
    assert percentile(buckets, share) == pytest.approx(sorted(runs)[index], rel=0.13)


def test_there_is_no_percentile_of_nothing() -> None:
    """None, not zero."""
    assert percentile({}, 0.5) is None
    assert percentile({3: 0}, 0.5) is None


def test_a_restart_forgets_what_is_no_longer_asked() -> None:
    """Tracks and conditions of probes that are gone or off do not come back."""
    gone = ("search", "ask", "here")
    conditions = {KEY[:2]: Condition(Status.UP, START), gone[:2]: Condition(Status.DOWN, START)}
    memory = Memory(probes=conditions, tracks={KEY: Track(score=1.0), gone: Track()}, seen_at=START)
    board = board_from(platform(module("catalog")), memory)
    assert set(board.tracks) == {KEY}
    assert set(board.probes) == {KEY[:2]}


def test_what_was_known_at_the_end_counts_from_then() -> None:
    """A probe of which nothing but its condition is stored was last heard when anything was."""
    memory = Memory(probes={KEY[:2]: Condition(Status.UP, START)}, seen_at=START)
    assert board_from(platform(module("catalog")), memory).tracks[KEY].usable_at == START
    unknown = Memory(probes={KEY[:2]: Condition(Status.UNKNOWN, START)}, seen_at=START)
    assert board_from(platform(module("catalog")), unknown).tracks == {}


OUTAGE = incident("catalog", START)
(FAILED,) = OUTAGE.members


@pytest.mark.parametrize(
    ("known", "held"),
    [
        pytest.param((), True, id="that nobody was told of"),
        pytest.param((OUTAGE,), False, id="but none that an incident speaks of"),
        pytest.param(
            (replace(OUTAGE, members=(replace(FAILED, until=START),)),), True, id="one that came after an answer"
        ),
        pytest.param((replace(OUTAGE, members=(replace(FAILED, seen=False),)),), True, id="one that was only named"),
        pytest.param((replace(OUTAGE, resolved_at=START),), True, id="one of an incident that is over"),
        pytest.param((incident("search", START),), True, id="one beside that of another"),
    ],
)
def test_a_failure_that_planned_work_excused_is_held_again(known: tuple[Incident, ...], held: bool) -> None:
    """After a restart, from when it began."""
    window = Window("w", {"en": "Works"}, START, START + timedelta(hours=1), modules=("catalog",))
    down = {"catalog": Condition(Status.DOWN, START)}
    memory = Memory(modules=down, incidents=known, maintenances=(begun(announced(window, START, START), START),))
    assert board_from(platform(module("catalog")), memory).held == ({"catalog": START} if held else {})
    assert board_from(platform(module("catalog")), replace(memory, maintenances=())).held == {}


def test_a_place_that_was_blind_still_is() -> None:
    """Until its canaries answer; a gap that ended is past."""
    memory = Memory(gaps=(Gap("here", START), Gap("there", START, START)))
    vantages = board_from(platform(module("catalog")), memory).vantages
    assert {place: v.blind_since for place, v in vantages.items()} == {"here": START}
