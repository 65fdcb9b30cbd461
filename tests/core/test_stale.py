"""A place whose agent is not heard of: what the others say counts, what only it could see is unknown, and what it
brings once it is back raises nothing."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core import statement
from monitor.core.effect import Ask, Gap, Keep, Moved, Observed, Saved
from monitor.core.module import Status
from monitor.core.probe import Role
from monitor.core.selfcheck import self_check
from tests.core.places import look, regional, seen_from, world
from tests.depth import examples
from tests.stories.beats import START, Story, canary, observation, story
from tests.stories.beats import module as asked_here


def away(told: Story, *places: str) -> Story:
    """The story once nothing was heard of these places for half a minute."""
    since = told.now
    told.now += timedelta(seconds=31)
    for place in places:
        told.lose(place, since)
    return told


def gaps(told: Story) -> list[Gap]:
    return [effect for effect in told.effects if isinstance(effect, Gap)]


def kept(told: Story, place: str) -> list[tuple[bool, bool]]:
    """Of every run that was kept of a place: discarded, late."""
    found = [effect for effect in told.effects if isinstance(effect, Keep)]
    return [(one.discarded, one.late) for one in found if one.observation.location == place]


def test_what_only_a_stale_place_sees_is_unknown_at_once() -> None:
    """Dated from the last that was heard of it, with a gap that says why; the page says that not all is seen."""
    told = look(world(*seen_from("catalog"), *seen_from("fastly", places=("z",))), {"x": "++", "y": "++", "z": "++"})
    heard_at = max(track.usable_at for key, track in told.board.tracks.items() if key[2] == "z" and track.usable_at)
    since = told.now
    away(told, "z")
    assert (told.board.status("catalog"), told.board.status("fastly")) == (Status.UP, Status.UNKNOWN)
    assert told.board.modules["fastly"].since == heard_at
    assert gaps(told) == [Gap("z", since, code="self.unheard")]
    assert self_check(told.board)[::2] == ("degraded", "self.unheard")
    assert told.changes == []


def test_mere_evidence_has_no_status_when_a_place_falls_silent_either() -> None:
    """It decides nothing, whoever is heard of."""
    (made,) = seen_from("a")
    hint = replace(made.probes[0], id="hint", role=Role.EVIDENCE)
    told = look(world(replace(made, probes=(*made.probes, hint))), dict.fromkeys("xyz", "++"))
    for place in "xyz":
        told.feed(observation("a", told.now, "+", place, probe="hint"))
    away(told, "z")
    assert set(told.board.probes) == {("a", "ask")}


def test_nothing_is_green_where_no_place_is_heard_of() -> None:
    """Whatever was up is unknown, and the monitor calls itself blind."""
    told = away(look(world(*seen_from("a", "b")), dict.fromkeys("xyz", "++")), "x", "y", "z")
    assert {told.board.status("a"), told.board.status("b")} == {Status.UNKNOWN}
    assert self_check(told.board)[0] == "blind"


def test_what_a_silent_place_saw_last_is_not_shown_as_if_it_were_of_now() -> None:
    """Neither while nothing is heard of it nor once it is, until it has looked again."""
    told = away(look(world(*seen_from("a")), dict.fromkeys("xyz", "++")), "z")
    shown = {"x": Status.UP, "y": Status.UP, "z": Status.UNKNOWN}
    assert statement.seen_from(told.board, "a") == shown
    told.regain("z")
    assert statement.seen_from(told.board, "a") == shown
    told.feed(observation("a", told.now, "+", "z"), carried=True)
    assert statement.seen_from(told.board, "a") == {**shown, "z": Status.UP}


@pytest.mark.parametrize("outcome", ["+", "-"])
def test_runs_of_a_place_that_stay_away_are_shown_for_three_intervals_and_a_timeout(outcome: str) -> None:
    """Its agent is heard of, yet nothing comes of this probe; what the others see stands."""
    told = look(world(*seen_from("a")), {"x": "++++", "y": "++++", "z": outcome})
    assert told.board.tracks[("a", "ask", "z")].last_at == START + timedelta(seconds=20)
    told.now = START + timedelta(seconds=120)
    told.tick()
    seen = Status.UP if outcome == "+" else Status.DOWN
    assert statement.seen_from(told.board, "a") == {"x": Status.UP, "y": Status.UP, "z": seen}
    told.now = START + timedelta(seconds=121)
    told.tick()
    assert statement.seen_from(told.board, "a") == {"x": Status.UP, "y": Status.UP, "z": Status.UNKNOWN}
    assert told.board.status("a") is Status.UP


def test_the_others_decide_without_it() -> None:
    """Two of three that are left still find an outage, and its end."""
    told = away(look(world(*seen_from("a")), dict.fromkeys("xyz", "++")), "z")
    gone = (told.now - START).total_seconds()
    look(told, dict.fromkeys("xy", "----"), start=gone)
    assert told.board.status("a") is Status.DOWN
    look(told, dict.fromkeys("xy", "++++++++++"), start=gone + 120)
    assert told.board.status("a") is Status.UP
    assert told.changes == ["opened", "resolved"]


def test_one_of_two_that_are_left_is_not_enough() -> None:
    """Of three places two are left: both must agree."""
    told = away(look(world(*seen_from("a")), dict.fromkeys("xyz", "++")), "z")
    gone = (told.now - START).total_seconds()
    look(told, {"x": "------", "y": "++++++"}, start=gone)
    assert told.board.status("a") is Status.UP


def test_a_place_that_falls_silent_while_it_failed_takes_nothing_down() -> None:
    """The only one that saw trouble is gone: that was regional, and stays open until it is heard of again."""
    told = look(world(*seen_from("a", "b")), {"x": "++++++", "y": "++++++", "z": "++----"})
    assert [one.is_open for one in regional(told)] == [True]
    moved = len(told.transitions)
    away(told, "z")
    gone = (told.now - START).total_seconds()
    look(told, {"x": "++++++++++", "y": "++++++++++"}, start=gone)
    assert len(told.transitions) == moved
    assert [one.is_open for one in regional(told)] == [True]


def test_when_only_the_place_that_fails_alone_is_left_its_word_is_not_taken_at_once() -> None:
    """The others saw the module well to the end: it is unknown, not down."""
    told = look(world(*seen_from("a")), {"x": "++++++", "y": "++++++", "z": "++----"})
    assert [one.is_open for one in regional(told)] == [True]
    away(told, "x", "y")
    assert told.board.status("a") is Status.UNKNOWN
    told.tick()
    assert told.board.status("a") is Status.UNKNOWN


def test_what_was_down_is_not_resolved_by_silence() -> None:
    """Every place that saw it is gone: unknown, and the incident stays."""
    told = look(world(*seen_from("a")), dict.fromkeys("xyz", "++-----"))
    assert told.changes == ["opened"]
    away(told, "x", "y", "z")
    assert told.board.status("a") is Status.UNKNOWN
    for _ in range(200):
        told.now += timedelta(seconds=1)
        told.tick()
    assert told.changes == ["opened"]


def test_late_failures_raise_no_ghosts() -> None:
    """An hour of failures that an agent brings afterwards is kept, counts for its own time, and decides nothing."""
    told = away(look(world(*seen_from("a", places=("z",))), {"z": "++"}), "z")
    gone, moved = told.now, len(told.transitions)
    told.now += timedelta(hours=1)
    told.regain("z")
    for minute in range(60):
        told.feed(observation("a", gone + timedelta(minutes=minute), "-", "z"), carried=True)
    told.tick()
    assert kept(told, "z")[-60:] == [(False, True)] * 60
    assert (len(told.transitions), told.changes) == (moved, [])
    assert not [effect for effect in told.effects if isinstance(effect, Ask)]
    told.feed(observation("a", told.now, "+", "z"), carried=True)
    assert told.board.status("a") is Status.UP
    assert gaps(told)[-1] == Gap("z", gaps(told)[0].since, gone + timedelta(hours=1), "self.unheard")


def test_a_failure_of_the_last_minute_away_is_no_news_either() -> None:
    """It is young enough, but nobody knows whether the place could see anything then."""
    told = away(look(world(*seen_from("a", places=("z",))), {"z": "++"}), "z")
    told.regain("z")
    told.feed(observation("a", told.now - timedelta(seconds=10), "-", "z"), carried=True)
    assert kept(told, "z")[-1] == (False, True)


def test_failures_after_the_return_count_from_the_return() -> None:
    """What was held against a module before has not lasted through the silence."""
    told = look(world(*seen_from("a", places=("z",))), {"z": "++-"})
    away(told, "z")
    told.now += timedelta(hours=1)
    back = told.now
    told.regain("z")
    for run in range(4):
        told.feed(observation("a", back + timedelta(seconds=1 + 30 * run), "-", "z"), carried=True)
    (opened,) = told.incidents
    assert opened.started_at == back + timedelta(seconds=1)


def test_what_is_brought_twice_is_kept_once() -> None:
    """An agent that did not hear that it was heard says everything again."""
    told = look(world(*seen_from("a")), dict.fromkeys("xyz", "+"))
    one = observation("a", told.now, "+", "z")
    before = len(kept(told, "z"))
    for _ in range(3):
        told.feed(one, carried=True)
    assert len(kept(told, "z")) == before + 1


def test_what_comes_from_the_future_is_kept_and_not_believed() -> None:
    """An agent whose clock is wrong by more than five seconds decides nothing."""
    told = look(world(*seen_from("a", places=("z",))), {"z": "++"})
    now = told.now
    for run in range(5):
        told.now = now
        told._take(Observed(observation("a", now + timedelta(seconds=6 + run), "-", "z"), carried=True))
    assert kept(told, "z")[-5:] == [(True, False)] * 5
    assert told.board.status("a") is Status.UP


def test_old_answers_of_canaries_do_not_cure_a_place() -> None:
    """Whether a place sees is a question about now."""
    told = look(world(*seen_from("a"), canaries=3), dict.fromkeys("xyz", "+"))
    told.now += timedelta(minutes=5)
    for name in ("1.1.1.1:443", "9.9.9.9:443"):
        told.feed(canary(told.now - timedelta(minutes=2), False, name, "z"), carried=True)
    assert gaps(told) == []


def test_a_restart_remembers_who_was_not_heard_of() -> None:
    """With or without canaries."""
    for canaries in (0, 3):
        told = away(look(world(*seen_from("a"), canaries=canaries), dict.fromkeys("xyz", "++")), "z")
        since = told.board.vantages["z"].stale_since
        told.restart(pause=5)
        assert told.board.vantages["z"].stale_since == since
        assert told.board.vantages["z"].blind_since is None
        told.regain("z")
        assert gaps(told)[-1].until is not None


def test_a_place_that_leaves_the_configuration_leaves_no_open_gap() -> None:
    """Nobody waits for it any more."""
    told = away(look(world(*seen_from("a")), dict.fromkeys("xyz", "++")), "z")
    told.reconfigure(replace(told.board.platform, locations={"x": "one", "y": "two"}))
    assert "z" not in told.board.vantages
    assert gaps(told)[-1].until is not None


def test_a_monitor_that_looks_from_one_place_knows_no_staleness() -> None:
    """Runs of its own are never carried, and as untimely as ever."""
    told = story(asked_here("a")).play({"a": "++"})
    told.now += timedelta(minutes=10)
    told.feed(observation("a", told.now - timedelta(minutes=8), "-"))
    assert kept(told, "here")[-1] == (True, False)


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from("+-~?b"), min_size=1, max_size=40), st.booleans(), st.integers(0, 3000))
def test_nothing_late_ever_moves_anything(outcomes: list[str], failing: bool, pause: int) -> None:
    """Whatever a place brings of the time in which it was away, in whatever order."""
    told = look(world(*seen_from("a", "b")), dict.fromkeys("xyz", "++----" if failing else "++"))
    away(told, "z")
    gone = told.now
    told.now += timedelta(seconds=pause)
    told.regain("z")
    before = told.board, len(told.effects)
    for turn, outcome in enumerate(outcomes):
        told.feed(observation("a", gone - timedelta(seconds=turn * 7.5 + 12), outcome, "z"), carried=True)
    assert not any(isinstance(effect, Moved | Saved | Gap) for effect in told.effects[before[1] :])
    assert told.board.tracks == before[0].tracks
