"""Dump: every table as JSON lines, the same whichever database it came from, so it moves between them.

The first line names the format and the schema, the last one counts the rows: a dump that was cut off shows.
"""

import json
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Table, func, insert, select

from monitor.store.rows import Row, dumps
from monitor.store.runs import RUN, STORED, row_of
from monitor.store.schema import (
    HEAD,
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
    posted,
    rollups,
    runs,
    silences,
    subscribers,
    told,
    tracks,
    transitions,
    versions,
    windows,
)
from monitor.store.sql import SqlStore

FORMAT = 1
TABLES = {
    table.name: table
    for table in (
        conditions,
        tracks,
        transitions,
        incidents,
        versions,
        calls,
        gaps,
        maintenances,
        windows,
        marks,
        audit,
        silences,
        told,
        digests,
        happenings,
        outbox,
        posted,
        bulletins,
        subscribers,
        rollups,
    )
}
RUNS = "observations"  # the one table that is written otherwise than it is stored: as what was packed
_JSON = ("document", "buckets", "phases", "withheld")  # columns of JSON text, written as JSON
_AT_ONCE = 1000


class DumpError(Exception):
    """The dump cannot be read; nothing of it was stored."""


async def count(store: SqlStore) -> int:
    """How many rows there are, for whoever shows progress."""
    async with store.reading() as connection:
        return sum(
            [
                (await connection.execute(select(func.count()).select_from(table))).scalar_one()
                for table in (*TABLES.values(), runs)
            ]
        )


async def dump(store: SqlStore) -> AsyncGenerator[str, None]:
    """The lines of the dump, all of one moment."""
    yield dumps({"monitor_dump": FORMAT, "schema": HEAD}) + "\n"
    total = 0
    async with store.reading() as connection:
        for table in TABLES.values():
            names = _columns(table)
            ordered = select(*(table.c[name] for name in names)).order_by(*table.primary_key)
            async with connection.stream(ordered) as rows:
                async for row in rows.mappings():
                    total += 1
                    yield dumps({"table": table.name, "row": _portable(row)}) + "\n"
        async with connection.stream(STORED.order_by(*runs.primary_key)) as rows:
            async for row in rows.mappings():
                total += 1
                yield dumps({"table": RUNS, "row": row_of(row)}) + "\n"
    yield dumps({"rows": total}) + "\n"


async def load(store: SqlStore, lines: Iterable[str], told: Callable[[int], None] = lambda rows: None) -> int:
    """Stores a dump in an empty store, all of it or nothing; says how many rows. `told` hears of each portion.

    Raises DumpError for a dump that is not whole, and for a store that holds something already.
    """
    if await count(store):
        raise DumpError("the store holds data already: import into a new one")
    total = 0
    async with store.writing() as connection:
        for name, rows in groupby(_rows(lines), key=lambda pair: pair[0]):
            while some := [row for _, row in islice(rows, _AT_ONCE)]:
                if name == RUNS:
                    await store.store_runs(connection, some)
                else:
                    await connection.execute(insert(TABLES[name]), some)
                total += len(some)
                told(len(some))
    return total


def _rows(lines: Iterable[str]) -> Iterator[tuple[str, Row]]:
    """Table and row of each line, after checking that the dump is ours and whole."""
    seen, ended = 0, False
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            if number == 1:
                _check_header(entry)
            elif "rows" in entry:
                ended = entry["rows"] == seen
            else:
                seen += 1
                yield entry["table"], _stored(entry["table"], entry["row"])
        except (KeyError, TypeError, ValueError) as error:
            raise DumpError(f"line {number} is not one of a dump ({type(error).__name__}: {error})") from error
    if not ended:
        raise DumpError("the dump is not whole: its last line, which counts the rows, is missing or says otherwise")


def _check_header(entry: Any) -> None:
    if not isinstance(entry, dict) or entry.get("monitor_dump") != FORMAT:
        raise DumpError("this is no dump of the monitor: its first line says nothing of the kind")
    if entry.get("schema") != HEAD:
        raise DumpError(
            f"the dump has schema {entry.get('schema')}, this version reads {HEAD}: "
            "import it with the version that wrote it, then upgrade"
        )


def _columns(table: Table) -> list[str]:
    """Running numbers are not part of a dump: the order of the lines is."""
    return [column.name for column in table.c if not (column.name == "id" and column.autoincrement is True)]


def _portable(row: Any) -> Row:
    return {name: json.loads(value) if name in _JSON and value is not None else value for name, value in row.items()}


def _stored(name: str, row: Row) -> Row:
    names = RUN if name == RUNS else _columns(TABLES[name])
    return {name: dumps(row[name]) if name in _JSON and row[name] is not None else row[name] for name in names}
