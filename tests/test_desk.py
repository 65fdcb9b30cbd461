"""The desk: one consumer, effects written in order, judging that goes on while the store refuses."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitor import backlog as backlog_file
from monitor.clock import SystemClock
from monitor.core.board import Board
from monitor.core.effect import Answered, Deed, Keep, Moved, Observed, Said, Saved, Storable, Ticked
from monitor.desk import Desk
from monitor.hands import Watcher
from monitor.store.memory import MemoryStore
from tests.fakes import FakeClock
from tests.stories.beats import START, module, observation, platform


class Refused(Exception):
    """The store's way of saying not now."""


@dataclass
class RecordingStore:
    """A store that keeps its transactions in a list, and refuses while told to."""

    refuses: bool = False
    transactions: list[list[Storable]] = field(default_factory=list)

    async def commit(self, effects: Sequence[Storable]) -> None:
        await asyncio.sleep(0)
        if self.refuses:
            raise Refused("disk full")
        self.transactions.append(list(effects))

    @property
    def stored(self) -> list[Storable]:
        return [effect for transaction in self.transactions for effect in transaction]


@dataclass
class RecordingHands(Watcher):
    """Hands that only remember what they were asked."""

    asked: list[Any] = field(default_factory=list)
    news: list[bool] = field(default_factory=list)

    def ask(self, ask: Any) -> None:
        self.asked.append(ask)

    def ask_canaries(self, ask: Any) -> None:
        self.asked.append(ask)

    def hold(self, hold: Any) -> None:
        self.asked.append(hold)

    def judged(self, board: Board, keep: Keep) -> None:
        pass

    def written(self, news: bool, seconds: float) -> None:
        self.news.append(news)


CLOCK = FakeClock()


def at_work(store: RecordingStore) -> tuple[Desk, RecordingHands]:
    """A desk over one module."""
    hands = RecordingHands()
    CLOCK.at = START
    return Desk(Board(platform(module("catalog"))), store, hands, CLOCK, watcher=hands, troubles=Refused), hands


def outage(desk: Desk) -> None:
    """Two good runs, then a minute and a half of failures."""
    for beat, outcome in enumerate("++----------"):
        CLOCK.at = START + timedelta(seconds=10 * beat)
        desk.take(Observed(observation("catalog", CLOCK.at, outcome)))


async def test_the_decisions_of_one_step_stand_in_one_transaction() -> None:
    """Transition and incident are stored together, never one without the other."""
    store = RecordingStore()
    desk, hands = at_work(store)
    backlog_file.AT_ONCE, before = 1, backlog_file.AT_ONCE
    try:
        outage(desk)
        await desk.flush()
    finally:
        backlog_file.AT_ONCE = before
    together = [t for t in store.transactions if any(isinstance(e, Saved) for e in t)]
    assert len(together) == 1
    assert any(isinstance(e, Moved) for e in together[0])
    assert True in hands.news


async def test_judging_goes_on_while_the_store_refuses_and_nothing_is_lost() -> None:
    """The incident opens in memory; once the store takes writes again everything is there, in order, once."""
    store = RecordingStore(refuses=True)
    desk, hands = at_work(store)
    writer = asyncio.create_task(desk.write())
    outage(desk)
    await asyncio.sleep(0.05)
    assert desk.store_trouble == "disk full"
    assert len([i for i in desk.board.incidents.values() if i.is_open]) == 1
    assert hands.news == [True], "the page must show it although it is not stored"
    store.refuses = False
    async with asyncio.timeout(5):
        while desk.backlog:  # noqa: ASYNC110 (the writer tells nobody when it is done)
            await asyncio.sleep(0.02)
    writer.cancel()
    kept = [e.observation.at for e in store.stored if isinstance(e, Keep)]
    assert kept == sorted(kept)
    assert len(kept) == 12
    assert desk.store_trouble is None


async def test_a_store_that_is_away_for_long_costs_observations_not_decisions(monkeypatch: Any) -> None:
    """Past the bound the oldest raw observations go, counted; transitions and incidents stay."""
    monkeypatch.setattr(backlog_file, "STEPS", 5)
    store = RecordingStore(refuses=True)
    desk, _ = at_work(store)
    outage(desk)
    writer = asyncio.create_task(desk.write())
    await asyncio.sleep(0.05)
    writer.cancel()
    store.refuses = False
    await desk.flush()
    assert desk.backlog.shed == 7
    assert any(isinstance(e, Saved) for e in store.stored)
    assert any(isinstance(e, Moved) for e in store.stored)


async def test_who_waits_for_the_disk_hears_when_it_is_there() -> None:
    """Not before the transaction is done; at once when nothing waits to be written."""
    store = RecordingStore()
    desk, _ = at_work(store)
    assert await desk.stored()
    desk.take(Observed(observation("catalog", START, "+")))
    waiting = [asyncio.create_task(desk.stored()) for _ in range(3)]
    await asyncio.sleep(0.01)
    assert not any(task.done() for task in waiting)
    await desk.flush()
    assert await asyncio.gather(*waiting) == [True, True, True]
    assert len(store.stored) > 0


