"""How well the monitor says that it sees."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Board, Vantage
from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.selfcheck import self_check
from monitor.core.track import Track
from tests.core.places import THREE
from tests.stories.beats import START, module, platform

PLACES = tuple(THREE)
SHOP = Board(platform(module("a", places=PLACES), module("b", places=PLACES), locations=THREE))
EARLY, LATE = START, START + timedelta(minutes=1)
BLIND, UNHEARD = Vantage(dark_since=LATE), Vantage(stale_since=EARLY)
WELL = Result(Outcome.PASSED)


def own(code: str) -> Result:
    """A run that ended in trouble of ours."""
    return Result(Outcome.UNKNOWN, code, Blame.SELF)


@pytest.mark.parametrize(
    ("places", "said"),
    [
        ({}, ("ok", None, None)),
        ({"x": Vantage()}, ("ok", None, None)),
        ({"x": BLIND}, ("degraded", LATE, "self.connectivity")),
        ({"x": UNHEARD}, ("degraded", EARLY, "self.unheard")),
        ({"x": UNHEARD, "y": BLIND}, ("degraded", EARLY, "self.connectivity")),
        (dict.fromkeys(PLACES, BLIND), ("blind", LATE, "self.connectivity")),
        (dict.fromkeys(PLACES, UNHEARD), ("blind", EARLY, "self.unheard")),
    ],
    ids=["nothing known", "well", "one blind", "one unheard", "one of each", "all blind", "all unheard"],
)
def test_it_is_blind_when_no_place_sees(places: Mapping[str, Vantage], said: tuple[object, ...]) -> None:
    """And degraded when some do not, since the first of them."""
    assert self_check(replace(SHOP, vantages=places)) == said


def test_why_nothing_is_seen_is_told_where_it_is_known() -> None:
    """In place of a guess."""
    assert self_check(replace(SHOP, vantages={"x": BLIND}), "self.dns")[2] == "self.dns"


def test_of_several_troubles_the_worst_is_told() -> None:
    """What is lost before what is late; what nobody has ranked comes last."""
    ailing = {"self.bug": EARLY, "self.stall": EARLY, "self.storage": LATE}
    assert self_check(replace(SHOP, ailing=ailing)) == ("degraded", LATE, "self.storage")
    assert self_check(replace(SHOP, ailing={"self.bug": EARLY})) == ("degraded", EARLY, "self.bug")


@pytest.mark.parametrize(
    ("ahead", "told"),
    [((3.0,) * 5, True), ((-3.0,) * 5, True), ((3.0,) * 4, False), ((1.0,) * 9, False), ((0, 0, 3, 3, 3), True)],
    ids=["behind", "ahead", "four hosts are too few", "a second", "by the median"],
)
def test_a_clock_of_ours_is_off_by_what_five_hosts_say(ahead: tuple[float, ...], told: bool) -> None:
    """More than two seconds off the median of theirs, at any place."""
    clocks = {f"h{number}": (START, seconds) for number, seconds in enumerate(ahead)}
    said = self_check(replace(SHOP, vantages={"x": Vantage(), "y": Vantage(clocks=clocks)}))
    assert said == (("degraded", None, "self.clock") if told else ("ok", None, None))


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ((own("self.resources"), own("self.resources"), own("self.bug"), WELL), "self.resources"),
        ((own("self.resources"), own("self.resources"), WELL, WELL), "self.resources"),
        ((own("self.resources"), WELL, WELL), None),
        ((own("self.unsupported"), own("self.unsupported"), WELL), None),
        ((Result(Outcome.FAILED, "http.503", Blame.TARGET),) * 3, None),
        ((own("self.bug"), None, None, None), "self.bug"),
    ],
    ids=["most", "half", "a third", "not supported here", "others fail", "not asked yet"],
)
def test_half_of_the_newest_runs_in_trouble_of_ours_are_trouble(
    results: tuple[Result | None, ...], code: str | None
) -> None:
    """The most frequent one is told."""
    tracks = {("a", f"p{number}", "x"): Track(last=one) for number, one in enumerate(results)}
    assert self_check(replace(SHOP, tracks=tracks)) == ("degraded" if code else "ok", None, code)
