"""Every light comes on when its figure is past its limit, with its code on the board, and goes out again."""

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from monitor.core.effect import Ailing, Ticked
from monitor.core.history import History
from monitor.core.presence import Attendance
from monitor.core.selfcheck import SIGNS, TROUBLES, self_check
from monitor.metrics import Metrics
from monitor.notify.channel import DeliveryFailed
from monitor.pages.signs import SIGNS as SHOWN
from monitor.probers.seats import FED, LEAST, STARVED, Seats
from monitor.pulse import Pulse
from monitor.selfwatch import Selfwatch
from tests.test_watchroom import QUIET, WATCHED, Room


class Lookout:
    """Rounds of which a test says how late they are."""

    def __init__(self) -> None:
        self.late, self.seats = 0.0, Seats(100)

    def behind(self) -> float:
        return self.late

    def look(self, lost: float) -> None:
        self.seats.look(lost)


class Places:
    """Places of which a test says for how long they have been silent."""

    silent = 0.0

    def longest(self) -> float:
        return self.silent

    def attendance(self) -> tuple[Attendance, ...]:
        return (Attendance("sao", waiting=7),)


class Watched:
    """A real desk, store, mailroom, pulse and metrics; time is what a test says."""

    def __init__(self) -> None:
        self.room, self.lookout = Room(), Lookout()
        self.metrics, self.pulse = Metrics(WATCHED), Pulse()
        self.press = SimpleNamespace(publishing_since=None, nudged=0)
        self.places = Places()
        self.press.nudge = lambda: setattr(self.press, "nudged", self.press.nudged + 1)
        parts = (self.room.desk, self.press, self.lookout, self.metrics, self.room.mailroom, self.pulse, self.places)
        self.selfwatch = Selfwatch(*cast(Any, parts), self.room.clock)

    def later(self, seconds: float = 1.0) -> set[str]:
        """The lights that are on then; what is wrong reaches the board."""
        self.room.clock.at += timedelta(seconds=seconds)
        for _ in range(2):
            self.selfwatch.look()
            waiting = self.room.desk.queue
            kept = []
            while not waiting.empty():
                event = waiting.get_nowait()
                if isinstance(event, Ailing):
                    self.room.desk.take(event)
                else:
                    kept.append(event)
            for event in kept:
                waiting.put_nowait(event)
        return {sign.name for sign in self.selfwatch.signs if sign.is_past}


def test_every_sign_is_shown_and_measured() -> None:
    """In the same order everywhere: watched, named on the dashboard, in the metrics."""
    watched = Watched()
    watched.later()
    assert tuple(sign.name for sign in watched.selfwatch.signs) == SIGNS == tuple(SHOWN)
    page = watched.metrics.page(watched.room.desk.board, History()).decode()
    for name in SIGNS:
        assert f'monitor_sign_past_limit{{sign="{name}"}} 0.0' in page
    for code in TROUBLES:
        assert f'monitor_trouble{{code="{code}"}} 0' in page
    assert 'monitor_place_waiting{location="sao"} 7.0' in page


def lag(watched: Watched) -> None:
    watched.metrics.loop_lag(2.5)


def lost(watched: Watched) -> None:
    watched.pulse.lost = 0.3


def behind(watched: Watched) -> None:
    watched.lookout.late = 5.5


def no_files(watched: Watched) -> None:
    watched.lookout.late, watched.lookout.seats.taken = 5.5, 100


def events(watched: Watched) -> None:
    for _ in range(1002):
        watched.room.desk.hand_in(Ticked())


def steps(watched: Watched) -> None:
    for _ in range(1002):
        watched.room.desk.backlog.add([])
    watched.selfwatch.wrote()


def unwritten(watched: Watched) -> None:
    watched.room.desk.backlog.add([])
    watched.later(11)


def unpublished(watched: Watched) -> None:
    watched.later(76)


def unheard(watched: Watched) -> None:
    watched.places.silent = 31.5


