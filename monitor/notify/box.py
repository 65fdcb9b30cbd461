"""Box: what waits for one channel, since when and until when, and how the channel has fared.

Here time is measured by a clock that nobody sets: a clock of the wall that is put forward or back makes no letter late,
too old or stranded.
"""

from asyncio import Event
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.core.outbox import GONE, STALE, WAITING, Breaker, Letter, State, found_again, wait_of
from monitor.notify.channel import Channel

HELD = timedelta(seconds=15)  # between looks at whether a letter still has to wait
AGAIN = 1.0  # seconds before what could not be claimed is tried again
LONGEST_REST = 3600.0  # seconds that everything waits because the receiver asked for a pause; it may be wrong
Key = tuple[str, int, str]
_NEWS = {(State.SENDING, State.PENDING)} | {(one, two) for one in State if one not in WAITING for two in WAITING}


class Box:
    """The letters that wait for a channel by incident, in order of `seq`. `channel` is None where none of that name is
    configured any more."""

    def __init__(self, channel: Channel | None, clock: Clock, before: "Box | None" = None) -> None:
        self.channel = channel
        self.waiting: dict[str, list[Letter]] = {}
        self.wake = Event()
        self.breaker = Breaker()
        self.last_error: str | None = GONE if channel is None else None
        self.last_delivered_at: datetime | None = None
        self.given_up = 0
        self.alarmed_at: float | None = None  # monotonic seconds
        self._clock = clock
        self._due: dict[Key, float] = {}  # monotonic seconds from which on a letter may leave
        self._born: dict[Key, float] = {}  # monotonic seconds at which its event happened
        self._held: set[Key] = set()  # what waits because it is meant to
        self._rests_until: float | None = None  # monotonic seconds; None once a delivery showed that it takes again
        if before is not None:
            self._take_over(before)

    def _take_over(self, before: "Box") -> None:
        """What waited under this name goes on waiting here. A channel that is new or mended is tried at once."""
        self.given_up, self.alarmed_at = before.given_up, before.alarmed_at
        for letter in before.letters():
            self.put(letter if self.channel is None else found_again(letter, self._clock.now()))
            self._born[letter.key] = before._born[letter.key]

    # -- what waits --------------------------------------------------------------------------------------------------

    def letters(self) -> Iterator[Letter]:
        """Everything that waits."""
        return (one for some in self.waiting.values() for one in some if one.state in WAITING)

    def queues(self) -> list[list[Letter]]:
        """What waits of each incident: what may wake somebody first, and of that what has waited longest."""
        for incident, some in list(self.waiting.items()):
            for one in [one for one in some if one.state not in WAITING]:
                self.forget(one)
            if not some:
                del self.waiting[incident]
        return sorted(self.waiting.values(), key=lambda some: (not some[0].page, self._born[some[0].key]))

    def put(self, letter: Letter) -> None:
        """One more letter, in its place; one that is known stays, unless somebody tried it since or gave it back."""
        waiting = self.waiting.setdefault(letter.incident, [])
        at = next((n for n, one in enumerate(waiting) if one.seq >= letter.seq), len(waiting))
        if at == len(waiting) or waiting[at].seq != letter.seq:
            waiting.insert(at, letter)
            age = (self._clock.now() - letter.at).total_seconds()
            self._born[letter.key] = self._clock.monotonic() - max(age, 0.0)
        elif letter.attempts > waiting[at].attempts or (waiting[at].state, letter.state) in _NEWS:
            waiting[at] = letter
            self._born.setdefault(letter.key, self._clock.monotonic())
        else:
            return
        self._date(letter)
        self.wake.set()

    def replace(self, letters: Iterable[Letter]) -> None:
        """These letters in place of those with the same numbers."""
        for letter in letters:
            waiting = self.waiting.get(letter.incident, [])
            if letter.key in (one.key for one in waiting):
                waiting[:] = [letter if one.key == letter.key else one for one in waiting]
                self._date(letter)

    def wait_with(self, letters: Iterable[Letter], after: Letter) -> None:
        """What would have been told with a letter waits as long as that does."""
        for one in letters:
            self._due[one.key] = self._due.get(after.key, 0.0)

    def before(self, letter: Letter) -> list[Letter]:
        """What waits of the same incident and comes first."""
        return [one for one in self.waiting.get(letter.incident, ()) if one.seq < letter.seq and one.state in WAITING]

    def learn(self, letter: Letter, stored: Iterable[Letter]) -> None:
        """What the store says of an incident counts, of everything that waits: this letter is somebody else's by now,
        or over and done with, or one before it waits that was not known here."""
        theirs = {one.key: one for one in stored if (one.incident, one.channel) == (letter.incident, letter.channel)}
        for one in list(self.waiting.get(letter.incident, ())):
            if one.key not in theirs:
                self.forget(one)
        for one in theirs.values():
            self.put(one)
        if letter.key in theirs:
            self.replace([theirs[letter.key]])
            self._due[letter.key] = max(self._due[letter.key], self._clock.monotonic() + AGAIN)

    def forget(self, letter: Letter) -> None:
        """It waits no more, whatever became of it elsewhere."""
        waiting = self.waiting.get(letter.incident, [])
        waiting[:] = [one for one in waiting if one.key != letter.key]
        self._due.pop(letter.key, None)
        self._born.pop(letter.key, None)
        self._held.discard(letter.key)

    def hold(self, letter: Letter, why: str) -> None:
        """It is not to leave now, for this reason; that is asked again in a while."""
        now = self._clock.now()
        self.replace((replace(letter, next_at=now + HELD, tried_at=now, last_error=why),))
        self._held.add(letter.key)

    def is_held(self, letter: Letter) -> bool:
        """Whether it waits because it is meant to."""
        return letter.key in self._held

    def free(self, letter: Letter) -> None:
        """It may leave. What was held has waited for long, but is not too old for anybody because of that."""
        if letter.key in self._held:
            self._held.discard(letter.key)
            stale = self._clock.monotonic() - STALE.total_seconds()
            self._born[letter.key] = max(self._born[letter.key], stale)

    def _date(self, letter: Letter) -> None:
        self._held.discard(letter.key)
        self._due[letter.key] = self._clock.monotonic() + wait_of(letter, self._clock.now()).total_seconds()

    def is_due(self, letter: Letter) -> bool:
        """Whether it may leave now."""
        return self._due[letter.key] <= self._clock.monotonic()

    def is_sent_elsewhere(self, letter: Letter) -> bool:
        """Whether somebody else is sending it, as far as is known."""
        return letter.state is State.SENDING and not self.is_due(letter)

    def seconds_of(self, letter: Letter) -> float:
        """How long it has waited."""
        return max(0.0, self._clock.monotonic() - self._born[letter.key])

    def oldest(self) -> float:
        """For how many seconds the oldest has waited that is not held."""
        return max((self.seconds_of(one) for one in self.letters() if one.key not in self._held), default=0.0)

    def now_for(self, letter: Letter) -> datetime:
        """What time it is for a letter: as much later than its event as it has waited."""
        return letter.at + timedelta(seconds=self.seconds_of(letter))

    # -- how the channel fares ---------------------------------------------------------------------------------------

    def state(self) -> str:
        """That of the breaker, `open` as well while the receiver wants nobody to come; `gone` where there is no
        channel."""
        if self.channel is None:
            return "gone"
        now = self._clock.monotonic()
        return "open" if self._rests_until is not None and now < self._rests_until else self.breaker.state(now)

    def rest(self, pause: timedelta | None) -> None:
        """The receiver wants nobody to come for so long, whatever it would be with."""
        if pause:
            seconds = min(pause.total_seconds(), LONGEST_REST)
            self._rests_until = max(self._rests_until or 0.0, self._clock.monotonic() + seconds)

    def fared(self, after: Letter) -> bool:
        """Notes what became of an attempt; whether that is news: the first failure, or the first delivery after one.

        A channel that failed too often is tried with whatever waits, however seldom that was to be tried by itself; and
        once one thing is delivered nothing else waits because of what was.
        """
        failed_before, now = self.breaker.failures > 0, self._clock.monotonic()
        if after.state is State.DELIVERED:
            if self.breaker.open_until is not None or self._rests_until is not None:
                self._due_by(now)
            self.breaker, self.last_error, self._rests_until = self.breaker.worked(), None, None
            self.last_delivered_at = self._clock.now()
            return failed_before
        self.last_error = after.last_error
        if after.state is State.DEAD:
            return False
        self.breaker = self.breaker.failed(now)
        if self.breaker.open_until is not None:
            self._due_by(max(self.breaker.open_until, self._rests_until or 0.0))
        return not failed_before

    def _due_by(self, moment: float) -> None:
        """No later than then, but for what is held, and what somebody else is sending."""
        for one in self.letters():
            if one.state is State.PENDING and one.key not in self._held:
                self._due[one.key] = min(self._due[one.key], moment)
