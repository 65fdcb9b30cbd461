"""SqlStore: the store over SQLite or PostgreSQL.

Writes go one after the other over one connection, each a transaction that is stored whole or not at all; reads have
connections of their own, so a page never waits for a write.
"""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime, timedelta, tzinfo
from itertools import islice

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.sql.base import Executable

from monitor.core.board import Version
from monitor.core.daily import Lines, Totals
from monitor.core.detector import Transition
from monitor.core.effect import Keep, Storable
from monitor.core.entry import Entry, Sought
from monitor.core.expectation import Result
from monitor.core.history import History, Memory
from monitor.core.incident import Incident
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.search import Search
from monitor.core.series import Bin, Grid
from monitor.store import closing, days, lists, queries, renaming, telling
from monitor.store.archive import archive
from monitor.store.batch import Batch, batch_of
from monitor.store.contract import StoreFailed, StoreUnusable
from monitor.store.failure import readable, surroundings
from monitor.store.integrity import problems
from monitor.store.leases import SqlLeases
from monitor.store.months import Months
from monitor.store.outbox import SqlOutbox
from monitor.store.past import Past
from monitor.store.rollup import Rollup
from monitor.store.rows import FORGOTTEN, Row, incident_row, micros, observation_row, rollup_row, transition_row
from monitor.store.runs import RunWriter, sweep_forms, sweep_source
from monitor.store.schema import happenings, marks, rollups, sources
from monitor.store.sqlite import Hold
from monitor.store.statements import Statements
from monitor.store.subscribers import SqlSubscribers
from monitor.store.tally import Tally, unseen
from monitor.store.whole import PATIENCE, to_the_end

_SWEEP_AT_ONCE = 500  # a few milliseconds during which a commit waits
KEPT_AT_LEAST = timedelta(days=7)  # longer than anybody may want to hear of an event
_SEED_AT_ONCE = 5000


