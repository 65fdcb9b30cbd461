"""Scores, spans and recovery of one probe, and the stored form of a track."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.detector import Panel, fails_still, is_settled, settle
from monitor.core.expectation import Outcome, Result, judge
from monitor.core.memo import track_from_json, track_to_json
from monitor.core.module import Status
from monitor.core.probe import Probe
from monitor.core.track import CAP, Track, forget, is_notable, is_usable, learn, silenced
from monitor.core.tuning import Tuning
from tests.stories.beats import START, module, observation, platform, story

PROBE = module("catalog").probes[0]
ONE = Panel({"here": "default"})


def tracked(outcomes: str, every: float = 30, probe: Probe = PROBE) -> Track:
    """The track after these runs."""
    track = Track()
    for beat, outcome in enumerate(outcomes):
        one = observation("catalog", START + timedelta(seconds=beat * every), outcome)
        track = learn(track, one, judge(one, probe.expect), probe.interval)
    return track


def at(seconds: float) -> timedelta:
    """Short for a length of time."""
    return timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("alarms", "span"),
    [(100, 10), (0.1, 10), (0.099, 15), (0.05, 15), (0.04, 15), (0.039, 25), (0.001, 25)],
)
def test_whoever_tolerates_fewer_wrong_alarms_a_year_waits_longer(alarms: float, span: float) -> None:
    """And four times as long where one failure domain looks; nothing else depends on it."""
    assert Tuning.tolerating(alarms) == Tuning(span_quorum=at(span), span_single=at(4 * span))


@pytest.mark.parametrize(
    ("before", "outcomes", "every", "after", "since"),
    [
        pytest.param("unknown", "+", 30, "up", 0, id="the first good run is enough where nothing was known"),
        pytest.param("unknown", "-", 30, "unknown", None, id="one failure decides nothing"),
        pytest.param("unknown", "---", 30, "down", 0, id="failures over a minute are down, also from the beginning"),
        pytest.param("up", "+--", 30, "up", None, id="half a minute of failures is too short"),
        pytest.param("up", "+---", 30, "down", 30, id="a minute of failures is down"),
        pytest.param("up", "+" + "-" * 12, 5, "up", None, id="many failures in less than a minute are too short"),
        pytest.param("up", "+" + "-" * 13, 5, "down", 5, id="dated from the first failure"),
        pytest.param("up", "+xx", 1, "down", 1, id="an expired certificate needs one repeat"),
        pytest.param("up", "+~~~", 30, "degraded", 30, id="a minute of slowness is degraded"),
        pytest.param("up", "+~~+~", 30, "degraded", 30, id="one brisk answer does not undo slowness"),
        pytest.param("down", "---++", 30, "down", None, id="two good runs are no recovery"),
        pytest.param("down", "---+++", 30, "up", 90, id="three good runs and a minute of calm are"),
        pytest.param("down", "---+++", 5, "down", None, id="three good runs without calm are not"),
        pytest.param("down", "---~~~~", 30, "degraded", 90, id="slow answers after failures are an easing"),
        pytest.param("degraded", "~~~+++", 30, "up", 90, id="three brisk runs and a minute of calm end slowness"),
        pytest.param("degraded", "~~~+++", 5, "degraded", None, id="three brisk runs without calm do not"),
        pytest.param("up", "+???", 30, "up", None, id="what says nothing changes nothing"),
        pytest.param("up", "+-+++-+++-", 30, "degraded", 30, id="one failure in four is degraded"),
        pytest.param("up", "+-+++-+++-", 7.5, "degraded", 7.5, id="also when it took a minute exactly"),
        pytest.param("up", "+-+++-+++-", 7.4, "up", None, id="but not in less"),
        pytest.param("up", "-" + "+" * 5 + "--", 30, "up", None, id="a stray minutes ago hurries no verdict"),
        pytest.param("up", "-" + "+" * 5 + "---", 30, "down", 180, id="… and dates none"),
    ],
)
def test_when_runs_make_news(before: str, outcomes: str, every: float, after: str, since: float | None) -> None:
    """A status follows from the runs of one place as the table says, dated from where it began."""
    now = START + at((len(outcomes) - 1) * every + 0.1)
    status, dated = settle(PROBE, Status(before), {"here": tracked(outcomes, every)}, ONE, now, Tuning())
    assert status == after
    if since is not None:
        assert dated == START + at(since)


@pytest.mark.parametrize("status", list(Status))
def test_silence_is_unknown_whatever_was_before(status: Status) -> None:
    """Longer than three intervals and a time-out without anything usable: unknown, also after failures."""
    for outcomes in ("+", "-----", "~~~~"):
        now = START + at(30 * len(outcomes) + 110)
        settled, _ = settle(PROBE, status, {"here": tracked(outcomes)}, ONE, now, Tuning())
        assert settled is Status.UNKNOWN


@pytest.mark.parametrize(
    ("confirm", "after"), [(0.0, Status.DOWN), (4.0, Status.DOWN), (6.0, Status.UP)], ids=["none", "short", "longer"]
)
def test_confirm_is_the_span_of_failures(confirm: float, after: Status) -> None:
    """`confirm` replaces the least span; nothing at all is a span too."""
    probe = replace(PROBE, confirm=at(confirm))
    now = START + at(10.1)
    assert settle(probe, Status.UP, {"here": tracked("+--", 5)}, ONE, now, Tuning())[0] is after


def test_confirm_none_at_all_holds_for_slowness_too() -> None:
    """Two slow answers are degraded when no span is asked for."""
    probe = replace(PROBE, confirm=at(0))
    now = START + at(10.1)
    assert settle(probe, Status.UP, {"here": tracked("+~~", 5)}, ONE, now, Tuning())[0] is Status.DEGRADED


@pytest.mark.parametrize(
    ("extra_runs", "outcomes", "after"),
    [
        pytest.param(False, "---+", Status.UP, id="one good run of a probe that is asked seldom"),
        pytest.param(True, "---+", Status.DOWN, id="one of a probe that has extra runs"),
        pytest.param(False, "-+-+-+", Status.DOWN, id="one of a probe that failed every second time"),
        pytest.param(False, "-+-+-+++++", Status.UP, id="five of the same"),
    ],
)
def test_a_probe_without_extra_runs_is_up_again_after_one_good_run(
    extra_runs: bool, outcomes: str, after: Status
) -> None:
    """Three more would take it half an hour in which nothing fails; one that fails in part has to prove more."""
    probe, track = replace(PROBE, extra_runs=extra_runs, interval=at(600)), tracked(outcomes, 600)
    track = replace(track, down_bad=outcomes.count("-"), down_all=len(outcomes))
    now = START + at(600 * (len(outcomes) - 1) + 0.1)
    assert settle(probe, Status.DOWN, {"here": track}, ONE, now, Tuning())[0] is after


PLACES = Panel({"x": "one", "y": "two", "z": "three"})
THREE = replace(PROBE, locations=("x", "y", "z"))


@pytest.mark.parametrize(
    ("x", "y", "z", "down"),
    [
        pytest.param("----", "++++", "++++", False, id="one place of three is regional"),
        pytest.param("----", "----", "++++", True, id="two of three are a quorum"),
        pytest.param("----", "-+++", "++++", False, id="one place and a stray failure are not"),
    ],
)
def test_a_quorum_of_failure_domains_decides(x: str, y: str, z: str, down: bool) -> None:
    """However long one place fails, it is worth no more than its cap."""
    tracks = {place: tracked(outcomes, 10) for place, outcomes in (("x", x), ("y", y), ("z", z))}
    assert (settle(THREE, Status.UP, tracks, PLACES, START + at(31), Tuning())[0] is Status.DOWN) is down


@pytest.mark.parametrize(
    ("x", "y", "still"),
    [
        pytest.param("-++-++-" + "+" * 12, "-++-++-" + "+" * 11, True, id="twenty-three since the last failure"),
        pytest.param("-++-++-" + "+" * 12, "-++-++-" + "+" * 12, False, id="twenty-four"),
        pytest.param("-++-++-" + "+" * 18, "-++-++-+++++++-" + "+" * 10, True, id="ten each, after a failure at one"),
        pytest.param("-++-++-" + "+" * 20, "-++-++-+++++++-" + "+" * 12, False, id="twelve each after it"),
    ],
)
def test_what_fails_now_and_then_at_several_places_is_over_when_all_are_well(x: str, y: str, still: bool) -> None:
    """Two dozen good runs of all of them since the last failure anywhere; those before it prove nothing."""
    probe = replace(PROBE, locations=("x", "y"), extra_runs=True)
    assert fails_still(probe, [tracked(x), tracked(y)]) is still


@pytest.mark.parametrize("z", ["-++-++", "-" + "+" * 18], ids=["no run since then", "one failure long ago"])
def test_a_place_without_a_part_in_what_fails_now_and_then_does_not_help_to_end_it(z: str) -> None:
    """Twenty-three good runs of the others since their last failure are as few with it as without it."""
    probe = replace(PROBE, locations=("x", "y", "z"), extra_runs=True)
    assert fails_still(probe, [tracked("-++-++-" + "+" * 12), tracked("-++-++-" + "+" * 11), tracked(z)])


def test_two_places_of_one_provider_are_one_opinion() -> None:
    """Places in the same failure domain count once."""
    tracks = {"x": tracked("----", 10), "y": tracked("----", 10), "z": tracked("++++", 10)}
    domains = Panel({"x": "one", "y": "one", "z": "three"})
    assert settle(THREE, Status.UP, tracks, domains, START + at(31), Tuning())[0] is not Status.DOWN


def test_a_place_that_never_saw_the_outage_does_not_date_its_end() -> None:
    """Two of three failed and are back: over since the second good opinion, not since the beginning of time."""
    tracks = {"x": tracked("---" + "+++++", 20), "y": tracked("----" + "++++", 20), "z": tracked("++++++++", 20)}
    status, since = settle(THREE, Status.DOWN, tracks, PLACES, START + at(141), Tuning())
    assert (status, since) == (Status.UP, START + at(60))


def test_a_run_that_was_taken_back_leaves_no_trace() -> None:
    """The track is as it was before the first run that was under way at the given moment or later."""
    good, doubted = tracked("++++"), tracked("++++--")
    taken = forget(doubted, START + at(119))
    assert (taken.score, taken.bad_since, taken.good_since) == (0.0, None, good.good_since)
    assert taken.good_streak == good.good_streak
    assert forget(doubted, START + at(1000)) is doubted


def test_no_streak_reaches_across_a_silence() -> None:
    """What failed still has to recover, and nothing is dated from before the silence."""
    track = silenced(tracked("++---"))
    assert track.score == CAP
    assert {track.bad_since, track.good_since, track.slow_since, track.partial_since, track.brisk_since} == {None}
    now = START + at(151)
    later = learn(track, one := observation("catalog", START + at(150), "+"), judge(one, PROBE.expect), at(30))
    assert settle(PROBE, Status.UNKNOWN, {"here": later}, ONE, now, Tuning())[0] is Status.UNKNOWN


@given(st.text("+-~?cbxt", max_size=25), st.sampled_from([1.0, 10.0, 30.0]))
def test_the_stored_form_gives_the_track_back(outcomes: str, every: float) -> None:
    """Everything but the pending extra run, what could be undone, and when a track without trouble was last heard."""
    track = tracked(outcomes, every)
    back = track_from_json(json.loads(json.dumps(track_to_json(track))))
    heard = track.usable_at if is_notable(track) else None
    assert back == replace(track, undo=(), last=None, usable_at=heard)


@given(st.text("+-~?cbxt", max_size=40))
def test_failures_raise_the_score_and_good_runs_lower_it(outcomes: str) -> None:
    """Within 0…CAP at every step; what says nothing moves nothing, and a refusal is counted by itself."""
    track = Track()
    for beat, outcome in enumerate(outcomes):
        one = observation("catalog", START + at(beat * 10), outcome)
        result = judge(one, PROBE.expect)
        after = learn(track, one, result, PROBE.interval)
        assert 0 <= after.score <= CAP
        if outcome in "-xt":
            assert after.score > track.score or after.score == CAP
        elif outcome in "+~":
            assert after.score < track.score or after.score == 0
        elif outcome == "b":
            assert (after.score, after.blocked_streak) == (track.score, track.blocked_streak + 1)
        else:
            assert replace(after, last=None, last_at=None) == replace(track, last=None, last_at=None)
        track = after


@pytest.mark.parametrize(
    ("outcome", "usable"),
    [("+", True), ("~", True), ("-", True), ("x", True), ("t", True), ("?", False), ("c", False), ("b", False)],
    ids=["passed", "slow", "failed", "certificate", "time-out", "own trouble", "our request", "a wall"],
)
def test_which_results_are_evidence(outcome: str, usable: bool) -> None:
    """Passed, slow and the module's own failures are; walls, wrong requests and own trouble are not."""
    assert is_usable(judge(observation("catalog", START, outcome), PROBE.expect)) is usable


