"""What one place makes of runs that pass, fail, are slow or say nothing."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.effect import Ask, Gap
from monitor.core.module import Status
from tests.stories.beats import START, Story, module, observation, seconds, statuses, story


def test_the_first_good_answer_makes_a_module_up() -> None:
    """Where nothing was known, one good answer is enough, dated from its beginning."""
    assert story(module("catalog")).play({"catalog": "+"}).transitions == [("catalog", "up", 0.0)]


def test_nothing_is_green_for_lack_of_data() -> None:
    """A module nobody has asked yet is unknown."""
    assert story(module("catalog")).board.status("catalog") is Status.UNKNOWN


def test_failures_that_last_a_minute_open_one_incident_dated_from_the_first() -> None:
    """Failures from 12:02 on: one incident, dated from the first of them, detected about a minute later."""
    told = story(module("catalog")).play({"catalog": "++++" + "-" * 6})
    assert told.transitions == [("catalog", "up", 0.0), ("catalog", "down", 120.0)]
    assert told.changes == ["opened"]
    (incident,) = told.incidents
    assert seconds(incident.started_at) == 120.0
    assert 60 <= seconds(incident.detected_at) - 120 <= 66
    assert (incident.cause.module, incident.cause.code, incident.cause.cls) == (
        "catalog",
        "http.503",
        "capacity_or_throttling",
    )


def test_one_failure_is_no_news() -> None:
    """A stray failure is asked again at once and forgotten when the next runs pass."""
    told = story(module("catalog")).play({"catalog": "++-+++"}, extra=False)
    assert told.transitions == [("catalog", "up", 0.0)]
    first = next(e for e in told.effects if isinstance(e, Ask))
    assert first.after == 0.3


def test_a_blip_shorter_than_the_span_is_no_news() -> None:
    """Half a minute of failures is not a minute of failures."""
    assert story(module("catalog")).play({"catalog": "++-++++++"}).changes == []


def test_recovery_needs_three_good_runs_and_a_minute_of_calm() -> None:
    """Resolved no sooner than a minute after the last failure, dated from the first good run."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "+" * 6})
    assert statuses(told) == ["up", "down", "up"]
    assert told.changes == ["opened", "resolved"]
    (incident,) = told.incidents
    assert incident.resolved_at is not None
    assert incident.ended_at == START + timedelta(seconds=210)
    assert seconds(incident.resolved_at) >= 180 + 60


def test_down_is_asked_every_ten_seconds() -> None:
    """While a module is down its probe runs every ten seconds instead of every thirty."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 10})
    assert {e.after for e in told.effects if isinstance(e, Ask)} >= {0.3, 5.0, 10.0}


def test_failing_again_soon_reopens_the_same_incident() -> None:
    """A relapse within ten minutes is the same incident, counted."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "+" * 6 + "-" * 5})
    assert told.changes == ["opened", "resolved", "reopened"]
    (incident,) = told.incidents
    assert incident.reopened == 1
    assert incident.is_open


def test_failing_again_much_later_is_another_incident() -> None:
    """After ten minutes of peace a failure is news of its own."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "+" * 30 + "-" * 5})
    assert told.changes == ["opened", "resolved", "opened"]
    assert len({incident.id for incident in told.incidents}) == 2


def test_an_expired_certificate_needs_one_repeat_and_no_span() -> None:
    """What cannot be a passing blip is believed after one extra run."""
    told = story(module("catalog")).play({"catalog": "++xx"})
    (incident,) = told.incidents
    assert seconds(incident.detected_at) - 60 < 1
    assert incident.cause.code == "tls.cert_expired"


def test_results_that_say_nothing_blame_nobody() -> None:
    """Own trouble, walls and wrong requests never make a module down; after three intervals it is unknown."""
    for outcome in "?cb":
        told = story(module("catalog")).play({"catalog": "++" + outcome * 10})
        assert statuses(told) == ["up", "unknown"], outcome
        assert told.changes == []


def test_silence_becomes_unknown_never_up() -> None:
    """A probe that is not heard of for three intervals is unknown, dated from what was last known."""
    told = story(module("catalog")).play({"catalog": "++" + " " * 8})
    assert told.transitions == [("catalog", "up", 0.0), ("catalog", "unknown", 30.05)]


def test_slow_answers_for_a_minute_degrade() -> None:
    """Slow for over a minute is degraded; brisk for over a minute is up again."""
    told = story(module("catalog")).play({"catalog": "++" + "~" * 5 + "+" * 6})
    assert statuses(told) == ["up", "degraded", "up"]
    (incident,) = told.incidents
    assert (incident.impact, incident.cause.code) == ("minor", "http.slow_ttfb")


def test_down_then_slow_is_easing_not_recovery() -> None:
    """From down to slow the incident eases; from slow to down it worsens."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "~" * 9})
    assert told.changes == ["opened", "eased"]
    told = story(module("catalog")).play({"catalog": "++" + "~" * 5 + "-" * 5})
    assert told.changes == ["opened", "worsened"]


