"""Trouble that only one failure domain sees is an incident of the place; no module is blamed for it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Vantage
from monitor.core.effect import Moved
from monitor.core.maintenance import Window
from monitor.core.module import Status
from tests.core.places import THREE, look, regional, seen_from, world
from tests.stories.beats import START, Story, canary, observation

WELL = "+" * 40


def only_x(outcomes: str, *names: str, every: float = 30) -> Story:
    """What place `x` sees of these modules, while `y` and `z` see all of them well."""
    well = "+" * len(outcomes)
    return look(world(*seen_from(*names)), {"x": outcomes, "y": well, "z": well}, every)


def worse(told: Story) -> list[str]:
    """Modules that ever went down or degraded."""
    moves = [effect.transition for effect in told.effects if isinstance(effect, Moved)]
    return [move.module for move in moves if move.after in (Status.DOWN, Status.DEGRADED)]


def test_a_minute_of_failures_at_one_place_is_its_own_incident() -> None:
    """Scope `location`, no modules, dated from the first failure; the module is what the other places see."""
    told = only_x("++------", "a")
    (incident,) = told.incidents
    assert (incident.cause.scope, incident.cause.locations, incident.members) == ("location", ("x",), ())
    assert (incident.cause.module, incident.cause.code) == (None, "http.503")
    assert incident.started_at == START + timedelta(seconds=60)
    assert told.changes == [one.kind for one in incident.updates] == ["opened"]
    assert worse(told) == []
    assert told.board.status("a") is Status.UP


@pytest.mark.parametrize(
    ("outcomes", "every", "names", "opens"),
    [
        pytest.param("++--+++++", 30, "a", False, id="half a minute is nothing"),
        pytest.param("++---", 30, "a", True, id="a minute is"),
        pytest.param("++---+++", 10, "a", False, id="three failures of one module in a moment"),
        pytest.param("++---+++", 10, "ab", False, id="of two modules"),
        pytest.param("++---+++", 10, "abc", True, id="of three modules"),
        pytest.param("++--++++", 10, "abc", False, id="two failures each"),
        pytest.param("++bbb", 30, "a", False, id="a wall before one module is no evidence"),
        pytest.param("++bbb+++", 10, "abc", True, id="a wall before three modules"),
        pytest.param("++b+b+b+", 30, "abc", False, id="a limit that is reached now and then"),
        pytest.param("++cccccc", 30, "abc", False, id="our own request"),
        pytest.param("++??????", 30, "abc", False, id="our own trouble"),
        pytest.param("++~~~~~~", 30, "abc", False, id="slowness"),
    ],
)
def test_what_opens_an_incident_of_a_place(outcomes: str, every: float, names: str, opens: bool) -> None:
    """One module for an unbroken minute, or three modules with three failures each within one."""
    told = only_x(outcomes, *names, every=every)
    assert told.changes[:1] == (["opened"] if opens else [])
    assert len(regional(told)) == opens
    assert worse(told) == []


def test_it_ends_two_minutes_after_the_evidence() -> None:
    """One good run is no end; two minutes without a failure are."""
    told = only_x("++-----" + "+++", "a")
    assert told.changes == ["opened"]
    look(told, {"x": "++", "y": "++", "z": "++"}, start=300)
    assert told.changes == ["opened", "resolved"]


def test_it_reopens_within_ten_minutes() -> None:
    """The same incident of the same place; later it is another."""
    told = only_x("++-----" + "+" * 10 + "-----" + "+" * 10, "a")
    assert told.changes == ["opened", "resolved", "reopened", "resolved"]
    assert len(told.incidents) == 1
    assert told.incidents[0].reopened == 1
    look(told, {"x": "+" * 25 + "-----", "y": "+" * 30, "z": "+" * 30}, start=32 * 30)
    assert told.changes[4:] == ["opened"]


def test_none_opens_while_a_module_is_in_trouble() -> None:
    """Partial outages look regional by chance."""
    told = world(*seen_from("a", "b"))
    look(
        told,
        {
            "a@x": "++--------",
            "a@y": "++--------",
            "a@z": "++--------",
            "b@x": "+++-------",
            "y": WELL[:10],
            "z": WELL[:10],
        },
    )
    assert told.changes == ["opened"]
    assert regional(told) == []


def test_a_blind_place_has_no_trouble_of_its_own() -> None:
    """That is a gap of ours and no incident."""
    told = world(*seen_from("a"), canaries=3)
    look(told, {"x": "++", "y": "++", "z": "++"})
    told.sees = False
    told.board = replace(told.board, vantages={"x": Vantage(dark_since=told.now)})
    for name in ("1.1.1.1:443", "9.9.9.9:443", "8.8.4.4:443"):
        told.feed(canary(told.now, False, name, "x"))
    look(told, {"x": "-" * 8, "y": WELL[:8], "z": WELL[:8]}, start=60)
    assert told.changes == []


@pytest.mark.parametrize(
    ("y", "z", "status"),
    [("--------", "++++++++", "up"), ("---+++++", "++++++++", "up"), ("--------", "--------", "down")],
    ids=["another one fails", "a minute of strays", "all fail"],
)
def test_a_place_that_is_alone_with_it_has_no_say(y: str, z: str, status: str) -> None:
    """With one region in trouble, a second place that fails for a minute is no quorum; both others are."""
    told = only_x("++" + "-" * 8, "a")
    look(told, {"x": "-" * 8, "y": y, "z": z}, every=10, start=300)
    assert told.board.status("a") == status


def test_and_has_one_again_when_it_has_recovered() -> None:
    """Two minutes after its trouble ended it counts like any other."""
    told = only_x("++" + "-" * 6 + "+" * 10, "a")
    assert told.board.regional == {}
    look(told, {"x": "-" * 8, "y": "-" * 8, "z": WELL[:8]}, start=18 * 30)
    assert told.board.status("a") is Status.DOWN


def test_two_places_of_one_domain_are_one_region() -> None:
    """Their incident names both."""
    told = world(*seen_from("a"), locations=THREE | {"y": "one"})
    look(told, {"x": "++------", "y": "++------", "z": WELL[:8]})
    (incident,) = told.incidents
    assert (incident.cause.scope, incident.cause.locations) == ("location", ("x", "y"))


def test_one_domain_alone_sees_everything() -> None:
    """Where nobody else looks, trouble is the module's."""
    told = world(*seen_from("a", places=("x", "y")), locations={"x": "one", "y": "one"})
    look(told, {"x": "++------", "y": "++------"})
    assert regional(told) == []
    assert worse(told) == ["a"]


