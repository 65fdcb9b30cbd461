"""The mqtt channel against real brokers: Mosquitto in both versions of the protocol, in TLS, with rights, restarted and
frozen; and the broker from pip."""

import asyncio
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiomqtt
import pytest
import trustme
from iotcore import Broker
from jinja2 import Template

from monitor.notify.channel import DeliveryFailed, Message
from monitor.notify.discovery import STATE
from monitor.notify.mqtt import Mqtt
from tests.processes.running import free_port
from tests.programs import path_of, running

PREFIX = "vtex-status"
DEFAULTS: dict[str, Any] = {
    "prefix": PREFIX,
    "username": None,
    "password": None,
    "ca_file": None,
    "cert_file": None,
    "key_file": None,
    "verify": True,
    "discovery": None,
    "language": "en",
}


@contextmanager
def mosquitto(folder: Path, lines: str) -> Iterator[subprocess.Popen[bytes]]:
    """A broker of this configuration."""
    (folder / "mosquitto.conf").write_text(f"user root\n{lines}")
    log = folder / "log"
    log.write_text("")

    def ready() -> bool:
        return " running" in log.read_text(errors="replace")

    with running(path_of("mosquitto"), "-c", "mosquitto.conf", log=log, ready=ready) as process:
        yield process


@pytest.fixture(scope="module")
def broker() -> Iterator[int]:
    """The port of a plain broker; another listener lets nobody write `notices`."""
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), free_port()
        with mosquitto(folder, f"listener {port} 127.0.0.1\nallow_anonymous true\n"):
            yield port


@asynccontextmanager
async def channel(port: int, scheme: str = "mqtt", client: str = "", **keys: Any) -> AsyncIterator[Mqtt]:
    """The channel as the configuration makes it."""
    one = Mqtt(SimpleNamespace(**{**DEFAULTS, "url": f"{scheme}://localhost:{port}", **keys}))
    one.client = client
    try:
        yield one
    finally:
        await one.close()


def notice(number: int = 1, event: str = "opened") -> Message:
    """A notice of an incident."""
    payload = {"event_id": f"k3f09a-{number}", "dedup_key": "k3f09a", "seq": number, "text": {"en": "Checkout – down"}}
    return Message(payload, event, "en", "Checkout down", "")


class Reader:
    """Somebody who reads everything below the prefix."""

    def __init__(self) -> None:
        self.came: list[aiomqtt.Message] = []

    def of(self, topic: str) -> list[bytes]:
        return [bytes(one.payload) for one in self.came if one.topic.value == f"{PREFIX}/{topic}"]  # type: ignore[arg-type]


@asynccontextmanager
async def reading(port: int, version: int = 5, prefix: str = PREFIX) -> AsyncIterator[Reader]:
    """Reads along."""
    found, protocol = Reader(), aiomqtt.ProtocolVersion.V5 if version == 5 else aiomqtt.ProtocolVersion.V311

    async def read(client: aiomqtt.Client) -> None:
        async for message in client.messages:
            found.came.append(message)

    async with aiomqtt.Client("127.0.0.1", port, protocol=protocol) as client:
        await client.subscribe(f"{prefix}/#", qos=1)
        task = asyncio.create_task(read(client))
        try:
            yield found
        finally:
            task.cancel()
            await asyncio.wait({task})


async def until(seen: Callable[[], object], limit: float = 10) -> None:
    """Waits for a state, not for a time."""
    async with asyncio.timeout(limit):
        while not seen():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def test_a_notice_arrives_with_its_id_and_its_time(broker: int) -> None:
    """At QoS 1, as JSON; MQTT 5 says the id beside it, and when it is of no use any more."""
    async with reading(broker) as reader, channel(broker) as mqtt:
        await mqtt.deliver(notice())
        await until(lambda: reader.of("notices"))
        (message,) = [one for one in reader.came if one.topic.value == f"{PREFIX}/notices"]
        assert json.loads(bytes(message.payload))["text"]["en"] == "Checkout – down"  # type: ignore[arg-type]
        properties = message.properties
        assert ("event_id", "k3f09a-1") in properties.UserProperty  # type: ignore[union-attr]
        assert 3 * 86_400 - 60 < properties.MessageExpiryInterval <= 3 * 86_400  # type: ignore[union-attr]
        assert message.qos == 1


