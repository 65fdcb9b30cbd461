"""How soon an outage is detected, and how often noise is taken for one, with the product's own `step`.

    python -m tests.bench.detection [--outages 4000] [--years 40] [--seed 1] [--seconds 1500] [--only NAME …] [--prove]
        [--require]

As judgement.md 1.3 has it. A board of modules is asked every 30 s from each place, the places staggered; the extra runs
that `step` asks for are made at their place after their pause, canaries answer when they are asked, time ticks once a
second. A run that is due while another of the same probe is under way at that place is left out, as the rounds do it.

Time to detect: every outage begins at a random phase on a board where all is well, and counts until the module is
moved. False alarms: a noise set makes single runs, places and whole modules fail for a moment, and every move to down
is one. Nothing is simulated while nothing can happen: from one failing run the next stretch is played until no track
has a score and nothing is pending, then comes a jump to the next failing run. `proves_skipping` plays the same noise
with and without jumps.

Beside the product two simple rules judge the same scheduled runs, without extra ones. Every figure comes with its 95 %
interval: of a mean by the normal law, of a percentile by order statistics, of a rate by the exact Poisson law.
"""

import argparse
import heapq
import multiprocessing
import random
import sys
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from math import ceil, exp, floor, inf, lgamma, log, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from monitor.core.board import Board
from monitor.core.effect import Ask, AskCanaries, Effect, Event, Lagging, Moved, Observed, Saved, Ticked
from monitor.core.expectation import Outcome, Result
from monitor.core.incident import Change
from monitor.core.module import Module, Platform, Status
from monitor.core.observation import CANARY, Failure, Http, Observation
from monitor.core.probe import Probe
from monitor.core.step import step
from monitor.core.track import NOISE, NOISE_HALF_LIFE, NOISE_RANGE, PARTIAL_P1, Track
from monitor.probers.rounds import SOFT_LIMIT

START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
INTERVAL, TIMEOUT, FAST = 30.0, 10.0, 0.05  # seconds; FAST is how long a run takes that does not hang
CANARIES, CANARY_TIMEOUT = ("1.1.1.1:443", "9.9.9.9:443", "8.8.4.4:443"), 3.0
DAY, WEEK, YEAR = 86_400.0, 604_800.0, 31_557_600.0
HORIZON = 7_200.0  # an outage that was not seen in two hours is missed
CHUNK_WEEKS, CHUNK_OUTAGES = 4, 100  # what one task of a worker covers
KEEP = 0.5 ** (timedelta(seconds=INTERVAL) / NOISE_HALF_LIFE)  # of the learned noise, from one run to the next

Key = tuple[str, str]  # module, place
Span = tuple[float, float]


@dataclass(frozen=True)
class Outages:
    """A row of the first table: how a module fails once it does."""

    name: str
    places: int = 3
    share: float = 0.99  # of the runs that fail
    takes: float = FAST  # seconds a failing run takes
    staggered: bool = True


@dataclass(frozen=True)
class Noise:
    """A row of the second table: what fails although nothing is wrong."""

    name: str
    stray: float  # share of single runs
    bursts: float = 0.0  # per location and day; half of them strike one module only
    caught: float = 0.0  # share of the location-wide bursts that canaries see; 0: there are none
    blips: float = 0.0  # real outages of 1 to 10 s, per module and week
    modules: int = 1
    burst_takes: float = FAST  # seconds a run takes that fails in a burst


OUTAGES = (
    Outages("3 loc, p1 .99, fast"),
    Outages("3 loc, p1 .99, 10 s time-out", takes=TIMEOUT),
    Outages("3 loc, p1 .9", share=0.9),
    Outages("3 loc, p1 .5", share=0.5),
    Outages("1 loc, p1 .99, fast", places=1),
    Outages("3 loc, p1 .99, fast, phases by chance", staggered=False),
)
NOISES = (
    Noise("A", stray=0.001),
    Noise("B", stray=0.01),
    Noise("C", stray=0.001, bursts=1, modules=5),
    Noise("D", stray=0.001, bursts=1, caught=0.95, modules=5),
    Noise("F", stray=0.001, bursts=1 / 7, modules=5),
    Noise("E", stray=0.001, bursts=1 / 7, caught=0.95, blips=2, modules=5),
)
# Seconds on average and in 99 of 100; false alarms a module-year.
SOON = {
    "3 loc, p1 .99, fast": (22.0, 28.0),
    "3 loc, p1 .99, 10 s time-out": (35.0, 40.0),
    "3 loc, p1 .5": (36.0, inf),
}
SELDOM = {"B": 0.02, "F": 0.05, "E": 0.05}
PROOFS = (
    Noise("proof, one module", stray=0.03, bursts=8, blips=20),
    Noise("proof, five modules", stray=0.01, bursts=8, caught=0.5, blips=10, modules=5),
)


