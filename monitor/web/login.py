"""Login: the door of the dashboard. It finds out who somebody is and gives that person a session.

A way of finding out takes what was typed and gives a `Person` with what let it in, or None. There are three: a user's
password, a token, and, where nobody is named, the word of whoever sits at this machine. An identity provider would
stand beside them, and nothing else would change.
"""

import asyncio
import hmac
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aiohttp import web

from monitor.core.effect import Answered, Deed, Refusal
from monitor.core.roster import How, Person, Role, Roster
from monitor.web.access import (
    ELSEWHERE,
    SESSIONS,
    cookie_name,
    cookie_of,
    is_own_page,
    is_secure,
    require_here,
    session_of,
)
from monitor.web.counter import said as said_by
from monitor.web.dashboard import HEADERS, HOME, Dashboard
from monitor.web.form import form_of
from monitor.web.guesses import Guesses
from monitor.web.origin import origin_of
from monitor.web.session import LASTS, Opener, browser_of, same
from monitor.web.spoken import author

log = logging.getLogger(__name__)

ATTEMPTS = 5  # wrong ones a minute, from one address or under one name
ATTEMPTS_OF_ALL = 50  # … and from everybody together
WAITING = 10  # passwords that wait to be checked; a check takes 128 MiB and a third of a second, so they take turns
LONGEST_PASSWORD = 1000  # characters

GUESSES = web.AppKey("guesses", Guesses)
Typed = Mapping[str, Any]
Let = tuple[Person, Opener]


class Busy(Exception):
    """Too many passwords wait to be checked."""


