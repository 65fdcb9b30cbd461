"""Access: who asks, and whether they may. Every request of the operators' side comes by here first, so that no handler
has to ask and a new one cannot forget to.

Whoever is named by the configuration says so by a token, or has logged in (`session.py`). Where nobody is named it is
whoever sits at this machine: the listener is bound to loopback then, and what a browser sends on behalf of some web
page, or a proxy for somebody else, is not that.
"""

import json
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.core.roster import How, Person, Role, Roster
from monitor.web.form import FORM, form_of
from monitor.web.origin import origin_of
from monitor.web.session import Session, Sessions, same

PROXIED = (
    *("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server"),
    "X-Real-IP",
)
READING = ("GET", "HEAD", "OPTIONS")
COOKIE = "monitor_session"
SESSIONS = web.AppKey("sessions", Sessions)
PERSON = web.RequestKey("person", Person)
SESSION = web.RequestKey("session", Session)
ROSTER: web.AppKey[Callable[[], Roster]] = web.AppKey("roster")
TRUSTED: web.AppKey[Sequence[str]] = web.AppKey("trusted_proxies")
REFUSED: web.AppKey[Callable[[web.Request, str, str], None]] = web.AppKey("refused")

PAGES, DATA = "/healthcheck", "/api/"
FREE = frozenset(  # for these nobody has to be anybody
    {
        "/metrics",
        "/probe",  # asks for itself where it tells more than `/metrics`
        "/-/healthy",
        "/-/ready",
        "/-/leader",
        "/api/ops/v1/openapi.json",
        "/",  # leads to where it is asked, and so does the one below
        "/healthcheck/",
        "/healthcheck/assets/{name}",
        "/healthcheck/login",  # asks for itself, and so do the two below
        "/heartbeat/{module}/{probe}",
        "/acknowledge/{token}",
        "/subscribe",
        "/subscribe/assets/{name}",
        "/subscribe/confirm/{token}",
        "/unsubscribe/{token}",
    }
)
OWN = frozenset(  # changes that concern nobody but whoever makes them
    {"/healthcheck/logout", "/healthcheck/sessions/end", "/api/ops/v1/sessions/{id}"}
)

ELSEWHERE = "Not from a page of another site."
STALE = "This form was made before you logged in, or before a restart. Nothing was changed: load it again."
NO_CSRF = "A change made with a session needs its X-CSRF-Token, from its own page."
WRONG_TOKEN = "That is no token of anybody."
VIEWER = "Only operators may change something; you are a viewer."


class Refused(web.HTTPForbidden):
    """Somebody who may be here, but may not do this. The text says why."""


def keep_out(
    app: web.Application,
    roster: Callable[[], Roster],
    trusted_proxies: Sequence[str] = (),
    refused: Callable[[web.Request, str, str], None] = lambda request, act, why: None,
) -> None:
    """From now on only those get in whom this roster lets in. `refused` is told of whoever tried with a wrong token,
    and of viewers who wanted to change something: the act and why not."""
    app[ROSTER] = roster
    app[SESSIONS] = Sessions()
    app[TRUSTED] = trusted_proxies
    app[REFUSED] = refused
    app.middlewares.append(gate)


