"""The mqtt prober: against a real broker over every kind of connection, and against brokers that misbehave."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from iotcore import Broker

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result, judge
from monitor.core.observation import Observation, observation_to_json
from monitor.core.probe import Probe
from monitor.metrics.facts import facts
from monitor.probers import Reach
from monitor.probers import packet as packets
from monitor.probers.failure import Stopped
from monitor.probers.packet import V3, V5
from tests.config.support import probe_of
from tests.depth import examples
from tests.processes.running import free_port

from .authorities import NAME, Authorities
from .brokers import PASSWORD, USER, Client, mosquitto, playing
from .looking import LIMIT, LagSampler, reaching, seen
from .misbehaving import WAYS, answer, redirect, served


def asking(url: str, keys: str = "", limit: float = LIMIT, private: bool = True) -> Probe:
    """A probe as the configuration makes it."""
    allowed = "allow_private: true\n" if private else ""
    probe = probe_of(f"kind: mqtt\nurl: {json.dumps(url)}\n{allowed}{keys}")
    return replace(probe, timeout=timedelta(seconds=limit))


async def asked(reach: Reach, port: int, **options: float) -> tuple[Observation, Result]:
    return await seen(reach, asking(f"mqtt://127.0.0.1:{port}", **options))  # type: ignore[arg-type]


# -- a real broker -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, authorities: Authorities) -> Iterator[dict[str, int]]:
    """A Mosquitto, the port of each listener by its name."""
    with mosquitto(tmp_path_factory.mktemp("mosquitto"), authorities) as ports:
        yield ports


@pytest.mark.parametrize(
    ("scheme", "listener"), [("mqtt", "plain"), ("mqtts", "tls"), ("ws", "ws"), ("wss", "wss")], ids=lambda one: one
)
async def test_a_message_comes_back(
    broker: dict[str, int], authorities: Authorities, scheme: str, listener: str
) -> None:
    """By every way in, the name asked for kept while another address is dialled."""
    port = broker[listener]
    connect_to = ((f"{NAME}:{port}", f"127.0.0.1:{port}"),)
    async with reaching(connect_to=connect_to, ca_file=authorities.ca_file) as reach:
        probe = asking(f"{scheme}://{NAME}:{port}/mqtt", limit=5, private=False)
        steps: list[str] = []
        observation, result = await seen(reach, probe, trace=steps.append)
    secure = scheme in ("mqtts", "wss")
    assert result.outcome is Outcome.PASSED, (result, steps)
    assert observation.address == f"127.0.0.1:{port}"
    assert list(observation.phases) == ["resolve", "connect", *(["tls"] if secure else []), "processing"]
    assert (observation.certificate is not None) == secure
    said = [step.split("ms  ")[1] for step in steps]
    assert "welcomed, in MQTT 5" in said
    assert {"the message came back", "the broker took the message (reason 0x00)"} <= set(said)
    assert "probe_ip_protocol" in {name for name, _ in facts(probe, observation, result)}


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (f"username: {USER}\npassword: {PASSWORD}", None),
        (f"username: {USER}\npassword: wrong-pass", "self.config"),
        (f"username: {USER}", "self.config"),
        (f"password: {PASSWORD}", "self.config"),
        ("", "self.config"),
    ],
)
async def test_credentials_are_ours(broker: dict[str, int], reach: Reach, keys: str, code: str | None) -> None:
    """Wrong ones blame nobody but the probe, and are never shown."""
    steps: list[str] = []
    probe = asking(f"mqtt://127.0.0.1:{broker['locked']}", keys, limit=5)
    observation, result = await seen(reach, probe, trace=steps.append)
    assert result.code == code, result
    if code is not None:
        assert (result.outcome, result.blame) == (Outcome.UNKNOWN, Blame.SELF)
    shown = json.dumps([observation_to_json(observation), steps], ensure_ascii=False)
    assert PASSWORD not in shown
    assert "wrong-pass" not in shown


async def test_credentials_may_stand_in_the_address(broker: dict[str, int], reach: Reach) -> None:
    """As URLs write them."""
    url = f"mqtt://{USER}:pass-word-%C3%A3@127.0.0.1:{broker['locked']}"
    assert (await seen(reach, asking(url, limit=5)))[1].outcome is Outcome.PASSED


async def test_a_topic_that_we_may_not_publish_under_is_ours(broker: dict[str, int], reach: Reach) -> None:
    """The broker takes the connection and refuses the message, which only version 5 tells."""
    port = broker["wall"]
    _, result = await seen(reach, asking(f"mqtt://127.0.0.1:{port}", limit=5))
    assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)
    assert "to publish to monitor/probe/" in result.reasons[0]
    _, result = await seen(reach, asking(f"mqtt://127.0.0.1:{port}", "topic: open/door", limit=5))
    assert result.outcome is Outcome.PASSED


async def test_other_messages_are_not_ours(broker: dict[str, int], reach: Reach) -> None:
    """Fifty probes of one topic at a time do not take each other's messages."""
    probe = asking(f"mqtt://127.0.0.1:{broker['plain']}", limit=10)
    results = await asyncio.gather(*(seen(reach, probe) for _ in range(50)))
    assert {result.outcome for _, result in results} == {Outcome.PASSED}


