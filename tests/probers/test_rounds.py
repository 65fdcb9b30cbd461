"""The schedule: a fixed grid, nobody waits for anybody."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from monitor.clock import SystemClock
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.probers.rounds import BURST, LONGEST_TICK, Rounds, tick_of


def probe(id: str, interval: float) -> Probe:
    """A probe that nobody needs to ask for real."""
    return Probe("catalog", id, "http", timedelta(seconds=interval), timedelta(seconds=interval))


def seen(probe: Probe, at: datetime) -> Observation:
    """What a run of it hands in."""
    return Observation(at, probe.module, probe.id, "here", at, 0.0)


class Walk:
    """Rounds over probes whose runs take as long as told; keeps when each began and ended up late."""

    def __init__(self, takes: dict[str, float]) -> None:
        self.clock = SystemClock()
        self.takes = takes
        self.begun: list[tuple[str, float, bool]] = []
        self.handed_in: list[Observation] = []
        self.late: list[float] = []
        self.skipped: list[tuple[str, str]] = []
        self.rounds = Rounds(
            self.look, self.handed_in.append, self.clock, delayed=self.late.append, skipped=self.skipped.append
        )

    async def look(self, probe: Probe, scheduled_at: datetime, extra: bool) -> Observation:
        self.begun.append((probe.id, self.clock.monotonic(), extra))
        await asyncio.sleep(self.takes.get(probe.id, 0.0))
        return seen(probe, scheduled_at)

    async def go(self, seconds: float, *probes: Probe) -> "Walk":
        self.rounds.plan({p.key: p for p in probes})
        return await self.go_on(seconds)

    async def go_on(self, seconds: float) -> "Walk":
        task = asyncio.create_task(self.rounds.walk())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self

    def starts(self, id: str) -> list[float]:
        return [at for name, at, _ in self.begun if name == id]


async def test_a_hanging_target_never_delays_another() -> None:
    """One probe hangs for ever, the other keeps its beat, and the hanging one is not piled up."""
    walk = await Walk({"hangs": 60.0}).go(1.3, probe("hangs", 0.1), probe("quick", 0.1))
    assert len(walk.starts("hangs")) == 1
    assert len(walk.starts("quick")) >= 9
    assert len(walk.skipped) >= 8
    assert max(walk.late) < 0.08


async def test_the_grid_does_not_drift() -> None:
    """However long a run takes, the next one begins on the grid."""
    walk = await Walk({"slow": 0.06}).go(1.5, probe("slow", 0.1))
    starts = walk.starts("slow")[1:]
    for at in starts:
        offset = (at - starts[0]) / 0.1
        assert abs(offset - round(offset)) < 0.4, offset


async def test_probes_are_spread_over_their_interval() -> None:
    """Forty probes of one second do not all knock in the same tenth of it."""
    walk = await Walk({}).go(1.1, *(probe(f"p{i}", 1.0) for i in range(40)))
    first = {name: at for name, at, _ in reversed(walk.begun)}
    tenths = {int((at - min(first.values())) * 10) for at in first.values()}
    assert len(tenths) >= 6


async def test_an_extra_run_comes_when_asked_and_is_marked() -> None:
    """A re-probe runs besides the grid."""
    walk = Walk({})
    walk.rounds.plan({("catalog", "rare"): probe("rare", 3600)})
    walk.rounds.ask(("catalog", "rare"), 0.1)
    walk.rounds.ask(("catalog", "unknown"), 0.1)
    await walk.go_on(0.4)
    assert [extra for _, _, extra in walk.begun].count(True) == 1


async def test_a_new_plan_keeps_the_beat_of_what_stays() -> None:
    """After a reload a probe that stayed runs no more often than before, one that left never again."""
    walk = Walk({})
    walk.rounds.plan({p.key: p for p in (probe("stays", 0.2), probe("leaves", 0.2))})
    await walk.go_on(0.5)
    for _ in range(20):
        walk.rounds.plan({("catalog", "stays"): probe("stays", 0.2)})
    before = len(walk.starts("stays"))
    left = len(walk.starts("leaves"))
    await walk.go_on(1.05)
    assert 4 <= len(walk.starts("stays")) - before <= 7
    assert len(walk.starts("leaves")) == left


async def test_a_stop_is_never_lost() -> None:
    """Told to stop at the very moment a re-probe is asked for, the rounds stop."""
    walk = Walk({})
    walk.rounds.plan({("catalog", "rare"): probe("rare", 3600)})
    for _ in range(50):
        task = asyncio.create_task(walk.rounds.walk())
        await asyncio.sleep(0.001)
        walk.rounds.ask(("catalog", "rare"), 60)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=1)
        assert done


async def test_a_run_past_the_soft_limit_is_told_while_it_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only where another place could be asked; a quick one never."""
    monkeypatch.setattr("monitor.probers.rounds.SOFT_LIMIT", 0.05)
    walk = Walk({"slow": 0.3, "alone": 0.3})
    both = {name: replace(probe(name, 5.0), locations=("here", "there")) for name in ("slow", "quick")}
    told: list[tuple[str, str]] = []
    walk.rounds = Rounds(walk.look, walk.handed_in.append, walk.clock, lagging=told.append)
    walk.rounds.plan({p.key: p for p in (*both.values(), probe("alone", 5.0))})
    for name in ("slow", "quick", "alone"):
        walk.rounds.ask(("catalog", name), 0.0)
    await walk.go_on(0.2)
    assert told == [("catalog", "slow")]


