"""Which places are there, by the heartbeats of their agents."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.effect import Stale
from monitor.places.rollcall import Rollcall
from monitor.places.wire import Gone, Heartbeat
from tests.stories.beats import START


@dataclass
class Clock:
    """Both clocks stand where they are put."""

    seconds: float = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000 + self.seconds

    def boot(self) -> float:
        return self.monotonic()


class Hall:
    """A rollcall of some places, and what it told."""

    def __init__(self, *places: str, stale: tuple[str, ...] = ()) -> None:
        self.clock = Clock()
        self.told: list[Stale] = []
        self.rollcall = Rollcall(self.clock, self.told.append)
        self.rollcall.expect(places, stale)

    def beat(self, location: str = "sao", agent: str = "box-1", **more: object) -> None:
        at = self.clock.now()
        self.rollcall.heard(location, Heartbeat(agent, "e1", at, START, **more))  # type: ignore[arg-type]

    def go_on(self, seconds: float, *beating: str) -> None:
        """So much time goes by, with a heartbeat of these places each ten seconds of it."""
        end = self.clock.seconds + seconds
        while self.clock.seconds < end:
            self.clock.seconds += 0.25
            if self.clock.seconds % 10 == 0:
                for place in beating:
                    self.beat(place)
            self.rollcall.look()


def test_a_place_that_falls_silent_is_told_within_31_seconds_of_its_last_word() -> None:
    """Once, dated from that; the others go on."""
    hall = Hall("sao", "mia")
    hall.go_on(60, "sao", "mia")
    hall.go_on(30.5, "mia")
    assert hall.told == []
    hall.go_on(0.5, "mia")
    assert hall.told == [Stale("sao", START + timedelta(seconds=60))]
    hall.go_on(600, "mia")
    assert len(hall.told) == 1
    assert hall.rollcall.is_stale("sao")


def test_the_first_heartbeat_brings_it_back() -> None:
    """And it is given up as quickly the next time."""
    hall = Hall("sao")
    hall.go_on(60, "sao")
    hall.go_on(3600)
    hall.beat()
    assert [one.over for one in hall.told] == [False, True]
    hall.go_on(31)
    assert [one.over for one in hall.told] == [False, True, False]


def test_a_place_that_was_never_heard_of_is_given_up_as_well() -> None:
    """From the moment on at which it was expected."""
    hall = Hall("sao")
    hall.go_on(31)
    assert hall.told == [Stale("sao", START)]


def test_a_place_is_there_while_any_of_its_agents_is() -> None:
    """Several may share a place."""
    hall = Hall("sao")
    for _ in range(10):
        hall.beat(agent="box-1")
        hall.beat(agent="box-2")
        hall.go_on(10)
    for _ in range(10):
        hall.beat(agent="box-2")
        hall.go_on(10)
    assert hall.told == []
    assert hall.rollcall.attendance("sao", None).agents == 1


def test_what_was_stale_before_a_restart_is_not_told_again() -> None:
    """Until it is heard of; places that have no agent any more are waited for no longer."""
    hall = Hall("sao", stale=("sao", "gone"))
    assert hall.told == [Stale("gone", START, over=True)]
    hall.go_on(120)
    assert len(hall.told) == 1
    hall.beat()
    assert hall.told[1:] == [Stale("sao", hall.clock.now(), over=True)]


def test_a_place_that_is_configured_later_gets_its_time() -> None:
    """A reload gives up nobody."""
    hall = Hall("sao")
    hall.go_on(100, "sao")
    hall.rollcall.expect(["sao", "mia"])
    hall.go_on(30, "sao")
    assert hall.told == []
    hall.go_on(1, "sao")
    assert [one.location for one in hall.told] == ["mia"]


def test_whoever_stood_still_blames_nobody() -> None:
    """We heard nothing for a minute because we were stopped ourselves."""
    hall = Hall("sao")
    hall.go_on(60, "sao")
    hall.clock.seconds += 60
    hall.rollcall.missed(60)
    hall.go_on(29)
    assert hall.told == []


def test_a_place_that_is_none_of_ours_gets_no_answer() -> None:
    """Its seal would not open anyhow."""
    hall = Hall("sao")
    assert hall.rollcall.heard("mia", Heartbeat("box-1", "e1", START, START)) is None


def test_the_answer_to_a_heartbeat_holds_the_four_time_stamps() -> None:
    """Its own, when it came, and when the answer left."""
    hall = Hall("sao")
    hall.clock.seconds = 7
    answer = hall.rollcall.heard("sao", Heartbeat("box-1", "e1", START, START))
    assert answer is not None
    assert (answer.agent, answer.echo, answer.received_at) == ("box-1", START, START + timedelta(seconds=7))


def test_how_a_place_is_is_what_its_agents_say() -> None:
    """Sums over those that are there, the worst of clocks, and whether all have the configuration they should."""
    hall = Hall("sao", "mia")
    hall.beat(agent="box-1", digest="d2", waiting=3, oldest=7.0, skew=-0.5, version="1", probes=27)
    hall.beat(
        agent="box-2", digest="d1", waiting=4, oldest=2.0, skew=0.1, version="1", trouble="it is too new", probes=13
    )
    how = hall.rollcall.attendance("sao", "d2")
    assert (how.agents, how.waiting, how.oldest, how.skew) == (2, 7, 7.0, -0.5)
    assert how.parts == {"box-1": 27, "box-2": 13}
    assert (how.outdated, how.trouble, how.versions, how.heard_at) == (True, "it is too new", ("1",), START)
    nobody = hall.rollcall.attendance("mia", "d2")
    assert (nobody.agents, nobody.heard_at, nobody.outdated) == (0, None, False)


def shared(*agents: str) -> Hall:
    """A place whose agents were heard of for a minute, with the newest configuration."""
    hall = Hall("sao")
    for _ in range(6):
        beat(hall, *agents)
        hall.go_on(10)
    beat(hall, *agents)
    return hall


def beat(hall: Hall, *agents: str, digest: str = "d1", wanted: str = "d1") -> None:
    """These agents are there, with a configuration."""
    for agent in agents:
        hall.rollcall.heard("sao", Heartbeat(agent, "e1", hall.clock.now(), START, digest=digest), wanted)


def test_nobody_divides_anything_before_we_have_listened() -> None:
    """An agent that is not heard of in the first seconds is not gone; then all are told, with every answer as well."""
    hall = Hall("sao")
    for _ in range(3):
        beat(hall, "box-1", "box-2")
        hall.go_on(10)
    assert hall.rollcall.roster("sao") == ()
    assert hall.rollcall.redivided() == []
    beat(hall, "box-1", "box-2")
    hall.go_on(1)
    told = hall.rollcall.redivided()
    assert {(location, word.agent, word.roster) for location, word in told} == {
        ("sao", "box-1", ("box-1", "box-2")),
        ("sao", "box-2", ("box-1", "box-2")),
    }
    assert hall.rollcall.redivided() == []
    answer = hall.rollcall.heard("sao", Heartbeat("box-1", "e1", hall.clock.now(), START, digest="d1"))
    assert answer is not None
    assert answer.roster == ("box-1", "box-2")


def test_the_probes_of_an_agent_that_falls_silent_go_to_the_others() -> None:
    """As soon as a place would be given up for it, and back with its first heartbeat; the others are told at once."""
    hall = shared("box-1", "box-2")
    hall.rollcall.redivided()
    for _ in range(3):
        hall.go_on(10)
        beat(hall, "box-1")
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")
    hall.go_on(1)
    assert [word.roster for _, word in hall.rollcall.redivided()] == [("box-1",)] * 2
    beat(hall, "box-2")
    assert [word.roster for _, word in hall.rollcall.redivided()] == [("box-1", "box-2")] * 2
    assert hall.told == []


def test_an_agent_that_lost_its_connection_has_some_seconds_to_come_back() -> None:
    """One that says goodbye has none, and an old word of the broker says nothing."""
    hall = shared("box-1", "box-2")
    hall.rollcall.gone("sao", Gone("box-2", "e1", START - timedelta(seconds=1)))
    hall.go_on(9)
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")
    hall.rollcall.gone("sao", Gone("box-2", "e1", START))
    hall.go_on(4)
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")
    beat(hall, "box-1", "box-2")
    hall.go_on(6)
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")
    hall.rollcall.gone("sao", Gone("box-2", "e1", START))
    hall.go_on(5)
    assert hall.rollcall.roster("sao") == ("box-1",)
    beat(hall, "box-1", "box-2")
    hall.rollcall.gone("sao", Gone("box-2", "e1", START, orderly=True))
    assert hall.rollcall.roster("sao") == ("box-1",)
    assert hall.told == []


def test_an_agent_without_the_newest_configuration_asks_nothing_for_long() -> None:
    """What it does not know it cannot ask. While nobody has the newest, all go on."""
    hall = shared("box-1", "box-2")
    for _ in range(3):
        beat(hall, "box-1", digest="d2", wanted="d2")
        beat(hall, "box-2", digest="d1", wanted="d2")
        assert hall.rollcall.roster("sao") == ("box-1", "box-2")
        hall.go_on(10)
    beat(hall, "box-1", digest="d2", wanted="d2")
    beat(hall, "box-2", digest="d1", wanted="d2")
    assert hall.rollcall.roster("sao") == ("box-1",)
    beat(hall, "box-3", digest="", wanted="d2")
    assert hall.rollcall.roster("sao") == ("box-1",)
    for _ in range(4):
        beat(hall, "box-1", "box-2", digest="d2", wanted="d3")
        hall.go_on(10)
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")


def test_a_place_that_is_back_is_listened_to_first() -> None:
    """Its agents come back one after the other, and go on with their parts until all have had the time to."""
    hall = shared("box-1", "box-2")
    hall.rollcall.redivided()
    hall.go_on(60)
    beat(hall, "box-1")
    assert hall.rollcall.roster("sao") == ()
    assert hall.rollcall.redivided() == []
    for _ in range(3):
        hall.go_on(10)
        beat(hall, "box-1", "box-2")
    hall.go_on(1)
    assert hall.rollcall.roster("sao") == ("box-1", "box-2")
    assert hall.rollcall.redivided() == []
