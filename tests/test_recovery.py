"""A channel that rests because its receiver asked for it, and one that works again: everything waits with it, and
leaves with it.
"""

from datetime import timedelta

import pytest

from monitor.core.outbox import Breaker
from monitor.notify.channel import DeliveryFailed
from tests.store.past import incident
from tests.test_postman import ONE, TWO, Receiver, World, happened

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("CRITICAL", logger="monitor.postman")


def busy(seconds: float) -> DeliveryFailed:
    return DeliveryFailed("HTTP 429", retry_after=timedelta(seconds=seconds))


async def test_a_receiver_that_wants_nobody_to_come_is_left_alone_with_everything() -> None:
    """Also with what happens meanwhile; the dashboard shows that it is not tried. Then all of it leaves."""
    pager = Receiver([busy(120)])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
    await world.work()
    for seconds in (1, 59, 59):
        world.clock.at += timedelta(seconds=seconds)
        await world.tell(happened(incident(f"at{seconds}"), 1, "opened", "pager"))
        await world.work()
        assert pager.attempts == 1
        assert world.postman.boxes["pager"].state() == "open"
    world.clock.at += timedelta(seconds=2)
    await world.work()
    assert len(pager.came) == 4
    assert world.postman.boxes["pager"].state() == "closed"


async def test_other_channels_do_not_rest_with_it() -> None:
    """Each has its own receiver."""
    pager, chat = Receiver([busy(120)]), Receiver()
    world = World(pager=pager, chat=chat)
    await world.tell(happened(ONE, 1, "opened", "pager", "chat"))
    await world.work()
    await world.work("chat")
    assert (len(pager.came), len(chat.came)) == (0, 1)


async def test_a_receiver_that_wants_nobody_for_days_is_asked_with_something_new_after_an_hour() -> None:
    """It may be wrong. Once it takes that, what it did not want for a day leaves as well."""
    pager = Receiver([busy(86_400 * 365)])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    world.clock.at += HOUR - timedelta(seconds=1)
    await world.tell(happened(TWO, 1, "opened", "pager", at=3599))
    await world.work()
    assert pager.attempts == 1
    world.clock.at += timedelta(seconds=1)
    await world.work()
    assert [id for id, _ in pager.came] == [f"{TWO.id}-1", f"{ONE.id}-1"]


@pytest.mark.parametrize("days", [-1, 1])
async def test_a_clock_that_is_set_neither_ends_a_rest_nor_makes_it_longer(days: int) -> None:
    pager = Receiver([busy(120)])
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    await world.work()
    world.clock.set(timedelta(days=days))
    await world.work()
    assert pager.attempts == 1
    world.clock.at += timedelta(seconds=121)
    await world.work()
    assert len(pager.came) == 1


async def test_a_channel_that_failed_too_often_is_tried_once_a_minute_even_with_one_notice() -> None:
    """However seldom that would be tried by itself: nobody waits for minutes who could be told."""
    pager = Receiver([DeliveryFailed("refused")] * 20)
    world = World(pager=pager)
    await world.tell(happened(ONE, 1, "opened", "pager"))
    for _ in range(60):
        world.clock.at += timedelta(seconds=1)
        await world.work()
    before = pager.attempts
    assert before >= Breaker.LIMIT
    for minute in range(1, 6):
        world.clock.at += timedelta(seconds=Breaker.PAUSE)
        await world.work()
        assert pager.attempts == before + minute


async def test_once_it_works_everything_leaves() -> None:
    """In order, whatever pause each had come to."""
    pager = Receiver([DeliveryFailed("refused")] * 12)
    world = World(pager=pager)
    ones = [incident(f"m{number}") for number in range(4)]
    for one in ones:
        await world.tell(happened(one, 1, "opened", "pager"), happened(one, 2, "worsened", "pager"))
    while pager.answers:
        world.clock.at += timedelta(seconds=20)
        await world.work()
    world.clock.at += timedelta(seconds=61)
    await world.work()
    assert world.postman.pending()["pager"][0] == 0
    assert {id for id, _ in pager.came if id.endswith("-2")} == {f"{one.id}-2" for one in ones}


async def test_what_is_held_stays_held_when_its_channel_works_again() -> None:
    """It waits because of planned work, not because of the channel."""
    pager = Receiver([busy(30)])
    world = World(pager=pager)
    world.postman._hold = lambda sending, incident: "maintenance:w1" if sending.letter.incident == TWO.id else None
    await world.tell(happened(ONE, 1, "opened", "pager"), happened(TWO, 1, "opened", "pager"))
    for _ in range(4):
        world.clock.at += timedelta(seconds=20)
        await world.work()
    assert [id for id, _ in pager.came] == [f"{ONE.id}-1"]
