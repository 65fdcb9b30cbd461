"""Crowd: many modules on one server of the test's own, the real program over them, and what of itself it says."""

import asyncio
import json
import re
import signal
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from tests.processes.running import Program, eventually, free_port, get

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"
BAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"


class Server:
    """Answers `/ID` after a delay; those in `failing` with 503. Keeps when each was asked."""

    def __init__(self) -> None:
        self.port = 0
        self.delay = 0.0
        self.failing: set[str] = set()
        self.asked: list[tuple[float, str]] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and no more."""
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode().lstrip("/")
            self.asked.append((time.monotonic(), path))
            await asyncio.sleep(self.delay)
            writer.write(BAD if path in self.failing else OK)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):  # the last when the test is over
            pass
        finally:
            writer.close()

    def since(self, moment: float) -> Counter[str]:
        """How often each was asked from then on."""
        return Counter(path for at, path in self.asked if at >= moment)

    def per(self, seconds: float, since: float) -> list[int]:
        """How many requests came in each stretch of so many seconds from then on."""
        found = Counter(int((at - since) / seconds) for at, _ in self.asked if at >= since)
        return [found[number] for number in range(max(found, default=-1) + 1)]


@asynccontextmanager
async def serving() -> AsyncIterator[Server]:
    """A server on loopback while the block runs."""
    one = Server()
    server = await asyncio.start_server(one.answer, "127.0.0.1", 0, backlog=2048)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()


class Crowd:
    """A monitor over so many modules of a server, its folder and its ports."""

    def __init__(
        self, folder: Path, port: int, count: int, interval: str = "5s", timeout: str = "2s", more: str = ""
    ) -> None:
        self.data, self.file, self.log = folder / "data", folder / "probes.yaml", folder / "log"
        self.page, self.ops = free_port(), free_port()
        self.ids = [f"m{number}" for number in range(count)]
        lines = (
            f"  - {{id: {id}, priority: urgent, probes: [{{id: home, kind: http, allow_private: true, "
            f'url: "http://127.0.0.1:{port}/{id}"}}]}}'
            for id in self.ids
        )
        self.file.write_text(
            f"""\
version: 1
site: {{languages: [en], url: "http://127.0.0.1:{self.page}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"}}
defaults: {{interval: {interval}, timeout: {timeout}, confirm: 2s}}
modules:
{chr(10).join(lines)}
{more}
"""
        )

    @asynccontextmanager
    async def running(self, *before: str, module: str = "monitor", within: float = 60) -> AsyncIterator[Program]:
        """The program, from its first page, within so many seconds; `before` is put before its command line."""
        arguments = ("run", "--config", str(self.file), "--data", str(self.data))
        with self.log.open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *before, sys.executable, "-m", module, *arguments,
                stdout=output, stderr=output,
            )  # fmt: skip
        try:
            await eventually(lambda: self.status() is not None, within, "the page is out")
            yield Program(process, self.log)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                await process.wait()

    def status(self) -> dict[str, Any] | None:
        """`status.json` as it is published."""
        code, body = get(f"http://127.0.0.1:{self.page}/api/v1/status.json")
        return json.loads(body) if code == 200 else None

    def statuses(self) -> Counter[str]:
        """How many modules have each status."""
        status = self.status()
        return Counter(one["status"] for one in status["modules"]) if status else Counter()

    def incidents(self) -> list[dict[str, Any]]:
        """Every incident that was ever published."""
        code, body = get(f"http://127.0.0.1:{self.page}/api/v1/incidents.json")
        assert code == 200
        found: list[dict[str, Any]] = json.loads(body)["incidents"]
        return found

    async def all_are(self, status: str, within: float = 60) -> None:
        """Waits until every module has this status."""
        await eventually(lambda: self.statuses()[status] == len(self.ids), within, f"all are {status}")

    def metric(self, name: str) -> float | None:
        """The value of one series."""
        found = re.search(rf"^{re.escape(name)} (\S+)$", get(f"http://127.0.0.1:{self.ops}/metrics")[1], re.MULTILINE)
        return None if found is None else float(found[1])

    def light(self, sign: str) -> bool | None:
        """Whether a light is on; None while nobody answers."""
        value = self.metric(f'monitor_sign_past_limit{{sign="{sign}"}}')
        return None if value is None else bool(value)

    def lit(self, sign: str, code: str) -> bool:
        """Whether a light is on everywhere: in the metrics, on the dashboard with its code, in both APIs."""
        told = self.status()
        page = get(f"http://127.0.0.1:{self.ops}/healthcheck")[1]
        return bool(
            self.light(sign)
            and self.metric(f'monitor_trouble{{code="{code}"}}') == 1
            and told is not None
            and (told["monitor"]["status"], told["monitor"]["reason"]) == ("degraded", code)
            and re.search(rf'<li class="down">.*Past its limit.*<code>{re.escape(code)}</code>', page)
        )

    def is_well(self) -> bool:
        """Whether every light is out, everywhere."""
        told = self.status()
        text = get(f"http://127.0.0.1:{self.ops}/metrics")[1]
        values = re.findall(r"^monitor_(?:sign_past_limit|trouble)\{[^}]*\} (\S+)$", text, re.MULTILINE)
        return told is not None and told["monitor"]["status"] == "ok" and not any(map(float, values)) and bool(values)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What stands in the database."""
        with closing(sqlite3.connect(f"file:{self.data / 'monitor.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()


def spread(times: Sequence[tuple[float, str]], width: float) -> int:
    """The most requests that came in any stretch of so many seconds."""
    moments = sorted(at for at, _ in times)
    return max((sum(1 for at in moments if begin <= at < begin + width) for begin in moments), default=0)


async def starve(one: Program, seconds: float, share: float = 0.1, period: float = 1.0) -> None:
    """Lets a program have the processor for a share of each period, by stopping and continuing it."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        one.tell(signal.SIGSTOP)
        await asyncio.sleep(period * (1 - share))
        one.tell(signal.SIGCONT)
        await asyncio.sleep(period * share)
