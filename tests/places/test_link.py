"""One connection that is kept: against Mosquitto, the broker from pip, and NATS where it is installed."""

import asyncio
import logging
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from iotcore import Broker as Iotcore

from monitor.config import Broker
from monitor.lasting import LinkFailed
from monitor.places.link import Came, Link, NotAllowed
from tests.notify.test_mqtt import mosquitto, until
from tests.probers.brokers import Client, playing
from tests.processes.running import free_port
from tests.programs import running
from tests.proxy import Way, proxied

PLAIN = "listener {0} 127.0.0.1\nallow_anonymous true\n"
CONNACK, SUBACK = b"\x20\x03\x00\x00\x00", 0x90  # of a broker of version 5
RULES = "listener {0} 127.0.0.1\nallow_anonymous true\nacl_file rules\n"


@contextmanager
def nats(folder: Path, port: int, more: str = "") -> Iterator[None]:
    """A NATS server that speaks MQTT 3.1.1."""
    (folder / "nats.conf").write_text(
        f"server_name: one\nlisten: 127.0.0.1:{free_port()}\njetstream {{ store_dir: {folder}/js }}\n"
        f"mqtt {{ host: 127.0.0.1, port: {port} }}\n{more}"
    )
    program, log = shutil.which("nats-server"), folder / "nats.log"
    assert program is not None
    with running(program, "-c", "nats.conf", log=log, ready=lambda: "Server is ready" in log.read_text()):
        yield


BROKERS = [
    "mosquitto",
    pytest.param("pip", marks=pytest.mark.slow),
    pytest.param(
        "nats",
        marks=[pytest.mark.slow, pytest.mark.skipif(not shutil.which("nats-server"), reason="NATS is not installed")],
    ),
]


@contextmanager
def serving(kind: str, folder: Path) -> Iterator[int]:
    """The port of a broker of that kind."""
    port = free_port()
    if kind == "mosquitto":
        with mosquitto(folder, PLAIN.format(port)):
            yield port
    elif kind == "nats":
        with nats(folder, port):
            yield port
    else:
        with Iotcore(port=port, listen="127.0.0.1"):
            yield port


@pytest.fixture(params=BROKERS)
def broker(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[int]:
    """The port of each of them."""
    with serving(request.param, tmp_path) as port:
        yield port


@asynccontextmanager
async def kept(
    port: int | Broker, client: str, filters: dict[str, int], **keys: Any
) -> AsyncIterator[tuple[Link, list[Came]]]:
    """A link, and what came in by it."""
    came: list[Came] = []

    async def receive(one: Came) -> None:
        came.append(one)

    broker = port if isinstance(port, Broker) else Broker(f"mqtt://127.0.0.1:{port}")
    link = Link(broker, client, receive, filters, **keys)
    task = asyncio.create_task(link.keep())
    try:
        yield link, came
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_what_is_published_arrives(broker: int) -> None:
    """At either quality, retained where that is wanted."""
    async with kept(broker, "one", {}) as (one, _), kept(broker, "two", {"t/+": 1}) as (two, came):
        await until(lambda: one.online.is_set() and two.online.is_set())
        await one.publish("t/a", b"first")
        one.mention("t/b", b"second")
        await one.publish("t/c", b"third", retain=True)
        await until(lambda: len(came) == 3)
        assert {(m.topic, m.payload) for m in came} == {("t/a", b"first"), ("t/b", b"second"), ("t/c", b"third")}
        async with kept(broker, "three", {"t/+": 1}) as (_, late):
            await until(lambda: late)
            assert [(m.payload, m.retained) for m in late] == [(b"third", True)]


async def test_what_was_not_said_to_be_done_is_given_again(broker: int) -> None:
    """To whoever comes back under the same name; and what came meanwhile with it."""
    reading = {"session": 3600, "manual": True, "at_most": 500}
    async with kept(broker, "writer", {}) as (writer, _):
        await until(writer.online.is_set)
        async with kept(broker, "slot", {"t": 1}, **reading) as (first, came):
            await until(first.online.is_set)
            for number in range(3):
                await writer.publish("t", b"%d" % number)
            await until(lambda: len(came) == 3)
            came[0].done()
            await asyncio.sleep(0.2)
        await writer.publish("t", b"3")
        async with kept(broker, "slot", {"t": 1}, **reading) as (_, again):
            await until(lambda: {m.payload for m in again} >= {b"1", b"2", b"3"}, 45)
            assert b"0" not in {m.payload for m in again}
            for message in again:
                message.done()
            await asyncio.sleep(0.2)
        async with kept(broker, "slot", {"t": 1}, **reading) as (third, nothing):
            await until(third.online.is_set)
            await asyncio.sleep(0.5)
            assert nothing == []


async def test_a_broker_that_comes_back_is_found_again(tmp_path: Path) -> None:
    """And `connected` runs at each connection."""
    begun, port = 0, free_port()

    async def connected() -> None:
        nonlocal begun
        begun += 1

    async with kept(port, "one", {"t": 1}, connected=connected) as (link, came):
        await until(lambda: link.trouble != "not connected yet")
        with pytest.raises(LinkFailed, match="no connection"):
            await link.publish("t", b"lost")
        for number in (1, 2):
            with mosquitto(tmp_path, PLAIN.format(port)):
                await until(lambda number=number: begun == number)  # type: ignore[misc]
                await link.publish("t", b"back")
                await until(lambda number=number: len(came) == number)  # type: ignore[misc]
            await until(lambda: not link.online.is_set())


async def test_an_end_that_comes_with_a_broken_connection_is_one(tmp_path: Path) -> None:
    """Whoever cancels the link at the moment the broker goes is not left waiting for it."""
    for at in range(12):
        port = free_port()
        with mosquitto(tmp_path, PLAIN.format(port)):
            link = Link(Broker(f"mqtt://127.0.0.1:{port}"), "one", _nobody, {"t": 1})
            task = asyncio.create_task(link.keep())
            await until(link.online.is_set)
        for _ in range(at):
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=5)
        assert done, f"after {at} turns of the loop"


