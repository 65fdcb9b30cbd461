"""What must not stand still: an age, a time, or a value that has to change."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.codes import Blame
from monitor.core.expectation import Expect, Fresh, Outcome, judge
from monitor.core.module import Module
from monitor.core.observation import Failure, Observation
from tests.core.test_expectation import AT, seen
from tests.stories.beats import START, Story, module, observation, story

TEN = timedelta(minutes=10)
MAX_AGE = Expect(fresh=Fresh("age", max_age=TEN))


@pytest.mark.parametrize(
    ("value", "code"),
    [
        pytest.param(0, None, id="now, as an age"),
        pytest.param(600, None, id="ten minutes, as an age"),
        pytest.param(600.5, "content.stale", id="older, as an age"),
        pytest.param("601", "content.stale", id="a number in quotes"),
        pytest.param("12", None, id="a small number in quotes"),
        pytest.param("2026-11-23T11:50:01Z", None, id="a time"),
        pytest.param("2026-11-23T11:49:59Z", "content.stale", id="a time too long ago"),
        pytest.param("2026-11-23T08:49:59-03:00", "content.stale", id="a time of elsewhere"),
        pytest.param("2026-11-23T11:50:01", None, id="a time without a zone is UTC"),
        pytest.param("Mon, 23 Nov 2026 11:49:00 GMT", "content.stale", id="a date of a header"),
        pytest.param(AT.timestamp() - 60, None, id="seconds since 1970"),
        pytest.param(AT.timestamp() - 6000, "content.stale", id="seconds since 1970, too few"),
        pytest.param((AT.timestamp() - 60) * 1000, None, id="milliseconds since 1970"),
        pytest.param(str(int(AT.timestamp() - 6000) * 1000), "content.stale", id="milliseconds in quotes"),
        pytest.param("2026-11-23T12:05:00Z", None, id="a clock that is ahead"),
        pytest.param(None, "content.assertion", id="nothing"),
        pytest.param("yesterday", "content.assertion", id="a word"),
        pytest.param(True, "content.assertion", id="a yes"),
        pytest.param([1], "content.assertion", id="a list"),
        pytest.param({"age": 1}, "content.assertion", id="an object"),
    ],
)
def test_how_old_a_value_says_something_is(value: Any, code: str | None) -> None:
    """An age in seconds or a time; too old is stale, and what tells neither is another expectation that fails."""
    result = judge(seen(values={"age": value}), MAX_AGE)
    assert result.code == code
    assert result.outcome is (Outcome.PASSED if code is None else Outcome.FAILED)


def test_an_age_is_measured_at_the_end_of_the_run() -> None:
    """A slow answer may be as old as it was slow."""
    assert judge(seen(values={"age": "2026-11-23T11:50:00Z"}, duration=0.0), MAX_AGE).code is None
    assert judge(seen(values={"age": "2026-11-23T11:50:00Z"}, duration=1.0), MAX_AGE).code == "content.stale"


def test_a_reason_tells_age_and_limit() -> None:
    """In seconds, for people."""
    assert judge(seen(values={"age": 900}), MAX_AGE).reasons == ("age: 900 s old, expected at most 600 s",)


def test_what_is_wrong_besides_is_no_staleness() -> None:
    """Stale is only what is nothing else."""
    expect = replace(MAX_AGE, contains=("ok",))
    assert judge(seen(values={"age": 900, "contains: ok": False}), expect).code == "content.assertion"
    assert judge(seen(values={"age": 900, "contains: ok": True}), expect).code == "content.stale"


# -- a value that must change -----------------------------------------------------------------------------------------


def fresh(within: float = 300, **more: Any) -> Module:
    """A catalog whose counter must advance within so many seconds."""
    base = module("catalog", **more)
    expect = Expect(fresh=Fresh("n", within=timedelta(seconds=within)))
    return replace(base, probes=(replace(base.probes[0], kind="freshness", expect=expect),))


def counted(after: float, value: Any, place: str = "here") -> Observation:
    """A run that reads the counter."""
    one = observation("catalog", START + timedelta(seconds=after), "+", place)
    return replace(one, values={"n": value})


def watch(told: Story, values: list[Any], every: float = 30, start: float = 0) -> Story:
    """The counter read at even beats."""
    for beat, value in enumerate(values):
        told.feed(counted(start + beat * every, value))
        told.tick()
    return told


def codes(told: Story) -> list[str | None]:
    """What the newest run gave, by place."""
    tracks = told.board.tracks_of("catalog", "ask").values()
    return [track.last.code if track.last else None for track in tracks]


def test_a_value_that_changes_in_time_is_well() -> None:
    """Whatever it is: a change is all that counts."""
    told = watch(story(fresh()), [1] * 10 + [2] * 10 + ["x"] * 10 + [[1, 2]] * 10 + [1] * 10)
    assert told.changes == []


def test_a_value_that_stands_still_is_stale() -> None:
    """One incident, dated from the first run after the limit; another value ends it."""
    told = watch(story(fresh()), [7] * 20)
    assert told.changes == ["opened"]
    assert (told.incidents[0].cause.code, told.incidents[0].cause.cls) == ("content.stale", "stalled_or_stale")
    assert told.incidents[0].started_at == START + timedelta(seconds=330)
    watch(told, [8, 9, 10, 11, 12], start=600)
    assert told.changes == ["opened", "resolved"]


def test_exactly_in_time_is_in_time() -> None:
    """The limit itself is not over it."""
    told = watch(story(fresh(300)), [7] * 11)
    assert codes(told) == [None]
    told.feed(counted(300.001, 7))
    assert codes(told) == ["content.stale"]


def test_one_new_value_is_not_enough_to_be_well_again() -> None:
    """Recovery takes as long as any other."""
    told = watch(story(fresh()), [7] * 20 + [8])
    assert told.changes == ["opened"]


def test_two_of_one_look_alike() -> None:
    """Values are compared as they are shown: text that looks like a number is told apart from it."""
    told = watch(story(fresh()), [1, "1"] * 10)
    assert told.changes == []


@pytest.mark.parametrize("outcome", list("?bc-"))
def test_a_run_that_shows_no_value_moves_no_clock(outcome: str) -> None:
    """Failures of other kinds neither prove a change nor stop the time."""
    told = watch(story(fresh()), [7] * 6)
    before = told.board.tracks["catalog", "ask", "here"]
    told.feed(observation("catalog", START + timedelta(seconds=200), outcome))
    track = told.board.tracks["catalog", "ask", "here"]
    assert (track.value, track.value_since) == (before.value, before.value_since)
    told.feed(counted(301, 7))
    assert codes(told) == ["content.stale"]


def test_a_value_that_is_missing_is_an_expectation_that_fails() -> None:
    """Nothing is not a value that stands still."""
    one = replace(counted(0, 1), values={})
    assert judge(one, fresh().probes[0].expect).code == "content.assertion"
    refused = replace(counted(0, 1), http=None, failure=Failure("tcp.refused"))
    assert judge(refused, fresh().probes[0].expect).code == "tcp.refused"


@pytest.mark.parametrize("pause", [1, 60])
def test_a_restart_keeps_the_clock_of_a_value(pause: float) -> None:
    """What has not changed for four minutes is stale a minute after the restart, and not five."""
    told = watch(story(fresh()), [7] * 9)
    told.restart(pause=pause)
    told.feed(counted(301, 7))
    assert codes(told) == ["content.stale"]
    fresh_start = watch(story(fresh()), [7])
    assert codes(fresh_start) == [None]


def test_each_place_has_its_own_clock() -> None:
    """A cache in one region may stand still where the others advance."""
    told = story(fresh(places=("x", "y")), locations={"x": "1", "y": "2"})
    for beat in range(14):
        told.feed(counted(beat * 30, 7, "x"))
        told.feed(counted(beat * 30 + 1, beat, "y"))
    assert codes(told) == ["content.stale", None]
    assert told.board.tracks["catalog", "ask", "x"].last.blame is Blame.TARGET  # type: ignore[union-attr]


def test_a_clock_that_was_set_back_begins_anew() -> None:
    """A value known since the future has not stood still."""
    told = watch(story(fresh()), [7])
    track = told.board.tracks["catalog", "ask", "here"]
    ahead = replace(track, value_since=START + timedelta(hours=1))
    told.board = told.board.with_track(("catalog", "ask", "here"), ahead)
    told.feed(counted(400, 7))
    assert codes(told) == [None]
    assert told.board.tracks["catalog", "ask", "here"].value_since == START + timedelta(seconds=400)


def test_long_values_are_told_apart() -> None:
    """A change beyond the first hundred characters is a change."""
    assert watch(story(fresh()), ["x" * 130 + str(n) for n in range(20)]).changes == []
