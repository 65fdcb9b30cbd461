"""MemorySubscribers: who asked to be told, and what there is to tell, in plain dictionaries."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from monitor.core.bulletin import Bulletin
from monitor.core.subscriber import Subscriber
from monitor.store.roll import stored_bulletin, subscriber_of, subscriber_row
from monitor.store.rows import Row, micros


class MemorySubscribers:
    """See Subscribers."""

    def __init__(self) -> None:
        self.rows: dict[str, Row] = {}
        self.told: dict[tuple[str, int], Row] = {}

    def note(self, rows: Iterable[Row]) -> None:
        """Keeps new bulletins under the numbers that follow."""
        for row in rows:
            number = max((one["number"] for one in self.told.values()), default=0) + 1
            self.told.setdefault((row["subject"], row["step"]), {**row, "number": number})

    async def all(self) -> list[Subscriber]:
        """See Subscribers."""
        rows = sorted(self.rows.values(), key=lambda row: (row["created_at"], row["id"]))
        return [subscriber_of(row) for row in rows]

    async def add(self, one: Subscriber) -> None:
        """See Subscribers."""
        self.rows[one.id] = subscriber_row(one)

    async def keep(self, one: Subscriber) -> bool:
        """See Subscribers."""
        if one.id not in self.rows:
            return False
        self.rows[one.id] = subscriber_row(one)
        return True

    async def confirm(self, one: Subscriber) -> bool:
        """See Subscribers."""
        if not await self.keep(one):
            return False
        self.rows = {id: row for id, row in self.rows.items() if id == one.id or row["key"] != one.key}
        return True

    async def erase(self, ids: Sequence[str]) -> None:
        """See Subscribers."""
        for id in ids:
            self.rows.pop(id, None)

    async def bulletins(self, after: int, since: datetime) -> list[Bulletin]:
        """See Subscribers."""
        found = [row for row in self.told.values() if row["number"] > after and row["at"] >= micros(since)]
        return [stored_bulletin(row) for row in sorted(found, key=lambda row: row["number"])]

    async def newest(self) -> int:
        """See Subscribers."""
        return max((row["number"] for row in self.told.values()), default=0)

    async def sweep(self, before: datetime) -> None:
        """See Subscribers."""
        newest = await self.newest()
        kept = {key: row for key, row in self.told.items() if row["at"] >= micros(before) or row["number"] == newest}
        self.told = kept