async def test_states_are_retained_until_they_are_gone(broker: int) -> None:
    """A reader who comes later has them; an incident that is over is cleared; `monitor` says whether we are here."""
    async with channel(broker, prefix="kept") as mqtt:
        mqtt.show({"modules/checkout": b'{"status":"down"}', "incidents/k3f09a": b'{"id":"k3f09a"}'})
        await until(lambda: len(mqtt._shown) == 2)
        async with reading(broker, prefix="kept") as late:
            await until(lambda: len(late.came) == 3)
            found = {one.topic.value: (bytes(one.payload), one.retain) for one in late.came}  # type: ignore[arg-type]
        assert found == {
            "kept/monitor": (b"online", True),
            "kept/modules/checkout": (b'{"status":"down"}', True),
            "kept/incidents/k3f09a": (b'{"id":"k3f09a"}', True),
        }
        mqtt.show({"modules/checkout": b'{"status":"up"}'})
        await until(lambda: len(mqtt._shown) == 1)
    async with reading(broker, prefix="kept") as late:
        await until(lambda: len(late.came) == 2)
        found = {one.topic.value: (bytes(one.payload), one.retain) for one in late.came}  # type: ignore[arg-type]
    assert found == {"kept/monitor": (b"offline", True), "kept/modules/checkout": (b'{"status":"up"}', True)}


async def test_an_incident_that_ended_while_nobody_was_here_is_cleared(broker: int) -> None:
    """The next monitor finds its topic still there."""
    async with channel(broker, prefix="left") as mqtt:
        mqtt.show({"incidents/gone": b"{}"})
        await until(lambda: "left/incidents/gone" in mqtt._shown)
    async with channel(broker, prefix="left") as mqtt:
        mqtt.show({"modules/checkout": b"{}"})
        await until(lambda: set(mqtt._shown) == {"left/modules/checkout"})
        await mqtt.deliver(notice())
        async with reading(broker, prefix="left") as late:
            await until(lambda: len(late.came) == 2)
            assert {one.topic.value for one in late.came} == {"left/monitor", "left/modules/checkout"}


async def test_two_channels_of_one_broker_leave_each_other_alone(broker: int, caplog: pytest.LogCaptureFixture) -> None:
    """They have names of their own; while one of them is here, `monitor` says so, also when the other has left."""
    caplog.set_level("WARNING")
    async with reading(broker, prefix="both") as reader, channel(broker, prefix="both", client="one") as stays:
        stays.show({})
        async with channel(broker, prefix="both", client="two") as leaves:
            for number in range(3):
                await stays.deliver(notice(number))
                await leaves.deliver(notice(number))
        await until(lambda: [bytes(one.payload) for one in reader.came][-2:] == [b"offline", b"online"])  # type: ignore[arg-type]
    assert not caplog.records
    async with reading(broker, prefix="both") as late:
        await until(lambda: late.came)
        assert bytes(late.came[0].payload) == b"offline"  # type: ignore[arg-type]


@pytest.mark.parametrize("version", [aiomqtt.ProtocolVersion.V5, aiomqtt.ProtocolVersion.V311], ids=["5", "3.1.1"])
async def test_what_people_say_while_the_connection_is_away_is_heard_afterwards(
    broker: int, version: aiomqtt.ProtocolVersion
) -> None:
    """The broker keeps it for the name of this channel, which is the same after a restart."""
    heard = asyncio.Queue[str]()

    async def acknowledged(incident: str, by: str | None) -> None:
        heard.put_nowait(incident)

    kept = {"prefix": f"session{int(version)}", "client": "data:pager"}
    for number in range(3):
        async with channel(broker, **kept) as mqtt:
            mqtt._version, mqtt.acknowledged = version, acknowledged
            mqtt.show({})
            await until(mqtt.online.is_set)
            if number:
                async with asyncio.timeout(10):
                    assert await heard.get() == f"word{number - 1}"
        async with aiomqtt.Client("127.0.0.1", broker) as person:
            word = json.dumps({"incident": f"word{number}"})
            await person.publish(f"{kept['prefix']}/acknowledge", word, qos=1)


