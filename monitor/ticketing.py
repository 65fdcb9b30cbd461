"""Ticketing: reads from time to time what people of the support answered in the tickets of incidents, so that clocks of
plans count it as first answer and as next word.

Each answer is said of its incident under a name of its own, so it counts once, whoever reads it and however often.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any, Protocol

from monitor.clock import Clock
from monitor.core.effect import Answered, Said, Spoken
from monitor.core.outbox import Letter
from monitor.core.search import Search
from monitor.core.word import Reply as Replied
from monitor.notify.channel import DeliveryFailed
from monitor.notify.replies import Reply
from monitor.store import TROUBLES, Store

log = logging.getLogger(__name__)

LOOK_EVERY = 300.0  # seconds
RECENT = timedelta(days=14)  # since an incident began, in which its tickets are read
MOST = 50  # incidents that are looked at, the newest
FAILURES = (DeliveryFailed, TimeoutError)


class Reading(Protocol):
    """A channel that keeps tickets."""

    async def replies(self, external: str) -> list[Reply]:
        """What was answered in these, as they were given. Raises DeliveryFailed."""
        ...


class Ticketing:
    """`readers` gives the channels that keep tickets, by name; `hear` takes what was said."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        readers: Callable[[], Mapping[str, Reading]],
        hear: Callable[[Said], Awaitable[Answered]],
    ) -> None:
        self._store = store
        self._clock = clock
        self._readers = readers
        self._hear = hear
        self._failed: dict[str, str] = {}  # channels that could not be read the last time, and why
        self._known: set[str] = set()  # answers that were said already

    async def run(self) -> None:
        """Looks until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                await self.look()
            except TROUBLES as error:
                log.warning("answers in tickets wait, the store does not answer: %s", error)
            except Exception:  # whatever it is, notices have no part in it
                log.exception("answers in tickets could not be read, and are again")

    async def look(self) -> int:
        """Reads all tickets of late, and gives how many answers were new. Raises StoreFailed or StoreUnusable."""
        readers = self._readers()
        if not readers:
            return 0
        since = self._clock.now() - RECENT
        incidents = await self._store.incidents(Search(since=since, limit=MOST))
        courses = await self._store.outbox.courses([one.id for one in incidents])
        fresh, seen = 0, set[str]()
        for incident in incidents:
            course = courses.get(incident.id)
            for channel, external in tickets_of(course.letters if course else (), readers).items():
                try:
                    replies = await readers[channel].replies(external)
                except FAILURES as error:
                    if self._failed.get(channel) != str(error):
                        log.warning("tickets of channel %s cannot be read: %s", channel, error)
                    self._failed[channel] = str(error)
                    continue
                self._failed.pop(channel, None)
                for one in replies:
                    seen.add(one.request)
                    if one.request in self._known:
                        continue
                    word = Replied(incident.id, one.store, one.ticket, one.at)
                    answer = await self._hear(Said(Spoken(word, channel, one.request, incident), "schedule", channel))
                    if answer.refusal is not None and answer.refusal.kind == "away":
                        seen.discard(one.request)
                    fresh += answer.refusal is None and answer.changed
        self._known = seen
        return fresh


def tickets_of(letters: Iterable[Letter], readers: Iterable[str]) -> dict[str, str]:
    """The tickets that each of these channels has of an incident, as it gave them last."""
    return {one.channel: one.external for one in letters if one.external and one.channel in set(readers)}


def tickets_in(events: Iterable[Mapping[str, Any]], readers: Iterable[str]) -> dict[str, str]:
    """The same of the JSON of an incident."""
    every = (notice for event in events for notice in event["notices"])
    return {one["channel"]: one["external"] for one in every if one["external"] and one["channel"] in set(readers)}
