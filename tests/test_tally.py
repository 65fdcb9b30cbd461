"""The tally: what people have heard of without a store is not counted anew after a kill."""

import asyncio
import json
import logging
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor import tally as tallying
from monitor.core.outbox import Letter
from monitor.tally import ROOM, Tally
from tests.test_postman import NOON


def letter(incident: str, seq: int) -> Letter:
    return Letter(incident, seq, "pager", "worsened", "worsened", NOON)


async def test_whoever_comes_next_knows_the_last_number(tmp_path: Path) -> None:
    """Of each incident, as long as the store knows of fewer; a number that is lower changes nothing."""
    tally = Tally(tmp_path / "told")
    assert tally.begin({}) == {}
    for incident, seq in (("a", 4), ("b", 2), ("a", 5), ("a", 3)):
        await tally.note(letter(incident, seq))
    assert Tally(tmp_path / "told").begin({"b": 1, "c": 7}) == {"a": 5, "b": 2}
    assert Tally(tmp_path / "told").begin({"a": 4, "b": 2}) == {"a": 5}
    assert Tally(tmp_path / "told").begin({"a": 6}) == {}
    assert stat.S_IMODE((tmp_path / "told").stat().st_mode) == 0o600


async def test_it_has_its_room_before_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its size is the same whatever stands there, and the file is never another one: nothing new is asked of the
    disk. What finds no room any more are the incidents that came first."""
    file = tmp_path / "told"
    tally = Tally(file)
    tally.begin({})
    before = file.stat()
    for number in range(20):
        await tally.note(letter(f"incident-{number}", 3))
    assert (file.stat().st_ino, file.stat().st_size) == (before.st_ino, ROOM) == (before.st_ino, before.st_size)
    tally._heard = {f"incident-{number:05}": number for number in range(4000)}
    await tally.note(letter("the last", 1))
    assert file.stat().st_size == ROOM
    found = Tally(file).begin({})
    assert found["the last"] == 1
    assert "incident-00000" not in found


@given(
    st.binary(max_size=200)
    | st.builds(lambda raw: json.dumps(raw).encode(), st.recursive(st.none(), st.lists))
    | st.builds(lambda raw: json.dumps(raw).encode(), st.dictionaries(st.text(), st.floats() | st.integers()))
)
@example(b'{"a": Infinity}')
@example(b"[" * 60_000)
def test_whatever_stands_there_no_start_fails(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    """A file that a power cut left half written says nothing."""
    file = tmp_path_factory.mktemp("tally") / "told"
    file.write_bytes(content)
    assert all(isinstance(one, int) for one in Tally(file).begin({}).values())
    assert Tally(file).begin({}) == Tally(file).begin({})


async def test_a_disk_that_refuses_or_hangs_holds_up_no_letter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is said once, and tried no more."""
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(tallying, "PATIENCE", 0.05)
    refusing = Tally(tmp_path / "nowhere" / "told")
    assert refusing.begin({}) == {}
    for seq in range(1, 4):
        await refusing.note(letter("a", seq))
    assert len(caplog.records) == 2  # at the start, and when it was to be written
    hangs, goes_on = Tally(tmp_path / "told"), threading.Event()
    hangs.begin({})
    monkeypatch.setattr(os, "pwrite", lambda *_: goes_on.wait(10))
    threads = threading.active_count()
    async with asyncio.timeout(2):
        for seq in range(1, 4):
            await hangs.note(letter("a", seq))
    assert threading.active_count() <= threads + 1
    goes_on.set()


async def test_letters_of_several_channels_are_counted_in_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was written first is not written last."""
    tally, write = Tally(tmp_path / "told"), os.pwrite
    tally.begin({})
    slow = iter([0.2, 0.0, 0.0])

    def late(*given: Any) -> int:
        threading.Event().wait(next(slow))
        return write(*given)

    monkeypatch.setattr(os, "pwrite", late)
    await asyncio.gather(*(tally.note(letter("a", seq)) for seq in (1, 2, 3)))
    monkeypatch.setattr(os, "pwrite", write)
    assert Tally(tmp_path / "told").begin({}) == {"a": 3}
