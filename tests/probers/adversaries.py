"""Servers that go on for ever, each in its own way: what no single answer of the corpus can be.

`ENDLESS` names them with the code each of them is within a short limit. They write as fast as they are read, or as
slowly as they can.
"""

import asyncio
import gzip
import json
import zlib

from .corpus import ESCAPES, OK, whole
from .misbehaving import Behaviour, bomb, raw, request

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"

Writer = asyncio.StreamWriter


def endless(begin: bytes, piece: bytes, pause: float = 0.0) -> Behaviour:
    """Sends a beginning once the request is there, and then one piece after the other."""

    async def behave(reader: asyncio.StreamReader, writer: Writer) -> None:
        await request(reader)
        writer.write(begin)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


def dripping(answer: bytes, ask: bool = True) -> Behaviour:
    """Sends an answer one byte every twentieth of a second."""

    async def behave(reader: asyncio.StreamReader, writer: Writer) -> None:
        if ask:
            await request(reader)
        for one in answer:
            writer.write(bytes([one]))
            await writer.drain()
            await asyncio.sleep(0.05)

    return behave


def halting(answer: bytes) -> Behaviour:
    """Sends a beginning and then nothing more."""

    async def behave(reader: asyncio.StreamReader, writer: Writer) -> None:
        await request(reader)
        writer.write(answer)
        await writer.drain()
        await asyncio.Event().wait()

    return behave


async def half_closes(reader: asyncio.StreamReader, writer: Writer) -> None:
    """Says that no more will come amid the body, and keeps the connection."""
    await request(reader)
    writer.write(HEAD + b"Content-Length: 12\r\n\r\n{")
    writer.write_eof()
    await asyncio.Event().wait()


async def reads_nothing(reader: asyncio.StreamReader, writer: Writer) -> None:
    """Takes the connection and leaves the window shut."""
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    await asyncio.Event().wait()


def redirected_to_a_bomb(packed: bytes) -> Behaviour:
    """A redirect, itself a bomb, to an error page that is another one."""

    async def behave(reader: asyncio.StreamReader, writer: Writer) -> None:
        head = await request(reader)
        more = b"Content-Encoding: gzip"
        if head.startswith(b"GET /next "):
            writer.write(whole(packed, more, status=b"500 Sorry"))
        else:
            writer.write(whole(packed, more, b"Location: /next", status=b"302 Found"))
        await writer.drain()

    return behave


def _zeros(megabytes: int, wbits: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits)
    piece = bytes(1 << 20)
    return b"".join([*(packer.compress(piece) for _ in range(megabytes)), packer.flush()])