async def test_who_waits_for_a_disk_that_refuses_hears_that() -> None:
    """What was decided is kept in memory and written later, which is not the same as stored."""
    store = RecordingStore(refuses=True)
    desk, _ = at_work(store)
    writer = asyncio.create_task(desk.write())
    desk.take(Observed(observation("catalog", START, "+")))
    assert not await desk.stored()
    assert not await desk.stored(), "nor does the next one wait for nothing"
    store.refuses = False
    async with asyncio.timeout(5):
        while not await desk.stored():  # noqa: ASYNC110 (the writer tells nobody when it tries again)
            await asyncio.sleep(0.02)
    writer.cancel()
    assert len(store.stored) > 0


async def test_a_bug_in_one_step_does_not_stop_the_desk(caplog: Any) -> None:
    """An event that breaks a step is logged; the next one is taken as if nothing had been."""
    store = RecordingStore()
    desk, _ = at_work(store)
    sitting = asyncio.create_task(desk.sit())
    desk.hand_in(object())  # type: ignore[arg-type]
    desk.hand_in(Observed(None))  # type: ignore[arg-type]
    desk.hand_in(Observed(observation("catalog", START, "+")))
    await asyncio.sleep(0.02)
    sitting.cancel()
    assert desk.board.status("catalog") == "up"
    assert "step failed" in caplog.text


async def test_whatever_a_store_raises_is_told_and_tried_again() -> None:
    """A failure that nobody foresaw stops no notice: judging goes on from memory, and says so."""
    store = RecordingStore()
    desk, _ = at_work(store)
    fails = [True]
    usual = store.commit

    async def commit(effects: Sequence[Storable]) -> None:
        if fails:
            raise KeyError("not foreseen")
        await usual(effects)

    store.commit = commit  # type: ignore[method-assign]
    outage(desk)
    writer = asyncio.create_task(desk.write())
    async with asyncio.timeout(10):
        while desk.store_trouble is None:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    fails.clear()
    async with asyncio.timeout(10):
        while desk.backlog:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    writer.cancel()
    assert desk.store_trouble is None
    assert store.stored


async def test_a_deed_that_takes_long_keeps_nobody_waiting() -> None:
    """Words are followed meanwhile; the same deed once more waits for the first, and is answered alike."""
    desk = Desk(Board(platform(module("catalog"))), MemoryStore(), RecordingHands(), CLOCK, troubles=Refused)
    writer, going_on, done = asyncio.create_task(desk.write()), asyncio.Event(), list[int]()

    async def deed() -> Answered:
        done.append(1)
        await going_on.wait()
        return Answered("pager", detail={"delivered": True})

    said = Said(Deed("notice.test", "pager"), "token", request="k", digest="d")
    both = [asyncio.create_task(desk.perform(said, deed)) for _ in range(2)]
    async with asyncio.timeout(10):
        answer = await desk.perform(Said(Deed("probe.run", "x"), "token"), quick)
        assert answer.id == "quick"
        going_on.set()
        assert [(one.id, one.detail) for one in await asyncio.gather(*both)] == [("pager", {"delivered": True})] * 2
    writer.cancel()
    assert done == [1]


async def test_a_deed_is_on_disk_when_it_is_answered() -> None:
    """Its line in the audit log is, so that the same request is known after a crash."""
    store = MemoryStore()
    desk = Desk(Board(platform(module("catalog"))), store, RecordingHands(), CLOCK, troubles=Refused)
    writer = asyncio.create_task(desk.write())
    await desk.perform(Said(Deed("probe.run", "catalog"), "token", request="k"), quick)
    assert await store.entry("k") is not None
    writer.cancel()


async def quick() -> Answered:
    return Answered("quick")


async def test_a_long_queue_leaves_the_loop_to_others_in_between() -> None:
    """Two thousand events that come in one moment, of half a millisecond each: nobody else waits for all of them."""
    desk = Desk(Board(platform(module("catalog"))), RecordingStore(), RecordingHands(), SystemClock())
    taken, longest = 0, 0.0

    def take(event: Any, also: Any = ()) -> list[Any]:
        nonlocal taken
        taken += 1
        until = time.thread_time() + 0.0005
        while time.thread_time() < until:
            pass
        return []

    desk.take = take  # type: ignore[method-assign]
    for _ in range(2000):
        desk.hand_in(Ticked())
    sitting = asyncio.create_task(desk.sit())
    while taken < 2000:
        before = time.thread_time()
        await asyncio.sleep(0)
        longest = max(longest, time.thread_time() - before)
    sitting.cancel()
    assert longest < 0.1
