"""SqlOutbox: the letters that wait and what became of the others, over SQLite or PostgreSQL.

A letter is claimed by one update of its row: whoever else tries the same finds it taken. A claim ends by itself, so
what was on its way when a process died is sent again.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql import ColumnElement

from monitor.core.outbox import WAITING, Letter, State
from monitor.core.outcome import Course, Happening, courses
from monitor.store import Claim
from monitor.store.postal import happening_of, letter_of, letter_row, snapshot_of
from monitor.store.rows import micros
from monitor.store.schema import happenings, outbox

Connected = Callable[[], AbstractAsyncContextManager[AsyncConnection]]

_AT_ONCE = 200  # incidents in one look-up
_WAITING = [state.value for state in WAITING]


class SqlOutbox:
    """See Outbox."""

    def __init__(self, reading: Connected, writing: Connected, alone: bool) -> None:
        self._reading = reading
        self._writing = writing
        self._alone = alone  # no other process can have this store

    async def begin(self) -> None:
        """See Outbox."""
        if self._alone:
            async with self._writing() as connection:
                sending = update(outbox).where(outbox.c.state == State.SENDING.value)
                await connection.execute(sending.values(state=State.PENDING.value, claimed_until=None))

    async def waiting(self) -> list[Letter]:
        """See Outbox."""
        query = select(outbox).where(outbox.c.state.in_(_WAITING))
        return await self._letters(query.order_by(outbox.c.at, outbox.c.incident, outbox.c.seq, outbox.c.channel))

    async def claim(self, letter: Letter, token: str, now: datetime) -> Claim | None:
        """See Outbox."""
        free = or_(
            outbox.c.state == State.PENDING.value,
            and_(outbox.c.state == State.SENDING.value, outbox.c.claimed_until < micros(now)),
        )
        async with self._writing() as connection:
            taken = update(outbox).where(_is(letter), free).values(letter_row(letter, token))
            if (await connection.execute(taken)).rowcount != 1:
                return None
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
        mine = outbox.c.state.in_(_WAITING) if token is None else outbox.c.claim_token == token
        async with self._writing() as connection:
            settled = update(outbox).where(_is(letter), mine).values(letter_row(letter))
            if (await connection.execute(settled)).rowcount != 1:
                return False
            for one in folded:
                waits = outbox.c.state.in_(_WAITING)
                await connection.execute(update(outbox).where(_is(one), waits).values(letter_row(one)))
        return True

    async def post(self, letters: Sequence[Letter]) -> None:
        """See Outbox."""
        async with self._writing() as connection:
            dialect = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement = dialect(outbox).on_conflict_do_nothing()
            await connection.execute(statement, [letter_row(one) for one in letters])

    async def revive(self, letter: Letter) -> bool:
        """See Outbox."""
        dead = outbox.c.state == State.DEAD.value
        async with self._writing() as connection:
            changed = update(outbox).where(_is(letter), dead).values(letter_row(letter))
            return (await connection.execute(changed)).rowcount == 1

    async def letters(
        self, channel: str | None = None, state: str | None = None, *, limit: int, offset: int = 0
    ) -> list[Letter]:
        """See Outbox."""
        query = select(outbox)
        if channel is not None:
            query = query.where(outbox.c.channel == channel)
        if state is not None:
            query = query.where(outbox.c.state == state)
        newest = query.order_by(outbox.c.at.desc(), outbox.c.incident, outbox.c.seq.desc(), outbox.c.channel)
        return await self._letters(newest.limit(limit).offset(offset))

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
                letters += [letter_of(dict(row)) for row in (await connection.execute(ordered)).mappings()]
        return courses(happened, letters)

    async def counts(self) -> dict[tuple[str, str], int]:
        """See Outbox."""
        query = select(outbox.c.channel, outbox.c.state, func.count()).group_by(outbox.c.channel, outbox.c.state)
        async with self._reading() as connection:
            return {(channel, state): count for channel, state, count in await connection.execute(query)}

    async def _letters(self, query: Select[Any]) -> list[Letter]:
        async with self._reading() as connection:
            return [letter_of(dict(row)) for row in (await connection.execute(query)).mappings()]


def _is(letter: Letter) -> ColumnElement[bool]:
    return and_(outbox.c.incident == letter.incident, outbox.c.seq == letter.seq, outbox.c.channel == letter.channel)
