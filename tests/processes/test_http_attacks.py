"""Both listeners of the real program under what no client should send: nobody waits, nothing grows or leaks."""

import asyncio
import gzip
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.machine import slowness
from tests.processes.crowd import Crowd, serving
from tests.processes.running import Program, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

LAG, GROWTH = 0.05, 50e6  # seconds that the loop may be held up, bytes that memory may grow
SECRET = "s3cret-canary-Zx9"

HOST = b"Host: a.example\r\n"
GET = b"GET / HTTP/1.1\r\n" + HOST
POST = b"POST /subscribe HTTP/1.1\r\nContent-Type: application/json\r\n" + HOST
INNER = b"GET /api/v1/status.json HTTP/1.1\r\n" + HOST + b"\r\n"

# What two readers of one wire could understand in two ways: never more than one answer, or one of 400 and the end.
SMUGGLED = {
    "both lengths": POST + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
    "two lengths": POST + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + INNER,
    "a list of lengths": POST + b"Content-Length: 0, 44\r\n\r\n" + INNER,
    "a signed length": POST + b"Content-Length: +0\r\n\r\n" + INNER,
    "a negative length": POST + b"Content-Length: -1\r\n\r\n" + INNER,
    "a hexadecimal length": POST + b"Content-Length: 0x0\r\n\r\n" + INNER,
    "a length in underscores": POST + b"Content-Length: 0_0\r\n\r\n" + INNER,
    "a length of wide digits": POST + "Content-Length: ０\r\n\r\n".encode() + INNER,
    "another coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + INNER,
    "chunked twice": POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + INNER,
    "chunked and more": POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + INNER,
    "a space before the colon": POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + INNER,
    "a tab before the name": POST + b"\tTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
    "a form feed": POST + b"Transfer-Encoding:\x0cchunked\r\n\r\n0\r\n\r\n" + INNER,
    "NUL in a header": POST + b"X: a\0b\r\n\r\n" + INNER,
    "a bare return": POST + b"X: a\rTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + INNER,
    "a chunk size too large": POST + b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF0\r\n\r\n" + INNER,
    "a chunk size with a prefix": POST + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n" + INNER,
    "a negative chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n" + INNER,
    "a chunk without its end": POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nabc0\r\n\r\n" + INNER,
    "no version": b"GET /\r\n\r\n" + INNER,
    "another version": b"GET / HTTP/2.0\r\n\r\n" + INNER,
    "a space in the target": b"GET / x HTTP/1.1\r\n" + HOST + b"\r\n" + INNER,
    "a method that is none": b"G\x00T / HTTP/1.1\r\n" + HOST + b"\r\n" + INNER,
}
# Strange and whole: an answer, whatever it is, and none of 500.
ODD = {
    "HTTP/1.0 without a host": b"GET / HTTP/1.0\r\n\r\n",
    "an absolute target": b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "a host of rubbish": b"GET /healthcheck HTTP/1.1\r\nHost: <script>\"'\r\nConnection: close\r\n\r\n",
    "no host": b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\nConnection: close\r\n\r\n",
    "everything": b"OPTIONS * HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
    "a trace": b"TRACE / HTTP/1.1\r\nCookie: session=x\r\nConnection: close\r\n" + HOST + b"\r\n",
    "a long method": b"G" * 9000 + b" / HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
    "a long target": b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nConnection: close\r\n" + HOST + b"\r\n",
    "a long header": GET + b"X: " + b"a" * 5_000_000 + b"\r\nConnection: close\r\n\r\n",
    "many headers": GET + b"".join(b"X-%d: a\r\n" % n for n in range(20_000)) + b"Connection: close\r\n\r\n",
    "many cookies": GET + b"Cookie: " + b"; ".join(b"a%d=b" % n for n in range(800)) + b"\r\nConnection: close\r\n\r\n",
    "many parameters": b"GET /?" + b"&".join(b"a%d=b" % n for n in range(1000)) + b" HTTP/1.1\r\nConnection: close\r\n"
    + HOST + b"\r\n",
    "an upgrade": GET + b"Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n",
    "two hundred ranges": GET + b"Range: bytes=" + b",".join(b"0-%d" % n for n in range(200))
    + b"\r\nConnection: close\r\n\r\n",
}  # fmt: skip
UP = ("../", "..%2f", "%2e%2e/", "%2e%2e%2f", "..%252f", "%252e%252e%252f", "..\\", "..%5c", "%c0%ae%c0%ae/", "..;/")
UP += ("..%c0%af", "%uff0e%uff0e/", ".%00./", "..%00/", "....//", "..%0d%0a/", "%ef%bc%8e%ef%bc%8e/", "..／")
FILES = ("probes.yaml", "data/monitor.db", "data/secret", "etc/passwd")