def test_one_in_four_failing_degrades() -> None:
    """A module that fails now and then, never long enough to be down, is degraded."""
    told = story(module("catalog")).play({"catalog": "++" + "-+++" * 8}, extra=False)
    assert statuses(told) == ["up", "degraded"]


def test_confirm_shortens_the_span() -> None:
    """`confirm: 2s` finds a failure two seconds after the first failed run."""
    base = module("catalog")
    quick = replace(base, probes=(replace(base.probes[0], confirm=timedelta(seconds=2)),))
    told = story(quick).play({"catalog": "++--"})
    (incident,) = told.incidents
    assert 2 <= seconds(incident.detected_at) - 60 <= 2.5


def test_a_dependant_joins_and_the_deepest_is_the_root() -> None:
    """Checkout fails first, logistics after it: one incident, logistics its root, its key unchanged."""
    told = story(module("checkout", "logistics"), module("logistics"))
    told.play({"checkout": "++" + "-" * 8, "logistics": "+++" + "-" * 7})
    assert told.changes == ["opened", "member_added", "cause_changed"]
    (incident,) = told.incidents
    assert incident.key.startswith("inc:checkout:")
    assert incident.cause.module == "logistics"
    assert {(m.module, m.role) for m in incident.members} == {("checkout", "affected"), ("logistics", "root")}


def test_modules_that_do_not_hang_together_are_two_incidents() -> None:
    """No edge between them: two incidents."""
    told = story(module("checkout"), module("logistics"))
    told.play({"checkout": "++" + "-" * 8, "logistics": "++" + "-" * 8})
    assert told.changes == ["opened", "opened"]


def test_a_place_that_sees_nothing_blames_nobody() -> None:
    """With the canaries silent no incident opens, the gap is told, and what was seen meanwhile is taken back."""
    told = story(module("catalog"), module("search"), canaries=3)
    told.sees = False
    told.play({"catalog": "++" + "-" * 8, "search": "++" + "-" * 8})
    assert told.changes == []
    gaps = [e for e in told.effects if isinstance(e, Gap)]
    assert len(gaps) == 1
    assert gaps[0].until is None
    told.sees = True
    told.now += timedelta(seconds=6)
    told.tick()
    gaps = [e for e in told.effects if isinstance(e, Gap)]
    assert gaps[-1].until is not None
    assert told.board.vantages["here"].blind_since is None


def test_a_failure_out_there_is_believed_once_the_canaries_answer() -> None:
    """With canaries that answer, detection is as fast as without."""
    told = story(module("catalog"), canaries=3).play({"catalog": "++" + "-" * 6})
    assert told.changes == ["opened"]


def test_failures_of_private_targets_need_no_canaries() -> None:
    """The network outside has no part in what happens on loopback."""
    told = Story(story(module("catalog"), canaries=3).board, sees=False)
    for beat in range(14):
        at = START + timedelta(seconds=beat * 10)
        told.feed(observation("catalog", at, "+" if beat < 2 else "-", address="127.0.0.1:443"))
    assert told.changes == ["opened"]


def test_other_trouble_of_a_bystander_is_no_relapse() -> None:
    """Checkout suffered with logistics; slow on its own a minute later, it gets an incident of its own."""
    told = story(module("checkout", "logistics"), module("logistics"))
    told.play({"checkout": "++" + "-" * 6 + "+" * 6 + "~" * 6, "logistics": "++" + "-" * 6 + "+" * 12})
    assert told.changes.count("opened") == 2
    assert "reopened" not in told.changes


def test_a_bystander_that_fails_again_as_before_is_a_relapse() -> None:
    """When the trouble is back the victim may show it first: still one incident."""
    told = story(module("checkout", "logistics"), module("logistics"))
    told.play({"checkout": "++" + "-" * 6 + "+" * 6 + "-" * 7, "logistics": "++" + "-" * 6 + "+" * 7 + "-" * 6})
    assert told.changes.count("opened") == 1
    assert "reopened" in told.changes
