"""The postman: order, leases, retries, a channel that hangs, a store that refuses, and letters that never arrive."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.effect import Happened
from monitor.core.incident import Incident
from monitor.core.intent import Notice
from monitor.core.module import Priority
from monitor.core.outbox import GONE, LAST_TRY, LEASE, Letter, Sending, State, claimed
from monitor.notify.channel import DeliveryFailed, Message
from monitor.postman import Postman
from monitor.store import Claim, StoreFailed
from monitor.store.memory import MemoryStore
from monitor.store.memory_outbox import MemoryOutbox
from tests.fakes import FakeClock
from tests.store.past import NOON, after, incident

ONE, TWO = incident("checkout"), incident("catalog")


@dataclass
class Receiver:
    """A channel that keeps what arrives, and answers as it is told: one plan for each attempt, then well."""

    answers: list[Exception | float | None] = field(default_factory=list)
    came: list[tuple[str, str]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    attempts: int = 0

    async def deliver(self, message: Message) -> str | None:
        self.attempts += 1
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, float):
            await asyncio.sleep(answer)
        if isinstance(answer, Exception):
            raise answer
        self.came.append((str(message.payload["event_id"]), message.event))
        self.payloads.append(dict(message.payload))
        return f"T-{message.payload['dedup_key']}"

    async def close(self) -> None:
        pass


def write(channel: str) -> Callable[..., Message]:
    """A message that says only what was to be sent."""

    def worded(sending: Sending, known: Incident | None, now: object, external: str | None) -> Message:
        letter = sending.letter
        payload = {"event_id": letter.event_id, "dedup_key": letter.incident, "why": letter.why, "known": known}
        return Message(payload, sending.event, "en", "", "", external)

    return worded


def happened(
    one: Incident, seq: int, event: str, *channels: str, at: float | None = None, opens: bool | None = None
) -> Happened:
    """An event of an incident that these channels are told."""
    when = after(seq if at is None else at)
    first = event in ("opened", "reopened") if opens is None else opens
    return Happened(one, seq, event, when, tuple(Notice(when, event, one.id, name, first) for name in channels))


class Moving(FakeClock):
    """Time passes when `at` is moved; `set` puts only the clock on the wall forward, or back."""

    shift = timedelta(0)

    def set(self, by: timedelta) -> None:
        self.shift += by
        self.at += by

    def monotonic(self) -> float:
        return (self.at - self.shift - NOON).total_seconds()


class World:
    """A store, a clock, receivers and a postman between them."""

    def __init__(self, limit: float = 5.0, **receivers: Receiver) -> None:
        self.store = MemoryStore()
        self.clock = Moving()
        self.clock.at = NOON
        self.outbox: MemoryOutbox = self.store.outbox
        self.receivers = receivers
        self.limit = limit
        self.counted: list[tuple[str, str]] = []
        self.begin()

    def begin(self) -> None:
        """The monitor starts, for the first time or again."""
        self.postman = Postman(
            self.outbox,
            self.clock,
            write,
            known={one.id: one for one in (ONE, TWO)}.get,
            counted=lambda channel, outcome: self.counted.append((channel, outcome)),
            random=Random(1),
            limit=lambda channel: timedelta(seconds=self.limit),
        )
        self.postman.use(self.receivers)

    async def tell(self, *events: Happened) -> None:
        """The desk decides and stores."""
        for event in events:
            self.postman.add(event, False)
        await self.store.commit(list(events))
        for event in events:
            self.postman.add(event, True)

    async def work(self, channel: str = "pager") -> None:
        """The worker of a channel, until it finds nothing to do now."""
        while await self.postman._once(channel, self.postman.boxes[channel]):
            pass

    async def states(self, channel: str = "pager") -> list[str]:
        """Of every letter, the oldest first."""
        return [str(one.state) for one in reversed(await self.outbox.letters(channel, limit=500))]


async def test_letters_of_an_incident_arrive_in_order_and_once() -> None:
    """What the service calls the incident goes with the later ones."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(
        *(happened(ONE, seq, event, "pager") for seq, event in enumerate(("opened", "eased", "worsened"), 1))
    )
    await world.work()
    assert pager.came == [(f"{ONE.id}-1", "opened"), (f"{ONE.id}-2", "eased"), (f"{ONE.id}-3", "worsened")]
    assert await world.states() == ["delivered"] * 3
    assert (await world.outbox.letters(limit=1))[0].external == f"T-{ONE.id}"