class SqlStore:
    """See Store. `where` is what errors call it: a path, or a URL without its password."""

    def __init__(
        self,
        where: str,
        *,
        writer: AsyncEngine,
        reader: AsyncEngine,
        hold: Hold | None = None,
        readonly: bool = False,
        leases: SqlLeases | None = None,
    ) -> None:
        self.where = where
        self.writer = writer
        self.reader = reader
        self.readonly = readonly
        self.leases = leases
        self._hold = hold
        self._turn = asyncio.Lock()
        self._tally = Tally()
        self._past = Past()
        self._changed = 0
        self._statements = Statements(writer.dialect)
        self._months = Months() if writer.dialect.name == "postgresql" else None
        self._runs = RunWriter(self._statements, self._months)
        if leases is not None:
            leases.taken = self._forget
        self.outbox = SqlOutbox(where, self.reading, self.writing, alone=hold is not None)
        self.subscribers = SqlSubscribers(self.reading, self.writing)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A connection that sees one moment of the data."""
        with surroundings(self.where):
            async with self.reader.connect() as connection:
                if connection.dialect.name == "postgresql":
                    await connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction, when it is its turn; committed at the end, taken back after any exception."""
        if self.readonly:
            raise StoreUnusable(f"{self.where} was opened for reading only")
        try:
            async with asyncio.timeout(PATIENCE):
                await self._turn.acquire()
        except TimeoutError:
            raise StoreFailed(f"{self.where}: another transaction has taken longer than {PATIENCE:g} s") from None
        try:
            with surroundings(self.where):
                async with self.writer.begin() as connection:
                    self._meet(connection)
                    if self.leases is not None:
                        await self.leases.check(connection)
                    yield connection
        except BaseException:
            self._tally.forget()  # it may have been committed after all, the answer lost
            self._runs.forget()
            raise
        finally:
            self._turn.release()

    async def commit(self, effects: Sequence[Storable]) -> None:
        """See Store."""
        await to_the_end(self._commit(batch_of(effects, self._runs.packer)))

    async def _commit(self, batch: Batch) -> None:
        async with self.writing() as connection:
            hours = await self._write_runs(connection, batch)
            for statement, rows in self._statements.of(batch):
                if rows:
                    await connection.execute(statement, rows)
            if batch.since is not None:
                await days.rewind(connection, batch.since)
        self._past.wrote(hours)

    async def _write_runs(self, connection: AsyncConnection, batch: Batch) -> set[datetime]:
        """Stores the runs that are new; the hours they belong to."""
        if not batch.runs:
            return set()
        runs = unseen(batch.runs, await queries.stored_runs(connection, self._tally.doubtful(batch.runs)))
        stored = await queries.stored_hours(connection, self._tally.missing(runs))
        changed = self._tally.count(runs, stored)
        await self._runs.write(connection, runs)
        await self._statements.rollups.write(connection, map(rollup_row, changed.values()))
        self._tally.accept(runs, changed)  # taken back by `forget` should the commit fail
        return {hour for _, hour in changed}

    async def recall(self, resolved_since: datetime) -> Memory:
        """See Store."""
        async with self.reading() as connection:
            with readable(self.where):
                return await queries.recall(connection, resolved_since)

    async def history(
        self,
        since: datetime,
        now: datetime,
        incidents: int = 200,
        probes: Collection[tuple[str, str]] | None = None,
        latency: bool = True,
    ) -> History:
        """See Store."""
        seen = None if probes is None else frozenset(probes)
        async with self.reading() as connection:
            with readable(self.where):
                return await self._past.history(connection, since, now, incidents, seen, latency)

    async def archive(self, since: datetime) -> History:
        """See Store."""
        async with self.reading() as connection:
            return await archive(connection, since)

    async def reckoned(self, since: datetime, until: datetime, lines: Lines) -> tuple[History, Totals | None]:
        """See Store."""
        async with self.reading() as connection:
            return await days.reckoned(connection, since, until, lines) or (await archive(connection, since), None)

    async def close_days(self, platform: Platform, zone: tzinfo, now: datetime) -> int:
        """See Store."""
        return await closing.close(self.reading, self.writing, lambda: self._changed, platform, zone, now)

    async def incident(self, id: str) -> Incident | None:
        """See Store."""
        async with self.reading() as connection:
            return await queries.incident(connection, id)

    async def incidents(self, search: Search) -> list[Incident]:
        """See Store."""
        async with self.reading() as connection:
            return await lists.incidents_like(connection, search)

    async def entries(self, sought: Sought) -> list[tuple[int, Entry]]:
        """See Store."""
        async with self.reading() as connection:
            return await lists.entries_like(connection, sought)

    async def entry(self, request: str) -> Entry | None:
        """See Store."""
        async with self.reading() as connection:
            return await lists.entry_by(connection, request)

    async def observations(
        self, module: str | None, probe: str | None = None, *, since: datetime, until: datetime, limit: int
    ) -> list[tuple[Observation, Result]]:
        """See Store."""
        async with self.reading() as connection:
            return await queries.judged(connection, module, probe, since, until, limit)

    async def bins(
        self, module: str, probes: Collection[str], places: Collection[str], grid: Grid
    ) -> dict[tuple[str, str], dict[datetime, Bin]]:
        """See Store."""
        async with self.reading() as connection:
            return await queries.binned(connection, module, probes, places, grid)

    async def versions(self, module: str, since: datetime) -> list[Version]:
        """See Store."""
        async with self.reading() as connection:
            return await queries.versions_since(connection, module, since)

    async def rename(self, aliases: Mapping[str, str]) -> None:
        """See Store."""
        if aliases:
            async with self.writing() as connection:
                if await renaming.is_stored(connection, aliases):
                    await days.rewind(connection, 0)
                await renaming.rename(connection, aliases)
            self._forget()

    async def sweep(self, now: datetime, keep_observations: timedelta, keep_rollups: timedelta) -> int:
        """See Store. Each batch is a transaction of its own; commits take their turns in between."""
        swept = await self._sweep_runs(micros(now - keep_observations))
        hours = select(rollups.c.hour).where(rollups.c.hour < micros(now - keep_rollups))
        oldest = hours.order_by(rollups.c.hour).limit(1).scalar_subquery()
        gone = await self._sweep(delete(rollups).where(rollups.c.hour == oldest))
        if gone:
            self._past.forget()
        told = now - max(keep_observations, KEPT_AT_LEAST)
        async with self.writing() as connection:
            old_ones = and_(happenings.c.at < micros(told), happenings.c.document.is_not(None))
            await connection.execute(update(happenings).where(old_ones).values(document=None))
            await connection.execute(delete(marks).where(marks.c.at < micros(now - FORGOTTEN)))
        over = now - max(keep_rollups, KEPT_AT_LEAST)
        more = True
        while more:
            async with self.writing() as connection:
                more = await telling.forget(connection, micros(over), micros(told), _SWEEP_AT_ONCE)
        return swept + gone

    async def _sweep_runs(self, before: int) -> int:
        async with self.reading() as connection:
            left = list((await connection.execute(select(sources.c.id))).scalars())
        swept = 0
        if self._months is not None:
            with suppress(StoreFailed):  # somebody reads for long: the next sweep tries again
                async with self.writing() as connection:
                    swept += await self._months.drop(connection, before)
        while left:
            async with self.writing() as connection:
                room = _SWEEP_AT_ONCE
                while left and room > 0:
                    gone = await sweep_source(connection, left[-1], before, room)
                    if gone < room:
                        left.pop()
                    room, swept = room - gone, swept + gone
            await asyncio.sleep(0)
        async with self.writing() as connection:
            if await sweep_forms(connection, before):
                self._runs.forget()
        return swept

    async def _sweep(self, batch: Executable) -> int:
        swept = 0
        while True:
            async with self.writing() as connection:
                count = (await connection.execute(batch)).rowcount
            if count <= 0:
                return swept
            swept += count
            await asyncio.sleep(0)

    async def check(self) -> list[str]:
        """See Store."""
        async with self.reading() as connection:
            return await problems(connection)

    async def seed(
        self,
        transitions: Iterable[Transition],
        incidents: Iterable[Incident],
        rollups: Iterable[Rollup],
        runs: Iterable[Keep] = (),
    ) -> None:
        """See Store."""
        statements = self._statements
        transitions = list(transitions)
        async with self.writing() as connection:
            if transitions:
                await days.rewind(connection, micros(min(one.since for one in transitions)))
            for statement, rows in (
                (statements.transition, (transition_row(one) for one in transitions)),
                (statements.incident, (incident_row(one) for one in incidents)),
            ):
                while some := list(islice(rows, _SEED_AT_ONCE)):
                    await connection.execute(statement, some)
            await self.store_runs(connection, (observation_row(one) for one in runs))
            hours = map(rollup_row, rollups)
            while portion := list(islice(hours, _SEED_AT_ONCE)):
                await statements.rollups.write(connection, portion)
        self._forget()

    async def store_runs(self, connection: AsyncConnection, rows: Iterable[Row]) -> None:
        """Stores rows of `rows.observation_row` that are not there yet, some thousands at a time."""
        rows = iter(rows)
        while some := list(islice(rows, _SEED_AT_ONCE)):
            await self._runs.write_rows(connection, some)

    def _meet(self, connection: AsyncConnection) -> None:
        """A new connection may lead to another server, which took over before all that we wrote had come to it."""
        if self._months is not None and not connection.info.get("met"):
            connection.info["met"] = True
            self._forget()

    def _forget(self) -> None:
        """What is over was changed, or may have been."""
        self._tally.forget()
        self._runs.forget()
        self._past.forget()
        self._changed += 1

    async def close(self) -> None:
        """See Store."""
        async with self._turn:
            await self.reader.dispose()
            await self.writer.dispose()
            if self.leases is not None:
                await self.leases.close()
            if self._hold is not None:
                self._hold.release()