async def test_certificates_are_checked(broker: dict[str, int], authorities: Authorities, reach: Reach) -> None:
    """For the name that was asked, by the authorities that are trusted."""
    port = broker["tls"]
    _, result = await seen(reach, asking(f"mqtts://127.0.0.1:{port}", limit=5))
    assert result.code == "tls.unknown_issuer"
    async with reaching(ca_file=authorities.ca_file) as trusting:
        observation, result = await seen(trusting, asking(f"mqtts://127.0.0.1:{port}", limit=5))
    assert result.code == "tls.hostname_mismatch"
    assert observation.certificate is not None
    _, result = await seen(reach, asking(f"mqtts://127.0.0.1:{broker['plain']}", limit=5))
    assert result.code in ("tls.closed", "tls.protocol")
    _, result = await seen(reach, asking(f"mqtt://127.0.0.1:{port}", limit=5))
    assert result.code in ("http.closed", "http.malformed", "http.reset")


# -- brokers that misbehave --------------------------------------------------------------------------------------------

WELCOME5, WELCOME3 = b"\x20\x03\x00\x00\x00", b"\x20\x02\x00\x00"


def subscribed(reason: int = 0x01) -> bytes:
    return b"\x90\x04\x00\x01\x00" + bytes([reason])


def welcome_of(reason: int) -> bytes:
    return b"\x20\x03\x00" + bytes([reason]) + b"\x00"


def echo(publish: bytes) -> bytes:
    """The message as a broker sends it on: QoS 0, so without its number."""
    length = int.from_bytes(publish[2:4])
    topic, rest = publish[2 : 4 + length], publish[4 + length + 2 :]
    return bytes([0x30, len(topic) + len(rest)]) + topic + rest


async def polite(client: Client, *, first: bytes = WELCOME5) -> bytes:
    """Up to the message, which is returned."""
    await client.packet()
    await client.say(first)
    await client.packet()
    await client.say(subscribed())
    return await client.packet()


async def silent(client: Client) -> None:
    await client.packet()
    await asyncio.sleep(60)


async def silent_after_welcome(client: Client) -> None:
    await client.packet()
    await client.say(WELCOME5)
    await asyncio.sleep(60)


async def keeps_the_message(client: Client) -> None:
    await polite(client)
    await client.say(b"\x40\x02\x00\x02")
    await asyncio.sleep(60)


async def knows_nobody(client: Client) -> None:
    await polite(client)
    await client.say(b"\x40\x04\x00\x02\x10\x00")
    await asyncio.sleep(60)


async def acknowledges_another(client: Client) -> None:
    await client.say(b"\x40\x02\x77\x77", echo(await polite(client)))
    await asyncio.sleep(60)


async def refuses_another(client: Client) -> None:
    sent = echo(await polite(client))
    await client.say(b"\x40\x03\x77\x77\x97", b"\x40\x02\x00\x02", sent)
    await asyncio.sleep(60)


async def confirms_another(client: Client) -> None:
    await client.packet()
    await client.say(WELCOME5)
    await client.packet()
    await client.say(b"\x90\x04\x77\x77\x00\x01")
    await asyncio.sleep(60)


async def never_acknowledges(client: Client) -> None:
    await client.say(echo(await polite(client)))
    await asyncio.sleep(60)


