"""Fuzzing, guided by what the code does: `python -m tests.probers.fuzz FOLDER [-max_total_time=180]`.

Every input is what a hostile server says: its first byte chooses who says it (a web server, a broker, a name server, a
port, a status page, a Prometheus), the rest is sent as it stands, over a real socket. The corpus is where it begins.
What ends it is an exception, a code that is none or our own fault, an observation that cannot be written and read
again, a run that held up the event loop, or memory that grows. The input lies in FOLDER then.
"""

import asyncio
import gc
import json
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import atheris

with atheris.instrument_imports(include=["monitor.probers", "monitor.core", "monitor.mask", "dns", "aiohttp"]):
    from monitor.core.codes import CODES
    from monitor.core.expectation import Expect, judge
    from monitor.core.observation import observation_from_json, observation_to_json
    from monitor.core.probe import Probe
    from monitor.core.target import DnsTarget, MqttTarget, PageTarget, PrometheusTarget, TcpTarget
    from monitor.probers import look

from .corpus import CORPUS, whole
from .crowd import memory
from .looking import probe_of, reaching
from .test_any_bytes import EXPECT

LIMIT = 0.1  # seconds a run has; what says nothing more closes, so few need them
LONGEST_STRETCH = 0.05  # seconds of processor time between two beats of the event loop
MOST_GROWTH = 50_000_000
OWN = frozenset({"self.config", "self.connectivity"})  # of kinds for which a refusal or a witness is ours to correct
KINDS = ("http", "mqtt", "tcp", "statuspage", "prometheus", "dns")


class Target(asyncio.DatagramProtocol):
    """Servers that say what they are told to, and probes that ask them."""

    def __init__(self) -> None:
        self.said = b""
        self.runs = 0
        self.longest = 0.0
        self.grown_from: int | None = None
        self.runner = asyncio.Runner()
        self.runner.run(self._open())

    async def _open(self) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                if self.kind in ("http", "statuspage", "prometheus"):
                    await reader.readuntil(b"\r\n\r\n")
                writer.write(self.said)
                await writer.drain()
            except (OSError, asyncio.IncompleteReadError):
                pass
            writer.close()

        self.server = await asyncio.start_server(answer, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        place = ("127.0.0.1", self.port)
        self.names, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, local_addr=place)
        self.opened = reaching()  # held, or it would be closed as garbage
        self.reach = await self.opened.__aenter__()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """The number and the question are right, so that the rest is read."""
        question = data[12:][: data[12:].index(b"\0") + 5]
        head, rest = self.said[:8], self.said[8:]
        self.names.sendto(
            data[:2] + bytes([0x80 | (head[:1] or b"\0")[0]]) + head[1:2] + b"\0\1" + head[2:8] + question + rest, addr
        )

    def probe(self) -> Probe:
        """The one that meets this kind of server."""
        url = f"http://127.0.0.1:{self.port}/"
        if self.kind == "http":
            return probe_of(url, EXPECT, limit=LIMIT, max_body=65_536, follow=2)
        probe = Probe("m", "p", self.kind, timedelta(seconds=30), timedelta(seconds=LIMIT))
        more: dict[str, Any] = {
            "mqtt": {"ask": MqttTarget(f"mqtt://127.0.0.1:{self.port}", "t", allow_private=True)},
            "tcp": {
                "ask": TcpTarget("127.0.0.1", self.port, allow_private=True),
                "expect": Expect(contains=("250",), not_contains=("no",), matches=(r"(a|aa)+b$",)),
            },
            "statuspage": {"ask": PageTarget(url + "x", allow_private=True), "expect": Expect(hearsay=True)},
            "prometheus": {"ask": PrometheusTarget(url, query="up", allow_private=True), "expect": Expect(query="up")},
            "dns": {"ask": DnsTarget("shop.test", "TXT", ("127.0.0.1", self.port), allow_private=True)},
        }
        return replace(probe, **more[self.kind])

    async def _asked(self) -> Any:
        loop, longest, before = asyncio.get_running_loop(), 0.0, time.process_time()

        def beat() -> None:
            nonlocal longest, before
            now = time.process_time()
            longest, before = max(longest, now - before), now
            beating[0] = loop.call_soon(beat)

        beating = [loop.call_soon(beat)]
        try:
            return await look(self.probe(), self.reach)
        finally:
            beating[0].cancel()
            self.longest = longest

    def one(self, data: bytes) -> None:
        """One input, and everything that must hold of what comes of it."""
        self.kind, self.said = KINDS[data[0] % len(KINDS) if data else 0], data[1:]
        self.reach.spoken.clear()
        probe = self.probe()
        observation = self.runner.run(self._asked())
        result = judge(observation, probe.expect)
        assert result.code is None or result.code in CODES, result
        ours = result.code is not None and result.code.startswith("self.")
        assert not ours or (self.kind in ("mqtt", "prometheus") and result.code in OWN), result
        written = observation_to_json(observation)
        assert judge(observation_from_json(written), probe.expect).code == result.code
        str(written).encode()
        assert self.longest < LONGEST_STRETCH * 4, self.longest  # instrumented code is a few times slower
        self.runs += 1
        if self.runs % 1000 == 0:
            gc.collect()
            self.grown_from = self.grown_from or memory()
            assert memory() - self.grown_from < MOST_GROWTH, "memory grows"


def seeds() -> list[bytes]:
    """The corpus, as inputs."""
    found = [b"\0" + answer[:20_000] for _, answer in CORPUS.values()]
    found += [
        bytes([KINDS.index("mqtt")]) + one
        for one in (b"\x20\x03\0\0\0\x90\4\0\1\0\1\x40\2\0\2\x30\5\0\1t\0x", b"\x20\2\0\1")
    ]
    found += [bytes([KINDS.index("tcp")]) + one for one in (b"220 hello\r\n250 OK\r\n", b"\x15\3\1\0\2\2\x46")]
    incident = {"id": "i", "name": "n", "status": "resolved", "created_at": "2026-01-01T00:00:00Z"}
    parts = {"components": [{"id": "a", "name": "b"}], "incidents": [incident]}
    page = whole(json.dumps({"page": {"name": "x"}, **parts}).encode())
    result = [{"metric": {}, "value": [1, "NaN"]}]
    series = whole(json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode())
    record = b"\1\0\0\1\0\0\0\0\xc0\x0c\0\x10\0\1\0\0\0\1\0\4\3abc"
    found += [bytes([KINDS.index("statuspage")]) + page, bytes([KINDS.index("prometheus")]) + series]
    return [*found, bytes([KINDS.index("dns")]) + record]


def main() -> None:
    """Plants the corpus and lets libFuzzer drive."""
    folder = Path(sys.argv[1])
    planted = folder / "seeds"
    planted.mkdir(parents=True, exist_ok=True)
    for number, one in enumerate(seeds()):
        (planted / f"{number:03}").write_bytes(one)
    target = Target()
    options = [f"-artifact_prefix={folder}/", "-max_len=20000", "-timeout=30", "-rss_limit_mb=2048"]
    atheris.Setup([sys.argv[0], str(planted), *options, *sys.argv[2:]], target.one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
