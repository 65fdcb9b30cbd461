"""WebSocket: a connection to a broker inside HTTP, opened by one request (RFC 6455), as bytes to read and write.

It is read by hand like everything of a broker: a frame takes two bytes and may hold none, so whoever hands over all
frames that came at once (as libraries do) holds a hundred megabytes of them for a while.
"""

import asyncio
import re
from base64 import b64encode
from hashlib import sha1
from itertools import cycle
from secrets import token_bytes
from struct import pack

from yarl import URL

from monitor.core.codes import code_for_status
from monitor.probers.failure import Stopped
from monitor.probers.http import USER_AGENT
from monitor.probers.packet import LARGEST, not_mqtt
from monitor.probers.redirect import REDIRECTS
from monitor.probers.run import Run
from monitor.probers.stream import Streams, ended_as

MOST = 1000  # frames of a run
_MOST_INTERIM = 128  # answers 1xx before the one that counts
_PROOF = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MORE, _BINARY, _CLOSE, _PING, _PONG = 0, 2, 8, 9, 10
_FINAL, _MASKED = 0x80, 0x80
_STATUS = re.compile(r"1\.[01] ([1-9]\d\d)(?: |$)")


async def asked(run: Run, streams: Streams, url: URL) -> "Frames":
    """Asks for a WebSocket at the path of an address. Raises Stopped."""
    reader, writer = streams
    key = b64encode(token_bytes(16))
    lines = [
        f"GET {url.raw_path_qs} HTTP/1.1",
        f"Host: {url.host_port_subcomponent}",
        *("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: mqtt"),
        f"Sec-WebSocket-Key: {key.decode()}",
        f"User-Agent: {USER_AGENT}",
    ]
    run.enter("processing")
    run.note(f"> {lines[0]}")
    with ended_as("before it became a WebSocket"):
        writer.write("\r\n".join([*lines, "\r\n"]).encode())
        await writer.drain()
        for _ in range(_MOST_INTERIM):
            status, headers = await _head(reader)
            run.note(f"< status {status}")
            if status == 101 or status >= 200:
                _check(status, headers, key)
                return Frames(reader, writer)
            await asyncio.sleep(0)
    raise Stopped("http.headers_too_large", f"more than {_MOST_INTERIM} answers 1xx")


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer. Raises Stopped for what is none, and what reading raises."""
    if (began := await reader.readexactly(5)) != b"HTTP/":
        raise not_mqtt(f"it begins with {began!r}, where a WebSocket was asked for")
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except asyncio.LimitOverrunError:
        raise Stopped("http.headers_too_large", "the answer's headers are too large") from None
    if (status := _STATUS.match(first)) is None:
        raise not_mqtt(f"it begins with HTTP/{first}")
    pairs = (line.partition(":") for line in lines)
    return int(status[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _check(status: int, headers: dict[str, str], key: bytes) -> None:
    """Raises Stopped when an answer is no WebSocket: a 4xx is ours, as with any request."""
    if status in REDIRECTS:
        where = headers.get("location") or "nowhere"
        raise Stopped("http.redirect_unexpected", f"redirected to {where}, where a WebSocket was asked for")
    if status >= 400:
        code = code_for_status(status)
        ours = status < 500 and code != "http.429"
        raise Stopped("self.config" if ours else code, f"no WebSocket: status {status}")
    words = [word.strip().lower() for word in headers.get("connection", "").split(",")]
    upgraded = status == 101 and headers.get("upgrade", "").lower() == "websocket" and "upgrade" in words
    if not upgraded or headers.get("sec-websocket-accept") != b64encode(sha1(key + _PROOF).digest()).decode():
        raise not_mqtt(f"no WebSocket, status {status}")


class Frames:
    """A WebSocket, whose frames begin and end where they like. A flood of them, pings included, has an end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._came = bytearray()
        self._seen = 0
        self._amid = False  # a message of several frames

    async def readexactly(self, count: int) -> bytes:
        """Bytes of the messages. Raises IncompleteReadError at the end, OSError, and Stopped for what is no frame."""
        while len(self._came) < count:
            self._seen += 1
            if self._seen > MOST:
                raise not_mqtt(f"more than {MOST:,} frames")
            kind, data = await self._frame()
            if kind == _CLOSE:
                raise asyncio.IncompleteReadError(bytes(self._came), count)
            if kind == _PING:
                await self._send(_PONG, data)
            elif kind != _PONG:
                self._came += data
            await asyncio.sleep(0)  # the next one may be there already: others want their turn too
        data = bytes(self._came[:count])
        del self._came[:count]
        return data

    async def send(self, data: bytes) -> None:
        """Sends it as one message."""
        await self._send(_BINARY, data)

    async def _frame(self) -> tuple[int, bytes]:
        """The next frame: its kind, and what is in it."""
        first, length = await self._reader.readexactly(2)
        kind, final = first & 0x0F, bool(first & _FINAL)
        control = kind in (_CLOSE, _PING, _PONG)
        if first & 0x70 or length & _MASKED or not (control or kind == (_MORE if self._amid else _BINARY)):
            raise not_mqtt(f"a frame that begins with {first:#04x} {length:#04x}")
        if control and (length > 125 or not final):
            raise not_mqtt("a control frame that is large or in parts")
        if length > 125:
            length = int.from_bytes(await self._reader.readexactly(2 if length == 126 else 8))
        if length > LARGEST * 2:
            raise not_mqtt(f"a frame of {length:,} bytes")
        self._amid = self._amid if control else not final
        return kind, await self._reader.readexactly(length)

    async def _send(self, kind: int, data: bytes) -> None:
        mask, length = token_bytes(4), len(data)
        size = bytes([_MASKED | length]) if length < 126 else pack("!BH", _MASKED | 126, length)
        masked = bytes(one ^ other for one, other in zip(data, cycle(mask), strict=False))
        self._writer.write(bytes([_FINAL | kind]) + size + mask + masked)
        await self._writer.drain()
