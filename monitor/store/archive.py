"""Archive: the whole past from a moment on, read once for whoever reckons with it, and kept by nobody."""

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.history import History
from monitor.store.past import Moves
from monitor.store.queries import maintenances_since, rows_of
from monitor.store.rows import gap_of, incident_of, micros
from monitor.store.schema import gaps, incidents


async def archive(connection: AsyncConnection, since: datetime) -> History:
    """See Store.archive."""
    moves = Moves(since)
    await moves.begin(connection)
    i, start = incidents.c, micros(since)
    kept = select(incidents).where(or_(i.resolved_at.is_(None), i.resolved_at > start))
    ended = select(gaps).where(or_(gaps.c.until.is_(None), gaps.c.until > start))
    return History(
        transitions=moves.found,
        incidents=tuple(
            incident_of(row) for row in await rows_of(connection, kept.order_by(i.started_at.desc(), i.id.desc()))
        ),
        gaps=tuple(gap_of(row) for row in await rows_of(connection, ended.order_by(gaps.c.since, gaps.c.location))),
        maintenances=await maintenances_since(connection, since),
    )
