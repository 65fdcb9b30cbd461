"""Subscribe: where customers ask to be told, confirm it and end it, from outside and without a login.

Whoever asks gets the same answer at once, whether the address is new, known or refused: what becomes of it, only its
own mail tells. The link in that mail confirms, which is all it can do; but no link ever ends anything, for scanners of
mails follow links.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from aiohttp import web

from monitor.core.effect import Refusal
from monitor.core.module import Platform
from monitor.core.subscriber import FORMATS, TOPICS, Subscriber
from monitor.internet import callable_url, mailbox
from monitor.web.counter import STATUS, json_of, sent
from monitor.web.dashboard import HEADERS, Dashboard
from monitor.web.form import form_of
from monitor.web.guesses import Guesses
from monitor.web.negotiation import preferred
from monitor.web.origin import origin_of
from monitor.web.ticket import CONFIRM, LEAVE, Tickets, new_id

MOST, MOST_OF_ALL = 10, 300  # requests a minute of one client, and of all together
KEYS = ("email", "webhook", "components", "topics", "language", "lang", "format")
NOT_HERE = "There are no subscriptions here."
NO_ADDRESS = "Give an e-mail address, or an address to call that begins with https://."
NOT_BOTH = "Give one address, not two."
NO_MAIL = "That is no e-mail address."
NO_URL = "That is no address that can be called: it has to begin with https:// and be reachable from everywhere."
NOT_OFFERED = "That is not offered here."
NO_COMPONENT = "There is no such component."
NOTHING_CHOSEN = "Choose at least one."
WRONG = "This link does not lead anywhere."
TOO_MANY = "Too many at once: try again in a minute."
LATER = "This cannot be stored now: try again in a minute."


class Subscriptions(Protocol):
    """Whoever keeps subscribers."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of address that are taken; none where nobody can subscribe."""
        ...

    @property
    def allow_private(self) -> bool:
        """Whether calls may go to private addresses."""
        ...

    @property
    def tickets(self) -> Tickets | None:
        """Who reads what stands in addresses."""
        ...

    def ask(self, wish: Subscriber) -> bool:
        """Takes a request; False while there are too many."""
        ...

    async def confirm(self, id: str) -> Subscriber | Refusal:
        """Whose subscription holds from now on."""
        ...

    async def erase(self, ids: Sequence[str]) -> Refusal | None:
        """Forgets these."""
        ...


