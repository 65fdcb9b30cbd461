"""Renaming: a module that got a new id keeps everything that was stored under its old one.

Where both ids have a row that can only be there once, what the new id has stays; hours of both are added up, as when
the alias was only added after a first start under the new id.
"""

from collections.abc import Mapping

from sqlalchemy import Table, and_, delete, exists, false, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.alias import renamed, renamed_silence, renamed_window, renamed_work
from monitor.core.effect import Repeated
from monitor.store.rows import (
    dumps,
    incident_of,
    incident_row,
    maintenance_of,
    maintenance_row,
    rollup_of,
    rollup_row,
    silence_of,
    silence_row,
    window_of,
    window_row,
)
from monitor.store.runs import rename_sources
from monitor.store.schema import (
    calls,
    conditions,
    incidents,
    maintenances,
    rollups,
    silences,
    tracks,
    transitions,
    versions,
    windows,
)

# What a row is told apart by, besides its module.
_UNIQUE: tuple[tuple[Table, tuple[str, ...]], ...] = (
    (rollups, ("probe", "location", "hour")),
    (tracks, ("probe", "location")),
    (conditions, ("probe",)),
    (transitions, ("since", "after", "at")),
    (versions, ("probe", "since")),
    (calls, ("probe",)),
)


async def is_stored(connection: AsyncConnection, aliases: Mapping[str, str]) -> bool:
    """Whether the time of any module stands under an old id, or work on it does."""
    old = [id for id, new in aliases.items() if id != new]
    moved = select(transitions.c.id).where(transitions.c.module.in_(old)).limit(1)
    mentions = or_(*(maintenances.c.document.contains(dumps(id), autoescape=True) for id in old), false())
    worked = select(maintenances.c.id).where(mentions).limit(1)
    return any([(await connection.execute(query)).first() is not None for query in (moved, worked)])


async def rename(connection: AsyncConnection, aliases: Mapping[str, str]) -> None:
    """See Store.rename."""
    for old, new in aliases.items():
        if old == new:
            continue
        await _add_up(connection, old, new)
        await rename_sources(connection, old, new)
        for table, names in _UNIQUE:
            other = table.alias()
            same = and_(*(other.c[name] == table.c[name] for name in names))
            twin = exists(select(other.c.module).where(other.c.module == new, same))
            await connection.execute(delete(table).where(table.c.module == old, twin))
            await connection.execute(update(table).where(table.c.module == old).values(module=new))
    for old in aliases:
        mentions = incidents.c.document.contains(dumps(old), autoescape=True)
        for row in (await connection.execute(select(incidents).where(mentions))).mappings().all():
            changed = incident_row(renamed(incident_of(row), aliases))
            await connection.execute(update(incidents).where(incidents.c.id == row["id"]).values(changed))
        await _rename_works(connection, old, aliases)


async def _rename_works(connection: AsyncConnection, old: str, aliases: Mapping[str, str]) -> None:
    """Planned work, the windows that repeat, and silences name modules in their documents."""
    for table in (maintenances, windows, silences):
        mentions = table.c.document.contains(dumps(old), autoescape=True)
        for row in (await connection.execute(select(table).where(mentions))).mappings().all():
            if table is maintenances:
                changed = maintenance_row(renamed_work(maintenance_of(row), aliases))
            elif table is silences:
                changed = silence_row(renamed_silence(silence_of(row), aliases))
            else:
                changed = window_row(Repeated(row["id"], renamed_window(window_of(row), aliases)))
            await connection.execute(update(table).where(table.c.id == row["id"]).values(changed))


async def _add_up(connection: AsyncConnection, old: str, new: str) -> None:
    """The hours that both have: all of it under the new id."""
    other = rollups.alias()
    same = and_(*(other.c[name] == rollups.c[name] for name in ("probe", "location", "hour")))
    both = exists(select(other.c.module).where(other.c.module == new, same))
    for row in (await connection.execute(select(rollups).where(rollups.c.module == old, both))).mappings().all():
        theirs = rollup_of(row)
        its_key = and_(
            rollups.c.module == new, *(rollups.c[name] == row[name] for name in ("probe", "location", "hour"))
        )
        mine = rollup_of((await connection.execute(select(rollups).where(its_key))).mappings().one())
        await connection.execute(update(rollups).where(its_key).values(rollup_row(mine.merge(theirs))))
