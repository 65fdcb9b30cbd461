"""Dashboard: `/healthcheck` for operators, its pages and its forms.

Pages come from whoever prints them; here is decided who sees them, in which language, and what a form says. A form is
read as the JSON of the API is and goes the same way, so there is one way to change something.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from monitor.core.effect import Answered, Deed, Refusal, Spoken
from monitor.core.entry import Entry
from monitor.core.plotted import choice
from monitor.web.access import SESSIONS, Refused, person_of, session_of
from monitor.web.audit import audit_page
from monitor.web.counter import STATUS, Counter, module_of, said
from monitor.web.form import Form, filled, form_of
from monitor.web.incidents import meant_id
from monitor.web.link import PATH
from monitor.web.negotiation import preferred
from monitor.web.series import Reader, chosen, unread
from monitor.web.spoken import KEYS, word_of

HOME = "/healthcheck"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",  # with less, a browser would not say where a form comes from
    "Vary": "Accept-Language, Cookie",
}
TONGUE = "monitor_lang"
FOR_EVER = "private, max-age=31536000, immutable"

ASKED = ("by", "act", "subject", "since", "until")  # what the audit log is picked by

SENT_BEFORE = "This form was sent before, with something else in it. Nothing was changed now: look at it, then send it."

About = dict[str, Any]


class Printer(Protocol):
    """Whoever prints the pages of operators. Called in worker threads."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Those of the site, the first one first."""
        ...

    def page(self, name: str, language: str, about: Mapping[str, Any]) -> bytes | None:
        """A page: `board`, `module`, `incident`, `audit`, `open`, `sessions`, `acknowledge`, `login` or `refused`; None
        where it is about nothing we know. `about` holds who looks and what of the page they asked for."""
        ...

    def asset(self, name: str) -> tuple[str, bytes] | None:
        """A file that pages ask for: its type and content."""
        ...


def probed(module: str, asked: Sequence[str] | Refusal) -> Answered:
    """What became of the wish to run a module's probes once more."""
    if isinstance(asked, Refusal):
        return Answered(module, asked, changed=False)
    return Answered(module, detail={"asked": list(asked)})


