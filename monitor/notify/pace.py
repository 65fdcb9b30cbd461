"""Pace: when a subscriber may be told something again, since when they cannot be reached, and who takes their time.

Here time is measured by a clock that nobody sets: one of the wall that is put back keeps nobody waiting for a day, and
one that is put forward removes nobody. What is stored with a subscriber is for whoever comes after a restart.
"""

from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.core.outbox import LONGEST_PAUSE
from monitor.core.subscriber import Subscriber

SLOW = 2.0  # seconds after which an answer was slow, and the next one is waited for where nobody is in a hurry


class Pace:
    """Of all subscribers, by id; whoever is not known may be told at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}  # monotonic seconds, these three
        self._calm: dict[str, float] = {}
        self._failing: dict[str, float] = {}
        self._slow: set[str] = set()

    def begin(self, one: Subscriber) -> None:
        """Goes on after a restart with what was stored."""
        now, tick = self._clock.now(), self._clock.monotonic()
        if one.next_at is not None:
            self._due[one.id] = tick + min(one.next_at - now, LONGEST_PAUSE).total_seconds()
        if one.failing_since is not None:
            self._failing[one.id] = tick - max(now - one.failing_since, timedelta(0)).total_seconds()

    def is_due(self, id: str) -> bool:
        """Whether they may be tried now, if there is anything to tell."""
        return self._due.get(id, 0.0) <= self._clock.monotonic()

    def waits(self, id: str) -> bool:
        """Whether nothing is told to them now."""
        return not self.is_due(id) or self._calm.get(id, 0.0) > self._clock.monotonic()

    def is_slow(self, id: str) -> bool:
        """Whether their last answer took long."""
        return id in self._slow

    def calm(self, id: str, pause: timedelta) -> None:
        """What there is to tell may still change: it waits, unless more happens."""
        self._calm[id] = self._clock.monotonic() + pause.total_seconds()

    def stir(self) -> None:
        """More happened."""
        self._calm.clear()

    def told(self, id: str, began: float) -> None:
        """They answered what was begun then, in monotonic seconds."""
        self._due.pop(id, None)
        self._failing.pop(id, None)
        (self._slow.add if self._clock.monotonic() - began > SLOW else self._slow.discard)(id)

    def later(self, id: str, pause: timedelta, *, count: bool) -> None:
        """They are tried again after a pause. `count`: it is theirs that they were not reached."""
        tick = self._clock.monotonic()
        self._due[id] = tick + pause.total_seconds()
        if count:
            self._failing.setdefault(id, tick)

    def now_for(self, one: Subscriber) -> datetime:
        """What time it is for somebody who cannot be reached: as much later than their first failure as they failed."""
        if one.failing_since is None or one.id not in self._failing:
            return self._clock.now()
        return one.failing_since + timedelta(seconds=self._clock.monotonic() - self._failing[one.id])

    def forget(self, id: str) -> None:
        """Nobody is there any more, or somebody who begins anew."""
        self._slow.discard(id)
        for known in (self._due, self._calm, self._failing):
            known.pop(id, None)