class Door:
    """The handlers."""

    def __init__(self, dashboard: Dashboard, trusted_proxies: Sequence[str] = ()) -> None:
        self._dashboard = dashboard
        self._trusted_proxies = trusted_proxies
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    def routes(self) -> list[web.RouteDef]:
        """In and out."""
        return [
            web.get(f"{HOME}/login", self.shown),
            web.post(f"{HOME}/login", self.enter),
            web.post(f"{HOME}/logout", self.leave),
        ]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """The page that asks who you are."""
        if self._roster.is_empty:
            require_here(request)
        return await self._page(request)

    @property
    def _roster(self) -> Roster:
        return self._dashboard.counter.roster()

    async def _page(self, request: web.Request, status: int = 200, **about: Any) -> web.Response:
        return await self._dashboard.print(request, "login", status, **{"to": HOME, "again": "", **about})

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """A session for whoever it is; or the page again, with the reason."""
        if self._roster.is_empty:
            require_here(request)
        if not is_own_page(request):
            return await self._page(request, 403, refused=ELSEWHERE)
        try:
            typed = (await form_of(request)).typed
            said = author({"author": typed.get("author")})
        except web.HTTPException as error:
            return await self._page(request, error.status, refused=(error.text or error.reason).strip())
        except ValueError as error:
            return await self._page(request, 400, refused=str(error))
        address, name = origin_of(request, self._trusted_proxies), _word(typed, "name")
        guesses = request.config_dict[GUESSES]
        mark = guesses.take(f"at {address}", *([f"as {name}"] if name else []))
        if isinstance(mark, float):
            return await self._wait(request, mark, "Too many wrong tries: try again in a minute.")
        try:
            let = await self._known(typed, said)
        except Busy:
            guesses.right(mark)  # nobody looked at it
            return await self._wait(request, 2, "Too many log in at once: try again in a moment.")
        to = str(typed.get("to", ""))
        if let is None:
            log.warning("a login %sis refused, from %s", f"of {name} " if self._roster.user(name) else "", address)
            why = "That is not the token." if not name else "The name or the password is wrong."
            self._record("session.refused", request, name if self._roster.user(name) else said, Refusal("wrong", why))
            return await self._page(request, 401, refused=why, to=to, typed={"name": name})
        guesses.right(mark)
        log.info("%s is logged in, from %s", let[0].name or "somebody", address)
        self._record("session.login", request, let[0].name)
        return self._let_in(request, *let, to)

    async def _known(self, typed: Typed, said: str | None) -> Let | None:
        """Whoever it is, by the first of the ways that fits what was typed. Raises Busy."""
        if self._roster.is_empty:
            return Person(said, Role.OPERATOR, How.HERE), None
        if _word(typed, "name"):
            return await self._by_password(_word(typed, "name"), str(typed.get("password", "")))
        return self._by_token(_word(typed, "token"), said)

    async def _by_password(self, name: str, password: str) -> Let | None:
        """A user. A name that nobody has takes as long as one with a wrong password."""
        roster = self._roster
        user = roster.user(name)
        kept = user.password if user is not None else roster.decoy
        if kept is None or len(password) > LONGEST_PASSWORD:
            return None
        if self._waiting >= WAITING:
            raise Busy
        self._waiting += 1
        try:
            async with self._turn:
                derived = await asyncio.to_thread(kept.derived, password)
        finally:
            self._waiting -= 1
        right = hmac.compare_digest(derived, kept.hash)
        return (user.person, user) if right and user is not None and user in self._roster.users else None

    def _by_token(self, text: str, said: str | None) -> Let | None:
        """A program's token in somebody's hand, who may say their name where the token has none."""
        found = [one for one in self._roster.tokens if same(text, one.text)]
        if not found:
            return None
        person = found[0].person
        return (person if person.known else Person(said, person.role, person.how)), found[0]

    def _let_in(self, request: web.Request, person: Person, opener: Opener, to: str) -> web.Response:
        """A new session under a new cookie: the one that came along is worth nothing any more, whoever set it."""
        sessions = request.config_dict[SESSIONS]
        self._end(request)
        cookie = sessions.begin(
            person,
            opener,
            self._dashboard.counter.clock.now(),
            origin_of(request, self._trusted_proxies),
            browser_of(request.headers.get("User-Agent", "")),
        )
        response = _gone(f"../{_inside(to)}")
        response.set_cookie(
            cookie_name(request),
            cookie,
            max_age=int(LASTS),
            path="/",
            httponly=True,
            samesite="Strict",
            secure=is_secure(request),
        )
        return response

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """The session ends here and now, whoever else has its cookie."""
        session = session_of(request)
        self._end(request)
        if session is not None:
            self._record("session.logout", request, session.person.name if session.person else None)
        response = _gone("login")
        response.del_cookie(cookie_name(request), path="/", httponly=True, samesite="Strict", secure=is_secure(request))
        return response

    def _end(self, request: web.Request) -> None:
        sessions = request.config_dict[SESSIONS]
        session = sessions.of(cookie_of(request))
        if session is not None:
            sessions.end(lambda one: one.id == session.id)

    def _record(self, act: str, request: web.Request, by: str | None, refusal: Refusal | None = None) -> None:
        counter = self._dashboard.counter
        told = replace(said_by(request, counter, Deed(act), {}), by=by, digest=None)
        counter.record(told, Answered(refusal=refusal))

    async def _wait(self, request: web.Request, seconds: float, why: str) -> web.Response:
        page = await self._page(request, 429, refused=why)
        page.headers["Retry-After"] = str(int(seconds) + 1)
        return page


def _word(typed: Typed, key: str) -> str:
    return str(typed.get(key, "")).strip()


def _gone(where: str) -> web.Response:
    return web.Response(status=303, headers={**HEADERS, "Location": where})


def _inside(to: str) -> str:
    """A page of the dashboard, by its path below our root; its home where something else is asked for."""
    parts = to.strip("/").split("/")
    plain = all(part and part.replace("-", "").replace("_", "").isalnum() and part.isascii() for part in parts)
    known = plain and len(parts) <= 3 and parts[0] == HOME.strip("/") and parts[1:2] != ["login"]
    return "/".join(parts) if known else HOME.strip("/")
