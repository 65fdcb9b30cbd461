"""Whether a place can see, and whose failures are believed."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.core.board import Board, Vantage
from monitor.core.codes import Blame
from monitor.core.expectation import Expect, Outcome, Result, judge
from monitor.core.track import Track
from monitor.core.vantage import asked, heard, is_credible, is_hidden, is_private, may_ask, on_time, taken_back
from tests.stories.beats import START, canary, module, observation, platform


def later(seconds: float) -> timedelta:
    """Short for a length of time."""
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("answers", "canaries", "blind", "sees"),
    [
        pytest.param("-", 3, False, False, id="one of three decides nothing"),
        pytest.param("--", 3, True, False, id="two of three fail"),
        pytest.param("++", 3, False, True, id="two of three answer"),
        pytest.param("-++", 3, False, True, id="one stray canary"),
        pytest.param("--+", 3, True, False, id="one lucky canary"),
        pytest.param("-+", 2, False, True, id="half answer"),
        pytest.param("--", 2, True, False, id="none of two"),
        pytest.param("-", 1, True, False, id="the only one fails"),
        pytest.param("+", 1, False, True, id="the only one answers"),
    ],
)
def test_the_majority_of_canaries_decides(answers: str, canaries: int, blind: bool, sees: bool) -> None:
    """Blind when most fail, seeing when half of them answer."""
    place = asked(Vantage(), START)
    for index, letter in enumerate(answers):
        place = heard(place, canary(START, letter == "+", f"c{index}"), canaries)
    assert (place.blind_since is not None, place.sees_at is not None) == (blind, sees)


def test_any_answer_is_a_good_one() -> None:
    """A canary that answers with an error has been reached."""
    error = replace(canary(START, True, "c"), http=replace(canary(START, True, "c").http, status=500))  # type: ignore[type-var]
    assert heard(asked(Vantage(), START), error, 1).sees_at == START


def test_blindness_begins_with_the_first_canary_that_failed() -> None:
    """And stays dated from there while it lasts."""
    place = asked(Vantage(), START)
    for after, name in ((1, "a"), (0, "b"), (2, "c")):
        place = heard(place, canary(START + later(after), False, name), 3)
    again = asked(place, START + later(6))
    for name in "abc":
        again = heard(again, canary(START + later(6), False, name), 3)
    assert again.blind_since == place.blind_since == START


@pytest.mark.parametrize(
    ("after", "may"), [(0, False), (4.9, False), (5, True), (-1, True)], ids=["now", "soon", "in time", "set back"]
)
def test_a_question_is_put_every_five_seconds_at_most(after: float, may: bool) -> None:
    """One that seems to lie in the future does not keep us from asking."""
    assert may_ask(asked(Vantage(), START), START + later(after)) is may
    assert may_ask(Vantage(), START)


@pytest.mark.parametrize(
    ("sees_at", "private", "believed"),
    [(None, False, False), (-1, False, False), (0, False, True), (1, False, True), (None, True, True)],
    ids=["never asked", "saw before", "saw then", "saw since", "private"],
)
def test_failures_out_there_are_believed_once_the_place_saw(
    sees_at: float | None, private: bool, believed: bool
) -> None:
    """Private targets need no canaries."""
    place = Vantage(sees_at=None if sees_at is None else START + later(sees_at))
    assert is_credible(place, [Track(bad_since=START, private=private)], START) is believed
    assert is_credible(None, [Track(bad_since=START, private=private)], START) is private
    assert is_credible(None, [Track()], START)


@pytest.mark.parametrize(
    ("hosts", "ahead", "said"),
    [
        (5, 2.6, "our own clock is 3 s behind"),
        (5, -90.0, "our own clock is 90 s ahead"),
        (5, 2.0, None),
        (4, 90.0, None),
    ],
    ids=["behind", "ahead", "not off by more than two seconds", "too few hosts tell"],
)
def test_what_follows_from_a_wrong_clock_of_ours_says_nothing(hosts: int, ahead: float, said: str | None) -> None:
    """An expired certificate, for one; why is told first, and what it would have been after that."""
    place = Vantage(clocks={f"h{number}": (START, ahead) for number in range(hosts)})
    board = Board(platform(module("catalog")), vantages={"here": place})
    one = observation("catalog", START, "x")
    result = judge(one, Expect())
    assert on_time(board, one, result) == (
        Result(Outcome.UNKNOWN, "self.clock", Blame.SELF, (said, *result.reasons)) if said else result
    )


@pytest.mark.parametrize(
    ("private", "outvoted", "left"),
    [
        pytest.param(False, None, False, id="what is out there"),
        pytest.param(True, None, True, id="the network outside has no part in what is private"),
        pytest.param(True, START, False, id="but the other places see it well"),
    ],
)
def test_what_is_taken_back_from_a_place_that_was_blind(private: bool, outvoted: datetime | None, left: bool) -> None:
    """Every failure of public targets; of private ones where it was outvoted."""
    before = Track(private=private)
    track = replace(before, score=6.1, bad_since=START + later(1), undo=((START + later(1), before),))
    place = Vantage(dark_since=START, outvoted_since=outvoted)
    assert taken_back(place, track) == (track if left else before)


@pytest.mark.parametrize(
    ("began", "hidden"), [(-60, False), (-5, True), (10, True)], ids=["over before", "overlapping", "within"]
)
def test_runs_that_overlap_a_blindness_are_hidden(began: float, hidden: bool) -> None:
    """Also one that began when the place still saw."""
    one = observation("catalog", START + later(began), "t")
    assert is_hidden(Vantage(dark_since=START), one, START + later(30)) is hidden
    assert not is_hidden(Vantage(), one, START)
    assert not is_hidden(None, one, START)


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1:80", True),
        ("10.1.2.3:443", True),
        ("172.16.0.1:1", True),
        ("172.31.9.9:1", True),
        ("172.32.0.1:1", False),
        ("192.168.1.1:443", True),
        ("169.254.169.254:80", True),
        ("192.169.1.1:443", False),
        ("8.8.8.8:443", False),
        ("[::1]:443", True),
        ("[fd00::1]:443", True),
        ("[fe80::1]:443", True),
        ("[2001:db8::1]:443", False),
        ("[::ffff:10.0.0.1]:443", True),
        ("localhost:8080", True),
        ("fcbarcelona.com:443", False),
        ("10.example.com:443", False),
    ],
)
def test_which_addresses_are_private(address: str, private: bool) -> None:
    """Loopback, link-local and private ranges; never a name that only looks like one."""
    assert is_private(address) is private
