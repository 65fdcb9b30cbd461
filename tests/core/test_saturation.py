"""Being refused is no evidence, until several places are and what needs the module fails as well."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.effect import Hold
from monitor.core.module import Dependency, Status
from monitor.core.observation import Http
from tests.core.places import look, regional, seen_from, world
from tests.stories.beats import START, Story, module, observation, story


def shop(needs: bool = True) -> Story:
    """A checkout that needs rates, and a catalog that does not, seen from three places."""
    rates, checkout, catalog = seen_from("rates", "checkout", "catalog", hosts=3)
    edge = (Dependency("rates"),) if needs else ()
    return world(rates, replace(checkout, depends_on=edge), catalog)


@pytest.mark.parametrize(
    ("rates", "checkout", "needs", "down"),
    [
        pytest.param(("bbbbbb",) * 3, "------", True, True, id="all places refused, the dependant fails"),
        pytest.param(("bbbbbb", "bbbbbb", "++++++"), "------", True, True, id="two of three places refused"),
        pytest.param(("bbbbbb", "++++++", "++++++"), "------", True, False, id="one place refused"),
        pytest.param(("bbbbbb",) * 3, "++++++", True, False, id="the dependant is well"),
        pytest.param(("bbbbbb",) * 3, "------", False, False, id="whoever fails does not need it"),
        pytest.param(("b+++++",) * 3, "------", True, False, id="refused once, and well since"),
        pytest.param(("cccccc",) * 3, "------", True, False, id="our own request is refused"),
    ],
)
def test_when_a_refusal_is_evidence(rates: tuple[str, ...], checkout: str, needs: bool, down: bool) -> None:
    """At most of the places at the same time, while something that needs the module fails."""
    told = shop(needs)
    beats = {f"rates@{place}": "++" + outcomes for place, outcomes in zip("xyz", rates, strict=True)}
    beats |= {f"checkout@{place}": "++" + checkout for place in "xyz"}
    look(told, {**beats, "x": "++++++++", "y": "++++++++", "z": "++++++++"})
    assert (told.board.status("rates") is Status.DOWN) is down
    assert told.board.status("catalog") is Status.UP


def test_a_saturated_module_is_the_root() -> None:
    """One incident of both, with the code of the refusal, dated from the first one."""
    told = shop()
    beats = {f"rates@{place}": "++" + "b" * 8 for place in "xyz"}
    beats |= {f"checkout@{place}": "++" + "-" * 8 for place in "xyz"}
    look(told, {**beats, "x": "+" * 10, "y": "+" * 10, "z": "+" * 10})
    (incident,) = [one for one in told.incidents if one.is_open]
    assert {member.module for member in incident.members} == {"rates", "checkout"}
    assert (incident.cause.module, incident.cause.code) == ("rates", "http.429")
    assert incident.cause.cls == "capacity_or_throttling"
    assert incident.started_at == START + timedelta(seconds=60)
    assert regional(told) == []


def test_refusals_from_before_anything_failed_count_as_well() -> None:
    """What needs it fails four beats later: it is down since the round in which it first refused us, and each place
    was refused as often as it asked."""
    told = shop()
    beats = {f"rates@{place}": "++" + "b" * 10 for place in "xyz"}
    beats |= {f"checkout@{place}": "++++++" + "-" * 6 for place in "xyz"}
    look(told, {**beats, "x": "+" * 12, "y": "+" * 12, "z": "+" * 12})
    (since,) = (at for name, after, at in told.transitions if (name, after) == ("rates", "down"))
    assert 60 <= since < 90
    for place in "xyz":
        track = told.board.tracks["rates", "ask", place]
        assert track.codes == (("http.429", 10),)
        assert (track.blocked_score, track.blocked_since, track.blocked_code) == (0.0, None, None)
        first = track.sightings[0]
        assert (first.code, first.detail) == ("http.429", "refused at every place, and what needs it fails")
        assert first.at < START + timedelta(seconds=90)


def test_and_is_well_again_when_it_answers() -> None:
    """As after any other failure; the incident ends with the last of them."""
    told = shop()
    beats = {f"rates@{place}": "++" + "b" * 8 + "+" * 10 for place in "xyz"}
    beats |= {f"checkout@{place}": "++" + "-" * 8 + "+" * 10 for place in "xyz"}
    look(told, {**beats, "x": "+" * 20, "y": "+" * 20, "z": "+" * 20})
    assert told.board.status("rates") is Status.UP
    assert [one.is_open for one in told.incidents] == [False] * len(told.incidents)


def test_one_place_alone_is_never_proof() -> None:
    """The wall may be before us: a module that one place looks at is unknown in the end, not down."""
    told = story(module("checkout", "rates"), module("rates"))
    told.play({"rates": "++" + "b" * 10, "checkout": "++" + "-" * 10})
    assert told.board.status("rates") is Status.UNKNOWN
    assert ("rates", "down") not in [(name, after) for name, after, _ in told.transitions]


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("30", 30), ("86400", 600), ("0", None), ("-5", None), ("soon", None), ("9" * 10, None), ("", None), ("٣", None)],
    ids=["half a minute", "a day", "nothing", "a negative", "a word", "a huge number", "empty", "other digits"],
)
def test_a_target_that_refuses_is_left_alone(said: str, seconds: float | None) -> None:
    """For as long as it asks, ten minutes at most; only numbers are read."""
    told = story(module("rates"))
    one = replace(observation("rates", START, "b"), http=Http(429, {"retry-after": said}, 2))
    told.feed(one)
    holds = [effect.until for effect in told.effects if isinstance(effect, Hold)]
    assert holds == ([] if seconds is None else [one.ended_at + timedelta(seconds=seconds)])
