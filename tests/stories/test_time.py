"""Runs that come late, early or out of order, and clocks that are set while something fails."""

from datetime import timedelta

import pytest

from monitor.core.board import Vantage
from monitor.core.effect import Ask, Keep, Observed
from monitor.core.module import Status
from monitor.core.step import step
from tests.stories.beats import START, Story, module, observation, seconds, statuses, story

DAY = timedelta(days=1)


def run(told: Story, outcomes: str, every: float = 30) -> Story:
    """One run at every beat from now on, whatever the clock says now."""
    for outcome in outcomes:
        told.now += timedelta(seconds=every)
        told.feed(observation("catalog", told.now, outcome))
        told.tick()
    return told


def set_clock(told: Story, by: timedelta) -> None:
    """The wall clock is set; nothing that runs on the monotonic one notices."""
    told.now += by
    told.asked = [(at + by, ask) for at, ask in told.asked]


@pytest.mark.parametrize("by", [DAY, -DAY], ids=["forward", "back"])
def test_a_clock_that_is_set_while_all_is_well_opens_nothing(by: timedelta) -> None:
    """A day forward or back is no outage."""
    told = story(module("catalog")).play({"catalog": "++++"})
    set_clock(told, by)
    told.tick()
    run(told, "+" * 6)
    assert told.changes == []
    assert told.board.status("catalog") is Status.UP


@pytest.mark.parametrize("by", [DAY, -DAY], ids=["forward", "back"])
def test_a_clock_that_is_set_in_mid_incident_neither_ends_nor_repeats_it(by: timedelta) -> None:
    """It is told once that it began and once that it ended, within minutes."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    set_clock(told, by)
    told.tick()
    run(told, "-" * 4)
    assert told.changes == ["opened"]
    run(told, "+" * 6)
    assert told.changes == ["opened", "resolved"]


@pytest.mark.parametrize("by", [DAY, -DAY], ids=["forward", "back"])
def test_recovery_does_not_wait_for_a_clock_to_catch_up(by: timedelta) -> None:
    """Set right after the last failure: a minute of calm is still a minute."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    set_clock(told, by)
    run(told, "+" * 6)
    assert told.changes == ["opened", "resolved"]


def test_a_clock_set_back_in_mid_suspicion_delays_nothing() -> None:
    """The first failure is dated a day ahead; the outage is found within its minute all the same."""
    told = story(module("catalog"), canaries=3).play({"catalog": "++-"}, extra=False)
    set_clock(told, -DAY)
    run(told, "-" * 4)
    assert told.changes == ["opened"]
    assert seconds(told.incidents[0].started_at) < 0


def test_a_clock_set_back_does_not_stop_the_extra_runs() -> None:
    """An extra run that seems a day away is asked for again."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    set_clock(told, -DAY)
    count = len([e for e in told.effects if isinstance(e, Ask)])
    told.asked.clear()
    run(told, "-")
    assert len([e for e in told.effects if isinstance(e, Ask)]) == count + 1


def test_a_place_stays_blind_when_the_clock_is_set_back() -> None:
    """A blindness that seems to begin tomorrow is one of now, and its canaries are asked."""
    told = story(module("catalog"), canaries=3)
    told.board.vantages["here"] = Vantage(asked_at=START + DAY, dark_since=START + DAY)  # type: ignore[index]
    told.sees = False
    told.feed(observation("catalog", START, "-"))
    assert isinstance(told.effects[0], Keep)
    assert told.effects[0].discarded
    told.sees = True
    told.tick()
    assert told.board.vantages["here"].blind_since is None


@pytest.mark.parametrize(
    ("at", "discarded"),
    [(-65, False), (-75, True), (-3600, True), (4, False), (6, True), (86400, True)],
    ids=["a minute old", "past two intervals", "an hour old", "a little ahead", "ahead", "of tomorrow"],
)
def test_runs_of_another_time_say_nothing(at: float, discarded: bool) -> None:
    """Older than two intervals and a time-out, or from the future: kept, and not judged by."""
    before = story(module("catalog")).play({"catalog": "++"}).board
    now = START + timedelta(seconds=200)
    board, effects = step(before, Observed(observation("catalog", now + timedelta(seconds=at), "-")), now)
    (keep,) = (e for e in effects if isinstance(e, Keep))
    assert keep.discarded is discarded
    assert (board.tracks == before.tracks) is discarded


def test_a_long_time_out_beside_quick_extra_runs_dates_the_outage() -> None:
    """The run that began first ends last: the outage is dated from its beginning, and detected no later."""
    told = story(module("catalog")).play({"catalog": "++"})
    first = observation("catalog", START + timedelta(seconds=60), "t")
    for after in (3, 8):
        told.feed(observation("catalog", START + timedelta(seconds=60 + after), "-"))
    told.feed(first)
    for after in (15, 30, 45, 60):
        told.feed(observation("catalog", START + timedelta(seconds=60 + after), "-"))
    assert told.transitions[-1] == ("catalog", "down", 60.0)


def test_a_recovery_that_is_interrupted_begins_anew() -> None:
    """Two good runs, a failure, and then three good ones: the end is dated after the last failure."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5 + "+-" + "+" * 6})
    assert statuses(told) == ["up", "down", "up"]
    assert told.changes == ["opened", "resolved"]
    assert told.transitions[-1][2] == 270.0


