"""Places that fall silent, lose packets or hand in what is old, new or known already; and a clock that is wrong."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from email.utils import format_datetime
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.effect import Gap, Keep, Moved, Observed
from monitor.core.module import Module, Status
from monitor.core.observation import Http, Observation
from tests.core.places import look, regional, seen_from, world
from tests.depth import examples
from tests.stories.beats import START, Story, module, observation, story

NAMES = tuple("abcdefgh")


def at(seconds: float) -> timedelta:
    """Short for a length of time."""
    return timedelta(seconds=seconds)


def worse(told: Story) -> list[str]:
    """Modules that ever went down or degraded."""
    moves = [effect.transition for effect in told.effects if isinstance(effect, Moved)]
    return [move.module for move in moves if move.after in (Status.DOWN, Status.DEGRADED)]


# -- a place that falls silent ----------------------------------------------------------------------------------------


def quick(*names: str) -> list[Module]:
    """Modules that three places ask every ten seconds, with a limit of one."""
    made = seen_from(*names)
    return [replace(one, probes=(replace(one.probes[0], interval=at(10), timeout=at(1)),)) for one in made]


@pytest.mark.parametrize("silent", ["x", "y", "z"])
def test_a_silent_place_is_stale_within_31_seconds_and_the_rest_decide(silent: str) -> None:
    """Its last word was good. It never counts as a good one again: both of the others are enough, one is not."""
    others = [place for place in "xyz" if place != silent]
    told = look(world(*quick("a")), dict.fromkeys("xyz", "++++"), every=10)
    quiet_at = max(
        one.observation.ended_at for one in told.effects if isinstance(one, Keep) if one.observation.location == silent
    )
    look(told, dict.fromkeys(others, "---------"), every=10, start=40)
    (down,) = (
        effect.transition
        for effect in told.effects
        if isinstance(effect, Moved)
        if effect.transition.after is Status.DOWN
    )
    assert down.at - quiet_at <= at(31 + 10 / 3)  # the story looks at the time so often
    alone = look(world(*quick("a")), dict.fromkeys("xyz", "++++"), every=10)
    look(alone, {others[0]: "---------", others[1]: "+++++++++"}, every=10, start=40)
    assert worse(alone) == []


def test_a_platform_nobody_looks_at_any_more_is_unknown_not_well() -> None:
    """All places fall silent: unknown, and no incident."""
    told = look(world(*quick("a", "b")), dict.fromkeys("xyz", "++++"), every=10)
    for second in range(60):
        told.now = START + at(40 + second)
        told.tick()
    assert [told.board.status(name) for name in "ab"] == [Status.UNKNOWN] * 2
    assert told.changes == []


# -- a place that loses three packets in ten --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_a_place_that_loses_packets_makes_nothing_worse(seed: int) -> None:
    """An hour of it: a third of its runs fail or come late. No module is worse for anybody; that place is told of, as a
    gap or as trouble of its own, or stays below notice."""
    dice = Random(seed)
    beats = {f"{name}@x": "".join(dice.choice("-t~+++++++") for _ in range(120)) for name in NAMES}
    told = look(world(*seen_from(*NAMES)), {"y": "+" * 120, "z": "+" * 120, **beats})
    assert worse(told) == []
    assert all(one.cause.scope == "location" and not one.members for one in told.incidents)


def test_a_place_that_loses_nearly_everything_is_flagged() -> None:
    """Not as eight modules that fail, but as one place that does not see."""
    dice = Random(3)
    beats = {f"{name}@x": "".join(dice.choice("---t+") for _ in range(20)) for name in NAMES}
    told = look(world(*seen_from(*NAMES)), {"y": "+" * 20, "z": "+" * 20, **beats})
    assert worse(told) == []
    assert any(isinstance(one, Gap) and one.location == "x" for one in told.effects) or regional(told)


# -- what is old, of the future, or known already ---------------------------------------------------------------------


def kept(told: Story) -> list[Keep]:
    """Every run that was judged or discarded."""
    return [effect for effect in told.effects if isinstance(effect, Keep)]


def test_a_run_that_is_handed_in_again_counts_once() -> None:
    """By place, module, probe and the time it was scheduled for, also after others came in between."""
    told = story(module("catalog")).play({"catalog": "++"})
    one = observation("catalog", START + at(60), "-")
    other = observation("catalog", START + at(65), "-")
    for again in (one, one, other, one, other):
        told.feed(again)
    assert [keep.discarded for keep in kept(told)[-5:]] == [False, True, False, True, True]


def test_the_same_moment_at_another_place_is_another_run() -> None:
    """Places share a grid."""
    told = world(*seen_from("a"))
    for place in "xyz":
        told.feed(observation("a", START, "+", place))
    assert [keep.discarded for keep in kept(told)] == [False] * 3


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["-", "+"]), st.sampled_from([-7200, -600, -75, 6, 90, 86_400])), max_size=20),
    st.permutations(range(6)),
)
def test_runs_of_another_time_and_repeats_change_nothing(
    strays: Sequence[tuple[str, int]], order: Sequence[int]
) -> None:
    """Whatever old, future or repeated runs come in between, in whatever order: the same statuses and incidents."""
    outcomes = "++----+-----"
    plain, mixed = (story(module("catalog")) for _ in range(2))
    rest = list(strays)
    for beat, outcome in enumerate(outcomes):
        one = observation("catalog", START + at(30 * beat), outcome)
        for told in (plain, mixed):
            told.feed(one)
            told.tick()
        for step in order if beat % 3 == 0 else ():
            if step < len(rest):
                _stray(mixed, *rest[step])
        mixed.feed(one)
    assert mixed.transitions == plain.transitions
    assert mixed.changes == plain.changes


def _stray(told: Story, outcome: str, ago: int) -> None:
    """A run of another time, handed in now."""
    told._take(Observed(observation("catalog", told.now + at(ago), outcome)))


# -- a clock that is wrong --------------------------------------------------------------------------------------------


def dated(name: str, seconds: float, ahead: float, outcome: str = "+") -> Observation:
    """A run that was answered by a host whose own clock is so far ahead of ours."""
    one = observation(name, START + at(seconds), outcome)
    if one.http is None:
        return one
    says = format_datetime(one.ended_at + at(ahead), usegmt=True)
    return replace(one, http=Http(one.http.status, {"date": says}, bytes=2))


@pytest.mark.parametrize(
    ("ahead", "blamed"), [(0.0, True), (1.0, True), (86_400.0, False), (-86_400.0, False), (-10.0, False)]
)
def test_certificates_are_not_judged_by_a_clock_that_is_wrong(ahead: float, blamed: bool) -> None:
    """Five hosts agree that it is another time than we think: an expired certificate is no fault of its host then."""
    told = story(
        *(
            replace(one, probes=(replace(one.probes[0], instance=f"https://{one.id}.example.com/"),))
            for one in map(module, NAMES)
        )
    )
    for beat in range(3):
        for name in NAMES[1:]:
            told.feed(dated(name, 30 * beat, ahead))
        told.feed(dated("a", 30 * beat + 1, ahead))
        told.tick()
    for beat in range(3, 6):
        for name in NAMES[1:]:
            told.feed(dated(name, 30 * beat, ahead))
        told.feed(dated("a", 30 * beat + 1, ahead, "x"))
        told.tick()
    assert (told.changes == ["opened"]) is blamed
    (last,) = (keep.result for keep in kept(told)[-1:])
    assert last.code == ("tls.cert_expired" if blamed else "self.clock")
