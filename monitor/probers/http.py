"""The http prober: one exchange per run, asked once, never retried.

It gathers facts and judges nothing: a 503 is an answer that arrived whole. What stops the exchange is raised as
`Stopped` or as an exception of the network, and named by `failure`. Docs: `docs/probers.md`.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from aiohttp import ClientOSError, ServerDisconnectedError
from multidict import CIMultiDict
from yarl import URL

from monitor import __version__
from monitor.core.clause import header_key, holds_of_header
from monitor.core.observation import Http
from monitor.core.target import HttpTarget
from monitor.mask import Mask
from monitor.probers.body import Body, needs_body, values_of
from monitor.probers.coding import CODINGS, Unpacking
from monitor.probers.failure import Stopped
from monitor.probers.line import Answer, Line, connected
from monitor.probers.reach import Reach
from monitor.probers.redirect import REDIRECTS, Cookies, Request, following
from monitor.probers.run import SECRET_HEADERS, Run

USER_AGENT = f"vtex-monitor/{__version__} (+status probe)"

# What an edge, a wall, a cache or the platform says about itself; nothing else is kept.
KEPT_HEADERS = frozenset(
    (
        *("server", "via", "age", "date", "location", "retry-after", "last-modified", "cache-control"),
        *("content-type", "content-length", "content-encoding", "x-cache", "x-served-by", "proxy-status"),
        *("cf-ray", "cf-mitigated", "x-amzn-waf-action", "x-amz-cf-id", "x-amz-cf-pop"),
        *("x-request-id", "x-track", "resources", "rest-content-range"),
    )
)
KEPT_PREFIXES = ("x-vtex-", "ratelimit-", "x-ratelimit-")
_MOST_HEADERS = 48
_MOST_DIGITS = 15  # of a length: an observation holds no larger number

_ESCAPED = re.compile(r"https?://[!#-;=?-\[\]_a-z~]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udfff]")

_WITHOUT_BODY = ("GET", "HEAD", "OPTIONS", "TRACE")
_WITH_BODY = ("POST", "PUT", "PATCH")


async def look(run: Run, reach: Reach) -> None:
    """Asks once: sends the request, follows its redirects, reads the body, and looks for what is expected in it."""
    await ask(run, reach, Cookies())


async def ask(run: Run, reach: Reach, cookies: Cookies, wanted: Sequence[str] = ()) -> dict[str, Any]:
    """As `look`, with a jar of cookies that may outlive this request.

    Gives what each of the `wanted` JMESPaths finds in the answer, as it came: neither masked nor cut.
    """
    with body_of(run, reach, whole=bool(wanted) or needs_body(run.expects)) as body:
        headers = await asked(run, reach, body, cookies)
        return await look_into(run, reach, headers, body, wanted)


async def asked(run: Run, reach: Reach, body: Body, cookies: Cookies | None = None) -> dict[str, str]:
    """One exchange that is over: the headers of the answer that counts, its body read."""
    target = run.probe.ask
    if not isinstance(target, HttpTarget):
        raise Stopped("self.config", "the probe has no HTTP target")
    headers = await exchange(run, reach, target, body, cookies)
    run.finish(run.last_byte_at)  # it may have been a while until we were told
    return headers


def body_of(run: Run, reach: Reach, *, whole: bool) -> Body:
    """A body to be read into; once it grows large it has one of the places for such bodies, until its block ends."""

    async def take_place() -> Callable[[], None]:
        await run.wait_for(reach.large_bodies.acquire())
        return reach.large_bodies.release

    return Body(whole, run.mask, take_place)


async def exchange(
    run: Run, reach: Reach, target: HttpTarget, body: Body, cookies: Cookies | None = None
) -> dict[str, str]:
    """Every hop of the exchange; gives the headers of the answer that counts, its body read."""
    once = run.once or target.vary is not None or target.body is not None  # else it is asked again, word for word
    request = (_first if once else _usual)(target.varied(run.at), run.fresh)
    cookies = cookies or Cookies()
    followed = 0
    while True:
        where = request.where
        line, answer = await _send(run, reach, request, target, cookies, followed, once)
        try:
            run.enter("transfer", at=run.first_byte_at)
            if answer.status < 100:
                raise Stopped("http.malformed", f"not an HTTP answer: status {answer.status:03}")
            headers = _joined(answer)
            run.http = _facts(answer, headers, followed, run.mask)
            _note_answer(run, answer)
            cookies.keep(answer.headers, request.url)
            if not _leads_on(answer, run, target):
                await _read(run, answer, body, target.max_body)
                return headers
            run.http = replace(run.http, redirects=followed + 1)
            run.enter(None)
            location = answer.headers["Location"]
            run.note(f"redirect {followed + 1} to {location}")
            request = following(request, answer.status, location, target, followed)
            followed += 1
        finally:
            if target.reuse:
                reach.lines.keep((run.probe.key, where), line)
            else:
                line.close()


def _first(target: HttpTarget, fresh: bool) -> Request:
    """The request as configured, with our own headers where the probe names none."""
    try:
        # An address that needs no escaping is sent as it was written, to the last %2F.
        url = URL(target.url, encoded=_ESCAPED.fullmatch(target.url) is not None)
        if url.scheme not in ("http", "https") or not url.host or not url.port:
            raise ValueError("it needs http:// or https:// and a host")
    except (ValueError, TypeError) as error:
        raise Stopped("self.config", f"{target.url} is not an address that can be asked: {error}") from error
    headers = CIMultiDict({"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip, deflate"})
    if fresh:
        headers["Cache-Control"] = "no-cache"
    if url.user is not None:
        headers["Authorization"] = "Basic " + b64encode(f"{url.user}:{url.password or ''}".encode()).decode()
    for name in {name for name, _ in target.headers}:
        headers.popall(name, None)
    for name, value in target.headers:
        if not _HEADER_NAME.fullmatch(name) or _CONTROLS.search(value):
            raise Stopped("self.config", f"header {name} cannot be sent as it is written")
        headers.add(name, value)
    return Request(target.method.upper(), url.with_user(None), tuple(headers.items()), target.body)


_usual = lru_cache(maxsize=16384)(_first)


async def _send(
    run: Run, reach: Reach, request: Request, target: HttpTarget, cookies: Cookies, followed: int, once: bool
) -> tuple[Line, Answer]:
    """The answer to a request, its body to be read, and the connection that it comes over."""
    cookie = cookies.header(request.url)
    # Where a redirect leads, and with which cookie, is up to others: they could have us remember without an end.
    own = not (once or followed or cookie)
    data = (_usually_written if own else _written)(request, target.reuse, cookie)
    if run.traced:
        _note_request(run, data, request)
    bodiless = request.method == "HEAD"
    if target.reuse and (kept := reach.lines.take((run.probe.key, request.where))) is not None:
        try:
            return kept, await _asked(kept, run, data, bodiless)
        except (ServerDisconnectedError, ClientOSError):
            # A kept connection that the server closed in the meantime says nothing about how it answers.
            run.note("the kept connection was closed, a new one is made")
    line = await connected(run, reach, request.where, target.allow_private, followed > 0)
    return line, await _asked(line, run, data, bodiless)


async def _asked(line: Line, run: Run, data: bytes, bodiless: bool) -> Answer:
    try:
        return await line.ask(run, data, bodiless)
    except BaseException:
        line.close()
        raise


def _written(request: Request, reuse: bool, cookie: str | None) -> bytes:
    """A request as it goes out, with what HTTP itself needs unless the probe says otherwise."""
    headers = CIMultiDict(request.headers)
    own = [] if "Host" in headers else [("Host", request.url.host_port_subcomponent or "")]
    if cookie:
        headers["Cookie"] = "; ".join(filter(None, (headers.get("Cookie"), cookie)))
    body = request.body
    if body is not None or request.method not in _WITHOUT_BODY:
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            headers["Content-Length"] = str(len(body or b""))
        if (body is not None or request.method in _WITH_BODY) and "Content-Type" not in headers:
            headers["Content-Type"] = "application/octet-stream"
    if not reuse and "Connection" not in headers:
        headers["Connection"] = "close"
    lines = [f"{request.method} {request.url.raw_path_qs} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (*own, *headers.items())]
    return "\r\n".join([*lines, "\r\n"]).encode() + (body or b"")


_usually_written = lru_cache(maxsize=16384)(_written)


def _joined(answer: Answer) -> dict[str, str]:
    """The headers of an answer by their names in lower case; those that came several times in one line."""
    found, several = {}, set()
    for name, value in answer.headers.items():
        lower = name.lower()
        if lower in found:
            several.add(lower)
        found[lower] = value
    for lower in several:
        found[lower] = ", ".join(answer.headers.getall(lower))
    return found


def _facts(answer: Answer, headers: Mapping[str, str], followed: int, mask: Mask) -> Http:
    version = answer.version
    length = headers.get("content-length", "")
    return Http(
        status=answer.status,
        headers=_kept(headers, mask),
        version=f"{version.major}.{version.minor}" if version else None,
        redirects=followed,
        content_length=int(length) if length.isascii() and length.isdigit() and len(length) <= _MOST_DIGITS else -1,
    )


def _kept(headers: Mapping[str, str], mask: Mask) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers.items():
        if name in KEPT_HEADERS:
            kept[name] = mask.line(value)
        elif _is_kept(name):
            kept[mask.line(name)] = mask.line(value)
        if len(kept) == _MOST_HEADERS:
            break
    return kept


def _is_kept(name: str) -> bool:
    return name in KEPT_HEADERS or (name.startswith(KEPT_PREFIXES) and len(name) <= 100)


def _note_request(run: Run, data: bytes, request: Request) -> None:
    run.note(f"> {request.method} {request.url}")
    for line in data.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        run.note(f"> {name}: {'•••' if name.lower() in SECRET_HEADERS else value}")


def _note_answer(run: Run, answer: Answer) -> None:
    if run.traced:
        run.note(f"< HTTP/{run.http.version if run.http else ''} {answer.status} {answer.reason or ''}")
        for name, value in answer.headers.items():
            run.note(f"< {name}: {'•••' if name.lower() == 'set-cookie' else value}")


def _leads_on(answer: Answer, run: Run, target: HttpTarget) -> bool:
    """Whether the answer is a redirect to follow: not when that very status is expected, nor with `follow: 0`."""
    if answer.status not in REDIRECTS or not answer.headers.get("Location") or target.follow == 0:
        return False
    return not any(low <= answer.status <= high for low, high in run.probe.expect.status)


async def _read(run: Run, answer: Answer, body: Body, limit: int) -> None:
    """Reads the body to its end or to the cap; what came is a fact either way."""
    assert run.http is not None
    content_type = answer.headers.get("Content-Type", "")
    try:
        if answer.status != 101:  # another protocol would follow, without an end
            codings = [one for name in CODINGS for one in answer.headers.getall(name, ())]
            await body.read(answer.content, Unpacking(codings), limit)
    finally:
        run.http = replace(run.http, bytes=body.size, excerpt=body.excerpt(content_type, run.mask))
        run.note(f"body of {body.size} bytes")


async def look_into(
    run: Run, reach: Reach, headers: Mapping[str, str], body: Body, wanted: Sequence[str] = ()
) -> dict[str, Any]:
    """Evaluates what needs the whole body, or a header that is not kept."""
    for name, clauses in (pair for expect in run.expects for pair in expect.header):
        if _is_kept(name):
            continue
        for clause in clauses:
            run.values[header_key(name, clause)] = holds_of_header(clause, headers.get(name), reach.clock.now())
    if not body.whole:
        return {}
    work = partial(values_of, body.content, headers.get("content-type", ""), run.expects, run.mask, tuple(wanted))
    values, raw, stopped = await (reach.turns.do(work) if body.small(run.expects) else reach.aside(work))
    run.values.update(values)
    if stopped is not None:
        run.fail(stopped.code, stopped.detail)
    return raw
