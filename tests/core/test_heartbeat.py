"""Modules that call us: what silence means, and when it means nothing."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from monitor.core.board import Board
from monitor.core.codes import CauseClass
from monitor.core.effect import Ask, Called, Heard, Keep, Missed
from monitor.core.expectation import Expect, Fresh, Outcome, Result, judge
from monitor.core.heartbeat import CALLED_AT, LISTENING_SINCE
from monitor.core.module import Module, Platform, Status
from monitor.core.observation import Observation, stamp
from monitor.core.probe import Probe
from monitor.core.track import Track
from tests.stories.beats import START, Story, module, platform

KEY = ("erp", "export")
LIMIT = timedelta(minutes=10)
LATE = Expect(fresh=Fresh(CALLED_AT, LIMIT, since=LISTENING_SINCE))


def erp(limit: timedelta = LIMIT, off: str | None = None, **more: object) -> Module:
    """A module that calls every ten minutes, looked at every thirty seconds."""
    expect = Expect(fresh=Fresh(CALLED_AT, limit, since=LISTENING_SINCE))
    probe = Probe("erp", "export", "heartbeat", timedelta(seconds=30), timedelta(seconds=10), expect=expect, off=off)
    return replace(Module("erp", {"en": "ERP"}, probes=(probe,)), **more)  # type: ignore[arg-type]


@dataclass
class Life(Story):
    """A story of one heartbeat: `call` is what the module does, `go` lets time pass."""

    results: list[Result] = field(default_factory=list)

    def call(self, after: float = 0) -> None:
        self.now += timedelta(seconds=after)
        self._take(Called(*KEY))

    def look(self) -> None:
        known = self.board.calls.get(KEY)
        values = {} if known is None else {CALLED_AT: stamp(known.at), LISTENING_SINCE: stamp(known.since)}
        self.feed(Observation(self.now, *KEY, "here", self.now, 0.0, values=values))
        kept = [effect for effect in self.effects if isinstance(effect, Keep)]
        self.results.append(kept[-1].result)

    def go(self, minutes: float) -> None:
        """Looks every thirty seconds, and whenever it was asked to."""
        until = self.now + timedelta(minutes=minutes)
        while self.now < until:
            due = min([at for at, _ in self.asked] + [self.now + timedelta(seconds=30)])
            self.asked = [one for one in self.asked if one[0] > due]
            self.now = max(self.now, due)
            self.look()
            self.tick()

    def miss(self, minutes: float) -> None:
        """The machine sleeps for so long."""
        since, self.now = self.now, self.now + timedelta(minutes=minutes)
        self._take(Missed("here", since, self.now, "self.stall"))

    @property
    def status(self) -> Status:
        return self.board.status("erp")


def life(**more: object) -> Life:
    told = Life(Board(platform(erp(**more))))  # type: ignore[arg-type]
    told.reconfigure(told.board.platform)
    return told


def test_a_module_that_never_called_is_unknown_and_blames_nobody() -> None:
    """It may not be due yet; who has just been started must not blame anybody."""
    told = life()
    told.go(120)
    assert {(result.outcome, result.code, result.blame) for result in told.results} == {(Outcome.UNKNOWN, None, None)}
    assert told.results[0].reasons == ("it has not called yet",)
    assert (told.status, told.changes) == (Status.UNKNOWN, [])


def test_silence_is_stale_and_a_call_ends_it() -> None:
    """One incident with the code and class of what stands still, dated from the first run after the limit."""
    told = life()
    told.call()
    told.go(5)
    assert told.status is Status.UP
    told.go(8)
    assert told.status is Status.DOWN
    (incident,) = told.incidents
    assert (incident.cause.code, incident.cause.cls) == ("content.stale", CauseClass.STALLED.value)
    assert timedelta(0) < incident.started_at - (START + LIMIT) <= timedelta(seconds=30)
    told.call()
    told.go(3)
    assert (told.status, told.changes) == (Status.UP, ["opened", "resolved"])


def test_a_call_is_looked_at_at_once_unless_all_is_well() -> None:
    """What was unknown or down is seen to be back within the second; what is well needs no extra run."""
    told = life()
    told.call()
    assert [effect for effect in told.effects if isinstance(effect, Ask)] == [Ask(*KEY, "here", after=0.0)]
    told.look()
    told.effects.clear()
    told.call(after=60)
    assert told.effects == [Heard(*KEY, told.now)]


def test_a_hundred_calls_in_a_second_are_one() -> None:
    """No write and no run for each of them, and nothing that grows."""
    told = life()
    for _ in range(300):
        told.call(after=0.01)
    assert len([effect for effect in told.effects if isinstance(effect, Heard)]) == 3
    assert told.now - told.board.calls[KEY].at < timedelta(seconds=1)
    assert len(told.board.calls) == 1


def test_after_hours_away_a_module_has_all_its_time_to_call() -> None:
    """It may have called in vain; when it still does not call, it is down after its own time."""
    told = life()
    told.call()
    told.go(5)
    told.restart(pause=3 * 3600)
    told.results.clear()
    told.go(9)
    assert {result.outcome for result in told.results} == {Outcome.UNKNOWN}
    assert told.results[0].code is None
    assert "nobody listened until 2026-11-23T15:05:" in told.results[0].reasons[0]
    assert told.changes == []
    told.go(4)
    assert (told.status, told.changes) == (Status.DOWN, ["opened"])


def test_a_short_restart_changes_nothing() -> None:
    """What is well stays well, and its silence counts from its last call."""
    told = life()
    told.call()
    told.go(9)
    told.restart(pause=5)
    told.look()
    assert told.results[-1].outcome is Outcome.PASSED


def test_what_was_down_before_a_restart_stays_down() -> None:
    """The incident goes on; it was overdue before anybody was away."""
    told = life()
    told.call()
    told.go(13)
    told.restart(pause=5)
    told.go(4)
    assert (told.status, told.changes) == (Status.DOWN, ["opened"])
    assert told.results[-1].code == "content.stale"


@pytest.mark.parametrize("minutes", [15, 600])
def test_a_machine_that_slept_heard_nothing(minutes: float) -> None:
    """As after a restart."""
    told = life()
    told.call()
    told.go(5)
    told.miss(minutes)
    told.go(9)
    assert (told.results[-1].outcome, told.changes) == (Outcome.UNKNOWN, [])


def test_a_clock_that_was_set_back_does_not_hold_a_module_well() -> None:
    """A call of the future is one of now."""
    told = life()
    told.call()
    told.look()
    told.now -= timedelta(hours=5)
    told._take(Missed("here", told.now, told.now, "self.clock"))
    told.go(13)
    assert told.status is Status.DOWN


def test_a_place_that_was_blind_heard_nothing() -> None:
    """Calls do not get through either while our own line is cut."""
    told = Life(Board(replace(platform(erp()), canaries=3)))
    told.reconfigure(told.board.platform)
    told.call()
    told.go(5)
    told.sees = False
    told.go(15)
    assert told.board.vantages["here"].blind_since is not None
    told.sees = True
    told.go(9)
    assert (told.results[-1].outcome, told.changes) == (Outcome.UNKNOWN, [])
    told.go(4)
    assert told.changes == ["opened"]


def test_a_heartbeat_that_was_off_is_listened_to_again() -> None:
    """Its calls were not taken; what was known of it is not held against it, and its silence is noticed in its time."""
    told = life()
    told.call()
    told.reconfigure(platform(erp(off="disabled")))
    told.call()
    assert told.board.calls[KEY].at == START
    told.now += timedelta(hours=1)
    told.reconfigure(platform(erp()))
    told.go(9)
    assert (told.results[-1].outcome, told.changes) == (Outcome.UNKNOWN, [])
    told.go(4)
    assert told.changes == ["opened"]


def test_a_shorter_time_begins_when_it_is_said() -> None:
    """A reload must not make a module late at once that kept to what was agreed."""
    told = life()
    told.call()
    told.go(9)
    told.reconfigure(platform(erp(limit=timedelta(minutes=2))))
    told.look()
    assert told.results[-1].outcome is Outcome.UNKNOWN


def test_a_heartbeat_that_left_the_configuration_is_forgotten() -> None:
    """On the board and in the store."""
    told = life()
    told.call()
    told.reconfigure(Platform())
    assert told.board.calls == {}
    assert told.effects[-1] == Heard(*KEY, None) or Heard(*KEY, None) in told.effects


def test_a_renamed_module_keeps_its_calls() -> None:
    """Under the new id, also after a restart."""
    told = life()
    told.call()
    told.look()
    probe = replace(erp().probes[0], module="books")
    told.reconfigure(platform(Module("books", {}, aliases=("erp",), probes=(probe,))))
    assert told.board.calls["books", "export"].at == START
    assert Heard("books", "export", START) in told.effects


def test_calls_of_what_is_no_heartbeat_change_nothing() -> None:
    """The board is the same: nobody knows the probe, or it is of another kind."""
    told = life()
    told.reconfigure(platform(erp(), module("catalog")))
    before = told.board
    for key in (("erp", "other"), ("nobody", "export"), ("catalog", "ask")):
        told._take(Called(*key))
    assert told.board == before


def test_a_wrong_clock_of_ours_does_not_excuse_silence() -> None:
    """Call and run are dated by the same clock, however wrong it is."""
    at = START + timedelta(hours=1)
    values = {CALLED_AT: stamp(START), LISTENING_SINCE: stamp(START)}
    seen = Observation(at, *KEY, "here", at, 0.0, values=values)
    from monitor.core.board import Vantage
    from monitor.core.vantage import on_time

    board = Board(platform(erp()), vantages={"here": Vantage(clocks={str(n): (at, 30.0) for n in range(9)})})
    result = judge(seen, LATE)
    assert result.code == "content.stale"
    assert on_time(board, seen, result) == result


@pytest.mark.parametrize(
    ("called", "listening", "outcome"),
    [
        pytest.param(599, 599, Outcome.PASSED, id="in time"),
        pytest.param(601, 601, Outcome.FAILED, id="late"),
        pytest.param(601, 5, Outcome.UNKNOWN, id="late, and somebody listens for a moment only"),
        pytest.param(9999, 601, Outcome.FAILED, id="late, and somebody has listened for long enough"),
        pytest.param(5, 5, Outcome.PASSED, id="just now"),
        pytest.param(None, None, Outcome.UNKNOWN, id="never"),
        pytest.param(601, None, Outcome.FAILED, id="late, in a recording that does not say who listened"),
    ],
)
def test_what_silence_means(called: float | None, listening: float | None, outcome: Outcome) -> None:
    """All from the values of one run, so that a recording can be judged again."""
    at = START
    values = {
        name: stamp(at - timedelta(seconds=ago))
        for name, ago in ((CALLED_AT, called), (LISTENING_SINCE, listening))
        if ago is not None
    }
    assert judge(Observation(at, *KEY, "here", at, 0.0, values=values), LATE).outcome is outcome


def test_a_track_begins_with_nothing() -> None:
    """What is unknown is no evidence either way."""
    told = life()
    told.look()
    track = told.board.tracks[(*KEY, "here")]
    assert replace(track, last=None, last_at=None, runs=()) == Track()
