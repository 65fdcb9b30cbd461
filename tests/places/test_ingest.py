"""What agents bring: each of it once, in order, at the desk; acknowledged when it is on disk."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import backlog as backlog_file
from monitor.core.effect import Keep, Lagging, Marked, Missed, Storable
from monitor.core.history import board_from
from monitor.core.module import Status
from monitor.desk import Desk
from monitor.hands import Watcher
from monitor.places import ingest
from monitor.places.ingest import ROOM, Ingest
from monitor.places.wire import Acknowledged, Batch, Doubt, Item
from monitor.store import TROUBLES, StoreFailed
from monitor.store.memory import MemoryStore
from tests.depth import examples
from tests.fakes import FakeClock
from tests.stories.beats import START, module, observation, platform


class Shelf(MemoryStore):
    """The store in memory, which refuses while told to and counts its transactions."""

    refuses = False
    transactions = 0

    async def commit(self, effects: Sequence[Storable]) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise StoreFailed("disk full")
        self.transactions += 1
        await super().commit(effects)

    async def kept(self) -> list[datetime]:
        """When the runs that are stored were scheduled, in order."""
        found = await self.observations("a", since=START, until=START + timedelta(days=1), limit=100_000)
        return sorted(one.scheduled_at for one, _ in found)


class Idle(Watcher):
    """Hands that do nothing."""

    def ask(self, ask: object) -> None: ...

    def hold(self, hold: object) -> None: ...

    def ask_canaries(self, ask: object) -> None: ...


@dataclass
class Core:
    """A desk over one module that is seen from `sao` only, and what its agent was told."""

    store: Shelf = field(default_factory=Shelf)
    clock: FakeClock = field(default_factory=FakeClock)
    told: list[Acknowledged] = field(default_factory=list)
    seen: int = 0

    async def begin(self) -> "Core":
        """Begins, or begins again with what is stored."""
        world = platform(module("a", places=("sao",)), locations={"sao": "one"})
        memory = await self.store.recall(START)
        self.desk = Desk(board_from(world, memory), self.store, Idle(), self.clock, troubles=TROUBLES)
        self.ingest = Ingest(self.desk, self.clock, memory.marks, self._acknowledge, self._seen)
        return self

    async def _acknowledge(self, location: str, through: Acknowledged) -> None:
        assert location == "sao"
        self.told.append(through)

    def _seen(self, one: object) -> None:
        self.seen += 1

    async def bring(self, *batches: Batch) -> list[bool]:
        """Takes batches one after the other and has them stored and acknowledged."""
        found = []
        for batch in batches:
            self.clock.at = max([self.clock.at, *(one.ended_at for one in batch.items if hasattr(one, "ended_at"))])
            found.append(taken := await self.ingest.take("sao", batch))
            if taken:
                settling = asyncio.create_task(self.ingest.settle("sao", batch))
                await asyncio.sleep(0)
                await self.desk.flush()
                await settling
        return found


def run(number: int, outcome: str = "+") -> Item:
    """The how many-th run of the module."""
    return observation("a", START + timedelta(seconds=30 * number), outcome, "sao")


def batch(first: int, last: int, *, kept: int | None = None, epoch: str = "e1", outcome: str = "+") -> Batch:
    """These runs, each numbered as it is."""
    items = tuple(run(number, outcome) for number in range(first, last + 1))
    return Batch("box-1", epoch, first, first if kept is None else kept, START, items)


async def test_a_batch_is_judged_stored_and_then_acknowledged() -> None:
    """In this order; and whoever follows reads along."""
    core = await Core().begin()
    core.clock.at += timedelta(seconds=91)
    assert await core.ingest.take("sao", batch(1, 3))
    assert core.told == []
    assert core.desk.board.status("a") is Status.UP
    assert await core.bring(batch(1, 3)) == [True]
    assert core.told == [Acknowledged("box-1", "e1", 3)]
    assert len(await core.store.kept()) == 3
    assert (await core.store.recall(START)).marks == {("sao", "box-1", "e1"): 3}
    assert core.seen == 3


async def test_the_mark_is_stored_with_the_last_run_or_not_at_all() -> None:
    """Whatever portion of the backlog a transaction takes."""
    core = await Core().begin()
    await core.ingest.take("sao", batch(1, 3))
    *_, last = core.desk.backlog.portion()
    assert isinstance(last, Marked)
    assert last.through == 3
    marked = [step for step in core.desk.backlog._under_way if any(isinstance(one, Marked) for one in step.effects)]
    assert [type(one) for step in marked for one in step.effects if not isinstance(one, Marked)].count(Keep) == 1


async def test_what_comes_again_is_acknowledged_and_not_taken() -> None:
    """Whole batches, and the part of one that is known; also after a restart, and from two outboxes at a time."""
    core = await Core().begin()
    await core.bring(batch(1, 4), batch(1, 4), batch(3, 6), batch(1, 2, epoch="e2"))
    assert [one.through for one in core.told] == [4, 4, 6, 2]
    again = await Core(core.store, core.clock).begin()
    await again.bring(batch(1, 6), batch(5, 8))
    assert [one.through for one in again.told] == [6, 8]
    assert again.ingest.items["sao"] == 2
    assert len(await core.store.kept()) == 8


async def test_a_batch_whose_predecessor_is_missing_waits_for_it() -> None:
    """Else the one that was lost in a queue would count as stored."""
    core = await Core().begin()
    assert await core.bring(batch(1, 2), batch(5, 6, kept=3), batch(3, 4), batch(5, 6)) == [True, False, True, True]
    assert len(await core.store.kept()) == 6


async def test_what_the_agent_has_no_more_is_not_waited_for() -> None:
    """A core with an empty store goes on with the first that its agent still holds."""
    core = await Core().begin()
    assert await core.bring(batch(501, 502, kept=501), batch(503, 504, kept=501)) == [True, True]
    assert core.told[-1].through == 504


async def test_nothing_is_acknowledged_while_the_store_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judging goes on; once the store takes it the agent is told, and nothing was given up meanwhile."""
    monkeypatch.setattr(ingest, "AGAIN", 0.05)
    core = await Core().begin()
    core.clock.at += timedelta(seconds=91)
    core.store.refuses = True
    await core.ingest.take("sao", batch(1, 3))
    writing = asyncio.create_task(core.desk.write())
    settling = asyncio.create_task(core.ingest.settle("sao", batch(1, 3)))
    await asyncio.sleep(0.7)
    assert core.desk.board.status("a") is Status.UP
    assert core.told == []
    core.store.refuses = False
    async with asyncio.timeout(5):
        await settling
    writing.cancel()
    assert core.told == [Acknowledged("box-1", "e1", 3)]
    assert len(await core.store.kept()) == 3


