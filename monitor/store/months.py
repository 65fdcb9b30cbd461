"""Months: on PostgreSQL the runs of each month are a table of their own, a partition of `runs`. What is too old goes
with its table, and gives its room back, which deleted rows do not.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store.rows import instant, micros

_PREFIX = "runs_"
_PARTITIONS = "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'runs'::regclass"
# Whoever reads is not kept waiting behind somebody else who reads for long: the next sweep tries again.
_PATIENCE = "SET LOCAL lock_timeout = '500ms'"


class Months:
    """Makes the tables of months in which runs are stored, each when it is first needed."""

    def __init__(self) -> None:
        self._known: set[datetime] = set()

    def forget(self) -> None:
        """Nothing is sure any more."""
        self._known.clear()

    async def make(self, connection: AsyncConnection, moments: Iterable[int]) -> None:
        """There is a table for each of these moments, in microseconds."""
        for month in sorted({month_of(at) for at in moments} - self._known):
            await connection.execute(text(made(month)))
            self._known.add(month)

    async def drop(self, connection: AsyncConnection, before: int) -> int:
        """Months that were over before a moment are gone; says how many rows went with them."""
        gone = 0
        for name in (await connection.execute(text(_PARTITIONS))).scalars().all():
            month = _named(name)
            if month is None or micros(_after(month)) > before:
                continue
            await connection.execute(text(_PATIENCE))
            gone += int((await connection.execute(text(f"SELECT count(*) FROM {name}"))).scalar_one())
            await connection.execute(text(f"DROP TABLE {name}"))
            self.forget()
        return gone


def month_of(at: int) -> datetime:
    """When the month of a moment begins."""
    return instant(at).astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def made(month: datetime) -> str:
    """The statement that makes the table of a month."""
    since, until = micros(month), micros(_after(month))
    name = f"{_PREFIX}{month:%Y_%m}"
    return f"CREATE TABLE IF NOT EXISTS {name} PARTITION OF runs FOR VALUES FROM ({since}) TO ({until})"


def months(since: int, until: int) -> Iterator[datetime]:
    """Every month from that of one moment to that of another."""
    month = month_of(since)
    while micros(month) <= until:
        yield month
        month = _after(month)


def _after(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _named(name: str) -> datetime | None:
    """The month of a table; None for one that is not of ours."""
    found = re.fullmatch(rf"(?:.*\.)?{_PREFIX}(\d{{4}})_(0[1-9]|1[0-2])", name)
    return None if found is None else datetime(int(found[1]), int(found[2]), 1, tzinfo=UTC)