def test_a_place_that_nobody_can_contradict_is_no_region() -> None:
    """The others are silent: what one place sees may be true."""
    told = look(world(*seen_from("a")), {"x": "++++++------", "y": "++", "z": "++"})
    assert regional(told) == []


def test_the_evidence_is_what_the_place_saw() -> None:
    """With the place and what was wrong there, and at most eight pieces."""
    told = only_x("++" + "-" * 6, *"abc")
    (incident,) = regional(told)
    assert 0 < len(incident.cause.evidence) <= 8
    assert {one.location for one in incident.cause.evidence} == {"x"}
    assert {one.detail for one in incident.cause.evidence} == {"status 503, expected 200–299"}


def test_its_code_is_that_of_most_modules() -> None:
    """Not the one that some of them fail by."""
    told = world(*seen_from(*"abc"))
    look(told, {"a@x": "++xxxx", "x": "++----", "y": WELL[:6], "z": WELL[:6]})
    assert [one.cause.code for one in regional(told)] == ["http.503"]


def test_work_on_a_module_ends_no_trouble_of_a_place_that_was_there_before() -> None:
    """The place goes on failing, and not for the work."""
    told = only_x("++------", "a")
    work = Window("w", {"en": "Works"}, told.now, told.now + timedelta(hours=1), modules=("a",))
    told.plan((work, [work.begins]))
    look(told, {"x": "-" * 8, "y": WELL[:8], "z": WELL[:8]}, start=240)
    assert told.changes == ["opened"]


def test_failures_now_and_then_are_no_unbroken_minute() -> None:
    """W at its cap for an unbroken 60 s (judgement.md 1.2): every second run of one module passes."""
    told = look(world(*seen_from("a")), {"x": "++" + "-+" * 6, "y": "+" * 14, "z": "+" * 14})
    assert regional(told) == []


def test_a_place_that_falls_silent_ends_its_incident() -> None:
    """Two minutes after the evidence does: the last run there is twenty minutes old."""
    told = look(world(*seen_from("a")), {"x": "++------", "y": "+" * 50, "z": "+" * 50})
    assert told.changes == ["opened", "resolved"]


def test_an_incident_of_a_place_survives_a_restart_and_ends() -> None:
    """The place is well from the restart on: over after two minutes, not open for ever."""
    told = look(world(*seen_from("a")), {"x": "++------", "y": "+" * 8, "z": "+" * 8})
    told.restart(pause=5)
    look(told, {"x": "+" * 20, "y": "+" * 20, "z": "+" * 20}, start=270)
    assert told.changes == ["opened", "resolved"]


def test_an_incident_of_a_place_ends_when_the_others_are_gone() -> None:
    """A reload that leaves one place, which sees well again."""
    told = look(world(*seen_from("a")), {"x": "++------", "y": "+" * 8, "z": "+" * 8})
    one = {m.id: m for m in seen_from("a", places=("x",))}
    told.reconfigure(replace(told.board.platform, locations={"x": "one"}, modules=one))
    look(told, {"x": "+" * 20}, start=270)
    assert told.changes == ["opened", "resolved"]


def test_what_one_place_sees_is_no_part_of_a_cause() -> None:
    """Two modules fail everywhere, a third at one place only: two incidents, and the third is nobody's victim."""
    told = world(*seen_from(*"abcde", hosts=5))
    for beat in range(10):
        for turn, place in enumerate("xyz"):
            at = START + timedelta(seconds=30 * beat + 10 * turn)
            for number, name in enumerate("abcde"):
                bad = beat > 1 and (name in "ab" or (name == "c" and place == "x"))
                told.feed(observation(name, at, "-" if bad else "+", place, address=f"8.8.{number}.8:443"))
                told.tick()
    assert [(one.cause.scope, one.cause.module) for one in told.incidents] == [("module", "a"), ("module", "b")]
