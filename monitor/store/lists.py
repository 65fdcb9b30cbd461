"""Lists: what people leaf through, page by page, however old: incidents, and the audit log."""

from dataclasses import replace

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.core.search import Search
from monitor.store.queries import rows_of
from monitor.store.rows import dumps, entry_of, incident_of, instant, micros
from monitor.store.schema import audit, incidents


async def incidents_like(connection: AsyncConnection, search: Search) -> list[Incident]:
    """See Store.incidents."""
    i = incidents.c
    query = select(incidents).where(*_wanted(search)).order_by(i.started_at.desc(), i.id.desc())
    rows = await rows_of(connection, query.limit(search.limit + 1))
    return [replace(incident_of(row), started_at=instant(row["started_at"])) for row in rows]


def _wanted(search: Search) -> list[ColumnElement[bool]]:
    """The search as conditions. What stands in the document is found by how it is written there, which no text can
    imitate: a quote inside one has a backslash before it."""
    i, found = incidents.c, list[ColumnElement[bool]]()
    match search.status:
        case None:
            pass
        case "draft":
            found.append(i.document.contains('"published_at":null', autoescape=True))
        case "open":
            found.append(i.resolved_at.is_(None))
        case "resolved":
            found.append(i.resolved_at.is_not(None))
        case _:
            found.append(i.stage == search.status)
    if search.module is not None:
        begins = (f"[{dumps(search.module)},{dumps(role)}," for role in ("root", "affected"))
        found.append(or_(*(i.document.contains(one, autoescape=True) for one in begins)))
    if search.since is not None:
        found.append(or_(i.resolved_at.is_(None), i.resolved_at > micros(search.since)))
    if search.until is not None:
        found.append(i.started_at < micros(search.until))
    if search.after is not None:
        at, id = micros(search.after[0]), search.after[1]
        found.append(or_(i.started_at < at, and_(i.started_at == at, i.id < id)))
    return found


async def entries_like(connection: AsyncConnection, sought: Sought) -> list[tuple[int, Entry]]:
    """See Store.entries."""
    a, found = audit.c, list[ColumnElement[bool]]()
    if sought.by is not None:
        found.append(a.name == sought.by)
    if sought.act is not None:
        found.append(or_(a.act == sought.act, a.act.startswith(f"{sought.act}.", autoescape=True)))
    if sought.subject is not None:
        found.append(a.subject == sought.subject)
    if sought.since is not None:
        found.append(a.at >= micros(sought.since))
    if sought.until is not None:
        found.append(a.at < micros(sought.until))
    if sought.before is not None:
        found.append(a.id < sought.before)
    rows = await rows_of(connection, select(audit).where(*found).order_by(a.id.desc()).limit(sought.limit + 1))
    return [(row["id"], entry_of(row)) for row in rows]


async def entry_by(connection: AsyncConnection, request: str) -> Entry | None:
    """See Store.entry."""
    mine = select(audit).where(audit.c.request == request, audit.c.outcome == "done")
    rows = await rows_of(connection, mine.order_by(audit.c.id.desc()).limit(1))
    return entry_of(rows[0]) if rows else None