async def test_a_backlog_that_is_thinned_keeps_what_agents_brought(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its mark says that it is stored."""
    monkeypatch.setattr(backlog_file, "STEPS", 5)
    core = await Core().begin()
    await core.ingest.take("sao", batch(1, 40))
    await core.desk.flush()
    assert len(await core.store.kept()) == 40
    assert core.desk.backlog.shed == 0


async def test_what_comes_while_much_waits_for_the_store_waits_as_well() -> None:
    """It is safe where it is; here it would only need memory."""
    core = await Core().begin()
    for _ in range(ROOM + 1):
        core.desk.receive(None, [Marked("x", "x", "x", 1, START)])
    taking = asyncio.create_task(core.ingest.take("sao", batch(1, 3)))
    await asyncio.sleep(0.3)
    assert not taking.done()
    await core.desk.flush()
    async with asyncio.timeout(2):
        assert await taking


async def test_a_step_that_fails_does_not_come_again_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    """It is our bug, told in the log; the rest is taken, and how far it goes is stored."""
    core = await Core().begin()
    core.desk.board = replace(core.desk.board, platform=None)  # type: ignore[arg-type]
    assert await core.bring(batch(1, 2)) == [True]
    assert "step failed on Observed" in caplog.text
    assert core.told == [Acknowledged("box-1", "e1", 2)]


async def test_a_clock_that_was_set_elsewhere_moves_nothing_here() -> None:
    """That its agent could not look is kept as a gap; an old doubt is none any more."""
    core = await Core().begin()
    await core.bring(batch(1, 3))
    since = core.desk.board.modules["a"].since
    missed = Missed("sao", START, START + timedelta(seconds=60), "self.clock", timedelta(hours=5))
    doubt = Doubt(Lagging("a", "ask", "sao"), START)
    await core.bring(Batch("box-1", "e1", 4, 4, START, (missed, doubt)))
    assert core.desk.board.modules["a"].since == since
    assert [gap.code for gap in (await core.store.history(START, core.clock.at)).gaps] == ["self.clock"]
    assert core.told[-1].through == 5


async def test_an_hour_that_comes_late_is_all_there_and_raised_no_ghost() -> None:
    """Failures of a time that is over are stored and change nothing."""
    core = await Core().begin()
    await core.bring(batch(1, 4))
    core.clock.at += timedelta(hours=2)
    await core.bring(*(batch(first, first + 9, outcome="-") for first in range(5, 125, 10)))
    assert len(await core.store.kept()) == 124
    assert core.desk.board.incidents == {}
    assert core.desk.board.status("a") is Status.UP


@pytest.mark.property
@settings(max_examples=examples(40), deadline=None)
@given(st.data())
def test_whatever_is_lost_or_said_twice_every_run_is_kept_once(data: st.DataObject) -> None:
    """An agent sends on until it is told that all is stored: batches may be cut anew, repeated, lost, mixed up, and the
    core may end at any moment. In the end each run is there once, and nothing was acknowledged that is not."""
    asyncio.run(_tried(data))


async def _tried(data: st.DataObject) -> None:
    total, core = 20, await Core().begin()
    through = 0
    for _ in range(60):
        first = data.draw(st.integers(through + 1, total))
        last = data.draw(st.integers(first, total))
        one = batch(first, last, kept=through + 1)
        what = data.draw(st.sampled_from(["arrives", "lost", "cut off", "unheard"]))
        if what == "lost":
            continue
        if what == "cut off":  # taken, but the process ends before anything is stored
            await core.ingest.take("sao", one)
            core = await Core(core.store, core.clock, core.told).begin()
            continue
        await core.bring(one)
        stored = (await core.store.recall(START)).marks.get(("sao", "box-1", "e1"), 0)
        assert len(await core.store.kept()) == stored
        assert all(told.through <= stored for told in core.told)
        if what == "arrives" and core.told:
            through = max(through, core.told[-1].through)
            if through == total:
                break
    await core.bring(batch(through + 1, total, kept=through + 1) if through < total else batch(1, total))
    assert await core.store.kept() == [run(number).scheduled_at for number in range(1, total + 1)]  # type: ignore[union-attr]


async def test_what_another_agent_of_the_place_has_brought_is_not_taken_again() -> None:
    """Its number is, so that it is acknowledged; what the other one did not see is taken."""
    core = await Core().begin()
    await core.bring(batch(1, 2), replace(batch(3, 3), agent="box-2", first=1, kept=1))
    await core.bring(replace(batch(4, 6), first=3, kept=3))
    assert await core.bring(replace(batch(4, 8), agent="box-2", first=2, kept=2)) == [True]
    assert core.told[-1] == Acknowledged("box-2", "e1", 6)
    assert core.ingest.repeated["sao"] == 3
    kept = [(at - START) // timedelta(seconds=30) for at in await core.store.kept()]
    assert kept == [1, 2, 3, 4, 5, 6, 7, 8]
