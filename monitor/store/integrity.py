"""Integrity: whether what is stored can still be read, asked before somebody needs it."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Select, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.store.postal import digest_of, happening_of, letter_of, told_of
from monitor.store.recount import differences
from monitor.store.roll import stored_bulletin, subscriber_of
from monitor.store.rows import (
    UNREADABLE,
    Stored,
    call_of,
    condition_of,
    entry_of,
    incident_of,
    maintenance_of,
    observation_of,
    rollup_of,
    silence_of,
    track_of,
    transition_of,
    window_of,
)
from monitor.store.runs import STORED, row_of
from monitor.store.schema import (
    audit,
    bulletins,
    calls,
    conditions,
    digests,
    happenings,
    incidents,
    maintenances,
    outbox,
    rollups,
    runs,
    silences,
    subscribers,
    told,
    tracks,
    transitions,
    windows,
)

_SHOWN = 20  # of each kind; the first ones say enough

_READERS: tuple[tuple[Table, Callable[[Stored], Any]], ...] = (
    (conditions, condition_of),
    (tracks, track_of),
    (transitions, transition_of),
    (incidents, incident_of),
    (calls, call_of),
    (maintenances, maintenance_of),
    (windows, window_of),
    (audit, entry_of),
    (silences, silence_of),
    (told, told_of),
    (digests, digest_of),
    (happenings, happening_of),
    (outbox, letter_of),
    (bulletins, stored_bulletin),
    (subscribers, subscriber_of),
    (rollups, rollup_of),
)


async def problems(connection: AsyncConnection) -> list[str]:
    """One sentence for each problem found."""
    found: list[str] = []
    if connection.dialect.name == "sqlite":
        said = [str(one) for (one,) in await connection.exec_driver_sql(f"PRAGMA integrity_check({_SHOWN})")]
        if said != ["ok"]:
            return [f"the file is damaged: {one}" for one in said]  # and reading on would stumble over it
    for table, read in _READERS:
        found += await _unreadable(connection, table, read)
    found += await _unreadable(connection, runs, lambda row: observation_of(row_of(row)), STORED)
    for row in (await connection.execute(select(incidents))).mappings():
        found += _disagreements(row)
    return found or await differences(connection)  # which reads every row


async def _unreadable(
    connection: AsyncConnection, table: Table, read: Callable[[Stored], Any], query: Select[Any] | None = None
) -> list[str]:
    """What is wrong with the rows of a table, or of a query that gives its keys and more."""
    found: list[str] = []
    async with connection.stream(select(table) if query is None else query) as rows:
        async for row in rows.mappings():
            try:
                read(row)
            except UNREADABLE as error:
                key = ", ".join(str(row[column.name]) for column in table.primary_key)
                found.append(f"{table.name}: the row {key} cannot be read ({type(error).__name__}: {error})")
                if len(found) == _SHOWN:
                    break
    return found


def _disagreements(row: Stored) -> list[str]:
    try:
        incident = incident_of(row)
    except UNREADABLE:
        return []  # told already
    facts = {"id": incident.id, "key": incident.key, "stage": incident.stage.value}
    wrong = [name for name, value in facts.items() if row[name] != value]
    if incident.is_open != (row["resolved_at"] is None):
        wrong.append("resolved_at")
    return [f"incidents: {name} of {row['id']} is not that of its document" for name in wrong]