async def test_people_say_mine_over_a_topic(broker: int) -> None:
    """Whatever else is published there is passed over, and hostile things are."""
    heard: list[tuple[str, str | None]] = []

    async def acknowledged(incident: str, by: str | None) -> str | None:
        heard.append((incident, by))
        return None

    async with channel(broker, prefix="mine") as mqtt, aiomqtt.Client("127.0.0.1", broker) as person:
        mqtt.acknowledged = acknowledged
        await mqtt.deliver(notice())
        for hostile in (
            *(b"", b"{", b"[]", b"null", b'"x"', b'{"incident": 5}', b'{"incident": ["a"], "by": "x"}', b"\xff\xfe"),
            *(b"[" * 4000, b"x" * 1_000_000, json.dumps({"incident": "a" * 100}).encode()),
            json.dumps({"incident": "k3f09a", "by": {"name": "Ana"}}).encode(),
        ):
            await person.publish("mine/acknowledge", hostile, qos=1)
        await person.publish("mine/acknowledge", json.dumps({"incident": "k3f09a", "by": "Ana"}), qos=1)
        await person.publish("mine/acknowledge", json.dumps({"incident": "\ud800"}), qos=1)
        await person.publish("mine/acknowledge", json.dumps({"incident": "other"}), qos=1, retain=True)
        await until(lambda: len(heard) == 2)
    async with channel(broker, prefix="mine") as again:  # what was left there is no new word
        again.acknowledged = acknowledged
        await again.deliver(notice())
        async with aiomqtt.Client("127.0.0.1", broker) as person:
            await person.publish("mine/acknowledge", b"", qos=1, retain=True)
            await person.publish("mine/acknowledge", json.dumps({"incident": "third"}), qos=1)
        await until(lambda: len(heard) > 2)
    assert heard.pop() == ("third", None)
    assert heard == [("k3f09a", "Ana"), ("other", None)]


@pytest.mark.parametrize("version", [5, 4], ids=["5", "3.1.1"])
async def test_a_word_is_heard_whatever_else_comes_in(
    broker: int, version: int, caplog: pytest.LogCaptureFixture
) -> None:
    """While one word is slow to be followed, and hundreds of states come back from the broker; garbage by the hundred
    leaves one line in the log."""
    caplog.set_level("WARNING")
    heard, goes_on = list[str](), asyncio.Event()

    async def acknowledged(incident: str, by: str | None) -> str | None:
        heard.append(incident)
        await goes_on.wait()
        return None

    prefix = f"busy{version}"
    async with channel(broker, prefix=prefix) as mqtt, aiomqtt.Client("127.0.0.1", broker) as person:
        mqtt._version = aiomqtt.ProtocolVersion(version)
        mqtt.acknowledged = acknowledged
        await mqtt.deliver(notice())
        await person.publish(f"{prefix}/acknowledge", b'{"incident": "slow"}', qos=1)
        await until(lambda: heard == ["slow"])
        states = {f"modules/m{number}": json.dumps({"n": number}).encode() for number in range(400)}
        mqtt.show(states)
        await until(lambda: len(mqtt._shown) == len(states), 20)
        await person.publish(f"{prefix}/acknowledge", b'{"incident": "next"}', qos=1)
        goes_on.set()
        await until(lambda: heard == ["slow", "next"])
        for _ in range(300):
            await person.publish(f"{prefix}/acknowledge", b"garbage", qos=0)
        await person.publish(f"{prefix}/acknowledge", b'{"incident": "last"}', qos=1)
        await until(lambda: heard[-1] == "last" or "more than can be followed" in caplog.text)
    assert len(caplog.records) == 1


async def test_a_broker_that_forgot_everything_is_told_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its restart, and a notice that waited goes out then."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 2.0)
    monkeypatch.setattr("monitor.lasting.LONGEST_PAUSE", 0.5)
    port = free_port()
    lines = f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
    async with channel(port) as mqtt:
        mqtt.show({})
        with pytest.raises(DeliveryFailed, match="no connection to the broker"):
            await mqtt.deliver(notice())
        for _ in range(2):
            with mosquitto(tmp_path, lines):
                mqtt.show({"modules/checkout": b'{"status":"down"}'})
                await until(mqtt.online.is_set, 20)
                async with reading(port) as reader:
                    await until(lambda: len(reader.came) == 2)
                    await mqtt.deliver(notice())
                    await until(lambda: reader.of("notices"))
            await until(lambda: not mqtt.online.is_set(), 20)


async def test_a_topic_we_may_not_write_to_is_told(tmp_path: Path) -> None:
    """The broker takes the message and says no; that is no delivery."""
    port = free_port()
    (tmp_path / "rights").write_text(f"topic readwrite {PREFIX}/monitor\ntopic read {PREFIX}/#\n")
    with mosquitto(tmp_path, f"listener {port} 127.0.0.1\nallow_anonymous true\nacl_file rights\n"):
        async with channel(port) as mqtt:
            with pytest.raises(DeliveryFailed, match=f"refuses {PREFIX}/notices: not authorized"):
                await mqtt.deliver(notice())


