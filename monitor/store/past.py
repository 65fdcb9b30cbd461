"""Past: what a publication shows of the time before, read once and then only where it grew.

A publication is made every few seconds and nearly all of the past is what it was. So what was read is kept: changes
of status by module, incidents by their document, and the latency of the hours that are over. The single writer says
when something that is over was written all the same; then it is read again.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, RowMapping, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.detector import Transition
from monitor.core.history import History, Latency
from monitor.core.incident import Incident
from monitor.store.queries import maintenances_since, rows_of, silences_since
from monitor.store.rollup import Hours, hour_of, latency, latency_since
from monitor.store.rows import bin_of, gap_of, incident_of, instant, micros, transition_of
from monitor.store.schema import gaps, incidents, rollups, transitions

T = TypeVar("T")

NEVER = datetime.max.replace(tzinfo=UTC)
_LARGE = 2000  # rows worth a thread of their own to make sense of

Keys = frozenset[tuple[str, str]]  # (module, probe)


class Move(NamedTuple):
    """A stored change of status; `at` and `id` give the order of decision."""

    at: int
    id: int
    transition: Transition


class Past:
    """What was read last. `forget` when anything that is over was changed."""

    def __init__(self) -> None:
        self._moves: Moves | None = None
        self._incidents: dict[str, Incident] = {}  # by document
        self._latency: Latencies | None = None
        self._turn = asyncio.Lock()
        self._forgotten = 0

    def forget(self) -> None:
        """Everything is to be read again."""
        self._moves, self._latency = None, None
        self._forgotten += 1

    def wrote(self, hours: Collection[datetime]) -> None:
        """Rollups of these hours were committed."""
        if self._latency is not None and any(hour < self._latency.hour for hour in hours):
            self.forget()  # a run that came in late

    async def history(
        self,
        connection: AsyncConnection,
        since: datetime,
        now: datetime,
        limit: int,
        probes: Keys | None,
        latency: bool = True,
    ) -> History:
        """See Store.history."""
        async with self._turn:
            known = self._forgotten
            try:
                found = await self._history(connection, since, now, limit, probes, latency)
            except BaseException:
                self.forget()  # what was read by half
                raise
            if known != self._forgotten:  # while it was read, so perhaps too late for what this connection sees
                self.forget()
            return found

    async def _history(
        self, connection: AsyncConnection, since: datetime, now: datetime, limit: int, probes: Keys | None, wanted: bool
    ) -> History:
        ended = or_(gaps.c.until.is_(None), gaps.c.until > micros(since))
        blind = select(gaps).where(ended, gaps.c.since < micros(now)).order_by(gaps.c.since, gaps.c.location)
        return History(
            transitions=await self._transitions(connection, since),
            incidents=await self._newest(connection, limit),
            latency=await self._latencies(connection, now, probes) if wanted else {},
            gaps=tuple(gap_of(row) for row in await rows_of(connection, blind)),
            maintenances=await maintenances_since(connection, since),
            silences=await silences_since(connection, since),
        )

    async def _transitions(self, connection: AsyncConnection, since: datetime) -> dict[str, tuple[Transition, ...]]:
        moves = self._moves
        if moves is None or since < moves.since:
            moves = Moves(since)
            await moves.begin(connection)
        else:
            await moves.go_on(connection, since)
        self._moves = moves
        return dict(moves.found)

    async def _newest(self, connection: AsyncConnection, limit: int) -> tuple[Incident, ...]:
        query = select(incidents).order_by(incidents.c.started_at.desc(), incidents.c.id.desc()).limit(limit)
        rows, known = await rows_of(connection, query), self._incidents
        self._incidents = {row["document"]: known.get(row["document"]) or incident_of(row) for row in rows}
        return tuple(self._incidents[row["document"]] for row in rows)

    async def _latencies(self, connection: AsyncConnection, now: datetime, probes: Keys | None) -> dict[str, Latency]:
        kept, hour = self._latency, hour_of(now)
        if kept is None or (kept.hour, kept.probes) != (hour, probes):
            kept = self._latency = Latencies(hour, probes)
            over = select(rollups).where(rollups.c.hour >= micros(latency_since(now)), rollups.c.hour < micros(hour))
            await _aside(kept.over, await rows_of(connection, over))
        present = select(rollups).where(rollups.c.hour == micros(hour))
        return await _aside(kept.with_present, await rows_of(connection, present))


async def _aside(work: Callable[[Sequence[RowMapping]], T], rows: Sequence[RowMapping]) -> T:
    """In a thread when there are many: a thousand probes are a tenth of a second that others need."""
    return work(rows) if len(rows) < _LARGE else await asyncio.to_thread(work, rows)


def wanted_since(since: datetime) -> ColumnElement[bool]:
    """Of all changes of status those dated later, and of each module the last one decided of those before, and the
    earliest."""
    t, start = transitions.c, micros(since)
    rank = func.row_number()
    ranked = (
        select(
            t.id,
            rank.over(partition_by=t.module, order_by=(t.since, t.at, t.id)).label("earliest"),
            rank.over(partition_by=t.module, order_by=(t.at.desc(), t.id.desc())).label("latest"),
        )
        .where(t.since <= start)
        .subquery()
    )
    before = select(ranked.c.id).where(or_(ranked.c.earliest == 1, ranked.c.latest == 1))
    return or_(t.since > start, t.id.in_(before))


class Moves:
    """Changes of status by module in order of decision: those dated after `since`, the last one decided of those
    before, and the earliest."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.found: dict[str, tuple[Transition, ...]] = {}
        self._kept: dict[str, list[Move]] = {}
        self._next: dict[str, datetime] = {}  # when another one is dated before the time that is read
        self._newest = 0

    async def begin(self, connection: AsyncConnection) -> None:
        """Reads everything."""
        t = transitions.c
        query = select(transitions).where(wanted_since(self.since)).order_by(t.module, t.at, t.id)
        self._newest = (await connection.execute(select(func.max(t.id)))).scalar() or 0
        self._take(await rows_of(connection, query))

    async def go_on(self, connection: AsyncConnection, since: datetime) -> None:
        """Reads what was decided meanwhile."""
        self.since = since
        query = select(transitions).where(transitions.c.id > self._newest).order_by(transitions.c.id)
        self._take(await rows_of(connection, query))

    def _take(self, rows: Sequence[RowMapping]) -> None:
        fresh: defaultdict[str, list[Move]] = defaultdict(list)
        for row in rows:
            fresh[row["module"]].append(Move(row["at"], row["id"], transition_of(row)))
            self._newest = max(self._newest, row["id"])
        due = [module for module, at in self._next.items() if at <= self.since]
        for module in dict.fromkeys((*due, *fresh)):
            kept = self._kept.get(module, [])
            moves = self._needed([*kept, *fresh.get(module, ())])
            later = (move.transition.since for move in moves if move.transition.since > self.since)
            self._next[module] = min(later, default=NEVER)
            if len(moves) != len(kept) or module in fresh:
                self._kept[module] = moves
                self.found[module] = tuple(move.transition for move in moves)

    def _needed(self, moves: list[Move]) -> list[Move]:
        moves.sort(key=lambda move: move[:2])
        before = [move for move in moves if move.transition.since <= self.since]
        if len(before) <= 1:
            return moves
        wanted = {before[-1].id, min(before, key=lambda move: (move.transition.since, *move[:2])).id}
        return [move for move in moves if move.transition.since > self.since or move.id in wanted]


