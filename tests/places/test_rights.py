"""The brokers as they are shipped: over TLS, each place under its own name and no other."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trustme

from monitor.config import Broker
from monitor.places import topics
from monitor.places.link import NotAllowed
from tests.notify.test_mqtt import mosquitto, until
from tests.places.core import PLACE, agent, asking, core, listener
from tests.places.test_link import kept
from tests.processes.running import free_port
from tests.programs import path_of, running

DEPLOY = Path(__file__).parents[2] / "deploy"
HEARD = {topics.of_kind(topics.Kind.HEARTBEAT): 1, topics.of_shard(topics.shard_of("porto")): 1}
PASSWORDS = {"core": "the-word-of-the-core", PLACE: "the-word-of-lisbon"}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, trustme.CA]:
    """Who vouches for the broker, and a folder with its certificates."""
    folder, ca = tmp_path_factory.mktemp("certificates"), trustme.CA()
    ca.cert_pem.write_to_path(str(folder / "ca.pem"))
    server = ca.issue_cert("localhost", "127.0.0.1")
    (folder / "server.pem").write_bytes(b"".join(one.bytes() for one in server.cert_chain_pems))
    server.private_key_pem.write_to_path(str(folder / "server.key"))
    return folder, ca


@contextmanager
def shipped(kind: str, folder: Path, certificates: Path) -> Iterator[int]:
    """The broker of `deploy/`, with the paths of this machine; its port."""
    for file in certificates.iterdir():
        shutil.copy(file, folder)
    port = free_port()
    if kind == "mosquitto":
        lines = (DEPLOY / "mosquitto" / "places.conf").read_text()
        shutil.copy(DEPLOY / "mosquitto" / "places.acl", folder)
        for number, (name, word) in enumerate(PASSWORDS.items()):
            made = ["-b", *(["-c"] if number == 0 else []), "places.passwd", name, word]
            subprocess.run([path_of("mosquitto_passwd"), *made], cwd=folder, check=True, capture_output=True)
        lines = lines.replace("listener 8883", f"listener {port} 127.0.0.1")
        lines = lines.replace("/etc/mosquitto/", f"{folder}/").replace("/var/lib/mosquitto/", f"{folder}/")
        with mosquitto(folder, lines):
            yield port
        return
    text = (DEPLOY / "nats" / "places.conf").read_text()
    text = text.replace("/etc/nats/", f"{folder}/").replace("/var/lib/nats", f"{folder}/js")
    text = text.replace("port: 8883", f"host: 127.0.0.1, port: {port}").replace("4222", str(free_port()))
    (folder / "nats.conf").write_text(text)
    log, program = folder / "nats.log", shutil.which("nats-server")
    assert program is not None
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CORE_PASSWORD", PASSWORDS["core"])
        patch.setenv("LISBON_PASSWORD", PASSWORDS[PLACE])
        with running(program, "-c", "nats.conf", log=log, ready=lambda: "Server is ready" in log.read_text()):
            yield port


@pytest.fixture(
    params=[
        "mosquitto",
        pytest.param(
            "nats",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not shutil.which("nats-server"), reason="NATS is not installed"),
            ],
        ),
    ]
)
def broker(request: pytest.FixtureRequest, tmp_path: Path, authority: tuple[Path, trustme.CA]) -> Iterator[str]:
    """The kind of each, and its port; `of` makes what a user connects with."""
    folder = tmp_path / "broker"
    folder.mkdir()
    with shipped(request.param, folder, authority[0]) as port:
        yield f"{request.param} {port}"


@pytest.fixture
def ca_file(authority: tuple[Path, trustme.CA]) -> str:
    return str(authority[0] / "ca.pem")


def user(name: str, broker: str, ca_file: str) -> Broker:
    """How somebody connects there."""
    return Broker(f"mqtts://localhost:{broker.split()[1]}", name, PASSWORDS[name], ca_file)


async def test_core_and_agent_need_no_more_than_that(broker: str, ca_file: str, tmp_path: Path) -> None:
    """Everything that they say to each other passes, and nothing is refused."""
    async with listener() as open_port, core(user("core", broker, ca_file)) as there:
        async with agent(0, tmp_path / "data", broker=user(PLACE, broker, ca_file)) as here:
            await there.tell(asking({"open": open_port}))
            await until(lambda: len(there.seen) > 5 and here.sending.through > 3 and here.skew.ahead is not None, 30)
            assert there.link.refused == here.link.refused == {}
        await until(lambda: there.gone)
        assert there.whole()


async def test_a_place_cannot_speak_for_another(broker: str, ca_file: str) -> None:
    """It neither writes under another name, nor what the core says, nor reads what others are told."""
    kind = broker.split()[0]
    foreign = {topics.configuration("porto"): 1, topics.orders("porto"): 1, "vtex-monitor/#": 1}
    there = Broker(user(PLACE, broker, ca_file).url, PLACE, PASSWORDS[PLACE], ca_file)
    async with (
        kept(there, "spy", foreign) as (spy, came),
        kept(user("core", broker, ca_file), "c", HEARD) as (core, heard),
    ):
        await until(lambda: spy.online.is_set() and core.online.is_set())
        for topic in (topics.observations("porto"), topics.heartbeat("porto"), topics.configuration(PLACE), "else"):
            if kind == "mosquitto":  # MQTT 5 says so; before it one is merely not heard
                with pytest.raises(NotAllowed, match="not authorized"):
                    await spy.publish(topic, b"forged")
            else:
                spy.mention(topic, b"forged")
        await core.publish(topics.orders("porto"), b"for porto")
        await core.publish(topics.configuration("porto"), b"for porto", retain=True)
        await asyncio.sleep(0.5)
        assert came == heard == []


async def test_nobody_gets_in_without_a_password_or_with_another(broker: str, ca_file: str) -> None:
    """And the link says so instead of trying in silence."""
    for broken in (
        Broker(f"mqtts://localhost:{broker.split()[1]}", ca_file=ca_file),
        Broker(f"mqtts://localhost:{broker.split()[1]}", PLACE, "another word", ca_file),
    ):
        async with kept(broken, "nobody", {}) as (link, _):
            await until(lambda link=link: link.trouble != "not connected yet", 20)  # type: ignore[misc]
            assert not link.online.is_set()
            assert "another word" not in (link.trouble or "")
