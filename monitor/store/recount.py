"""Recount: what is stored twice, worked out anew from what it was made of, and where the two differ.

Hours are counted from the runs that are still kept: an hour may tell of more runs, since runs are kept for less long
than hours, but never of fewer, and of as many runs only the same. Days are summed up from changes of status and planned
work, which are kept for ever, so every day tells the same. What holds now of a module is where its changes of status
lead.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.daily import APART, Sum, sums
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.observation import stamp
from monitor.core.overlay import spans_of
from monitor.core.uptime import END, Span, merge, spans
from monitor.store.days import PARTS, sum_of
from monitor.store.past import Moves
from monitor.store.queries import maintenances_since, rows_of
from monitor.store.rollup import HOUR, Rollup, hour_of
from monitor.store.rows import (
    EPOCH,
    NOBODY,
    Stored,
    condition_of,
    instant,
    micros,
    observation_of,
    rollup_of,
    transition_of,
)
from monitor.store.runs import STORED, row_of
from monitor.store.schema import conditions, days, forms, rollups, sources, transitions

SHOWN = 20  # of each kind; the first ones say enough
CLOSE = 1e-6  # of summed seconds, which may be added up in another order

_Key = tuple[str, str, str, datetime]


async def differences(connection: AsyncConnection) -> list[str]:
    """One sentence for each difference found."""
    return [*await _hours(connection), *await _days(connection), *await _conditions(connection)]


async def _hours(connection: AsyncConnection) -> list[str]:
    """Hours against runs, a module at a time, so that memory holds one of them."""
    found: list[str] = []
    oldest = (await connection.execute(select(func.min(rollups.c.hour)))).scalar()
    modules = select(sources.c.module).where(sources.c.module != NOBODY).distinct()
    for (module,) in (await connection.execute(modules.order_by(sources.c.module))).all():
        counted = await _counted(connection, module)
        counted = {key: one for key, one in counted.items() if oldest is not None and one.hour >= instant(oldest)}
        first = min((one.hour for one in counted.values()), default=None)
        stored: dict[_Key, Rollup] = {}
        if first is not None:
            kept = select(rollups).where(rollups.c.module == module, rollups.c.hour >= micros(first))
            stored = {_key(one): one for one in map(rollup_of, await rows_of(connection, kept))}
        for key, one in sorted(counted.items()):
            told = _told(stored.get(key), one)
            if told is not None:
                found.append(f"rollups: {module}/{one.probe} at {one.location}, hour of {stamp(one.hour)}: {told}")
                if len(found) == SHOWN:
                    return found
    return found


def _key(one: Rollup) -> _Key:
    return one.module, one.probe, one.location, one.hour


async def _counted(connection: AsyncConnection, module: str) -> dict[_Key, Rollup]:
    counted: dict[_Key, Rollup] = {}
    query = STORED.where(sources.c.module == module, forms.c.discarded.is_(False))
    async with connection.stream(query) as rows:
        async for row in rows.mappings():
            try:
                run, result = observation_of(row_of(row))
            except (KeyError, TypeError, ValueError, AssertionError):
                continue  # told already
            if run.steps is not None:
                continue
            fresh = Rollup(module, run.probe, run.location, hour_of(run.at))
            key = _key(fresh)
            counted[key] = counted.get(key, fresh).add(result, run.duration, run.phases)
    return {key: one for key, one in counted.items() if one.bin.runs}


def _told(stored: Rollup | None, counted: Rollup) -> str | None:
    """How the stored hour differs from the counted one; None: it does not."""
    if stored is None:
        return f"missing, {counted.bin.runs} runs of it are there"
    here, there = stored.bin, counted.bin
    if here.runs < there.runs:
        return f"{here.runs} runs, {there.runs} are there"
    if here.runs > there.runs:
        return None
    for name in ("failed", "slow", "timed"):
        if getattr(here, name) != getattr(there, name):
            return f"{getattr(here, name)} {name}, counted {getattr(there, name)}"
    if abs(here.seconds - there.seconds) > CLOSE * max(1.0, there.seconds):
        return f"{here.seconds:.6f} seconds, counted {there.seconds:.6f}"
    return None if here.buckets == there.buckets else "the durations are not those of its runs"


async def _days(connection: AsyncConnection) -> list[str]:
    """Days against the changes of status, a line at a time."""
    found: list[str] = []
    order = select(days.c.line, days.c.modules).distinct().order_by(days.c.line, days.c.modules)
    lines = (await connection.execute(order)).all()
    if not lines:
        return found
    moves: defaultdict[str, list[Transition]] = defaultdict(list)
    for row in await rows_of(connection, select(transitions).order_by(transitions.c.at, transitions.c.id)):
        moves[row["module"]].append(transition_of(row))
    history = History({module: tuple(some) for module, some in moves.items()})
    works = await maintenances_since(connection, EPOCH)
    for line, made_of in lines:
        kept = select(days).where(days.c.line == line, days.c.modules == made_of).order_by(days.c.until)
        rows = await rows_of(connection, kept)
        since = instant(rows[0]["since"])
        cuts = [spans_of(one, history, works, since, END, APART) for one in json.loads(made_of)]
        cut = cuts[0] if line.startswith("module:") else merge(cuts, APART)
        for row, one in zip(rows, await asyncio.to_thread(_each, cut, rows), strict=True):
            stored = sum_of(row, row["until"] - row["since"])
            if stored != one:
                found.append(f"days: {line}, the day from {stamp(instant(row['since']))}: {_differing(stored, one)}")
                if len(found) == SHOWN:
                    return found
    return found


def _each(cut: Sequence[Span], rows: Sequence[Stored]) -> list[Sum]:
    edges = [instant(rows[0]["since"]), *(instant(row["until"]) for row in rows)]
    return sums(cut, edges)


def _differing(stored: Sum, one: Sum) -> str:
    told = ((name, getattr(stored, name), getattr(one, name)) for name in (*PARTS, "excluded"))
    name, here, there = next(each for each in told if each[1] != each[2])
    return f"{name} {here.total_seconds():.3f} s, its changes of status come to {there.total_seconds():.3f} s"


async def _conditions(connection: AsyncConnection) -> list[str]:
    """What holds now against the changes of status."""
    found: list[str] = []
    rows = await rows_of(connection, select(conditions).where(conditions.c.probe == NOBODY))
    if not rows:
        return found
    settled = {row["module"]: condition_of(row) for row in rows}
    moves = Moves(min(one.since for one in settled.values()) - HOUR)
    await moves.begin(connection)
    for module, one in sorted(settled.items()):
        told = moves.found.get(module)
        if told:
            ends = max(move.at for move in told) + HOUR
            last = spans(told, ends - HOUR, ends)[-1]
            if last.status is not one.status:
                found.append(
                    f"conditions: {module} is {one.status} since {stamp(one.since)}, "
                    f"its changes of status lead to {last.status}"
                )
    return found[:SHOWN]