async def _nobody(came: Came) -> None:
    """Reads nothing."""


async def test_a_topic_that_may_not_be_written_is_loud(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mistyped rule would lose everything in silence. The first time is an error, and so is one that cannot be read;
    the rest goes on."""
    (tmp_path / "rules").write_text("topic readwrite good\ntopic write deaf\n")
    (tmp_path / "rules").chmod(0o644)
    port = free_port()
    with mosquitto(tmp_path, RULES.format(port)):
        async with kept(port, "one", {"good": 1}) as (link, came):
            await until(link.online.is_set)
            for _ in range(2):
                with pytest.raises(NotAllowed, match="not authorized"):
                    await link.publish("obsrevations", b"lost")
            await link.publish("good", b"found")
            await until(lambda: came)
            assert link.refused == {"obsrevations": "not authorized"}
        said = [one for one in caplog.records if one.levelno == logging.ERROR]
        assert len(said) == 1
        assert "refuses us obsrevations: not authorized. Are its access rules right?" in said[0].getMessage()


async def test_a_broker_that_bars_a_topic_for_a_moment_is_asked_again(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As one does whose servers elect a leader: it says no reason, and no access rule is wrong."""
    caplog.set_level(logging.INFO)
    monkeypatch.setattr("monitor.places.link.ASK_AGAIN", 0.05)
    answers = [0x80, 1]

    async def part(client: Client) -> None:
        await client.packet()
        await client.say(CONNACK)
        while True:
            subscribe = await client.packet()
            await client.say(bytes((SUBACK, 4)) + subscribe[2:4] + bytes((0, answers.pop(0))))

    async with playing(part) as port, kept(port, "reader", {"a": 1}) as (reader, _):
        await until(lambda: "lets us read a by now" in caplog.text)
        assert reader.refused == {}
        assert not [one for one in caplog.records if one.levelno >= logging.ERROR]


async def test_a_broker_that_goes_on_barring_a_topic_is_loud_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped rule; whatever is meant for us would never arrive."""
    monkeypatch.setattr("monitor.places.link.ASK_AGAIN", 0.05)
    asked = 0

    async def part(client: Client) -> None:
        nonlocal asked
        await client.packet()
        await client.say(CONNACK)
        while True:
            subscribe = await client.packet()
            asked += 1
            await client.say(bytes((SUBACK, 4)) + subscribe[2:4] + bytes((0, 0x80)))

    async with playing(part) as port, kept(port, "reader", {"a": 1}) as (reader, _):
        await until(lambda: asked > 3)
        assert reader.refused == {"a": "reason 0x80: it cannot be read"}
    assert caplog.text.count("Are its access rules right?") == 1


async def test_a_topic_that_nobody_reads_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Once, until somebody does."""
    with serving("mosquitto", tmp_path) as port:
        async with kept(port, "one", {}) as (link, _):
            await until(link.online.is_set)
            for _ in range(2):
                await link.publish("t", b"lost")
            assert link.unread == {"t"}
            assert caplog.text.count("nobody reads t") == 1
            async with kept(port, "two", {"t": 1}) as (two, _):
                await until(two.online.is_set)
                await link.publish("t", b"found")
                assert link.unread == set()


@pytest.mark.parametrize("way", [Way.DEAF, Way.MUTE, Way.SWALLOWS], ids=lambda way: str(way.name))
async def test_a_wire_that_swallows_is_noticed(way: Way, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was not acknowledged did not arrive, as far as anybody knows; a new connection is made."""
    with serving("mosquitto", tmp_path) as port:
        async with proxied(port) as wire, kept(wire.port, "one", {"t": 1}) as (link, came):
            await until(link.online.is_set)
            monkeypatch.setattr("monitor.lasting.PATIENCE", 0.4)
            wire.way = way
            with pytest.raises(LinkFailed, match="did not acknowledge"):
                await link.publish("t", b"1")
            wire.way = Way.WELL
            monkeypatch.setattr("monitor.lasting.PATIENCE", 10.0)
            await until(lambda: not link.online.is_set())
            await until(link.online.is_set)
            await link.publish("t", b"2")
            await until(lambda: b"2" in [m.payload for m in came])


async def test_the_broker_says_for_us_that_we_are_gone(tmp_path: Path) -> None:
    """When the connection breaks without a word."""
    with serving("mosquitto", tmp_path) as port:
        async with kept(port, "two", {"gone": 1}) as (two, came):
            await until(two.online.is_set)
            async with proxied(port) as wire, kept(wire.port, "one", {}, will=lambda: ("gone", b"one")) as (one, _):
                await until(one.online.is_set)
                await wire.cut()
                await until(lambda: came)
            assert came[0].payload == b"one"
