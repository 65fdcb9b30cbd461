"""What a new configuration does to modules, probes and incidents that are under way."""

from dataclasses import replace

from monitor.core.effect import Gap, Remember, Settled
from monitor.core.module import Status
from monitor.core.probe import Role
from tests.stories.beats import Story, module, platform, story

DOWN = "++" + "-" * 5


def test_a_module_that_leaves_is_closed_as_no_longer_monitored() -> None:
    """Its incident ends with it, and says why."""
    told = story(module("catalog"), module("search")).play({"catalog": DOWN, "search": "+" * 7})
    told.reconfigure(platform(module("search")))
    (incident,) = told.incidents
    assert not incident.is_open
    assert incident.updates[-1].kind == "unmonitored"
    assert "catalog" not in told.board.modules
    assert not [key for key in told.board.tracks if key[0] == "catalog"]


def test_the_history_of_a_module_that_leaves_ends_with_nothing_known() -> None:
    """Nobody looks any more, so the last stretch is neither up nor down for ever."""
    told = story(module("catalog"), module("search")).play({"catalog": "++", "search": "++"})
    told.reconfigure(platform(module("search")))
    assert told.transitions[-1][:2] == ("catalog", "unknown")
    stored = [e for e in told.effects if isinstance(e, Settled) and e.module == "catalog"]
    assert {e.probe: e.condition.status for e in stored} == {None: Status.UNKNOWN, "ask": Status.UNKNOWN}


def test_a_module_that_leaves_does_not_end_the_incident_of_others() -> None:
    """The rest of the incident goes on without it."""
    told = story(module("checkout", "catalog"), module("catalog")).play({"checkout": DOWN, "catalog": DOWN})
    told.reconfigure(platform(module("checkout")))
    (incident,) = told.incidents
    assert incident.is_open
    assert told.changes[-1] == "member_cleared"


def test_a_renamed_module_keeps_its_incident() -> None:
    """With the old id as an alias: same incident, same status, now under the new name, and nothing announced."""
    told = story(module("catalog")).play({"catalog": DOWN})
    new = replace(module("produce"), aliases=("catalog",))
    told.reconfigure(platform(new))
    assert told.changes == ["opened"]
    assert told.board.status("produce") is Status.DOWN
    (incident,) = told.incidents
    assert (incident.key.split(":")[1], incident.root, incident.cause.module) == ("catalog", "produce", "produce")
    assert {m.module for m in incident.members} == {"produce"}
    assert {update.params["module"] for update in incident.updates} == {"produce"}
    assert any(isinstance(e, Remember) and e.module == "produce" and e.track for e in told.effects)


def test_a_renamed_module_goes_on_where_it_was() -> None:
    """It recovers under its new name and the incident with it."""
    told = story(module("catalog")).play({"catalog": DOWN})
    told.reconfigure(platform(replace(module("produce"), aliases=("catalog",))))
    later = Story(told.board, told.now, told.effects)
    from_now = {"produce": " " * 7 + "+" * 6}
    later.play(from_now)
    assert later.changes == ["opened", "resolved"]


def test_a_new_name_of_one_module_leaves_the_others_alone() -> None:
    """What is known of each, and what is held against it at the moment, is as it was."""
    told = story(module("catalog"), module("search")).play({"catalog": "++-", "search": "++-"})
    before = told.board
    told.reconfigure(platform(replace(module("produce"), aliases=("catalog",)), module("search")))
    search = ("search", "ask", "here")
    assert told.board.tracks[search] == before.tracks[search]
    assert told.board.modules["search"] == before.modules["search"]
    assert told.board.restless == {search, ("produce", "ask", "here")}


def test_an_alias_of_a_module_that_is_known_already_takes_nothing_over() -> None:
    """Two modules become one: the one that stays keeps its own state, the other leaves."""
    told = story(module("catalog"), module("search")).play({"catalog": DOWN, "search": "+" * 7})
    told.reconfigure(platform(replace(module("search"), aliases=("catalog",))))
    assert told.board.status("search") is Status.UP
    assert told.changes == ["opened", "resolved"]


def test_a_probe_that_is_switched_off_takes_its_verdict_along() -> None:
    """A module without any probe that is asked is not monitored, so its incident ends."""
    base = module("catalog")
    told = story(base).play({"catalog": DOWN})
    told.reconfigure(platform(replace(base, probes=(replace(base.probes[0], off="no key"),))))
    assert told.board.status("catalog") is Status.UNKNOWN
    (incident,) = told.incidents
    assert incident.updates[-1].kind == "unmonitored"


def test_a_probe_that_becomes_evidence_decides_nothing() -> None:
    """Its old verdict goes, also from what a restart reads."""
    base = module("catalog")
    told = story(base).play({"catalog": DOWN})
    evidence = replace(base, probes=(replace(base.probes[0], role=Role.EVIDENCE),))
    told.reconfigure(platform(evidence))
    assert told.board.probes == {}
    assert any(isinstance(e, Settled) and e.condition.status is Status.UNKNOWN and e.probe for e in told.effects)


def test_the_same_configuration_again_changes_nothing() -> None:
    """A reload without a difference is not an event."""
    told = story(module("checkout", "catalog"), module("catalog")).play({"checkout": DOWN, "catalog": DOWN})
    before, count = told.board, len(told.effects)
    told.reconfigure(told.board.platform)
    assert told.board == replace(before, budget=told.board.budget)
    assert len(told.effects) == count


def test_a_place_is_not_blind_for_ever_once_nobody_can_ask() -> None:
    """Canaries that leave the configuration end a blindness they could no longer end."""
    told = story(module("catalog"), canaries=3)
    told.sees = False
    told.play({"catalog": "++----"})
    assert told.board.vantages["here"].blind_since is not None
    told.reconfigure(platform(module("catalog")))
    assert "here" not in told.board.vantages
    assert [e.until is not None for e in told.effects if isinstance(e, Gap)] == [False, True]


def test_a_probe_that_moves_to_another_place_is_not_unknown_at_once() -> None:
    """What is known holds until the new place has had time to look."""
    told = story(module("catalog"), locations={"here": "a", "there": "b"}).play({"catalog": "++"})
    told.reconfigure(platform(module("catalog", places=("there",)), locations={"here": "a", "there": "b"}))
    told.tick()
    assert told.board.status("catalog") is Status.UP
