"""Queries: what is read, over a connection whose transaction sees one moment of the data."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import RowMapping, Select, and_, or_, select
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
    Row,
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
from monitor.store.runs import STORED, row_of
from monitor.store.schema import (
    calls,
    conditions,
    digests,
    forms,
    gaps,
    incidents,
    maintenances,
    marks,
    rollups,
    runs,
    silences,
    sources,
    told,
    tracks,
    versions,
    windows,
)
from monitor.store.tally import HourKey

T = TypeVar("T")

_AT_ONCE = 200  # keys in one look-up
_COUNTED_AT_ONCE = 1000  # rows
_NEWEST = 10  # sources, and runs of each, among which the one that ended last is surely found
_Counting = tuple[Select[*tuple[Any, ...]], Callable[[Counted, Iterable[Stored], Grid], None]]


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
        marks={
            (row["location"], row["agent"], row["epoch"]): row["through"]
            for row in await rows_of(connection, select(marks))
        },
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
    f, r = forms.c, runs.c
    failed = and_(f.outcome == Outcome.FAILED.value, f.blame.not_in([blame.value for blame in HARMLESS]))
    usable = or_(f.outcome.in_([Outcome.PASSED.value, Outcome.SLOW.value]), failed)
    told = select(r.at, r.duration).join(forms, f.id == r.form).where(f.discarded.is_(False), usable)
    newest = told.with_only_columns(r.at).where(r.source == sources.c.id).order_by(r.at.desc()).limit(1)
    of_each = select(sources.c.id, newest.scalar_subquery().label("at")).where(sources.c.module != NOBODY)
    last = [row for row in await rows_of(connection, of_each) if row["at"] is not None]
    ends: list[datetime] = []
    for source in sorted(last, key=lambda row: row["at"])[-_NEWEST:]:
        few = told.where(r.source == source["id"]).order_by(r.at.desc()).limit(_NEWEST)
        ends += [instant(row["at"]) + timedelta(seconds=row["duration"]) for row in await rows_of(connection, few)]
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
    mine = select(sources.c.id).where(sources.c.module == (module or NOBODY))
    if probe is not None:
        mine = mine.where(sources.c.probe == probe)
    found: list[Row] = []
    for source in (await connection.execute(mine)).scalars().all():  # each has its newest last in its own key
        some = STORED.where(runs.c.source == source, runs.c.at >= micros(since), runs.c.at < micros(until))
        found += map(row_of, await rows_of(connection, some.order_by(runs.c.at.desc()).limit(limit)))
    found.sort(key=lambda row: (-row["at"], row["probe"], row["location"]))
    return [observation_of(row) for row in found[:limit]]


async def binned(
    connection: AsyncConnection, module: str, probes: Collection[str], places: Collection[str], grid: Grid
) -> Counted:
    """See Store.bins. Rows come in portions, and each is counted in a thread: a day of a module are thousands."""
    query, count = _runs_of(module, probes, places, grid) if grid.from_runs else _hours_of(module, probes, places, grid)
    counted: Counted = {}
    async with connection.stream(query) as rows:
        async for some in rows.mappings().partitions(_COUNTED_AT_ONCE):
            await asyncio.to_thread(count, counted, some, grid)
    return counted


def _runs_of(module: str, probes: Collection[str], places: Collection[str], grid: Grid) -> _Counting:
    s, at = sources.c, runs.c.at
    query = STORED.where(s.module == module, s.probe.in_(probes), s.location.in_(places), forms.c.discarded.is_(False))
    return query.where(at >= micros(grid.since), at < micros(grid.until)), _count_stored


def _count_stored(counted: Counted, rows: Iterable[Stored], grid: Grid) -> None:
    count_runs(counted, map(row_of, rows), grid)


def _hours_of(module: str, probes: Collection[str], places: Collection[str], grid: Grid) -> _Counting:
    r, hour = rollups.c, rollups.c.hour
    query = select(rollups).where(r.module == module, r.probe.in_(probes), r.location.in_(places))
    return query.where(hour >= micros(grid.since), hour < micros(grid.until)), count_hours


async def versions_since(connection: AsyncConnection, module: str, since: datetime) -> list[Version]:
    """See Store.versions."""
    v = versions.c
    query = select(versions).where(v.module == module, v.since >= micros(since), v.before.is_not(None))
    return [version_of(row) for row in await rows_of(connection, query.order_by(v.since, v.probe))]


async def stored_runs(connection: AsyncConnection, those: Sequence[Run]) -> list[tuple[Key, int]]:
    """Which of these runs are stored already, by key and moment."""
    s, r = sources.c, runs.c
    found: list[tuple[Key, int]] = []
    for some in _slices(those):
        # Not one list of whole keys: SQLite would read the whole index for that. What is found besides does no harm.
        modules, moments = {run.row["module"] for run in some}, {run.at for run in some}
        query = select(s.module, s.probe, s.location, r.at).join(runs, r.source == s.id)
        for *key, at in await connection.execute(query.where(s.module.in_(modules), r.at.in_(moments))):
            found.append((tuple(key), at))
    return found


async def stored_hours(connection: AsyncConnection, hours: Sequence[HourKey]) -> dict[HourKey, Rollup]:
    """The stored ones of these rollups."""
    r, wanted = rollups.c, set(hours)
    found: dict[HourKey, Rollup] = {}
    for some in _slices(hours):
        modules, probes, locations = ({key[part] for key, _ in some} for part in range(3))
        hours_in = r.hour.in_({micros(hour) for _, hour in some})
        query = select(rollups).where(r.module.in_(modules), r.probe.in_(probes), r.location.in_(locations), hours_in)
        for row in await rows_of(connection, query):
            key = ((row["module"], row["probe"], row["location"]), instant(row["hour"]))
            if key in wanted:  # what is found besides is not worth making sense of
                found[key] = rollup_of(row)
    return found


def _slices(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))
