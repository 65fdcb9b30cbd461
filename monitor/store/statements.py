"""Statements: what a store writes with, built once for its dialect."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from sqlalchemy import Dialect, Table, and_, bindparam, delete, func, select
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store.batch import Batch
from monitor.store.rows import Row
from monitor.store.schema import (
    audit,
    bulletins,
    calls,
    conditions,
    digests,
    gaps,
    happenings,
    incidents,
    maintenances,
    marks,
    outbox,
    rollups,
    runs,
    silences,
    told,
    tracks,
    transitions,
    versions,
    windows,
)


def insert_of(dialect: Dialect) -> Any:
    """What makes an INSERT that may say ON CONFLICT."""
    if dialect.name != "postgresql":
        return sqlite.insert
    from sqlalchemy.dialects import postgresql  # loaded with such a database alone: two megabytes

    return postgresql.insert


class Many:
    """A statement over hundreds of rows at a time, handed to the driver as it takes them: SQLAlchemy would spend more
    time on their parameters than the database on all of it."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self._text, self._values = str(compiled), itemgetter(*compiled.positiontup)

    async def write(self, connection: AsyncConnection, rows: Iterable[Row]) -> None:
        """Executes it for each row, and not at all for none."""
        if values := [*map(self._values, rows)]:
            await connection.exec_driver_sql(self._text, values)


class Statements:
    """The writing statements, built once; both dialects say ON CONFLICT alike."""

    def __init__(self, dialect: Dialect) -> None:
        self.insert = insert_of(dialect)
        self.rollups = Many(self._upsert(rollups), dialect)
        self.runs = Many(self.insert(runs), dialect)
        self.incident = self._upsert(incidents)
        self.transition = self.insert(transitions).on_conflict_do_nothing()
        self._condition = self._upsert(conditions)
        self._track = self._upsert(tracks)
        self._version = self._upsert(versions)
        self._call = self._upsert(calls)
        self._gap = self._upsert(gaps)
        self._mark = self._upsert(marks)
        self._maintenance = self._upsert(maintenances)
        self._window = self._upsert(windows)
        self._entry = self.insert(audit).on_conflict_do_nothing()
        self._silence = self._upsert(silences)
        self._told = self._upsert(told)
        self._digest = self._upsert(digests)
        self._happening = self.insert(happenings).on_conflict_do_nothing()
        self._letter = self.insert(outbox).on_conflict_do_nothing()
        last = select(func.coalesce(func.max(bulletins.c.number), 0) + 1).scalar_subquery()
        self._bulletin = self.insert(bulletins).values(number=last).on_conflict_do_nothing()
        self._forget = self._deletion(tracks)
        self._unheard = self._deletion(calls)
        self._unrepeated = self._deletion(windows)

    def _upsert(self, table: Table) -> Any:
        statement = self.insert(table)
        key = [column.name for column in table.primary_key]
        changed = {column.name: statement.excluded[column.name] for column in table.c if column.name not in key}
        return statement.on_conflict_do_update(index_elements=key, set_=changed)

    @staticmethod
    def _deletion(table: Table) -> Any:
        """Deletes a row by its key; names of parameters must differ from those of columns."""
        return delete(table).where(and_(*(column == bindparam(f"its_{column.name}") for column in table.primary_key)))

    def of(self, batch: Batch) -> list[tuple[Any, list[Row]]]:
        """What writes everything of a batch but its runs."""
        known = [row for row in batch.tracks.values() if row["document"] is not None]
        heard = [row for row in batch.calls.values() if row["at"] is not None]
        return [
            (self._track, known),
            (self._forget, [_keyed(tracks, row) for row in batch.tracks.values() if row["document"] is None]),
            (self._call, heard),
            (self._unheard, [_keyed(calls, row) for row in batch.calls.values() if row["at"] is None]),
            (self._condition, list(batch.conditions.values())),
            (self.transition, batch.transitions),
            (self.incident, list(batch.incidents.values())),
            (self._told, list(batch.told.values())),
            (self._digest, list(batch.digests.values())),
            (self._happening, list(batch.happenings.values())),
            (self._letter, list(batch.letters.values())),
            (self._bulletin, list(batch.bulletins.values())),
            (self._version, list(batch.versions.values())),
            (self._gap, list(batch.gaps.values())),
            (self._maintenance, list(batch.maintenances.values())),
            (self._silence, list(batch.silences.values())),
            (self._window, [row for row in batch.windows.values() if row["document"] is not None]),
            (
                self._unrepeated,
                [_keyed(windows, row) for row in batch.windows.values() if row["document"] is None],
            ),
            (self._mark, list(batch.marks.values())),
            (self._entry, batch.audit),
        ]


def _keyed(table: Table, row: Row) -> Row:
    """The key of a row, as a deletion takes it."""
    return {f"its_{column.name}": row[column.name] for column in table.primary_key}
