"""Access: who may change something or read what the public does not.

With a token, whoever has it, or has logged in with it (`session.py`). Without one, only whoever sits at this machine:
the listener is bound to loopback then, and what a browser sends on behalf of some web page, or a proxy for somebody
else, is not that.
"""

from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web

from monitor.web.session import Session, Sessions, same

PROXIED = ("Forwarded", "X-Forwarded-For", "X-Real-IP")
READING = ("GET", "HEAD", "OPTIONS")
COOKIE = "monitor_session"
SESSIONS = web.AppKey("sessions", Sessions)


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, as far as we know: a name, a role, and how they got in: `token`, `session` or `here`."""

    name: str | None
    role: str
    how: str


def person_of(request: web.Request) -> Person:
    """Whoever asks, once they may."""
    if (session := session_of(request)) is not None:
        return Person(session.by, "operator", "session")
    return Person(None, "operator", "token" if "Authorization" in request.headers else "here")


def require(request: web.Request, token: str | None) -> None:
    """Returns for whoever may; raises the answer for everybody else.

    A change that is made with a session carries its `csrf` in the header `X-CSRF-Token`.
    """
    if token and bears(request, token):
        return
    session = session_of(request)
    if session is not None and request.method not in READING:
        if not is_own_page(request) or not session.vouches_for(request.headers.get("X-CSRF-Token", "")):
            raise web.HTTPForbidden(text="A change made with a session needs its X-CSRF-Token, from its own page.\n")
        return
    if session is not None and is_own_page(request):
        return
    if token:
        raise web.HTTPUnauthorized(text="A token is needed.\n", headers={"WWW-Authenticate": "Bearer"})
    require_here(request)
    if not is_own_page(request):
        raise web.HTTPForbidden(text="Not from a page of another site.\n")


def require_here(request: web.Request) -> None:
    """Returns for whoever sits at this machine and calls it by a name of its own.

    A name that leads to this machine may belong to anybody, and so may the page that was loaded under it.
    """
    if not _is_here(request.remote) or any(name in request.headers for name in PROXIED):
        raise web.HTTPForbidden(text="Only from this machine, as no monitor.ops_token is set.\n")
    host = _host(request.headers.get("Host", "localhost"))
    if host != "localhost" and not host.endswith(".localhost") and not _is_here(host):
        raise web.HTTPForbidden(text="Only as localhost or 127.0.0.1, as no monitor.ops_token is set.\n")


def bears(request: web.Request, token: str) -> bool:
    """Whether the token came along."""
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return same(given.strip(), token) and scheme.lower() == "bearer"


def session_of(request: web.Request) -> Session | None:
    """The session of the browser that asks, if it has one."""
    sessions = request.config_dict.get(SESSIONS)
    cookie = request.cookies.get(cookie_name(request), "")
    return sessions.of(cookie) if sessions is not None and cookie else None


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
