"""Logins: who has logged in with which browser, and how that ends. People see and end their own, operators all."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from aiohttp import web

from monitor.core.effect import Answered, Deed
from monitor.core.observation import stamp
from monitor.core.roster import Person
from monitor.web.access import SESSIONS, is_still_in, person_of, session_of
from monitor.web.counter import API, Counter, json_answer, refusal, said
from monitor.web.dashboard import HEADERS, HOME, Dashboard
from monitor.web.form import form_of
from monitor.web.session import Session

OTHERS, ALL = "others", "all"  # of one's own


class Logins:
    """The handlers."""

    def __init__(self, counter: Counter, dashboard: Dashboard | None) -> None:
        self._counter = counter
        self._dashboard = dashboard

    def routes(self) -> list[web.RouteDef]:
        """For programs, and for people where pages are printed."""
        found = [web.get(f"{API}/sessions", self.listed), web.delete(f"{API}/sessions/{{id}}", self.ended)]
        if self._dashboard is not None:
            found += [web.get(f"{HOME}/sessions", self.shown), web.post(f"{HOME}/sessions/end", self.end)]
        return found

    async def listed(self, request: web.Request) -> web.Response:
        """Sessions, the one used last first."""
        return await json_answer(dict, {"sessions": [_object(one) for one in self._seen(request)]})

    async def ended(self, request: web.Request) -> web.Response:
        """One session opens nothing from now on."""
        if not self._end(request, request.match_info["id"]):
            raise refusal(404, "there is no such session")
        return web.Response(status=204)

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """The same as a page."""
        assert self._dashboard is not None
        return await self._dashboard.print(request, "sessions", sessions=list(self._seen(request)))

    async def end(self, request: web.Request) -> web.StreamResponse:
        """Ends the one that was chosen, or all of one's own, this one aside or not."""
        self._end(request, str((await form_of(request)).typed.get("which", "")))
        where = "../sessions" if is_still_in(request) else "../login"
        return web.Response(status=303, headers={**HEADERS, "Location": where})

    def _seen(self, request: web.Request) -> Iterator[Mapping[str, Any]]:
        """The sessions that whoever asks may see and end, with their times."""
        now, mine = self._counter.clock.now(), session_of(request)
        for one, idle in request.config_dict[SESSIONS].listed():
            if one.person is not None and _may_end(request, one):
                yield {
                    "id": one.id,
                    "person": one.person,
                    "since": one.since,
                    "seen": now - timedelta(seconds=idle),
                    "address": one.address,
                    "browser": one.browser,
                    "current": mine is not None and mine.id == one.id,
                }

    def _end(self, request: web.Request, which: str) -> int:
        """How many have ended: the one of this id, or one's own."""
        mine = session_of(request)

        def meant(one: Session) -> bool:
            if which in (OTHERS, ALL):
                return _is_own(request, one) and (which == ALL or mine is None or one.id != mine.id)
            return one.id == which and _may_end(request, one)

        ended: int = request.config_dict[SESSIONS].end(meant)
        if ended:
            told = said(request, self._counter, Deed("session.revoked", which, {"sessions": ended}), {})
            self._counter.record(replace(told, digest=None), Answered())
        return ended


def _may_end(request: web.Request, session: Session) -> bool:
    person = person_of(request)
    return person is not None and (person.may_change or _is_own(request, session))


def _is_own(request: web.Request, session: Session) -> bool:
    """Whether it is of whoever asks. Of those without a name nobody knows more than that they are in this one."""
    mine, person = session_of(request), person_of(request)
    if mine is not None and mine.id == session.id:
        return True
    return person is not None and person.name is not None and _same(person, session.person)


def _same(one: Person, other: Person | None) -> bool:
    return other is not None and (one.name, one.how) == (other.name, other.how)


def _object(one: Mapping[str, Any]) -> dict[str, Any]:
    person: Person = one["person"]
    return {
        "id": one["id"],
        "name": person.name,
        "role": person.role.value,
        "how": person.how.value,
        "since": stamp(one["since"]),
        "seen_at": stamp(one["seen"]),
        "address": one["address"],
        "browser": one["browser"],
        "current": one["current"],
    }
