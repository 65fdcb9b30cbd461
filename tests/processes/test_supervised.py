"""The real program under somebody who waits for its word, as systemd does: it speaks while it moves, and only then."""

import asyncio
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.processes.crowd import Crowd, serving
from tests.processes.running import eventually
from tests.processes.steered import hold_up

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

WATCHED = 6.0  # seconds that whoever waits is patient


class Line:
    """What was heard, and when."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._line.bind(str(path))
        self._line.setblocking(False)
        self.heard: list[tuple[float, str]] = []

    def read(self) -> list[tuple[float, str]]:
        """Everything so far."""
        try:
            while True:
                self.heard.append((time.monotonic(), self._line.recv(4096).decode()))
        except BlockingIOError:
            return self.heard

    def first(self, word: str) -> bool:
        """Whether something was ever said."""
        return any(text.startswith(word) for _, text in self.read())

    def count(self, word: str) -> int:
        """How often."""
        return sum(text.startswith(word) for _, text in self.read())

    def close(self) -> None:
        self._line.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """The socket that systemd would have."""
    one = Line(tmp_path / "notify")
    yield one
    one.close()


def supervised(line: Line) -> tuple[str, ...]:
    """What systemd puts into the environment."""
    return ("env", f"NOTIFY_SOCKET={line.path}", f"WATCHDOG_USEC={int(WATCHED * 1e6)}")


async def test_it_says_when_it_is_ready_reloads_lives_and_stops(tmp_path: Path, line: Line) -> None:
    """In this order, as `Type=notify` wants it."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running(*supervised(line)) as monitor:
            await eventually(lambda: line.count("WATCHDOG=1") >= 3, 30, "it is alive")
            monitor.tell(signal.SIGHUP)
            await eventually(lambda: line.first("RELOADING=1"), 20, "it reloads")
            await eventually(lambda: line.count("READY=1") >= 2, 20, "it is ready again")
            assert await monitor.leave() == 0
        words = [text.partition("\n")[0] for _, text in line.read() if not text.startswith("WATCHDOG")]
        assert words == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]


@pytest.mark.parametrize("part", ["writer", "press"])
async def test_a_part_that_is_stuck_ends_the_words_while_everything_else_goes_on(
    tmp_path: Path, line: Line, part: str
) -> None:
    """A write, or a publication, that never ends: the loop turns and answers, and no word of life comes any more."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running(*supervised(line), module="tests.processes.steered") as monitor:
            await eventually(lambda: line.count("WATCHDOG=1") >= 2, 30, "it is alive")
            (crowd.data / "stuck").write_text(part)
            told = f"the {part} has not moved"
            await eventually(lambda: told in monitor.output, 60, "it notices")
            before = line.count("WATCHDOG=1")
            asked = len(server.asked)
            await asyncio.sleep(2 * WATCHED)
            assert line.count("WATCHDOG=1") == before
            assert len(server.asked) > asked, "probes go on"
            assert crowd.light("loop_lag") is False
            if part == "writer":
                await eventually(lambda: crowd.light("store_write"), 20, "the light is on")
            monitor.tell(signal.SIGKILL)


async def test_a_loop_that_stands_still_says_nothing(tmp_path: Path, line: Line) -> None:
    """For longer than whoever waits is patient: no word meanwhile, and they begin again."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running(*supervised(line), module="tests.processes.steered") as monitor:
            await eventually(lambda: line.count("WATCHDOG=1") >= 2, 30, "it is alive")
            hold_up(crowd.data, 8.0)
            await eventually(lambda: "the event loop has stood still" in monitor.output, 20, "it stands still")
            moments = [at for at, text in line.read() if text.startswith("WATCHDOG")]
            await eventually(lambda: line.count("WATCHDOG=1") > len(moments) + 1, 30, "it goes on")
            moments = [at for at, text in line.read() if text.startswith("WATCHDOG")]
            longest = max(later - earlier for earlier, later in pairwise(moments))
            print(f"no word for {longest:.1f} s")
            assert longest > WATCHED
            assert await monitor.leave() == 0


async def test_a_store_that_is_locked_lights_up_and_is_no_reason_to_be_started_anew(tmp_path: Path, line: Line) -> None:
    """Somebody else holds the database: refused again and again is not stuck. The light goes out when it is over."""
    async with serving() as server:
        crowd = Crowd(tmp_path, server.port, 10)
        async with crowd.running(*supervised(line)) as monitor:
            await crowd.all_are("up")
            other = sqlite3.connect(crowd.data / "monitor.db", isolation_level=None)
            other.execute("BEGIN EXCLUSIVE")
            await eventually(lambda: crowd.lit("store_write", "self.storage"), 60, "the light is on")
            before = line.count("WATCHDOG=1")
            await eventually(lambda: line.count("WATCHDOG=1") >= before + 3, 30, "it is alive all the same")
            other.execute("ROLLBACK")
            other.close()
            await eventually(crowd.is_well, 60, "the light is out")
            assert await monitor.leave() == 0
