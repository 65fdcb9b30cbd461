"""Brokers inside WebSockets that do it in their own way: wrong, odd, or without an end."""

import asyncio
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha1
from struct import pack

from .misbehaving import Behaviour, request

_PROOF = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
WELCOME = b"\x20\x03\0\0\0"


def frame(kind: int, data: bytes = b"", first: int = 0x80, length: int | None = None, mask: bytes = b"") -> bytes:
    """A frame as a server sends it; `first` are the marks above its kind, `length` what it says of its length."""
    size, masked = len(data) if length is None else length, 0x80 if mask else 0
    if size < 126:
        head = bytes([masked | size])
    else:
        head = pack("!BH", masked | 126, size) if size < 65_536 else pack("!BQ", masked | 127, size)
    return bytes([first | kind]) + head + mask + data


def agreed(asked: bytes, *, accept: bytes | None = None, more: bytes = b"") -> bytes:
    """The answer to a request for a WebSocket."""
    key = re.search(rb"(?i)sec-websocket-key: *(\S+)", asked)
    assert key is not None
    proof = b64encode(sha1(key[1] + _PROOF).digest()) if accept is None else accept
    return b"HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n" + (
        b"Sec-WebSocket-Accept: %s\r\n%s\r\n" % (proof, more)
    )


def broker(first: bytes = b"", how: Callable[[bytes], bytes] = lambda data: frame(2, data), **told: bytes) -> Behaviour:
    """Says `first`, then what a broker says, each answer in the frames that `how` makes of it."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(agreed(await request(reader), **told) + first)
        while True:
            head = await reader.readexactly(2)
            size = head[1] & 0x7F  # what a probe says is short
            mask, data = await reader.readexactly(4), await reader.readexactly(size)
            packet = bytes(one ^ mask[place % 4] for place, one in enumerate(data))
            if head[0] == 0x82 and packet[0] != 0xE0:
                writer.write(how(_answer(packet)))
            await writer.drain()

    return behave


def flooding(piece: bytes, first: bytes = b"") -> Behaviour:
    """Agrees, and sends the same for ever."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(agreed(await request(reader)) + first)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)  # a socket may take megabytes first: that is the server's time, not the prober's

    return behave


def _answer(packet: bytes) -> bytes:
    body = packet[2:]
    if packet[0] == 0x10:
        return WELCOME
    if packet[0] == 0x82:
        return b"\x90\x04" + body[:2] + b"\0\1"
    end = 2 + int.from_bytes(body[:2])
    message = body[:end] + body[end + 2 :]
    return b"\x40\2" + body[end : end + 2] + b"\x30" + bytes([len(message)]) + message


FLOODS: dict[str, tuple[Behaviour, set[str | None]]] = {
    f"ws: {name}": (flooding(piece, first), {"http.malformed", "http.ttfb_timeout"})
    for name, piece, first in (
        ("empty frames", frame(2) * 5000, b""),
        ("pings", frame(9) * 5000, b""),
        ("pongs", frame(10) * 5000, b""),
        ("parts without an end", frame(0, first=0) * 5000, frame(2, first=0)),
        ("a frame of a gigabyte", b"x" * 65_536, frame(2, length=1 << 30)),
    )
}
