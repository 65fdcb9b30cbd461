"""Redirect: where an answer sends us, and whether we go.

The order is fixed: how many were followed, the scheme, the step down from https, the host, and then, in `resolve`,
the address. Secrets made for one host are not taken to another.
"""

import re
from dataclasses import dataclass, replace
from http.cookies import CookieError, SimpleCookie

from aiohttp import CookieJar
from aiohttp._cookie_helpers import parse_set_cookie_headers
from multidict import CIMultiDictProxy
from yarl import URL

from monitor.core.target import HttpTarget
from monitor.internet import url_of
from monitor.probers.address import is_host, matches_host
from monitor.probers.failure import Stopped

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_FOR_ONE_HOST = ("authorization", "proxy-authorization", "cookie", "x-vtex-api-", "vtexidclientautcookie", "host")
_OF_A_BODY = ("content-type", "content-length", "content-encoding", "transfer-encoding")
_LOGIN = re.compile(r"(?:^|[/_-])(?:log-?in|sign-?in)(?:[/_.-]|$)", re.IGNORECASE)
_MOST_COOKIES = 50


@dataclass(frozen=True, slots=True)
class Request:
    """One request of an exchange."""

    method: str
    url: URL
    headers: tuple[tuple[str, str], ...]
    body: bytes | None

    @property
    def where(self) -> tuple[bool, str, int]:
        """Where it goes: whether over TLS, the host and the port."""
        return self.url.scheme == "https", self.url.raw_host or "", self.url.port or 0


class Cookies:
    """The cookies of one run: a shop that sets one and redirects expects it back, as it does when a flow goes on. They
    go to whom they are meant for only (RFC 6265), and are gone with the run."""

    def __init__(self) -> None:
        self._jar: CookieJar | None = None

    def keep(self, headers: CIMultiDictProxy[str], url: URL) -> None:
        """Takes what an answer set, up to a small number."""
        if "Set-Cookie" not in headers:
            return
        cookies = SimpleCookie()
        cookies.update(parse_set_cookie_headers(headers.getall("Set-Cookie")))
        for name, morsel in list(cookies.items())[:_MOST_COOKIES]:
            if self._jar is None:
                self._jar = CookieJar(unsafe=True)
            if len(self._jar) < _MOST_COOKIES or any(one.key == name for one in self._jar):
                self._jar.update_cookies({name: morsel}, url)

    def header(self, url: URL) -> str | None:
        """The value of `Cookie` for a request, None when there is none to send."""
        if self._jar is None:
            return None
        try:
            pairs = "; ".join(f"{one.key}={one.coded_value}" for one in self._jar.filter_cookies(url).values())
            return pairs.encode("utf-8", "replace").decode() or None  # half characters came in, none may go out
        except CookieError:
            return None


def following(request: Request, status: int, location: str, target: HttpTarget, followed: int) -> Request:
    """The request that a redirect asks for. Raises Stopped when it is one we do not follow."""
    if followed >= target.follow:
        raise Stopped("http.redirect_loop", f"redirected {followed + 1} times, {target.follow} are followed")
    url = _next_url(request.url, location)
    _check(request.url, url, target)
    changed = replace(request, url=url)
    if (status == 303 and request.method != "HEAD") or (status in (301, 302) and request.method == "POST"):
        headers = tuple((name, value) for name, value in request.headers if name.lower() not in _OF_A_BODY)
        changed = replace(changed, method="GET", body=None, headers=headers)
    if url.host != request.url.host:
        kept = tuple(pair for pair in changed.headers if not pair[0].lower().startswith(_FOR_ONE_HOST))
        changed = replace(changed, headers=kept)
    return changed


def _next_url(base: URL, location: str) -> URL:
    """The absolute address, without the user that a redirect may not give us. Raises Stopped."""
    try:
        # Only a scheme of its own tells whether the rest has to be an address of the web at all.
        scheme = re.match(r"\s*([A-Za-z][A-Za-z0-9+.-]*):", location)
        if scheme and scheme[1].lower() not in ("http", "https"):
            raise Stopped("http.redirect_scheme", f"redirected to {location}, which is neither http nor https")
        given = url_of(location.strip())
        url = base.join(given).with_fragment(None)
        if not url.raw_host or not is_host(url.raw_host) or not url.port or (given.scheme and not given.host):
            raise ValueError("no host")
        return url.with_user(None)
    except (ValueError, TypeError) as error:
        raise Stopped("http.redirect_unexpected", f"redirected to {location}, which is no address") from error


def _check(base: URL, url: URL, target: HttpTarget) -> None:
    host = url.host or ""
    if base.scheme == "https" and url.scheme == "http":
        raise Stopped("http.redirect_unexpected", f"redirected from https down to http, to {host}")
    own = URL(target.url).host or ""
    if not matches_host(own, host) and not any(matches_host(pattern, host) for pattern in target.allow_hosts):
        raise Stopped("http.redirect_unexpected", f"redirected to {host}, which is not among `allow_hosts`")
    if _LOGIN.search(url.path) and not _LOGIN.search(base.path):
        raise Stopped("http.redirect_unexpected", f"redirected to a login page, {url.path}")
