"""Queries: what is read, over a connection whose transaction sees one moment of the data."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.board import Version
from monitor.core.codes import HARMLESS
from monitor.core.expectation import Outcome, Result
from monitor.core.history import Memory
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.observation import Observation
from monitor.core.series import Grid
from monitor.core.silence import Silence
from monitor.core.told import Told
from monitor.store.batch import Key, Run
from monitor.store.bins import Counted, count_hours, count_runs
from monitor.store.postal import digest_of, told_of
from monitor.store.rollup import Rollup
from monitor.store.rows import (
    NOBODY,
    Stored,
    call_of,
    condition_of,
    gap_of,
    incident_of,
    instant,
    maintenance_of,
    micros,
    observation_of,
    rollup_of,
    silence_of,
    track_of,
    version_of,
    window_of,
)
from monitor.store.schema import (
    calls,
    conditions,
    digests,
    gaps,
    incidents,
    maintenances,
    observations,
    rollups,
    silences,
    told,
    tracks,
    versions,
    windows,
)
from monitor.store.tally import HourKey

T = TypeVar("T")

_AT_ONCE = 200  # keys in one look-up
_COUNTED_AT_ONCE = 1000  # rows
_NEWEST = 50  # runs among which the one that ended last is surely found


async def rows_of(connection: AsyncConnection, query: Select[*tuple[Any, ...]]) -> Sequence[RowMapping]:
    """Every row of a query by the names of its columns."""
    return (await connection.execute(query)).mappings().all()


async def recall(connection: AsyncConnection, resolved_since: datetime) -> Memory:
    """See Store.recall."""
    settled = await rows_of(connection, select(conditions))
    unfinished = select(told.c.incident).where(told.c.due_at.is_not(None))
    kept = or_(
        incidents.c.resolved_at.is_(None),
        incidents.c.resolved_at >= micros(resolved_since),
        incidents.c.id.in_(unfinished),
    )
    remembered = sorted(await rows_of(connection, select(incidents).where(kept)), key=_by_start)
    blind = select(gaps).where(gaps.c.until.is_(None)).order_by(gaps.c.since, gaps.c.location)
    return Memory(
        probes={(row["module"], row["probe"]): condition_of(row) for row in settled if row["probe"] != NOBODY},
        modules={row["module"]: condition_of(row) for row in settled if row["probe"] == NOBODY},
        tracks={
            (row["module"], row["probe"], row["location"]): track_of(row)
            for row in await rows_of(connection, select(tracks))
        },
        incidents=tuple(incident_of(row) for row in remembered),
        gaps=tuple(gap_of(row) for row in await rows_of(connection, blind)),
        versions=await _versions(connection),
        calls={(row["module"], row["probe"]): call_of(row) for row in await rows_of(connection, select(calls))},
        maintenances=await maintenances_since(connection, resolved_since),
        windows=tuple(window_of(row) for row in await rows_of(connection, select(windows).order_by(windows.c.id))),
        silences=await silences_since(connection, resolved_since),
        told=await _told(connection, [row["id"] for row in remembered]),
        digests={row["channel"]: digest_of(row) for row in await rows_of(connection, select(digests))},
        seen_at=await _seen_at(connection),
    )


async def _told(connection: AsyncConnection, incidents: Sequence[str]) -> dict[str, Told]:
    """Who was told what of these incidents."""
    found: dict[str, Told] = {}
    for some in _slices(incidents):
        query = select(told).where(told.c.incident.in_(some))
        found |= {row["incident"]: told_of(row) for row in await rows_of(connection, query)}
    return found


async def maintenances_since(connection: AsyncConnection, since: datetime) -> tuple[Maintenance, ...]:
    """Planned work that was not over at a moment, the first planned first."""
    m = maintenances.c
    left = or_(m.over_at.is_(None), m.over_at >= micros(since))
    query = select(maintenances).where(left).order_by(m.planned_from, m.id)
    return tuple(maintenance_of(row) for row in await rows_of(connection, query))


async def silences_since(connection: AsyncConnection, since: datetime) -> tuple[Silence, ...]:
    """Silences that were not over at a moment, the first to begin first."""
    s = silences.c
    left = or_(s.ended_at.is_(None), s.ended_at >= micros(since))
    query = select(silences).where(left).order_by(s.begins, s.id)
    return tuple(silence_of(row) for row in await rows_of(connection, query))


async def _versions(connection: AsyncConnection) -> dict[tuple[str, str], Version]:
    """The newest version of each probe."""
    found = await rows_of(connection, select(versions).order_by(versions.c.since))
    return {(row["module"], row["probe"]): version_of(row) for row in found}


async def _seen_at(connection: AsyncConnection) -> datetime | None:
    """When the last run that said something of its module ended; of the newest few the one that ended last."""
    o = observations.c
    failed = and_(o.outcome == Outcome.FAILED.value, o.blame.not_in([blame.value for blame in HARMLESS]))
    usable = or_(o.outcome.in_([Outcome.PASSED.value, Outcome.SLOW.value]), failed)
    newest = select(func.max(o.at)).scalar_subquery()
    recent = o.at >= newest - timedelta(days=1) // timedelta(microseconds=1)
    query = select(o.at, o.duration).where(recent, o.module != NOBODY, o.discarded.is_(False), usable)
    last = await rows_of(connection, query.order_by(o.at.desc()).limit(_NEWEST))
    ends = [instant(row["at"]) + timedelta(seconds=row["duration"]) for row in last]
    return max(ends, default=None)


def _by_start(row: Stored) -> tuple[int, str]:
    return row["started_at"], row["id"]


async def incident(connection: AsyncConnection, id: str) -> Incident | None:
    """See Store.incident."""
    rows = await rows_of(connection, select(incidents).where(incidents.c.id == id))
    return incident_of(rows[0]) if rows else None


async def judged(
    connection: AsyncConnection, module: str | None, probe: str | None, since: datetime, until: datetime, limit: int
) -> list[tuple[Observation, Result]]:
    """See Store.observations."""
    o = observations.c
    query = select(observations).where(o.module == (module or NOBODY), o.at >= micros(since), o.at < micros(until))
    if probe is not None:
        query = query.where(o.probe == probe)
    newest = query.order_by(o.at.desc(), o.probe, o.location).limit(limit)
    return [observation_of(row) for row in await rows_of(connection, newest)]


async def binned(
    connection: AsyncConnection, module: str, probes: Collection[str], places: Collection[str], grid: Grid
) -> Counted:
    """See Store.bins. Rows come in portions, and each is counted in a thread: a day of a module are thousands."""
    table, count = (observations, count_runs) if grid.from_runs else (rollups, count_hours)
    c, at = table.c, table.c.at if grid.from_runs else table.c.hour
    query = select(table).where(c.module == module, c.probe.in_(probes), c.location.in_(places))
    query = query.where(at >= micros(grid.since), at < micros(grid.until))
    if grid.from_runs:
        query = query.where(c.discarded.is_(False))
    counted: Counted = {}
    async with connection.stream(query) as rows:
        async for some in rows.mappings().partitions(_COUNTED_AT_ONCE):
            await asyncio.to_thread(count, counted, some, grid)
    return counted


async def versions_since(connection: AsyncConnection, module: str, since: datetime) -> list[Version]:
    """See Store.versions."""
    v = versions.c
    query = select(versions).where(v.module == module, v.since >= micros(since), v.before.is_not(None))
    return [version_of(row) for row in await rows_of(connection, query.order_by(v.since, v.probe))]


async def stored_runs(connection: AsyncConnection, runs: Sequence[Run]) -> list[tuple[Key, int]]:
    """Which of these runs are stored already, by key and moment."""
    o = observations.c
    found: list[tuple[Key, int]] = []
    for some in _slices(runs):
        # Not one list of whole keys: SQLite would read the whole index for that. What is found besides does no harm.
        modules, moments = {run.row["module"] for run in some}, {run.at for run in some}
        query = select(o.module, o.at, o.probe, o.location).where(o.module.in_(modules), o.at.in_(moments))
        for module, at, probe, location in await connection.execute(query):
            found.append(((module, probe, location), at))
    return found


async def stored_hours(connection: AsyncConnection, hours: Sequence[HourKey]) -> dict[HourKey, Rollup]:
    """The stored ones of these rollups, perhaps with others of the same hours."""
    r = rollups.c
    found: dict[HourKey, Rollup] = {}
    for some in _slices(hours):
        modules, probes, locations = ({key[part] for key, _ in some} for part in range(3))
        hours_in = r.hour.in_({micros(hour) for _, hour in some})
        query = select(rollups).where(r.module.in_(modules), r.probe.in_(probes), r.location.in_(locations), hours_in)
        for row in await rows_of(connection, query):
            found[((row["module"], row["probe"], row["location"]), instant(row["hour"]))] = rollup_of(row)
    return found


def _slices(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
