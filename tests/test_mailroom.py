"""How the channels of a configuration are used."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.config import Config
from monitor.core.board import Board
from monitor.core.effect import Answered, Event
from monitor.core.outbox import Letter
from monitor.mailroom import Mailroom
from monitor.notify.channel import Message
from monitor.pages.translate import Speech
from monitor.store.memory import MemoryStore
from tests.fakes import FakeClock
from tests.stories.beats import module, platform

SPEECH = Speech.load(("en",), Path(__file__).parents[1] / "site")


class Asking:
    """A channel that looks at what the store says while it sends."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.claims: list[Letter] = []

    async def deliver(self, message: Message) -> str | None:
        self.claims += await self._store.outbox.letters(state="sending", limit=5)
        return None

    async def close(self) -> None:
        pass


async def test_an_attempt_may_take_as_long_as_its_channel_waits() -> None:
    """And a claim holds for longer than that, so that nobody else sends the same meanwhile."""
    store, clock, watched = MemoryStore(), FakeClock(), platform(module("checkout"))
    asking = Asking(store)
    sections: dict[str, Any] = {
        "patient": {"kind": "kept", "language": "en", "timeout": timedelta(minutes=2)},
        "plain": {"kind": "kept", "language": "en"},
    }

    async def heard(event: Event) -> Answered:
        return Answered()

    mailroom = Mailroom(
        Config(watched, sections={"channels": sections}),
        store,
        clock,
        lambda: Board(watched, began_at=clock.now()),
        heard,
        lambda: SPEECH,
        kinds={"kept": lambda section: asking},
    )
    for channel in sections:
        assert await mailroom.test(channel) is None
    patient, plain = (one.claimed_until - clock.now() for one in asking.claims if one.claimed_until)
    assert patient > timedelta(minutes=2, seconds=5)
    assert timedelta(seconds=15) < plain < timedelta(minutes=1)


async def test_a_channel_of_a_broker_has_a_name_of_its_own_and_the_same_after_a_restart() -> None:
    """Of this monitor, and of no other one on the machine."""
    watched, clock = platform(module("checkout")), FakeClock()
    keys = {"kind": "mqtt", "language": "en", "url": "mqtt://broker", "prefix": "status", "discovery": None}
    keys |= {"verify": True}

    async def heard(event: Event) -> Answered:
        return Answered()

    def clients(instance: str) -> list[str]:
        mailroom = Mailroom(
            Config(watched, sections={"channels": {"one": keys, "two": keys}}),
            MemoryStore(),
            clock,
            lambda: Board(watched, began_at=clock.now()),
            heard,
            lambda: SPEECH,
            instance=instance,
        )
        return [box.channel.client for box in mailroom.postman.boxes.values()]  # type: ignore[union-attr]

    assert len({*clients("/data"), *clients("/other")}) == 4
    assert clients("/data") == clients("/data")
