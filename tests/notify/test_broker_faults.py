"""A wire to a broker that fails in every way, brokers that refuse, and brokers that come and go: each notice arrives,
and a repeat has its id.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
from iotcore import Broker

from monitor.notify.channel import DeliveryFailed
from monitor.notify.mqtt import Mqtt
from tests.notify.test_broker_away import CONNACK, PLAIN, World
from tests.notify.test_mqtt import channel, mosquitto, notice, reading, until
from tests.probers.brokers import Client, playing
from tests.processes.running import free_port
from tests.processes.stations import everything, told
from tests.proxy import Way, proxied
from tests.store.past import NOON, incident
from tests.test_postman import happened


@pytest.fixture(params=["mosquitto", pytest.param("pip", marks=pytest.mark.slow)])
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[int, int]]:
    """The port of a real broker, and the version that it speaks."""
    port = free_port()
    with _running(request.param, port, tmp_path):
        yield port, 5 if request.param == "mosquitto" else 4


@contextmanager
def _running(kind: str, port: int, folder: Path) -> Iterator[None]:
    if kind == "mosquitto":
        with mosquitto(folder, PLAIN.format(port)):
            yield
    else:
        with Broker(port=port, listen="127.0.0.1"):
            yield


async def delivered(mqtt: Mqtt, number: int) -> int:
    """How often it had to be tried."""
    tries = 0
    async with asyncio.timeout(20):
        while True:
            tries += 1
            try:
                await mqtt.deliver(notice(number))
                return tries
            except DeliveryFailed:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("way", [Way.SWALLOWS, Way.DEAF, Way.MUTE, Way.RESETS], ids=lambda way: str(way.name))
async def test_no_wire_makes_a_delivery_of_what_was_not_acknowledged(
    way: Way, broker: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And when it is well again the notice arrives, over a new connection."""
    port, version = broker
    async with proxied(port) as wire, channel(wire.port) as mqtt, reading(port, version) as reader:
        mqtt.show({})
        await until(mqtt.online.is_set)
        monkeypatch.setattr("monitor.lasting.PATIENCE", 0.4)
        wire.way, met = way, wire.met
        if way is Way.RESETS:
            await wire.cut()
        with pytest.raises(DeliveryFailed) as failed:
            await mqtt.deliver(notice(1))
        assert not failed.value.permanent
        wire.way = Way.WELL
        monkeypatch.setattr("monitor.lasting.PATIENCE", 10.0)
        await delivered(mqtt, 1)
        least = 2 if way is Way.MUTE else 1  # a mute wire brought the first one as well
        await until(lambda: len(reader.of("notices")) >= least)
        ids = [json.loads(one)["event_id"] for one in reader.of("notices")]
        assert wire.met > met
    assert set(ids) == {"k3f09a-1"}
    assert len(ids) == least or (way is Way.DEAF and len(ids) == 2)  # what piled up may arrive


@pytest.mark.slow
async def test_a_slow_wire_is_no_failure(broker: tuple[int, int]) -> None:
    """Half a second more for each way; then byte by byte."""
    port, version = broker
    async with proxied(port) as wire, channel(wire.port) as mqtt, reading(port, version) as reader:
        mqtt.show({})
        await until(mqtt.online.is_set)
        wire.delay = 0.5
        await mqtt.deliver(notice(1))
        wire.delay, wire.way = 0.0, Way.DRIPS
        await mqtt.deliver(notice(2))
        await until(lambda: len(reader.of("notices")) == 2)