async def test_a_failure_holds_back_only_its_own_incident() -> None:
    """The next event of it waits, another incident goes on."""
    pager = Receiver([DeliveryFailed("HTTP 503")])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "eased", "pager"))
    await world.tell(happened(TWO, 1, "opened", "pager", at=5))
    await world.work()
    assert [id for id, _ in pager.came] == [f"{TWO.id}-1"]
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{TWO.id}-1", f"{ONE.id}-1", f"{ONE.id}-2"]


async def test_what_may_wake_somebody_leaves_before_what_may_not() -> None:
    """However much of that has piled up before it."""
    pager = Receiver()
    world = World(pager=pager)
    calm = replace(TWO, priority=Priority.NORMAL)
    await world.tell(*(happened(calm, seq, "worsened", "pager", opens=True) for seq in (1, 2, 3)))
    await world.tell(happened(ONE, 1, "opened", "pager", at=30))
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1", *(f"{calm.id}-{seq}" for seq in (1, 2, 3))]


async def test_a_letter_that_cannot_be_handled_stands_in_nobody_s_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Others leave, it is tried again more and more seldom, and in the end it is given up like any other."""
    pager = Receiver()
    world, claim, tries = World(pager=pager), MemoryOutbox.claim, list[int]()

    async def broken(
        self: MemoryOutbox, letter: Letter, token: str, now: Any, folded: Sequence[Letter] = ()
    ) -> Claim | None:
        if letter.incident == ONE.id:
            tries.append(letter.attempts)
            raise KeyError("a document of another version")
        return await claim(self, letter, token, now, folded)

    monkeypatch.setattr(MemoryOutbox, "claim", broken)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
    await world.work()
    assert [id for id, _ in pager.came] == [f"{TWO.id}-1"]
    for _ in range(600):
        world.clock.at += timedelta(seconds=1)
        await world.work()
    assert 5 < len(tries) < 30
    world.clock.at += timedelta(days=4)
    await world.work()
    assert not list(world.postman.boxes["pager"].letters())


async def test_what_is_urgent_of_our_own_goes_to_a_channel_that_took_what_it_was_given_last() -> None:
    """One that has just failed is not yet known to be broken, and is not the one to rely on."""
    pager, chat = Receiver([DeliveryFailed("HTTP 503")]), Receiver()
    world = World(pager=pager, chat=chat)
    assert world.postman.undelivered.other() == "pager"
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    assert world.postman.boxes["pager"].state() == "closed"
    assert world.postman.undelivered.other() == "chat"
    assert world.postman.undelivered.other(["chat"]) == "pager"
    assert world.postman.undelivered.other(["chat", "pager"]) is None


async def test_what_can_never_arrive_is_dead_at_once_and_told_elsewhere() -> None:
    """By a notice of the monitor's own on another channel; the next event goes out all the same."""
    pager, chat = Receiver([DeliveryFailed("HTTP 404", permanent=True)]), Receiver()
    world = World(pager=pager, chat=chat)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "eased", "pager"))
    await world.work()
    await world.work("chat")
    assert await world.states() == ["dead", "delivered"]
    (alarm,) = chat.payloads
    assert (alarm["dedup_key"], alarm["why"]) == ("self:pager", "undelivered 1 HTTP 404")
    assert ("pager", "dead") in world.counted


async def test_the_receiver_says_when_to_come_again() -> None:
    """Its pause is kept."""
    pager = Receiver([DeliveryFailed("HTTP 429", retry_after=timedelta(seconds=120))])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    for seconds in (0, 60, 59):
        world.clock.at += timedelta(seconds=seconds)
        await world.work()
    assert pager.came == []
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert len(pager.came) == 1


