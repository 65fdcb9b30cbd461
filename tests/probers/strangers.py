"""Hostile servers of the other kinds: name servers, brokers, ports in plain and in TLS, and documents.

`servers` are what runs in the process of `crowd`, `probes_of` the probes that meet them and the codes they may have.
"""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import trustme

from monitor.core.expectation import Expect
from monitor.core.probe import Probe, Step
from monitor.core.target import (
    DnsTarget,
    HttpTarget,
    MqttTarget,
    PageTarget,
    PrometheusTarget,
    StepTarget,
    TcpTarget,
    TlsTarget,
)

from .corpus import EXPECT, whole
from .misbehaving import Behaviour, raw, served
from .webbrokers import FLOODS

LIMIT = 1.5
NAME = "shop.test"

_WELCOME = b"\x20\x03\x00\x00\x00"  # of MQTT 5
_SUBSCRIBED = b"\x90\x04\x00\x01\x00\x01"


def shouting(begin: bytes, piece: bytes, pause: float = 0.0) -> Behaviour:
    """Says something unasked and goes on for ever."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


def after(size: int, begin: bytes, then: Behaviour) -> Behaviour:
    """Waits for so many bytes, answers, and goes on as another."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(size)
        writer.write(begin)
        await then(reader, writer)

    return behave


async def stays(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says nothing more."""
    await writer.drain()
    await asyncio.Event().wait()


def halts_in_tls(context: ssl.SSLContext, size: int) -> Behaviour:
    """Makes a handshake, but sends no more of it than so many bytes."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        side = context.wrap_bio(came, goes, server_side=True)
        came.write(await reader.read(65_536))
        with suppress(ssl.SSLWantReadError):
            side.do_handshake()
        writer.write(goes.read()[:size])
        await stays(reader, writer)

    return behave


class _Names(asyncio.DatagramProtocol):
    """A name server that answers each question in one hostile way."""

    def __init__(self, way: str) -> None:
        self._way = way

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        head, rest = data[:2], data[12:]
        question = rest[: rest.index(b"\0") + 5]
        match self._way:
            case "names in a circle":
                record = (0xC000 | (12 + len(question))).to_bytes(2) + b"\0\1\0\1\0\0\0\1\0\4\1\1\1\1"
                replies = [head + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record]
            case "aliases in a circle":
                record = b"\xc0\x0c\0\5\0\1\0\0\0\1\0\2\xc0\x0c"
                replies = [head + b"\x81\x80\0\1\0\x20\0\0\0\0" + question + record * 32]
            case "flood of wrong numbers":
                replies = [bytes([head[0] ^ 1, head[1]]) + data[2:]] * 300
            case "nothing there, and rubbish":
                replies = [head + b"\x81\x83\0\1\0\0\0\0\0\0" + question + bytes(range(256)) * 3]
            case "60,000 records, it says":
                replies = [head + b"\x81\x80\0\1\xea\x60\0\0\0\0" + question]
            case "cut off, with an address":
                replies = [head + b"\x83\x80\0\1\0\1\0\0\0\0" + question + ADDRESS]
            case _:  # cut off: more over TCP
                replies = [head + b"\x83\x80\0\1\0\0\0\0\0\0" + question]
        for reply in replies:
            self._transport.sendto(reply, addr)  # type: ignore[attr-defined]


ADDRESS = b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4\x7f\0\0\1"  # 127.0.0.1, of the name in the question

DNS_WAYS = {
    "names in a circle": {"dns.servfail"},
    "aliases in a circle": {"dns.nodata", "dns.servfail"},
    "flood of wrong numbers": {"dns.timeout"},
    "nothing there, and rubbish": {"dns.nxdomain", "dns.servfail"},
    "60,000 records, it says": {"dns.servfail"},
    "cut off, and TCP that is silent": {"dns.timeout"},
    "cut off, and TCP that drips": {"dns.timeout"},
    "cut off, and a text of 64 kB": {None, "content.assertion", "dns.servfail"},
    "cut off, and 4,000 addresses": {"dns.servfail"},
}


def _long_text(data: bytes) -> bytes:
    question = data[14:]
    question = question[: question.index(b"\0") + 5]
    text = (b"\xff" + b"t" * 255) * 250
    record = b"\xc0\x0c\0\x10\0\1\0\0\0\1" + len(text).to_bytes(2) + text
    reply = data[2:4] + b"\x81\x80\0\1\0\1\0\0\0\0" + question + record
    return len(reply).to_bytes(2) + reply


def _many_addresses(asked: bytes) -> bytes:
    question = asked[12:]
    question = question[: question.index(b"\0") + 5]
    number = 4000 if question[-4:-2] == b"\0\1" else 0
    reply = asked[:2] + b"\x81\x80\0\1" + number.to_bytes(2) + b"\0\0\0\0" + question + ADDRESS * number
    return len(reply).to_bytes(2) + reply


def _over_tcp(way: str) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            size = int.from_bytes(await reader.readexactly(2))
            asked = await reader.readexactly(size)
            match way:
                case "cut off, and TCP that drips":
                    await shouting(b"\xff\xff" + asked[:2], b"\0", 0.05)(reader, writer)
                case "cut off, and a text of 64 kB":
                    writer.write(_long_text(b"\0\0" + asked))
                    await writer.drain()
                case "cut off, and 4,000 addresses":
                    writer.write(_many_addresses(asked))
                    await writer.drain()
                    continue
            await stays(reader, writer)

    return behave


@asynccontextmanager
async def name_server(way: str) -> AsyncIterator[int]:
    """The port of one, over UDP and TCP."""
    async with served(_over_tcp(way)) as server:
        place = ("127.0.0.1", server.port)
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Names(way), local_addr=place)
        yield server.port
        transport.close()


