"""Ports that accept, refuse, and say all sorts of things."""

import asyncio
import socket
import struct
import time
from datetime import timedelta

import pytest

from monitor.core.expectation import Expect, Outcome, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.probe import Probe
from monitor.core.target import Network, TcpTarget
from monitor.probers import Reach
from monitor.probers.tcp import MOST

from .authorities import Authorities
from .looking import LIMIT, LagSampler, reaching, seen
from .misbehaving import Behaviour, raw, served

GREETED = Expect(contains=("220 ",))


def tcp(
    port: int, expect: Expect | None = None, host: str = "127.0.0.1", limit: float = LIMIT, **target: object
) -> Probe:
    """A probe of a port that may be on loopback."""
    return Probe(
        "mail",
        "smtp",
        "tcp",
        timedelta(seconds=30),
        timedelta(seconds=limit),
        expect=expect or Expect(),
        ask=TcpTarget(host, port, **({"allow_private": True} | target)),
    )


def says(*pieces: bytes, pause: float = 0.0, stay: bool = True) -> Behaviour:
    """Says these pieces unasked; then waits for nothing, or hangs up."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        if stay:
            await asyncio.sleep(60)

    return behave


def echo(answer: bytes) -> Behaviour:
    """Says what it was told, and then an answer."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(1000) + answer)
        await asyncio.sleep(60)

    return behave