# -- the world that is watched ----------------------------------------------------------------------------------------


class Run(NamedTuple):
    """Entry of the heap: a scheduled run (`number` 0 or more) or an extra one (-1) begins."""

    key: Key
    number: int


class Doubt(NamedTuple):
    """Entry of the heap: a run that began at this time may have been under way for too long."""

    key: Key
    began: float


class Tick(NamedTuple):
    """Entry of the heap: a second went by."""


Entry = Run | Doubt | Tick | Observation


def moment(seconds: float) -> datetime:
    """A time of the simulation as the product knows it."""
    return START + timedelta(seconds=seconds)


def platform_of(modules: int, places: Sequence[str], canaries: bool) -> Platform:
    """Modules with one probe each on two hosts, asked from places that are failure domains of their own."""
    found: dict[str, Module] = {}
    for number in range(modules):
        name = f"m{number}"
        probe = Probe(
            module=name,
            id="ask",
            kind="http",
            interval=timedelta(seconds=INTERVAL),
            timeout=timedelta(seconds=TIMEOUT),
            locations=tuple(places),
            instance=f"https://host{number % 2}.example/",
        )
        found[name] = Module(name, {"en": name}, probes=(probe,))
    return Platform(found, locations={place: place for place in places}, canaries=len(CANARIES) if canaries else 0)


def offsets_of(modules: int, places: Sequence[str], staggered: bool, dice: random.Random) -> dict[Key, float]:
    """Where in the interval each probe stands at each place."""
    found: dict[Key, float] = {}
    for number in range(modules):
        phase = dice.uniform(0, INTERVAL)
        for rank, place in enumerate(places):
            at = phase + rank * INTERVAL / len(places) if staggered else dice.uniform(0, INTERVAL)
            found[(f"m{number}", place)] = at % INTERVAL
    return found


