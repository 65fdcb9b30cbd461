"""Telling: what was said of incidents, and to whom, as long as anybody may ask.

Of an incident its events, its letters and who heard of it go together, so that nobody reads half of a story.
"""

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.outbox import WAITING
from monitor.store.schema import happenings, incidents, outbox, told


async def forget(connection: AsyncConnection, over: int, own: int, at_once: int) -> bool:
    """Deletes what was said of at most so many incidents that were over at the moment `over` and have nothing left to
    be told, and what is about no incident, settled and older than `own`; whether there may be more."""
    i = incidents.c
    something = or_(*(exists().where(table.c.incident == i.id) for table in (happenings, outbox, told)))
    due = exists().where(told.c.incident == i.id, told.c.due_at.is_not(None))
    old = select(i.id).where(i.resolved_at < over, something, ~due).limit(at_once)
    ids = list((await connection.execute(old)).scalars())
    for table in (happenings, outbox, told) if ids else ():
        await connection.execute(delete(table).where(table.c.incident.in_(ids)))
    settled = outbox.c.state.not_in([state.value for state in WAITING])
    of_none = and_(outbox.c.at < own, settled, ~exists().where(i.id == outbox.c.incident))
    await connection.execute(delete(outbox).where(of_none))
    return len(ids) == at_once