PUBLISHED = b"\x30" + b"\xf0\xbf\x03" + b"\0\x03a/b\0" + b"x" * (0xDFF0 - 6)  # a message of 57,328 bytes

TCP_WAYS: dict[str, tuple[Behaviour, set[str | None]]] = {
    "tcp: endless banner": (shouting(b"220 ", b"x" * 65_536), {"content.assertion"}),
    "tcp: endless lines": (shouting(b"", b"a\r\n" * 20_000), {"content.assertion"}),
    "tcp: NUL bytes": (shouting(b"", bytes(65_536)), {"content.assertion"}),
    "tcp: drip": (shouting(b"", b"x", 0.05), {"content.assertion"}),
    "mqtt: giant length": (after(2, b"\x20\xff\xff\xff\x7f", shouting(b"", bytes(65_536))), {"http.malformed"}),
    "mqtt: length without an end": (after(2, b"\x20" + b"\xff" * 9, stays), {"http.malformed"}),
    "mqtt: welcome without a body": (after(2, b"\x20\x00", stays), {"http.malformed"}),
    "mqtt: half a welcome": (after(2, b"\x20\x03\x00", stays), {"http.ttfb_timeout"}),
    "mqtt: flood of messages": (
        after(2, _WELCOME + _SUBSCRIBED, shouting(b"", PUBLISHED)),
        {"http.malformed", "http.transfer_timeout"},
    ),
    "mqtt: flood of pings": (
        after(2, _WELCOME + _SUBSCRIBED, shouting(b"", b"\xd0\x00" * 20_000)),
        {"http.malformed", "http.transfer_timeout"},
    ),
    "mqtt: drip": (after(2, b"", shouting(b"", b"\xd0", 0.05)), {"http.malformed", "http.ttfb_timeout"}),
}

OVER_TLS = {f"mqtts: {name}": f"tls: {name}" for name in ("never says hello", "chain of 41", "chain of 61")}

TLS_SIZES = {"hello": 60, "certificate": 400, "half a record": 3}


def tls_ways() -> dict[str, tuple[Behaviour, ssl.SSLContext | None, set[str | None]]]:
    """Ways of not getting through a handshake, or of getting through it at great length."""
    authority = trustme.CA()
    leaf = authority.issue_cert(NAME)
    plain, chain, tickets, old, long = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(5))
    for context in (plain, tickets, old):
        leaf.configure_cert(context)
    more = [trustme.CA().cert_pem.bytes() for _ in range(60)]
    own = leaf.private_key_pem.bytes() + leaf.cert_chain_pems[0].bytes()
    for context, count in ((chain, 60), (long, 40)):
        with trustme.Blob(own + b"".join(more[:count])).tempfile() as path:
            context.load_cert_chain(path)
    tickets.num_tickets = 255
    silent = after(1, b"", stays)
    unknown: set[str | None] = {"tls.unknown_issuer", "tls.untrusted_root", "tls.incomplete_chain"}
    return {
        **{f"tls: halts amid the {n}": (halts_in_tls(plain, s), None, {"tls.timeout"}) for n, s in TLS_SIZES.items()},
        "tls: never says hello": (silent, None, {"tls.timeout"}),
        "tls: drips an alert": (
            shouting(b"\x15\x03\x03", b"\0", 0.05),
            None,
            {"tls.timeout", "tls.protocol", "tls.handshake_failed"},
        ),
        "tls: floods with alerts": (
            after(1, b"", shouting(b"", b"\x15\x03\x03\x00\x02\x01\x00" * 9000)),
            None,
            {"tls.handshake_failed", "tls.protocol", "tls.closed", "tls.timeout"},
        ),
        "tls: chain of 41": (silent, long, unknown | {"tls.timeout"}),
        "tls: chain of 61": (silent, chain, {"tls.handshake_failed"}),
        "tls: 255 tickets": (silent, tickets, unknown),
    }


