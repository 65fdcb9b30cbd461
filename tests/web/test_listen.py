"""Listening at an address: what comes in there that is no request."""

import asyncio
import gzip
import logging
import os
import resource
import socket
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress

import pytest
from aiohttp import web

from monitor.web.counter import sent
from monitor.web.form import form_of
from monitor.web.listen import listen
from monitor.web.patience import Patience
from tests.processes.running import eventually

CLOSE = b"Connection: close\r\n\r\n"


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


async def test_what_is_sent_packed_holds_up_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """A bomb that nobody reads, one that somebody does, and what cannot be unpacked: none is, and the log is silent."""
    longest, parts = 0.0, 0

    async def reads(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    async def turn() -> None:
        nonlocal longest
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    app = web.Application()
    app.router.add_post("/read", reads)
    bomb = gzip.compress(bytes(100_000_000), 9)
    async with AsyncExitStack() as stack:
        host, port = await listen(stack, app, "127.0.0.1", 0, "monitor.public")
        turning = asyncio.create_task(turn())
        with caplog.at_level(logging.INFO):
            for path, coding, body in (
                (b"/read", b"gzip", bomb),
                (b"/nowhere", b"gzip", bomb),
                (b"/nowhere", b"deflate", bomb),
                (b"/nowhere", b"gzip", b"\xff" * 1000),
            ):
                head = b"POST %s HTTP/1.1\r\nHost: a\r\nContent-Encoding: %s\r\nContent-Length: %d\r\n"
                answer = await answered(host, port, head % (path, coding, len(body)) + CLOSE + body)
                parts += answer.endswith(b"\r\n%d" % len(body))
                assert b" 500 " not in answer
        turning.cancel()
    assert parts == 1
    assert longest < 0.05
    assert caplog.records == []


class Shop:
    """Answers at once, or, at `/slow`, when `go` is set."""

    def __init__(self) -> None:
        self.go, self.app = asyncio.Event(), web.Application()
        self.app.router.add_get("/", self.quick)
        self.app.router.add_get("/slow", self.slow)

    async def quick(self, request: web.Request) -> web.Response:
        return web.Response(text="here")

    async def slow(self, request: web.Request) -> web.Response:
        await self.go.wait()
        return web.Response(text="at last")


async def asked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str = "/") -> bytes:
    """The last line of the answer over a connection that stays."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"Content-Length: " in head
    return await reader.readexactly(int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0]))


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"], ids=["nothing", "half a request"])
async def test_whoever_asks_for_nothing_does_not_stay(sent: bytes) -> None:
    """What is being answered stays as long as that takes; after an answer the time begins anew."""
    shop = Shop()
    async with AsyncExitStack() as stack, asyncio.timeout(10):
        patience = Patience(longest=0.4, every=0.05)
        where = await listen(stack, shop.app, "127.0.0.1", 0, "monitor.public", patience)
        busy_reader, busy = await asyncio.open_connection(*where)
        waiting = asyncio.create_task(asked(busy_reader, busy, "/slow"))
        kept_reader, kept = await asyncio.open_connection(*where)
        began = asyncio.get_running_loop().time()
        reader, writer = await asyncio.open_connection(*where)
        writer.write(sent)
        ended = asyncio.create_task(reader.read())
        while not ended.done():
            assert await asked(kept_reader, kept) == b"here"
            await asyncio.sleep(0.1)
        assert await ended == b""
        assert 0.4 <= asyncio.get_running_loop().time() - began < 3
        assert await asked(kept_reader, kept) == b"here"
        shop.go.set()
        assert await waiting == b"at last"
        for one in (busy, kept, writer):
            one.close()


async def test_a_crowd_that_asks_for_nothing_keeps_nobody_out() -> None:
    """For one more the longest idle goes; whoever is being answered is not touched."""
    shop = Shop()
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        where = await listen(stack, shop.app, "127.0.0.1", 0, "monitor.public", Patience(most=20))
        busy_reader, busy = await asyncio.open_connection(*where)
        waiting = asyncio.create_task(asked(busy_reader, busy, "/slow"))
        await asyncio.sleep(0.05)
        crowd = [await asyncio.open_connection(*where) for _ in range(60)]
        assert await answered(*where, b"GET / HTTP/1.0\r\n\r\n") != b""
        assert await crowd[0][0].read() == b""
        assert await asked(*crowd[-1]) == b"here"
        shop.go.set()
        assert await waiting == b"at last"
        for _, writer in (*crowd, (busy_reader, busy)):
            writer.close()


def files() -> int:
    """How many this process has open."""
    return len(os.listdir("/proc/self/fd"))


@contextmanager
def calling(where: tuple[str, int], count: int, sent: bytes = b"") -> Iterator[None]:
    """So many connections at the very same time; the loop does not turn until all are on their way."""
    with ExitStack() as stack:
        callers = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in callers:
            one.setblocking(False)
            with suppress(BlockingIOError):
                one.connect(where)
            with suppress(BlockingIOError):
                one.send(sent)
        yield


async def test_a_crowd_that_comes_at_once_takes_no_more_files_than_readers_may() -> None:
    """At each turn of the loop few are let in, and whoever is one too many goes, as if they had come one by one."""
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        patience = Patience(most=20)
        where = await listen(stack, Shop().app, "127.0.0.1", 0, "monitor.public", patience)
        before, most = files(), 0
        with calling(where, 100):
            end = time.monotonic() + 1.5
            while time.monotonic() < end:
                most = max(most, files() - before - 100)
                await asyncio.sleep(0)
            assert 0 < files() - before - 100 <= 20
            assert await answered(*where, b"GET / HTTP/1.0\r\n\r\n") != b""
        assert most <= 20 + 3 * patience.at_once


async def test_whoever_does_not_read_the_answer_does_not_stay() -> None:
    """Too long an answer to be sent at once: the connection ends, whether the rest of it is read or not."""

    async def long(request: web.Request) -> web.Response:
        return web.Response(body=bytes(20_000_000))

    app = web.Application()
    app.router.add_get("/", long)
    async with AsyncExitStack() as stack:
        where = await listen(stack, app, "127.0.0.1", 0, "monitor.public", Patience(longest=2.0, every=0.05))
        before = files()
        with calling(where, 10, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"):
            await eventually(lambda: files() - before >= 20, 10, "all are there")
            await eventually(lambda: files() - before <= 10, 10, "all are gone")


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process has as many open as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, hard))
        with suppress(OSError):
            while True:
                stack.callback(os.close, os.dup(0))
        yield


async def test_that_readers_wait_for_files_is_one_line(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many wait, at whichever server, and for however long: once a minute, without a traceback. Another error
    that nobody took is told as ever."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.05)
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        where = await listen(stack, Shop().app, "127.0.0.1", 0, "monitor.public")
        other = await listen(stack, Shop().app, "127.0.0.1", 0, "monitor.ops")
        with calling(where, 30), calling(other, 30):
            with no_more_files():
                await asyncio.sleep(0.3)
            (line,) = caplog.records
            assert line.getMessage() == (
                "readers wait until they can be let in: no more files may be opened by this process (`ulimit -n`)"
            )
            assert line.exc_info is None
            await asyncio.sleep(0.2)
            for at in (where, other):
                assert await answered(*at, b"GET / HTTP/1.0\r\n\r\n") != b""
        asyncio.get_running_loop().call_exception_handler({"message": "a bug of ours"})
        assert caplog.messages[1:] == ["a bug of ours"]


async def test_a_server_that_is_closed_while_readers_wait_for_files_leaves_no_trace(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """asyncio tries again there, too."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr("asyncio.constants.ACCEPT_RETRY_DELAY", 0.2)
    async with AsyncExitStack() as stack, asyncio.timeout(20):
        where = await listen(stack, Shop().app, "127.0.0.1", 0, "monitor.public")
        with calling(where, 1), no_more_files():
            await asyncio.sleep(0.1)
    await asyncio.sleep(0.3)
    assert len(caplog.records) == 1, caplog.text


@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
async def test_what_is_sent_along_has_its_time(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever promises a body and does not send it is told so."""
    monkeypatch.setattr("monitor.web.counter.SLOWEST", 0.1)
    monkeypatch.setattr("monitor.web.form.SLOWEST", 0.1)

    async def take(request: web.Request) -> web.Response:
        await (sent(request, ("a",)) if kind.endswith("json") else form_of(request))
        return web.Response()

    app = web.Application()
    app.router.add_post("/", take)
    async with AsyncExitStack() as stack:
        where = await listen(stack, app, "127.0.0.1", 0, "monitor.ops")
        post = f"POST / HTTP/1.0\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: 100\r\n\r\n{{".encode()
        reader, writer = await asyncio.open_connection(*where)
        writer.write(post)
        async with asyncio.timeout(5):
            assert b" 408 " in await reader.readline()
        writer.close()
