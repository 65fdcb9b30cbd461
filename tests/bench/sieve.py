"""The same years of noise, many times faster: only what might become an alarm is played with the product.

A move to down takes two failures at two places at least, all of them while something is held against the probe. Nearly
all strays are alone. So a stretch of noise is first reckoned in plain numbers: the score and the learned noise of each
place, and when the extra runs are asked for. Only where the scores come near what makes a module down is the stretch
given to the product, from the same learned noise and with the same draws, and what the product says counts.

    python -m tests.bench.sieve [--years 250] [--seed 1] [--seconds 3000]

For noise of strays alone, of one module: bursts, hiccups and canaries are not reckoned. `proves_sifting` plays one
noise with the product throughout and sifted.
"""

import argparse
import heapq
import random
import time
from collections import deque
from dataclasses import replace
from math import ceil, log

from monitor.core.board import Board
from monitor.core.detector import AGREED, SLACK
from monitor.core.module import Status
from monitor.core.track import CAP, NOISE, NOISE_RANGE, P1
from monitor.core.tuning import Tuning
from tests.bench.detection import (
    FAST,
    INTERVAL,
    KEEP,
    NOISES,
    WEEK,
    YEAR,
    Alarms,
    Key,
    Noise,
    Weather,
    World,
    offsets_of,
    one_stretch,
    platform_of,
    rate,
)

TUNING = Tuning()
FIRST, AGAIN = TUNING.first_reprobe.total_seconds(), TUNING.reprobe.total_seconds()
PATIENCE, SPAN = TUNING.patience.total_seconds(), TUNING.span_quorum.total_seconds()
QUORUM = 2  # of three places
NEAR = 2 * CAP - SLACK - 1.0  # scores that come so near to what makes a module down are the product's to judge
ALONE = 4  # … and so many failures at one place, which may become trouble that one place sees


class Place:
    """One place: what is held against the probe there and how noisy it is known to be, as `Track` has it."""

    def __init__(self, offset: float, stray: float) -> None:
        seen = 1 / (1 - KEEP)
        self.offset = offset
        self.index = 2  # of the next scheduled run
        self.bad, self.every = stray * seen, seen  # beyond the prior
        self.score, self.since, self.pending, self.failed = 0.0, -1.0, 0, 0
        self.last_at = self.asked_at = self.busy_until = self.well_at = -1.0

    def rest(self, until: float) -> None:
        """Learns every scheduled run before a moment as a good one."""
        index = ceil((until - self.offset) / INTERVAL - 1e-9)
        if index > self.index:
            fade = KEEP ** (index - self.index)
            self.bad, self.every = self.bad * fade, self.every * fade + (1 - fade) / (1 - KEEP)
            self.last_at = self.offset + (index - 1) * INTERVAL
            self.index = index

    def learn(self, at: float, bad: bool) -> None:
        """One more run that began then."""
        low, high = NOISE_RANGE
        noise = min(max((NOISE[0] + self.bad) / (NOISE[1] + self.every), low), high)
        if self.since < 0:
            self.well_at = self.last_at + FAST
        self.last_at = at
        if bad:
            self.score = min(self.score + log(P1 / noise), CAP)
            self.since = at if self.since < 0 else self.since
            self.pending, self.failed = self.pending + 1, self.failed + 1
            return
        self.score = max(self.score + log((1 - P1) / (1 - noise)), 0.0)
        if not self.score:
            self.since, self.failed = -1.0, 0
            self.bad = self.bad * KEEP + self.pending
            self.every = self.every * KEEP + self.pending + 1
            self.pending = 0


