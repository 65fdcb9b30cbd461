"""Distress: that nothing can be stored is told once, on one channel, when it lasts."""

from monitor.core.outbox import Letter
from monitor.distress import AGAIN_AFTER, TOLD_AFTER, Distress
from tests.fakes import FakeClock


class Watch(FakeClock):
    """A clock that runs as fast as it is told to."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


class World:
    """A store that may be in trouble, and who hears of it."""

    def __init__(self) -> None:
        self.clock = Watch()
        self.trouble: str | None = None
        self.channel: str | None = "pager"
        self.letters: list[Letter] = []
        self.distress = Distress(self.clock, lambda: self.trouble, lambda: self.channel, self.post)

    async def post(self, letter: Letter) -> None:
        self.letters.append(letter)

    async def passes(self, seconds: float) -> None:
        """Time goes by, a second each."""
        for _ in range(int(seconds)):
            self.clock.seconds += 1
            await self.distress.look()


async def test_a_store_that_refuses_for_long_is_told_once() -> None:
    """However long it lasts, and however often it comes back within the hour."""
    world = World()
    await world.passes(60)
    assert world.letters == []
    world.trouble = "monitor.db: the disk is full"
    await world.passes(TOLD_AFTER - 1)
    assert world.letters == []
    await world.passes(1800)
    (letter,) = world.letters
    assert (letter.channel, letter.why, letter.page) == ("pager", f"storage {world.trouble}", True)
    world.trouble = None
    await world.passes(60)
    world.trouble = "again"
    await world.passes(600)
    assert len(world.letters) == 1
    await world.passes(AGAIN_AFTER)
    assert len(world.letters) == 2


async def test_a_trouble_that_passes_wakes_nobody() -> None:
    """A restarted server, a lock: each time shorter than what is worth a call."""
    world = World()
    for _ in range(20):
        world.trouble = "locked"
        await world.passes(TOLD_AFTER - 1)
        world.trouble = None
        await world.passes(2)
    assert world.letters == []


async def test_without_a_channel_it_waits_for_one() -> None:
    """A reload may bring one."""
    world = World()
    world.trouble, world.channel = "full", None
    await world.passes(60)
    world.channel = "mail"
    await world.passes(2)
    assert [letter.channel for letter in world.letters] == ["mail"]
