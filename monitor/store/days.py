"""Days: sums of whole days by line, beside the changes of status they were made of.

Long windows are answered from them. They always hold: whatever changes the past takes away the days it touches, in the
same transaction, and `closing` makes them anew. So a reader needs to know nothing but whether they are there.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.daily import Lines, Sum, Totals
from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.module import Status
from monitor.store.queries import rows_of
from monitor.store.rows import Row, Stored, dumps, instant, maintenance_of, micros
from monitor.store.schema import days, maintenances, transitions

PARTS = ("up", "degraded", "down", "partly", "unknown")
_LISTED = 500  # names in one question; where there are more, all rows are read
_STATUS = {one.value: one for one in Status}


def day_row(line: str, modules: Sequence[str], edges: tuple[datetime, datetime], one: Sum, move: int | None) -> Row:
    """A day between its edges. `move` is the change of status of a module that was in force when it ended."""
    since, until = edges
    told = {name: getattr(one, name) // timedelta(microseconds=1) for name in PARTS}
    return {
        "line": line, "since": micros(since), "until": micros(until), "modules": dumps(list(modules)), **told,
        "move": move,
    }  # fmt: skip


def sum_of(row: Stored, length: int) -> Sum:
    """What a row holds, or several together, that are so many microseconds long: the rest of these was planned."""
    told = {name: timedelta(microseconds=int(row[name])) for name in PARTS}
    counted = told["up"] + told["degraded"] + told["down"] + told["unknown"]
    return Sum(**told, excluded=timedelta(microseconds=length) - counted)


async def rewind(connection: AsyncConnection, since: int) -> None:
    """Takes away the days from a moment on, by which the past has changed."""
    await connection.execute(delete(days).where(days.c.until > since))


def _among(column: ColumnElement[str], names: Collection[str]) -> list[ColumnElement[bool]]:
    return [column.in_(names)] if len(names) <= _LISTED else []


async def reckoned(
    connection: AsyncConnection, since: datetime, until: datetime, lines: Lines
) -> tuple[History, Totals] | None:
    """See Store.reckoned; None where not all of these lines have days within the window."""
    totals = await _totals(connection, since, until, lines)
    if totals is None:
        return None
    modules = {id for made_of in lines.values() for id in made_of}
    moves = await _rims(connection, since, until, totals, modules)
    if moves is None:
        return None
    m, start, first, last = maintenances.c, micros(since), micros(totals.since), micros(totals.until)
    within = and_(m.planned_from >= first, m.over_at.is_not(None), m.over_at <= last)
    wanted = select(maintenances).where(or_(m.over_at.is_(None), m.over_at >= start), not_(within))
    works = [maintenance_of(row) for row in await rows_of(connection, wanted.order_by(m.planned_from, m.id))]
    return History(moves, maintenances=tuple(works)), totals


async def _totals(connection: AsyncConnection, since: datetime, until: datetime, lines: Lines) -> Totals | None:
    d = days.c
    query = (
        select(
            d.line,
            func.min(d.modules).label("made_of"),
            func.max(d.modules).label("and_of"),
            func.min(d.since).label("since"),
            func.max(d.until).label("until"),
            func.sum(d.until - d.since).label("length"),
            *(func.sum(d[name]).label(name) for name in PARTS),
        )
        .where(*_among(d.line, lines), d.since >= micros(since), d.until <= micros(until))
        .group_by(d.line)
    )
    sums: dict[str, Sum] = {}
    edges: set[tuple[int, int]] = set()
    for row in await rows_of(connection, query):
        if row["line"] in lines:
            made_of, length = dumps(list(lines[row["line"]])), int(row["length"])
            if (row["made_of"], row["and_of"]) != (made_of, made_of) or length != row["until"] - row["since"]:
                return None
            sums[row["line"]] = sum_of(row, length)
            edges.add((row["since"], row["until"]))
    if len(edges) != 1 or sums.keys() != lines.keys():
        return None
    first, last = map(instant, edges.pop())
    return Totals(first, last, sums)


async def _rims(
    connection: AsyncConnection, since: datetime, until: datetime, totals: Totals, modules: Collection[str]
) -> dict[str, tuple[Transition, ...]] | None:
    """The changes of status dated in the window but outside of the days, and those in force where each part of it
    begins, in order of decision; None where these are not known."""
    t, first, last = transitions.c, micros(totals.since), micros(totals.until)
    wanted = [and_(t.since >= last, t.since < micros(until))]
    in_force = await _in_force(connection, last, modules)
    if since < totals.since:
        before = await _day_before(connection, first, modules)
        if before is not None:
            wanted.append(and_(t.since >= before, t.since < first))
            earlier = await _in_force(connection, before, modules)
            in_force = None if in_force is None or earlier is None else in_force | earlier
    if in_force is None:
        return None
    columns = (t.id, t.at, t.module, t.since, t.before, t.after)
    among = _among(t.module, modules)
    found = [row for one in wanted for row in await connection.execute(select(*columns).where(one, *among))]
    ids = list(in_force)
    for some in range(0, len(ids), _LISTED):
        found += await connection.execute(select(*columns).where(t.id.in_(ids[some : some + _LISTED])))
    return _by_module({row[0]: tuple(row) for row in found}.values())


def _by_module(rows: Iterable[tuple[Any, ...]]) -> dict[str, tuple[Transition, ...]]:
    moves: defaultdict[str, list[Transition]] = defaultdict(list)
    for _, at, module, since, before, after in sorted(rows, key=itemgetter(1, 0)):
        moves[module].append(Transition(module, _STATUS[before], _STATUS[after], instant(at), instant(since)))
    return {module: tuple(some) for module, some in moves.items()}


async def _in_force(connection: AsyncConnection, at: int, modules: Collection[str]) -> set[int] | None:
    """The changes of status that were in force when the days ended that end then; None where some are not there. Before
    the first day nothing was."""
    names = {f"module:{id}" for id in modules}
    query = select(days.c.line, days.c.move).where(days.c.until == at, *_among(days.c.line, names))
    found = {line: move for line, move in await connection.execute(query) if line in names}
    if found.keys() == names:
        return {move for move in found.values() if move is not None}
    earlier = select(days.c.line).where(days.c.until <= at).limit(1)
    return None if (await connection.execute(earlier)).first() is not None else set()


async def _day_before(connection: AsyncConnection, first: int, modules: Collection[str]) -> int | None:
    """When the day began that ends there; None before the first day, of which nothing is known."""
    query = select(func.min(days.c.since)).where(days.c.until == first)
    found: int | None = (await connection.execute(query)).scalar()
    return found