@web.middleware
async def gate(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets in whoever may. Raises the answer for everybody else: 401, or 403 with the reason."""
    if request.match_info.http_exception is None and _route(request) not in FREE:
        request[PERSON] = await _admitted(request)
    return await handler(request)


async def admit(request: web.Request) -> None:
    """Returns for whoever may read this side, on a route that is free otherwise. Raises as `gate` does."""
    request[PERSON] = await _admitted(request)


def person_of(request: web.Request) -> Person | None:
    """Who asks; None where nobody has to be anybody."""
    return request.get(PERSON)


def address_of(request: web.Request) -> str:
    """Where a request comes from, behind the proxies that are trusted."""
    return origin_of(request, request.config_dict[TRUSTED])


def is_still_in(request: web.Request) -> bool:
    """Whether whoever listens for a long time still may: a session may have ended meanwhile, a token been withdrawn."""
    try:
        _who(request, used=False)
    except web.HTTPException:
        return False
    return True


def name_for(request: web.Request, said: str | None) -> str | None:
    """The name under which something is recorded: what the configuration calls whoever asks, or what they called
    themselves when they logged in; else what they say now."""
    person = person_of(request)
    if person is None:
        return said
    settled = person.known or session_of(request) is not None
    return person.name if settled and person.name else said or person.name


async def _admitted(request: web.Request) -> Person:
    person, session = _who(request, used=True)
    if session is not None and session.person is not None:
        request[SESSION] = session
    if request.method in READING:
        if session is not None and not request.path.startswith(PAGES) and not is_own_page(request):
            raise refused(request, ELSEWHERE)
        return person  # a page of ours may be opened by a link from anywhere
    if not is_own_page(request):
        raise refused(request, ELSEWHERE)
    if session is not None:
        await _check_csrf(request, session)
    if not person.may_change and _route(request) not in OWN:
        request[PERSON] = person
        request.config_dict[REFUSED](request, "change.refused", VIEWER)
        raise refused(request, VIEWER)
    return person


def _who(request: web.Request, *, used: bool) -> tuple[Person, Session | None]:
    """Who asks, and with which session; None for a token, which no browser sends by itself."""
    roster, sessions = request.config_dict[ROSTER](), request.config_dict[SESSIONS]
    sessions.agree(roster)
    for token in roster.tokens:
        if bears(request, token.text):
            return token.person, None
    session = sessions.of(cookie_of(request), used=used)
    if roster.is_empty:
        require_here(request)
        nobody = Person(None, Role.OPERATOR, How.HERE)
        return (session.person or nobody, session) if session is not None else (nobody, sessions.anybody)
    if session is None or session.person is None:
        if used and "Authorization" in request.headers:
            request.config_dict[REFUSED](request, "token.refused", WRONG_TOKEN)
        raise web.HTTPUnauthorized(text="A token or a login is needed.\n", headers={"WWW-Authenticate": "Bearer"})
    return session.person, session


async def _check_csrf(request: web.Request, session: Session) -> None:
    """Returns for what a page of this session sent. Raises 400 or 413 for a form that cannot be read."""
    if request.content_type == FORM:
        if not session.vouches_for((await form_of(request)).csrf):
            raise refused(request, STALE)
    elif session.person is not None and not session.vouches_for(request.headers.get("X-CSRF-Token", "")):
        raise refused(request, NO_CSRF)


def refused(request: web.Request, why: str) -> Refused:
    """The answer that says why not, as JSON where data was sent. To be raised."""
    if request.method in READING or not request.path.startswith(DATA):
        return Refused(text=f"{why}\n")
    return Refused(text=json.dumps({"error": why}) + "\n", content_type="application/json")


def _route(request: web.Request) -> str:
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else ""


def require_here(request: web.Request) -> None:
    """Returns for whoever sits at this machine and calls it by a name of its own.

    A name that leads to this machine may belong to anybody, and so may the page that was loaded under it.
    """
    if not _is_here(request.remote) or any(name in request.headers for name in PROXIED):
        raise web.HTTPForbidden(text="Only from this machine, as monitor names no token and no user.\n")
    host = _host(request.headers.get("Host", "localhost"))
    if host != "localhost" and not host.endswith(".localhost") and not _is_here(host):
        raise web.HTTPForbidden(text="Only as localhost or 127.0.0.1, as monitor names no token and no user.\n")


def bears(request: web.Request, token: str) -> bool:
    """Whether the token came along."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return same(given.strip(), token) and scheme.lower() == "bearer"


def session_of(request: web.Request) -> Session | None:
    """The session by which whoever asks got in; None for a token, and where nobody has to be anybody."""
    return request.get(SESSION)


def cookie_of(request: web.Request) -> str:
    """The cookie that came along; empty where none did."""
    return request.cookies.get(cookie_name(request), "")


def cookie_name(request: web.Request) -> str:
    """The name of the cookie; over https a browser lets nobody else set one of that name."""
    return f"__Host-{COOKIE}" if is_secure(request) else COOKIE


def is_secure(request: web.Request) -> bool:
    """Whether the browser speaks https, to us or to the proxy before us."""
    return request.secure or request.headers.get("X-Forwarded-Proto", "").lower() == "https"


def is_own_page(request: web.Request) -> bool:
    """Whether no page of another site asked for this. A proxy may have put another scheme before our own name."""
    origin = request.headers.get("Origin")
    fetched = request.headers.get("Sec-Fetch-Site")
    if fetched is not None and fetched not in ("none", "same-origin"):
        return False
    return origin is None or fetched == "same-origin" or origin.partition("://")[2] == request.headers.get("Host", "")


def _host(written: str) -> str:
    """The name in a `Host`, without its port; empty for what is none."""
    try:
        return urlsplit(f"//{written}").hostname or ""
    except ValueError:  # half a bracket
        return ""


def _is_here(peer: str | None) -> bool:
    try:
        address = ip_address((peer or "").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