async def sends_another_message(client: Client) -> None:
    sent = echo(await polite(client))
    await client.say(b"\x40\x02\x00\x02", sent[:-1] + b"?", b"\x30\x05\x00\x01a\x00x")
    await asyncio.sleep(60)


async def closes(client: Client) -> None:
    await client.packet()


async def closes_after_welcome(client: Client) -> None:
    await client.packet()
    await client.say(WELCOME5)
    await client.packet()


async def says_goodbye(client: Client) -> None:
    await polite(client)
    await client.say(b"\xe0\x02\x8b\x00")
    await asyncio.sleep(60)


async def floods_with_pings(client: Client) -> None:
    await polite(client)
    while True:
        await client.say(b"\xd0\x00" * 5000)


async def sends_a_giant(client: Client) -> None:
    await client.packet()
    await client.say(b"\x20\xff\xff\xff\x7f" + b"x" * 100_000)
    await asyncio.sleep(60)


async def has_no_length(client: Client) -> None:
    await client.packet()
    await client.say(b"\x20\xff\xff\xff\xff\xff\xff")
    await asyncio.sleep(60)


async def speaks_http(client: Client) -> None:
    await client.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await asyncio.sleep(60)


async def welcomes_too_shortly(client: Client) -> None:
    await client.packet()
    await client.say(b"\x20\x00")
    await asyncio.sleep(60)


async def cuts_a_message_off(client: Client) -> None:
    await polite(client)
    await client.say(b"\x30\x03\xff\xffa")
    await asyncio.sleep(60)


@pytest.mark.parametrize(
    ("part", "code", "said"),
    [
        (silent, "http.ttfb_timeout", f"no welcome (CONNACK) within {LIMIT:g} s"),
        (silent_after_welcome, "http.transfer_timeout", "not confirmed (SUBACK)"),
        (keeps_the_message, "http.transfer_timeout", f"took the message, but did not send it back within {LIMIT:g} s"),
        (knows_nobody, "http.transfer_timeout", "said that nobody listens"),
        (acknowledges_another, "http.malformed", "it confirms packet 30,583, which was never sent"),
        (refuses_another, "http.malformed", "which was never sent"),
        (confirms_another, "http.malformed", "which was never sent"),
        (never_acknowledges, "http.transfer_timeout", "no PUBACK"),
        (sends_another_message, "http.transfer_timeout", "did not send it back"),
        (closes, "http.closed", "before the welcome"),
        (closes_after_welcome, "http.closed", "after the welcome"),
        (says_goodbye, "http.503", "it is shutting down"),
        (floods_with_pings, "http.malformed", "packets"),
        (sends_a_giant, "http.malformed", "bytes"),
        (has_no_length, "http.malformed", "length without an end"),
        (speaks_http, "http.malformed", "not MQTT"),
        (welcomes_too_shortly, "http.malformed", "kind 2 with 0 bytes"),
        (cuts_a_message_off, "http.malformed", "cut off"),
    ],
    ids=lambda one: getattr(one, "__name__", "").replace("_", " ") or None,
)
async def test_what_a_broker_does_wrong_is_the_brokers(reach: Reach, part: object, code: str, said: str) -> None:
    """Each in its own words, within the time limit, and nobody else has to wait."""
    async with playing(part) as port, LagSampler() as lag:  # type: ignore[arg-type]
        observation, result = await asked(reach, port)
    assert (result.code, result.outcome, result.blame) == (code, Outcome.FAILED, Blame.TARGET), result
    assert said in result.reasons[0]
    assert observation.duration < LIMIT + 1
    assert lag.worst < 0.15


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (0x80, "http.503"),
        (0x85, "self.config"),
        (0x86, "self.config"),
        (0x87, "self.config"),
        (0x88, "http.503"),
        (0x89, "http.503"),
        (0x8A, "self.config"),
        (0x97, "http.429"),
        (0x9F, "http.429"),
        (0xF7, "http.503"),
    ],
)
async def test_who_is_to_blame_for_a_refusal(reach: Reach, reason: int, code: str) -> None:
    """What we say of ourselves is ours, what it says of itself is its own, and a limit is neither."""

    async def refuses(client: Client) -> None:
        await client.packet()
        await client.say(welcome_of(reason))

    async with playing(refuses) as port:
        _, result = await asked(reach, port)
    assert result.code == code
    assert f"{reason:#04x}" in result.reasons[0]


