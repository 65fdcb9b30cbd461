"""TLS told apart from TCP, and every wrong certificate by its name."""

import asyncio
import socket
import ssl
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from monitor.core.expectation import Expect, Outcome
from monitor.core.target import Network
from monitor.probers import Reach
from monitor.probers.certificate import iana_name

from .authorities import NAME, Authorities
from .looking import probe_of, reaching, seen
from .misbehaving import WAYS, raw, served


@pytest.fixture
async def trusting(authorities: Authorities) -> AsyncIterator[Reach]:
    """A reach that trusts our authority and dials loopback for our name, on any port."""
    async with reaching(ca_file=authorities.ca_file) as reach:
        yield reach


def dial(reach: Reach, port: int) -> str:
    """The address of our name, led to a port of loopback."""
    reach.network = Network(connect_to=((f"*.test:{port}", f"127.0.0.1:{port}"),), ca_file=reach.network.ca_file)
    return f"https://{NAME}:{port}/"


async def test_a_server_that_wants_a_certificate_of_ours_is_told_as_such(
    trusting: Reach, authorities: Authorities
) -> None:
    """In TLS 1.3 it says so after the handshake, at the very moment at which the request goes out, and is gone."""
    context, codes = authorities.context("client certificate wanted"), Counter[str | None]()

    def refuse(server: socket.socket) -> None:
        for _ in range(40):
            plain, _ = server.accept()
            with plain, suppress(ssl.SSLError), context.wrap_socket(plain, server_side=True) as secure:
                secure.recv(1)

    with socket.create_server(("127.0.0.1", 0)) as server:
        refusing = asyncio.create_task(asyncio.to_thread(refuse, server))
        probe = probe_of(dial(trusting, server.getsockname()[1]), allow_private=False)
        for _ in range(40):
            codes[(await seen(trusting, probe))[1].code] += 1
        await refusing
    assert codes == {"tls.handshake_failed": 40}


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("good", None),
        ("with intermediate", None),
        ("TLS 1.2", None),
        ("expired", "tls.cert_expired"),
        ("not yet valid", "tls.cert_not_yet_valid"),
        ("wrong name", "tls.hostname_mismatch"),
        ("common name only", "tls.hostname_mismatch"),
        ("self signed", "tls.self_signed"),
        ("untrusted root", "tls.untrusted_root"),
        ("unknown authority", "tls.unknown_issuer"),
        ("leaf only", "tls.incomplete_chain"),
    ],
)
async def test_certificates(trusting: Reach, authorities: Authorities, kind: str, code: str | None) -> None:
    """`connect_to` changes the address alone: the certificate is verified for the name that was asked."""
    async with served(WAYS["healthy"], authorities.context(kind)) as server:
        probe = probe_of(dial(trusting, server.port), allow_private=False)
        observation, result = await seen(trusting, probe)

    assert result.code == code
    assert observation.address == f"127.0.0.1:{server.port}"
    assert observation.certificate is not None, "a refused certificate is the evidence of its refusal"
    assert len(observation.certificate.sha256) == 64
    assert (observation.certificate.chain_not_after is None) == (code is not None)
    assert server.connections <= 1  # a server counts those whose handshake ended


async def test_a_date_that_is_none_is_an_end_like_any_other(trusting: Reach, authorities: Authorities) -> None:
    """It was told as a handshake that failed."""
    async with served(WAYS["healthy"], authorities.context("ended in the year 0")) as server:
        _, result = await seen(trusting, probe_of(dial(trusting, server.port), allow_private=False))

    assert result.code == "tls.cert_expired"


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
    """The connection stood, so nothing of this is the fault of TCP."""
    async with served(WAYS[way]) as server:
        observation, result = await seen(trusting, probe_of(dial(trusting, server.port)))

    assert result.code == code
    assert set(observation.phases) == {"resolve", "connect", "tls"}


@pytest.mark.parametrize(
    ("alert", "code"),
    [(70, "tls.protocol"), (40, "tls.handshake_failed"), (112, "tls.handshake_failed"), (116, "tls.handshake_failed")],
    ids=["protocol version", "handshake failure", "unrecognized name", "certificate required"],
)
async def test_alerts(trusting: Reach, alert: int, code: str) -> None:
    """A server that ends the handshake says why."""
    async with served(raw(bytes([0x15, 3, 1, 0, 2, 2, alert]), ask=False)) as server:
        _, result = await seen(trusting, probe_of(dial(trusting, server.port)))

    assert result.code == code


