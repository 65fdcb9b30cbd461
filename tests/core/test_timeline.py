"""How incidents grow, shrink, end and come back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Board, Condition
from monitor.core.cause import cause_of, evidence_of
from monitor.core.detector import Transition
from monitor.core.effect import Saved
from monitor.core.explain import Group
from monitor.core.incident import Change, Incident
from monitor.core.module import Module, Priority, Status
from monitor.core.timeline import advance, drop
from monitor.core.track import Sighting, Track
from tests.stories.beats import START, module, platform, story


class Day:
    """Statuses of modules that are decided one after another, at one-minute beats."""

    def __init__(self, *modules: Module) -> None:
        self.board = Board(platform(*modules))
        self.minute = 0
        self.changes: list[Change | None] = []

    def turn(self, name: str, status: str, minutes: int = 1) -> list[Saved]:
        """A module's status changes, so many minutes after the last change."""
        self.minute += minutes
        now = START + timedelta(minutes=self.minute)
        before = self.board.status(name)
        self.board = replace(self.board, modules={**self.board.modules, name: Condition(Status(status), now)})
        self.board, saved = advance(self.board, Transition(name, before, Status(status), now, now), now)
        self.changes += [one.change for one in saved]
        return saved

    @property
    def open_ones(self) -> list[Incident]:
        """The incidents that are going on."""
        return [incident for incident in self.board.incidents.values() if incident.is_open]


def test_a_module_answers_in_the_incident_in_which_it_fails() -> None:
    """Member of two incidents, of one only in the past: its recovery ends the present one."""
    day = Day(module("a", "shared"), module("b", "shared", "other"), module("shared"), module("other"))
    for name in ("shared", "a", "b"):
        day.turn(name, "down")
    for name in ("shared", "a", "b"):
        day.turn(name, "up")
    day.turn("other", "down")
    day.turn("b", "down")
    day.turn("a", "down")  # the first one is back, with `b` as a member that is well
    assert len(day.open_ones) == 2
    for name in ("b", "other", "a"):
        day.turn(name, "up")
    assert day.open_ones == []


def test_a_cycle_is_blamed_as_a_whole_and_nobody_above_it() -> None:
    """Two that need each other are the candidates; the one that needs them is not."""
    day = Day(module("x", "y"), module("y", "x"), module("above", "x"))
    for name in ("above", "x", "y"):
        day.turn(name, "down", minutes=0)
    (incident,) = day.open_ones
    likely = [one.module for one in incident.cause.candidates if one.confidence > 0.1]
    assert (incident.cause.module, sorted(likely)) == (None, ["x", "y"])


def test_evidence_of_the_root_comes_first_then_the_earliest() -> None:
    """Eight pieces at most."""
    names = [f"m{n}" for n in range(6)]
    sightings = [Sighting(START + timedelta(seconds=n), "http.503", "") for n in range(3)]
    tracks = {(name, "ask", "here"): Track(sightings=tuple(sightings)) for name in names}
    found = evidence_of(Board(platform(*map(module, names)), tracks=tracks), ["m5"], names)
    assert [e.module for e in found[:3]] == ["m5"] * 3
    assert len(found) == 8
    assert [e.at for e in found[3:]] == sorted(e.at for e in found[3:])


def test_what_is_not_known_any_more_stays_as_urgent_as_it_was() -> None:
    """Down, then unknown, while another one joins: the priority stands."""
    day = Day(module("a", priority=Priority.URGENT), module("b", "a", priority=Priority.LOW))
    day.turn("a", "down")
    day.turn("a", "unknown")
    (saved,) = day.turn("b", "down")
    assert saved.incident.priority is Priority.URGENT


def test_worse_better_and_worse_again() -> None:
    """Each is told once, also across a time in which nothing was known."""
    day = Day(module("a"))
    for status in ("degraded", "unknown", "degraded", "down", "unknown", "degraded", "unknown", "up"):
        day.turn("a", status)
    told = [change for change in day.changes if change]
    assert told == [Change.OPENED, Change.WORSENED, Change.EASED, Change.RESOLVED]