def adversaries(small: bool = False) -> dict[str, tuple[str | None, Behaviour]]:
    """All of them. Bombs are packed when this is called; `small` ones do for whoever wants names and codes."""
    megabytes = 1 if small else 128
    packed = bomb(megabytes)
    brackets = b"[" + b"[]," * 16_000 + b"[]]"  # as costly as a body that is looked into at once can be
    return {
        "endless body": ("http.body_too_large", endless(HEAD + b"\r\n", b"x" * 65_536)),
        "endless body of a stated length": (
            "http.body_too_large",
            endless(HEAD + b"Content-Length: 999999999999\r\n\r\n", b"x" * 65_536),
        ),
        "endless chunks": ("http.body_too_large", endless(_CHUNKED, b"10000\r\n" + b"x" * 65_536 + b"\r\n")),
        "endless chunks of one byte": ("http.body_too_large", endless(_CHUNKED, b"1\r\nx\r\n" * 10_000)),
        "endless chunk extension": ("http.transfer_timeout", endless(_CHUNKED + b"1;", b"x" * 65_536)),
        "endless chunk extensions": (
            "http.body_too_large",
            endless(_CHUNKED, (b"1;" + b"x" * 1000 + b"\r\nx\r\n") * 60),
        ),
        "endless chunk size": ("http.transfer_timeout", endless(_CHUNKED, b"0" * 65_536)),
        "endless trailers": ("http.headers_too_large", endless(_CHUNKED + b"0\r\n", b"T: 1\r\n" * 10_000)),
        "endless headers": ("http.headers_too_large", endless(HEAD, b"X: 1\r\n" * 10_000)),
        "endless header": ("http.headers_too_large", endless(HEAD + b"X: ", b"x" * 65_536)),
        "endless header name": ("http.headers_too_large", endless(HEAD, b"x" * 65_536)),
        "endless status line": ("http.headers_too_large", endless(b"HTTP/1.1 200 ", b"O" * 65_536)),
        "endless folding": ("http.headers_too_large", endless(HEAD + b"X: 1\r\n", b" x\r\n" * 16_000)),
        "endless line ends": ("http.header_drip", endless(b"", b"\r\n" * 32_000)),
        "endless 100 Continue": ("http.headers_too_large", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 3000)),
        "endless 103 with headers": (
            "http.headers_too_large",
            endless(b"", b"HTTP/1.1 103 Hints\r\n" + b"Link: </x>\r\n" * 100 + b"\r\n"),
        ),
        "endless answers": (None, endless(b"", whole() * 500)),
        "endless empty gzip members": (
            "http.bad_encoding",
            endless(HEAD + b"Content-Encoding: gzip\r\n\r\n", gzip.compress(b"", mtime=0) * 3000),
        ),
        "gzip bomb": ("http.body_too_large", raw(whole(packed, b"Content-Encoding: gzip"))),
        "deflate bomb": ("http.body_too_large", raw(whole(_zeros(megabytes, 15), b"Content-Encoding: deflate"))),
        "raw deflate bomb": ("http.body_too_large", raw(whole(_zeros(megabytes, -15), b"Content-Encoding: deflate"))),
        "bomb of bombs": (
            "http.bad_encoding",
            raw(whole(gzip.compress(packed, mtime=0), b"Content-Encoding: gzip, gzip")),
        ),
        "redirect to a bomb": ("http.body_too_large", redirected_to_a_bomb(packed)),
        "JSON just small enough": ("content.assertion", raw(whole(brackets))),
        "JSON just costly enough": ("content.assertion", raw(whole(b"[" + b"[]," * 45_000 + b"[]]"))),
        "JSON of numbers": ("content.assertion", raw(whole(b"[" + b"1.5," * 190_000 + b"1.5]"))),
        "JSON of one long text": (None, raw(whole(json.dumps({"ok": "<\u202e" * 250_000}).encode()))),
        "JSON of one large number": ("content.json_limits", raw(whole(b'{"ok": ' + b"9" * 1_900_000 + b"}"))),
        "page of escapes": ("content.invalid_json", raw(whole(ESCAPES * 20_000, kind=b"text/html"))),
        "slow status line": ("http.header_drip", dripping(b"HTTP/1.1 200 OK" + b"K" * 500)),
        "slow headers": ("http.header_drip", dripping(HEAD + b"X: 1\r\n" * 500)),
        "slow body": ("http.transfer_timeout", _slow_body()),
        "slow chunks": ("http.transfer_timeout", endless(_CHUNKED, b"1\r\n \r\n", 0.05)),
        "slow chunk extension": ("http.transfer_timeout", endless(_CHUNKED + b"1;", b"x", 0.05)),
        "slow trailers": ("http.transfer_timeout", endless(_CHUNKED + b"c\r\n" + OK + b"\r\n0\r\n", b"T: 1\r\n", 0.05)),
        "slow 100 Continue": ("http.header_drip", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05)),
        "slow gzip": ("http.transfer_timeout", _slow_gzip()),
        "halts amid the status line": ("http.header_drip", halting(b"HTTP/1.")),
        "halts amid the headers": ("http.header_drip", halting(HEAD)),
        "halts before the body": ("http.transfer_timeout", halting(HEAD + b"Content-Length: 12\r\n\r\n")),
        "halts amid the body": ("http.transfer_timeout", halting(HEAD + b"Content-Length: 12\r\n\r\n{")),
        "halts amid a chunk": ("http.transfer_timeout", halting(_CHUNKED + b"ffff\r\nx")),
        "halts after the last chunk": ("http.transfer_timeout", halting(_CHUNKED + b"c\r\n" + OK + b"\r\n0\r\n")),
        "half closes": ("http.truncated", half_closes),
        "reads nothing": ("http.ttfb_timeout", reads_nothing),
    }


def _slow_body() -> Behaviour:
    return endless(HEAD + b"Content-Length: 100000\r\n\r\n", b" ", 0.05)


def _slow_gzip() -> Behaviour:
    return endless(HEAD + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(OK, mtime=0)[:10], b"\0\0\0\xff\xff", 0.05)
