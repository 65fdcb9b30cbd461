"""Archive: the whole past from a moment on, read once for whoever reckons with it, and kept by nobody."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.module import Status
from monitor.store.past import wanted_since
from monitor.store.queries import maintenances_since, rows_of
from monitor.store.rows import gap_of, incident_of, instant, micros
from monitor.store.schema import gaps, incidents, transitions


async def archive(connection: AsyncConnection, since: datetime) -> History:
    """See Store.archive."""
    i, start = incidents.c, micros(since)
    kept = select(incidents).where(or_(i.resolved_at.is_(None), i.resolved_at > start))
    ended = select(gaps).where(or_(gaps.c.until.is_(None), gaps.c.until > start))
    return History(
        transitions=await _transitions(connection, since),
        incidents=tuple(
            incident_of(row) for row in await rows_of(connection, kept.order_by(i.started_at.desc(), i.id.desc()))
        ),
        gaps=tuple(gap_of(row) for row in await rows_of(connection, ended.order_by(gaps.c.since, gaps.c.location))),
        maintenances=await maintenances_since(connection, since),
    )


async def _transitions(connection: AsyncConnection, since: datetime) -> dict[str, tuple[Transition, ...]]:
    """Changes of status by module, in order of decision. A year has thousands, so rows are taken as plain tuples."""
    t = transitions.c
    query = select(t.module, t.since, t.at, t.before, t.after).where(wanted_since(since))
    found: defaultdict[str, list[Transition]] = defaultdict(list)
    for module, began, at, before, after in (await connection.execute(query.order_by(t.module, t.at, t.id))).all():
        dated = instant(began)
        decided = dated if at == began else instant(at)
        found[module].append(Transition(module, _STATUS[before], _STATUS[after], decided, dated))
    return {module: tuple(moves) for module, moves in found.items()}


_STATUS = {one.value: one for one in Status}
