"""Headers: what every answer of the operators' side says to a browser, refusals included."""

from aiohttp import web

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def guard(request: web.Request, response: web.StreamResponse) -> None:
    """No answer of this side belongs in a cache, a frame, a page of somebody else or a guess about its type; where a
    handler says otherwise, it says so itself."""
    response.headers["Server"] = "vtex-monitor"  # and not which version of what
    for name, text in HEADERS.items():
        response.headers.setdefault(name, text)
