"""What a place may say while it cannot see, and just before and after."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Vantage
from monitor.core.effect import AskCanaries, Gap, Keep, Observed, Remember
from monitor.core.module import Module, Status
from monitor.core.observation import Failure
from monitor.core.probe import Role
from monitor.core.statement import seen_from
from monitor.core.step import step
from tests.stories.beats import START, Story, canary, module, observation, story

NAMES = ("1.1.1.1:443", "9.9.9.9:443", "8.8.4.4:443")


def silent(*outcomes: str, canaries: int = 3, ids: Sequence[str] = ("catalog",)) -> Story:
    """A story in which nobody answers the canaries' questions by itself; all modules fare alike."""
    told = story(*map(module, ids), canaries=canaries)

    def feed(one: object) -> None:
        told.now = max(told.now, one.ended_at)  # type: ignore[attr-defined]
        told.board, effects = step(told.board, Observed(one), told.now)  # type: ignore[arg-type]
        told.effects += effects

    told.feed = feed  # type: ignore[method-assign]
    for beat, outcome in enumerate(outcomes):
        for id in ids:
            feed(observation(id, START + timedelta(seconds=beat * 30), outcome))
    return told


def test_blindness_in_mid_incident_is_unknown_and_no_news() -> None:
    """Down, then our own network goes: nothing is announced, and nothing recovers before it has been seen to."""
    told = story(module("catalog"), canaries=3).play({"catalog": "++" + "-" * 5})
    for name in NAMES:
        told.feed(canary(told.now, False, name))
    told.sees = False
    for beat in range(8):
        told.feed(observation("catalog", told.now + timedelta(seconds=30), "-+"[beat % 2]))
        told.tick()
    assert told.board.status("catalog") is Status.UNKNOWN
    assert told.changes == ["opened"]
    told.sees = True
    told.now += timedelta(seconds=6)
    told.tick()
    for _ in range(5):
        told.feed(observation("catalog", told.now + timedelta(seconds=30), "+"))
    assert told.changes == ["opened", "resolved"]


def test_a_failure_that_raised_the_question_is_taken_back_too() -> None:
    """The failure just before the blindness and one just after it are not ten minutes of outage."""
    told = silent(*"++t")
    for name in NAMES:
        told.feed(canary(told.now + timedelta(seconds=0.1), False, name))
    assert told.board.vantages["here"].blind_since is not None
    assert told.board.tracks[("catalog", "ask", "here")].score == 0
    told.now += timedelta(seconds=90)
    told.tick()
    for name in NAMES:
        told.feed(canary(told.now, True, name))
    told.feed(observation("catalog", told.now + timedelta(seconds=1), "-"))
    for name in NAMES:
        told.feed(canary(told.now, True, name))
    assert told.changes == []


@pytest.mark.parametrize("count", [1, 40])
def test_what_a_blind_place_saw_is_taken_back_however_much_it_was(count: int) -> None:
    """Of every module: nothing is held against any of them."""
    ids = [f"m{number:02}" for number in range(count)]
    told = silent(*"++", ids=ids)
    for id in ids:
        told.feed(observation(id, told.now, "t"))
    assert len(told.board.restless) == count
    for name in NAMES:
        told.feed(canary(told.now, False, name))
    assert told.board.vantages["here"].blind_since is not None
    assert [key for key, track in told.board.tracks.items() if track.score] == []
    assert told.board.restless == frozenset()


@pytest.mark.parametrize(
    ("address", "shown"), [("8.8.8.8:443", Status.UNKNOWN), ("127.0.0.1:443", Status.UP)], ids=["public", "private"]
)
def test_what_a_blind_place_saw_last_is_not_shown_as_if_it_were_of_now(address: str, shown: Status) -> None:
    """Nor once it sees again, until it has looked; the status waits for runs. The network outside has no part in what
    is private. Nothing of it needs to be stored."""
    told = silent()
    told.feed(observation("catalog", told.now, "+", address=address))
    before = len(told.effects)
    for name in NAMES:
        told.feed(canary(told.now, False, name))
    assert told.board.vantages["here"].blind_since is not None
    assert (told.board.status("catalog"), seen_from(told.board, "catalog")) == (Status.UP, {"here": shown})
    told.now += timedelta(seconds=20)
    for name in NAMES:
        told.feed(canary(told.now, True, name))
    assert told.board.vantages["here"].blind_since is None
    assert seen_from(told.board, "catalog") == {"here": shown}
    assert not any(isinstance(effect, Remember) for effect in told.effects[before:])
    told.feed(observation("catalog", told.now, "+", address=address))
    assert seen_from(told.board, "catalog") == {"here": Status.UP}


