"""Of very many modules one that fails leaves its shelf, and every other one stays on the one that it stands on."""

from datetime import timedelta
from typing import NamedTuple

from monitor.core.module import Module, Platform
from monitor.core.probe import Probe
from monitor.pages.shelves import SIZE, shelves


class Box(NamedTuple):
    """A box."""

    id: str
    failing: bool


IDS = [f"m-{number}" for number in range(5 * SIZE // 2)]
PROBE = Probe("m-0", "http", "http", timedelta(seconds=30), timedelta(seconds=10), ("here",))
PLATFORM = Platform({id: Module(id, {"en": id}, probes=(PROBE,)) for id in IDS})


def test_shelves_follow_the_configuration() -> None:
    found = shelves([Box(id, False) for id in IDS], PLATFORM)
    assert [one.id for one in found] == ["shelf_1", "shelf_2", "shelf_3"]
    assert [len(one.boxes) for one in found] == [SIZE, SIZE, SIZE // 2]
    assert [box.id for one in found for box in one.boxes] == IDS


def test_a_module_that_fails_moves_no_other_one() -> None:
    before = shelves([Box(id, False) for id in IDS], PLATFORM)
    after = shelves([Box(id, id == "m-3") for id in IDS], PLATFORM)
    assert after[1:] == before[1:]
    assert after[0].boxes == tuple(box for box in before[0].boxes if box.id != "m-3")
