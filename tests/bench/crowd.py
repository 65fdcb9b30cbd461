"""What the judgement costs when very many modules fail at once: `python -m tests.bench.crowd [--modules 10000]`.

All are well for two rounds of thirty seconds and then all fail, with a tick each second. Prints, for each shape of the
platform, seconds of processor time in the round that opens the incident (which lasts thirty), the longest step, and
what came of it.

    root    all need one module, which fails as well
    host    nobody needs anything, all answer from one address
    apart   nobody has anything in common
"""

import argparse
import time
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.effect import Event, Happened, Observed, Ticked
from monitor.core.step import step
from tests.stories.beats import START, module, observation, platform

SHAPES = ("root", "host", "apart")
ROUND = 30  # seconds between two runs of one probe
WELL, FAILING = 2, 3  # rounds


class Crowd:
    """A board under a fake clock, and what its steps took in the present round."""

    def __init__(self, shape: str, count: int) -> None:
        ids = [f"m{number:05}" for number in range(count)]
        self.ids = ids
        self.shape = shape
        self.board = Board(
            platform(*(module(id, *(ids[:1] if shape == "root" and id != ids[0] else ())) for id in ids))
        )
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
            address = f"8.8.{place >> 8 & 255}.{place & 255}:443" if self.shape == "apart" else "8.8.8.8:443"
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
        rounds: list[tuple[float, float]] = []
        for number in range(WELL + FAILING):
            crowd.round(number, "+" if number < WELL else "-")
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