class Latencies:
    """Latency by module; the hours before `hour` are summed up."""

    def __init__(self, hour: datetime, probes: Keys | None) -> None:
        self.hour = hour
        self.probes = probes
        self._over: dict[str, Hours] = {}
        self._known: dict[str, tuple[Mapping[int, int], Latency]] = {}

    def over(self, rows: Sequence[RowMapping]) -> None:
        """Takes the hours that are over."""
        by_hour: defaultdict[str, defaultdict[datetime, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        for row in self._wanted(rows):
            by_hour[row["module"]][instant(row["hour"])].update(bin_of(row).buckets)
        self._over = {module: Hours.of(found) for module, found in by_hour.items()}

    def with_present(self, rows: Sequence[RowMapping]) -> dict[str, Latency]:
        """Latency with the present hour in it; modules without an answered run are absent."""
        present: defaultdict[str, Counter[int]] = defaultdict(Counter)
        for row in self._wanted(rows):
            present[row["module"]].update(bin_of(row).buckets)
        for module in {**self._over, **present}:
            buckets, known = present.get(module, Counter()), self._known.get(module)
            if known is None or known[0] != buckets:
                self._known[module] = (buckets, latency(self._over.get(module, Hours()), self.hour, buckets))
        return {module: found for module, (_, found) in self._known.items() if found.points}

    def _wanted(self, rows: Sequence[RowMapping]) -> list[RowMapping]:
        return [row for row in rows if self.probes is None or (row["module"], row["probe"]) in self.probes]
