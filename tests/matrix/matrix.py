"""Every fault on every module, from the socket to the incident: the shipped file against the simulator.

    python -m tests.matrix.matrix [--workers 4] [--write]

A cell strikes one module, asks every probe once over real sockets, and judges that round again and again on a fake
clock, as if the fault lasted 90 seconds. `--write` puts the table into `docs/fault-matrix.md`.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from math import ceil
from multiprocessing import get_context
from pathlib import Path

from monitor.clock import SystemClock
from monitor.config.file import load
from monitor.core.board import Board
from monitor.core.effect import Observed, Reconfigured, Ticked
from monitor.core.incident import Incident
from monitor.core.module import Platform, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.step import step
from monitor.core.target import Network
from monitor.probers import Reach, look
from monitor.simulator import Simulator
from monitor.simulator.faults import FAULTS, STALE_BY
from monitor.simulator.hosts import HOSTS
from monitor.simulator.modules import STRUCK

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "fault-matrix.md"
VARIABLES = {
    "VTEX_APP_KEY": "vtexappkey-demostore-TEST",
    "VTEX_APP_TOKEN": "token",
}
BEAT, BEATS = timedelta(seconds=10), 10  # 90 seconds and the beat in which they end
PROCESSES = 2  # of which each has a simulator a worker
AT_ONCE = 24  # runs of a round under way at a time
LATE = 2.5  # seconds; a good answer that is sooner came late only because this machine has other work
GRAIN = 0.5  # seconds, to which other runs are rounded up: who was first within them is a matter of this machine too

SHARED = ("shared:gateway", *(f"shared:{host.kind}" for host in HOSTS))
TARGETS = (*STRUCK, *SHARED)


@dataclass(frozen=True)
class Cell:
    """What became of one fault: statuses that are not what they were, and the incidents that were opened."""

    target: str
    fault: str
    ill: dict[str, Status]
    incidents: tuple[Incident, ...]
    changed: frozenset[str]  # modules whose version is seen to have changed

    @property
    def word(self) -> str:
        """The cell as the table shows it: what the module became, or how it was found all the same."""
        if not self.incidents:
            if self.target in self.ill:
                return self.ill[self.target].value
            return "version" if self.changed else "–"
        [incident, *more] = self.incidents
        cause = incident.cause
        where = cause.module or (cause.shared or {}).get("kind") or "?"
        own = self.ill.get(self.target)
        if cause.module == self.target:
            said = f"{own.value if own else 'named'} `{cause.code}`"
        elif cause.shared is not None:
            said = f"shared {where} `{cause.code}`"
        else:
            said = f"in {where} `{cause.code}`" if cause.module else f"candidates `{cause.code}`"
        return said + (f" +{len(more)}" if more else "")


class Watch:
    """One simulator with everything that watches it, and the board of its health."""

    def __init__(self, simulator: Simulator, reach: Reach, platform: Platform) -> None:
        self.simulator = simulator
        self.reach = reach
        self.platform = platform
        self.probes = [probe for probe in platform.probes.values() if probe.off is None]
        self.board = Board(platform)

    @classmethod
    @asynccontextmanager
    async def open(cls) -> AsyncIterator["Watch"]:
        """Opens all of it, and lets the healthy platform be seen three times."""
        config = load(ROOT / "probes.yaml", VARIABLES)
        async with Simulator.open() as simulator:
            network = Network(connect_to=tuple(simulator.connect_to.items()), ca_file=simulator.ca_file)
            async with Reach.open(network, frozenset(), SystemClock()) as reach:
                watch = cls(simulator, reach, replace(config.platform, canaries=0))
                now = datetime.now(UTC) - timedelta(minutes=2)
                board, _ = step(watch.board, Reconfigured(watch.platform), now)
                watch.board = played(board, await watch.round(), now, 3)
                yield watch

    async def round(self) -> list[Observation]:
        """Every probe asked once."""
        seats = asyncio.Semaphore(AT_ONCE)

        async def ask(probe: Probe) -> Observation:
            also = [side.expect for side in self.platform.modules[probe.module].verdicts.get(probe.id, ())]
            async with seats:
                seen = await look(probe, self.reach, also=also)
            hurried = seen.failure is None and seen.duration < LATE
            return replace(seen, duration=0.05 if hurried else ceil(seen.duration / GRAIN) * GRAIN)

        return await asyncio.gather(*map(ask, self.probes))

    async def cell(self, target: str, fault: str) -> Cell:
        """Strikes, looks, judges."""
        self.simulator.clear()
        strike = self.simulator.strike(target, fault)
        strike.at -= STALE_BY  # what stands still has done so for a while
        seen = await self.round()
        self.simulator.clear()
        board = played(self.board, seen, datetime.now(UTC), BEATS)
        ill = {id: after for id in self.platform.modules if (after := board.status(id)) is not self.board.status(id)}
        changed = frozenset(key[0] for key, version in board.versions.items() if version.before is not None)
        told = tuple(one for one in board.incidents.values() if one.merged_into is None)
        return Cell(target, fault, ill, told, changed)


def played(board: Board, seen: Iterable[Observation], start: datetime, beats: int) -> Board:
    """The board after the same round at every beat."""
    for beat in range(beats):
        at = start + beat * BEAT
        for one in sorted(seen, key=lambda one: one.duration):
            board, _ = step(board, Observed(replace(one, at=at, scheduled_at=at)), at + timedelta(seconds=one.duration))
        board, _ = step(board, Ticked(), at + BEAT - timedelta(milliseconds=1))
    return board


def cells(targets: Sequence[str], faults: Sequence[str], workers: int) -> list[Cell]:
    """All cells in the order of the table, by two processes of so many workers each."""
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as pool:
        rows = [targets[n::PROCESSES] for n in range(PROCESSES)]
        parts = pool.map(partial(_cells, faults=faults, workers=workers), rows)
        found = {(cell.target, cell.fault): cell for part in parts for cell in part}
    return [found[target, fault] for target in targets for fault in faults]


def _cells(targets: Sequence[str], faults: Sequence[str], workers: int) -> list[Cell]:
    return asyncio.run(_played(targets, faults, workers))


async def _played(targets: Sequence[str], faults: Sequence[str], workers: int) -> list[Cell]:
    """Several simulators at a time, because much of it is waiting."""
    queue = [(target, fault) for target in targets for fault in faults]
    found = []

    async def work() -> None:
        async with Watch.open() as watch:
            while queue:
                target, fault = queue.pop()
                found.append(await watch.cell(target, fault))

    async with asyncio.TaskGroup() as group:
        for _ in range(workers):
            group.create_task(work())
    return found


def table(found: Sequence[Cell]) -> str:
    """The page's table: a row a target, a column a fault."""
    faults = list(dict.fromkeys(cell.fault for cell in found))
    words = {(cell.target, cell.fault): cell.word for cell in found}
    rows = [
        f"| `{target}` | " + " | ".join(words[target, fault] for fault in faults) + " |"
        for target in dict.fromkeys(cell.target for cell in found)
    ]
    head = "| Struck | " + " | ".join(f"`{fault}`" for fault in faults) + " |"
    return "\n".join([head, "|---" * (len(faults) + 1) + "|", *rows])


def write(found: Sequence[Cell]) -> None:
    """Puts the table into the page, between its marks."""
    before, mark, rest = PAGE.read_text().partition("<!-- table -->\n")
    _, end, after = rest.partition("<!-- end -->")
    PAGE.write_text(f"{before}{mark}{table(found)}\n{end}{after}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", nargs="*", default=TARGETS)
    parser.add_argument("--faults", nargs="*", default=FAULTS)
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    found = cells(given.only, given.faults, given.workers)
    write(found) if given.write else print(table(found))