class Sieve:
    """Noise that is reckoned until it comes near an alarm, and then played."""

    def __init__(self, noise: Noise, weeks: float, seed: str) -> None:
        if noise.modules != 1 or noise.bursts or noise.blips:
            raise ValueError("only strays of one module can be sifted")
        names = ("p0", "p1", "p2")
        self.offsets = offsets_of(1, names, True, random.Random(f"{seed}/phases"))
        self.weather = Weather(noise, self.offsets, weeks * WEEK, f"{seed}/weather")
        self.drawn: deque[bool] = deque()
        board = Board(platform_of(1, names, canaries=False))
        self.world = World(board, self.offsets, self.weather.scheduled, self._extra, lambda *_: True, lambda *_: FAST)
        self.world.warm_up(noise.stray)
        self.places = {key: Place(offset, noise.stray) for key, offset in self.offsets.items()}
        self.extras = self.played = 0

    def _extra(self, key: Key, at: float) -> bool:
        """Whether an extra run that the product makes fails: what was reckoned already stays as it was drawn."""
        return self.drawn.popleft() if self.drawn else self.weather.extra(key, at)

    def sift(self) -> Alarms:
        """All of it."""
        now = self.world.now
        for at in self.weather.all_bad():
            if at < now:
                continue
            for place in self.places.values():
                place.rest(at)
            learned = {key: (place.bad, place.every) for key, place in self.places.items()}
            self.drawn.clear()
            extras, ended = self._reckoned(at)
            if ended is None:
                ended = self._played(at, learned)
            else:
                self.extras += extras
            now = ended
        return Alarms(
            years=self.weather.length / YEAR,
            down=sum(after is Status.DOWN for _, _, after, _ in self.world.moves),
            extras=self.extras + self.world.extras,
            three_in_a_row=self.weather.simple(1, 3),
            two_at_two=self.weather.simple(2, 2),
            moves=tuple(self.world.moves),
        )

    def _reckoned(self, at: float) -> tuple[int, float | None]:
        """How many extra runs the failure at a moment brings and when all is quiet again; None if that is for the
        product to tell."""
        keys = list(self.places)
        order = extras = pending = 0
        heap: list[tuple[float, int, Key, int, float, bool | None]] = []  # the last two: of a run that ends

        def push(when: float, key: Key, index: int, began: float = 0.0, bad: bool | None = None) -> None:
            nonlocal order, pending
            order, pending = order + 1, pending + (index < 0 or bad is not None)
            heapq.heappush(heap, (when, order, key, index, began, bad))

        for key in keys:
            place = self.places[key]
            push(place.offset + place.index * INTERVAL, key, place.index)
        while heap and heap[0][0] < self.weather.length:
            now, _, key, index, began, bad = heapq.heappop(heap)
            place = self.places[key]
            if bad is None:
                if index < 0:
                    pending -= 1
                else:
                    place.index = index + 1
                    push(place.offset + (index + 1) * INTERVAL, key, index + 1)
                if place.busy_until > now:
                    continue
                if index < 0:
                    extras += 1
                    bad = self.weather.extra(key, now)
                    self.drawn.append(bad)
                else:
                    bad = self.weather.scheduled(key, index)
                place.busy_until = now + FAST
                push(now + FAST, key, index, round(now, 6), bad)
                continue
            pending -= 1
            place.learn(began, bad)
            if sum(one.score for one in self.places.values()) >= NEAR or place.failed >= ALONE:
                return 0, None
            for other, pause in self._asked(began + FAST):
                self.places[other].asked_at = began + FAST + pause
                push(now + pause, other, -1)
            if not pending and not any(one.score for one in self.places.values()):
                return extras, now
        return extras, self.weather.length

    def _asked(self, now: float) -> list[tuple[Key, float]]:
        """The extra runs that are asked for after a run, as `reprobe` has it."""
        failing = [one for one in self.places.values() if one.score]
        began = min((one.since for one in failing), default=-1.0)
        if began < 0 or now - began > PATIENCE:
            return []
        agreed = sorted(began if one.well_at < began else one.since for one in failing)[:QUORUM][-1]
        found = []
        for key, place in self.places.items():
            if place.asked_at > now:
                continue
            if place.last_at <= began:
                found.append((key, FIRST))
                continue
            needed = round(max(began + SPAN, agreed + AGREED * SPAN) - now, 6)
            found.append((key, min(AGAIN, max(FIRST, needed)) if needed > 0 else AGAIN))
        return found

    def _played(self, at: float, learned: dict[Key, tuple[float, float]]) -> float:
        """Plays a stretch with the product from where it began, and takes over what it learned."""
        world, self.played = self.world, self.played + 1
        world.jump(at)
        tracks = dict(world.board.tracks)
        for (module, place), (bad, every) in learned.items():
            key = (module, "ask", place)
            tracks[key] = replace(
                tracks[key],
                noise_bad=NOISE[0] + bad,
                noise_all=NOISE[1] + every,
                pending_bad=0,
                partial_score=0.0,
                partial_since=None,
                partial_good=0,
            )
        world.board = world.board.with_tracks(tracks)
        world.play(self.weather.length, world.is_quiet)
        for (module, name), place in self.places.items():
            track = world.board.tracks[(module, "ask", name)]
            place.bad, place.every = track.noise_bad - NOISE[0], track.noise_all - NOISE[1]
            place.score, place.since, place.pending, place.failed = 0.0, -1.0, track.pending_bad, 0
            place.index = world.index[(module, name)]
            place.last_at, place.asked_at = world.now, -1.0
        return world.now


def proves_sifting(stray: float, weeks: float, seed: int) -> tuple[int, int]:
    """Plays the same noise with the product throughout and sifted: as many extra runs and the same moves to down at the
    same times, else AssertionError. Gives how many extra runs there were, and how many stretches the product judged."""
    noise = Noise("sifted", stray=stray)
    sieve = Sieve(noise, weeks, str(seed))
    sifted, played = sieve.sift(), one_stretch(noise, weeks, str(seed))
    for one, other in zip(_downs(sifted), _downs(played), strict=True):
        assert abs(one - other) < 0.01, (one, other)
    assert sifted.extras == played.extras, (sifted.extras, played.extras)
    return sifted.extras, sieve.played


def _downs(alarms: Alarms) -> list[float]:
    return [at for _, _, after, at in alarms.moves if after is Status.DOWN]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--years", type=float, default=250)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3000, help="stop then, with what is done")
    given = parser.parse_args()
    (noise,) = (one for one in NOISES if one.name == "B")
    ends, years, down, chunk = time.monotonic() + given.seconds, 0.0, 0, 0
    while years < given.years and time.monotonic() < ends:
        found = Sieve(noise, 52, f"{given.seed}/{noise.name}/{chunk}").sift()
        years, down, chunk = years + found.years, down + found.down, chunk + 1
    print(f"{noise.name}: {years:.1f} module-years, {rate(down, years)} moves to down a module-year")