def test_a_member_that_fails_again_is_told_as_added() -> None:
    """While the others still fail the incident goes on, dated anew for that member."""
    day = Day(module("a"), module("b", "a"))
    day.turn("a", "down")
    day.turn("b", "down")
    day.turn("b", "up")
    (saved,) = day.turn("b", "down")
    assert saved.change is Change.MEMBER_ADDED
    member = saved.incident.member("b")
    assert member is not None
    assert (member.until, member.since) == (None, START + timedelta(minutes=4))


def test_a_relapse_within_ten_minutes_is_the_same_incident() -> None:
    """Later it is another; those long over are forgotten."""
    day = Day(module("a"))
    for status, minutes in (("down", 1), ("up", 1), ("down", 10), ("up", 1), ("down", 11)):
        day.turn("a", status, minutes)
    assert day.changes == [Change.OPENED, Change.RESOLVED, Change.REOPENED, Change.RESOLVED, Change.OPENED]
    assert len(day.board.incidents) == 1


def test_incidents_that_are_over_do_not_pile_up() -> None:
    """A hundred outages an hour apart: the board remembers the present one."""
    day = Day(module("a"))
    for _ in range(100):
        day.turn("a", "down", 59)
        day.turn("a", "up", 1)
    assert len(day.board.incidents) == 1


def test_dropping_what_is_in_no_incident_does_nothing() -> None:
    """Nor does a recovery of what never failed."""
    day = Day(module("a"))
    assert drop(day.board, "a", START)[1] == []
    assert day.turn("a", "up") == []
    assert day.turn("a", "unknown") == []


def test_a_module_that_recovers_while_the_root_does_not_leaves_it_open() -> None:
    """`member_cleared`, and `monitoring` only when the root itself answers."""
    told = story(module("checkout", "catalog"), module("catalog"))
    told.play({"checkout": "++" + "-" * 6 + "+" * 6, "catalog": "++" + "-" * 12})
    assert told.changes == ["opened", "member_added", "member_cleared"]
    assert told.incidents[0].stage == "identified"


@pytest.mark.parametrize(
    ("root", "confidence", "named"),
    [
        pytest.param(None, 0.74, "root", id="nobody sure enough"),
        pytest.param("a", 0.99, "a", id="another one, twenty times as likely"),
        pytest.param("a", 0.85, "root", id="another one, not that likely"),
    ],
)
def test_a_root_that_was_named_is_given_up_only_for_another(root: str | None, confidence: float, named: str) -> None:
    """What fails once more long after the others are well does not make the cause of all of it uncertain."""
    day = Day(module("a", "root"), module("b", "root"), module("root"))
    day.turn("a", "down")
    (incident,) = day.open_ones
    before = replace(incident.cause, scope="module", module="root", confidence=0.99)
    group = Group(("a",), root, confidence, (("a", confidence), ("root", 1 - confidence), ("b", 0.01)))
    assert cause_of(day.board, group, before, START).module == named


def test_a_root_that_fails_again_is_still_the_root() -> None:
    """Who comes back while another member never recovered has not begun later than that one."""
    day = Day(module("a", "root"), module("root"))
    for name, status in (("root", "down"), ("a", "down"), ("root", "up"), ("root", "down")):
        day.turn(name, status)
    (incident,) = day.open_ones
    assert incident.cause.module == "root"
    assert Change.CAUSE_CHANGED not in day.changes


def test_a_victim_that_fails_first_reopens_the_incident_of_its_root() -> None:
    """A root that comes and goes is one incident, whichever of its victims is seen to fail first."""
    told = story(module("checkout", "prices"), module("prices"))
    told.play(
        {
            "checkout": "++ " + "-" * 5 + "+" * 7 + "-" * 5,
            "prices": "++-" + "-" * 5 + "+" * 7 + " " + "-" * 4,
        }
    )
    assert [change for change in told.changes if change in ("opened", "resolved", "reopened")] == [
        "opened",
        "resolved",
        "reopened",
    ]
