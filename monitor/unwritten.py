"""Unwritten: what the store has not taken of the outbox yet: events that letters are about, and what became of letters.

While it refuses, letters leave all the same; what is kept here is written down once it takes writes again.
"""

import logging
from collections.abc import Sequence

from monitor.core.effect import Happened
from monitor.core.incident import Incident
from monitor.core.outbox import Letter
from monitor.notify.text import OWN
from monitor.store import TROUBLES, Outbox

log = logging.getLogger(__name__)

Event = tuple[str, int]  # id of its incident, and its number there
Key = tuple[str, int, str]  # of a letter: its event, and its channel


def event_of(letter: Letter) -> Event:
    """What a letter is about."""
    return letter.incident, letter.seq


class Unwritten:
    """`trouble` says why the store refuses, None while it takes what it is given."""

    def __init__(self, outbox: Outbox) -> None:
        self.trouble: str | None = None
        self._outbox = outbox
        self._events: dict[Event, Incident] = {}
        self._outcomes: dict[Key, tuple[Letter, Sequence[Letter]]] = {}
        self._refused: set[Event] = set()  # those of the events that the trouble is about
        self._takes = True  # whether the store has taken an event since it last refused

    def happened(self, happened: Happened, stored: bool) -> None:
        """An event that is told, on disk already or not."""
        event = (happened.incident.id, happened.seq)
        if stored:
            self._events.pop(event, None)
            self._refused.discard(event)
            self._takes = True
        else:
            self._events[event] = happened.incident
            if self.trouble is not None and not self._takes:
                self._refused.add(event)

    def lacks(self, letter: Letter) -> bool:
        """Whether the store does not know yet what a letter is about."""
        return event_of(letter) in self._events

    def about(self, letter: Letter) -> Incident | None:
        """The incident of an event that is not stored yet."""
        return self._events.get(event_of(letter))

    def keeps(self, letter: Letter) -> bool:
        """Whether more is known of a letter here than in the store."""
        return letter.key in self._outcomes

    def keep(self, letter: Letter, folded: Sequence[Letter] = ()) -> None:
        """What became of a letter, and of those that were told with it, until the store takes it."""
        self._outcomes[letter.key] = (letter, folded)

    def forget(self, letter: Letter) -> None:
        """What was kept of a letter is overtaken."""
        self._outcomes.pop(letter.key, None)

    async def settle(self, after: Letter, folded: Sequence[Letter], token: str | None) -> None:
        """Writes down what became of a letter; keeps it when the store refuses."""
        try:
            await self._outbox.settle(after, folded, token)
        except TROUBLES as error:
            self.keep(after, folded)
            self.refused(error)

    async def catch_up(self) -> None:
        """Writes down what is kept. Raises StoreFailed."""
        for key, kept in list(self._outcomes.items()):
            letter, folded = kept
            if not self.lacks(letter):
                if letter.incident.startswith(OWN):
                    await self._outbox.post([letter])
                await self._outbox.settle(letter, folded, None)
                if self._outcomes.get(key) is kept:  # nothing newer became of it meanwhile
                    del self._outcomes[key]
        # While much happens there is always an event on its way to the disk: that is no trouble.
        if self.trouble is not None and not self._outcomes and not self._refused:
            log.info("the outbox is written down again")
            self.trouble = None

    def refused(self, error: Exception | str) -> None:
        """The store does not take what happens: letters about it leave all the same."""
        if self.trouble is None:
            log.error("the store refuses the outbox, notices leave from memory: %s", error)
        self.trouble, self._takes = str(error), False
        self._refused |= self._events.keys()
