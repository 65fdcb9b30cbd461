"""What an answer is told to have taken is the target's time: a loop that is busy makes no target slow."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from monitor.probers import Reach
from monitor.probers.line import Line
from monitor.probers.sockets import Sockets

from .looking import probe_of, seen
from .misbehaving import answer, served

BUSY = 0.15  # seconds


async def test_a_loop_that_is_busy_once_the_answer_came(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last byte is marked when it comes, not when the run hears of it."""
    received = Line.data_received

    def busy(line: Line, data: bytes) -> None:
        received(line, data)
        time.sleep(BUSY)

    monkeypatch.setattr(Line, "data_received", busy)
    async with served(answer()) as server:
        observation, _ = await seen(reach, probe_of(server.url()))
    assert observation.http is not None
    assert observation.duration < BUSY
    assert sum(observation.phases.values()) <= observation.duration + 1e-6


async def test_a_loop_that_is_busy_before_the_question(reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """The socket is connected and nothing asked yet: the target has nothing to do with it."""
    connect = Sockets.connect

    async def busy(sockets: Sockets, *given: Any) -> float:
        told = await connect(sockets, *given)
        await asyncio.sleep(BUSY)
        return told

    monkeypatch.setattr(Sockets, "connect", busy)
    async with served(answer()) as server:
        observation, _ = await seen(reach, probe_of(server.url()))
    assert observation.http is not None
    assert observation.duration < BUSY
    assert sum(observation.phases.values()) <= observation.duration + 1e-6


@asynccontextmanager
async def dawdling(*pieces: bytes) -> AsyncIterator[str]:
    """The address of a server that waits before each piece, and before it closes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        with suppress(ConnectionError):  # the client closes as soon as it has all
            for piece in pieces:
                await asyncio.sleep(BUSY)
                writer.write(piece)
                await writer.drain()
            await asyncio.sleep(BUSY)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        over.set()

    over = asyncio.Event()
    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        await over.wait()


async def test_what_the_target_takes_counts_to_the_last_byte(reach: Reach) -> None:
    """Headers, body in pieces."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    async with dawdling(head, b"a", b"b") as url:
        observation, _ = await seen(reach, probe_of(url))
    assert 3 * BUSY <= observation.duration < 4 * BUSY
    assert observation.phases["transfer"] >= 2 * BUSY * 0.95


async def test_an_answer_without_a_length_ends_with_its_connection(reach: Reach) -> None:
    async with dawdling(b"HTTP/1.1 200 OK\r\n\r\nab") as url:
        observation, _ = await seen(reach, probe_of(url))
    assert observation.duration >= 2 * BUSY
