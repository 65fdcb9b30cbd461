"""What is usual: values that should stay what they are, and how long a run takes at a place that is always slow."""

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.clause import Clause, is_near
from monitor.core.expectation import Expect, Outcome, Result
from monitor.core.memo import track_from_json, track_to_json
from monitor.core.module import Module, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.track import Track
from monitor.core.usual import ADOPT, AGREE, watched
from tests.stories.beats import START, Story, module, observation, story
from tests.strategies import json_values

PASSED = Result(Outcome.PASSED)


def kept(tolerance: float = 0.05, path: str = "price", **more: Any) -> Module:
    """A module whose answer should say the same price each time."""
    base = module("pricing", **more)
    expect = Expect(json=((path, (Clause("baseline", tolerance),)),))
    return replace(base, probes=(replace(base.probes[0], expect=expect),))


def read(after: float, value: Any, outcome: str = "+") -> Observation:
    """A run that reads the price."""
    one = observation("pricing", START + timedelta(seconds=after), outcome)
    return replace(one, values={} if value is None else {"price": value})


def watch(told: Story, values: list[Any], start: float = 0, every: float = 30) -> Story:
    """The price read at even beats."""
    for beat, value in enumerate(values):
        told.feed(read(start + beat * every, value))
        told.tick()
    return told


def code(told: Story) -> str | None:
    """What the newest run gave."""
    last = told.board.tracks["pricing", "ask", "here"].last
    return last.code if last else None


# -- values -----------------------------------------------------------------------------------------------------------


def test_a_price_that_leaves_its_baseline_is_told() -> None:
    """One incident, of the class of what fails without an error, dated from the first run; the old price ends it."""
    told = watch(story(kept()), [8990] * AGREE + [9990] * 6)
    assert told.changes == ["opened"]
    assert (told.incidents[0].cause.code, told.incidents[0].cause.cls) == ("content.stale", "stalled_or_stale")
    assert told.incidents[0].started_at == START + timedelta(seconds=AGREE * 30)
    assert "price: 9990, usually 8990 within 5 %" in told.incidents[0].cause.evidence[0].detail
    watch(told, [8990] * 6, start=(AGREE + 6) * 30)
    assert told.changes == ["opened", "resolved"]


def test_nothing_is_unusual_before_enough_runs_agree() -> None:
    """A price that changes with each run has no baseline."""
    assert watch(story(kept()), [100, 200] * 40).changes == []
    assert watch(story(kept()), [100] * (AGREE - 1) + [200] * (AGREE - 1)).changes == []


def test_within_the_tolerance_is_usual() -> None:
    """Of the baseline, not of the run before: a price cannot creep away."""
    told = watch(story(kept(0.05)), [100] * AGREE + [104, 96, 105, 95])
    assert code(told) is None
    told.feed(read((AGREE + 4) * 30, 105.1))
    assert code(told) == "content.stale"


@pytest.mark.parametrize("usual", ["R$ 10", ["promotion-1"], {"a": [1]}, True])
def test_what_is_no_number_stays_exactly(usual: Any) -> None:
    """A list of promotions that loses one is not what it was."""
    told = watch(story(kept()), [usual] * AGREE)
    assert code(told) is None
    told.feed(read(AGREE * 30, []))
    assert code(told) == "content.stale"


def test_an_answer_without_the_value_says_nothing_of_it() -> None:
    """Whether a value must be there is another expectation."""
    told = watch(story(kept()), [100] * AGREE + [None] * 5)
    assert code(told) is None


