"""A place that fails on what all others see well is blind, and what it saw is taken back."""

from datetime import timedelta

import pytest

from monitor.core.effect import Gap, Keep, Moved
from monitor.core.module import Status
from monitor.core.statement import seen_from as status_by_place
from tests.core.places import look, seen_from, world
from tests.stories.beats import START, Story, observation

WELL = "+" * 20


def gaps(told: Story) -> list[tuple[str, bool]]:
    """Where a place was blind, and whether that is over, in order."""
    return [(effect.location, effect.until is not None) for effect in told.effects if isinstance(effect, Gap)]


def worse(told: Story) -> list[str]:
    """Modules that ever went down or degraded."""
    moves = [effect.transition for effect in told.effects if isinstance(effect, Moved)]
    return [move.module for move in moves if move.after in (Status.DOWN, Status.DEGRADED)]


def test_a_place_that_is_outvoted_is_blind() -> None:
    """Everything fails at `x` and nothing elsewhere: a gap from the first failure, no incident of any kind."""
    told = look(world(*seen_from(*"abcd")), {"x": "++----", "y": WELL[:6], "z": WELL[:6]})
    (gap,) = (effect for effect in told.effects if isinstance(effect, Gap))
    assert (gap.location, gap.since, gap.until) == ("x", START + timedelta(seconds=60), None)
    assert told.board.vantages["x"].blind_since == gap.since
    assert (told.changes, worse(told)) == ([], [])


def test_what_it_saw_meanwhile_is_taken_back() -> None:
    """No failure of a blind place is held against a module, and later ones are kept as discarded."""
    told = look(world(*seen_from(*"abcd")), {"x": "++----", "y": WELL[:6], "z": WELL[:6]})
    assert all(told.board.tracks[name, "ask", "x"].score == 0 for name in "abcd")
    last = [effect for effect in told.effects if isinstance(effect, Keep) and effect.observation.location == "x"][-1]
    assert last.discarded


def test_it_sees_again_when_it_agrees_with_the_others() -> None:
    """The gap is closed once, and its failures count again from then on."""
    told = look(world(*seen_from(*"abcd")), {"x": "++----++++", "y": WELL[:10], "z": WELL[:10]})
    assert gaps(told) == [("x", False), ("x", True)]
    assert told.board.vantages["x"].blind_since is None
    look(told, {"x": "-----", "y": "-----", "z": "+++++"}, start=330)
    assert sorted(set(worse(told))) == list("abcd")


@pytest.mark.parametrize(
    ("names", "hosts", "blind"),
    [("abcd", 2, True), ("abc", 2, False), ("abcd", 1, False), ("abcdef", 3, True)],
    ids=["four on two hosts", "three on two hosts", "four on one host", "six on three hosts"],
)
def test_a_vote_needs_four_modules_on_two_hosts(names: str, hosts: int, blind: bool) -> None:
    """Fewer may well fail by themselves, or for what they share."""
    told = look(world(*seen_from(*names, hosts=hosts)), {"x": "++----", "y": WELL[:6], "z": WELL[:6]})
    assert (gaps(told) == [("x", False)]) is blind


@pytest.mark.parametrize(
    ("failing", "blind"), [("abcdef", True), ("abcd", True), ("abc", True), ("ab", False), ("a", False)]
)
def test_half_of_what_others_see_well_is_enough(failing: str, blind: bool) -> None:
    """Of six modules three failures outvote a place, two do not."""
    beats = {f"{name}@x": "++----" for name in failing}
    told = look(world(*seen_from(*"abcdef")), {"x": WELL[:6], "y": WELL[:6], "z": WELL[:6], **beats})
    assert (gaps(told) == [("x", False)]) is blind


def test_nobody_is_outvoted_at_the_start_of_an_outage() -> None:
    """Every place is the first to see it somewhere: what the others saw before contradicts nobody."""
    told = look(world(*seen_from(*"abcdef")), {"x": "++-----", "y": "++-----", "z": "++-----"})
    assert gaps(told) == []
    assert set(worse(told)) == set("abcdef")


