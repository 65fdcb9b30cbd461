"""Closing: makes the days that are over and not yet there, from changes of status and planned work.

It reads, reckons in a thread, and writes in a transaction of its own, which looks again whether what it reckoned with
is still so: whoever changed the past meanwhile was faster, and the days are left for the next time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from itertools import accumulate, pairwise

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.availability import Availability, Subject
from monitor.core.daily import Lines, apart, calendar, lines_of, sums
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform
from monitor.store.days import day_row
from monitor.store.past import wanted_since
from monitor.store.queries import maintenances_since, rows_of
from monitor.store.rows import Row, dumps, instant, micros, transition_of
from monitor.store.schema import days, transitions

SETTLES = timedelta(hours=1)  # after which a day is closed: what is decided of its last minutes is decided by then
_AT_ONCE = 5000  # rows in a transaction
_LONGEST = 32  # days
_DAY = 86400

Move = tuple[int, Transition]  # with its number


Opened = Callable[[], AbstractAsyncContextManager[AsyncConnection]]


async def close(
    reading: Opened, writing: Opened, unchanged: Callable[[], int], platform: Platform, zone: tzinfo, now: datetime
) -> int:
    """See Store.close_days. `unchanged` gives another number once ids of modules have changed."""
    written = 0
    while True:
        known = unchanged()
        async with reading() as connection:
            task = await next_task(connection, platform, zone, now)
            if task is None:
                return written
            ground = await ground_of(connection, task)
        rows = await asyncio.to_thread(made, task, ground, platform)
        async with writing() as connection:
            if known != unchanged() or not await holds(connection, task, ground):
                return written
            await write(connection, task, rows)
        written += len(rows)


@dataclass(frozen=True, slots=True)
class Ground:
    """What some days are made from: changes of status dated up to their end, by module and in order of decision, all
    planned work that touches them, and the number of the newest change."""

    moves: dict[str, list[Move]]
    works: tuple[Maintenance, ...]
    newest: int


@dataclass(frozen=True, slots=True)
class Task:
    """Days to be made: the lines that lack them, and where one ends and the next begins."""

    lines: Lines
    edges: tuple[datetime, ...]


async def next_task(connection: AsyncConnection, platform: Platform, zone: tzinfo, now: datetime) -> Task | None:
    """The first days that are over and that some lines lack, as many as are made at once; None: none."""
    began = (await connection.execute(select(func.min(transitions.c.since)))).scalar()
    if began is None:
        return None
    edges = calendar(zone, instant(began), now - SETTLES)
    lines = lines_of(platform)
    ends = await _ends(connection, lines, edges)
    first = min((ends.get(line, edges[0]) for line in lines), default=edges[-1]) if edges else None
    if first is None or first >= edges[-1]:
        return None
    lacking = {line: made_of for line, made_of in lines.items() if ends.get(line, edges[0]) == first}
    begin, count = edges.index(first), max(1, min(_LONGEST, _AT_ONCE // len(lacking)))
    return Task(lacking, tuple(edges[begin : begin + count + 1]))


async def _ends(connection: AsyncConnection, lines: Lines, edges: Sequence[datetime]) -> dict[str, datetime]:
    """Up to when lines have all their days, made of the same modules and on the same calendar."""
    d = days.c
    clock = func.sum((d.until // 1_000_000) % _DAY)  # which another zone has otherwise
    ends = (func.min(d.modules), func.max(d.modules), func.count(), func.min(d.since), func.max(d.until), clock)
    place = {micros(edge): number for number, edge in enumerate(edges)}
    clocks = list(accumulate((at // 1_000_000 % _DAY for at in list(place)[1:]), initial=0))
    found = {}
    for line, least, most, count, since, until, told in await connection.execute(
        select(d.line, *ends).group_by(d.line)
    ):
        same = least == most == dumps(list(lines.get(line, ()))) and place.get(since) == 0
        if same and place.get(until) == count and int(told) == clocks[count]:
            found[line] = instant(until)
    return found


async def ground_of(connection: AsyncConnection, task: Task) -> Ground:
    """What the days of a task are made from."""
    t, since, until = transitions.c, task.edges[0], task.edges[-1]
    newest = (await connection.execute(select(func.max(t.id)))).scalar() or 0
    query = select(transitions).where(wanted_since(since), t.since < micros(until)).order_by(t.at, t.id)
    moves: defaultdict[str, list[Move]] = defaultdict(list)
    for row in await rows_of(connection, query):
        moves[row["module"]].append((row["id"], transition_of(row)))
    return Ground(moves, await _works(connection, task), newest)


async def _works(connection: AsyncConnection, task: Task) -> tuple[Maintenance, ...]:
    found = await maintenances_since(connection, task.edges[0])
    return tuple(one for one in found if one.started_at is not None and one.started_at < task.edges[-1])


def made(task: Task, ground: Ground, platform: Platform) -> list[Row]:
    """The days of a task."""
    history = History({module: tuple(one for _, one in moves) for module, moves in ground.moves.items()})
    past = Availability(apart(platform), history, ground.works, task.edges[0])
    rows = []
    for line, made_of in task.lines.items():
        kind, _, id = line.partition(":")
        cut = past.lines(Subject(kind, id))[id]
        moves = ground.moves.get(id, ()) if kind == "module" else ()
        for edges, one in zip(pairwise(task.edges), sums(cut, task.edges), strict=True):
            rows.append(day_row(line, made_of, edges, one, _in_force(moves, edges[1])))
    return rows


def _in_force(moves: Sequence[Move], edge: datetime) -> int | None:
    """The number of the change in force just before an edge: the last one decided of those dated before it."""
    return next((id for id, one in reversed(moves) if one.since < edge), None)


async def holds(connection: AsyncConnection, task: Task, ground: Ground) -> bool:
    """Whether what was reckoned with is still so."""
    t = transitions.c
    late = select(t.id).where(t.id > ground.newest, t.since < micros(task.edges[-1])).limit(1)
    return (await connection.execute(late)).first() is None and await _works(connection, task) == ground.works


async def write(connection: AsyncConnection, task: Task, rows: Sequence[Row]) -> None:
    """Stores the days in place of whatever these lines have from their beginning on."""
    first = micros(task.edges[0])
    names = list(task.lines)
    for some in range(0, len(names), 500):
        stale = and_(days.c.line.in_(names[some : some + 500]), days.c.until > first)
        await connection.execute(delete(days).where(stale))
    await connection.execute(insert(days), list(rows))
