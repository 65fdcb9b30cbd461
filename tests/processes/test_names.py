"""A machine whose name servers answer nobody: no module goes down, notices wait and then leave, and a stop is as quick
as ever. An `/etc/resolv.conf` of its own takes `unshare`, and the right to use it.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.notify.posts import post
from tests.processes.running import Program, eventually, free_port, get
from tests.processes.stations import Station, hook

pytestmark = pytest.mark.slow
SERVERS = ("127.0.53.1", "127.0.53.2", "127.0.53.3")  # as many as the system asks
CANARIES = ("one.test", "two.test", "three.test")
NAMES = frozenset({"hook.test", "mail.test", "shop.test", *CANARIES})


class NameServer(asyncio.DatagramProtocol):
    """Knows some names, all of them on loopback; while `dead` is set it says nothing."""

    def __init__(self, dead: asyncio.Event) -> None:
        self._dead = dead

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """One question; the name stands behind the head."""
        if self._dead.is_set():
            return
        labels, at = [], 12
        while size := data[at]:
            labels.append(data[at + 1 : at + 1 + size].decode().lower())
            at += 1 + size
        known, kind = ".".join(labels) in NAMES, data[at + 1 : at + 3]
        answers = known and kind == b"\0\1"
        head = data[:2] + (b"\x81\x80" if known else b"\x81\x83") + bytes((0, 1, 0, answers, 0, 0, 0, 0))
        record = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1" if answers else b""
        self._transport.sendto(head + data[12 : at + 5] + record, addr)


@asynccontextmanager
async def name_servers() -> AsyncIterator[asyncio.Event]:
    """At every address that the system asks; setting the event kills them."""
    dead, loop, opened = asyncio.Event(), asyncio.get_running_loop(), list[asyncio.BaseTransport]()
    try:
        for address in SERVERS:
            made = await loop.create_datagram_endpoint(lambda: NameServer(dead), local_addr=(address, 53))
            opened.append(made[0])
        yield dead
    except PermissionError:
        pytest.skip("port 53 needs rights that there are not")
    finally:
        for transport in opened:
            transport.close()


@asynccontextmanager
async def asking(station: Station) -> AsyncIterator[Program]:
    """The program on a machine that asks those."""
    file, log = station.folder / "resolv.conf", station.folder / "log"
    file.write_text("".join(f"nameserver {address}\n" for address in SERVERS))
    arguments = ("run", "--config", str(station.file), "--data", str(station.folder / "data"))
    mounted = f'mount --bind {file} /etc/resolv.conf && exec "$@"'
    command = ("unshare", "-m", "sh", "-c", mounted, "sh", sys.executable, "-m", "monitor", *arguments)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(*command, stdout=output, stderr=output)
    try:
        await eventually(lambda: get(f"http://127.0.0.1:{station.ops}/-/ready")[0] == 200, 30, "it has published")
        yield Program(process, log)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def mountable() -> bool:
    """Whether this machine lets us have a file of our own in the place of one of its."""
    command = ("unshare", "-m", "mount", "--bind", "/etc/hostname", "/etc/resolv.conf")
    try:
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


@pytest.mark.timeout(300)
async def test_while_no_name_is_known_nothing_is_down_and_what_is_to_be_said_waits(tmp_path: Path) -> None:
    """Then it leaves, once; the gap is one, and says that names were missing. A stop in the middle takes no longer. The
    canaries lead to loopback, so nothing but a name is ever had of them."""
    if not mountable():
        pytest.skip("a mount of its own needs rights that there are not")
    seen = web.Application()
    seen.router.add_get("/", _well)
    runner = web.AppRunner(seen)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        async with name_servers() as dead, hook() as receiver, post() as mails:
            hook_port, mail_port = receiver.url.rpartition(":")[2], mails.server.rpartition(":")[2]
            channels = [
                f'hook: {{kind: webhook, url: "http://hook.test:{hook_port}/hook"}}',
                f'mail: {{kind: email, server: "mail.test:{mail_port}", security: none, '
                "from: a@b.test, to: [c@d.test]}",
                f'plain: {{kind: webhook, url: "{receiver.url}/plain"}}',
            ]
            canaries = ", ".join(f'"http://{name}:{port}/"' for name in CANARIES)
            station = Station(tmp_path, channels, interval="5s", more=f", canaries: [{canaries}]")
            text = station.file.read_text().replace(f"127.0.0.1:{station.target}", f"shop.test:{port}")
            station.file.write_text(text)

            def status() -> dict[str, Any]:
                found: dict[str, Any] = json.loads(get(f"http://127.0.0.1:{station.page}/api/v1/status.json")[1])
                return found

            async with asking(station) as one:
                await eventually(lambda: status()["modules"][0]["status"] == "up", 30, "the module is up")
                dead.set()
                await eventually(lambda: status()["monitor"]["status"] == "blind", 90, "it knows that it is blind")
                assert await asyncio.to_thread(station.open, 1) is not None
                await eventually(lambda: receiver.at("/plain"), 20, "who needs no name is told")
                waits = lambda: {c["id"]: c["last_error"] for c in station.outbox()["channels"] if c["pending"]}  # noqa: E731
                await eventually(lambda: all(waits().get(name) for name in ("hook", "mail")), 40, "the others wait")
                began = time.monotonic()
                assert await one.leave() == 0
                print(f"a stop took {time.monotonic() - began:.1f} s")
            async with asking(station) as one:
                await asyncio.sleep(8)
                dead.clear()
                began = time.monotonic()
                await eventually(lambda: receiver.at("/hook") and mails.mails, 120, "what waited leaves")
                print(f"what waited left {time.monotonic() - began:.1f} s after names were back")
                await eventually(lambda: status()["modules"][0]["status"] == "up", 60, "the module is up again")
                assert await one.leave() == 0
            assert len(receiver.at("/hook")) == len(receiver.at("/plain")) == len(mails.mails) == 1
            assert station.rows("SELECT count(*) FROM incidents") == [(1,)]  # that of a person
            assert station.rows("SELECT code FROM gaps") == [("self.dns",)]
    finally:
        await runner.cleanup()


async def _well(request: web.Request) -> web.Response:
    return web.Response(text="well")
