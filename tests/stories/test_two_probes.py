"""A module with more than one probe is as bad as the worst of them that is known."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.module import Module, Status
from monitor.core.probe import Role
from tests.stories.beats import START, Story, module, observation, statuses, story


def double(role: Role = Role.VERDICT) -> Module:
    """A catalog that is asked in two ways."""
    base = module("catalog")
    return replace(base, probes=(base.probes[0], replace(base.probes[0], id="more", role=role)))


def run(told: Story, ask: str, more: str) -> Story:
    """One run of each probe at every beat."""
    for beat, pair in enumerate(zip(ask, more, strict=True)):
        for probe, outcome in zip(("ask", "more"), pair, strict=True):
            if outcome != " ":
                at = START + timedelta(seconds=beat * 30)
                told.feed(observation("catalog", at, outcome, probe=probe))
        told.now = max(told.now, START + timedelta(seconds=beat * 30 + 29))
        told.tick()
    return told


def test_one_failing_probe_is_enough() -> None:
    """The other one passes all the time: down all the same."""
    told = run(story(double()), "++-----", "+++++++")
    assert told.changes == ["opened"]
    assert told.transitions[-1] == ("catalog", "down", 60.0)


def test_the_module_is_back_when_the_last_of_its_probes_is() -> None:
    """One probe recovers, the other goes on failing: one incident until both are well."""
    told = run(story(double()), "++-----++++++++", "++---------++++")
    assert statuses(told) == ["up", "down", "up"]
    assert told.changes == ["opened", "resolved"]
    assert told.transitions[-1][2] == 330.0


def test_evidence_decides_nothing() -> None:
    """A failing probe of the evidence role is kept, and blames nobody."""
    assert run(story(double(Role.EVIDENCE)), "+++++++", "++-----").changes == []


def test_a_failing_probe_that_falls_silent_is_no_recovery() -> None:
    """What failed went blind for a wall: the other probe, well all along, does not prove that it is over."""
    told = run(story(double()), "++-----" + "b" * 8, "+" * 15)
    assert told.changes == ["opened"]
    assert told.board.status("catalog") is Status.UNKNOWN


def test_and_it_is_over_when_it_answers_again() -> None:
    """The probe that fell silent passes again for long enough."""
    told = run(story(double()), "++-----" + "b" * 8 + "+" * 5, "+" * 20)
    assert told.changes == ["opened", "resolved"]


def test_a_probe_that_never_said_anything_counts_neither_way() -> None:
    """Blocked from the beginning: the other one decides."""
    assert statuses(run(story(double()), "bbbbbbbbbb", "++++++++++")) == ["up"]


def test_walls_after_an_outage_do_not_go_back_and_forth() -> None:
    """Down, then blocked: unknown once, not down and unknown in turns."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "b" * 20})
    assert statuses(told) == ["up", "down", "unknown"]