@pytest.mark.parametrize(
    ("fault", "sign", "code"),
    [
        (lag, "loop_lag", "self.stall"),
        (lost, "loop_lost", "self.stall"),
        (behind, "schedule_behind", "self.stall"),
        (no_files, "schedule_behind", "self.resources"),
        (events, "events_waiting", "self.stall"),
        (steps, "steps_unwritten", "self.storage"),
        (unwritten, "store_write", "self.storage"),
        (unpublished, "publication", "self.storage"),
        (unheard, "heartbeats", "self.unheard"),
    ],
)
def test_a_light_comes_on_with_its_code(fault: Callable[[Watched], None], sign: str, code: str) -> None:
    """One fault, one light, one code on the board and for whoever asks how we are; the page is made anew."""
    watched = Watched()
    assert watched.later() == set()
    fault(watched)
    assert watched.later(0.5) == {sign}
    state, since, reason = self_check(watched.room.desk.board)
    assert (state, reason) == ("degraded", code)
    assert since is not None
    assert watched.press.nudged == 1


async def test_a_notice_that_waits_too_long_is_a_light() -> None:
    """And no longer one once it is delivered."""
    watched = Watched()
    watched.room.pager.answers = [DeliveryFailed("HTTP 503")] * 4
    await watched.room.tell()
    await watched.room.work()
    watched.selfwatch.published()
    watched.later(QUIET + 1)
    watched.selfwatch.published()
    assert watched.later() == {"outbox"}
    assert self_check(watched.room.desk.board)[2] == "self.connectivity"
    for _ in range(5):
        watched.later(30)
        await watched.room.work()
    watched.selfwatch.published()
    assert watched.later() == set()
    assert self_check(watched.room.desk.board)[0] == "ok"


def test_troubles_of_several_kinds_end_one_by_one() -> None:
    """The worst is named; when that is over, the next."""
    watched = Watched()
    unwritten(watched)
    watched.pulse.lost = 0.9
    watched.later()
    assert self_check(watched.room.desk.board)[2] == "self.storage"
    watched.room.desk.backlog.portion()
    watched.room.desk.backlog.stored()
    watched.later()
    assert self_check(watched.room.desk.board)[2] == "self.stall"
    watched.pulse.lost = 0.0
    watched.later()
    assert self_check(watched.room.desk.board)[0] == "ok"


def test_the_part_that_does_not_move_is_named() -> None:
    """A desk that takes nothing, a write and a publication that do not end; none of them while they move."""
    watched = Watched()
    clock = watched.room.clock
    assert watched.selfwatch.stuck(30) is None
    watched.press.publishing_since = clock.monotonic()
    watched.later(31)
    watched.room.desk.took_at = clock.monotonic()
    assert watched.selfwatch.stuck(30) == "press"
    watched.press.publishing_since = None
    watched.room.desk.backlog.add([])
    watched.later(31)
    watched.room.desk.took_at = clock.monotonic()
    assert watched.selfwatch.stuck(30) == "writer"
    watched.selfwatch.wrote(well=False)  # refused, and trying again
    assert watched.selfwatch.stuck(30) is None
    watched.later(31)
    watched.selfwatch.wrote()
    assert watched.selfwatch.stuck(30) == "desk"


def test_seats_are_taken_away_while_time_is_lost_and_come_back() -> None:
    """Never below the least, never above what there are files for."""
    seats = Seats(100)
    seats.taken = 50
    allowed = []
    for _ in range(30):
        seats.look(STARVED + 0.1)
        seats.taken = min(seats.taken, seats.allowed)
        allowed.append(seats.allowed)
    assert allowed == sorted(allowed, reverse=True)
    assert allowed[-1] == LEAST
    seats.look((STARVED + FED) / 2)
    assert seats.allowed == LEAST
    for _ in range(60):
        seats.look(FED - 0.1)
    assert seats.allowed == 100
    seats.taken = 100
    assert not seats.is_free()
    assert seats.is_short_of_files
