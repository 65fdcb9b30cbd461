"""Every fault on every module: what the monitor makes of it is right, and is what the page says."""

import re
from collections.abc import Callable, Sequence

import pytest

from monitor.config.file import load
from monitor.core.module import Status
from monitor.simulator.faults import FAULTS
from monitor.simulator.modules import VERSIONS
from tests.matrix.matrix import PAGE, ROOT, TARGETS, VARIABLES, Cell, cells, table

PLATFORM = load(ROOT / "probes.yaml", VARIABLES).platform
SEEN = [id for id in VERSIONS if PLATFORM.measured(id)]  # modules that answer for themselves
LOUD = ("http_500", "http_503", "timeout", "refuse", "reset", "truncate")  # no answer of the module can be right
# What the platform shows and the graph does not declare: changes of the catalog come to search by the index.
NOT_DECLARED = {id: {"indexing"} for id in ("search", "catalog", "janus")}
TWO_ON_A_HOST = ("garbage", "wrong_json")  # two modules that answer, both wrongly, share a host and no failure of it


def named(cell: Cell) -> list[str | None]:
    """The root of each incident."""
    return [one.cause.module for one in cell.incidents]


def is_one_incident(cell: Cell) -> bool:
    """However many modules a fault drags along."""
    return len(cell.incidents) <= 1 or (cell.target == "shared:api" and cell.fault in TWO_ON_A_HOST)


def is_down_and_named(cell: Cell) -> bool:
    """A module that fails loudly is the root, of a certainty that is named."""
    if cell.target not in SEEN or cell.fault not in LOUD:
        return True
    down = cell.ill.get(cell.target) is Status.DOWN
    return down and named(cell) == [cell.target] and cell.incidents[0].cause.confidence >= 0.8


def is_degraded_and_named(cell: Cell) -> bool:
    """A slow module is never down, whatever waits for it."""
    if cell.target not in SEEN or cell.fault != "slow":
        return True
    return cell.ill.get(cell.target) is Status.DEGRADED and named(cell) == [cell.target]


def spares_the_innocent(cell: Cell) -> bool:
    """Only what needs the struck module, by the graph, is ill with it."""
    if cell.target not in PLATFORM.modules or cell.fault == "certificate_expired":
        return True  # a certificate is shown by a whole host
    ill = {id for id, status in cell.ill.items() if status is not Status.UNKNOWN}
    return ill <= {cell.target, *PLATFORM.graph.dependants(cell.target), *NOT_DECLARED.get(cell.target, ())}


def is_no_verdict(cell: Cell) -> bool:
    """Being throttled, and a copy out of a cache, say nothing of the module: unknown at most, from one place."""
    if cell.target not in SEEN or cell.fault not in ("http_429", "stale"):
        return True
    shown = cell.target == "checkout" and cell.fault == "http_429"  # search's answers show that it fails
    return shown or cell.ill.get(cell.target, Status.UNKNOWN) is Status.UNKNOWN


def is_only_written_down(cell: Cell) -> bool:
    """A deploy is no trouble."""
    return cell.fault != "version_change" or not (cell.incidents or cell.ill)


CHECKS: Sequence[Callable[[Cell], bool]] = (
    is_one_incident,
    is_down_and_named,
    is_degraded_and_named,
    spares_the_innocent,
    is_no_verdict,
    is_only_written_down,
)


def bare(line: str) -> str:
    """A row of the table without its codes, which a race may change."""
    return re.sub(r" `[a-z_.0-9:-]+`(?= \|| \+)", "", line)


@pytest.mark.slow
@pytest.mark.alone
def test_every_fault_on_every_module() -> None:
    """Played from the socket to the incident; `python -m tests.matrix.matrix --write` writes the page anew."""
    found = cells(TARGETS, FAULTS, workers=4)
    assert len(found) == len(TARGETS) * len(FAULTS) > 600
    wrong = [
        f"{check.__name__}: {cell.target} {cell.fault}: {cell.word} {cell.ill}"
        for check in CHECKS
        for cell in found
        if not check(cell)
    ]
    assert wrong == []
    assert sum(cell.changed == {cell.target} for cell in found if cell.fault == "version_change") > 20
    page = bare(PAGE.read_text())
    assert [line for line in map(bare, table(found).splitlines()) if line not in page] == []
