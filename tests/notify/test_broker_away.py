"""A broker that is away, that says nothing, or whose word is lost: every notice arrives after all."""

import asyncio
import json
import socket
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from monitor.core.effect import Happened
from monitor.core.incident import Incident
from monitor.core.outbox import Sending
from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.mqtt import Mqtt
from monitor.postman import Postman
from monitor.store.memory import MemoryStore
from tests.notify.test_mqtt import DEFAULTS, channel, mosquitto, notice, reading, until
from tests.probers.brokers import Client, playing
from tests.processes.running import free_port
from tests.processes.stations import everything, told
from tests.proxy import packets, proxied
from tests.store.past import NOON, incident
from tests.test_postman import Moving, Receiver, happened

PLAIN = "listener {} 127.0.0.1\nallow_anonymous true\n"


def write(name: str) -> Callable[..., Message]:
    """A notice that says what it tells, and what was collapsed into it."""

    def worded(sending: Sending, known: Incident | None, now: object, external: str | None) -> Message:
        letter = sending.letter
        folded = {"event_ids": [one.event_id for one in sending.folded]} if sending.folded else None
        payload: dict[str, Any] = {"event_id": letter.event_id, "dedup_key": letter.incident}
        payload |= {"event": sending.event, "attempt": letter.attempts, "collapsed": folded}
        return Message(payload, sending.event, "en", "", "", external)

    return worded


class World:
    """A postman between a store, a broker and another channel, on a clock that is moved."""

    def __init__(self, port: int) -> None:
        self.store, self.clock, self.chat = MemoryStore(), Moving(), Receiver()
        self.clock.at = NOON
        self.mqtt = Mqtt(SimpleNamespace(**{**DEFAULTS, "url": f"mqtt://127.0.0.1:{port}"}))
        self.postman = Postman(self.store.outbox, self.clock, write, random=Random(1))
        self.postman.use({"pager": self.mqtt, "chat": self.chat})

    async def tell(self, event: Happened) -> None:
        await self.store.commit([event])
        self.postman.add(event, True)

    async def work(self, *channels: str) -> None:
        """The workers of these channels do what there is to do now."""
        for name in channels:
            while await self.postman._once(name, self.postman.boxes[name]):
                pass


def hour() -> list[tuple[int, Happened]]:
    """Two hundred events by their minute: fifty incidents that come and go, ten that go on."""
    found = []
    for number in range(50):
        one, start = incident(f"past{number}"), number
        for seq, event in ((1, "opened"), (2, "resolved")):
            minute = start + 4 * (seq - 1)
            found.append((minute, happened(one, seq, event, "pager", "chat", at=60 * minute + seq)))
    for number in range(10):
        one = incident(f"open{number}")
        for seq in range(1, 11):
            event = "opened" if seq == 1 else "worsened"
            found.append((5 * seq, happened(one, seq, event, "pager", "chat", at=300 * seq + number)))
    return sorted(found, key=lambda each: each[1].at)


