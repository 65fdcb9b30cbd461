"""Reloading: one reading at a time, and nobody is answered by one that began before they asked."""

import asyncio
import threading
from pathlib import Path

import pytest

from monitor.config import ConfigError, Problem
from monitor.reloading import BUG, NO_FILE, Reloading


class Desk:
    """Whoever has a configuration in force. `gate` keeps a reading waiting, in its thread."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.in_force: list[str] = []
        self.told: list[tuple[list[str], list[str]]] = []
        self.readings = 0
        self.under_way = 0
        self.gate = threading.Event()
        self.gate.set()
        self.seen = threading.Event()
        self.reloading = Reloading(str(file), self._read, self._use, lambda *one: self.told.append(one))
        self.reloading.begin()

    def _read(self, file: str) -> str:
        self.readings += 1
        self.under_way += 1
        assert self.under_way == 1, "two readings at once"
        said = Path(file).read_text()
        self.seen.set()
        self.gate.wait(10)
        self.under_way -= 1
        if said == "wrong":
            raise ConfigError(file, [Problem(1, 1, "it is wrong")])
        if said == "bug":
            raise RuntimeError(said)
        return said

    async def _use(self, said: str) -> None:
        self.in_force.append(said)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A desk over a file that says `one`."""
    (tmp_path / "file").write_text("one")
    return Desk(tmp_path / "file")


async def test_who_asks_during_a_reading_is_answered_by_the_next_one(desk: Desk) -> None:
    """A hundred who ask meanwhile share it, and it sees what was written before they asked."""
    desk.gate.clear()
    first = asyncio.create_task(desk.reloading.ask())
    await asyncio.to_thread(desk.seen.wait, 10)
    desk.file.write_text("two")
    rest = [asyncio.create_task(desk.reloading.ask("signal")) for _ in range(100)]
    await asyncio.sleep(0)
    desk.gate.set()
    assert await asyncio.gather(first, *rest) == [[]] * 101
    assert desk.in_force == ["one", "two"]
    assert desk.told == [([], []), ([], ["signal"])]


async def test_whoever_gives_up_takes_nobody_along(desk: Desk) -> None:
    """A request that is broken off ends no reading that others wait for."""
    one, other = asyncio.create_task(desk.reloading.ask()), asyncio.create_task(desk.reloading.ask())
    await asyncio.sleep(0)
    one.cancel()
    assert await other == []
    assert desk.in_force == ["one"]


@pytest.mark.parametrize("said", ["wrong", "bug"])
async def test_what_cannot_be_read_changes_nothing(desk: Desk, said: str) -> None:
    """A mistake of the file or of ours: it is told, the old stays, and the next reading is as good as any."""
    desk.file.write_text(said)
    problems = await desk.reloading.ask("file")
    assert problems == ([f"{desk.file}:1:1: it is wrong"] if said == "wrong" else [BUG])
    assert desk.told == [(problems, ["file"])]
    assert desk.in_force == []
    desk.file.write_text("good")
    assert await desk.reloading.ask() == []
    assert desk.in_force == ["good"]


async def test_nothing_is_read_before_there_is_something_to_reload(desk: Desk, tmp_path: Path) -> None:
    """A signal during the start waits for its end; and without a file there is nothing to read."""
    early = Reloading(str(desk.file), desk._read, desk._use, lambda *one: desk.told.append(one))
    asked = asyncio.create_task(early.ask("signal"))
    await asyncio.sleep(0.02)
    assert desk.readings == 0
    early.begin()
    assert await asked == []
    assert desk.in_force == ["one"]
    assert await Reloading(None, desk._read, desk._use, lambda *one: None).ask() == [NO_FILE]
