"""Handshakes and nothing else: the `tls` kind."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from monitor.core.expectation import Expect, Outcome, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.probe import Probe
from monitor.core.target import Network, TlsTarget
from monitor.probers import Reach
from monitor.probers.run import Run
from monitor.probers.tls import look

from .authorities import NAME, Authorities
from .looking import LIMIT, probe_of, reaching, seen
from .misbehaving import WAYS, served


@pytest.fixture
async def trusting(authorities: Authorities) -> AsyncIterator[Reach]:
    """A reach that trusts our authority."""
    async with reaching(ca_file=authorities.ca_file) as reach:
        yield reach


def tls(port: int, expect: Expect | None = None, host: str = "127.0.0.1", name: str = NAME, **target: Any) -> Probe:
    """A probe of a port on loopback, for our name."""
    return Probe(
        "shop",
        "certificate",
        "tls",
        timedelta(seconds=30),
        timedelta(seconds=LIMIT),
        expect=expect or Expect(),
        ask=TlsTarget(host, port, name, **({"allow_private": True} | target)),
    )


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("good", None),
        ("with intermediate", None),
        ("TLS 1.2", None),
        ("client certificate wanted", None),
        ("expired", "tls.cert_expired"),
        ("not yet valid", "tls.cert_not_yet_valid"),
        ("wrong name", "tls.hostname_mismatch"),
        ("self signed", "tls.self_signed"),
        ("untrusted root", "tls.untrusted_root"),
        ("unknown authority", "tls.unknown_issuer"),
        ("leaf only", "tls.incomplete_chain"),
    ],
)
async def test_certificates(trusting: Reach, authorities: Authorities, kind: str, code: str | None) -> None:
    """Verified as for http, and kept, good or refused. What a server wants of us it wants after the handshake."""
    async with served(WAYS["silent"], authorities.context(kind)) as server:
        observation, result = await seen(trusting, tls(server.port))

    assert result.code == code, result.reasons
    assert set(observation.phases) == {"resolve", "connect", "tls"}
    assert observation.address == f"127.0.0.1:{server.port}"
    assert observation.certificate is not None
    assert (observation.certificate.tls_version is None) == (code is not None)
    assert observation.http is None
    assert judge(observation_from_json(observation_to_json(observation)), Expect()) == result


@pytest.mark.parametrize(
    ("way", "code"),
    [
        ("SSH banner", "tls.protocol"),
        ("silent", "tls.timeout"),
        ("closes at once", "tls.closed"),
        ("resets after accepting", "tls.closed"),
    ],
)
async def test_what_is_not_tls(trusting: Reach, way: str, code: str) -> None:
    """The port is open and speaks otherwise, or not at all."""
    async with served(WAYS[way]) as server:
        observation, result = await seen(trusting, tls(server.port))

    assert result.code == code
    assert observation.certificate is None


async def test_a_certificate_that_ends_soon(trusting: Reach, authorities: Authorities) -> None:
    """Passes with a remark that is no slowness."""
    async with served(WAYS["silent"], authorities.context("ends soon")) as server:
        _, soon = await seen(trusting, tls(server.port, Expect(certificate_valid_for=timedelta(days=21))))
        _, enough = await seen(trusting, tls(server.port, Expect(certificate_valid_for=timedelta(days=3))))

    assert (soon.outcome, soon.code) == (Outcome.SLOW, "tls.expires_soon")
    assert enough.outcome is Outcome.PASSED


async def test_another_name_than_that_of_the_address(trusting: Reach, authorities: Authorities) -> None:
    """`server_name` is what is asked for and verified."""
    async with served(WAYS["silent"], authorities.context("good")) as server:
        trusting.network = Network(connect_to=((f"edge.test:{server.port}", f"127.0.0.1:{server.port}"),))
        named = tls(server.port, host="edge.test", name=NAME, allow_private=False)
        own = tls(server.port, host="edge.test", name="edge.test", allow_private=False)
        _, good = await seen(trusting, named)
        _, wrong = await seen(trusting, own)

    assert (good.code, wrong.code) == (None, "tls.hostname_mismatch")


async def test_a_name_that_nobody_can_ask_for(trusting: Reach, authorities: Authorities) -> None:
    """The configuration is to blame, not the server and not a bug."""
    async with served(WAYS["silent"], authorities.context("good")) as server:
        for name in ("a..test", "x" * 64 + ".test"):
            _, result = await seen(trusting, tls(server.port, name=name))
            assert (result.code, result.outcome) == ("self.config", Outcome.UNKNOWN)


async def test_the_server_is_left_at_once(trusting: Reach, authorities: Authorities) -> None:
    """Nothing is said after the handshake, and the connection is gone."""
    ended = asyncio.Event()

    async def waits(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            assert await reader.read(1) == b""
        finally:
            ended.set()

    async with served(waits, authorities.context("good")) as server:
        observation, _ = await seen(trusting, tls(server.port))
        async with asyncio.timeout(1):
            await ended.wait()

    assert observation.duration < LIMIT


async def test_a_run_that_is_cut_as_its_handshake_ends_leaves_its_descriptor_to_nobody_else(
    trusting: Reach, authorities: Authorities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The time limit may strike when TLS stands but nobody has heard of it yet. What is opened next has another number
    than the connection that still says goodbye, and its data."""
    cut: list[asyncio.Task[Any]] = []

    class Cutting(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            cut[0].cancel()

    monkeypatch.setattr("monitor.probers.tls.asyncio.Protocol", Cutting)
    async with served(WAYS["silent"], authorities.context("good")) as server, served(WAYS["healthy"]) as plain:
        run = Run(tls(server.port), trusting)
        cut.append(asyncio.create_task(look(run, trusting)))
        with pytest.raises(asyncio.CancelledError):
            await cut[0]
        monkeypatch.undo()
        for _ in range(3):
            _, result = await seen(trusting, probe_of(plain.url()))
            assert result.code is None