async def test_a_subscription_that_is_refused_is_ours(reach: Reach) -> None:
    """It is a question of rights."""

    async def refuses(client: Client) -> None:
        await client.packet()
        await client.say(WELCOME5)
        await client.packet()
        await client.say(subscribed(0x87))

    async with playing(refuses) as port:
        _, result = await asked(reach, port)
    assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)


@pytest.mark.parametrize("refusal", [b"\x20\x02\x00\x01", welcome_of(0x84)], ids=["in its own words", "in ours"])
async def test_a_broker_of_the_older_version_is_asked_in_that(reach: Reach, refusal: bytes) -> None:
    """A second connection, since the first is of no more use."""
    levels: list[int] = []

    async def older(client: Client) -> None:
        levels.append((await client.packet())[8])
        if levels[-1] == 5:
            await client.say(refusal)
            return
        await client.say(WELCOME3)
        await client.packet()
        await client.say(b"\x90\x03\x00\x01\x01")
        sent = await client.packet()
        await client.say(b"\x40\x02\x00\x02", echo(sent))
        assert await client.packet() == b"\xe0\x00"

    async with playing(older) as port:
        _, result = await asked(reach, port)
    assert (result.outcome, levels) == (Outcome.PASSED, [5, 4])


async def test_a_real_broker_of_the_older_version(reach: Reach) -> None:
    """It closes where it should refuse; once it is known, the first connection is the right one."""
    port = free_port()
    with Broker(port=port, listen="127.0.0.1"):
        for connections in (2, 1):
            steps: list[str] = []
            _, result = await seen(reach, asking(f"mqtt://127.0.0.1:{port}", limit=5), trace=steps.append)
            assert result.outcome is Outcome.PASSED, (result, steps)
            assert len([step for step in steps if "connected to" in step]) == connections
            assert any("welcomed, in MQTT 3.1.1" in step for step in steps)


async def test_a_broker_that_is_known_to_speak_5_is_not_asked_twice(reach: Reach) -> None:
    """Closing is a fault then, and not hidden by a second try."""
    count = 0

    async def tires(client: Client) -> None:
        nonlocal count
        count += 1
        if count == 1:
            sent = await polite(client)
            await client.say(b"\x40\x02\x00\x02", echo(sent))
            await client.packet()
        else:
            await client.packet()

    async with playing(tires) as port:
        assert (await asked(reach, port))[1].outcome is Outcome.PASSED
        assert (await asked(reach, port))[1].code == "http.closed"
    assert count == 2


async def test_a_broker_that_speaks_neither_version(reach: Reach) -> None:
    """Nothing is asked a third time."""
    count = 0

    async def neither(client: Client) -> None:
        nonlocal count
        count += 1
        await client.packet()
        await client.say(b"\x20\x02\x00\x01")

    async with playing(neither) as port:
        _, result = await asked(reach, port)
    assert (result.code, count) == ("self.config", 2)


async def test_a_message_of_qos_1_is_acknowledged(reach: Reach) -> None:
    """The broker would keep it otherwise, until the session ends."""
    heard: list[bytes] = []

    async def careful(client: Client) -> None:
        sent = await polite(client)
        topic = sent[2 : 4 + int.from_bytes(sent[2:4])]
        await client.say(bytes([0x32, sent[1]]) + topic + b"\x12\x34" + sent[2 + len(topic) + 2 :], b"\x40\x02\x00\x02")
        heard.extend([await client.packet(), await client.packet()])

    async with playing(careful) as port:
        _, result = await asked(reach, port)
        assert result.outcome is Outcome.PASSED, result
        await asyncio.sleep(0.05)
    assert heard == [b"\x40\x02\x12\x34", b"\xe0\x00"]


async def test_who_hangs_up_once_all_is_said_has_done_well(reach: Reach) -> None:
    """Nobody waits for our goodbye."""

    async def hasty(client: Client) -> None:
        sent = await polite(client)
        await client.say(echo(sent), b"\x40\x02\x00\x02")
        client.writer.transport.abort()

    async with playing(hasty) as port:
        results = [(await asked(reach, port))[1] for _ in range(20)]
    assert {result.outcome for result in results} == {Outcome.PASSED}


