"""404 is no evidence, until most of what answered is gone at the same time and no application says so."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.marks import BACKEND
from monitor.core.module import Status
from monitor.core.observation import Http
from monitor.core.track import is_gone
from tests.stories.beats import START, Story, module, observation, story

NAMES = ("catalog", "search", "logistics", "pricing", "session", "oms")


def shop() -> Story:
    """Six modules that need one that nobody measures."""
    return story(*(module(name, "router") for name in NAMES), replace(module("router"), probes=()))


def down(told: Story) -> set[str]:
    """The modules that are down."""
    return {name for name in NAMES if told.board.status(name) is Status.DOWN}


def test_a_platform_that_has_lost_the_way_is_down() -> None:
    """One incident of what all of them share, of the class of changes."""
    told = shop().play(dict.fromkeys(NAMES, "++" + "c" * 8))
    assert down(told) == set(NAMES)
    (incident,) = told.incidents
    assert (incident.cause.scope, incident.cause.code) == ("shared", "http.404")
    assert incident.cause.cls == "deploy_or_config_change"


def test_one_more_than_half_of_it_is_enough() -> None:
    """Four of six are gone, and four are down."""
    told = shop().play(dict.fromkeys(NAMES, "+" * 10) | {name: "++" + "c" * 8 for name in NAMES[:4]})
    assert down(told) == set(NAMES[:4])


@pytest.mark.parametrize(
    "beats",
    [
        pytest.param({name: "++" + "c" * 8 for name in NAMES[:3]}, id="half of them"),
        pytest.param(dict.fromkeys(NAMES, "c" * 10), id="none has ever answered"),
        pytest.param({NAMES[0]: "++" + "c" * 8}, id="one of them"),
    ],
)
def test_an_address_that_is_gone_blames_the_probe(beats: dict[str, str]) -> None:
    """The module is unknown, and nobody is told of an outage."""
    told = shop().play(dict.fromkeys(NAMES, "+" * 10) | beats)
    assert (down(told), told.incidents) == (set(), [])


@pytest.mark.parametrize(("later", "counts"), [(30, True), (600, False)])
def test_what_was_gone_long_ago_does_not_count(later: float, counts: bool) -> None:
    """Three are gone and then not asked any more; a fourth, which is one more than half, so many seconds later."""
    told = shop().play(dict.fromkeys(NAMES, "++") | {name: "++cc" for name in NAMES[:3]})
    at = START + timedelta(seconds=90 + later)
    told.now = at
    told.tick()
    told.feed(observation(NAMES[3], at, "c"))
    assert {key[0] for key in told.board.restless} == ({NAMES[3]} if counts else set())


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from("+c-")), max_size=60), st.booleans())
def test_what_is_gone_is_known_without_a_look_at_everything(runs: list[tuple[str, str]], restarted: bool) -> None:
    """After any runs it is what all tracks say, however they came to the board."""
    told = shop()
    for beat, (name, outcome) in enumerate(runs):
        told.feed(observation(name, START + timedelta(seconds=beat), outcome))
    board = told.board
    if restarted:
        board = replace(board, tracks={}, gone={}).with_tracks({key: track for key, track in board.tracks.items()})
    gone = {key for key, track in board.tracks.items() if is_gone(track)}
    assert {(module, *which) for module, found in board.gone.items() for which in found} == gone
    well, last = dict.fromkeys(NAMES, False), dict.fromkeys(NAMES, "")
    for name, outcome in runs:
        well[name] |= outcome == "+"
        last[name] = outcome
    assert board.gone.keys() == {name for name in NAMES if well[name] and last[name] == "c"}


def test_what_an_application_cannot_find_is_not_lost_on_the_way() -> None:
    """An answer that carries the name of an application has reached it."""
    told = shop().play(dict.fromkeys(NAMES, "++"))
    for beat in range(2, 12):
        for name in NAMES:
            one = observation(name, START + timedelta(seconds=30 * beat), "c")
            told.feed(replace(one, http=Http(404, headers={BACKEND: f"{name}-v1.0.0"}, bytes=2)))
        told.tick()
    assert (down(told), told.incidents) == (set(), [])
