"""TLS of our own between a connection and what speaks over it: nothing is lost, however it comes and ends."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
import trustme

from monitor.probers import Reach

from .authorities import NAME, Authorities
from .looking import probe_of, reaching, seen
from .misbehaving import Behaviour, Server, answer, served
from .records import Sealer, sealing

LARGE = bytes(range(256)) * 8192  # two megabytes, of which no two records are alike


@asynccontextmanager
async def over_tls(behave: Behaviour, authorities: Authorities) -> AsyncIterator[tuple[Server, Reach]]:
    """A server that speaks TLS, and how it is reached by its name."""
    async with AsyncExitStack() as held:
        server = await held.enter_async_context(served(behave, authorities.context("good")))
        yield server, await held.enter_async_context(reaching(**named(server.port, authorities)))


def named(port: int, authorities: Authorities) -> dict[str, Any]:
    """The settings under which the server of a test is asked by its name."""
    return {"connect_to": ((f"{NAME}:{port}", f"127.0.0.1:{port}"),), "ca_file": authorities.ca_file}


async def test_a_large_body_comes_whole(authorities: Authorities) -> None:
    """Reading stops while the body is taken, and goes on where it stopped."""
    async with over_tls(answer(LARGE, content_type="text/plain"), authorities) as (server, reach):
        url = server.url(NAME, scheme="https")
        observation, result = await seen(reach, probe_of(url, limit=20, max_body=4 << 20))

    assert result.code is None, result.reasons
    assert observation.http is not None
    assert observation.http.bytes == len(LARGE)


async def test_a_large_request_goes_out_whole(authorities: Authorities) -> None:
    """More than the network takes at once."""
    async with over_tls(answer(), authorities) as (server, reach):
        url = server.url(NAME, scheme="https")
        _, result = await seen(reach, probe_of(url, limit=20, method="POST", body=LARGE))

    assert result.code is None, result.reasons
    assert server.requests[0].endswith(LARGE)


async def test_a_connection_is_kept(authorities: Authorities) -> None:
    """The second run has no handshake, and the certificate of the first."""

    async def patient(reader: Any, writer: Any) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()

    async with over_tls(patient, authorities) as (server, reach):
        probe = probe_of(server.url(NAME, scheme="https"), reuse=True)
        first, _ = await seen(reach, probe)
        second, result = await seen(reach, probe)

    assert (result.code, server.connections) == (None, 1)
    assert "tls" in first.phases
    assert list(second.phases) == ["processing", "transfer"]
    assert first.certificate is not None
    assert second.certificate == first.certificate


@pytest.mark.parametrize("cut", [1, 200, 1000])
async def test_a_body_that_ends_early_is_cut_off(authorities: Authorities, cut: int) -> None:
    """With or without a goodbye of TLS, which many servers leave out."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + b"x" * cut

    async def cut_off(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head)
        await writer.drain()

    async with over_tls(cut_off, authorities) as (server, reach):
        _, result = await seen(reach, probe_of(server.url(NAME, scheme="https")))

    assert result.code == "http.truncated"


async def test_whoever_gives_up_amid_the_handshake_leaves_nothing_open(authorities: Authorities) -> None:
    """The server that never answers a hello sees the end of it."""
    ended = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        ended.set()
        writer.close()

    listening = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with reaching(**named(port, authorities)) as reach:
        _, result = await seen(reach, probe_of(f"https://{NAME}:{port}/", limit=0.3))
        async with asyncio.timeout(10):
            await ended.wait()
    listening.close()

    assert result.code == "tls.timeout"


async def test_a_handshake_without_end_is_given_up(authorities: Authorities) -> None:
    """A chain of sixty certificates is nobody's: it is told as what it is, and not read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    leaf, more = authorities.trusted.issue_cert(NAME), [trustme.CA().cert_pem.bytes() for _ in range(60)]
    own = leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes()
    with trustme.Blob(own + b"".join(more)).tempfile() as path:
        context.load_cert_chain(path)
    async with served(answer(), context) as server, reaching(**named(server.port, authorities)) as reach:
        _, result = await seen(reach, probe_of(server.url(NAME, scheme="https")))

    assert result.code == "tls.handshake_failed"
    assert result.reasons == ("the handshake failed (handshake_too_long)",)


FLOODS = {"keys": Sealer.update, "tickets": Sealer.ticket}


@pytest.mark.parametrize("flood", FLOODS)
@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
async def test_a_server_that_sends_nothing_but_tls_is_given_up(
    authorities: Authorities, flood: str, begun: bytes
) -> None:
    """New keys or tickets without end: nobody waits for the time limit meanwhile, and nobody answers all of them."""
    first = [begun] if begun else []

    def then(sealer: Sealer) -> bytes:
        return sealer.data(first.pop()) if first else b"".join(FLOODS[flood](sealer) for _ in range(100))

    context = authorities.context("good")
    async with (
        served(sealing(context, then, asked=True)) as server,
        reaching(**named(server.port, authorities)) as reach,
    ):
        observation, result = await seen(reach, probe_of(server.url(NAME, scheme="https"), limit=20))

    assert result.code == ("http.truncated" if begun else "tls.handshake_failed")
    assert begun or "24,576 bytes of its own and nothing said" in result.reasons[0]
    assert observation.duration < 10


async def test_keys_may_change_and_tickets_come_amid_a_body(authorities: Authorities) -> None:
    """As servers do now and then."""
    pieces = [b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n", *([b"x" * 4000] * 10)]

    def then(sealer: Sealer) -> bytes:
        if not pieces:
            return b""
        return sealer.update() + sealer.ticket() + sealer.data(pieces.pop(0)) + sealer.update()

    context = authorities.context("good")
    async with (
        served(sealing(context, then, asked=True)) as server,
        reaching(**named(server.port, authorities)) as reach,
    ):
        observation, result = await seen(reach, probe_of(server.url(NAME, scheme="https"), limit=20))

    assert result.code is None, result.reasons
    assert observation.http is not None
    assert observation.http.bytes == 40_000
