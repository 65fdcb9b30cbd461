"""SqlSubscribers: who asked to be told, and what there is to tell, over SQLite or PostgreSQL.

Bulletins come in with the facts they are about, by `Store.commit`.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.bulletin import Bulletin
from monitor.core.subscriber import Subscriber
from monitor.store.roll import stored_bulletin, subscriber_of, subscriber_row
from monitor.store.rows import micros
from monitor.store.schema import bulletins, subscribers

Connected = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


class SqlSubscribers:
    """See Subscribers."""

    def __init__(self, reading: Connected, writing: Connected) -> None:
        self._reading = reading
        self._writing = writing

    async def all(self) -> list[Subscriber]:
        """See Subscribers."""
        query = select(subscribers).order_by(subscribers.c.created_at, subscribers.c.id)
        async with self._reading() as connection:
            return [subscriber_of(row) for row in (await connection.execute(query)).mappings()]

    async def add(self, one: Subscriber) -> None:
        """See Subscribers."""
        async with self._writing() as connection:
            await connection.execute(insert(subscribers), [subscriber_row(one)])

    async def keep(self, one: Subscriber) -> bool:
        """See Subscribers."""
        same = subscribers.c.id == one.id
        async with self._writing() as connection:
            changed = await connection.execute(update(subscribers).where(same).values(subscriber_row(one)))
            return changed.rowcount == 1

    async def confirm(self, one: Subscriber) -> bool:
        """See Subscribers."""
        row, s = subscriber_row(one), subscribers.c
        async with self._writing() as connection:
            changed = await connection.execute(update(subscribers).where(s.id == one.id).values(row))
            if changed.rowcount != 1:
                return False
            await connection.execute(delete(subscribers).where(s.key == row["key"], s.id != one.id))
            return True

    async def erase(self, ids: Sequence[str]) -> None:
        """See Subscribers."""
        if ids:
            async with self._writing() as connection:
                await connection.execute(delete(subscribers).where(subscribers.c.id.in_(ids)))

    async def bulletins(self, after: int, since: datetime) -> list[Bulletin]:
        """See Subscribers."""
        b = bulletins.c
        query = select(bulletins).where(b.number > after, b.at >= micros(since)).order_by(b.number)
        async with self._reading() as connection:
            return [stored_bulletin(row) for row in (await connection.execute(query)).mappings()]

    async def newest(self) -> int:
        """See Subscribers."""
        async with self._reading() as connection:
            return (await connection.execute(select(func.max(bulletins.c.number)))).scalar() or 0

    async def sweep(self, before: datetime) -> None:
        """See Subscribers."""
        b = bulletins.c
        newest = select(func.max(b.number)).scalar_subquery()
        async with self._writing() as connection:
            await connection.execute(delete(bulletins).where(b.at < micros(before), b.number < newest))