@dataclass
class World:
    """A board under a simulated clock, and what happens out there.

    `fails` tells of a scheduled run by its index whether it fails, `fails_extra` of an extra one by its time, `sees` of
    a place whether its canaries answer. `takes` is how long a failing run takes.
    """

    board: Board
    offsets: dict[Key, float]
    fails: Callable[[Key, int], bool]
    fails_extra: Callable[[Key, float], bool]
    sees: Callable[[str, float], bool]
    takes: Callable[[Key, float], float]
    now: float = 0.0
    moves: list[tuple[str, Status, Status, float]] = field(default_factory=list)
    extras: int = 0
    regional: int = 0
    steps: int = 0
    _heap: list[tuple[float, int, Entry]] = field(default_factory=list)
    _order: int = 0
    _pending: int = 0
    _settled_at: float = 0.0
    _busy: dict[Key, float] = field(default_factory=dict)
    index: dict[Key, int] = field(default_factory=dict)  # the next scheduled run of each probe at each place

    def warm_up(self, stray: float) -> None:
        """Makes all well: two good runs everywhere, and the noise learned that a long time would teach."""
        runs = sorted((offset + number * INTERVAL, key) for key, offset in self.offsets.items() for number in (0, 1))
        for seconds, key in runs:
            at = moment(seconds)
            self._take(Observed(_observation(key, at, at, None, FAST)), at + timedelta(seconds=FAST))
            self.index[key] = 2
        seen = 1 / (1 - KEEP)
        learned = {"noise_bad": NOISE[0] + stray * seen, "noise_all": NOISE[1] + seen}
        tracks = {key: replace(track, **learned) for key, track in self.board.tracks.items()}
        self.board = self.board.with_tracks(tracks)
        self.now = 2 * INTERVAL
        self.moves.clear()

    def go_on(self) -> None:
        """Puts the next scheduled run of everything, and the next tick, on the heap."""
        for key, index in self.index.items():
            self._push(self.offsets[key] + index * INTERVAL, Run(key, index))
        self._push(floor(self.now) + 1.0, Tick())

    def jump(self, to: float) -> None:
        """Learns every scheduled run before a moment as a good one, without playing it. Only where all is quiet."""
        self._heap.clear()
        changed: dict[tuple[str, str, str], Track] = {}
        for key, offset in self.offsets.items():
            index = ceil((to - offset) / INTERVAL - 1e-9)
            count = index - self.index[key]
            if count > 0:
                track_key = (key[0], "ask", key[1])
                first, last = (moment(offset + i * INTERVAL) for i in (self.index[key], index - 1))
                changed[track_key] = advanced(self.board.tracks[track_key], count, first, last)
                self.index[key] = index
        self.board = replace(self.board.with_tracks(changed), incidents={})
        self.now = max(self.now, to - 1e-6)
        self.go_on()

    def play(self, until: float, enough: Callable[[], bool] = lambda: False) -> bool:
        """Plays what comes before a moment, or until it is enough, which it tells."""
        while self._heap and self._heap[0][0] < until:
            self.now, _, entry = heapq.heappop(self._heap)
            if isinstance(entry, Tick):
                self._push(self.now + 1.0, entry)
                self._take(Ticked(), moment(self.now))
            elif isinstance(entry, Run):
                self._begin(entry)
                continue
            elif isinstance(entry, Doubt):
                self._pending -= 1
                self._take(Lagging(entry.key[0], "ask", entry.key[1]), moment(self.now))
            else:
                self._pending -= 1
                self._take(Observed(entry), entry.ended_at)
            if enough():
                return True
        return False

    def is_quiet(self) -> bool:
        """Whether nothing but good runs would change nothing but counters: no score, no run that is still to come.

        Where a place had no say, every module has to have a run after it has one again: only then it is settled anew.
        """
        board = self.board
        if board.regional or any(place.blind_since is not None for place in board.vantages.values()):
            self._settled_at = self.now + INTERVAL + 1.0
        if self._pending or self.now < self._settled_at:
            return False
        if any(_is_doubted(board.tracks[key]) for key in board.restless):
            return False
        if any(condition.status is not Status.UP for condition in board.probes.values()):
            return False
        return not any(incident.is_open for incident in board.incidents.values())

    def _push(self, at: float, entry: Entry) -> None:
        self._order += 1
        heapq.heappush(self._heap, (at, self._order, entry))

    def _begin(self, run: Run) -> None:
        """Begins a run, unless one of the same probe is under way at that place."""
        key, extra = run.key, run.number < 0
        if extra:
            self._pending -= 1
        else:
            self.index[key] = run.number + 1
            self._push(self.offsets[key] + (run.number + 1) * INTERVAL, Run(key, run.number + 1))
        if self._busy.get(key, -inf) > self.now:
            return
        self.extras += extra
        bad = self.fails_extra(key, self.now) if extra else self.fails(key, run.number)
        takes = self.takes(key, self.now) if bad else FAST
        code = None if not bad else "http.503" if takes < 1 else "http.ttfb_timeout"
        at = moment(self.now)
        self._busy[key] = self.now + takes
        self._pending += 1
        if takes > SOFT_LIMIT:
            self._pending += 1
            self._push(self.now + SOFT_LIMIT, Doubt(key, self.now))
        self._push(self.now + takes, _observation(key, at, at, code, takes))

    def _take(self, event: Event, now: datetime) -> None:
        self.steps += 1
        self.board, effects = step(self.board, event, now)
        for effect in effects:
            self._perform(effect)

    def _perform(self, effect: Effect) -> None:
        match effect:
            case Ask():
                self._pending += 1
                self._push(self.now + effect.after, Run((effect.module, effect.location), -1))
            case AskCanaries():
                well = self.sees(effect.location, self.now)
                for target in CANARIES:
                    takes = FAST if well else CANARY_TIMEOUT
                    self._pending += 1
                    self._push(self.now + takes, _canary(effect.location, moment(self.now), target, well, takes))
            case Moved():
                moved = effect.transition
                self.moves.append((moved.module, moved.before, moved.after, self.now))
            case Saved() if effect.incident.cause.scope == "location" and effect.change is Change.OPENED:
                self.regional += 1


def _observation(key: Key, at: datetime, due: datetime, code: str | None, takes: float) -> Observation:
    """One run as a prober hands it in."""
    return Observation(
        at=at,
        module=key[0],
        probe="ask",
        location=key[1],
        scheduled_at=due,
        duration=takes,
        address="203.0.113.7:443",
        failure=Failure(code) if code == "http.ttfb_timeout" else None,
        http=None if code == "http.ttfb_timeout" else Http(200 if code is None else 503, bytes=2),
    )