async def test_a_breaker_opens_after_five_failures_and_tries_once_a_minute() -> None:
    """Then one that works closes it."""
    pager = Receiver([DeliveryFailed("refused")] * 7)
    world = World(pager=pager)
    for number in range(20):
        await world.tell(happened(incident(f"m{number}"), 1, "opened", "pager"))
    await world.work()
    assert pager.attempts == 5
    await world.work()
    assert pager.attempts == 5
    for attempts in (6, 7):
        world.clock.at += timedelta(seconds=61)
        await world.work()
        assert pager.attempts == attempts
    world.clock.at += timedelta(seconds=61)
    await world.work()
    world.clock.at += timedelta(minutes=6)
    await world.work()
    assert len(pager.came) == 20


async def test_a_channel_that_hangs_delays_no_other() -> None:
    """Its attempt ends with the time limit."""
    pager, chat = Receiver([60.0]), Receiver()
    world = World(limit=0.05, pager=pager, chat=chat)
    async with at_work(world):
        await world.tell(happened(ONE, 1, "opened", "pager", "chat"))
        await until(lambda: len(chat.came) == 1)
        await until(lambda: world.counted.count(("pager", "failed")) == 1)
        assert pager.came == []


async def test_what_waited_for_long_is_told_in_one_message() -> None:
    """What is over by then as something that was, what goes on as what it is now."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "resolved", "pager"))
    await world.tell(happened(TWO, 1, "opened", "pager"), happened(TWO, 2, "reminder", "pager", opens=False))
    world.clock.at += timedelta(minutes=11)
    await world.work()
    assert sorted(pager.came) == sorted([(f"{ONE.id}-2", "summary"), (f"{TWO.id}-2", "opened")])
    assert sorted(await world.states()) == ["collapsed", "collapsed", "delivered", "delivered"]


async def test_what_tells_several_at_once_keeps_its_pause_as_well() -> None:
    """Also when another event joins it meanwhile; the receiver is not asked again before it wants to be."""
    pager = Receiver([DeliveryFailed("HTTP 429", retry_after=timedelta(minutes=4))])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "worsened", "pager"))
    world.clock.at += timedelta(minutes=11)
    await world.work()
    await world.tell(happened(ONE, 3, "eased", "pager", at=660))
    world.clock.at += timedelta(minutes=3)
    await world.work()
    assert pager.attempts == 1
    world.clock.at += timedelta(minutes=2)
    await world.work()
    assert pager.came == [(f"{ONE.id}-3", "opened")]
    assert sorted(await world.states()) == ["collapsed", "collapsed", "delivered"]


async def test_a_day_later_nobody_wants_to_be_paged() -> None:
    """But the end of it is still told, to a channel that heard of the beginning."""
    pager, chat = Receiver(), Receiver()
    world = World(pager=pager, chat=chat)
    await world.tell(happened(ONE, 1, "escalated", "pager", opens=True))
    world.clock.at += timedelta(hours=25)
    await world.tell(happened(ONE, 2, "resolved", "pager", at=25 * 3600))
    await world.work()
    assert await world.states() == ["dead", "delivered"]
    assert pager.came == [(f"{ONE.id}-2", "resolved")]


@pytest.mark.parametrize("restarts", [False, True], ids=["goes on", "restarts"])
async def test_what_is_held_for_days_is_told_when_that_is_over(restarts: bool) -> None:
    """In one message, and not as if nobody wanted to hear of it any more; a channel that fails then is tried again."""
    pager = Receiver([DeliveryFailed("HTTP 503")])
    world = World(pager=pager)
    world.postman._hold = lambda sending, incident: "maintenance:w1"
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "worsened", "pager"))
    for _ in range(5):
        await world.work()
        world.clock.at += timedelta(hours=10)
        if restarts:
            world.begin()
            await begun(world)
            world.postman._hold = lambda sending, incident: "maintenance:w1"
    await world.work()
    assert pager.attempts == 0
    world.postman._hold = lambda sending, incident: None
    world.clock.at += timedelta(seconds=20)
    await world.work()
    world.clock.at += timedelta(seconds=20)
    await world.work()
    assert pager.came == [(f"{ONE.id}-2", "opened")]
    assert sorted(await world.states()) == ["collapsed", "delivered"]


async def test_nobody_is_reminded_of_what_is_over() -> None:
    """The reminder that waits is told with the end."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "reminder", "pager", opens=False), happened(ONE, 2, "resolved", "pager"))
    await world.work()
    assert pager.came == [(f"{ONE.id}-2", "resolved")]


