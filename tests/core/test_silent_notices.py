"""What silences do to notices: held back, never dropped; what began for somebody ends for them."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.core import herald, silencing
from monitor.core.board import Board
from monitor.core.effect import Effect, Happened, Lifted, Saved, Silenced
from monitor.core.incident import Change, Incident
from monitor.core.intent import Notice
from monitor.core.route import Route, Step
from tests.core.test_silence import HOUR, INCIDENT, MINUTE, TOLD, scope

ROUTE = Route((Step(("pager",)), Step(("chat",), 10 * MINUTE)))
BOARD = replace(TOLD.board, platform=replace(TOLD.board.platform, routes=(ROUTE,)), told={}, turn_at=None)
START = TOLD.now


@dataclass
class Telling:
    """A board on which one incident comes and goes, and what is said of it: when, why and to whom; nobody: withheld."""

    board: Board = BOARD
    now: datetime = START

    def __post_init__(self) -> None:
        self.said: list[tuple[timedelta, str, str]] = []

    def change(self, change: Change, incident: Incident = INCIDENT) -> None:
        """Something happens to the incident."""
        over = self.now if change is Change.RESOLVED else None
        incident = replace(incident, resolved_at=over)
        self.board = replace(self.board, incidents={incident.id: incident})
        self._take([Saved(incident, change, self.now)])

    def hear(self, event: Silenced | Lifted) -> None:
        """A person speaks."""
        self.board, effects = silencing.heard(self.board, event, self.now)
        self._take(effects)

    def silence(self, length: timedelta = 30 * MINUTE) -> None:
        """Nobody wants to hear of what comes from the catalog."""
        self.hear(Silenced(scope(modules="catalog"), "deploy", self.now + length, by="Ana"))

    def lift(self) -> None:
        """Everybody wants to hear again."""
        for id in list(self.board.silences):
            self.hear(Lifted(id))

    def wait(self, length: timedelta) -> None:
        """Time goes by, a second at a time as far as anything comes of it."""
        end = self.now + length
        while (due := min(filter(None, (self.board.turn_at, end)))) < end:
            self.now = max(self.now, due)
            self._tick()
        self.now = end
        self._tick()

    def _tick(self) -> None:
        self.board, effects = herald.turned(self.board, self.now)
        self._note(effects)
        self.board, effects = silencing.passed(self.board, self.now)
        self._take(effects)

    def _take(self, effects: list[Effect]) -> None:
        self.board, effects = herald.announced(self.board, effects)
        self._note(effects)

    def _note(self, effects: list[Effect]) -> None:
        for effect in effects:
            for one in effect.said if isinstance(effect, Happened) else ():
                whom = one.channel if isinstance(one, Notice) else ""
                self.said.append((self.now - START, one.why, whom))

    @property
    def is_silent(self) -> bool:
        return any(one.state(self.now) == "active" for one in self.board.silences.values())


def test_what_is_silenced_is_withheld_and_told_when_the_silence_ends() -> None:
    """Who should have heard does so then, and the steps begin at that moment."""
    told = Telling()
    told.silence()
    told.wait(MINUTE)
    told.change(Change.OPENED)
    told.change(Change.WORSENED)
    told.wait(HOUR)
    (one,) = told.board.silences
    assert told.said == [
        (MINUTE, f"silenced:{one}", ""),
        (MINUTE, f"silenced:{one}", ""),
        (30 * MINUTE, "silence_ended", "pager"),
        (40 * MINUTE, "escalated", "chat"),
    ]


def test_when_it_is_lifted_they_hear_at_once() -> None:
    """Also of the steps that came due meanwhile; what another silence covers stays back."""
    told = Telling()
    told.change(Change.OPENED)
    told.silence()
    told.silence(20 * MINUTE)
    told.wait(12 * MINUTE)
    (longer, shorter) = sorted(told.board.silences.values(), key=lambda one: one.until, reverse=True)
    assert [why for _, why, _ in told.said] == ["first", f"silenced:{longer.id}"]
    told.hear(Lifted(longer.id))
    told.wait(MINUTE)
    assert [why for _, why, _ in told.said][2:] == [f"silenced:{shorter.id}"]
    told.hear(Lifted(shorter.id))
    told.wait(MINUTE)
    assert [(why, whom) for _, why, whom in told.said][3:] == [("escalated", "chat")]


def test_what_ended_in_silence_is_never_told() -> None:
    """Nobody heard that it began, so nobody hears that it is over; who heard hears."""
    told = Telling()
    told.silence()
    told.change(Change.OPENED)
    told.change(Change.RESOLVED)
    told.wait(2 * HOUR)
    assert [whom for _, _, whom in told.said] == [""]
    told.change(Change.OPENED)
    told.silence()
    told.change(Change.RESOLVED)
    assert [why for _, why, _ in told.said][1:] == ["first", "resolved"]


def test_what_turns_out_to_come_from_elsewhere_is_told_at_once() -> None:
    """The silence speaks for its module only."""
    told = Telling()
    told.silence()
    told.change(Change.OPENED)
    told.change(Change.CAUSE_CHANGED, replace(INCIDENT, cause=replace(INCIDENT.cause, module="checkout")))
    assert [(why, whom) for _, why, whom in told.said][1:] == [("cause_changed", "pager")]
    told.wait(2 * HOUR)
    assert [(why, whom) for _, why, whom in told.said][2:] == [("escalated", "chat")]


WORDS = ("opened", "worsened", "cause_changed", "member_added", "resolved", "reopened", "silence", "lift")
happenings = st.lists(st.tuples(st.sampled_from(WORDS), st.integers(1, 15)), max_size=20)


@given(happenings)
def test_resolved_follows_opened_whatever_is_silenced_meanwhile(happened: list[tuple[str, int]]) -> None:
    """On every channel as often; while it is silent nobody hears anything but ends; nothing is lost after it."""
    told, is_open = Telling(), False
    for what, minutes in happened:
        told.wait(minutes * MINUTE)
        before, silent = len(told.said), told.is_silent
        if what == "silence":
            told.silence(12 * MINUTE)
        elif what == "lift":
            told.lift()
        elif is_open is (what not in ("opened", "reopened")):
            is_open = what != "resolved"
            told.change(Change(what))
        assert not silent or all(not whom or why == "resolved" for _, why, whom in told.said[before:])
    if is_open:
        told.wait(HOUR)
        assert "pager" in told.board.told[INCIDENT.id].channels
        told.change(Change.RESOLVED)
    heard = Counter((whom, why == "resolved") for _, why, whom in told.said if whom)
    for channel in ("pager", "chat"):
        assert heard[(channel, True)] <= heard[(channel, False)]
    assert told.board.told.get(INCIDENT.id) is None or told.board.told[INCIDENT.id].channels == ()
