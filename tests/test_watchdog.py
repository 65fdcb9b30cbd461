"""What systemd hears: over a socket in a folder or in the abstract space, and only while everything moves."""

import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from monitor.watchdog import Watchdog


class Systemd:
    """The other end of the line."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self.line.setblocking(False)

    def heard(self) -> list[str]:
        """Every message that came since the last look."""
        found: list[str] = []
        try:
            while True:
                found.append(self.line.recv(4096).decode())
        except BlockingIOError:
            return found


@pytest.fixture(params=["a folder", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    """Both kinds of address."""
    address = f"@monitor-{uuid4().hex}" if request.param == "abstract" else str(tmp_path / "notify")
    one = Systemd(address)
    yield one
    one.line.close()


def dog(systemd: Systemd, stuck: list[str], seconds: float | None = None, **more: str) -> Watchdog:
    """A watchdog of a monitor of which these parts are stuck, whoever asks."""
    environment = {"NOTIFY_SOCKET": systemd.address, **more}
    if seconds is not None:
        environment["WATCHDOG_USEC"] = str(int(seconds * 1e6))
    return Watchdog(lambda patience: stuck[0] if stuck else None, environment)


async def beating(one: Watchdog, seconds: float) -> None:
    """It runs for so long."""
    task = asyncio.create_task(one.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def test_the_life_of_a_service_is_told(systemd: Systemd) -> None:
    """Ready, reloading with the moment systemd asks for, ready again, stopping."""
    one = dog(systemd, [])
    one.ready()
    one.reloading()
    one.ready()
    one.stopping()
    ready, reloading, again, stopping = systemd.heard()
    assert ready.splitlines()[0] == again.splitlines()[0] == "READY=1"
    assert reloading.splitlines()[0] == "RELOADING=1"
    name, _, moment = reloading.splitlines()[1].partition("=")
    assert (name, moment.isdigit()) == ("MONOTONIC_USEC", True)
    assert stopping.splitlines()[0] == "STOPPING=1"


async def test_it_is_alive_while_everything_moves(systemd: Systemd) -> None:
    """Several times in the span that systemd waits; not while a part is stuck, and again once it moves."""
    stuck: list[str] = []
    one = dog(systemd, stuck, seconds=0.3)
    await beating(one, 0.35)
    assert len(systemd.heard()) >= 2
    stuck.append("writer")
    await beating(one, 0.35)
    assert systemd.heard() == []
    stuck.clear()
    await beating(one, 0.05)
    assert systemd.heard() == ["WATCHDOG=1"]


@pytest.mark.parametrize("more", [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "-1"}, {"WATCHDOG_USEC": "soon"}])
async def test_whoever_is_not_watched_says_nothing(systemd: Systemd, more: dict[str, str]) -> None:
    """Without WatchdogSec, and with what is no span of time."""
    await beating(dog(systemd, [], **more), 0.05)
    assert systemd.heard() == []


@pytest.mark.parametrize(("ours", "heard"), [(True, ["WATCHDOG=1"]), (False, [])])
async def test_only_who_is_meant_answers(systemd: Systemd, ours: bool, heard: list[str]) -> None:
    """The span may be meant for another process."""
    await beating(dog(systemd, [], seconds=60, WATCHDOG_PID=str(os.getpid() if ours else 1)), 0.05)
    assert systemd.heard() == heard


def test_commands_we_run_cannot_speak_for_us(systemd: Systemd) -> None:
    """What they inherit no longer says where systemd listens."""
    environment = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "9", "WATCHDOG_PID": "1", "PATH": "/bin"}
    Watchdog(lambda patience: None, environment)
    assert environment == {"PATH": "/bin"}


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody-listens", "x" * 500, "vsock:1:2"])
def test_an_address_nobody_hears_is_no_trouble(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """It is said in the log, and the monitor goes on."""
    caplog.set_level("INFO")
    Watchdog(lambda patience: None, {"NOTIFY_SOCKET": address}).ready()
    assert bool(caplog.records) is bool(address)
