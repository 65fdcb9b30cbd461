"""Starts the real program as its users do, and asks it what a browser would ask."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def get(url: str, method: str = "GET", headers: Mapping[str, str] = MappingProxyType({})) -> tuple[int, str]:
    """(status, body) of one request; status 0 when nobody answers."""
    try:
        with urlopen(Request(url, method=method, headers=dict(headers)), timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (URLError, OSError):
        return 0, ""


async def eventually(what: Callable[[], Any], within: float, why: str) -> Any:
    """The first true value, asked again and again; fails after `within` seconds."""
    until = time.monotonic() + within
    while True:
        value = await asyncio.to_thread(what)
        if value:
            return value
        assert time.monotonic() < until, f"not within {within:g} s: {why}"
        await asyncio.sleep(0.1)


class Program:
    """One process of ours, its output kept in a file."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def output(self) -> str:
        return self.log.read_text()

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def leave(self, number: signal.Signals = signal.SIGTERM, within: float = 10) -> int:
        """Sends a signal and waits for the exit status."""
        self.tell(number)
        return await asyncio.wait_for(self.process.wait(), within)


@asynccontextmanager
async def program(*arguments: str, log: Path, before: Sequence[str] = (), **environment: str) -> AsyncIterator[Program]:
    """`python -m monitor …`, killed at the end if it still runs; `before` is a command that ends in calling it."""
    command, environment = (*before, sys.executable, "-m", "monitor", *arguments), {**os.environ, **environment}
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output, env=environment)
    try:
        yield Program(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Shop:
    """A web server nobody here wrote: `python -m http.server`, stopped and started at will."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: asyncio.subprocess.Process | None = None

    async def open(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "http.server",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--directory",
            str(self._folder),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        await eventually(lambda: get(f"http://127.0.0.1:{self.port}/")[0] == 200, 10, "the shop opens")

    async def shut(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class Monitor:
    """Addresses and configuration of one monitor over one shop."""

    def __init__(self, folder: Path, shop: Shop) -> None:
        self.folder = folder
        self.file = folder / "probes.yaml"
        self.page, self.ops = free_port(), free_port()
        self.shop = shop
        self.file.write_text(self.configuration())

    def configuration(self) -> str:
        return f"""\
version: 1
site: {{name: Shop status, url: "http://127.0.0.1:{self.page}"}}
monitor: {{public: "127.0.0.1:{self.page}", ops: "127.0.0.1:{self.ops}"}}
defaults: {{interval: 5s, timeout: 2s, confirm: 2s}}
components:
  - group: {{id: shop, name: Shop}}
    items:
      - {{id: pages, name: Pages, modules: [files]}}
modules:
  - id: files
    name: File server
    probes:
      - {{id: home, kind: http, url: "http://127.0.0.1:{self.shop.port}/", allow_private: true}}
"""

    def start(self) -> Any:
        return program("run", "--config", str(self.file), "--data", str(self.folder / "data"), log=self.folder / "log")

    def read(self, path: str) -> str:
        return get(f"http://127.0.0.1:{self.page}{path}")[1]

    def incidents(self) -> list[dict[str, Any]]:
        status, body = get(f"http://127.0.0.1:{self.page}/api/v1/incidents.json")
        return json.loads(body)["incidents"] if status == 200 else []

    def status(self) -> str | None:
        status, body = get(f"http://127.0.0.1:{self.page}/api/v1/status.json")
        return json.loads(body)["modules"][0]["status"] if status == 200 else None

    async def until(self, status: str, within: float = 20) -> None:
        await eventually(lambda: self.status() == status, within, f"the module is {status}")
