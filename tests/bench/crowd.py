"""What the judgement costs when very many modules fail at once: `python -m tests.bench.crowd [--modules 10000]`.

All are well for two rounds of thirty seconds and then all fail, with a tick each second; two canaries answer at once.
Prints, for each shape of the platform, seconds of processor time in the round that opens the incident (which lasts
thirty), the longest step, and what came of it.

    root    all need one module, which fails as well
    host    nobody needs anything, all answer from one address
    apart   nobody has anything in common
    lost    nobody has anything in common, and all answer 404
    mesh    each needs up to three of those before it, all on one host and settled after two seconds, struck in no order
"""

import argparse
import gc
import random
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.board import Board
from monitor.core.effect import AskCanaries, Event, Happened, Observed, Ticked
from monitor.core.step import step
from tests.stories.beats import START, canary, module, observation, platform

SHAPES = ("root", "host", "apart", "lost", "mesh")
ROUND = 30  # seconds between two runs of one probe
WELL, FAILING = 2, 3  # rounds
ON_ONE_HOST: Any = {"instance": "https://shop.example.com/", "confirm": timedelta(seconds=2)}


class Crowd:
    """A board under a fake clock, and what its steps took in the present round."""

    def __init__(self, shape: str, count: int) -> None:
        ids = [f"m{number:05}" for number in range(count)]
        dice = random.Random(5)
        self.ids = dice.sample(ids, count) if shape == "mesh" else ids
        self.shape = shape
        needs = {id: ids[:1] if shape == "root" and id != ids[0] else [] for id in ids}
        if shape == "mesh":
            needs |= {
                id: sorted({dice.choice(ids[: (at + 1) // 2]) for _ in range(3)}) for at, id in enumerate(ids) if at
            }
        made = [module(id, *needs[id]) for id in ids]
        if shape == "mesh":
            made = [replace(one, probes=(replace(one.probes[0], **ON_ONE_HOST),)) for one in made]
        self.board = Board(platform(*made, canaries=2))
        self.events = 0
        self.spent = self.longest = 0.0

    def take(self, event: Event, now: datetime) -> None:
        """One step."""
        began = time.process_time()
        self.board, effects = step(self.board, event, now)
        took = time.process_time() - began
        self.spent += took
        self.longest = max(self.longest, took)
        self.events += sum(isinstance(effect, Happened) for effect in effects)
        if any(isinstance(effect, AskCanaries) for effect in effects):
            for name in ("one", "other"):
                self.take(Observed(canary(now, True, name)), now + timedelta(milliseconds=60))

    def round(self, number: int, outcome: str) -> None:
        """Every probe once, and every tick."""
        self.spent = self.longest = 0.0
        tick = 0
        for place, id in enumerate(self.ids):
            second = ROUND * place / len(self.ids)
            at = START + timedelta(seconds=ROUND * number + second)
            while tick < second:
                self.take(Ticked(), START + timedelta(seconds=ROUND * number + tick))
                tick += 1
            address = f"8.8.{place >> 8 & 255}.{place & 255}:443" if self.shape in ("apart", "lost") else "8.8.8.8:443"
            seen = observation(id, at, outcome, address=address)
            self.take(Observed(seen), seen.ended_at)


def main() -> None:
    """Plays each shape."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=10_000)
    parser.add_argument("--only", nargs="*", choices=SHAPES, default=SHAPES)
    asked = parser.parse_args()
    for shape in asked.only:
        crowd = Crowd(shape, asked.modules)
        gc.collect()
        gc.freeze()
        gc.set_threshold(700, 10, 1000)  # as `run` does
        rounds: list[tuple[float, float]] = []
        for number in range(WELL + FAILING):
            crowd.round(number, "+" if number < WELL else "c" if shape == "lost" else "-")
            rounds.append((crowd.spent, crowd.longest))
        well, (spent, longest) = rounds[WELL - 1][0], max(rounds[WELL:])
        found = [one for one in crowd.board.incidents.values() if one.is_open]
        causes = ", ".join(
            f"{one.cause.module or (one.cause.shared or {}).get('kind')} of {len(one.members)}" for one in found
        )
        print(
            f"{shape:6} well {well:.1f} s, failing {spent:.1f} s, longest step {1000 * longest:.0f} ms, "
            f"{len(found)} incidents, {crowd.events} events: {causes}"
        )


if __name__ == "__main__":
    main()
