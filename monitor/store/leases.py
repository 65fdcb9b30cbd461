"""SqlLeases: which of several monitors on one PostgreSQL leads, and that nobody else writes.

A lease ends by the clock of the database, the one clock that all of them share. Each time another takes it, its `fence`
grows; whoever writes looks at the fence within the same transaction, under a lock that only a change of the fence waits
for. So nothing is stored for somebody who does not lead any more, and whoever leads next sees all that was stored.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from monitor.store.contract import Lease, StoreFailed, Superseded
from monitor.store.failure import surroundings
from monitor.store.whole import in_time

PATIENCE = 3.0  # seconds that a look or a renewal may take: less than a lease lasts
_LEADER = "leader"
_NOBODY = 0  # the fence of whoever does not lead
_STANDBY = "standby "  # with the name of who stands by behind it
_FORGOTTEN = 86_400_000_000  # microseconds after which one who stood by is no longer remembered

_NOW = "(extract(epoch from clock_timestamp()) * 1000000)::bigint"
# A lease of more than twice its length was given before the clock of the database was set back.
_FREE = f"(l.until < {_NOW} OR l.until > {_NOW} + 2 * :length OR (:again AND l.holder = :holder))"
_ROW = f"SELECT holder, fence, until - {_NOW} AS rest, {_FREE} AS free FROM leases l WHERE name = '{_LEADER}'"
_TAKE = f"""
    INSERT INTO leases AS l (name, holder, fence, until) VALUES ('{_LEADER}', :holder, 1, {_NOW} + :length)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, fence = l.fence + 1, until = excluded.until
    WHERE {_FREE} RETURNING fence"""
_STAND_BY = f"""
    INSERT INTO leases (name, holder, fence, until) VALUES (:name, :holder, 0, {_NOW} + :length)
    ON CONFLICT (name) DO UPDATE SET until = excluded.until"""
_RENEW = f"UPDATE leases SET until = {_NOW} + :length WHERE name = '{_LEADER}' AND fence = :fence"
_OTHERS = f"SELECT count(*) FROM leases WHERE name <> '{_LEADER}' AND until > {_NOW}"
_GIVE_UP = f"UPDATE leases SET until = 0 WHERE name = '{_LEADER}' AND fence = :fence"
_LEAVE = f"DELETE FROM leases WHERE name = :name OR (name <> '{_LEADER}' AND until < {_NOW} - {_FORGOTTEN})"
_IS_MINE = f"SELECT 1 FROM leases WHERE name = '{_LEADER}' AND fence = :fence FOR KEY SHARE"
# Whoever has looked at the fence and has not ended its transaction: frozen, or cut off from the database.
_CUT_OFF = """
    SELECT pg_terminate_backend(l.pid) FROM pg_locks l
    WHERE l.locktype = 'relation' AND l.relation = 'leases'::regclass AND l.mode = 'RowShareLock' AND l.granted
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND l.pid <> pg_backend_pid()"""

T = TypeVar("T")


class SqlLeases:
    """See Leases. The engine is of its own: a store whose connections all hang costs nobody the lead."""

    def __init__(self, where: str, engine: AsyncEngine) -> None:
        self.fence: int | None = None
        self.lost = asyncio.Event()
        self.taken: Callable[[], None] = lambda: None  # who led before us wrote what we do not know of
        self._where = where
        self._engine = engine

    async def look(self, holder: str, seconds: float) -> Lease | None:
        """See Leases."""
        return await self._in_time(self._look(holder, seconds))

    async def _look(self, holder: str, seconds: float) -> Lease | None:
        asked = {"holder": holder, "length": _micros(seconds), "again": False}
        async with self._engine.begin() as connection:
            told = {"name": _STANDBY + holder, "holder": holder, "length": _micros(seconds)}
            await connection.execute(text(_STAND_BY), told)
            row = (await connection.execute(text(_ROW), asked)).mappings().one_or_none()
        self.fence = self.fence or _NOBODY
        return None if row is None else Lease(row["holder"], row["fence"], row["rest"] / 1e6)

    async def take(self, holder: str, seconds: float, *, again: bool = False) -> bool:
        """See Leases."""
        return await self._in_time(self._take(holder, seconds, again))

    async def _take(self, holder: str, seconds: float, again: bool) -> bool:
        """1. look, which locks nothing; 2. take it; 3. whoever keeps us from it is cut off, and taken once more."""
        asked = {"holder": holder, "length": _micros(seconds), "again": again}
        async with self._engine.connect() as connection:
            row = (await connection.execute(text(_ROW), asked)).mappings().one_or_none()
        if row is not None and not row["free"]:
            return False
        try:
            fence = await self._taken(asked)
        except StoreFailed:
            async with self._engine.begin() as connection:
                await connection.execute(text(_CUT_OFF))
            fence = await self._taken(asked)
        if fence is not None:
            self.fence = fence
            self.taken()
            self.lost.clear()
        return fence is not None

    async def _taken(self, asked: dict[str, Any]) -> int | None:
        with surroundings(self._where), suppress(IntegrityError):  # of two that make the row, one is told so
            async with self._engine.begin() as connection:
                await connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
                fence = (await connection.execute(text(_TAKE), asked)).scalar()
                if fence is not None:
                    await connection.execute(text(_LEAVE), {"name": f"{_STANDBY}{asked['holder']}"})
            return None if fence is None else int(fence)
        return None

    async def renew(self, seconds: float) -> int:
        """See Leases."""
        return await self._in_time(self._renew(seconds))

    async def _renew(self, seconds: float) -> int:
        asked = {"length": _micros(seconds), "fence": self.fence}
        async with self._engine.begin() as connection:
            if (await connection.execute(text(_RENEW), asked)).rowcount != 1:
                raise self._superseded()
            return int((await connection.execute(text(_OTHERS))).scalar_one())

    async def leave(self, holder: str) -> None:
        """See Leases."""
        await self._in_time(self._leave(holder))

    async def _leave(self, holder: str) -> None:
        async with self._engine.begin() as connection:
            if self.fence is not None:
                await connection.execute(text(_GIVE_UP), {"fence": self.fence})
            await connection.execute(text(_LEAVE), {"name": _STANDBY + holder})
        self.fence = _NOBODY

    async def check(self, connection: AsyncConnection) -> None:
        """Returns where we lead until this transaction ends, and where this process never asked who does: commands that
        make or fill a database. Raises Superseded when we do not."""
        if self.fence is None:
            return
        if (await connection.execute(text(_IS_MINE), {"fence": self.fence})).first() is None:
            raise self._superseded()

    def _superseded(self) -> Superseded:
        self.lost.set()
        return Superseded(self._where)

    async def close(self) -> None:
        """Lets go of the connection."""
        await self._engine.dispose()

    async def _in_time(self, doing: Coroutine[Any, Any, T]) -> T:
        with surroundings(self._where):
            return await in_time(doing, self._where, PATIENCE)


def _micros(seconds: float) -> int:
    return round(seconds * 1_000_000)