def test_unknown_is_never_evidence() -> None:
    """Nor is it without a code."""
    assert not is_usable(Result(Outcome.UNKNOWN))


def test_a_platform_needs_nothing_to_begin() -> None:
    """Without a single run nothing is settled."""
    assert settle(PROBE, Status.UNKNOWN, {}, ONE, START, Tuning()) == (Status.UNKNOWN, START)
    assert story(module("catalog")).board.platform == platform(module("catalog"))


@pytest.mark.parametrize(
    ("there", "after"),
    [pytest.param("------", "down", id="from the beginning"), pytest.param("+++---", "up", id="after it was well")],
)
def test_what_fails_at_one_place_while_others_are_well_is_no_part_of_the_span(there: str, after: str) -> None:
    """Most of the span has to be seen by as many places as must agree."""
    panel, tracks = Panel({"here": "here", "there": "there", "far": "far"}), {}
    for place, outcomes in (("here", "------"), ("there", there), ("far", "")):  # every three seconds
        track = learn(Track(), observation("catalog", START - at(30), "+"), Result(Outcome.PASSED), PROBE.interval)
        for beat, outcome in enumerate(outcomes):
            one = observation("catalog", START + at(3 * beat), outcome)
            track = learn(track, one, judge(one, PROBE.expect), PROBE.interval)
        tracks[place] = track
    status, _ = settle(PROBE, Status.UP, tracks, panel, START + at(16), Tuning())
    assert status == after


