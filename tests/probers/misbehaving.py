"""Servers that break, on real sockets: every way we know in which a target can fail its visitor.

`served(behaviour)` runs one on loopback. A behaviour is a function of the two streams of one connection; most begin by
reading the request. `WAYS` names them all; the tests say which code each of them is.
"""

import asyncio
import gzip
import json
import socket
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from ssl import SSLContext

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """A running server: where it listens and what it was asked."""

    port: int
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    def url(self, host: str = "127.0.0.1", path: str = "/", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


async def request(reader: asyncio.StreamReader) -> bytes:
    """The head of one request, and its body when it has a length."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            head += await reader.readexactly(int(line.partition(b":")[2]))
    return head


@asynccontextmanager
async def served(behave: Behaviour, tls: SSLContext | None = None) -> AsyncIterator[Server]:
    """A server of one behaviour, on a free port of loopback; its connections end with it."""
    tasks: set[asyncio.Task[None]] = set()
    server = Server(0)

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            await behave(_Noting(reader, server), writer)  # type: ignore[arg-type]
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            tasks.discard(task)
            with suppress(Exception):
                writer.transport.abort() if tls else writer.close()

    listening = await asyncio.start_server(one, "127.0.0.1", 0, ssl=tls, backlog=1000)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0)


class _Noting:
    """A reader that notes each request on the server."""

    def __init__(self, reader: asyncio.StreamReader, server: Server) -> None:
        self._reader, self._server = reader, server

    async def readuntil(self, end: bytes) -> bytes:
        data = await self._reader.readuntil(end)
        self._server.requests.append(data)
        return data

    async def readexactly(self, size: int) -> bytes:
        data = await self._reader.readexactly(size)
        if self._server.requests:
            self._server.requests[-1] += data
        return data

    async def read(self, size: int) -> bytes:
        return await self._reader.read(size)


# -- building blocks -----------------------------------------------------------------------------------------------


def raw(answer: bytes, ask: bool = True) -> Behaviour:
    """Sends these bytes whatever was asked, then closes."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if ask:
            await request(reader)
        writer.write(answer)
        await writer.drain()

    return behave


def answer(
    body: bytes = b"{}", status: str = "200 OK", headers: str = "", content_type: str = "application/json"
) -> Behaviour:
    """A whole and correct answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return raw(head.encode() + body)


def redirect(location: str, status: str = "302 Found", headers: str = "") -> Behaviour:
    return raw(f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n{headers}\r\n".encode())


def by_path(**ways: Behaviour) -> Behaviour:
    """Another behaviour for each first word of the path; `root` for `/`."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await request(reader)
        name = head.split(b" ")[1].decode().strip("/").partition("/")[0].partition("?")[0] or "root"
        await ways[name](_Replayed(head), writer)  # type: ignore[arg-type]

    return behave


class _Replayed:
    def __init__(self, head: bytes) -> None:
        self._head = head

    async def readuntil(self, end: bytes) -> bytes:
        return self._head.partition(end)[0] + end

    async def readexactly(self, size: int) -> bytes:
        return b""


def _reset(writer: asyncio.StreamWriter) -> None:
    plain = writer.get_extra_info("socket")
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def forever() -> None:
    await asyncio.Event().wait()


# -- connections ---------------------------------------------------------------------------------------------------


async def closes_at_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    pass


async def closes_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)


async def resets_after_accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    _reset(writer)


async def resets_after_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    _reset(writer)