async def test_who_counts_hears_of_what_leaves_from_memory_before_it_does() -> None:
    """And of nothing that the store has, also when it refuses the claim."""
    pager = Receiver()
    world = World(pager=pager)
    heard: list[tuple[str, int]] = []

    async def leaving(letter: Letter) -> None:
        heard.append((letter.event_id, len(pager.came)))

    world.postman._leaving = leaving
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    world.postman.refused("disk full")
    for seq, event in ((2, "worsened"), (3, "eased")):
        world.postman.add(happened(ONE, seq, event, "pager"), False)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-{seq}" for seq in (1, 2, 3)]
    assert heard == [(f"{ONE.id}-2", 1), (f"{ONE.id}-3", 2)]


async def test_while_the_store_refuses_letters_leave_from_memory() -> None:
    """In the same order and under the same ids; what became of them is written down later, nothing sent twice."""
    pager = Receiver()
    world = World(pager=pager)
    events = [happened(ONE, 1, "opened", "pager"), happened(ONE, 2, "eased", "pager")]
    for event in events:
        world.postman.add(event, False)
    await world.work()
    assert pager.came == []  # the store has not said no
    world.postman.refused("disk full")
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1", f"{ONE.id}-2"]
    assert pager.payloads[0]["known"] == ONE
    assert world.postman.store_trouble == "disk full"
    await world.store.commit(events)
    for event in events:
        world.postman.add(event, True)
    await world.postman._unwritten.catch_up()
    assert await world.states() == ["delivered", "delivered"]
    assert world.postman.store_trouble is None
    await world.work()
    assert len(pager.came) == 2


class Refusing(MemoryOutbox):
    """An outbox that refuses to write while told to."""

    refuses = False

    async def claim(self, letter: Letter, token: str, now: Any, folded: Sequence[Letter] = ()) -> Claim | None:
        self._maybe()
        return await super().claim(letter, token, now, folded)

    async def settle(self, letter: Letter, folded: Sequence[Letter], token: str | None) -> bool:
        self._maybe()
        return await super().settle(letter, folded, token)

    def _maybe(self) -> None:
        if self.refuses:
            raise StoreFailed("disk full")


async def test_a_delivery_that_cannot_be_written_down_is_not_made_again() -> None:
    """Not by this monitor; the next one would, since nobody told it."""
    pager = Receiver()
    world = World(pager=pager)
    world.store.outbox = world.outbox = refusing = Refusing()
    world.begin()
    await world.tell(happened(ONE, 1, "opened", "pager"))
    refusing.refuses = True
    await world.work()
    await world.work()
    assert len(pager.came) == 1
    refusing.refuses = False
    await world.postman._unwritten.catch_up()
    assert await world.states() == ["delivered"]


async def test_what_follows_a_delivery_that_is_not_written_down_waits_for_that() -> None:
    """And the delivery is not made again, nor the store asked without a pause."""
    pager = Receiver()
    world = World(pager=pager)
    world.store.outbox = world.outbox = refusing = Refusing()
    world.begin()
    await world.tell(happened(ONE, 1, "opened", "pager"))
    refusing.refuses = True
    await world.work()
    refusing.refuses = False
    await world.tell(happened(ONE, 2, "eased", "pager"))
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1"]
    await world.postman._unwritten.catch_up()
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1", f"{ONE.id}-2"]


