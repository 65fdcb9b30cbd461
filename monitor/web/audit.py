"""Audit: the log of what people did and tried, as JSON."""

from aiohttp import web

from monitor.core.effect import Refusal
from monitor.core.entry import ACTS, Entry, Sought, is_act, key_as_sent
from monitor.core.observation import stamp
from monitor.web.counter import API, Counter, json_answer, refusal, refusal_of
from monitor.web.paging import Query, cursor_of, limit_of, linked, moment_of, next_of, word_of

Page = tuple[list[Entry], str | None]  # lines, the newest first, and where the next page is


def audit_route(counter: Counter) -> web.RouteDef:
    """The request for the audit log."""

    async def listed(request: web.Request) -> web.Response:
        """A page of it, the newest first."""
        entries, more = await audit_page(request, counter, request.query)
        return linked(await json_answer(_object, entries, more), more)

    return web.get(f"{API}/audit", listed)


async def audit_page(request: web.Request, counter: Counter, query: Query) -> Page:
    """The page that is asked for by what stands in the address. Raises the answer for what cannot be asked, and where
    the store does not answer."""
    after, limit = cursor_of(query, int), limit_of(query)
    act = word_of(query, "act")
    if act is not None and not is_act(act):
        raise refusal(400, f"`act` is one of {', '.join(ACTS)}, or the part before the dot")
    sought = Sought(
        by=word_of(query, "by"),
        act=act,
        subject=word_of(query, "subject"),
        since=moment_of(query, "since"),
        until=moment_of(query, "until"),
        before=None if after is None else after[0],
        limit=limit,
    )
    found = await counter.entries(sought)
    if isinstance(found, Refusal):
        raise refusal_of(found)
    last = found[limit - 1][0] if len(found) > limit else None
    return [entry for _, entry in found[:limit]], next_of(request, None if last is None else (last,))


def _object(entries: list[Entry], more: str | None) -> dict[str, object]:
    return {"entries": [entry_object(one) for one in entries], "next": more}


def entry_object(entry: Entry) -> dict[str, object]:
    """One line."""
    return {
        "id": entry.id,
        "at": stamp(entry.at),
        "by": entry.by,
        "how": entry.how,
        "from": entry.address,
        "act": entry.act,
        "subject": entry.subject or None,
        "outcome": entry.outcome,
        "detail": dict(entry.detail),
        "request": key_as_sent(entry.request),
    }