def test_good_runs_sooner_than_a_minute_after_the_last_failure_are_not_enough() -> None:
    """Three quick good answers do not end an outage: calm does."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 5})
    end = told.now
    for after in range(1, 6):
        told.feed(observation("catalog", end + timedelta(seconds=after * 8), "+"))
    assert told.board.status("catalog") is Status.DOWN


def test_a_module_that_flaps_is_one_incident() -> None:
    """Down and up again and again within ten minutes: one incident, reopened, never a second one."""
    told = story(module("catalog")).play({"catalog": "++" + ("-" * 4 + "+" * 4) * 6})
    assert len(told.incidents) == 1
    assert set(told.changes) <= {"opened", "resolved", "reopened"}


def test_an_outage_is_no_noise() -> None:
    """After an hour of failures the next outage is found as fast as the first."""
    told = story(module("catalog")).play({"catalog": "++" + "-" * 120 + "+" * 30})
    assert told.board.tracks[("catalog", "ask", "here")].noise == 0.002


def test_silence_ends_a_run_of_good_answers() -> None:
    """Up again is dated from the first answer after the silence, so the silence stays unknown."""
    told = story(module("catalog")).play({"catalog": "++" + " " * 8 + "++"})
    assert told.transitions == [("catalog", "up", 0.0), ("catalog", "unknown", 30.05), ("catalog", "up", 300.0)]


def test_two_failures_with_a_silence_between_are_not_an_outage() -> None:
    """One failure, ten minutes of nothing, one failure: no minute of failures was seen."""
    told = story(module("catalog")).play({"catalog": "++-" + " " * 20 + "-"}, extra=False)
    assert told.changes == []


@pytest.mark.parametrize(
    ("runs", "wait"),
    [
        pytest.param([(0, "-")], 0.3, id="the first failure is asked again at once"),
        pytest.param([(0, "-"), (1, "+")], 5.0, id="a good answer is no reason for hurry"),
        pytest.param([(0, "-"), (20, "-")], 5.0, id="a suspicion is followed every five seconds"),
        pytest.param([(0, "-"), (57, "-")], 3.0, id="and not past the span it needs"),
        pytest.param([(0, "-"), (20, "-"), (40, "+"), (61, "+")], 5.0, id="past the span and undecided: no burst"),
        pytest.param([(0, "-"), (20, "-"), (40, "+"), (95, "+")], None, id="after a minute and a half it is given up"),
    ],
)
def test_how_soon_a_suspicion_is_followed_up(runs: list[tuple[float, str]], wait: float | None) -> None:
    """The pause before the extra run that the last of these asks for."""
    told = story(module("catalog")).play({"catalog": "+"})
    for after, outcome in runs:
        count = len(told.effects)
        told.feed(observation("catalog", START + timedelta(seconds=100 + after), outcome))
    asks = [e.after for e in told.effects[count:] if isinstance(e, Ask)]
    assert asks == ([] if wait is None else [pytest.approx(wait, abs=0.1)])


def test_a_platform_that_fails_as_a_whole_stays_within_the_budget() -> None:
    """A minute's worth at once, then one a second and a tenth of the scheduled load: also while all are down."""
    count = 60
    modules = [module(f"m{n}") for n in range(count)]
    told = story(*modules).play({f"m{n}": "+" + "-" * 20 for n in range(count)})
    rate = 1 + 0.1 * count / 30
    asks = [e for e in told.effects if isinstance(e, Ask)]
    assert len(asks) <= 60 * rate + rate * 21 * 30
