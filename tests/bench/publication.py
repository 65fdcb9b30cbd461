"""What publications cost, the first, after nothing, after a single change: `python -m tests.bench.publication`.

A thousand modules in a hundred components of ten groups, three languages, ninety days of changes of status, two
hundred incidents and a day of latency, all from one seed, in a real store and on a real disk. Each publication goes
through the press itself, so the figures hold everything from the first look at the store to the swapped link.
Options: `--modules N`, `--rounds N`, `--edges` (outages leave the windows of the figures meanwhile, so that "nothing"
moves the figures of a module or two), `--profile` (one more publication after one change, by function).
"""

import argparse
import asyncio
import cProfile
import gc
import pstats
import resource
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from monitor.clock import SystemClock
from monitor.config.file import theme_dir
from monitor.core.board import Board, Condition
from monitor.core.detector import Transition
from monitor.core.effect import Keep, Moved, Saved, Settled
from monitor.core.expectation import Outcome, Result
from monitor.core.history import bucket_of
from monitor.core.incident import Candidate, Cause, Change, Evidence, Incident, Member, Stage, Update, key_of
from monitor.core.module import Component, Dependency, Group, Module, Platform, Priority, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.series import Bin
from monitor.core.site import Site
from monitor.core.statement import WINDOWS
from monitor.core.track import Track
from monitor.pages import publish, site
from monitor.pages.cells import Cells
from monitor.pages.translate import Speech
from monitor.press import Press, Scene
from monitor.store import Rollup, Store, open_store

GROUPS, COMPONENTS, INCIDENTS, DAYS = 10, 100, 200, 90
NOW = datetime(2026, 11, 23, 15, 15, 20, tzinfo=UTC)
EVERY = timedelta(seconds=15)  # between two publications when nothing happens
SITE = Site(url="https://status.example.com")


class FrozenClock(SystemClock):
    """The wall clock stands where it is put; durations are real."""

    def __init__(self, now: datetime) -> None:
        self.at = now

    def now(self) -> datetime:
        """The moment it was put to."""
        return self.at


# --- a large shop