def _series(count: int) -> bytes:
    one = {"metric": {"a": "\x1b[31m<b>" + "l" * 40}, "value": [1, "NaN"]}
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": [one] * count}}).encode()


DOCUMENTS: dict[str, tuple[str, bytes, set[str | None]]] = {
    "prometheus: 10,000 series that are nothing": ("prometheus", _series(10_000), {"content.assertion"}),
    "prometheus: one endless label": ("prometheus", b'{"status": "' + b"x" * 1_900_000, {"self.config"}),
    "prometheus: brackets": ("prometheus", b"[" * 100_000, {"self.config"}),
    "statuspage: 5,000 incidents": (
        "statuspage",
        json.dumps(
            {"page": {"name": "x"}, "incidents": [{"id": "i", "name": "<b>", "status": "investigating"}] * 5000}
        ).encode(),
        {"content.json_limits", "content.assertion"},
    ),
    "statuspage: names of a megabyte": (
        "statuspage",
        json.dumps(
            {"page": {"name": "n" * 900_000}, "incidents": [], "components": [{"id": "1", "name": "\u202e" * 900}]}
        ).encode(),
        {None},
    ),
    "flow: a value that injects": ("flow", json.dumps({"ok": "x\r\nX-Evil: 1"}).encode(), {"content.assertion"}),
    "flow: a value of a megabyte": ("flow", json.dumps({"ok": "x" * 900_000}).encode(), {"content.assertion"}),
    "flow: a value that is an address": ("flow", json.dumps({"ok": "//10.0.0.1/../../?#@"}).encode(), {None}),
}


def servers() -> dict[str, tuple[Behaviour, ssl.SSLContext | None]]:
    """Everything that `served` can run."""
    return {
        **{name: (way, None) for name, (way, _) in (TCP_WAYS | FLOODS).items()},
        **{name: (way, context) for name, (way, context, _) in tls_ways().items()},
        **{name: (raw(whole(body)), None) for name, (_, body, _) in DOCUMENTS.items()},
    }


def kinds() -> list[str]:
    """The names of all of them."""
    return [*TCP_WAYS, *FLOODS, *tls_ways(), *OVER_TLS, *(f"dns: {way}" for way in DNS_WAYS), *DOCUMENTS]


def probes_of(name: str, ports: Mapping[str, int]) -> tuple[Probe, set[str | None]]:
    """A probe that meets one, and the codes it may have."""
    kind, port = name.partition(":")[0], ports[OVER_TLS.get(name, name)]
    url = f"http://127.0.0.1:{port}/"
    probe = Probe(
        "m", "p", {"ws": "mqtt", "mqtts": "mqtt"}.get(kind, kind), timedelta(seconds=30), timedelta(seconds=LIMIT)
    )
    if kind == "dns":
        way = name.removeprefix("dns: ")
        target = DnsTarget("shop.test", "TXT" if "text" in way else "A", ("127.0.0.1", port), allow_private=True)
        return replace(probe, ask=target), DNS_WAYS[way]
    if kind == "tcp":
        expect = Expect(contains=("250 OK",), matches=(r"(a|aa)+$",))
        return replace(probe, expect=expect, ask=TcpTarget("127.0.0.1", port, allow_private=True)), TCP_WAYS[name][1]
    if kind == "mqtt":
        return replace(probe, ask=MqttTarget(f"mqtt://127.0.0.1:{port}", "t", allow_private=True)), TCP_WAYS[name][1]
    if kind == "ws":
        return replace(probe, ask=MqttTarget(f"ws://127.0.0.1:{port}/mqtt", "t", allow_private=True)), FLOODS[name][1]
    if kind == "mqtts":
        target = MqttTarget(f"mqtts://127.0.0.1:{port}", "t", allow_private=True)
        return replace(probe, ask=target), tls_ways()[OVER_TLS[name]][2] | {"tls.timeout"}
    if kind == "tls":
        return replace(probe, ask=TlsTarget("127.0.0.1", port, NAME, allow_private=True)), tls_ways()[name][2]
    limit, codes = timedelta(seconds=8), DOCUMENTS[name][2]
    if kind == "prometheus":
        asked = PrometheusTarget(url + "api/v1/query?query=up", query="up", allow_private=True)
        return replace(probe, timeout=limit, expect=Expect(query="up"), ask=asked), codes
    if kind == "statuspage":
        page = PageTarget(url + "summary.json", allow_private=True)
        return replace(probe, timeout=limit, expect=Expect(hearsay=True), ask=page), codes
    first = Step("m", "first", EXPECT, ask=StepTarget(HttpTarget(url, allow_private=True), save=(("v", "ok"),)))
    again = HttpTarget(url + "a/${v}?q=${v}", headers=(("X-Value", "${v}"),), allow_private=True)
    return replace(probe, timeout=limit, steps=(first, Step("m", "next", EXPECT, ask=StepTarget(again)))), codes