def test_a_real_outage_in_a_blind_place_is_found_once_it_sees() -> None:
    """What began while nobody could see is dated from the first run that counts."""
    told = story(module("catalog"), canaries=3).play({"catalog": "++"})
    told.sees = False
    told.feed(observation("catalog", told.now + timedelta(seconds=30), "-"))
    told.sees = True
    told.now += timedelta(seconds=300)
    told.tick()
    first = told.now + timedelta(seconds=1)
    for beat in range(4):
        told.feed(observation("catalog", first + timedelta(seconds=30 * beat), "-"))
    assert told.changes == ["opened"]
    assert told.incidents[0].started_at == first


def test_private_targets_are_seen_by_a_blind_place() -> None:
    """The network outside has no part in what happens on loopback: those runs go on counting."""
    told = story(module("catalog"), canaries=3)
    told.board = replace(told.board, vantages={"here": Vantage(dark_since=START)})
    told.feed(observation("catalog", START, "+", address="127.0.0.1:443"))
    assert told.board.status("catalog") is Status.UP


def test_blindness_that_a_restart_remembers_ends_with_the_first_good_answer() -> None:
    """The place is asked at the first tick, and what was seen meanwhile does not count."""
    told = story(module("catalog"), canaries=3)
    told.sees = False
    told.play({"catalog": "++---"})
    told.restart(pause=4)
    told.feed(observation("catalog", told.now + timedelta(seconds=1), "-"))
    assert isinstance(told.effects[-1], Keep)
    assert told.effects[-1].discarded
    told.sees = True
    told.tick()
    assert told.board.vantages["here"].blind_since is None


def test_failures_wait_for_canaries_that_answer_late() -> None:
    """No verdict before the canaries have spoken; then at once, dated from the first failure."""
    told = silent(*"++---")
    assert told.changes == []
    for name in NAMES[:2]:
        told.feed(canary(told.now + timedelta(seconds=2), True, name))
    assert told.transitions[-1] == ("catalog", "down", 60.0)


def test_an_answer_to_an_earlier_question_says_nothing_about_this_one() -> None:
    """Refusals that come in after a newer question was put do not make the place blind."""
    told = silent(*"++-")
    asked = told.board.vantages["here"].asked_at
    assert asked is not None
    for name in NAMES:
        told.feed(canary(asked - timedelta(seconds=20), False, name))
    assert told.board.vantages["here"].blind_since is None


def test_a_good_answer_vouches_only_from_when_it_was_asked() -> None:
    """A canary that began before the failure did is no proof that the place saw during it."""
    told = silent(*"++--")
    place = told.board.vantages["here"]
    assert place.asked_at is not None
    slow = replace(canary(START + timedelta(seconds=50), True, NAMES[0]), duration=60.0)
    told.feed(slow)
    told.feed(replace(slow, address=NAMES[1]))
    assert told.board.vantages["here"].sees_at == START + timedelta(seconds=50)


@pytest.mark.parametrize("canaries", [1, 2, 3, 4])
def test_half_of_the_canaries_are_enough_to_see(canaries: int) -> None:
    """A place in which half of its canaries answer sees: one dead canary of two must not hide every outage."""
    told = silent(*"++-", canaries=canaries)
    names = [f"10.{index}" for index in range(canaries)]
    good = (canaries + 1) // 2
    for index, name in enumerate(names):
        told.feed(canary(told.now, index >= canaries - good, name))
    assert told.board.vantages["here"].sees_at is not None
    assert told.board.vantages["here"].blind_since is None


def test_canaries_are_asked_no_more_than_every_five_seconds() -> None:
    """A platform that fails as a whole puts one question, not one a probe."""
    told = story(*(module(f"m{n}") for n in range(20)), canaries=3)
    told.play({f"m{n}": "+-" for n in range(20)}, extra=False)
    assert len([e for e in told.effects if isinstance(e, AskCanaries)]) == 1