def platform_of(modules: int) -> Platform:
    """Modules that lean on a few others, spread over the components."""
    random, ids = Random(1), [f"module-{number:04}" for number in range(modules)]
    found = {}
    for number, id in enumerate(ids):
        needs = random.sample(ids[: max(1, number // 10)], k=min(3, number // 10))
        probe = Probe(id, "http", "http", timedelta(seconds=30), timedelta(seconds=10), ("here",))
        name = {"en": f"Module {number}", "pt-BR": f"Módulo {number}", "es": f"Módulo {number}"}
        edges = tuple(Dependency(one) for one in needs)
        found[id] = Module(id, name, depends_on=edges, priority=Priority.HIGH, objective=0.999, probes=(probe,))
    components = [
        Component(
            f"component-{number:03}",
            {"en": f"Component {number}", "pt-BR": f"Componente {number}", "es": f"Componente {number}"},
            tuple(ids[number::COMPONENTS]) or (ids[number % modules],),
        )
        for number in range(COMPONENTS)
    ]
    groups = tuple(
        Group(f"group-{number}", {"en": f"Group {number}"}, tuple(components[number::GROUPS]))
        for number in range(GROUPS)
    )
    return Platform(found, groups)


def trouble(
    platform: Platform, root: str, since: datetime, until: datetime | None, affected: tuple[str, ...]
) -> Incident:
    """An incident as the monitor writes it."""
    at = since + timedelta(seconds=70)
    updates = [
        Update(at, Stage.INVESTIGATING, "opened", {"module": root, "code": "http.503", "status": "down"}),
        *(Update(at, Stage.IDENTIFIED, "member_added", {"module": one}) for one in affected),
    ]
    if until:
        updates.append(Update(until, Stage.RESOLVED, "resolved"))
    members = (root, *affected)
    return Incident(
        key=key_of(root, since),
        started_at=since,
        detected_at=at,
        published_at=at,
        stage=updates[-1].stage,
        impact="major",
        priority=Priority.HIGH,
        cause=Cause(
            "module",
            root,
            (Candidate(root, 0.93),),
            "http.503",
            "capacity_or_throttling",
            0.93,
            evidence=tuple(Evidence(since, one, "http", "here", "http.503") for one in members),
        ),
        members=tuple(Member(one, "root" if one == root else "affected", Status.DOWN, since, until) for one in members),
        components=platform.components_of(members),
        updates=tuple(updates),
        resolved_at=until,
    )


def level_of(module: str) -> float:
    """How many seconds a module takes to answer."""
    return 0.03 + 0.3 * Random(module).random()


def _leaves(at: datetime, end: datetime) -> bool:
    """Whether an outage leaves one of the windows of the figures within the next hours, as it then moves them."""
    return any(at <= NOW - length + timedelta(hours=2) and end >= NOW - length for length in WINDOWS.values())


async def past(store: Store, platform: Platform, edges: bool) -> Board:
    """Ninety days and more in the store: what is remembered of them as a board. `edges`: outages leave the windows of
    the figures meanwhile, which moves those of one module in two hundred or so."""
    random, ids = Random(2), list(platform.modules)
    began = NOW - timedelta(days=DAYS + 30)
    moves = [Transition(id, Status.UNKNOWN, Status.UP, began, began) for id in ids]
    for id in ids:
        at = began
        for _ in range(random.choice([0, 0, 2, 4, 8, 20])):
            at += timedelta(days=random.expovariate(1 / 6))
            end = at + timedelta(minutes=random.uniform(1, 50))
            if end < NOW - timedelta(hours=1) and (edges or not _leaves(at, end)):
                bad = random.choice([Status.DOWN, Status.DEGRADED])
                moves += [Transition(id, Status.UP, bad, at, at), Transition(id, bad, Status.UP, end, end)]
                at = end
    incidents = []
    for _ in range(INCIDENTS):
        since = NOW - timedelta(days=random.uniform(1, DAYS))
        root, *others = random.sample(ids, k=random.choice([1, 1, 2, 4]))
        until = since + timedelta(minutes=random.uniform(2, 90))
        incidents.append(trouble(platform, root, since, until, tuple(others)))
    hours = [NOW.replace(minute=0, second=0) - timedelta(hours=back) for back in range(24)]
    rollups = []
    for id in ids:
        level = 1000 * level_of(id)
        for hour in hours:
            buckets: defaultdict[int, int] = defaultdict(int)
            for _ in range(60):
                buckets[bucket_of(level * random.lognormvariate(0, 0.3))] += 2
            rollups.append(Rollup(id, "http", "here", hour, Bin(120, 0, 0, 120 * level / 1000, dict(buckets))))
    await store.seed(moves, incidents, rollups)
    tracks = {(id, "http", "here"): Track(last=Result(Outcome.PASSED), last_at=NOW) for id in ids}
    last = {move.module: move for move in moves}
    return Board(platform, tracks=tracks, modules={id: Condition(Status.UP, last[id].since) for id in ids})


# --- what happens between two publications


async def runs(store: Store, board: Board, at: datetime, random: Random) -> None:
    """Half of the probes ran meanwhile, and everything they saw was good."""
    seen = [
        Keep(
            Observation(at, id, "http", "here", at, level_of(id) * random.lognormvariate(0, 0.3)),
            Result(Outcome.PASSED),
        )
        for number, id in enumerate(board.platform.modules)
        if number % 2
    ]
    await store.commit(seen)


async def strike(store: Store, board: Board, id: str, at: datetime) -> Board:
    """The one change: a module fails, and an incident is opened."""
    return await _moved(store, board, trouble(board.platform, id, at, None, ()), Status.DOWN, at)


async def ease(store: Store, board: Board, at: datetime) -> Board:
    """The one change: what failed answers again, and its incident is resolved."""
    hit = next(one for one in board.incidents.values() if one.is_open)
    over = trouble(board.platform, hit.members[0].module, hit.started_at, at, ())
    return await _moved(store, board, over, Status.UP, at)


async def _moved(store: Store, board: Board, one: Incident, status: Status, at: datetime) -> Board:
    id = one.members[0].module
    transition = Transition(id, board.status(id), status, at, at)
    settled = Condition(status, at)
    change = Change.OPENED if one.is_open else Change.RESOLVED
    await store.commit([Moved(transition), Settled(id, None, settled), Saved(one, change, at)])
    return replace(board, modules={**board.modules, id: settled}, incidents={**board.incidents, one.id: one})


# --- measuring


class Watch:
    """Seconds by phase, without those of the phases inside."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open: list[float] = []

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Adds what passes meanwhile."""
        self._open.append(0.0)
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self.seconds[name] += took - self._open.pop()
            if self._open:
                self._open[-1] += took

    def on(self, owner: Any, attribute: str, name: str) -> None:
        """From now on every call of this function counts as the phase."""
        made: Callable[..., Any] = getattr(owner, attribute)

        def timed(*args: Any, **named: Any) -> Any:
            with self.phase(name):
                return made(*args, **named)

        setattr(owner, attribute, timed)


PHASES = ("read history", "facts", "views", "render", "JSON", "feeds", "badges", "write", "sync")


ROOMS = {
    "picture": "facts",
    "facts": "facts",
    "api": "JSON",
    "statuspage": "JSON",
    "feeds": "feeds",
    "badges": "badges",
}


def watch_everything(watch: Watch) -> None:
    """Each phase is a room of the pages, or a function of the publisher. Watching costs time of its own."""
    work_out = Cells._work_out

    def watched(cells: Cells, key: Any, source: str | None, old: Any = None) -> Any:
        name = "render" if key[0].__name__ == "page" else ROOMS.get(key[0].__module__.rpartition(".")[2], "views")
        with watch.phase(name):
            return work_out(cells, key, source, old)

    Cells._work_out = watched  # type: ignore[method-assign]
    watch.on(site, "lay_html", "views")
    watch.on(site, "lay_feeds", "feeds")
    watch.on(publish.Publisher, "publish", "write")
    watch.on(publish, "_all_to_disk", "sync")


class Took(NamedTuple):
    """Seconds on the wall, and of the processor: the latter do not mind what else the machine does."""

    wall: float
    processor: float


class Bench:
    """A press, its store, and a board that changes."""

    def __init__(self, folder: Path, store: Store, board: Board, watch: Watch) -> None:
        self.clock = FrozenClock(NOW)
        self.board = board
        self.store = store
        self.watch = watch
        self.random = Random(3)
        self.press = Press(publish.Publisher(folder), store, self.clock, self._scene)
        self.press.speak(Speech.load(SITE.languages, theme_dir(SITE.theme)))
        self._read = self.press._read
        self.press._read = self._reading  # type: ignore[method-assign]

    def _scene(self) -> Scene:
        return Scene(SITE, self.board, self.clock.at - timedelta(seconds=3))

    async def _reading(self, board: Board, now: datetime) -> None:
        with self.watch.phase("read history"):
            await self._read(board, now)

    async def publish(self) -> Took:
        """From the call to the swapped link."""
        self.watch.seconds.clear()
        began, used = time.perf_counter(), time.process_time()
        await self.press.publish()
        took = Took(time.perf_counter() - began, time.process_time() - used)
        assert self.press.trouble is None, self.press.trouble
        return took

    async def whole(self) -> Took:
        """As many publications as it takes until no page is left for the next."""
        took = []
        while not self.press.whole.is_set():
            took.append(await self.publish())
        return Took(*map(sum, zip(*took, strict=True)))

    async def pass_time(self) -> None:
        """Probes run until the next publication is due."""
        await runs(self.store, self.board, self.clock.at, self.random)
        self.clock.at += EVERY

    async def change(self) -> None:
        """A module fails; at the next change it answers again."""
        if any(one.is_open for one in self.board.incidents.values()):
            self.board = await ease(self.store, self.board, self.clock.at)
            return
        id = self.random.choice(list(self.board.platform.modules))
        self.board = await strike(self.store, self.board, id, self.clock.at)


def peak() -> float:
    """The most memory this process ever held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show(what: str, took: list[Took]) -> None:
    """The median and the slowest of several rounds."""
    wall, processor = (1000 * statistics.median(one) for one in zip(*took, strict=True))
    slowest = 1000 * max(one.wall for one in took)
    print(f"{what:<20}{wall:7.0f} ms, {processor:.0f} of the processor; slowest {slowest:.0f}", flush=True)


async def rounds(bench: Bench, count: int, change: bool) -> list[Took]:
    """Publications of quarter-minute after quarter-minute."""
    took = []
    for _ in range(count):
        await bench.pass_time()
        if change:
            await bench.change()
        took.append(await bench.publish())
    return took


async def profiled(bench: Bench) -> None:
    """By function; the press works in a thread, so the profile is taken there."""
    write = bench.press._write
    profile = cProfile.Profile()
    bench.press._write = lambda *given: profile.runcall(write, *given)  # type: ignore[method-assign]
    await rounds(bench, 1, change=True)
    bench.press._write = write  # type: ignore[method-assign]
    pstats.Stats(profile).sort_stats("tottime").print_stats(30)


async def main(options: argparse.Namespace, folder: Path) -> None:
    """Builds the past, then publishes again and again."""
    store = await open_store(f"sqlite:///{folder}/monitor.db")
    watch = Watch()
    try:
        bench = Bench(folder, store, await past(store, platform_of(options.modules), options.edges), watch)
        before = peak()
        show("the first", [await bench.whole()])
        count = sum(1 for one in (folder / "public/").rglob("*") if one.is_file())
        print(f"    {count} files, peak {peak():.0f} MB, {before:.0f} MB of them before", flush=True)
        gc.collect()
        gc.freeze()  # as the monitor does once the first page is out
        await rounds(bench, 4, change=True)  # all is well afterwards
        show("after nothing", await rounds(bench, options.rounds, change=False))
        show("after one change", await rounds(bench, options.rounds, change=True))
        print(f"    peak {peak():.0f} MB")
        if options.profile:
            await profiled(bench)
        watch_everything(watch)
        for change in (False, True):
            took = await rounds(bench, 1, change)
            told = "  ".join(f"{name} {1000 * watch.seconds[name]:.0f}" for name in PHASES)
            print(f"{'one change' if change else 'nothing'}, watched: {1000 * took[0].wall:.0f} ms: {told}")
    finally:
        await store.close()


def options_of(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--edges", action="store_true")
    parser.add_argument("--profile", action="store_true")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        asyncio.run(main(options_of(sys.argv[1:]), Path(temporary)))
