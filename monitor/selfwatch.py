"""Selfwatch: how the monitor itself is, looked at once a second: figures with a limit each, and the `self.*` code of
what is wrong while one is past it. Pages, both APIs and metrics show the same figures.
"""

from collections import deque

from monitor.clock import Clock
from monitor.core.effect import Ailing
from monitor.core.selfcheck import TROUBLES, Sign
from monitor.desk import Desk
from monitor.lookout import Lookout
from monitor.mailroom import Mailroom
from monitor.metrics import Metrics
from monitor.places.exchange import Exchange
from monitor.press import Press
from monitor.pulse import Pulse

LAG = 2.0  # seconds the event loop may be late
LOST = 0.25  # share of time it may lose
BEHIND = 5.0  # seconds a run may be late
WAITING = 1000  # events and steps that may wait, besides one for each probe
UNWRITTEN = 10.0  # seconds that what is decided may wait for the store
UNPUBLISHED = 75.0  # seconds since the last publication; one is made every 15
UNDELIVERED = 120.0  # seconds that a notice may wait
UNHEARD = 31.0  # seconds since the last heartbeat of a place that has agents
KEPT = 10  # looks for which a late run is remembered


class Selfwatch:
    """`look` once a second; `signs` are the figures as they were then, `stuck` says which part of us does not move."""

    def __init__(
        self,
        desk: Desk,
        press: Press,
        lookout: Lookout,
        metrics: Metrics,
        mailroom: Mailroom,
        pulse: Pulse,
        places: Exchange,
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._press = press
        self._lookout = lookout
        self._metrics = metrics
        self._mailroom = mailroom
        self._pulse = pulse
        self._places = places
        self._clock = clock
        self._wrote_at = self._tried_at = self._published_at = clock.monotonic()
        self._behind: deque[float] = deque(maxlen=KEPT)
        self._late = "self.stall"  # why runs are late
        self._shown: set[str] = set()
        self.signs: tuple[Sign, ...] = ()

    def wrote(self, well: bool = True) -> None:
        """The store took something, or refused it: whoever writes moves all the same."""
        self._tried_at = self._clock.monotonic()
        if well:
            self._wrote_at = self._tried_at

    def published(self) -> None:
        """A publication is in place."""
        self._published_at = self._clock.monotonic()

    def look(self) -> None:
        """Reads every figure; what is wrong by them is told to the board, and that it is over. It is told at once:
        behind a thousand events that wait, that they wait would be news when they are gone."""
        seats, lost, behind = self._lookout.seats, self._pulse.lost, self._lookout.behind()
        self._lookout.look(lost)
        self._behind.append(behind)
        if behind > BEHIND:
            self._late = "self.resources" if seats.is_short_of_files else "self.stall"
        if not self._desk.backlog:
            self.wrote()
        self.signs = self._read()
        self._metrics.attended(self._places.attendance())
        self._metrics.watched(self.signs, lost, behind, seats.taken, seats.allowed)
        wrong = {sign.code for sign in self.signs if sign.is_past}
        if self._desk.store_trouble is not None:
            wrong.add("self.storage")
        known = self._desk.board.ailing
        if known.keys() != self._shown:  # on the page as soon as the board has it, not before
            self._shown = set(known)
            self._press.nudge()
        for code in TROUBLES:
            if (code in wrong) is not (code in known):
                self._desk.take(Ailing(code, over=code in known))

    def _read(self) -> tuple[Sign, ...]:
        now, desk = self._clock.monotonic(), self._desk
        many = WAITING + len(desk.board.platform.probes)
        oldest = max((seconds for _, seconds in self._mailroom.postman.pending().values()), default=0.0)
        return (
            Sign("loop_lag", self._metrics.late(), LAG, "self.stall"),
            Sign("loop_lost", self._pulse.lost, LOST, "self.stall", "share"),
            Sign("schedule_behind", max(self._behind), BEHIND, self._late),
            Sign("events_waiting", desk.queue.qsize(), many, "self.stall", "count"),
            Sign("steps_unwritten", len(desk.backlog), many, "self.storage", "count"),
            Sign("store_write", now - self._wrote_at, UNWRITTEN, "self.storage"),
            Sign("publication", now - self._published_at, UNPUBLISHED, "self.storage"),
            Sign("outbox", oldest, UNDELIVERED, "self.connectivity"),
            Sign("heartbeats", self._places.longest(), UNHEARD, "self.unheard"),
        )

    def stuck(self, patience: float) -> str | None:
        """The part of us that has been at one piece of work for longer than so many seconds; None when all move."""
        now = self._clock.monotonic()
        publishing = self._press.publishing_since
        since = {
            "desk": self._desk.took_at,  # it hears of the time every second
            "writer": self._tried_at if self._desk.backlog else now,
            "press": now if publishing is None else publishing,
        }
        return next((part for part, at in since.items() if now - at > patience), None)