@pytest.mark.slow
@pytest.mark.parametrize("way", [Way.SWALLOWS, Way.DEAF], ids=lambda way: str(way.name))
async def test_half_a_connection_is_noticed_while_nothing_happens(
    way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within two of the times after which something is to be heard, and what happens then finds a new one."""
    monkeypatch.setattr("monitor.lasting.KEEPALIVE", 3)
    port = free_port()
    with mosquitto(tmp_path, PLAIN.format(port)):
        async with proxied(port) as wire, channel(wire.port) as mqtt:
            mqtt.show({})
            await until(mqtt.online.is_set)
            wire.way = way
            await until(lambda: not mqtt.online.is_set(), 30)
            wire.way = Way.WELL
            assert await delivered(mqtt, 1) == 1


# -- brokers that refuse -----------------------------------------------------------------------------------------------


def answering(publish: int, notices: list[bytes]) -> Any:
    """A broker of version 5 that acknowledges states, and answers notices with this reason code."""

    async def part(client: Client) -> None:
        await client.packet()
        await client.say(CONNACK)
        while True:
            head = await client.reader.readexactly(1)
            size, shift = 0, 0
            while True:
                (byte,) = await client.reader.readexactly(1)
                size |= (byte & 0x7F) << shift
                shift += 7
                if byte < 0x80:
                    break
            body = await client.reader.readexactly(size)
            kind = head[0] >> 4
            if kind == 8:  # subscribe
                await client.say(bytes((0x90, 4)) + body[:2] + bytes((0, 1)))
            elif kind == 3:
                length = int.from_bytes(body[:2], "big")
                topic, mid = body[2 : 2 + length], body[2 + length : 4 + length]
                told = topic.endswith(b"/notices")
                notices.extend([body] if told else [])
                if told and publish < 0:
                    return
                await client.say(bytes((0x40, 4)) + mid + bytes((publish if told else 0, 0)))
            elif kind == 12:
                await client.say(b"\xd0\x00")

    return part


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (0x80, "reason 0x80"),
        (0x83, "reason 0x83"),
        (0x87, "not authorized"),
        (0x90, "topic name invalid"),
        (0x91, "reason 0x91"),
        (0x97, "quota exceeded"),
        (0x99, "reason 0x99"),
    ],
)
async def test_a_reason_code_that_says_no_is_no_delivery(code: int, said: str) -> None:
    """A broker that is full, or lets nobody write there, is tried again."""
    async with playing(answering(code, [])) as port, channel(port) as mqtt:
        with pytest.raises(DeliveryFailed, match=said) as failed:
            await mqtt.deliver(notice())
    assert not failed.value.permanent


@pytest.mark.parametrize("code", [0x00, 0x10], ids=["success", "no subscribers"])
async def test_a_reason_code_that_says_yes_is_a_delivery(code: int) -> None:
    """Also when nobody listens."""
    notices = list[bytes]()
    async with playing(answering(code, notices)) as port, channel(port) as mqtt:
        await mqtt.deliver(notice())
    assert len(notices) == 1


@pytest.mark.parametrize("code", [0x88, 0x89, 0x97, 0x9F, 0x86])
async def test_a_broker_that_lets_nobody_in_now_is_asked_again_in_the_same_version(
    code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is busy, or does not like the password: it understood us. What it knows of 5 is not given up for that."""
    monkeypatch.setattr("monitor.lasting.FIRST_PAUSE", 0.01)
    notices, refused = list[bytes](), 3

    async def part(client: Client) -> None:
        nonlocal refused
        if refused:
            refused -= 1
            await client.packet()
            return await client.say(bytes((0x20, 3, 0, code, 0)))
        await answering(0, notices)(client)

    async with playing(part) as port, channel(port) as mqtt:
        await delivered(mqtt, 1)
        assert mqtt._version is aiomqtt.ProtocolVersion.V5
    assert b"k3f09a-1" in notices[0]


async def test_a_broker_that_hangs_up_at_each_notice_is_not_overrun(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Each attempt is one connection, and none is made for nothing."""
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("monitor.lasting.FIRST_PAUSE", 0.01)
    notices, met = list[bytes](), 0
    part = answering(-1, notices)

    async def counted(client: Client) -> None:
        nonlocal met
        met += 1
        await part(client)

    async with playing(counted) as port:
        world = World(port)
        try:
            world.mqtt.show({})
            await world.tell(happened(incident(), 1, "opened", "pager"))
            for _ in range(12):
                await until(world.mqtt.online.is_set)
                await world.work("pager")
                world.clock.at += timedelta(seconds=15)
        finally:
            await world.mqtt.close()
    assert 6 <= len(notices) <= 5 + 3  # five, then once a minute
    assert met <= len(notices) + 1
    assert world.postman.pending()["pager"][0] == 1


# -- brokers that come and go ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize("kind", ["mosquitto", "pip"])
async def test_a_broker_that_restarts_while_notices_are_under_way_gets_them_all(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order, and whatever came twice under the same id."""
    monkeypatch.setattr("monitor.lasting.FIRST_PAUSE", 0.05)
    monkeypatch.setattr("monitor.lasting.LONGEST_PAUSE", 0.2)
    port, version, came = free_port(), 5 if kind == "mosquitto" else 4, list[dict[str, Any]]()
    ones = [incident(f"m{number}") for number in range(20)]
    async with proxied(port) as wire:
        world = World(wire.port)

        async def carry() -> None:
            while True:
                await world.work("pager")
                world.clock.at += timedelta(seconds=2)
                await asyncio.sleep(0.02)

        task = asyncio.create_task(carry())
        try:
            for life in range(4):
                folder = tmp_path / str(life)
                folder.mkdir()
                wire.way = Way.WELL
                async with _read(kind, port, folder, version, came):
                    world.mqtt.show({})
                    before = len(came)
                    for one in ones:
                        for seq in (2 * life + 1, 2 * life + 2):
                            await world.tell(
                                happened(
                                    one,
                                    seq,
                                    "worsened",
                                    "pager",
                                    at=(world.clock.at - NOON).total_seconds(),
                                    opens=True,
                                )
                            )
                    await until(lambda n=before: len(came) > n + 5, 40)  # type: ignore[misc]
                    if life == 3:
                        await until(lambda: not world.postman.pending()["pager"][0], 60)
                        await until(lambda: len(everything(came)) == 8 * len(ones))
                    wire.way = (
                        Way.RESETS
                    )  # what it acknowledged it passes on before it ends; the rest is not its own yet
                    await wire.cut()
        finally:
            task.cancel()
            await asyncio.wait({task})
            await world.mqtt.close()
    counts = Counter(str(one["event_id"]) for one in came)
    assert everything(came) == {f"{one.id}-{seq}" for one in ones for seq in range(1, 9)}
    assert all(seqs == sorted(seqs) for seqs in told(came).values())
    assert sum(counts.values()) - len(counts) <= 9  # one or two that were under way when it stopped, three times


@asynccontextmanager
async def _read(kind: str, port: int, folder: Path, version: int, came: list[dict[str, Any]]) -> AsyncIterator[None]:
    """A life of the broker, and what is read of it."""
    with _running(kind, port, folder):
        async with reading(port, version) as reader:

            async def note() -> None:
                seen = 0
                while True:
                    fresh = reader.of("notices")[seen:]
                    seen += len(fresh)
                    came.extend(map(json.loads, fresh))
                    await asyncio.sleep(0.01)

            task = asyncio.create_task(note())
            try:
                yield
            finally:
                known = -1
                while known != len(came):
                    known = len(came)
                    await asyncio.sleep(0.5)
                task.cancel()
                await asyncio.wait({task})