class Door:
    """The handlers."""

    def __init__(self, dashboard: Dashboard, kept: Subscriptions, trusted_proxies: Sequence[str] = ()) -> None:
        self._dashboard = dashboard
        self._kept = kept
        self._trusted_proxies = trusted_proxies
        self._asked = Guesses(MOST, MOST_OF_ALL)

    def routes(self) -> list[web.RouteDef]:
        """Everything that subscribers may ask; a HEAD confirms nothing."""
        return [
            web.get("/subscribe", self.offered),
            web.post("/subscribe", self.asked),
            web.get("/subscribe/assets/{name}", self._dashboard.asset),
            web.get("/subscribe/confirm/{token}", self.confirmed, allow_head=False),
            web.get("/unsubscribe/{token}", self.leaving),
            web.post("/unsubscribe/{token}", self.left),
        ]

    async def offered(self, request: web.Request) -> web.Response:
        """The form with everything that can be chosen."""
        if not self._kept.kinds:
            return await self._page(request, "nothing", 404, why=NOT_HERE)
        return await self._page(request, "form")

    async def asked(self, request: web.Request) -> web.Response:
        """Takes a request, as a form or as JSON."""
        if request.content_type == "application/json":
            body = await sent(request, KEYS)
            answer = self._request(request, body)
            said = {"status": "asked"} if answer is None else {"error": answer[1]}
            headers = {"Content-Type": "application/json; charset=utf-8", **self._pause(answer)}
            return web.Response(status=202 if answer is None else answer[0], body=json_of(said), headers=headers)
        form = await form_of(request)
        body = {key: form.typed[key] for key in KEYS if form.typed.get(key) not in (None, "")}
        body["topics"] = [one for one in TOPICS if form.typed.get(one)] if form.typed.get("chosen") else None
        # What people do not see is only filled in by machines, which are told the same.
        answer = None if form.typed.get("nothing") else self._request(request, body)
        spoken = body.get("language") or body.get("lang")
        if answer is None:
            return await self._page(request, "asked", 202, language=spoken)
        shown = {"why": answer[1], "typed": {**form.typed, "components": body.get("components") or []}}
        page = await self._page(request, "form", answer[0], language=spoken, **shown)
        page.headers.update(self._pause(answer))
        return page

    def _request(self, request: web.Request, body: Mapping[str, Any]) -> tuple[int, str, int] | None:
        """Takes what was sent; or the status, the reason and the seconds to wait."""
        if not self._kept.kinds:
            return 404, NOT_HERE, 0
        mark = self._asked.take(origin_of(request, self._trusted_proxies))
        if isinstance(mark, float):
            return 429, TOO_MANY, int(mark) + 1
        try:
            wish = self._wish(request, body)
        except ValueError as error:
            return 400, str(error), 0
        return None if self._kept.ask(wish) else (503, LATER, 60)

    @staticmethod
    def _pause(answer: tuple[int, str, int] | None) -> dict[str, str]:
        return {"Retry-After": str(answer[2])} if answer is not None and answer[2] else {}

    def _wish(self, request: web.Request, body: Mapping[str, Any]) -> Subscriber:
        """What was asked for. Raises ValueError with what is wrong with it."""
        counter = self._dashboard.counter
        given = {kind: _text(body.get(kind)) for kind in ("email", "webhook")}
        if all(given.values()):
            raise ValueError(NOT_BOTH)
        kind = next((kind for kind, text in given.items() if text), None)
        if kind is None:
            raise ValueError(NO_ADDRESS)
        if kind not in self._kept.kinds:
            raise ValueError(NOT_OFFERED)
        private = self._kept.allow_private
        found = mailbox(given[kind]) if kind == "email" else callable_url(given[kind], allow_private=private)
        if found is None:
            raise ValueError(NO_MAIL if kind == "email" else NO_URL)
        format = _text(body.get("format")) or FORMATS[0]
        if format not in FORMATS:
            raise ValueError(NOT_OFFERED)
        return Subscriber(
            id=new_id(),
            kind=kind,
            address=found,
            language=self._language(request, _text(body.get("language")) or _text(body.get("lang"))),
            created_at=counter.clock.now(),
            components=_components(body.get("components"), counter.board().platform),
            topics=_topics(body.get("topics")),
            format=format,
        )

    # -- by the links in what they get --------------------------------------------------------------------------------

    async def confirmed(self, request: web.Request) -> web.Response:
        """The subscription holds from now on; followed again, the link says so again."""
        id = self._id(request, CONFIRM)
        found = await self._kept.confirm(id) if id is not None else Refusal("unknown", "")
        if isinstance(found, Refusal):
            return await self._page(request, "nothing", STATUS[found.kind], why=_reason(found))
        assert self._kept.tickets is not None
        leave = self._kept.tickets.leave_url(found.id)
        return await self._page(request, "confirmed", language=found.language, one=found, leave=leave)

    async def leaving(self, request: web.Request) -> web.Response:
        """A button that ends it: to look changes nothing."""
        if self._id(request, LEAVE) is None:
            return await self._page(request, "nothing", 404, why=WRONG)
        return await self._page(request, "leaving", token=request.match_info["token"])

    async def left(self, request: web.Request) -> web.Response:
        """Ends it, for whoever presses the button and for mail programs that have one of their own (RFC 8058)."""
        id = self._id(request, LEAVE)
        if id is None:
            return await self._page(request, "nothing", 404, why=WRONG)
        refused = await self._kept.erase([id])
        if refused is not None:
            return await self._page(request, "nothing", STATUS[refused.kind], why=_reason(refused))
        return await self._page(request, "left")

    def _id(self, request: web.Request, purpose: str) -> str | None:
        tickets = self._kept.tickets
        return None if tickets is None else tickets.read(purpose, request.match_info["token"])

    # -- pages --------------------------------------------------------------------------------------------------------

    def _language(self, request: web.Request, wanted: str | None = None) -> str:
        asked = (wanted or "", request.query.get("lang", ""), request.headers.get("Accept-Language", ""))
        return preferred(self._dashboard.printer.languages, *asked)

    async def _page(
        self, request: web.Request, state: str, status: int = 200, language: Any = None, **about: Any
    ) -> web.Response:
        spoken = self._language(request, _text(language))
        depth = request.path.count("/")
        known = {
            "base": "../" * (depth - 1) or "./",
            "state": state,
            "kinds": self._kept.kinds,
            "refused": None,
            "typed": {"components": request.query.getall("component", [])},
            "one": None,
            "why": "",
            "leave": "",
            "token": "",
            **about,
        }
        body = await asyncio.to_thread(self._dashboard.printer.page, "subscription", spoken, known)
        vary = {"Vary": "Accept-Language", "Referrer-Policy": "no-referrer"}
        headers = {**HEADERS, **vary, "Content-Type": "text/html; charset=utf-8", "Content-Language": spoken}
        return web.Response(status=status, body=body, headers=headers)


def _reason(refused: Refusal) -> str:
    return WRONG if refused.kind == "unknown" else LATER


def _text(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""


def _list(value: Any) -> list[str] | None:
    """Texts, one or several; None where nothing was said. Raises ValueError for what is neither."""
    if value is None:
        return None
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or not all(isinstance(one, str) for one in several):
        raise ValueError(NO_COMPONENT)
    return several


def _components(value: Any, platform: Platform) -> frozenset[str] | None:
    chosen = _list(value)
    if chosen is None or chosen == ["all"]:
        return None
    if not chosen:
        raise ValueError(NOTHING_CHOSEN)
    if not set(chosen) <= set(platform.components):
        raise ValueError(NO_COMPONENT)
    return frozenset(chosen)


def _topics(value: Any) -> frozenset[str]:
    chosen = _list(value)
    if chosen is None:
        return frozenset(TOPICS)
    if not chosen:
        raise ValueError(NOTHING_CHOSEN)
    if not set(chosen) <= set(TOPICS):
        raise ValueError(NOT_OFFERED)
    return frozenset(chosen)