async def test_a_crash_leaves_the_last_will(broker: int) -> None:
    """Nobody had to say goodbye."""
    async with channel(broker, prefix="will") as mqtt, reading(broker, prefix="will") as reader:
        await mqtt.deliver(notice())
        assert mqtt._client is not None
        mqtt._client._client.socket().shutdown(2)  # type: ignore[union-attr]
        await until(lambda: [one for one in reader.came if bytes(one.payload) == b"offline"])  # type: ignore[arg-type]
        await until(lambda: bytes(reader.came[-1].payload) == b"online")  # type: ignore[arg-type]


async def test_a_broker_that_is_frozen_is_no_delivery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes the bytes and never acknowledges."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 0.5)
    port = free_port()
    with mosquitto(tmp_path, f"listener {port} 127.0.0.1\nallow_anonymous true\n") as process:
        async with channel(port) as mqtt:
            mqtt.show({})
            await until(mqtt.online.is_set)
            os.kill(process.pid, signal.SIGSTOP)
            try:
                with pytest.raises(DeliveryFailed, match="did not acknowledge"):
                    await mqtt.deliver(notice())
            finally:
                os.kill(process.pid, signal.SIGCONT)


async def test_a_broker_of_the_older_version_is_spoken_to_as_well() -> None:
    """The one from pip closes where it should refuse; then the other version is tried."""
    port = free_port()
    with Broker(port=port, listen="127.0.0.1"):
        async with channel(port) as mqtt, reading(port, 4) as reader:
            mqtt.show({"modules/checkout": b"{}"})
            await until(mqtt.online.is_set)
            await mqtt.deliver(notice())
            await until(lambda: reader.of("notices"))
            assert mqtt._version is aiomqtt.ProtocolVersion.V311


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library drops sockets it refuses
async def test_tls_asks_for_certificates_on_both_sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ours is shown, theirs is checked unless the configuration says otherwise."""
    monkeypatch.setattr("monitor.lasting.PATIENCE", 3.0)
    ours, port = trustme.CA(), free_port()
    leaf, mine = ours.issue_cert("localhost"), ours.issue_cert("monitor@example.com")
    ours.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "chain.pem"))
    mine.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "mine.pem"))
    files = "cafile ca.pem\ncertfile chain.pem\nkeyfile key.pem\nrequire_certificate true\n"
    with mosquitto(tmp_path, f"listener {port} 127.0.0.1\nallow_anonymous true\n{files}"):
        both = {"ca_file": str(tmp_path / "ca.pem"), "cert_file": str(tmp_path / "mine.pem")}
        async with channel(port, "mqtts", **both) as mqtt:
            await mqtt.deliver(notice())
        async with channel(port, "mqtts", verify=False, cert_file=both["cert_file"]) as mqtt:
            await mqtt.deliver(notice())
        async with channel(port, "mqtts", cert_file=both["cert_file"]) as mqtt:
            with pytest.raises(DeliveryFailed, match=r"(?i)certificate"):
                await mqtt.deliver(notice())


HUB = "homeassistant"
MODULE = json.dumps({"id": "catalog", "name": {"pt-BR": "Catálogo", "en": "Catalog"}, "status": "up"}).encode()


async def test_a_hub_finds_every_module_and_forgets_it_when_it_is_gone(broker: int) -> None:
    """One retained message each, which names the topics of its state; also what left while nobody was here."""
    async with reading(broker, prefix=HUB) as reader:

        def retained(id: str) -> list[bytes]:
            suffix = f"/{id}/config"
            return [bytes(one.payload) for one in reader.came if one.topic.value.endswith(suffix)]  # type: ignore[arg-type]

        async with channel(broker, discovery=HUB, prefix="shop") as mqtt:
            mqtt.show({"modules/catalog": MODULE, "modules/search": MODULE.replace(b"catalog", b"search")})
            await until(lambda: retained("catalog") and retained("search"))
        entity = json.loads(retained("catalog")[0])
        assert (entity["name"], entity["device_class"]) == ("Catalog", "problem")
        assert (entity["state_topic"], entity["availability_topic"]) == ("shop/modules/catalog", "shop/monitor")
        ids = [json.loads(retained(one)[0])["unique_id"] for one in ("catalog", "search")]
        assert len(set(ids)) == 2
        async with channel(broker, discovery=HUB, prefix="shop") as mqtt:
            mqtt.show({"modules/catalog": MODULE})
            await until(lambda: retained("search")[-1] == b"")
        assert retained("catalog")[-1] != b""


@pytest.mark.parametrize(("status", "shown"), [("down", "ON"), ("degraded", "ON"), ("up", "OFF"), ("unknown", "None")])
def test_a_hub_reads_a_status_as_a_problem(status: str, shown: str) -> None:
    """The template is Jinja, as the hub reads it."""
    assert Template(STATE).render(value_json={"status": status}) == shown