@given(
    st.text("+-~?tbx", max_size=20),
    st.sampled_from((5.0, 30.0)),
    st.floats(0, 400),
    st.sampled_from((Status.UP, Status.DOWN, Status.DEGRADED, Status.UNKNOWN)),
)
def test_what_looks_settled_at_a_glance_is(outcomes: str, every: float, after: float, status: Status) -> None:
    """Whatever a probe showed, at whatever moment."""
    track = tracked(outcomes, every)
    now = START + at(every * len(outcomes) + after)
    if is_settled(PROBE, status, track, now, Tuning()):
        assert settle(PROBE, status, {"here": track}, ONE, now, Tuning())[0] is status


@pytest.mark.parametrize(
    ("status", "outcomes", "after", "expected"),
    [
        (Status.DOWN, "+---", 10, True),
        (Status.DOWN, "+---+++", 61, False),  # calm may have returned
        (Status.DOWN, "+---++", 61, True),  # … and it has not answered often enough
        (Status.UP, "+-", 10, True),
        (Status.UP, "+---", 10, False),  # it may be down as soon as it is believed
        (Status.UP, "+-", 200, False),  # it may be silent
        (Status.UP, "+~", 10, False),
    ],
)
def test_very_many_that_are_down_are_passed_over_at_a_glance(
    status: Status, outcomes: str, after: float, expected: bool
) -> None:
    now = START + at(30 * (len(outcomes) - 1) + after)
    assert is_settled(PROBE, status, tracked(outcomes), now, Tuning()) is expected