def body(sent: bytes, kind: str = "application/json", more: str = "", path: str = "/subscribe") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {len(sent)}\r\n{more}"
    return head.encode() + b"Connection: close\r\n\r\n" + sent


FORM = "application/x-www-form-urlencoded"
BODIES = {
    "deep JSON": body(b"[" * 30_000),
    "a long number": body(b'{"email": ' + b"9" * 30_000 + b"}"),
    "a bomb": body(gzip.compress(bytes(200_000_000)), more="Content-Encoding: gzip\r\n"),
    "a bomb of a form": body(gzip.compress(bytes(100_000_000)), FORM, "Content-Encoding: deflate\r\n"),
    "a large body": body(b'"' + b"a" * 20_000_000 + b'"'),
    "a large form": body(b"a=" + b"b" * 5_000_000, FORM, path="/healthcheck/login"),
    "many fields": body(b"&".join(b"a%d=b" % n for n in range(6000)), FORM, path="/healthcheck/login"),
    "parts": body(
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n" * 1000, "multipart/form-data; boundary=x"
    ),
    "another charset": body(b"\xff\xfe{\x00}\x00", "application/json; charset=utf-16"),
    "a charset that is none": body(b"{}", "application/json; charset=nonsense"),
    "half a character": body(b'{"email": "\\ud800@a.example"}'),
    "a surrogate in a form": body(b"token=%ED%A0%80&author=%00%0d%0a", FORM, path="/healthcheck/login"),
}