class Dashboard:
    """The handlers. `probe` runs a module's probes once more and gives their ids, or says why it does not."""

    def __init__(
        self,
        counter: Counter,
        printer: Printer,
        probe: Callable[[str], Sequence[str] | Refusal],
        series: Reader = unread,
    ) -> None:
        self.counter = counter
        self.printer = printer
        self._probe = probe
        self._series = series

    def routes(self) -> list[web.RouteDef]:
        """Every request below `/healthcheck` but the one that lets people in."""
        return [
            web.get(HOME, self._shown("board")),
            web.get(f"{HOME}/", _moved_up),
            web.get("/", _home),
            web.get(f"{HOME}/assets/{{name}}", self.asset),
            web.get(f"{HOME}/audit", self.audit),
            web.get(f"{HOME}/open", self._shown("open")),
            web.get(f"{HOME}/stores", self._shown("stores")),
            web.post(f"{HOME}/open", self._told("open")),
            web.get(f"{HOME}/modules/{{id}}", self.module),
            web.post(f"{HOME}/modules/{{id}}/probe", self.probe),
            web.get(f"{HOME}/incidents/{{id}}", self.incident),
            *(
                web.post(f"{HOME}/incidents/{{id}}/{act}", self._told(act))
                for act in KEYS
                if act not in ("open", "reply")
            ),
        ]

    # -- who looks ----------------------------------------------------------------------------------------------------

    @property
    def refusals(self) -> Middleware:
        """Whatever is refused below `/healthcheck` comes as a page."""

        @web.middleware
        async def refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                return await handler(request)
            except web.HTTPUnauthorized:
                if not is_page(request):
                    raise
                return await self.ask_to_log_in(request)
            except (Refused, web.HTTPBadRequest, web.HTTPRequestEntityTooLarge, web.HTTPUnsupportedMediaType) as error:
                if not is_page(request):
                    raise
                return await self.print(request, "refused", error.status, refused=(error.text or error.reason).strip())

        return refusals

    async def print(self, request: web.Request, name: str, status: int = 200, **about: Any) -> web.Response:
        """A page for whoever asks; raises the answer that there is none."""
        session, person = session_of(request), person_of(request)
        roster = self.counter.roster()
        language = self._language(request)
        depth = request.match_info.route.resource.canonical.count("/") if request.match_info.route.resource else 1
        known: About = {
            "base": "../" * (depth - 1) or "./",
            "users": bool(roster.users),
            "tokens": bool(roster.tokens),
            "may": person is not None and person.may_change,
            "named": session is not None,
            "by": session.person.name if session and session.person else None,
            "csrf": (session or request.config_dict[SESSIONS].anybody).csrf,
            "done": request.query.get("done", ""),
            "refused": None,
            "typed": {},
            "tried": None,
            "incident": None,
            "again": "",
            **about,
        }
        body = await asyncio.to_thread(self.printer.page, name, language, known)
        if body is None:
            missing = {**known, "refused": "There is no such page."}
            body, status = await asyncio.to_thread(self.printer.page, "refused", language, missing), 404
        headers = {**HEADERS, "Content-Type": "text/html; charset=utf-8", "Content-Language": language}
        response = web.Response(status=status, body=body, headers=headers)
        if request.query.get("lang") == language:
            response.set_cookie(TONGUE, language, path="/", httponly=True, samesite="Lax", max_age=31_536_000)
        return response

    def _language(self, request: web.Request) -> str:
        asked = (request.query.get("lang", ""), request.cookies.get(TONGUE, ""))
        return preferred(self.printer.languages, *asked, request.headers.get("Accept-Language", ""))

    # -- read ---------------------------------------------------------------------------------------------------------

    def _shown(self, name: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await self.print(request, name, id=request.match_info.get("id"))

        return handler

    async def module(self, request: web.Request) -> web.StreamResponse:
        """One module, with its plots over the window that the address names."""
        asked = chosen(self.counter, request)
        if isinstance(asked, Refusal) and asked.kind != "unknown":
            return await self._module(request, STATUS[asked.kind], refused=asked.reason)
        return await self._module(request)

    async def _module(self, request: web.Request, status: int = 200, **about: Any) -> web.Response:
        asked, id = chosen(self.counter, request), module_of(self.counter, request)
        if isinstance(asked, Refusal):  # what was asked for cannot be plotted: the page shows what it usually does
            asked = choice(self.counter.board().platform, id)
        found = asked if isinstance(asked, Refusal) else await self._series(asked)
        series = None if isinstance(found, Refusal) else found
        return await self.print(request, "module", status, id=id, series=series, **about)

    async def incident(self, request: web.Request) -> web.StreamResponse:
        """One incident, however old, with everything that can be done about it."""
        return await self._incident(request)

    async def _incident(self, request: web.Request, status: int = 200, **about: Any) -> web.Response:
        try:
            found = await self.counter.find(meant_id(self.counter, request.match_info["id"]))
        except web.HTTPException:
            found = Refusal("conflict", "several incidents begin like this")
        if isinstance(found, Refusal):
            return await self.print(request, "refused", STATUS[found.kind], refused=found.reason)
        courses = None if self.counter.courses is None else await self.counter.courses([found.id])
        course = None if courses is None else courses.get(found.id)
        return await self.print(request, "incident", status, incident=found, course=course, **about)

    async def asset(self, request: web.Request) -> web.Response:
        """The style, the script and the icon; nothing in them is anybody's secret."""
        found = await asyncio.to_thread(self.printer.asset, request.match_info["name"])
        if found is None:
            raise web.HTTPNotFound(text="There is no such file.\n")
        kind, body = found
        return web.Response(body=body, headers={**HEADERS, "Content-Type": kind, "Cache-Control": FOR_EVER})

    async def ask_to_log_in(self, request: web.Request, status: int = 401) -> web.Response:
        """The page that asks who is there. Behind a link from elsewhere a browser leaves its cookie at home, so the
        page asks for itself again, from here."""
        again = ""
        if request.headers.get("Sec-Fetch-Site") == "cross-site" and request.method == "GET":
            again = quote(request.path.rpartition("/")[2], safe="")
        return await self.print(
            request,
            "login",
            status,
            to=request.path,
            again=quote(request.path.rpartition("/")[2], safe="") if again else "",
        )

    # -- write --------------------------------------------------------------------------------------------------------

    def _told(self, act: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await self._say(request, act, await form_of(request))

        return handler

    async def _say(self, request: web.Request, act: str, form: Form) -> web.Response:
        """Takes a person's word and leads back to what it was about; or shows the form again, with the reason."""
        languages = self.counter.board().platform.languages
        try:
            id = meant_id(self.counter, request.match_info["id"]) if act != "open" else ""
            body = filled(act, form)
            word = word_of(act, id, body, next(iter(languages), "en"), form.number)
            told = said(request, self.counter, Spoken(word, seen=form.seen), body, key=form.key(act))
            answer = await self.counter.hear(told)
            refused = answer.refusal
        except web.HTTPException:
            refused = Refusal("conflict", "several incidents begin like this")
        except ValueError as error:
            refused = Refusal("wrong", str(error))
        if refused is None:
            where = f"incidents/{answer.id}" if form.back != "board" else ""
            return self.back(request, f"{where}?done={act if answer.changed else 'already'}")
        why = SENT_BEFORE if refused.kind == "misused" else refused.reason
        about: About = {"refused": why, "typed": form.typed, "tried": f"{act}{form.number or ''}"}
        if act == "open":
            return await self.print(request, "open", STATUS[refused.kind], **about)
        return await self._incident(request, STATUS[refused.kind], **about)

    async def probe(self, request: web.Request) -> web.StreamResponse:
        """Runs the probes of a module once more, now."""
        id, form = request.match_info["id"], await form_of(request)
        told = said(request, self.counter, Deed("probe.run", id), {}, key=form.key("probe"))
        answer = await self.counter.perform(told, self._probing(id))
        if answer.refusal is not None:
            return await self._module(request, STATUS[answer.refusal.kind], refused=answer.refusal.reason)
        return self.back(request, f"modules/{id}?done=probe")

    def _probing(self, id: str) -> Callable[[], Awaitable[Answered]]:
        async def probing() -> Answered:
            return probed(id, self._probe(id))

        return probing

    async def audit(self, request: web.Request) -> web.StreamResponse:
        """The log of what people did and tried, with a form to pick from it."""
        asked = {name: text[:200] for name in ASKED if (text := request.query.get(name, ""))}
        newest = f"?{urlencode(asked)}" if "cursor" in request.query else ""
        status, refused, entries, more = 200, None, list[Entry](), None
        try:
            filled_in = {name: text for name, text in request.query.items() if text}
            entries, more = await audit_page(request, self.counter, filled_in)
        except web.HTTPException as error:
            status, refused = error.status, json.loads(error.text or "{}").get("error", error.reason)
        older = more and f"?{more.partition('?')[2]}"
        about: About = {"asked": asked, "entries": entries, "more": older, "newest": newest, "refused": refused}
        return await self.print(request, "audit", status, **about)

    def back(self, request: web.Request, where: str) -> web.Response:
        """Relative, so that it holds below whatever path a proxy has put this side."""
        up = "../" * (request.path.count("/") - 1) or "./"
        location = f"{up}healthcheck{'' if where.startswith('?') else '/'}{where}"
        return web.Response(status=303, headers={**HEADERS, "Location": location})


def is_page(request: web.Request) -> bool:
    """Whether it is one of ours that is asked for, and answered to a person."""
    return request.path.startswith((HOME, PATH)) and request.match_info.http_exception is None


async def _home(request: web.Request) -> web.Response:
    """Whoever opens the operators' side by its port alone."""
    return web.Response(status=302, headers={"Location": HOME.removeprefix("/")})


async def _moved_up(request: web.Request) -> web.StreamResponse:
    return web.Response(status=308, headers={"Location": "../healthcheck"})