def _canary(place: str, at: datetime, target: str, well: bool, takes: float) -> Observation:
    """One answer of a canary, or none."""
    return Observation(
        at=at,
        module=None,
        probe=CANARY,
        location=place,
        scheduled_at=at,
        duration=takes,
        address=target,
        failure=None if well else Failure("tcp.timeout"),
        http=Http(200) if well else None,
    )


def _is_doubted(track: Track) -> bool:
    """Whether more than the memory of failures now and then is held against a track."""
    return bool(track.score or track.slow_score or track.blocked_score)


def advanced(track: Track, count: int, first: datetime, last: datetime) -> Track:
    """The track after so many good runs, as `learn` would make it one by one, but in closed form.

    A good run on a quiet track moves streaks and instants, and two numbers. The score of failures now and then falls by
    ln((1-p1')/(1-p0)) a run, where p0 is learned on the way: those few runs are walked through. After that only the
    learned noise goes on, and that is a geometric sum: of what was learned the share KEEP^n stays, and n runs add
    (1-KEEP^n)/(1-KEEP) good ones.
    """
    if _is_doubted(track):
        raise ValueError("a track that is doubted cannot be skipped")
    bad, every, partial, left = track.noise_bad - NOISE[0], track.noise_all - NOISE[1], track.partial_score, count
    pending = track.pending_bad
    low, high = NOISE_RANGE
    while left and (partial or pending):
        share = min(max((NOISE[0] + bad) / (NOISE[1] + every), low), high)
        partial = max(partial + log((1 - PARTIAL_P1) / (1 - share)), 0.0)
        bad, every, pending, left = bad * KEEP + pending, every * KEEP + pending + 1, 0, left - 1
    fade = KEEP**left
    bad, every = bad * fade, every * fade + (1 - fade) / (1 - KEEP)
    return replace(
        track,
        noise_bad=NOISE[0] + bad,
        noise_all=NOISE[1] + every,
        pending_bad=pending,
        partial_score=partial,
        partial_since=track.partial_since if partial else None,
        partial_good=track.partial_good + count if partial else 0,
        good_streak=track.good_streak + count,
        good_since=track.good_since or first,
        brisk_streak=track.brisk_streak + count,
        brisk_since=track.brisk_since or first,
        usable_at=last + timedelta(seconds=FAST),
        last=Result(Outcome.PASSED),
        last_at=last,
        raw=(last, True),
        raw_bad_since=None,
        reprobe_at=None,
        undo=(),
    )


# -- outages ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """How many seconds after it began an outage was seen by whom; None: not in two hours."""

    down: float | None
    opened: float | None
    three_in_a_row: float | None
    two_at_two: float | None


class Failing:
    """What a failing module answers: drawn run by run, the same for the product and for the simple rules."""

    def __init__(self, cell: Outages, offsets: dict[Key, float], began: float, dice: random.Random) -> None:
        self.cell, self.offsets, self.began = cell, offsets, began
        self._extra = random.Random(dice.random())
        self._drawn: dict[Key, list[bool]] = {key: [] for key in offsets}
        self._dice = {key: random.Random(dice.random()) for key in offsets}

    def scheduled(self, key: Key, index: int) -> bool:
        """Whether a scheduled run fails."""
        if self.offsets[key] + index * INTERVAL < self.began:
            return False
        drawn, dice = self._drawn[key], self._dice[key]
        first = ceil((self.began - self.offsets[key]) / INTERVAL)
        while len(drawn) <= index - first:
            drawn.append(dice.random() < self.cell.share)
        return drawn[index - first]

    def extra(self, key: Key, at: float) -> bool:
        """Whether an extra run fails."""
        return at >= self.began and self._extra.random() < self.cell.share

    def simple(self, places: int, streak: int) -> float | None:
        """When so many failures in a row were seen by so many of the places, by scheduled runs alone."""
        first = {key: ceil((self.began - offset) / INTERVAL) for key, offset in self.offsets.items()}
        looking = list(first)[: 1 if places == 1 else None]
        keys = sorted(looking, key=lambda key: self.offsets[key] + first[key] * INTERVAL)
        streaks = dict.fromkeys(keys, 0)
        for round_, key in ((round_, key) for round_ in range(int(HORIZON / INTERVAL)) for key in keys):
            index = first[key] + round_
            bad = self.scheduled(key, index)
            streaks[key] = streaks[key] + 1 if bad else 0
            if bad and sum(count >= streak for count in streaks.values()) >= places:
                return self.offsets[key] + index * INTERVAL + self.cell.takes - self.began
        return None


