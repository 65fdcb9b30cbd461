"""Box: what waits for one channel, and how the channel has fared."""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from monitor.core.outbox import WAITING, Breaker, Letter
from monitor.notify.channel import Channel


@dataclass(slots=True)
class Box:
    """The letters that wait for a channel by incident, in order of `seq`."""

    channel: Channel
    waiting: dict[str, list[Letter]] = field(default_factory=dict)
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    breaker: Breaker = field(default_factory=Breaker)
    last_error: str | None = None
    last_delivered_at: datetime | None = None
    given_up: int = 0
    alarmed_at: datetime | None = None

    def letters(self) -> Iterator[Letter]:
        """Everything that waits."""
        return (one for some in self.waiting.values() for one in some if one.state in WAITING)

    def queues(self) -> list[list[Letter]]:
        """What waits of each incident, the one that has waited longest first."""
        for incident, some in list(self.waiting.items()):
            some[:] = [one for one in some if one.state in WAITING]
            if not some:
                del self.waiting[incident]
        return sorted(self.waiting.values(), key=lambda some: some[0].at)

    def put(self, letter: Letter) -> None:
        """One more letter, in its place; one that is known stays, unless somebody has tried it since."""
        waiting = self.waiting.setdefault(letter.incident, [])
        at = next((n for n, one in enumerate(waiting) if one.seq >= letter.seq), len(waiting))
        if at == len(waiting) or waiting[at].seq != letter.seq:
            waiting.insert(at, letter)
        elif letter.attempts > waiting[at].attempts or waiting[at].state not in WAITING:
            waiting[at] = letter
        self.wake.set()

    def replace(self, letters: Iterable[Letter]) -> None:
        """These letters in place of those with the same numbers."""
        for letter in letters:
            waiting = self.waiting.get(letter.incident, [])
            waiting[:] = [letter if one.key == letter.key else one for one in waiting]
