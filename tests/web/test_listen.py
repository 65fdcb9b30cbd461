"""Listening at an address: what comes in there that is no request."""

import asyncio
import logging
from contextlib import AsyncExitStack

import pytest
from aiohttp import web

from monitor.web.listen import listen


async def answered(host: str, port: int, sent: bytes) -> bytes:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(host, port)
        writer.write(sent)
        answer = await reader.read()
        writer.close()
        return answer


async def broken(request: web.Request) -> web.Response:
    raise ValueError("a bug of ours")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"GET / HTTP/1.1\r\nA" + b"a" * 9000 + b": b\r\n\r\n",
    ],
    ids=["TLS", "another version", "a header without end"],
)
async def test_whoever_does_not_speak_http_is_refused_and_fills_no_log(
    caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    """The answer is 400; a bug of ours is told as ever."""
    app = web.Application()
    app.router.add_get("/bug", broken)
    async with AsyncExitStack() as stack:
        host, port = await listen(stack, app, "127.0.0.1", 0, "monitor.public")
        with caplog.at_level(logging.INFO):
            answer = await answered(host, port, sent)
            assert answer.startswith(b"HTTP/1.0 400 ") or answer.startswith(b"HTTP/1.1 400 "), answer
            assert caplog.records == []
            assert b" 500 " in await answered(host, port, b"GET /bug HTTP/1.0\r\nHost: a\r\n\r\n")
            assert "a bug of ours" in caplog.text