def rotten(world: World, seq: int) -> None:
    """A letter whose row cannot be read any more."""
    world.outbox.rows[ONE.id, seq, "pager"]["at"] = "zzz"


@pytest.mark.parametrize("restarts", [True, False])
async def test_a_letter_that_cannot_be_read_is_given_up_and_keeps_no_other(
    caplog: pytest.LogCaptureFixture, restarts: bool
) -> None:
    """Those behind it leave, and those of others; it is told once, in the log and on another channel."""
    caplog.set_level("ERROR", logger="monitor.undelivered")
    pager, chat = Receiver(), Receiver()
    world = World(pager=pager, chat=chat)
    await world.tell(*(happened(ONE, seq, event, "pager") for seq, event in ((1, "opened"), (2, "eased"))))
    await world.tell(happened(TWO, 1, "opened", "pager"))
    rotten(world, 1)
    if restarts:
        world.begin()
        await world.outbox.begin()
    for _ in range(3):
        await world.postman.refresh()
        world.clock.at += timedelta(seconds=2)
        await world.work()
    await world.work("chat")
    assert sorted(id for id, _ in pager.came) == sorted([f"{TWO.id}-1", f"{ONE.id}-2"])
    assert sorted(await world.states()) == ["dead", "delivered", "delivered"]
    assert [one["why"] for one in chat.payloads] == [
        "undelivered 1 its row in the database cannot be read (at is 'zzz'); "
        "`monitor db check` shows what else is damaged"
    ]
    (line,) = (one.getMessage() for one in caplog.records)
    assert line.startswith(f"channel pager: notice {ONE.id}-1 is given up: its row in the database cannot be read")
    assert world.postman.store_trouble is None
    assert world.counted.count(("pager", "dead")) == 1
    (lost,) = await world.outbox.letters("pager", "dead", limit=9)
    assert lost.at == NOON  # when it was found, since its row did not tell
    assert await world.postman.again(lost)
    await world.work()
    assert pager.came[-1] == (f"{ONE.id}-1", "opened")


async def test_a_row_that_changes_after_its_letter_was_taken_in_stands_in_nobody_s_way() -> None:
    """Whoever carries it, or one behind it, finds that out at the claim; nothing is a bug of ours."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    rotten(world, 1)
    await world.work()
    assert pager.came == []
    await world.tell(happened(ONE, 2, "eased", "pager"))
    await world.work()
    await world.postman.refresh()
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-2"]
    assert sorted(await world.states()) == ["dead", "delivered"]


async def test_a_letter_in_no_state_that_there_is_is_given_up_at_the_start() -> None:
    """Nobody knows whether it was sent."""
    world = World(pager=Receiver())
    await world.tell(happened(ONE, 1, "opened", "pager"))
    world.outbox.rows[ONE.id, 1, "pager"]["state"] = "pendinf"
    world.begin()
    async with at_work(world):
        await until(lambda: ("pager", "dead") in world.counted)
    assert await world.states() == ["dead"]


async def test_what_cannot_be_read_nor_found_again_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """Of whose incident bytes are left that are no text: its row stays as it is."""
    caplog.set_level("ERROR", logger="monitor.undelivered")
    world = World(pager=Receiver())
    await world.tell(happened(ONE, 1, "opened", "pager"))
    world.outbox.rows[ONE.id, 1, "pager"]["incident"] = b"\xff"
    world.begin()
    await world.postman.refresh()
    await world.postman.refresh()
    (line,) = (one.getMessage() for one in caplog.records)
    assert line.startswith("channel pager: notice unknown-1 is given up")


async def test_what_another_monitor_carries_is_left_to_it() -> None:
    """Until its claim ends."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    (letter,) = await world.outbox.waiting()
    theirs = replace(letter, state=State.SENDING, attempts=1, claimed_until=world.clock.at + LEASE)
    assert await world.outbox.claim(theirs, "theirs", world.clock.at) is not None
    await world.work()
    assert pager.came == []
    world.clock.at += LEASE + timedelta(seconds=1)
    await world.work()
    assert len(pager.came) == 1


