"""Login: the door of the dashboard. Whoever has the token gets a session; without a token set, a name alone does."""

from dataclasses import replace
from typing import Any

from aiohttp import web

from monitor.core.effect import Answered, Deed, Refusal
from monitor.web.access import SESSIONS, cookie_name, is_own_page, is_secure, require_here, session_of
from monitor.web.counter import said
from monitor.web.dashboard import HEADERS, HOME, Dashboard
from monitor.web.form import form_of
from monitor.web.session import LASTS, same
from monitor.web.spoken import author


class Door:
    """The handlers."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._token = dashboard.counter.token

    def routes(self) -> list[web.RouteDef]:
        """In and out."""
        return [
            web.get(f"{HOME}/login", self.shown),
            web.post(f"{HOME}/login", self.enter),
            web.post(f"{HOME}/logout", self.leave),
        ]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """The page that asks who you are."""
        if not self._token:
            require_here(request)
        return await self._page(request)

    async def _page(self, request: web.Request, status: int = 200, **about: Any) -> web.Response:
        return await self._dashboard.print(request, "login", status, **{"to": HOME, "again": "", **about})

    async def enter(self, request: web.Request) -> web.StreamResponse:
        """A session for whoever has the token."""
        if not self._token:
            require_here(request)
        if not is_own_page(request):
            return await self._page(request, 403, refused="Not from a page of another site.")
        sessions, address = request.config_dict[SESSIONS], request.remote or ""
        wait = sessions.wait(address)
        if wait > 0:
            page = await self._page(request, 429, refused="Too many wrong tokens: try again in a minute.")
            page.headers["Retry-After"] = str(int(wait) + 1)
            return page
        try:
            form = await form_of(request)
            by = author({"author": form.typed.get("author")})
        except web.HTTPException as error:
            return await self._page(request, error.status, refused=(error.text or error.reason).strip())
        except ValueError as error:
            return await self._page(request, 400, refused=str(error))
        if self._token and not same(str(form.typed.get("token", "")).strip(), self._token):
            sessions.failed(address)
            self._record("session.refused", request, by, Refusal("wrong", "that is not the token"))
            return await self._page(request, 401, refused="That is not the token.", to=str(form.typed.get("to", "")))
        sessions.end(request.cookies.get(cookie_name(request), ""))
        self._record("session.login", request, by)
        response = self._gone(f"../{_inside(str(form.typed.get('to', '')))}")
        response.set_cookie(
            cookie_name(request),
            sessions.begin(by),
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
        if session is None:
            return self._gone("login")
        form = await self._dashboard.form(request)
        if isinstance(form, web.Response):
            return form
        request.config_dict[SESSIONS].end(request.cookies.get(cookie_name(request), ""))
        self._record("session.logout", request, session.by)
        response = self._gone("login")
        response.del_cookie(cookie_name(request), path="/", httponly=True, samesite="Strict", secure=is_secure(request))
        return response

    def _record(self, act: str, request: web.Request, by: str | None, refusal: Refusal | None = None) -> None:
        told = replace(said(request, self._dashboard.counter, Deed(act), {}), by=by, how="session", digest=None)
        self._dashboard.counter.record(told, Answered(refusal=refusal))

    def _gone(self, where: str) -> web.Response:
        return web.Response(status=303, headers={**HEADERS, "Location": where})


def _inside(to: str) -> str:
    """A page of the dashboard, by its path below our root; its home where something else is asked for."""
    parts = to.strip("/").split("/")
    plain = all(part and part.replace("-", "").replace("_", "").isalnum() and part.isascii() for part in parts)
    known = plain and len(parts) <= 3 and parts[0] == HOME.strip("/") and parts[1:2] != ["login"]
    return "/".join(parts) if known else HOME.strip("/")
