"""What one step costs: a healthy platform of 1,000 probes, and 64 modules of it that fail at once.

    python -m tests.bench.step_cost [--modules 1000] [--failing 64] [--places 1]

Prints microseconds: the median and the longest of the healthy steps, then of those in which the failures come in,
with the ticks between them. Times are processor time of this machine, with the collector set as `run` sets it; on one
that others use as well each step takes longer, so compare two versions side by side.
"""

import argparse
import gc
import statistics
import time
from dataclasses import replace
from datetime import timedelta

from monitor.core.board import Board
from monitor.core.effect import Event, Observed, Ticked
from monitor.core.module import Dependency, Module, Strength
from monitor.core.step import step
from tests.stories.beats import START, module, observation, platform

PER_ROOT = 8  # modules that need another one, itself one of those that need the root


class Stopwatch:
    """A board under a fake clock, with the time that each step took."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.now = START
        self.taken: list[float] = []

    def take(self, event: Event, after: float) -> None:
        """One step, so many seconds later."""
        self.now += timedelta(seconds=after)
        began = time.thread_time()
        self.board, _ = step(self.board, event, self.now)
        self.taken.append((time.thread_time() - began) * 1e6)

    def lap(self) -> str:
        """`median / longest` since the last lap."""
        told = f"{statistics.median(self.taken):7.0f} / {max(self.taken):7.0f}"
        self.taken.clear()
        return told


def tree(modules: int, failing: int, places: tuple[str, ...]) -> list[Module]:
    """A root with modules that need it, one behind the other in part; all others need nothing."""
    found = [module("m0", places=places)]
    for index in range(1, modules):
        need = f"m{(index - 1) // PER_ROOT}" if index < failing else None
        one = module(f"m{index}", places=places)
        found.append(one if need is None else replace(one, depends_on=(Dependency(need, Strength.HARD),)))
    return found


def measure(modules: int, failing: int, places: int) -> None:
    """Prints both laps."""
    names = tuple(f"p{index}" for index in range(places))
    domains = {name: name for name in names}
    watch = Stopwatch(Board(platform(*tree(modules, failing, names), locations=domains)))
    _ = watch.board.platform.graph  # as the configuration gives it
    pause = 30 / (modules * places)

    def rounds(count: int, outcome: str, struck: int) -> None:
        for _ in range(count):
            for index in range(modules):
                for name in names:
                    seen = outcome if index < struck else "+"
                    watch.take(Observed(observation(f"m{index}", watch.now, seen, name)), pause)
                if index % max(1, modules // 30) == 0:
                    watch.take(Ticked(), 0)

    rounds(2, "+", 0)
    watch.taken.clear()
    gc.collect()
    gc.freeze()
    gc.set_threshold(700, 10, 1000)
    rounds(2, "+", 0)
    print(f"healthy, {modules} probes at {places} place(s):        {watch.lap()} µs (median / longest)")
    rounds(4, "-", failing)
    print(f"while {failing} of them fail:                    {watch.lap()} µs")
    incidents = [one for one in watch.board.incidents.values() if one.is_open]
    print(f"open incidents: {len(incidents)}, members: {[len(one.members) for one in incidents]}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--failing", type=int, default=64)
    parser.add_argument("--places", type=int, default=1)
    given = parser.parse_args()
    measure(given.modules, given.failing, given.places)
