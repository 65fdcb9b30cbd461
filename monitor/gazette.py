"""Gazette: what is new for the public and may still have to be told, and what it is about as it is stored."""

from collections.abc import Callable, Mapping
from datetime import datetime

from monitor.core.bulletin import RELEVANT, Bulletin, Subject
from monitor.core.maintenance import Maintenance
from monitor.store import Store


class Gazette:
    """`works` is the planned work that is known."""

    def __init__(self, store: Store, works: Callable[[], Mapping[str, Maintenance]]) -> None:
        self.newest = 0  # the number of the newest bulletin that was read
        self._store = store
        self._works = works
        self._waiting: list[Bulletin] = []
        self._subjects: dict[str, Subject] = {}

    async def read(self, now: datetime) -> bool:
        """Reads what was stored since the last look; whether that is anything. Raises StoreFailed.

        What a bulletin is about is read after it, so that it never knows less.
        """
        fresh = await self._store.subscribers.bulletins(self.newest, now - RELEVANT)
        if not fresh:
            return False
        for id, kind in {one.subject: one.kind for one in fresh}.items():
            if (found := await self._subject(id, kind)) is not None:
                self._subjects[id] = found
        self.newest = fresh[-1].number
        self._waiting = [one for one in self._waiting if now - one.at <= RELEVANT] + fresh
        left = {one.subject for one in self._waiting}
        self._subjects = {id: one for id, one in self._subjects.items() if id in left}
        return True

    async def _subject(self, id: str, kind: str) -> Subject | None:
        if kind == "maintenance":
            return self._works().get(id)
        incident = await self._store.incident(id)
        return incident if incident is not None and incident.published_at is not None else None

    def after(self, number: int) -> list[Bulletin]:
        """Those with a greater number, in order."""
        return [one for one in self._waiting if one.number > number]

    def about(self, bulletin: Bulletin) -> Subject | None:
        """What a bulletin is about; None where that is gone."""
        return self._subjects.get(bulletin.subject)

    def subject(self, id: str) -> Subject:
        """What an edition is about."""
        return self._subjects[id]
