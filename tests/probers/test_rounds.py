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
