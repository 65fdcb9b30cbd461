"""What a restart knows, and what it must not say twice."""

from datetime import timedelta

from monitor.core.effect import Ask, Moved, Saved
from monitor.core.module import Status
from tests.stories.beats import START, Story, module, observation, seconds, statuses, story


def run(told: Story, outcomes: str, every: float = 30, name: str = "catalog") -> Story:
    """Goes on with one run of a module every so many seconds from now."""
    begin = told.now
    for beat, outcome in enumerate(outcomes):
        told.feed(observation(name, begin + timedelta(seconds=beat * every), outcome))
        told.tick()
    return told


def test_a_restart_in_mid_incident_announces_nothing_twice() -> None:
    """The incident goes on under its id: neither opened nor resolved again, and its end is told once."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    told.restart(pause=5)
    run(told, "---" + "+" * 6)
    assert told.changes == ["opened", "resolved"]
    assert statuses(told) == ["up", "down", "up"]


def test_a_restart_in_mid_suspicion_keeps_what_was_seen() -> None:
    """Failures before the restart count: detection is no later, and dated from the first of them."""
    told = story(module("catalog")).play({"catalog": "++-"})
    told.restart(pause=2)
    run(told, "--")
    assert told.transitions[-1] == ("catalog", "down", 60.0)


def test_a_quick_restart_moves_nothing() -> None:
    """What was up stays up: no unknown in between for lack of a first run."""
    told = story(module("catalog")).play({"catalog": "++"})
    told.restart(pause=5)
    told.tick()
    run(told, "+++")
    assert statuses(told) == ["up"]


def test_a_restart_after_a_stray_failure_of_yesterday_moves_nothing() -> None:
    """A track that was stored a day ago, when all was well again, does not take that day back."""
    told = story(module("catalog")).play({"catalog": "++-" + "+" * 60}, extra=False)
    told.restart(pause=5)
    told.tick()
    run(told, "+++")
    assert statuses(told) == ["up"]


def test_time_in_which_nobody_looked_is_unknown() -> None:
    """After hours without the monitor the module is unknown since the last run, not up, until it answers."""
    told = story(module("catalog")).play({"catalog": "++"})
    told.restart(pause=7200)
    told.tick()
    run(told, "+")
    assert told.transitions[1:] == [("catalog", "unknown", 30.05), ("catalog", "up", seconds(told.now) - 0.05)]


def test_a_long_stop_in_mid_incident_is_neither_news_nor_recovery() -> None:
    """Unknown meanwhile; still failing afterwards says nothing new, and one good answer is not the end."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    told.restart(pause=3600)
    told.tick()
    assert told.board.status("catalog") is Status.UNKNOWN
    run(told, "+" + "-" * 5)
    assert told.changes == ["opened"]
    assert told.board.status("catalog") is Status.DOWN
    run(told, "+" * 5)
    assert told.changes == ["opened", "resolved"]


def test_what_was_learned_of_a_module_that_left_does_not_come_back() -> None:
    """Removed while down and configured again after a restart: what fails then is an incident of its own."""
    shop = story(module("catalog"), module("search"))
    told = shop.play({"catalog": "++" + "-" * 5, "search": "+" * 7})
    whole = told.board.platform
    told.reconfigure(story(module("search")).board.platform)
    told.restart(whole, pause=3600)
    run(told, "+" + "-" * 5)
    assert told.changes == ["opened", "resolved", "opened"]


def test_the_second_restart_is_as_quiet_as_the_first() -> None:
    """Restarting again and again in mid-incident says nothing."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    count = len([e for e in told.effects if isinstance(e, Moved | Saved)])
    for _ in range(3):
        told.restart(pause=3)
        run(told, "-")
    assert len([e for e in told.effects if isinstance(e, Moved | Saved)]) == count


def test_an_ask_that_was_lost_is_asked_again() -> None:
    """Extra runs that a restart forgot begin anew with the next scheduled run."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    told.restart(pause=3)
    assert not told.asked
    told.feed(observation("catalog", START + timedelta(seconds=230), "-"))
    assert [e.after for _, e in told.asked if isinstance(e, Ask)] == [10.0]


def test_degraded_then_unknown_then_down_is_worse() -> None:
    """What readers last heard counts: a silence between slow and failing does not swallow the news."""
    told = story(module("catalog")).play({"catalog": "++" + "~" * 5 + " " * 8 + "-" * 5})
    assert statuses(told) == ["up", "degraded", "unknown", "down"]
    assert told.changes == ["opened", "worsened"]


def test_down_then_unknown_then_down_is_no_news() -> None:
    """A silence in the middle of an outage is not told twice."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + " " * 8 + "-" * 5})
    assert statuses(told) == ["up", "down", "unknown", "down"]
    assert told.changes == ["opened"]
