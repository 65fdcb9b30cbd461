"""When nobody should rely on us: whoever waits for the dead-man signal is to hear silence then, and only then."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

from monitor.config import Config
from monitor.core.board import Board
from monitor.desk import Desk
from monitor.mailroom import Mailroom
from monitor.notify.channel import DeliveryFailed
from monitor.store.memory import MemoryStore
from monitor.watchroom import LATE, QUIET, Watchroom
from tests.pages.test_api import SPEECH
from tests.store.past import NOON, incident, run
from tests.stories.beats import module, platform
from tests.test_desk import RecordingHands
from tests.test_postman import Moving, Receiver, happened

ONE = incident()
WATCHED = platform(module("checkout", interval=30))


class Room:
    """A watchroom over a desk, a store and a mailroom with one channel."""

    def __init__(self) -> None:
        self.clock, self.store, self.pager = Moving(), MemoryStore(), Receiver()
        self.clock.at = NOON
        hands = RecordingHands()
        self.desk = Desk(Board(WATCHED, began_at=NOON), self.store, cast(Any, hands), self.clock, watcher=hands)
        self.mailroom = Mailroom(
            Config(WATCHED, sections={"channels": {"pager": {"kind": "kept", "language": "en"}}}),
            self.store,
            self.clock,
            lambda: self.desk.board,
            self.desk.hear,
            lambda: SPEECH,
            kinds={"kept": lambda section: self.pager},
        )
        unused = cast(Any, None)
        self.room = Watchroom(self.desk, unused, unused, unused, self.clock, unused, "here", self.mailroom)

    def judged(self) -> None:
        """A probe was asked and judged."""
        self.room.judged(run(self.clock.at))

    def later(self, seconds: float) -> str | None:
        """What is wrong then, with probes judged all the while."""
        self.clock.at += timedelta(seconds=seconds)
        self.judged()
        return self.room.unsound()

    async def tell(self) -> None:
        """An incident opens, and the pager is to hear of it."""
        event = happened(ONE, 1, "opened", "pager", at=(self.clock.at - NOON).total_seconds())
        await self.store.commit([event])
        self.mailroom.happened(event, True)

    async def work(self) -> None:
        """The channel's worker does what there is to do now."""
        while await self.mailroom.postman._once("pager", self.mailroom.postman.boxes["pager"]):
            pass


async def test_all_is_well_while_probes_are_judged() -> None:
    """And not once they are not, whatever the clock on the wall says."""
    room = Room()
    room.judged()
    room.clock.set(timedelta(days=1))
    assert room.room.unsound() is None
    room.clock.at += timedelta(seconds=QUIET + 1)
    assert room.room.unsound() == "no probe was judged for 121 s"
    room.judged()
    assert room.room.unsound() is None


async def test_facts_that_cannot_be_stored_are_no_ground_to_stand_on() -> None:
    """Nor is an outbox that leaves from memory."""
    room = Room()
    room.desk.store_trouble = "disk full"
    assert room.later(1) == "the store refuses writes: disk full"
    room.desk.store_trouble = None
    room.mailroom.postman.refused("locked")
    assert room.later(1) == "the store refuses writes: locked"


async def test_a_notice_may_wait_for_two_minutes() -> None:
    """Then silence tells whoever waits for the signal; on delivery it goes on."""
    room = Room()
    room.pager.answers = [DeliveryFailed("HTTP 503")] * 4
    await room.tell()
    await room.work()
    assert room.later(QUIET - 1) is None
    assert room.later(2) == "a notice has waited for 121 s"
    for _ in range(5):
        room.later(30)
        await room.work()
    assert room.later(60) is None


async def test_a_notice_that_planned_work_holds_is_not_late() -> None:
    """It waits because it is meant to."""
    room = Room()
    held = lambda sending, incident: "maintenance:w1"  # noqa: E731
    room.mailroom.postman._hold = held
    await room.tell()
    await room.work()
    assert room.later(QUIET + 60) is None
    room.mailroom.postman._hold = lambda sending, incident: None
    await room.work()
    assert room.pager.came


async def test_a_notice_for_a_channel_that_is_gone_is_late_as_well() -> None:
    """A reload that took the only pager away is heard of outside."""
    room = Room()
    room.mailroom.use(replace(room.mailroom._config, sections={}))
    await room.tell()
    assert room.later(QUIET + 1) == "a notice has waited for 121 s"


async def test_a_step_of_an_escalation_may_be_late_for_a_minute() -> None:
    """Whoever should have been told next was not."""
    room = Room()
    room.desk.board = replace(room.desk.board, turn_at=NOON + timedelta(seconds=10))
    assert room.later(10 + LATE) is None
    assert room.later(1) == "a step of an escalation is overdue"