async def sent(port: int, wire: bytes, within: float = 15.0) -> bytes:
    """What is answered until the other side ends, or says no more for a second; half of it is sent first."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        for part in (wire[: len(wire) // 2], wire[len(wire) // 2 :]):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.01)
        async with asyncio.timeout(within):
            while piece := await asyncio.wait_for(reader.read(65536), 1.5):
                found += piece
    except (OSError, TimeoutError):
        pass
    finally:
        writer.close()
    return found


class Watched:
    """A monitor with both its listeners, and how it fares."""

    def __init__(self, crowd: Crowd, one: Program) -> None:
        self.crowd, self.one, self.ports = crowd, one, {"page": crowd.page, "ops": crowd.ops}
        self.before = self.memory()

    def memory(self) -> float:
        """Bytes in memory now."""
        status = Path(f"/proc/{self.one.process.pid}/status").read_text()
        return float(status.partition("VmRSS:")[2].split()[0]) * 1024

    async def fares_well(self, what: str) -> None:
        """The loop was not held up, nothing grew, everybody else is answered at once."""
        began = time.monotonic()
        assert (await sent(self.crowd.page, b"GET / HTTP/1.0\r\n\r\n")).startswith(b"HTTP/1.0 200"), what
        took = time.monotonic() - began
        lag = await asyncio.to_thread(self.crowd.metric, "monitor_event_loop_own_lag_seconds")
        grew = self.memory() - self.before
        print(f"{what}: loop {1000 * (lag or 0):.0f} ms, memory {grew / 1e6:+.0f} MB, a reader {1000 * took:.0f} ms")
        assert lag is not None
        assert lag < LAG * slowness(), what
        assert grew < GROWTH, what
        assert took < 2, what


@asynccontextmanager
async def attacked(folder: Path) -> AsyncIterator[Watched]:
    async with serving() as server:
        crowd = Crowd(folder, server.port, 20, more=f"subscribers: {{}}\n# {SECRET}")
        text = crowd.file.read_text().replace("site: {", f'site: {{subscribe_url: "http://127.0.0.1:{crowd.ops}", ')
        crowd.file.write_text(text)
        async with crowd.running() as one:
            await crowd.all_are("up")
            await asyncio.sleep(35)  # the longest lag of half a minute is that of the start until then
            yield Watched(crowd, one)
            assert await one.leave() == 0
        assert "Traceback" not in one.output
        assert crowd.rows("SELECT count(*) FROM incidents") == [(0,)]


async def test_what_no_client_should_send(tmp_path: Path) -> None:
    """Smuggled requests are not answered, odd ones are, no path leads out, and no body holds anybody up."""
    async with attacked(tmp_path) as seen:
        for side, port in seen.ports.items():
            for what, wire in SMUGGLED.items():
                answer = await sent(port, wire)
                answers = [line for line in answer.split(b"\r\n") if line.startswith(b"HTTP/1.")]
                assert len(answers) <= 1, (side, what, answers)
                assert b'"generated_at"' not in answer, (side, what)
                assert b" 500 " not in answer.partition(b"\r\n")[0], (side, what)
            await seen.fares_well(f"{side}: requests in requests")
            for what, wire in (ODD | BODIES).items():
                answer = await sent(port, wire)
                assert b" 500 " not in answer.partition(b"\r\n")[0], (side, what, answer[:300])
                assert b"evil.example" not in answer.partition(b"\r\n\r\n")[0], (side, what)
                assert answer or what in ("a large body", "a long header", "many headers"), (side, what)
            await seen.fares_well(f"{side}: odd requests and bodies")
            for start in ("/", "/api/v1/", "/assets/", "/healthcheck/assets/", "/subscribe/assets/", "/codes/"):
                for up in UP:
                    paths = [f"{start}{up * depth}{file}" for depth in (1, 2, 4, 7) for file in FILES]
                    wires = [b"GET " + path.encode() + b" HTTP/1.0\r\n\r\n" for path in paths]
                    for path, answer in zip(paths, await asyncio.gather(*(sent(port, w) for w in wires)), strict=True):
                        assert b" 500 " not in answer.partition(b"\r\n")[0], (side, path)
                        for inner in (SECRET.encode(), b"SQLite format", b"root:"):
                            assert inner not in answer, (side, path)
            await seen.fares_well(f"{side}: paths that lead out")


async def test_readers_that_cost_time(tmp_path: Path) -> None:
    """Five hundred that drip, a thousand that are silent, fifty that ask a hundred things at once and read nothing."""
    async with attacked(tmp_path) as seen:
        for side, port in seen.ports.items():
            opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(1500)]
            dripping = [writer for _, writer in opened[:500]]
            for number in range(10):
                for writer in dripping:
                    writer.write(b"GET / HTTP/1.1\r\nX-Slow: "[number : number + 1])
                await asyncio.sleep(0.5)
            await seen.fares_well(f"{side}: 500 that drip and 1,000 that are silent")
            for _, writer in opened:
                writer.close()
            greedy = [await asyncio.open_connection("127.0.0.1", port) for _ in range(50)]
            path = b"/" if side == "page" else b"/healthcheck"
            for _, writer in greedy:
                writer.write((b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n") * 100)
            await asyncio.sleep(5)
            await seen.fares_well(f"{side}: 5,000 requests that nobody waits for")
            for _, writer in greedy:
                writer.transport.abort()
            await asyncio.sleep(1)
        await eventually(seen.crowd.is_well, 30, "every light is out")
        files = seen.crowd.metric("process_open_fds")
        assert files is not None
        assert files < 100