def test_a_blindness_is_told_once_and_ended_once() -> None:
    """One gap that opens and the same gap that closes."""
    told = story(module("catalog"), canaries=3)
    told.sees = False
    told.play({"catalog": "++----"})
    told.sees = True
    told.now += timedelta(seconds=6)
    told.tick()
    told.tick()
    opened, closed = (e for e in told.effects if isinstance(e, Gap))
    assert opened.since == closed.since
    assert (opened.until is None, closed.until is None) == (True, False)


@pytest.mark.parametrize(
    ("code", "missing"),
    [("dns.servfail", "self.dns"), ("tcp.timeout", "self.connectivity")],
    ids=["names", "all of it"],
)
def test_a_blindness_says_what_is_missing(code: str, missing: str) -> None:
    """Our name server, where most of what fails is names; else the connection."""
    told = story(module("catalog"), canaries=3).play({"catalog": "++"})
    told.sees = False
    one = observation("catalog", told.now, "-")
    told.feed(replace(one, http=None, failure=Failure(code)))
    (gap,) = (effect for effect in told.effects if isinstance(effect, Gap))
    assert (gap.location, gap.until, gap.code) == ("here", None, missing)


def test_canaries_vouch_for_no_verdict_of_mere_evidence() -> None:
    """A probe of the evidence role has no condition, also when its failures are vouched for."""
    base = module("catalog")
    more = replace(base.probes[0], id="more", role=Role.EVIDENCE)
    told = story(replace(base, probes=(*base.probes, more)), canaries=3)
    for beat in range(5):
        told.feed(observation("catalog", START + timedelta(seconds=30 * beat), "-", probe="more"))
    told.feed(observation("catalog", told.now, "-"))
    assert ("catalog", "more") not in told.board.probes


def at_hosts(id: str, host: str) -> Module:
    """A module that is asked at a host."""
    one = module(id)
    return replace(one, probes=tuple(replace(probe, instance=f"https://{host}/") for probe in one.probes))


NINE = [at_hosts(f"m{index}", f"h{index % 3}.example") for index in range(9)]


def test_canaries_that_are_out_of_reach_for_good_blind_nobody() -> None:
    """A firewall lets everything through but the canaries: an outage is found, and the place sees after a moment."""
    told = story(*NINE, canaries=3)
    told.sees = False
    told.play({f"m{index}": "++" + ("-" * 8 if index == 4 else "+" * 8) for index in range(9)})
    gaps = [effect for effect in told.effects if isinstance(effect, Gap)]
    assert [gap.until is not None for gap in gaps] == [False, True]
    assert told.changes == ["opened"]
    assert told.board.status("m4") is Status.DOWN
    assert all(told.board.status(f"m{index}") is Status.UP for index in range(9) if index != 4)


def round_of(told: Story, outcome: str) -> None:
    """All nine are asked once more, half a minute after the last."""
    told.now += timedelta(seconds=30)
    for index in range(9):
        told.feed(observation(f"m{index}", told.now, outcome))
    told.tick()


def test_canaries_that_come_back_count_again() -> None:
    """What was out of reach once vouches again as soon as it answers: then a cut is a cut."""
    told = story(*NINE, canaries=3)
    told.sees = False
    told.play({f"m{index}": "++" + ("-+++" if index == 4 else "++++") for index in range(9)})
    assert told.board.vantages["here"].mute
    told.sees = True
    told.feed(observation("m4", told.now + timedelta(seconds=1), "-"))
    assert not told.board.vantages["here"].mute
    round_of(told, "+")
    told.sees = False
    for _ in range(5):
        round_of(told, "-")
    assert told.board.vantages["here"].blind_since is not None
    assert told.changes == []


def test_a_place_that_reaches_only_some_of_its_targets_stays_blind() -> None:
    """A line that lets one run in two through has no say, as long as its canaries fail."""
    told = story(*NINE, canaries=3)
    told.sees = False
    told.play({f"m{index}": "++" + ("-+-+-+-+" if index % 2 else "+-+-+-+-") for index in range(9)})
    assert told.board.vantages["here"].blind_since is not None
    assert told.changes == []