@pytest.mark.slow
async def test_a_broker_that_was_away_for_an_hour_hears_of_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """In order for each incident, what goes on as one message, what is wholly past as one summary; the other channel
    heard everything meanwhile, and what waited took no more memory than its rows."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 0.2)
    monkeypatch.setattr("monitor.lasting.LONGEST_PAUSE", 0.2)
    port, events = free_port(), hour()
    world = World(port)
    tracemalloc.start()
    try:
        for minute in range(60):
            world.clock.at = NOON + timedelta(minutes=minute + 1)
            for at, event in events:
                if at == minute:
                    await world.tell(event)
            await world.work("pager", "chat")
            if minute == 2:
                before = tracemalloc.get_traced_memory()[0]
        assert world.postman.pending()["pager"][0] == len(events)
        assert tracemalloc.get_traced_memory()[0] - before < 10_000_000
        tracemalloc.stop()
        heard = [id.rpartition("-") for id, _ in world.chat.came]
        assert sorted(heard) == sorted((one.incident.id, "-", str(one.seq)) for _, one in events)
        for incident_id in {id for id, _, _ in heard}:
            seqs = [int(seq) for id, _, seq in heard if id == incident_id]
            assert seqs == sorted(seqs)
        with tempfile.TemporaryDirectory() as folder, mosquitto(Path(folder), PLAIN.format(port)):
            async with reading(port) as reader:
                world.mqtt.show({})
                await until(world.mqtt.online.is_set, 20)
                monkeypatch.setattr("monitor.lasting.PATIENCE", 10.0)
                world.clock.at += timedelta(minutes=6)
                await world.work("pager")
                await until(lambda: len(reader.of("notices")) >= 60)
                came = [json.loads(one) for one in reader.of("notices")]
    finally:
        tracemalloc.stop()
        await world.mqtt.close()
    assert everything(came) == {f"{one.incident.id}-{one.seq}" for _, one in events}
    assert all(seqs == sorted(seqs) for seqs in told(came).values())
    kinds = [one["event"] for one in came]
    assert (len(came), kinds.count("summary"), kinds.count("opened")) == (60, 50, 10)
    assert await world.store.outbox.waiting() == []


# -- brokers that say nothing ------------------------------------------------------------------------------------------

CONNACK, SUBACK = b"\x20\x03\x00\x00\x00", 0x90


async def never_welcomes(client: Client) -> None:
    """It takes the connection and the first packet."""
    await client.packet()
    await asyncio.Event().wait()


async def never_acknowledges(client: Client) -> None:
    """It welcomes, and takes all that is published."""
    await client.packet()
    await client.say(CONNACK)
    while await client.reader.read(1000):
        pass


@pytest.mark.parametrize("part", [never_welcomes, never_acknowledges])
async def test_a_broker_that_says_nothing_is_no_delivery(part: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The attempt ends in its time, and the next one is made on a connection of its own."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 0.4)
    monkeypatch.setattr("monitor.lasting.FIRST_PAUSE", 0.01)
    met = 0

    async def counted(client: Client) -> None:
        nonlocal met
        met += 1
        await part(client)

    async with playing(counted) as port, channel(port) as mqtt:
        for _ in range(2):
            with pytest.raises(DeliveryFailed) as failed:
                await mqtt.deliver(notice())
            assert not failed.value.permanent
        await until(lambda: met >= 2)


@contextmanager
def black_hole() -> Iterator[int]:
    """A port where nobody is refused and nobody gets in."""
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):
            one = stack.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        yield deaf.getsockname()[1]


async def test_brokers_that_swallow_connections_hold_no_thread_that_others_need() -> None:
    """Twenty of them; what all share is free at once."""
    with black_hole() as port:
        async with AsyncExitStack() as stack:
            for number in range(20):
                mqtt = await stack.enter_async_context(channel(port, client=str(number)))
                mqtt.show({})
            await asyncio.sleep(0.2)  # they are all at it
            async with asyncio.timeout(2):
                await asyncio.to_thread(lambda: None)


class Losing:
    """Loses, on a wire to a broker, so many acknowledgements of what is published under a topic."""

    def __init__(self, topic: str) -> None:
        self._topic, self._ids = topic.encode(), set[bytes]()
        self.loses, self.lost = 0, 0

    def __call__(self, packet: bytes, answer: bool) -> bool:
        """Whether the packet is passed on."""
        start = next(at for at in range(1, 5) if packet[at] < 0x80) + 1
        kind, body = packet[0] >> 4, packet[start:]
        if kind == 3 and not answer:
            length = int.from_bytes(body[:2], "big")
            if body[2 : 2 + length].endswith(self._topic):
                self._ids.add(body[2 + length : 4 + length])
        if kind == 4 and answer and body[:2] in self._ids and self.loses:
            self.loses -= 1
            self.lost += 1
            return False
        return True


async def test_a_lost_acknowledgement_makes_one_repeat_under_the_same_id(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker had it; nobody could know."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 1.0)
    port = free_port()
    with mosquitto(tmp_path, PLAIN.format(port)):
        losing = Losing("/notices")
        async with proxied(port, packets) as proxy, reading(port) as reader:
            proxy.passes = losing
            world = World(proxy.port)
            try:
                world.mqtt.show({})
                await until(world.mqtt.online.is_set)
                losing.loses = 1
                await world.tell(happened(incident(), 1, "opened", "pager"))
                await world.work("pager")
                assert world.postman.pending()["pager"][0] == 1
                while world.postman.pending()["pager"][0]:
                    await until(world.mqtt.online.is_set)
                    world.clock.at += timedelta(seconds=30)
                    await world.work("pager")
                await until(lambda: len(reader.of("notices")) == 2)
                came = [json.loads(one) for one in reader.of("notices")]
            finally:
                await world.mqtt.close()
    assert losing.lost == 1
    assert [one["event_id"] for one in came] == [f"{incident().id}-1"] * 2
    assert came[0]["attempt"] < came[1]["attempt"]
    assert world.postman.pending()["pager"][0] == 0


async def test_what_is_not_acknowledged_ends_its_connection(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client may have only so many messages under way on one: twenty lost answers would stop it for good."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 1.0)
    monkeypatch.setattr("monitor.lasting.FIRST_PAUSE", 0.01)
    port = free_port()
    with mosquitto(tmp_path, PLAIN.format(port)):
        losing = Losing("/notices")
        async with proxied(port, packets) as proxy, channel(proxy.port) as mqtt:
            proxy.passes = losing
            for number in range(1, 4):
                mqtt.show({})
                await until(mqtt.online.is_set)
                losing.loses = 1
                with pytest.raises(DeliveryFailed, match="did not acknowledge"):
                    await mqtt.deliver(notice())
                await until(lambda n=number: proxy.met > n)  # type: ignore[misc]
            await until(mqtt.online.is_set)
            await mqtt.deliver(notice(2))