def one_outage(cell: Outages, dice: random.Random) -> Found:
    """Begins an outage at a random phase, and tells when it was seen."""
    places = [f"p{number}" for number in range(cell.places)]
    offsets = offsets_of(1, places, cell.staggered, dice)
    began = 10 * INTERVAL + dice.uniform(0, INTERVAL)
    failing = Failing(cell, offsets, began, dice)
    board = Board(platform_of(1, places, canaries=False))
    world = World(board, offsets, failing.scheduled, failing.extra, lambda *_: True, lambda *_: cell.takes)
    world.warm_up(stray=0.001)
    world.jump(began)
    world.play(began + HORIZON, lambda: any(after is Status.DOWN for _, _, after, _ in world.moves))
    down = next((at - began for _, _, after, at in world.moves if after is Status.DOWN), None)
    opened = next((at - began for _, _, after, at in world.moves if after in (Status.DOWN, Status.DEGRADED)), None)
    return Found(down, opened, failing.simple(1, 3), failing.simple(2, 2) if cell.places > 1 else None)


# -- noise ------------------------------------------------------------------------------------------------------------


def poisson(rate: float, length: float, dice: random.Random) -> Iterator[float]:
    """The moments of a Poisson process of so many a second."""
    at = 0.0
    while rate and (at := at + dice.expovariate(rate)) < length:
        yield at


def union(spans: Iterable[Span]) -> list[Span]:
    """Spans of time without overlaps, in order."""
    found: list[Span] = []
    for began, ended in sorted(spans):
        if found and began <= found[-1][1]:
            found[-1] = (found[-1][0], max(ended, found[-1][1]))
        else:
            found.append((began, ended))
    return found


def within(spans: Sequence[Span], at: float) -> bool:
    """Whether a moment lies in one of the spans, which do not overlap and stand in order."""
    index = bisect_right(spans, (at, inf)) - 1
    return index >= 0 and at < spans[index][1]


