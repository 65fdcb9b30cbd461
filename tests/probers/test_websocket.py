"""MQTT inside a WebSocket: every way to write it that is right works, every other one has its code."""

import asyncio
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.probers import Reach
from monitor.probers.failure import Stopped
from monitor.probers.websocket import Frames
from tests.depth import examples

from .looking import LagSampler, seen
from .misbehaving import Behaviour, raw, redirect, request, served
from .test_mqtt import asking
from .webbrokers import FLOODS, agreed, broker, flooding, frame


@pytest.mark.parametrize(
    "way",
    [
        broker(),
        broker(how=lambda data: b"".join(frame(2, data[at : at + 1]) for at in range(len(data)))),
        broker(how=lambda data: frame(2, data[:1], first=0) + frame(9, b"?") + frame(0, data[1:])),
        broker(how=lambda data: frame(2, data, length=None) + frame(10) + frame(2)),
        broker(first=frame(9, b"x" * 125) * 9),
        broker(more=b"Sec-WebSocket-Protocol: mqtt\r\nSec-WebSocket-Extensions: x; y=9\r\n"),
        broker(more=b"Set-Cookie: \xff=\xfe; Domain=[\r\n" * 50),
    ],
    ids=("one frame", "byte by byte", "in parts", "with empty ones", "with pings", "with names", "with cookies"),
)
async def test_what_is_right_passes(reach: Reach, way: Behaviour) -> None:
    """Frames end where they like."""
    async with served(way) as server:
        observation, result = await seen(reach, asking(server.url(scheme="ws")))
    assert result.code is None, result
    assert set(observation.phases) == {"resolve", "connect", "processing"}
    assert server.connections == 1


@pytest.mark.parametrize(
    ("way", "code"),
    [
        (broker(accept=b"AAAA"), "http.malformed"),
        (broker(how=lambda data: frame(1, data)), "http.malformed"),
        (broker(how=lambda data: frame(0, data)), "http.malformed"),
        (broker(how=lambda data: frame(2, data, first=0xC0)), "http.malformed"),
        (broker(how=lambda data: frame(2, data, mask=b"\0\0\0\0")), "http.malformed"),
        (broker(first=frame(2, first=0) + frame(2)), "http.malformed"),
        (broker(first=frame(3)), "http.malformed"),
        (broker(first=frame(15)), "http.malformed"),
        (broker(first=frame(9, b"x" * 126)), "http.malformed"),
        (broker(first=frame(9, first=0)), "http.malformed"),
        (broker(first=frame(2, length=(1 << 63))), "http.malformed"),
        (broker(first=frame(2, b"x" * 200_000)), "http.malformed"),
        (broker(first=frame(8, b"\x03\xe8")), "http.closed"),
        (broker(first=frame(8, b"\x03")), "http.closed"),
        (flooding(frame(2, b"x" * 60_000), first=frame(8)), "http.closed"),
        (raw(b"HTTP/1.1 101 Switching\r\n\r\n"), "http.malformed"),
        (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "http.malformed"),
        (raw(b"HTTP/1.1 099 Less\r\n\r\n"), "http.malformed"),
        (raw(b"HTTP/2 200\r\n\r\n"), "http.malformed"),
        (raw(b"\x15\x03\x01\0\2\2\x46"), "http.malformed"),
        (raw(b"HTTP/1.1 101"), "http.closed"),
        (raw(b"HTTP/1.1 101 X\r\nX: " + b"x" * 40_000), "http.headers_too_large"),
        (raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 5000), "http.headers_too_large"),
        (raw(b"HTTP/1.1 503 No\r\nContent-Encoding: br\r\nContent-Length: 5\r\n\r\nabcde"), "http.503"),
        (redirect("/"), "http.redirect_unexpected"),
        (redirect("ftp://127.0.0.1/"), "http.redirect_unexpected"),
        (redirect("http://127.0.0.1:99999999/"), "http.redirect_unexpected"),
        (redirect("http://[]@"), "http.redirect_unexpected"),
        (raw(b"HTTP/1.1 302 Found\r\nLocation: http://\xff\xfe/\r\n\r\n"), "http.redirect_unexpected"),
    ],
)
async def test_what_is_wrong_is_the_brokers(reach: Reach, way: Behaviour, code: str) -> None:
    """Never a bug of ours, nor is anything asked twice, but in the other version who hangs up before the welcome."""
    async with served(way) as server:
        _, result = await seen(reach, asking(server.url(scheme="ws")))
    assert result.code == code, result
    assert server.connections == (2 if code == "http.closed" and len(server.requests) == 2 else 1)


@pytest.mark.parametrize("name", FLOODS)
async def test_a_flood_of_frames_has_an_end(reach: Reach, name: str) -> None:
    """Also of those that hold nothing: thirty at once, each in its time."""
    way, codes = FLOODS[name]
    async with served(way) as server, LagSampler() as lag:
        probe = asking(server.url(scheme="ws"))
        told = await asyncio.gather(*(seen(reach, probe) for _ in range(30)))
    assert {result.code for _, result in told} <= codes
    assert max(observation.duration for observation, _ in told) < probe.timeout.total_seconds() + 0.5
    assert lag.worst < 0.15


async def test_who_pings_for_ever_keeps_no_run_from_ending(reach: Reach) -> None:
    """The message is back: nothing that is said after it is waited for."""
    good = broker()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def ping() -> None:
            while True:
                await asyncio.sleep(0.01)
                writer.write(frame(9))

        pinging = asyncio.create_task(ping())
        try:
            await good(reader, writer)
        finally:
            pinging.cancel()

    async with served(behave) as server, asyncio.timeout(2):
        _, result = await seen(reach, asking(server.url(scheme="ws")))
    assert result.code is None


async def test_the_request_says_what_it_has_to(reach: Reach) -> None:
    """And nothing of the credentials, which are the broker's."""
    asked = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await request(reader))
        writer.write(agreed(asked[0]))

    async with served(behave) as server:
        await seen(reach, asking(f"ws://user:secret@127.0.0.1:{server.port}/mqtt?a=b"))
    first, *lines = asked[0].decode().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    assert first == "GET /mqtt?a=b HTTP/1.1"
    assert headers["Host"] == f"127.0.0.1:{server.port}"
    assert (headers["Upgrade"], headers["Connection"]) == ("websocket", "Upgrade")
    assert (headers["Sec-WebSocket-Version"], headers["Sec-WebSocket-Protocol"]) == ("13", "mqtt")
    assert len(b64decode(headers["Sec-WebSocket-Key"])) == 16
    assert "secret" not in asked[0].decode()
    assert "Authorization" not in headers


class _Nowhere:
    def write(self, data: bytes) -> None:
        """Goes nowhere."""

    async def drain(self) -> None:
        """Nothing to wait for."""


@settings(max_examples=examples(300), deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_frames_or_said_to_be_none(data: bytes) -> None:
    """Reading ends at the end of the connection, or with a code."""

    async def read_all() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        frames = Frames(reader, _Nowhere())  # type: ignore[arg-type]
        while True:
            await frames.readexactly(1)

    with pytest.raises((asyncio.IncompleteReadError, Stopped)):
        asyncio.run(read_all())
