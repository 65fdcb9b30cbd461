"""SqlOutbox: the letters that wait and what became of the others, over SQLite or PostgreSQL.

A letter is claimed under a lock of its row (`FOR UPDATE SKIP LOCKED`; SQLite has one writer, whose transactions take
the lock of the whole file at once): whoever else tries the same finds it taken. A claim ends by itself, so what was on
its way when a process died is sent again.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Table, and_, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from monitor.core.outbox import OVER, WAITING, Letter, Place, State, is_free
from monitor.core.outcome import Course, Happening, courses
from monitor.store.contract import Claim
from monitor.store.postal import FREE, found_letter, happening_of, letter_row, snapshot_of, taken_row
from monitor.store.rows import micros
from monitor.store.schema import happenings, outbox, posted
from monitor.store.statements import insert_of
from monitor.store.whole import in_time

Connected = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_AT_ONCE = 200  # incidents in one look-up
_WAITING = [state.value for state in WAITING]
_OVER = [state.value for state in OVER]


class SqlOutbox:
    """See Outbox."""

    def __init__(self, where: str, reading: Connected, writing: Connected, alone: bool) -> None:
        self._where = where
        self._reading = reading
        self._writing = writing
        self._alone = alone  # no other process can have this store

    async def begin(self, owner: str = "") -> list[Letter]:
        """See Outbox."""
        mine = outbox.c.state == State.SENDING.value
        if not self._alone:
            mine = and_(mine, outbox.c.claim_token.startswith(owner, autoescape=True))
        if self._alone or owner:
            async with self._writing() as connection:
                await connection.execute(update(outbox).where(mine).values(FREE))
        # No index leads to these, so all there is is read; once.
        return await self._letters(select(outbox).where(outbox.c.state.not_in([*_WAITING, *_OVER])))

    async def waiting(self) -> list[Letter]:
        """See Outbox."""
        query = select(outbox).where(outbox.c.state.in_(_WAITING))
        return await self._letters(query.order_by(outbox.c.at, outbox.c.incident, outbox.c.seq, outbox.c.channel))

    async def claim(self, letter: Letter, token: str, now: datetime, folded: Sequence[Letter] = ()) -> Claim | None:
        """See Outbox."""
        return await in_time(self._claim(letter, token, now, folded), self._where)

    async def _claim(self, letter: Letter, token: str, now: datetime, folded: Sequence[Letter]) -> Claim | None:
        """Rows that another transaction is at are passed over, and so is the letter then."""
        of_both = and_(outbox.c.incident == letter.incident, outbox.c.channel == letter.channel)
        waiting = and_(of_both, outbox.c.state.in_(_WAITING), outbox.c.seq <= letter.seq)
        wanted = {letter.seq, *(one.seq for one in folded)}
        async with self._writing() as connection:
            there = set((await connection.execute(select(outbox.c.seq).where(waiting))).scalars())
            if there != wanted:
                return None
            rows = (
                await connection.execute(select(outbox).where(waiting).with_for_update(skip_locked=True))
            ).mappings()
            free = {row["seq"] for row in rows if is_free(found_letter(dict(row)), now)}
            if free != wanted:
                return None
            await connection.execute(update(outbox).where(_is(letter)).values(letter_row(letter, token)))
            if folded:
                with_it = and_(of_both, outbox.c.seq.in_([one.seq for one in folded]))
                await connection.execute(update(outbox).where(with_it).values(taken_row(letter, token)))
            same = and_(happenings.c.incident == letter.incident, happenings.c.seq == letter.seq)
            row = (await connection.execute(select(happenings).where(same))).mappings().one_or_none()
            known = select(outbox.c.external).where(
                outbox.c.incident == letter.incident,
                outbox.c.channel == letter.channel,
                outbox.c.external.is_not(None),
            )
            external = (await connection.execute(known.order_by(outbox.c.seq.desc()).limit(1))).scalar()
        return Claim(None if row is None else snapshot_of(row), external)

    async def settle(self, letter: Letter, folded: Sequence[Letter], token: str | None) -> bool:
        """See Outbox."""
        return await in_time(self._settle(letter, folded, token), self._where)

    async def _settle(self, letter: Letter, folded: Sequence[Letter], token: str | None) -> bool:
        mine = outbox.c.state.not_in(_OVER) if token is None else outbox.c.claim_token == token
        async with self._writing() as connection:
            settled = update(outbox).where(_is(letter), mine).values(letter_row(letter))
            if (await connection.execute(settled)).rowcount != 1:
                return False
            for one in folded:
                waits = outbox.c.state.in_(_WAITING)
                await connection.execute(update(outbox).where(_is(one), waits).values(letter_row(one)))
            if token is not None:
                rest = and_(outbox.c.incident == letter.incident, outbox.c.claim_token == token)
                await connection.execute(update(outbox).where(rest).values(FREE))
        return True

    async def post(self, letters: Sequence[Letter]) -> None:
        """See Outbox."""
        await in_time(self._post(letters), self._where)

    async def _post(self, letters: Sequence[Letter]) -> None:
        async with self._writing() as connection:
            await connection.execute(_new(connection, outbox), [letter_row(one) for one in letters])

    async def post_once(self, letters: Mapping[str, Sequence[Letter]], now: datetime) -> list[str]:
        """See Outbox."""
        return await in_time(self._post_once(letters, now), self._where)

    async def _post_once(self, letters: Mapping[str, Sequence[Letter]], now: datetime) -> list[str]:
        """Names and letters in one transaction; in order of name, so that two that post the same wait for each other
        and not for ever."""
        fresh = []
        async with self._writing() as connection:
            for name, some in sorted(letters.items()):
                row = {"name": name, "at": micros(now)}
                if (await connection.execute(_new(connection, posted).values(row))).rowcount != 1:
                    continue
                fresh.append(name)
                if some:
                    await connection.execute(_new(connection, outbox), [letter_row(one) for one in some])
        return fresh

    async def posted(self, names: Collection[str]) -> set[str]:
        """See Outbox."""
        async with self._reading() as connection:
            return set((await connection.execute(select(posted.c.name).where(posted.c.name.in_(names)))).scalars())

    async def revive(self, letter: Letter) -> bool:
        """See Outbox."""
        return await in_time(self._revive(letter), self._where)

    async def _revive(self, letter: Letter) -> bool:
        dead = outbox.c.state == State.DEAD.value
        async with self._writing() as connection:
            changed = update(outbox).where(_is(letter), dead).values(letter_row(letter))
            return (await connection.execute(changed)).rowcount == 1

    async def letters(
        self, channel: str | None = None, state: str | None = None, *, limit: int, after: Place | None = None
    ) -> list[Letter]:
        """See Outbox."""
        query, o = select(outbox), outbox.c
        if channel is not None:
            query = query.where(o.channel == channel)
        if state is not None:
            query = query.where(o.state == state)
        if after is not None:
            query = query.where(tuple_(o.at, o.incident, o.seq, o.channel) < tuple_(micros(after[0]), *after[1:]))
        newest = query.order_by(o.at.desc(), o.incident.desc(), o.seq.desc(), o.channel.desc())
        return await self._letters(newest.limit(limit))

    async def courses(self, incidents: Sequence[str]) -> dict[str, Course]:
        """See Outbox."""
        happened: list[Happening] = []
        letters: list[Letter] = []
        async with self._reading() as connection:
            for start in range(0, len(incidents), _AT_ONCE):
                some = incidents[start : start + _AT_ONCE]
                events = select(happenings).where(happenings.c.incident.in_(some))
                found = await connection.execute(events.order_by(happenings.c.incident, happenings.c.seq))
                happened += map(happening_of, found.mappings())
                query = select(outbox).where(outbox.c.incident.in_(some))
                ordered = query.order_by(outbox.c.incident, outbox.c.seq, outbox.c.channel)
                letters += [found_letter(dict(row)) for row in (await connection.execute(ordered)).mappings()]
        return courses(happened, letters)

    async def counts(self) -> dict[tuple[str, str], int]:
        """See Outbox."""
        query = select(outbox.c.channel, outbox.c.state, func.count()).group_by(outbox.c.channel, outbox.c.state)
        async with self._reading() as connection:
            return {(channel, state): count for channel, state, count in await connection.execute(query)}

    async def _letters(self, query: Select[Any]) -> list[Letter]:
        async with self._reading() as connection:
            return [found_letter(dict(row)) for row in (await connection.execute(query)).mappings()]


def _new(connection: AsyncConnection, table: Table) -> Any:
    """Stores rows of a table; those whose key is known stay as they are."""
    return insert_of(connection.dialect)(table).on_conflict_do_nothing()


def _is(letter: Letter) -> ColumnElement[bool]:
    return and_(outbox.c.incident == letter.incident, outbox.c.seq == letter.seq, outbox.c.channel == letter.channel)
