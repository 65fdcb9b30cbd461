"""Public: the published files over HTTP, for installations without a web server or a CDN of their own.

Everything that can be answered lies in the folder: there is no state, no cookie and nothing to change here. The disk
is read in a worker thread, so a slow one never holds up the probes.
"""

import asyncio
import re
from pathlib import Path, PurePosixPath
from urllib.parse import quote, unquote

from aiohttp import hdrs, web

from monitor.web.negotiation import matches, takes_gzip
from monitor.web.published import File, Folder, NothingPublished, find

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".atom": "application/atom+xml; charset=utf-8",
    ".rss": "application/rss+xml; charset=utf-8",
    ".xml": "application/xml; charset=utf-8",
    ".ics": "text/calendar; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".webmanifest": "application/manifest+json; charset=utf-8",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
}

# The page carries its style inline, so that it is complete in one request, and never a script.
# Any host for forms, because a subscription is sent to the side that runs the monitor.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; form-action 'self' https: http:; base-uri 'none'; "
    "frame-ancestors 'none'"
)
ALWAYS = {
    "Server": "vtex-monitor",  # and not which version of what
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "strict-origin-when-cross-origin",
}
FRESH = "public, max-age=30"
FOR_EVER = "public, max-age=31536000, immutable"

_HASHED = re.compile(r"assets/[^/]+\.[0-9a-f]{8,64}\.[a-z0-9]+")
# What pages of other origins may read, with the header that saves a second copy.
_ELSEWHERE = re.compile(r"/(?:api|badge)/.*|.*\.(?:atom|rss|ics)")
_SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_ASKING = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": "86400",
}


def public_app(directory: Path) -> web.Application:
    """Serves the publication that `directory`, a link, leads to at the moment of each request."""

    async def handle(request: web.Request) -> web.Response:
        return await _answer(request, directory)

    app = web.Application(client_max_size=1024)
    app.router.add_route("*", "/{path:.*}", handle)
    return app


async def _answer(request: web.Request, directory: Path) -> web.Response:
    asks = request.method == hdrs.METH_OPTIONS and "Access-Control-Request-Method" in request.headers
    if asks and _ELSEWHERE.fullmatch(request.rel_url.raw_path):
        return web.Response(status=204, headers={**ALWAYS, **_SHARED, **_ASKING})
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD):
        return _plain(405, "This site is only read: GET and HEAD are all it knows.\n", {"Allow": "GET, HEAD"})
    packed = takes_gzip(request)
    try:
        path = _decoded(request.rel_url.raw_path)
        found = None if path is None else await asyncio.to_thread(find, directory, path, packed)
        # Relative, so that it holds below whatever path a proxy has put the site.
        query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
        if isinstance(found, Folder):
            return _plain(301, "", {"Location": f"{found.name}/{query}", "Cache-Control": FRESH})
        if found is not None:
            return _file(request, found, path or "/")
        small = (path or "").lower()
        if small != (path or "") and await asyncio.to_thread(find, directory, small, packed) is not None:
            to = "../" * (small.count("/") - 1) + quote(small.lstrip("/"))
            return _plain(301, "", {"Location": f"{to}{query}", "Cache-Control": FRESH})
        missing = await asyncio.to_thread(find, directory, "/404.html", packed)
    except NothingPublished:
        return _plain(
            503,
            "The first page is being made. Please try again in a few seconds.\n",
            {"Retry-After": "5", "Cache-Control": "no-store"},
        )
    if isinstance(missing, File):
        return _file(request, missing, path or "/", status=404)
    return _plain(404, "There is no such page.\n", {"Cache-Control": FRESH})


def _decoded(raw: str) -> str | None:
    """The path in plain letters; None for one that hides a slash or is not UTF-8. What is left is checked by `find`."""
    if "%2f" in raw.lower() or "%5c" in raw.lower():
        return None
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        return None


def _file(request: web.Request, file: File, path: str, status: int = 200) -> web.Response:
    headers = {
        **ALWAYS,
        "Content-Type": TYPES.get(PurePosixPath(file.name).suffix, "application/octet-stream"),
        "Cache-Control": FOR_EVER if status == 200 and _HASHED.fullmatch(file.name) else FRESH,
    }
    if _ELSEWHERE.fullmatch(path):
        headers |= _SHARED
    if file.twofold:
        headers["Vary"] = "Accept-Encoding"
    if file.packed:
        headers["Content-Encoding"] = "gzip"
    if status == 200:
        headers["ETag"] = file.etag
        if matches(request.headers.get(hdrs.IF_NONE_MATCH, ""), file.etag):
            kept = {name: text for name, text in headers.items() if name not in ("Content-Type", "Content-Encoding")}
            return web.Response(status=304, headers=kept)
    return web.Response(status=status, body=file.content, headers=headers)


def _plain(status: int, text: str, headers: dict[str, str]) -> web.Response:
    return web.Response(status=status, text=text, headers={**ALWAYS, **headers})