class Weather:
    """Everything that goes wrong in so many seconds, drawn beforehand: strays, bursts, blips."""

    def __init__(self, noise: Noise, offsets: dict[Key, float], length: float, seed: str) -> None:
        dice = random.Random(seed)
        self.noise, self.offsets, self.length = noise, offsets, length
        self._extra = random.Random(f"{seed}/extra")
        modules, places = sorted({key[0] for key in offsets}), sorted({key[1] for key in offsets})
        dark: dict[str, list[Span]] = {place: [] for place in places}
        troubles: dict[Key, list[Span]] = {key: [] for key in offsets}
        bursts: dict[Key, list[Span]] = {key: [] for key in offsets}
        for place in places:
            for at in poisson(noise.bursts / 2 / DAY, length, dice):
                span = (at, at + dice.expovariate(1 / 60))
                if dice.random() < noise.caught:
                    dark[place].append(span)
                for module in modules:
                    bursts[(module, place)].append(span)
            for module in modules:
                for at in poisson(noise.bursts / 2 / DAY, length, dice):
                    bursts[(module, place)].append((at, at + dice.expovariate(1 / 60)))
        for module in modules:
            for at in poisson(noise.blips / WEEK, length, dice):
                span = (at, at + dice.uniform(1, 10))
                for place in places:
                    troubles[(module, place)].append(span)
        self.dark = {place: union(spans) for place, spans in dark.items()}
        self.bursts = {key: union(spans) for key, spans in bursts.items()}
        self.troubles = {key: union([*spans, *bursts[key]]) for key, spans in troubles.items()}
        self.bad = {key: self._bad_runs(key, dice) for key in offsets}
        self._is_bad = {key: frozenset(indices) for key, indices in self.bad.items()}

    def _bad_runs(self, key: Key, dice: random.Random) -> list[int]:
        """The indices of all scheduled runs that fail: strays by geometric gaps, and those in times of trouble."""
        offset, found, index = self.offsets[key], set[int](), -1
        while True:
            index += 1 + int(log(1 - dice.random()) / log(1 - self.noise.stray))
            if offset + index * INTERVAL >= self.length:
                break
            found.add(index)
        for began, ended in self.troubles[key]:
            found.update(range(ceil((began - offset) / INTERVAL), ceil((ended - offset) / INTERVAL)))
        first = ceil((3 * INTERVAL - offset) / INTERVAL)  # what comes before is warming up
        return sorted(index for index in found if index >= first and offset + index * INTERVAL < self.length)

    def scheduled(self, key: Key, index: int) -> bool:
        """Whether a scheduled run fails."""
        return index in self._is_bad[key]

    def extra(self, key: Key, at: float) -> bool:
        """Whether an extra run fails."""
        return self._extra.random() < self.noise.stray or within(self.troubles[key], at)

    def sees(self, place: str, at: float) -> bool:
        """Whether the canaries of a place answer."""
        return not within(self.dark[place], at)

    def takes(self, key: Key, at: float) -> float:
        """How long a failing run takes."""
        return self.noise.burst_takes if within(self.bursts[key], at) else FAST

    def all_bad(self) -> list[float]:
        """When any scheduled run fails, in order."""
        return sorted(self.offsets[key] + i * INTERVAL for key, indices in self.bad.items() for i in indices)

    def simple(self, places: int, streak: int) -> int:
        """How often so many failures in a row are seen by so many of the places, by scheduled runs alone.

        With one place each of them counts as a monitor of its own. What canaries know to be the place's trouble does
        not count.
        """
        count = 0
        for module in sorted({key[0] for key in self.offsets}):
            spans: list[Span] = []
            for key in (key for key in self.offsets if key[0] == module):
                spans += self._alarms(key, streak)
            if places == 1:
                count += len(spans)
                continue
            edges = sorted([(began, 1) for began, _ in spans] + [(ended, -1) for _, ended in spans])
            failing = 0
            for _, change in edges:
                failing += change
                count += change > 0 and failing == places
        return count

    def _alarms(self, key: Key, streak: int) -> list[Span]:
        """From when until when so many scheduled runs in a row have failed, at one place."""
        offset, found = self.offsets[key], list[Span]()
        began = last = -9
        for index in [*self.bad[key], -1]:
            if self.noise.caught and within(self.dark[key[1]], offset + index * INTERVAL):
                continue
            if index != last + 1:
                if last - began + 1 >= streak and last >= 0:
                    found.append((offset + (began + streak - 1) * INTERVAL, offset + (last + 1) * INTERVAL))
                began = index
            last = index
        return found


@dataclass(frozen=True)
class Alarms:
    """What a stretch of noise made of healthy modules."""

    years: float = 0.0  # of modules
    down: int = 0
    degraded: int = 0
    regional: int = 0
    extras: int = 0
    three_in_a_row: int = 0  # at three places, each for itself
    two_at_two: int = 0
    moves: tuple[tuple[str, Status, Status, float], ...] = ()


def one_stretch(noise: Noise, weeks: float, seed: str, skipping: bool = True) -> Alarms:
    """Plays so many weeks of noise, from one failing run to the next, or every run of it."""
    dice = random.Random(f"{seed}/phases")
    places = ("p0", "p1", "p2")
    offsets = offsets_of(noise.modules, places, True, dice)
    weather = Weather(noise, offsets, weeks * WEEK, f"{seed}/weather")
    board = Board(platform_of(noise.modules, places, canaries=noise.caught > 0))
    world = World(board, offsets, weather.scheduled, weather.extra, weather.sees, weather.takes)
    world.warm_up(noise.stray)
    if skipping:
        for at in weather.all_bad():
            if at >= world.now:  # else it was played with the failure before it
                world.jump(at)
                if not world.play(weather.length, world.is_quiet):
                    break
    else:
        world.go_on()
        world.play(weather.length)
    return Alarms(
        years=noise.modules * weather.length / YEAR,
        down=sum(after is Status.DOWN for _, _, after, _ in world.moves),
        degraded=sum(after is Status.DEGRADED and before is Status.UP for _, before, after, _ in world.moves),
        regional=world.regional,
        extras=world.extras,
        three_in_a_row=weather.simple(1, 3),
        two_at_two=weather.simple(2, 2),
        moves=tuple(world.moves),
    )