async def test_an_answer_in_plain_http_is_not_tls(trusting: Reach) -> None:
    """The most common mistake behind a load balancer."""
    async with served(raw(b"HTTP/1.1 400 Bad Request\r\n\r\n", ask=False)) as server:
        _, result = await seen(trusting, probe_of(dial(trusting, server.port)))

    assert result.code == "tls.protocol"


async def test_plain_http_to_a_tls_port_is_closed(trusting: Reach, authorities: Authorities) -> None:
    """Nothing readable comes back."""
    async with served(WAYS["healthy"], authorities.context("good")) as server:
        _, result = await seen(trusting, probe_of(server.url()))

    assert result.code in ("http.closed", "http.reset")


async def test_facts_of_a_certificate(trusting: Reach, authorities: Authorities) -> None:
    """Everything that `probe_ssl_*` is made of."""
    async with served(WAYS["healthy"], authorities.context("TLS 1.2")) as server:
        observation, _ = await seen(trusting, probe_of(dial(trusting, server.port)))

    certificate = observation.certificate
    assert certificate is not None
    assert certificate.alternative_names == (NAME,)
    assert len(certificate.sha256) == 64
    assert int(certificate.serial, 16)
    assert certificate.serial == certificate.serial.lower()
    assert certificate.tls_version == "TLSv1.2"
    assert certificate.cipher is not None
    assert certificate.cipher.startswith("TLS_ECDHE_")
    assert certificate.chain_not_after is not None
    assert certificate.earliest_not_after == certificate.not_after
    assert set(observation.phases) == {"resolve", "connect", "tls", "processing", "transfer"}


async def test_a_certificate_that_ends_soon_passes_and_is_told(trusting: Reach, authorities: Authorities) -> None:
    """Three weeks are enough to renew in; five days are not."""
    expect = Expect(certificate_valid_for=timedelta(days=21))
    async with served(WAYS["healthy"], authorities.context("ends soon")) as server:
        _, result = await seen(trusting, probe_of(dial(trusting, server.port), expect))

    assert (result.outcome, result.code) == (Outcome.SLOW, "tls.expires_soon")


async def test_hostile_subjects_are_inert(trusting: Reach, authorities: Authorities) -> None:
    """A certificate's subject is text from outside like any other."""
    async with served(WAYS["healthy"], authorities.context("self signed")) as server:
        url = dial(trusting, server.port)
        trusting.tls.check_hostname = False
        trusting.tls.verify_mode = ssl.CERT_NONE
        observation, _ = await seen(trusting, probe_of(url))

    assert observation.certificate is not None
    assert "\x1b" not in observation.certificate.subject
    assert "\u202e" not in observation.certificate.subject
    assert observation.certificate.serial == "beef"


def test_a_ca_file_that_is_not_there_is_named(tmp_path: object) -> None:
    """The sentence names the key and the file."""

    async def open_it() -> None:
        async with reaching(ca_file=f"{tmp_path}/none.pem"):
            pass

    with pytest.raises(OSError, match=r"monitor\.ca_file .*none\.pem"):
        asyncio.run(open_it())


@pytest.mark.parametrize(
    ("openssl", "iana"),
    [
        ("TLS_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"),
        ("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"),
        ("ECDHE-ECDSA-CHACHA20-POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
        ("ECDHE-RSA-AES256-SHA384", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384"),
        ("DHE-RSA-AES256-GCM-SHA384", "TLS_DHE_RSA_WITH_AES_256_GCM_SHA384"),
        ("AES128-GCM-SHA256", "TLS_RSA_WITH_AES_128_GCM_SHA256"),
        ("AES256-SHA", "TLS_RSA_WITH_AES_256_CBC_SHA"),
        ("ECDHE-RSA-AES128-SHA", "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    ],
)
def test_ciphers_have_their_registered_names(openssl: str, iana: str) -> None:
    """Dashboards know ciphers by the names of IANA."""
    assert iana_name(openssl) == iana


async def test_ipv6_only_here_is_our_own_trouble(reach: Reach) -> None:
    """Without a route for IPv6 nobody out there is to blame."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
            probe.connect(("2001:4860:4860::8888", 53))
    except OSError:
        pass
    else:
        pytest.skip("this machine has IPv6")
    _, result = await seen(reach, probe_of("http://[2001:4860:4860::8888]/"))

    assert result.code == "self.connectivity"
    assert result.outcome is Outcome.UNKNOWN