async def test_a_broker_that_is_not_there(reach: Reach) -> None:
    """A closed port is the target's, an address nobody allowed is ours."""
    port = free_port()
    assert (await asked(reach, port))[1].code == "tcp.refused"
    _, result = await seen(reach, asking(f"mqtt://127.0.0.1:{port}", private=False))
    assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)
    _, result = await seen(reach, asking(f"ws://127.0.0.1:{port}", private=False))
    assert result.code == "self.config"


@pytest.mark.parametrize(
    ("way", "code"),
    [
        (answer(b"hello"), "http.malformed"),
        (answer(b"no", status="401 Unauthorized"), "self.config"),
        (answer(b"no", status="404 Not Found"), "self.config"),
        (answer(b"no", status="502 Bad Gateway"), "http.502"),
        (answer(b"no", status="429 Too Many Requests"), "http.429"),
        (redirect("/elsewhere"), "http.redirect_unexpected"),
        (redirect("http://169.254.169.254/"), "http.redirect_unexpected"),
        (WAYS["silent"], "http.ttfb_timeout"),
        (WAYS["closes after the request"], "http.closed"),
        (WAYS["SSH banner"], "http.malformed"),
    ],
)
async def test_what_answers_where_a_websocket_should(reach: Reach, way: object, code: str) -> None:
    """As with any request; and one that redirects is not followed."""
    async with served(way) as server:  # type: ignore[arg-type]
        _, result = await seen(reach, asking(server.url(scheme="ws")))
    assert result.code == code, result
    assert server.connections == 1


async def test_two_hundred_silent_brokers_hold_up_nobody(reach: Reach) -> None:
    """No thread is taken, none is left, and every run ends in its time."""
    async with playing(silent) as port:
        before = threading.active_count()
        async with LagSampler() as lag:
            results = await asyncio.gather(*(asked(reach, port, limit=1.0) for _ in range(200)))
        assert threading.active_count() <= before
    assert max(observation.duration for observation, _ in results) < 2.5
    assert {result.code for _, result in results} == {"http.ttfb_timeout"}
    assert lag.worst < 0.3


async def test_a_run_that_is_cancelled_leaves_nothing_behind(reach: Reach) -> None:
    """Neither a task nor a connection."""
    gone = asyncio.Event()

    async def watches(client: Client) -> None:
        await client.packet()
        with pytest.raises((OSError, asyncio.IncompleteReadError)):
            await client.packet()
        gone.set()

    async with playing(watches) as port:
        before = len(asyncio.all_tasks())
        run = asyncio.create_task(asked(reach, port, limit=5))
        await asyncio.sleep(0.1)
        run.cancel()
        with pytest.raises(asyncio.CancelledError):
            await run
        async with asyncio.timeout(2):
            await gone.wait()
        await asyncio.sleep(0.02)
        assert len(asyncio.all_tasks()) <= before


async def test_a_recording_is_judged_again(reach: Reach) -> None:
    """From what was written down, without the broker."""
    async with playing(keeps_the_message) as port:
        observation, result = await asked(reach, port)
    assert judge(observation, asking("mqtt://127.0.0.1:1").expect) == result


_PIECES = st.binary(max_size=20) | st.sampled_from(
    [
        WELCOME5,
        WELCOME3,
        subscribed(),
        b"\x40\x02\x00\x02",
        b"\xd0\x00",
        b"\xe0\x00",
        b"\x30\x05\x00\x01a\x00x",
        b"\x90",
    ]
)


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(_PIECES, max_size=12).map(b"".join), st.sampled_from([V3, V5]))
def test_any_bytes_are_packets_or_said_to_be_none(data: bytes, version: int) -> None:
    """Whatever comes, reading ends in a packet, at the end of the connection, or with a code."""

    async def read_all() -> None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        while True:
            packet = await packets.read(reader)  # type: ignore[arg-type]
            with suppress(Stopped):
                packets.reason_of(packet, version)
            if packet.kind == packets.MESSAGE:
                packets.message_of(packet, version)

    with pytest.raises((asyncio.IncompleteReadError, Stopped)):
        asyncio.run(read_all())


@pytest.mark.parametrize("kind", range(256))
def test_any_reason_has_a_code(kind: int) -> None:
    """Of the list, and never one that says nothing."""
    stopped = packets.refused("it", kind)
    assert stopped.code in ("self.config", "http.503", "http.429")