def proves_skipping(noise: Noise, weeks: float, seed: int) -> tuple[int, int]:
    """Plays the same noise with jumps and without: the same moves at the same times, else AssertionError."""
    jumping = one_stretch(noise, weeks, f"{seed}/{noise.name}")
    walking = one_stretch(noise, weeks, f"{seed}/{noise.name}", skipping=False)
    for jumped, walked in zip(jumping.moves, walking.moves, strict=False):
        assert jumped[:3] == walked[:3], (jumped, walked)
        assert abs(jumped[3] - walked[3]) < 0.01, (jumped, walked)
    assert len(jumping.moves) == len(walking.moves), (len(jumping.moves), len(walking.moves))
    assert jumping.extras == walking.extras, (jumping.extras, walking.extras)
    return len(jumping.moves), jumping.extras


# -- figures ----------------------------------------------------------------------------------------------------------


def poisson_interval(count: int) -> Span:
    """The exact 95 % interval of the mean of a Poisson law of which one draw gave this count."""

    def at_most(k: int, mean: float) -> float:
        return sum(exp(i * log(mean) - mean - lgamma(i + 1)) for i in range(k + 1)) if mean else 1.0

    def solve(k: int, chance: float) -> float:
        low, high = 0.0, 10.0 + 2 * k + 10 * sqrt(k + 1)
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if at_most(k, middle) > chance else (low, middle)
        return low

    return (solve(count - 1, 0.975) if count else 0.0), solve(count, 0.025)


def rate(count: int, years: float) -> str:
    """`0.02 (0.01–0.05)` a year."""
    if not years:
        return "–"
    low, high = poisson_interval(count)
    return f"{count / years:.3g} ({low / years:.2g}–{high / years:.2g}; {count})"


Estimate = tuple[float, float, float]  # the lower end of its 95 % interval, the value, the upper end


def mean(values: Sequence[float]) -> Estimate:
    """The mean, by the normal law."""
    half = 1.96 * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values), fmean(values) + half


def percentile(values: Sequence[float], share: float = 0.99) -> Estimate:
    """The value below which a share lies, between the order statistics that enclose it."""
    ordered, n = sorted(values), len(values)
    half = 1.96 * sqrt(n * share * (1 - share))
    ranks = (n * share - half, n * share, n * share + half)
    low, middle, high = (ordered[min(max(floor(rank), 0), n - 1)] for rank in ranks)
    return low, middle, high


def shown(estimate: Estimate) -> str:
    """`21.1 (20.9–21.3)`."""
    low, middle, high = estimate
    return f"{middle:.1f} ({low:.1f}–{high:.1f})"


def outage_rows(cell: Outages, found: Sequence[Found]) -> Iterator[str]:
    """The rows of one way to fail, one for each detector."""
    columns: list[tuple[str, list[float | None]]] = [
        ("product: down", [one.down for one in found]),
        ("product: incident opened", [one.opened for one in found]),
        ("3 in a row at 1 location", [one.three_in_a_row for one in found]),
        ("2 in a row at 2 of 3", [one.two_at_two for one in found] if cell.places > 1 else []),
    ]
    for name, seen in columns:
        values = [one for one in seen if one is not None]
        missed = len(seen) - len(values)
        if len(values) > 1:
            figures = f"{shown(mean(values))} | {shown(percentile(values))}"
            yield f"| {cell.name} | {name} | {figures} | {len(seen)} | {missed} |"


def noise_row(noise: Noise, parts: Sequence[Alarms]) -> str:
    """The row of one noise set."""
    years = sum(part.years for part in parts)
    down, degraded, regional = (sum(getattr(p, name) for p in parts) for name in ("down", "degraded", "regional"))
    three, two = sum(part.three_in_a_row for part in parts), sum(part.two_at_two for part in parts)
    extras = sum(part.extras for part in parts) / max(years * YEAR / DAY, 1e-9)
    return (
        f"| {noise.name} | {years:.1f} | {rate(down, years)} | {rate(degraded, years)} | {rate(regional, years)} "
        f"| {extras:.0f} | {rate(three, 3 * years)} | {rate(two, years)} |"
    )