async def resets_mid_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def resets_a_body_without_a_length(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nhalf")
    await writer.drain()
    await asyncio.sleep(0.05)
    _reset(writer)


async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await forever()


async def closes_mid_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Ty")
    await writer.drain()


async def drips_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(10_000):
        writer.write(b"X-%d: 1\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.02)


async def drips_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def continues_for_ever(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(0.03)


async def continues_in_a_flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    while True:
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 10_000)
        await writer.drain()


async def endless_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    piece = b"x" * 65536
    while True:
        writer.write(piece)
        await writer.drain()


async def endless_headers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


def bomb(megabytes: int) -> bytes:
    """Zeros, compressed about a thousand times. Each megabyte but the first is packed into the same bytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(1 << 20)
    first, later = (packer.compress(zeros) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    checksum = 0
    for _ in range(megabytes):
        checksum = zlib.crc32(zeros, checksum)
    end = b"\x03\0" + struct.pack("<II", checksum, megabytes << 20)  # an empty last block and the trailer of RFC 1952
    return first + later * (megabytes - 1) + end


def compressed(body: bytes, encoding: str = "gzip", extra: str = "") -> Behaviour:
    return answer(body, headers=f"Content-Encoding: {encoding}\r\n{extra}")


def chunked(*pieces: bytes) -> Behaviour:
    return raw(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces)
    )


def status(line: str, body: str = "", headers: str = "") -> Behaviour:
    return answer(body.encode(), line, headers, "text/html")


HOSTILE = "\x1b[31m<script>alert('x')</script>\u202egnp.exe\u2028\x00\x07\x9b31m"

_JSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

WAYS: dict[str, Behaviour] = {
    "healthy": answer(b'{"ok": true}'),
    # the connection
    "closes at once": closes_at_once,
    "closes after the request": closes_after_request,
    "closes amid the headers": closes_mid_headers,
    "resets after accepting": resets_after_accept,
    "resets after the request": resets_after_request,
    "resets amid the body": resets_mid_body,
    "resets amid a body without a length": resets_a_body_without_a_length,
    "silent": silent,
    "drips headers": drips_headers,
    "drips the body": drips_body,
    "endless 100 Continue": continues_for_ever,
    "flood of 100 Continue": continues_in_a_flood,
    # not HTTP
    "SSH banner": raw(b"SSH-2.0-OpenSSH_9.2p1\r\n", ask=False),
    "HTTP/0.9 answer": raw(b"<html>hello</html>"),
    "ICY 200 OK": raw(b"ICY 200 OK\r\nicy-name: radio\r\n\r\n"),
    "binary noise": raw(bytes(range(256)) * 4),
    "TLS alert in plain": raw(b"\x15\x03\x01\x00\x02\x02\x46"),
    "status of four digits": raw(b"HTTP/1.1 2000 OK\r\n\r\n"),
    "status that is no number": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
    "garbage after 100 Continue": raw(b"HTTP/1.1 100 Continue\r\n\r\nrubbish rubbish\r\n\r\n"),
    "empty lines only": raw(b"\r\n\r\n\r\n"),
    "negative content length": raw(f"{_JSON}Content-Length: -5\r\n\r\n{{}}".encode()),
    "content length that is no number": raw(f"{_JSON}Content-Length: many\r\n\r\n{{}}".encode()),
    "two content lengths": raw(f"{_JSON}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}} ".encode()),
    "length and chunks": raw(
        f"{_JSON}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{{}}\r\n0\r\n\r\n".encode()
    ),
    "null bytes in a header": raw(f"{_JSON}X-Odd: a\0b\r\nContent-Length: 2\r\n\r\n{{}}".encode()),
    "header without a colon": raw(f"{_JSON}oops\r\nContent-Length: 2\r\n\r\n{{}}".encode()),
    "space in a header's name": raw(f"{_JSON}Bad Name: 1\r\nContent-Length: 2\r\n\r\n{{}}".encode()),
    # too much
    "header line of 20 kB": raw(f"{_JSON}X-Long: {'x' * 20_000}\r\nContent-Length: 2\r\n\r\n{{}}".encode()),
    "5,000 headers": raw((_JSON + "".join(f"X-{n}: {n}\r\n" for n in range(5000)) + "\r\n{}").encode()),
    "5 MB of cookies": raw(
        (_JSON + "".join(f"Set-Cookie: c{n}={'x' * 4000}\r\n" for n in range(1250)) + "\r\n").encode()
    ),
    "endless header": endless_headers,
    "endless body": endless_body,
    "gzip bomb": compressed(bomb(256)),
    "deflate bomb": compressed(zlib.compress(bytes(64 << 20), 9), "deflate"),
    "gzip bomb in chunks": chunked(b"", *(b"%x\r\n%s\r\n" % (len(b), b) for b in [b"x" * 3_000_000]), b"0\r\n\r\n"),
    # the body
    "wrong content length": raw(f"{_JSON}Content-Length: 5000\r\n\r\n{{}}".encode()),
    "chunks cut off": chunked(b"5\r\nhello\r\n", b"400\r\nhalf"),
    "chunks without an end": chunked(b"5\r\nhello\r\n"),
    "garbage between chunks": chunked(b"2\r\n{}\r\n", b"zz\r\nrubbish\r\n0\r\n\r\n"),
    "not gzip": compressed(b"this is not gzip at all"),
    "gzip cut off": compressed(gzip.compress(json.dumps({"a": "b" * 5000}).encode(), mtime=0)[:30]),
    "gzip with a wrong checksum": compressed(gzip.compress(b"{}", mtime=0)[:-8] + b"\1\2\3\4\5\6\7\x08"),
    "brotli that nobody asked for": compressed(b"\x0b\x02\x80{}\x03", "br"),
    "encoding that does not exist": compressed(b"{}", "sparkles"),
    "invalid UTF-8": answer(b'{"ok": "\xff\xfe\xc3"}'),
    "bogus charset": answer(b'{"ok": true}', content_type="application/json; charset=klingon"),
    "charset that takes for ever": answer(b'{"ok": true}', content_type='application/json; charset="punycode"'),
    "byte order mark": answer(b'\xef\xbb\xbf{"ok": true}'),
    "deep JSON": answer(b"[" * 200_000 + b"]" * 200_000),
    "JSON 250 deep": answer(b"[" * 250 + b"]" * 250),
    "number of 5,000 digits": answer(b'{"n": ' + b"9" * 5000 + b"}"),
    "NaN": answer(b'{"ok": NaN}'),
    "Infinity": answer(b'{"ok": Infinity}'),
    "number larger than any float": answer(b'{"ok": 1e999}'),
    "half a character": answer(b'{"ok": "\\ud800"}'),
    "duplicate keys": answer(b'{"ok": false, "ok": true}'),
    "JSON of a million values": answer(b"[" + b"1," * 1_000_000 + b"1]"),
    "JSON of brackets": answer(b"[" + b"[]," * 45_000 + b"[]]"),
    "JSON of far too many brackets": answer(b"[" + b"[]," * 200_000 + b"[]]"),
    "JSON of fractions": answer(b"[" + b"1.5," * 190_000 + b"1.5]"),
    "HTML instead of JSON": answer(b"<!doctype html><title>Sorry</title>"),
    "truncated JSON": answer(b'{"items": [{"id": 1}, {"id"'),
    "empty body": answer(b""),
    "hostile text": answer(HOSTILE.encode(), headers=f"Server: {HOSTILE[:-6].replace(chr(0), '')}\r\n"),
    # statuses
    **{
        f"status {code}": status(f"{code} Status", "<p>sorry</p>")
        for code in (
            400,
            401,
            403,
            404,
            405,
            410,
            415,
            422,
            451,
            499,
            *range(500, 503),
            503,
            504,
            505,
            507,
            508,
            509,
            529,
            599,
        )
    },
    "status 429": status("429 Too Many Requests", "slow down", "Retry-After: 30\r\nRateLimit-Remaining: 0\r\n"),
    "status 204": raw(b"HTTP/1.1 204 No Content\r\n\r\n"),
    "status 101": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: tea\r\nConnection: Upgrade\r\n\r\nsteam"),
    "status 304": raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
    "status 999": status("999 Request Denied", "no"),
    # edges and walls
    **{
        f"Cloudflare {code}": status(
            f"{code} Origin", f"error code: {code}", "Server: cloudflare\r\nCF-RAY: 8a-GRU\r\n"
        )
        for code in (520, 521, 522, 523, 524, 525, 526, 527, 530)
    },
    "CloudFront": status(
        "503 Service Unavailable", "Generated by cloudfront (CloudFront)", "X-Cache: Error from cloudfront\r\n"
    ),
    "Fastly": status("503 Backend", "<h1>Error 503</h1>Guru Meditation:", "X-Served-By: cache-gru1\r\n"),
    "Akamai": status("504 Gateway Timeout", "Reference&#32;&#35;97.1", "Server: AkamaiGHost\r\n"),
    "AWS load balancer": status("502 Bad Gateway", "<center>502</center>", "Server: awselb/2.0\r\n"),
    "Proxy-Status": status("502 Bad Gateway", "", "Proxy-Status: edge; error=dns_timeout\r\n"),
    "Cloudflare challenge": status(
        "403 Forbidden", "Just a moment", "Server: cloudflare\r\nCF-Mitigated: challenge\r\n"
    ),
    "AWS captcha": status("405 Not Allowed", "", "x-amzn-waf-action: captcha\r\n"),
    "AWS wall": status("403 Forbidden", "", "x-amzn-waf-action: block\r\n"),
    "captcha page": status("403 Forbidden", "<div class=g-recaptcha>Are you a human?</div>"),
    # redirects
    "redirect to itself": redirect("/"),
    "redirect to ftp": redirect("ftp://127.0.0.1/file"),
    "redirect to a script": redirect("javascript:alert(1)"),
    "redirect to metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "redirect to another host": redirect("http://other.example/"),
    "redirect to nowhere": redirect("http://:99999999/"),
    "redirect to a login": redirect("/admin/login?next=/"),
    "redirect without a location": raw(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"),
}