async def test_a_probe_that_is_held_is_left_alone() -> None:
    """Scheduled and extra runs alike, until the time is over; others go on."""
    walk = Walk({})
    walk.rounds.plan({p.key: p for p in (probe("held", 0.1), probe("free", 0.1))})
    walk.rounds.hold(("catalog", "held"), 0.35)
    walk.rounds.ask(("catalog", "held"), 0.0)
    await walk.go_on(0.3)
    assert (walk.starts("held"), len(walk.starts("free")) >= 2) == ([], True)
    await walk.go_on(0.3)
    assert walk.starts("held")


class Leaping(SystemClock):
    """A clock that a test moves on: as it looks to a process that was stopped."""

    ahead = 0.0

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


async def leapt(walk: Walk, *probes: Probe, seconds: float = 300.0) -> None:
    """They are asked for a while, then nothing happens for so long, then they are asked for another second."""
    clock = walk.clock = Leaping()
    walk.rounds = Rounds(walk.look, walk.handed_in.append, clock)
    for _ in range(2):  # known from the second time on: their first runs are over
        walk.rounds.plan({one.key: one for one in probes})
    task = asyncio.create_task(walk.rounds.walk())
    await asyncio.sleep(0.2)
    walk.begun.clear()
    clock.ahead += seconds
    walk.rounds._changed.set()
    await asyncio.sleep(1.0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_due_meanwhile_is_asked_once_and_spread() -> None:
    """Two hundred probes of a second after five minutes: one run of each in the next second, never all at once."""
    walk = Walk({})
    await leapt(walk, *(probe(f"p{number}", 1.0) for number in range(200)))
    counts = [len(walk.starts(f"p{number}")) for number in range(200)]
    assert max(counts) <= 2
    assert sum(counts) <= 240
    moments = sorted(at for _, at, _ in walk.begun)
    tenths = [sum(1 for at in moments if begin <= at < begin + 0.1) for begin in moments]
    assert max(tenths) <= 60


async def test_a_rare_probe_that_was_missed_is_asked_within_a_minute() -> None:
    """Not a whole interval later; one that was not due stays where it was."""
    walk = Walk({})
    rare = [probe(f"r{number}", 3600.0) for number in range(40)]
    await leapt(walk, *rare, seconds=5000.0)
    now = walk.clock.monotonic()
    heap = walk.rounds._heap
    soon = [due for due in heap if due.at < now + 60]
    assert len(soon) + len(walk.begun) >= 40
    assert len(walk.begun) <= 5


async def test_a_process_that_stands_still_again_and_again_asks_everybody_all_the_same() -> None:
    """What was put off once is not put off again."""
    walk = Walk({})
    clock = walk.clock = Leaping()
    walk.rounds = Rounds(walk.look, walk.handed_in.append, clock)
    probes = [probe(f"p{number}", 5.0) for number in range(50)]
    for _ in range(2):
        walk.rounds.plan({one.key: one for one in probes})
    task = asyncio.create_task(walk.rounds.walk())
    for _ in range(8):
        clock.ahead += 4.0
        walk.rounds._changed.set()
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert {name for name, _, _ in walk.begun} == {one.id for one in probes}


@pytest.mark.slow
async def test_without_a_seat_everybody_waits_and_is_asked_in_turn() -> None:
    """Twelve probes, three seats, runs longer than that allows: each is asked, about as often as the others, and the
    points of their grids that they waited through are told."""
    walk = Walk({f"p{number}": 0.1 for number in range(12)})
    left: dict[tuple[str, str], int] = {}
    walk.rounds = Rounds(
        walk.look, walk.handed_in.append, walk.clock, delayed=walk.late.append,
        left_out=lambda key, points: left.update({key: left.get(key, 0) + points}),
    )  # fmt: skip
    walk.rounds.seats.most = walk.rounds.seats.allowed = 3
    await walk.go(2.5, *(probe(f"p{number}", 0.1) for number in range(12)))
    counts = [len(walk.starts(f"p{number}")) for number in range(12)]
    assert min(counts) >= 2
    assert max(counts) - min(counts) <= 2
    assert sum(counts) <= 3 * 25 + 3
    assert len(left) == 12
    assert max(walk.late) > 0.2
    assert walk.rounds.seats.taken == 0


async def test_a_first_run_is_never_put_off() -> None:
    """Whoever starts on a slow machine still has a first word of every probe within seconds."""
    walk = Walk({})
    clock = walk.clock = Leaping()
    walk.rounds = Rounds(walk.look, walk.handed_in.append, clock)
    walk.rounds.plan({one.key: one for one in (probe(f"p{number}", 30.0) for number in range(20))})
    task = asyncio.create_task(walk.rounds.walk())
    await asyncio.sleep(0.01)
    clock.ahead += 5.0
    walk.rounds._changed.set()
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len({name for name, _, _ in walk.begun}) == 20


async def test_plan_after_plan_skips_no_run_and_puts_off_no_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is due, or soon to be, stays due through reloads; on its grid it would come an hour later."""
    monkeypatch.setattr("monitor.probers.rounds.FIRST_ROUND", 0.5)
    walk = Walk({})
    probes = {one.key: one for one in (probe("often", 0.2), probe("rare", 3600.0))}
    task = asyncio.create_task(walk.rounds.walk())
    for _ in range(30):
        walk.rounds.plan(probes)
        await asyncio.sleep(0.045)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(walk.starts("rare")) == 1
    assert len(walk.starts("often")) >= 4


@pytest.mark.parametrize(("count", "interval"), [(150, 5), (1000, 5), (1000, 30), (10_000, 30), (10_000, 5)])
def test_many_probes_begin_in_small_bursts(count: int, interval: int) -> None:
    """As many together as one wake is worth, never more, and none moves by more than a twentieth of a second."""
    tick = tick_of([probe(str(number), interval) for number in range(count)])

    assert 0 < tick <= LONGEST_TICK
    assert tick * count / interval <= BURST + 1e-9


def test_few_probes_begin_each_in_its_own_moment() -> None:
    """There is nobody to begin with."""
    assert tick_of([probe("a", 5), probe("b", 30)]) == 0
    assert tick_of([]) == 0


@pytest.mark.slow
async def test_what_is_due_in_one_tick_begins_in_one_wake() -> None:
    """Ninety runs a second on grids of their own fall on the same few moments."""
    walk = Walk({})
    probes = [probe(str(number), 1.0) for number in range(90)]
    walk.rounds.plan({one.key: one for one in probes})
    walk.begun.clear()
    await walk.go_on(2.2)
    tick = tick_of(probes)

    second = [at for one in probes for at in walk.starts(one.id)[1:2]]
    assert len(second) > 45
    assert len({int(at / tick) for at in second}) <= 1.3 / tick