def missed_by(results: dict[str, list[tuple[int, list[Found] | Alarms]]]) -> Iterator[str]:
    """What is not reached: figures whose whole interval lies beyond what is wanted."""
    for name, (wanted, latest) in SOON.items():
        seen = [one.down for _, part in results.get(name, ()) if isinstance(part, list) for one in part]
        values = [inf if one is None else one for one in seen]
        if len(values) > 1 and (inf in values or mean(values)[0] > wanted or percentile(values)[0] > latest):
            yield f"{name}: not within {wanted} s on average and {latest} s in 99 of 100"
    for name, most in SELDOM.items():
        parts = [part for _, part in results.get(name, ()) if isinstance(part, Alarms)]
        years, down = sum(part.years for part in parts), sum(part.down for part in parts)
        if years and poisson_interval(down)[0] / years > most:
            yield f"{name}: more than {most} false alarms a module-year"


# -- work -------------------------------------------------------------------------------------------------------------


class Task(NamedTuple):
    """What one worker does at a time; the figures of a task depend on nothing else."""

    cell: Outages | Noise
    chunk: int
    seed: int


def work(task: Task) -> tuple[Task, list[Found] | Alarms]:
    """Does one task."""
    seed = f"{task.seed}/{task.cell.name}/{task.chunk}"
    if isinstance(task.cell, Outages):
        return task, [one_outage(task.cell, random.Random(f"{seed}/{number}")) for number in range(CHUNK_OUTAGES)]
    return task, replace(one_stretch(task.cell, CHUNK_WEEKS, seed), moves=())


def tasks_of(outages: int, years: float, seed: int, only: Sequence[str]) -> list[Task]:
    """All tasks, outages first, in an order that leaves every noise set equally far when time is up."""
    found: list[tuple[float, Task]] = []
    for cell in (*OUTAGES, *NOISES):
        if only and cell.name not in only:
            continue
        if isinstance(cell, Outages):
            chunks, turn = ceil(outages / CHUNK_OUTAGES), 0
        else:
            chunks, turn = ceil(years * YEAR / (CHUNK_WEEKS * WEEK * cell.modules)), 1
        found += [(turn + chunk / chunks, Task(cell, chunk, seed)) for chunk in range(chunks)]
    return [task for _, task in sorted(found, key=lambda pair: pair[0])]


def measure(
    outages: int, years: float, seed: int, seconds: float, only: Sequence[str] = (), workers: int = 2
) -> dict[str, list[tuple[int, list[Found] | Alarms]]]:
    """The results of all tasks that were done in time, by cell and in order of chunk."""
    ends = time.monotonic() + seconds
    done: dict[str, list[tuple[int, list[Found] | Alarms]]] = defaultdict(list)
    with multiprocessing.Pool(workers) as pool:
        for task, result in pool.imap_unordered(work, tasks_of(outages, years, seed, only)):
            done[task.cell.name].append((task.chunk, result))
            if time.monotonic() > ends:
                pool.terminate()
                break
    return {name: sorted(results, key=lambda pair: pair[0]) for name, results in done.items()}


def tell(results: dict[str, list[tuple[int, list[Found] | Alarms]]]) -> Iterator[str]:
    """Both tables."""
    yield "| Outage | Detector | mean s | p99 s | outages | missed in 2 h |"
    yield "|---|---|---|---|---|---|"
    for cell in OUTAGES:
        found = [one for _, part in results.get(cell.name, ()) if isinstance(part, list) for one in part]
        if found:
            yield from outage_rows(cell, found)
    yield ""
    yield (
        "| Noise | module-years | product: down a module-year (95 %; events) | degraded | regional incidents "
        "| extra runs a module-day | 3 in a row at 1 location | 2 in a row at 2 of 3 |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for noise in NOISES:
        parts = [part for _, part in results.get(noise.name, ()) if isinstance(part, Alarms)]
        if parts:
            yield noise_row(noise, parts)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outages", type=int, default=4000)
    parser.add_argument("--years", type=float, default=40, help="module-years for each noise set")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1500, help="stop then, with what is done")
    parser.add_argument("--only", nargs="*", default=(), help="names of rows")
    parser.add_argument("--prove", action="store_true", help="first play two noises with and without jumps")
    parser.add_argument("--require", action="store_true", help="exit status 1 when a figure is not reached")
    given = parser.parse_args()
    if given.prove:
        for proof in PROOFS:
            moved, asked = proves_skipping(proof, 1, given.seed)
            print(f"{proof.name}: {moved} moves and {asked} extra runs alike with and without jumps", flush=True)
    results = measure(given.outages, given.years, given.seed, given.seconds, given.only)
    for line in tell(results):
        print(line)
    beyond = list(missed_by(results))
    sys.exit("\n".join(beyond) if given.require and beyond else 0)
