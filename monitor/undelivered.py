"""Undelivered: letters that do not arrive. Those whose channel has left the configuration wait for it to come back, and
not for ever; what cannot be read is given up at once. Whatever is given up is told on another channel.
"""

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from secrets import token_hex

from monitor.chronicle import of_letter
from monitor.clock import Clock
from monitor.core.outbox import GONE, Letter, buried, claimed, dead, left_over
from monitor.notify.box import Box
from monitor.notify.text import OWN
from monitor.store import Outbox

log = logging.getLogger(__name__)

ALARM_EVERY = 3600.0  # seconds, per channel that does not deliver
PASSED_ON = 100  # alarms of which it is known who failed to take them


class Undelivered:
    """`boxes` are those of the channels there are, `post` puts a letter of the monitor's own into the outbox, `counted`
    is told each outcome. `gone` are the boxes of channels there are no more, as long as anything waits in them."""

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        boxes: Callable[[], Mapping[str, Box]],
        post: Callable[[Letter], Awaitable[None]],
        counted: Callable[[str, str], None],
    ) -> None:
        self.gone: dict[str, Box] = {}
        self._outbox = outbox
        self._clock = clock
        self._boxes = boxes
        self._post = post
        self._counted = counted
        self._buried: set[tuple[str, int, str]] = set()  # what was given up because it cannot be read
        self._failed: dict[str, list[str]] = {}  # channels that an alarm, by its event_id, was given to in vain

    def keep(self, before: Mapping[str, Box], channels: Collection[str]) -> None:
        """Of these boxes, what waits for none of these channels waits here."""
        left = {name: box for name, box in before.items() if name not in channels and any(box.letters())}
        self.gone = {name: box if box.channel is None else Box(None, self._clock, box) for name, box in left.items()}

    def put(self, letter: Letter) -> None:
        """A letter to a channel that there is not."""
        if letter.channel not in self.gone:
            self.gone[letter.channel] = Box(None, self._clock)
        self.gone[letter.channel].put(letter)

    async def look(self) -> None:
        """Writes down of each letter here that it waits, and until when; gives up those that have waited long enough.
        Raises StoreFailed."""
        for name, box in list(self.gone.items()):
            lost = [one for letter in list(box.letters()) if (one := await self._waited(box, letter)) is not None]
            for _ in lost:
                self._counted(name, "dead")
            if lost:
                await self.alarm(name, box, lost)
            if not any(box.letters()) and self.gone.get(name) is box:
                del self.gone[name]

    async def _waited(self, box: Box, letter: Letter) -> Letter | None:
        """The letter, when it has waited long enough. It is claimed first: another monitor may know its channel."""
        known = letter.last_error == GONE
        if box.is_sent_elsewhere(letter) or (known and not box.is_due(letter)):
            return None
        now, token = self._clock.now(), token_hex(8)
        if await self._outbox.claim(claimed(letter, now), token, now, box.before(letter)) is None:
            box.forget(letter)
            return None
        after = dead(letter, now, GONE) if known else left_over(letter, now)
        await self._outbox.settle(after, (), token)
        box.replace((after,))
        return after if known else None

    async def bury(self, letter: Letter) -> None:
        """Gives up what is left of a letter that cannot be read; once, also where the store does not find its row by
        that. Raises StoreFailed."""
        if letter.key in self._buried:
            return
        after = buried(letter, self._clock.now())
        await self._outbox.settle(after, (), None)
        self._buried.add(letter.key)
        name = letter.channel
        box = self._boxes().get(name) or self.gone.get(name) or Box(None, self._clock)
        box.replace((after,))
        self._counted(name, "dead")
        await self.alarm(name, box, [after])

    async def alarm(self, name: str, box: Box, lost: Sequence[Letter]) -> None:
        """Says on another channel that this one does not deliver; not more often than once an hour."""
        box.given_up += len(lost)
        for letter in lost:
            log.error(
                "channel %s: notice %s is given up: %s",
                name,
                letter.event_id,
                letter.last_error,
                extra=of_letter(letter),
            )
            if letter.incident.startswith(OWN) and letter.event != "test":
                await self._pass_on(letter)
        now, tick = self._clock.now(), self._clock.monotonic()
        if all(letter.incident.startswith(OWN) for letter in lost):
            return
        if box.alarmed_at is not None and tick - box.alarmed_at < ALARM_EVERY:
            return
        other = self.other((name,))
        if other is not None:
            box.alarmed_at = tick
            why = f"undelivered {box.given_up} {lost[-1].last_error}"
            await self._post(Letter(f"{OWN}{name}", int(now.timestamp()), other, "summary", why, now, page=True))

    async def _pass_on(self, alarm: Letter) -> None:
        """An alarm that does not arrive either goes to whoever has not failed to take it yet."""
        failed = self._failed.setdefault(alarm.event_id, [])
        failed.append(alarm.channel)
        while len(self._failed) > PASSED_ON:
            del self._failed[next(iter(self._failed))]
        other = self.other((alarm.incident.removeprefix(OWN), *failed))
        if other is not None:
            await self._post(Letter(alarm.incident, alarm.seq, other, alarm.event, alarm.why, alarm.at, page=True))

    def other(self, failing: Collection[str] = ()) -> str | None:
        """A channel that is none of these, rather one that delivers: of several the one that failed least of late."""
        others = {name: box for name, box in self._boxes().items() if name not in failing}
        return min(
            others, key=lambda name: (others[name].state() != "closed", others[name].breaker.failures), default=None
        )