async def look(world: World) -> None:
    """The postman looks at what the store holds."""
    await world.postman.refresh()
    await world.postman.undelivered.look()


@pytest.mark.parametrize("restarts", [False, True], ids=["reload", "restart"])
async def test_letters_wait_an_hour_for_a_channel_that_is_gone(restarts: bool) -> None:
    """They are seen to wait; then they are dead, and another channel hears of it, once for all of them."""
    pager, chat = Receiver(), Receiver()
    world = World(pager=pager, chat=chat)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
    world.receivers = {"chat": chat}
    for minutes in (0, 30, 29):
        world.clock.at += timedelta(minutes=minutes)
        if restarts:
            world.begin()
        world.postman.use(world.receivers)
        await look(world)
        assert {(one.state, one.last_error) for one in await world.outbox.letters(limit=9)} == {("pending", GONE)}
        assert world.postman.pending()["pager"][0] == 2
    await world.work("chat")
    assert chat.came == []
    world.clock.at += timedelta(minutes=2)
    await look(world)
    assert await world.states() == ["dead", "dead"]
    assert "pager" not in world.postman.pending()
    await world.work("chat")
    (alarm,) = chat.payloads
    assert alarm["why"] == f"undelivered 2 {GONE}"


@pytest.mark.parametrize("restarts", [False, True], ids=["reload", "restart"])
async def test_a_channel_that_comes_back_gets_what_waited(restarts: bool) -> None:
    """At once, in order, under the same ids, and what happened meanwhile as well."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    world.postman.use({})
    await look(world)
    world.clock.at += timedelta(minutes=5)
    await world.tell(happened(ONE, 2, "eased", "pager"))
    await look(world)
    if restarts:
        world.begin()
        await begun(world)
    else:
        world.postman.use(world.receivers)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1", f"{ONE.id}-2"]
    assert await world.states() == ["delivered"] * 2


async def test_a_channel_that_was_mended_is_tried_at_once() -> None:
    """Whatever pause the one before had come to."""
    world = World(pager=Receiver([DeliveryFailed("HTTP 500", retry_after=timedelta(minutes=30))]))
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    mended = Receiver()
    world.postman.use({"pager": mended})
    await world.work()
    assert len(mended.came) == 1


async def test_an_alarm_that_does_not_arrive_goes_to_the_next_channel() -> None:
    """Until one takes it, and to none twice."""
    never = DeliveryFailed("HTTP 404", permanent=True)
    pager, chat, mail = Receiver([never]), Receiver([never]), Receiver()
    world = World(pager=pager, chat=chat, mail=mail)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    for channel in ("pager", "chat", "mail", "pager"):
        await world.work(channel)
    assert [alarm["dedup_key"] for alarm in mail.payloads] == ["self:pager"]
    assert pager.came == chat.came == []


# -- clocks that are set -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_is_set_strands_no_letter_and_ends_none(days: int) -> None:
    """A pause lasts as long as it was meant to, a breaker opens for a minute, and nothing grows old overnight."""
    pager = Receiver([DeliveryFailed("HTTP 503")] * 6)
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    assert pager.attempts == 1
    world.clock.set(timedelta(days=days))
    await world.work()
    assert pager.attempts == 1
    for attempts in (2, 3, 4, 5):
        world.clock.at += timedelta(seconds=30)
        await world.work()
        assert pager.attempts == attempts
    world.clock.set(timedelta(days=-days))
    world.clock.at += timedelta(seconds=59)
    await world.work()
    assert pager.attempts == 5
    world.clock.at += timedelta(seconds=120)
    await world.work()
    world.clock.at += timedelta(seconds=120)
    await world.work()
    assert pager.came == [(f"{ONE.id}-1", "opened")]


async def test_what_a_clock_that_was_ahead_wrote_down_is_sent_after_a_restart() -> None:
    """The pause is counted from when it was decided."""
    pager = Receiver([DeliveryFailed("HTTP 429", retry_after=timedelta(minutes=2))])
    world = World(pager=pager)
    world.clock.set(timedelta(days=3))
    await world.tell(happened(ONE, 1, "opened", "pager", at=3 * 86400))
    await world.work()
    world.clock.set(timedelta(days=-3))
    world.begin()
    await begun(world)
    world.clock.at += timedelta(seconds=119)
    await world.work()
    assert pager.came == []
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert len(pager.came) == 1


async def test_a_claim_made_in_a_future_that_was_taken_back_holds_no_longer_than_any_other() -> None:
    """Whoever made it may be gone."""
    pager = Receiver()
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    (letter,) = await world.outbox.waiting()
    ahead = world.clock.at + timedelta(days=1)
    assert await world.outbox.claim(claimed(letter, ahead), "theirs", world.clock.at) is not None
    world.begin()
    await world.postman.refresh()
    await world.work()
    assert pager.came == []
    world.clock.at += LEASE + timedelta(seconds=1)
    await world.work()
    assert len(pager.came) == 1


async def test_a_receiver_that_asks_for_a_day_gets_it_unless_nobody_wants_to_hear_then() -> None:
    """The last try is a minute before that."""
    calm, pages = (DeliveryFailed("HTTP 429", retry_after=timedelta(hours=hours)) for hours in (30, 30))
    pager, mail = Receiver([pages]), Receiver([calm])
    world = World(pager=pager, mail=mail)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "resolved", "mail"))
    await world.work()
    await world.work("mail")
    pause = {one.incident: one.next_at - one.at for one in await world.outbox.letters(limit=9) if one.next_at}
    assert pause[ONE.id] == timedelta(hours=24) - LAST_TRY
    assert timedelta(hours=29, minutes=59) < pause[TWO.id] <= timedelta(hours=30)
    world.clock.at = NOON + timedelta(hours=24, seconds=-30)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1"]


# -- leaving -----------------------------------------------------------------------------------------------------------


async def test_who_leaves_gives_back_what_it_was_sending() -> None:
    """The next one sends it at once, under the same id; nobody waits for a claim to end."""
    pager = Receiver([60.0])
    world = World(limit=60, pager=pager)
    async with at_work(world):
        await world.tell(happened(ONE, 1, "opened", "pager"))
        await until(lambda: pager.attempts == 1)
    (letter,) = await world.outbox.waiting()
    assert (letter.state, letter.claimed_until, letter.attempts) == (State.PENDING, None, 1)
    world.begin()
    await world.postman.refresh()  # and not `begin`: another machine may have taken over
    await world.work()
    assert pager.came == [(f"{ONE.id}-1", "opened")]


async def test_who_leaves_waits_a_moment_for_what_is_being_sent() -> None:
    """It is written down, and not sent again."""
    pager = Receiver([0.2])
    world = World(limit=60, pager=pager)
    async with at_work(world):
        await world.tell(happened(ONE, 1, "opened", "pager"))
        await until(lambda: pager.attempts == 1)
    assert await world.states() == ["delivered"]
    assert pager.came == [(f"{ONE.id}-1", "opened")]


async def test_what_a_channel_takes_while_it_is_changed_waits_no_more() -> None:
    """Neither in the box of the new one."""
    slow = Receiver([0.2])
    world = World(limit=60, pager=slow)
    async with at_work(world):
        await world.tell(happened(ONE, 1, "opened", "pager"))
        await until(lambda: slow.attempts == 1)
        world.postman.use({"pager": Receiver()})
        await until(lambda: len(slow.came) == 1)
        await until(lambda: world.postman.pending() == {"pager": (0, 0.0)})
    assert await world.states() == ["delivered"]


async def test_a_channel_that_changes_while_it_hangs_goes_on_at_once() -> None:
    """With the letter that hung."""
    slow, fast = Receiver([60.0]), Receiver()
    world = World(limit=60, pager=slow)
    async with at_work(world):
        await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
        await until(lambda: slow.attempts == 1)
        world.postman.use({"pager": fast})
        await until(lambda: len(fast.came) == 2)
    assert slow.came == []


async def test_a_dead_letter_is_sent_again_when_a_person_says_so() -> None:
    """And one that waits is given up."""
    pager = Receiver([DeliveryFailed("HTTP 404", permanent=True), DeliveryFailed("HTTP 503")])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
    await world.work()
    first, second = sorted(await world.outbox.letters(limit=5), key=lambda one: one.state)
    assert (first.state, second.state) == (State.DEAD, State.PENDING)
    assert await world.postman.again(first)
    assert not await world.postman.again(second)
    assert await world.postman.drop(second)
    await world.work()
    assert [id for id, _ in pager.came] == [first.event_id]
    assert sorted(await world.states()) == ["dead", "delivered"]


# -- whatever happens, in whatever order ------------------------------------------------------------------------------

ACTIONS = st.lists(
    st.sampled_from(["one", "two", "work", "fail", "crash", "die", "wait", "refuse", "take"]), min_size=1, max_size=60
)


@settings(max_examples=60, deadline=None)
@given(ACTIONS)
def test_nothing_committed_is_lost_or_out_of_order(actions: list[str]) -> None:
    """Every event that was committed arrives at least once, those of an incident in order once repeats are dropped,
    however often the monitor is killed, before, during or after a delivery, and whatever the channel answers."""
    asyncio.run(lived_through(actions))


async def lived_through(actions: list[str]) -> None:
    pager = Receiver()
    world = World(pager=pager)
    seqs = {ONE.id: 0, TWO.id: 0}
    committed: list[str] = []
    for action in actions:
        match action:
            case "one" | "two":
                subject = ONE if action == "one" else TWO
                seqs[subject.id] += 1
                event = happened(subject, seqs[subject.id], "worsened", "pager", at=elapsed(world), opens=True)
                await world.tell(event)
                committed.append(f"{subject.id}-{event.seq}")
            case "work":
                await world.work()
            case "fail":
                pager.answers.append(DeliveryFailed("HTTP 503"))
                await world.work()
            case "crash":  # killed between two deliveries
                world.begin()
                await begun(world)
            case "die":  # killed after the receiver took it, before that was written down
                world.postman._settle = dying  # type: ignore[method-assign]
                with suppress(Killed):
                    await world.postman._once("pager", world.postman.boxes["pager"])
                world.begin()
                await begun(world)
            case "refuse":
                world.postman.refused("disk full")
            case "take":
                await world.postman._unwritten.catch_up()
            case _:
                world.clock.at += timedelta(seconds=20)
    for _ in range(40):
        world.clock.at += timedelta(seconds=12)
        await world.work()
    arrived: dict[str, list[int]] = {ONE.id: [], TWO.id: []}
    for event_id, _ in dict.fromkeys(pager.came):
        subject, _, number = event_id.rpartition("-")
        arrived[subject].append(int(number))
    folded = {one.event_id for one in await world.outbox.letters(limit=500) if one.state is State.COLLAPSED}
    assert {id for id, _ in pager.came} | folded >= set(committed)
    assert all(numbers == sorted(numbers) for numbers in arrived.values())
    assert not await world.outbox.waiting()


class Killed(Exception):
    """The process ends here."""


async def dying(*given: object) -> None:
    raise Killed


def elapsed(world: World) -> float:
    return (world.clock.at - NOON).total_seconds()


async def begun(world: World) -> None:
    await world.outbox.begin()
    await world.postman.refresh()


@asynccontextmanager
async def at_work(world: World) -> AsyncIterator[None]:
    """The postman running as it does in the application."""
    task = asyncio.create_task(world.postman.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})


async def until(seen: Callable[[], bool]) -> None:
    """Waits for a state, not for a time."""
    async with asyncio.timeout(10):
        while not seen():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="monitor.postman")
