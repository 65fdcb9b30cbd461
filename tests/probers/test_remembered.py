"""What targets send is not remembered: who says something else each time does not make the monitor grow."""

import asyncio
import datetime
import encodings
import gc
import ssl
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from itertools import count, product
from string import ascii_lowercase

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from monitor.core.probe import Probe
from monitor.core.target import TlsTarget
from monitor.probers import Reach, look

from .corpus import EXPECT, whole
from .flows import flow_of, step
from .looking import probe_of
from .misbehaving import Behaviour, served

LONG = b"a" * 7900
_AT_ONCE = 50
_MOST_EACH = 1000  # bytes


def each_time(answer: bytes) -> Behaviour:
    """Sends an answer with another number in it each time."""
    numbers = count(1)

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(65_536)  # whoever keeps what was asked grows by it
        number = b"%06d" % next(numbers)
        writer.write(answer.replace(b"NUMBER", number))
        await writer.drain()

    return behave


async def growth(reach: Reach, probe: Probe) -> float:
    """Bytes that Python holds more for each run, after the first ones."""

    async def some() -> int:
        for _ in range(2):
            await asyncio.gather(*(look(probe, reach) for _ in range(_AT_ONCE)))
        await asyncio.sleep(0.2)  # the servers let go of their ends
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        await some()
        before = await some()  # small caches of libraries are full
        return (await some() - before) / (2 * _AT_ONCE)
    finally:
        tracemalloc.stop()


async def test_where_redirects_lead_is_not_remembered(reach: Reach) -> None:
    """Eleven addresses of 8 kB each time: 300 runs were 74 MB."""
    answer = whole(b"", b"Location: /NUMBER" + LONG, status=b"302 Found")
    async with served(each_time(answer)) as server:
        grown = await growth(reach, probe_of(server.url(), EXPECT, limit=10))

    assert grown < _MOST_EACH


@pytest.mark.parametrize("name", ["v", "token"])
async def test_what_a_flow_asks_for_is_not_remembered(reach: Reach, name: str) -> None:
    """What it saved is another value each time, as the id of a cart is: one of 4 kB was 15 kB."""
    async with served(each_time(whole(b'{"ok": "NUMBER' + LONG[:4000] + b'"}'))) as server:
        again = step(server.url() + f"${{{name}}}", headers=(("X-Value", f"${{{name}}}"),))
        steps = step(server.url(), save={name: "ok"}), again
        probe = flow_of(*steps, limit=10)
        observation = await look(probe, reach)
        grown = await growth(reach, probe)

    assert observation.failure is None
    assert observation.steps[1].seen is not None
    assert grown < _MOST_EACH


async def test_names_of_encodings_are_not_remembered(reach: Reach) -> None:
    """Python itself keeps every name that it was ever asked for."""
    known = len(encodings._cache)  # type: ignore[attr-defined]
    answer = whole(kind=b"application/json; charset=xNUMBER" + LONG[:20])
    async with served(each_time(answer)) as server:
        await growth(reach, probe_of(server.url(), EXPECT, limit=10))

    assert len(encodings._cache) - known < 5  # type: ignore[attr-defined]


def large_certificates() -> Iterator[ssl.SSLContext]:
    """Contexts of servers whose certificates are large, each another one."""
    key = ec.generate_private_key(ec.SECP256R1())
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "large")])
    names = ["".join(one) + "x" * 180 + ".example" for one in product(ascii_lowercase[:10], repeat=2)]
    more = x509.SubjectAlternativeName([x509.DNSName(one) for one in names])
    now = datetime.datetime.now(datetime.UTC)
    for serial in count(1):
        made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        made = made.serial_number(serial).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
        pem = made.add_extension(more, False).sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with trustme.Blob(secret + pem).tempfile() as path:
            context.load_cert_chain(path)
        yield context


async def test_large_certificates_are_not_remembered(reach: Reach) -> None:
    """Nor what stands in them: one of 20 kB was 45 kB. Those of real servers are."""
    contexts = large_certificates()

    async def shake(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await writer.start_tls(next(contexts))
        await reader.read(1)

    async with served(shake) as server:
        target = TlsTarget("127.0.0.1", server.port, "shop.test", allow_private=True)
        probe = replace(probe_of(server.url(), limit=10), kind="tls", ask=target)
        observation = await look(probe, reach)
        grown = await growth(reach, probe)

    assert observation.certificate is not None
    assert len(observation.certificate.alternative_names) == 100
    assert grown < _MOST_EACH