async def resets(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accepts, and cuts the connection."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never stops talking."""
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def test_a_port_that_accepts_is_enough_where_nothing_is_expected(reach: Reach) -> None:
    """Also when it says nothing at all."""
    async with served(says()) as server:
        observation, result = await seen(reach, tcp(server.port))

    assert result.outcome is Outcome.PASSED
    assert set(observation.phases) == {"resolve", "connect"}
    assert observation.address == f"127.0.0.1:{server.port}"
    assert observation.http is None


@pytest.mark.parametrize(
    "expect",
    [GREETED, Expect(matches=("^220 .*ready",)), Expect(contains=("220", "ready"), not_contains=("554",))],
    ids=["contains", "matches", "several"],
)
async def test_a_greeting_is_read_no_longer_than_needed(reach: Reach, expect: Expect) -> None:
    """The server stays; nobody waits for the time limit."""
    async with served(says(b"220 mail ready\r\n")) as server:
        observation, result = await seen(reach, tcp(server.port, expect, limit=5))

    assert result.outcome is Outcome.PASSED, result.reasons
    assert observation.duration < 1
    assert all(observation.values.values())
    assert {"processing", "transfer"} <= set(observation.phases)


async def test_what_is_sent_is_answered(reach: Reach) -> None:
    """The text goes out as it is written, line ends and all."""
    async with served(echo(b"+PONG\r\n")) as server:
        _, result = await seen(reach, tcp(server.port, Expect(matches=("(?s)^PING\r\n.*PONG",)), send=b"PING\r\n"))

    assert result.outcome is Outcome.PASSED, result.reasons


@pytest.mark.parametrize(
    ("behave", "code", "said"),
    [
        (says(b"554 no service\r\n"), "content.assertion", "it says 554 no service"),
        (says(), "content.empty", "says nothing before the time limit"),
        (says(stay=False), "content.empty", "says nothing before it closed the connection"),
        (says(b"2", b"2", b"1", stay=False), "content.assertion", "before it closed the connection: it says"),
        (floods, "content.assertion", f"in the first {MOST:,} bytes"),
        (resets, "tcp.reset_on_connect", "accepts connections and resets them"),
        (raw(b"\x15\x03\x01\x00\x02\x02\x46", ask=False), "content.assertion", "it answers in TLS"),
        (says(b"\xff\xfe\x1b[31m\x00red"), "content.assertion", "red"),
    ],
    ids=["another text", "silent", "closes", "part of it", "floods", "resets", "a TLS alert", "hostile bytes"],
)
async def test_ports_that_do_not_say_what_they_should(reach: Reach, behave: Behaviour, code: str, said: str) -> None:
    """The reason shows what came instead, made harmless."""
    async with served(behave) as server:
        observation, result = await seen(reach, tcp(server.port, GREETED))

    assert (result.code, result.outcome) == (code, Outcome.FAILED)
    assert said in result.reasons[0]
    assert "\x1b" not in result.reasons[0]
    assert observation.duration < LIMIT + 0.3


async def test_a_drip_counts_as_soon_as_the_text_is_whole(reach: Reach) -> None:
    """Byte by byte is slow, and an answer all the same."""
    async with served(says(*(bytes([one]) for one in b"220 mail"), pause=0.02)) as server:
        _, result = await seen(reach, tcp(server.port, Expect(contains=("220 mail",))))

    assert result.outcome is Outcome.PASSED, result.reasons


async def test_a_greeting_that_is_not_wanted(reach: Reach) -> None:
    """One sight of it is enough; where it does not come, a second of silence is."""
    unwanted = Expect(not_contains=("554",))
    async with served(says(b"554 go away\r\n")) as server:
        seen_bad, bad = await seen(reach, tcp(server.port, unwanted, limit=5))
    async with served(says(b"220 ready\r\n")) as server:
        seen_good, good = await seen(reach, tcp(server.port, unwanted, limit=5))
    async with served(says()) as server:
        _, silent = await seen(reach, tcp(server.port, unwanted))

    assert (bad.code, good.code, silent.code) == ("content.assertion", None, None)
    assert seen_bad.duration < 0.5
    assert 0.9 < seen_good.duration < 2


async def test_a_closed_port_refuses(reach: Reach) -> None:
    """Nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        observation, result = await seen(reach, tcp(free.getsockname()[1], GREETED))

    assert result.code == "tcp.refused"
    assert set(observation.phases) == {"resolve", "connect"}


async def test_a_full_backlog_is_a_timeout(reach: Reach) -> None:
    """Nobody takes the connection, as behind a wall that drops packets."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        taken = [socket.socket() for _ in range(4)]
        for one in taken:
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        await asyncio.sleep(0.05)
        _, result = await seen(reach, tcp(listening.getsockname()[1]))
        for one in taken:
            one.close()

    assert result.code == "tcp.timeout"


async def test_a_port_that_takes_nothing_in(reach: Reach) -> None:
    """More is sent than anybody reads: the connection stands, and does not do its work."""
    async with served(says()) as server:
        _, result = await seen(reach, tcp(server.port, send=b"x" * (16 << 20)))

    assert result.code == "tcp.timeout"


async def test_a_tls_port_talked_to_in_plain(reach: Reach, authorities: Authorities) -> None:
    """It hangs up on what is no handshake."""
    async with served(says(b"220 ready"), authorities.context("good")) as server:
        _, result = await seen(reach, tcp(server.port, GREETED, send=b"EHLO monitor\r\n"))

    assert result.code in ("content.empty", "content.assertion", "tcp.reset_on_connect")


async def test_slow_after(reach: Reach) -> None:
    """Passed, and told as slow."""
    expect = Expect(contains=("ready",), slow_after=timedelta(milliseconds=50))
    async with served(says(b"220 ", b"ready", pause=0.1)) as server:
        _, result = await seen(reach, tcp(server.port, expect))

    assert result.outcome is Outcome.SLOW


async def test_addresses_are_checked_and_led_elsewhere_as_for_http(reach: Reach) -> None:
    """Loopback needs permission; `connect_to` gives it."""
    _, refused = await seen(reach, tcp(9, allow_private=False))
    async with served(says(b"220 ")) as server, reaching() as led:
        led.network = Network(connect_to=(("*.example.com:25", f"127.0.0.1:{server.port}"),))
        _, passed = await seen(led, tcp(25, GREETED, "mail.example.com", allow_private=False))

    assert (refused.code, refused.outcome) == ("self.config", Outcome.UNKNOWN)
    assert passed.outcome is Outcome.PASSED


async def test_secrets_are_hidden_in_the_trace(reach: Reach) -> None:
    """Whatever is sent may hold one, and servers echo."""
    steps: list[str] = []
    padding = b"x" * 96  # what is shown ends amid the secret
    async with served(echo(padding + b" hunter22 again")) as server, reaching(secrets=["hunter22"]) as reach:
        _, result = await seen(reach, tcp(server.port, GREETED, send=b"AUTH hunter22"), trace=steps.append)

    assert any("> AUTH •••" in step for step in steps)
    assert "hunter22" not in "\n".join([*steps, *result.reasons])
    assert "hun" not in result.reasons[0]


async def test_a_flood_of_drops_does_not_hold_up_the_loop(reach: Reach) -> None:
    """Each drop would mean another look at everything that came before."""
    patterns = Expect(matches=tuple(f"(a|b|c)*{n}$" for n in range(20)))
    async with served(says(*[b"abc"] * 3000)) as server, LagSampler() as lag:
        began = time.process_time()
        await seen(reach, tcp(server.port, patterns))
        spent = time.process_time() - began

    assert lag.worst < 0.05
    assert spent < LIMIT


async def test_a_recording_is_judged_as_the_run_was(reach: Reach) -> None:
    """Everything that judging needs is in the observation."""
    for behave in (says(b"220 ready"), says(b"554 no"), says(stay=False), resets):
        async with served(behave) as server:
            observation, result = await seen(reach, tcp(server.port, GREETED))
        assert judge(observation_from_json(observation_to_json(observation)), GREETED) == result