def test_a_value_that_lasts_a_day_is_the_usual_one() -> None:
    """Somebody meant it: the incident ends, and the old price would now be the odd one."""
    told = watch(story(kept(interval=300)), [100] * AGREE, every=300)
    beats = int(ADOPT.total_seconds() // 300)
    watch(told, [200] * (beats + 10), start=AGREE * 300, every=300)
    assert told.changes == ["opened", "resolved"]
    told.feed(read((AGREE + beats + 10) * 300, 100))
    assert code(told) == "content.stale"


def test_a_value_that_comes_and_goes_is_never_adopted() -> None:
    """Another value has to last without a break."""
    told = watch(story(kept(interval=300)), [100] * AGREE, every=300)
    beats = int(ADOPT.total_seconds() // 300)
    watch(told, ([200] * (beats // 2) + [100]) * 3 + [200], start=AGREE * 300, every=300)
    assert code(told) == "content.stale"


def test_a_restart_keeps_the_baseline() -> None:
    """What was usual before is usual after."""
    told = watch(story(kept()), [100] * AGREE)
    told.restart(pause=5)
    told.feed(read(AGREE * 30 + 5, 200))
    assert code(told) == "content.stale"


@given(st.lists(json_values, max_size=40), st.floats(0.001, 0.999))
def test_any_values_are_borne_and_remembered(values: list[Any], tolerance: float) -> None:
    """Whatever an answer holds: nothing is raised, what is remembered is small and survives being stored."""
    probe, track = kept(tolerance).probes[0], Track()
    for beat, value in enumerate(values):
        track, result = watched(track, read(beat * 30, value), probe, PASSED)
        assert result.outcome in (Outcome.PASSED, Outcome.FAILED)
    stored = track_to_json(track)
    assert len(str(stored["baselines"])) < 10_000
    assert track_from_json(stored).baselines == track.baselines


@given(st.floats(-1e9, 1e9), st.floats(0.001, 0.999))
def test_a_number_is_near_itself(number: float, tolerance: float) -> None:
    """And near what differs by less than the tolerance, in both directions."""
    assert is_near(number, number, tolerance)
    assert is_near(number * (1 + tolerance * 0.99), number, tolerance)
    assert not is_near(number + abs(number) * tolerance * 1.01 + 1e-6, number, tolerance)


# -- time -------------------------------------------------------------------------------------------------------------


def took(after: float, seconds: float, place: str = "here") -> Observation:
    """A good run of so many seconds; the probe is slow after half a second."""
    return replace(observation("catalog", START + timedelta(seconds=after), "+", place), duration=seconds)


def run_for(told: Story, places: dict[str, Any], minutes: float, start: float = 0) -> float:
    """Runs every 30 s for so long, each place with its own draw of seconds; gives when the last was over."""
    beats = int(minutes * 2)
    for beat in range(beats):
        for turn, (place, draw) in enumerate(places.items()):
            told.feed(took(start + beat * 30 + turn * 10, draw(), place))
        told.tick()
    return start + beats * 30


def three() -> Story:
    """A module at three places."""
    places = ("far", "near", "west")
    return story(module("catalog", places=places), locations=dict(zip(places, "123", strict=True)))


def test_a_place_that_is_always_slow_is_not_what_makes_a_module_slow() -> None:
    """After an hour its own habit counts there, and two strays elsewhere prove nothing."""
    told, rng = three(), random.Random(1)
    places = {"far": lambda: rng.uniform(0.7, 0.9), "near": lambda: 0.1, "west": lambda: 0.1}
    end = run_for(told, places, 180)
    assert told.board.tracks["catalog", "ask", "far"].slow_score == 0
    run_for(told, {**places, "near": lambda: 0.6}, 1.5, start=end)
    assert told.board.probes["catalog", "ask"].status is Status.UP


def test_slower_than_usual_is_slow() -> None:
    """A place with a habit still sees what is out of it, within the time of any other."""
    told, rng = three(), random.Random(2)
    places = {"far": lambda: rng.uniform(0.7, 0.9), "near": lambda: 0.1, "west": lambda: 0.1}
    end = run_for(told, places, 180)
    run_for(told, {place: lambda: 2.0 for place in places}, 2, start=end)
    assert told.board.probes["catalog", "ask"].status is Status.DEGRADED


def test_trouble_is_no_habit() -> None:
    """A module that is slow for hours stays degraded: what led to a verdict never becomes usual."""
    told = three()
    places = {place: lambda: 0.1 for place in ("far", "near", "west")}
    end = run_for(told, places, 10)
    run_for(told, {place: lambda: 2.0 for place in places}, 240, start=end)
    assert told.board.probes["catalog", "ask"].status is Status.DEGRADED
    assert all(track.usual == 0 for track in told.board.tracks.values())


def test_a_slow_ramp_is_seen() -> None:
    """What gets slower over ten minutes is not taken for the new habit on the way."""
    told, grown = three(), iter(range(1, 10_000))
    places = {place: lambda: 0.1 for place in ("far", "near", "west")}
    end = run_for(told, places, 60)
    run_for(told, {place: lambda: 0.1 + next(grown) * 0.03 for place in places}, 20, start=end)
    assert told.board.probes["catalog", "ask"].status is Status.DEGRADED


def test_one_slow_run_changes_next_to_nothing() -> None:
    """A single run of nine seconds does not hide one of two."""
    told = story(module("catalog"))
    end = run_for(told, {"here": lambda: 0.1}, 10)
    told.feed(took(end, 9.0))
    run_for(told, {"here": lambda: 0.1}, 20, start=end + 30)
    assert told.board.tracks["catalog", "ask", "here"].usual < 0.6


@pytest.mark.parametrize("share", [0.01, 0.03])
def test_the_usual_time_is_the_99th_percentile_of_what_was_slow(share: float) -> None:
    """Over a day with a few slow runs it rests near the time that one run in a hundred exceeds."""
    rng, track = random.Random(3), Track()
    probe: Probe = module("catalog").probes[0]
    drawn = [rng.uniform(0.5, 3.0) if rng.random() < share else 0.1 for _ in range(6000)]
    for beat, seconds in enumerate(drawn):
        result = Result(Outcome.SLOW, "http.slow_ttfb") if seconds > 0.5 else PASSED
        track, _ = watched(track, took(beat * 30, seconds), probe, result)
    exceeding = sum(seconds > track.usual for seconds in drawn[-2880:]) / 2880
    assert exceeding < 0.03
    assert track.usual < 3.01


@given(st.lists(st.floats(0, 1e6), max_size=200), st.floats(5, 86400))
def test_the_usual_time_never_exceeds_what_was_seen(seconds: list[float], interval: float) -> None:
    """Nor is it ever below zero or no number."""
    probe = replace(module("catalog").probes[0], interval=timedelta(seconds=interval))
    track = Track()
    for beat, one in enumerate(seconds):
        result = Result(Outcome.SLOW, "http.slow_ttfb") if one > 0.5 else PASSED
        track, _ = watched(track, took(beat * 30, one), probe, result)
        assert 0 <= track.usual <= max(seconds)