@pytest.mark.parametrize("before", ["", "x", "xy"], ids=["x first", "y first", "z first"])
def test_whoever_sees_an_outage_first_is_believed(before: str) -> None:
    """It began after some places had looked: they follow half a minute later, and nobody was blind."""
    beats = {place: "+++-----" if place in before else "++------" for place in "xyz"}
    told = look(world(*seen_from(*"abcd")), beats)
    assert gaps(told) == []
    assert set(worse(told)) == set("abcd")


def test_two_places_that_fail_outvote_nobody() -> None:
    """The third one sees well: it is no proof against the two, and neither are they against it."""
    told = look(world(*seen_from(*"abcd")), {"x": "++------", "y": "++------", "z": WELL[:8]})
    assert gaps(told) == []
    assert set(worse(told)) == set("abcd")


def test_refusals_are_no_votes() -> None:
    """A wall before one place is its region, and it is not blind."""
    told = look(world(*seen_from(*"abcd")), {"x": "++bbbbbb", "y": WELL[:8], "z": WELL[:8]})
    assert gaps(told) == []


def test_one_place_alone_is_never_outvoted() -> None:
    """Nobody is there to contradict it."""
    told = look(world(*seen_from(*"abcd", places=("x",)), locations={"x": "one"}), {"x": "++-----"})
    assert gaps(told) == []
    assert set(worse(told)) == set("abcd")


def test_one_place_of_another_domain_is_enough_to_contradict() -> None:
    """Where there are two: it looked after the failures began, and all was well."""
    modules = seen_from(*"abcd", places=("x", "y"))
    told = look(world(*modules, locations={"x": "one", "y": "two"}), {"x": "++-----", "y": WELL[:7]})
    assert gaps(told) == [("x", False)]


def test_places_of_its_own_domain_contradict_nobody() -> None:
    """They hang on the same network: only other domains have a vote."""
    modules = seen_from(*"abcd", places=("x", "y"))
    told = look(world(*modules, locations={"x": "one", "y": "one"}), {"x": "++-----", "y": WELL[:7]})
    assert gaps(told) == []


def test_an_old_look_is_no_vote() -> None:
    """What the others saw before this place began to fail may have changed since."""
    told = look(world(*seen_from(*"abcd")), {"x": "++", "y": "++", "z": "++"})
    for beat in range(2):
        for name in "abcd":
            told.feed(observation(name, START + timedelta(seconds=60 + 10 * beat), "-", "x"))
            told.tick()
    assert gaps(told) == []
    for name in "abcd":
        for place in "yz":
            told.feed(observation(name, START + timedelta(seconds=75), "+", place))
    told.feed(observation("a", START + timedelta(seconds=80), "-", "x"))
    assert gaps(told) == [("x", False)]


def test_taking_back_leaves_no_bad_run_behind() -> None:
    """`forget` gives the track as it was before the run: its last result too (pages show that place as down)."""
    told = look(world(*seen_from(*"abcd")), {"x": "++--", "y": "++++", "z": "++++"})
    assert told.board.vantages["x"].blind_since is not None
    assert status_by_place(told.board, "a")["x"] is not Status.DOWN


@pytest.mark.parametrize(
    ("outcomes", "seen"),
    [("-+", Status.UP), ("+~", Status.DEGRADED), ("+-", Status.DOWN), ("+?", Status.UNKNOWN), ("", Status.UNKNOWN)],
    ids=["well", "slow", "failed", "nobody could tell", "never asked"],
)
def test_what_a_place_sees_is_what_its_newest_run_says(outcomes: str, seen: Status) -> None:
    """Whatever it saw before, and whatever the module's status is."""
    told = look(world(*seen_from("a")), {"x": outcomes, "y": "++"})
    assert status_by_place(told.board, "a") == {"x": seen, "y": Status.UP, "z": Status.UNKNOWN}


def test_a_slow_module_at_a_place_that_was_blind() -> None:
    """Slow there, then outvoted, then seeing again: no exception in the region's watch."""
    told = world(*seen_from(*"abcd"))
    look(told, {"x": "++--++", "a@x": "~~----", "y": "++++++", "z": "++++++"})
