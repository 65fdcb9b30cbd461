"""Questions to name servers of our own, honest ones and others: the `dns` kind."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from dnslib import AAAA, CAA, CNAME, EDNS0, MX, PTR, QTYPE, RCODE, RR, SOA, SRV, TXT, A, DNSRecord, EDNSOption
from dnslib.server import BaseResolver, DNSHandler, DNSServer

from monitor.core.clause import Clause
from monitor.core.expectation import Expect, Outcome, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.probe import Probe
from monitor.core.target import DnsTarget, Network
from monitor.probers import Reach
from monitor.probers.dns import MOST_RECORDS

from .looking import LIMIT, LagSampler, reaching, seen

PUBLIC = "93.184.215.14"


class Zone(BaseResolver):
    """A small zone, and names that fail in the way they are called."""

    def __init__(self) -> None:
        self.asked: list[DNSRecord] = []

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        self.asked.append(request)
        name, kind = str(request.q.qname).rstrip(".").lower(), QTYPE[request.q.qtype]
        reply = request.reply()
        reply.header.ad = 0  # the library echoes the mark
        for record in self.records(name, kind):
            reply.add_answer(record)
        match name:
            case "nowhere.example.com":
                reply.header.rcode = RCODE.NXDOMAIN
            case "failing.example.com":
                reply.header.rcode = RCODE.SERVFAIL
            case "explained.example.com":
                reply.header.rcode = RCODE.SERVFAIL
                reply.add_ar(EDNS0(opts=[EDNSOption(15, b"\0\x07signed \x1b[31mlong ago")]))
            case "unsigned.example.com" if not request.header.cd:
                reply.header.rcode, reply.rr = RCODE.SERVFAIL, []
            case "refused.example.com":
                reply.header.rcode = RCODE.REFUSED
            case "odd.example.com":
                reply.header.rcode = RCODE.NOTAUTH
            case "old.example.com" if request.ar:
                reply.header.rcode, reply.rr = RCODE.FORMERR, []
        return reply

    def records(self, name: str, kind: str) -> list[RR]:
        def rr(type: str, data: Any, owner: str = name, ttl: int = 60) -> RR:
            return RR(owner, getattr(QTYPE, type), rdata=data, ttl=ttl)

        match name, kind:
            case "shop.example.com", "A":
                return [rr("CNAME", CNAME("edge.example.net")), rr("A", A(PUBLIC), "edge.example.net", 30)]
            case "shop.example.com", "CNAME":
                return [rr("CNAME", CNAME("edge.example.net"))]
            case "dangling.example.com", "A":
                return [rr("CNAME", CNAME("gone.example.net"))]
            case "shop.example.com", "AAAA":
                return [rr("AAAA", AAAA("2606:2800:21f:cb07:6820:80da:af6b:8b2c"))]
            case "shop.example.com", "MX":
                return [rr("MX", MX("mail.example.com", 10)), rr("MX", MX("spare.example.com", 20))]
            case "shop.example.com", "TXT":
                return [rr("TXT", TXT([b"v=spf1 include:x", b".example -all"])), rr("TXT", TXT("caf\u00e9\nnoir"))]
            case "example.com", "SOA":
                return [rr("SOA", SOA("ns1.example.com", "admin.example.com", (2026112601, 1, 2, 3, 4)))]
            case "_sip._tcp.example.com", "SRV":
                return [rr("SRV", SRV(1, 2, 5060, "sip.example.com"))]
            case "example.com", "CAA":
                return [rr("CAA", CAA(0, "issue", "letsencrypt.org"))]
            case "14.215.184.93.in-addr.arpa", "PTR":
                return [rr("PTR", PTR("shop.example.com"))]
            case "xn--mnchen-3ya.example" | "unsigned.example.com" | "old.example.com" | "odd.example.com", "A":
                return [rr("A", A(PUBLIC))]
            case "big.example.com", "TXT":
                return [rr("TXT", TXT(f"{number} " * 60)) for number in range(60)]
            case "many.example.com", "A":
                return [rr("A", A(f"93.184.{n // 250}.{n % 250}")) for n in range(MOST_RECORDS + 1)]
            case "sinkhole.example.com" | "sinkhole.internal", "A":
                return [rr("A", A("0.0.0.0"))]
            case "private.example.com" | "private.internal", "A":
                return [rr("A", A(PUBLIC)), rr("A", A("10.0.0.7"))]
        return []


class _Quiet:
    def __getattr__(self, name: str) -> object:
        return lambda *_: None


class Handler(DNSHandler):
    """Answers over UDP in at most 512 bytes, and says so when there is more."""

    udplen = 512


def listening(zone: Zone, over_tcp: bool, nobody: socket.socket) -> list[DNSServer]:
    """Servers on a port that is free for all of them, and that is nobody's over TCP where none of them is there."""
    for _ in range(20):
        servers = [DNSServer(zone, port=0, address="127.0.0.1", logger=_Quiet(), handler=Handler)]
        port = servers[0].server.server_address[1]
        with suppress(OSError):
            if not over_tcp:
                nobody.bind(("127.0.0.1", port))
                return servers
            tcp = DNSServer(zone, port=port, address="127.0.0.1", logger=_Quiet(), tcp=True, handler=Handler)
            return [*servers, tcp]
        servers[0].server.server_close()
    raise AssertionError("no port is free for both")


@contextmanager
def serving(zone: Zone, over_tcp: bool) -> Iterator[int]:
    """A name server on one port, over UDP and, if wanted, over TCP; else nobody has that port."""
    with socket.socket() as nobody:
        servers = listening(zone, over_tcp, nobody)
        port = servers[0].server.server_address[1]
        for one in servers:
            one.start_thread()
        try:
            yield port
        finally:
            for one in servers:
                one.stop()
                one.server.server_close()


@pytest.fixture(scope="module")
def whole_zone() -> Iterator[tuple[Zone, int]]:
    """One name server for all tests: stopping it takes half a second."""
    zone = Zone()
    with serving(zone, over_tcp=True) as port:
        yield zone, port


@pytest.fixture
def zone(whole_zone: tuple[Zone, int]) -> tuple[Zone, int]:
    """The zone, nothing asked yet, and the port of its name server."""
    whole_zone[0].asked.clear()
    return whole_zone


Reply = Callable[[bytes], list[bytes]]


@asynccontextmanager
async def replying(reply: Reply) -> AsyncIterator[int]:
    """A name server that answers a packet with the packets of a function."""

    class Protocol(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: Any) -> None:
            for packet in reply(data):
                self.transport.sendto(packet, addr)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Protocol, local_addr=("127.0.0.1", 0))
    try:
        yield transport.get_extra_info("sockname")[1]
    finally:
        transport.close()


def dns(port: int | None, name: str = "shop.example.com", expect: Expect | None = None, **target: Any) -> Probe:
    """A question to a port of loopback, or to the system's name server."""
    server = None if port is None else ("127.0.0.1", port)
    return Probe(
        "shop",
        "name",
        "dns",
        timedelta(seconds=30),
        timedelta(seconds=LIMIT),
        expect=expect or Expect(),
        ask=DnsTarget(name, **({"server": server, "allow_private": True} | target)),
    )


def finds(path: str, value: Any) -> Expect:
    return Expect(json=((path, (Clause("equals", value),)),))


async def test_an_answer_is_kept_whole(reach: Reach, zone: tuple[Zone, int]) -> None:
    """The chain of aliases with the age of each record; the server's address is that of the run."""
    observation, result = await seen(reach, dns(zone[1]))

    assert result.outcome is Outcome.PASSED, result.reasons
    assert observation.address == f"127.0.0.1:{zone[1]}"
    assert set(observation.phases) == {"resolve", "connect", "processing"}
    assert observation.http is None
    assert observation.dns == {
        "name": "shop.example.com",
        "type": "A",
        "rcode": "NOERROR",
        "authoritative": True,
        "authenticated": False,
        "protocol": "udp",
        "answer_count": 2,
        "authority_count": 0,
        "additional_count": 0,
        "answers": [
            {"name": "shop.example.com", "type": "CNAME", "ttl": 60, "data": "edge.example.net"},
            {"name": "edge.example.net", "type": "A", "ttl": 30, "data": PUBLIC},
        ],
        "extended_errors": [],
        "answers_unchecked": None,
    }
    assert len(zone[0].asked) == 1


@pytest.mark.parametrize(
    ("name", "kind", "line", "path", "value"),
    [
        ("shop.example.com", "A", PUBLIC, "answers[?type=='A'].ttl | [0]", 30),
        ("shop.example.com", "A", "edge.example.net", "authoritative", True),
        ("shop.example.com", "CNAME", "edge.example.net", "length(answers)", 1),
        ("shop.example.com", "AAAA", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "rcode", "NOERROR"),
        ("shop.example.com", "MX", "10 mail.example.com", "min_by(answers, &preference).exchange", "mail.example.com"),
        ("shop.example.com", "TXT", "v=spf1 include:x.example -all", "answers[1].data", "caf\u00e9 noir"),
        ("example.com", "SOA", "ns1.example.com admin.example.com", "answers[0].serial", 2026112601),
        ("_sip._tcp.example.com", "SRV", "1 2 5060 sip.example.com", "answers[0].port", 5060),
        ("example.com", "CAA", '0 issue "letsencrypt.org"', "answers[0].value", "letsencrypt.org"),
        ("93.184.215.14", "PTR", "shop.example.com", "name", "14.215.184.93.in-addr.arpa"),
        ("xn--mnchen-3ya.example", "A", PUBLIC, "name", "xn--mnchen-3ya.example"),
    ],
)
async def test_records_as_text_and_as_json(
    reach: Reach, zone: tuple[Zone, int], name: str, kind: str, line: str, path: str, value: Any
) -> None:
    """One record a line for `contains` and `matches`, names without final dots; their parts for `json`."""
    expect = Expect(contains=(line,), matches=("(?m)^.+$",), json=((path, (Clause("equals", value),)),))
    _, result = await seen(reach, dns(zone[1], name, expect, type=kind))

    assert result.outcome is Outcome.PASSED, result.reasons


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere.example.com", "dns.nxdomain"),
        ("empty.example.com", "dns.nodata"),
        ("dangling.example.com", "dns.nodata"),
        ("failing.example.com", "dns.servfail"),
        ("odd.example.com", "dns.servfail"),
        ("explained.example.com", "dns.dnssec"),
        ("unsigned.example.com", "dns.dnssec"),
        ("refused.example.com", "dns.refused"),
        ("sinkhole.example.com", "dns.bogus_answer"),
        ("many.example.com", "dns.servfail"),
        ("x" * 64 + ".example.com", "self.config"),
    ],
)
async def test_answers_that_are_none(reach: Reach, zone: tuple[Zone, int], name: str, code: str) -> None:
    """One code each, live and from a recording."""
    observation, result = await seen(reach, dns(zone[1], name, Expect(contains=("something",))))

    assert result.code == code, result.reasons
    assert judge(observation_from_json(observation_to_json(observation)), Expect()) == result
    assert "\x1b" not in str(observation.dns)


async def test_a_name_that_should_not_be_there(reach: Reach, zone: tuple[Zone, int]) -> None:
    """Whoever expects something of `rcode` decides what is right, and is told the name server's word otherwise."""
    gone = finds("rcode", "NXDOMAIN")
    _, absent = await seen(reach, dns(zone[1], "nowhere.example.com", gone))
    _, present = await seen(reach, dns(zone[1], "shop.example.com", gone))
    _, failing = await seen(reach, dns(zone[1], "failing.example.com", gone))
    _, empty = await seen(reach, dns(zone[1], "empty.example.com", finds("[rcode, length(answers)]", ["NOERROR", 0])))

    assert (absent.code, empty.code) == (None, None)
    assert (present.code, failing.code) == ("content.assertion", "dns.servfail")


async def test_an_answer_that_is_not_the_one_expected(reach: Reach, zone: tuple[Zone, int]) -> None:
    """Somebody changed the record."""
    _, text = await seen(reach, dns(zone[1], expect=Expect(contains=("192.0.2.1",))))
    _, json = await seen(reach, dns(zone[1], expect=finds("authenticated", True)))

    assert (text.code, json.code) == ("content.assertion", "content.assertion")
    assert text.reasons == (f'the answer does not contain "192.0.2.1": edge.example.net, {PUBLIC}',)


@pytest.mark.parametrize(
    ("name", "allowed", "code"),
    [
        ("private.example.com", False, "dns.bogus_answer"),
        ("private.example.com", True, None),
        ("private.internal", False, None),
        ("sinkhole.internal", False, None),
        ("sinkhole.example.com", True, "dns.bogus_answer"),
        ("shop.example.com", False, None),
    ],
)
async def test_private_addresses_of_public_names(zone: tuple[Zone, int], name: str, allowed: bool, code: str) -> None:
    """Whether that is meant only people know; nothing lives at 0.0.0.0."""
    async with reaching(nameservers=[f"127.0.0.1:{zone[1]}"]) as reach:
        observation, result = await seen(reach, dns(None, name, allow_private=allowed))

    assert result.code == code, result.reasons
    assert observation.dns is not None, "the answer stays a fact"


async def test_a_long_answer_comes_over_tcp(reach: Reach, zone: tuple[Zone, int]) -> None:
    """The datagram says that it was cut."""
    expect = Expect(json=(("[protocol, length(answers)]", (Clause("equals", ["tcp", 60]),)),))
    observation, result = await seen(reach, dns(zone[1], "big.example.com", expect, type="TXT"))

    assert result.outcome is Outcome.PASSED, result.reasons
    assert "connect" in observation.phases
    assert len(str(observation.dns)) < 20_000, "what is kept is bounded"


async def test_a_long_answer_from_a_server_that_speaks_no_tcp(reach: Reach) -> None:
    """Half an answer is none."""
    with serving(Zone(), over_tcp=False) as port:
        _, result = await seen(reach, dns(port, "big.example.com", type="TXT"))

    assert result.code == "tcp.refused"


async def test_a_server_that_does_not_understand_edns(reach: Reach, zone: tuple[Zone, int]) -> None:
    """It is asked once more in its own words, as everybody else does."""
    _, result = await seen(reach, dns(zone[1], "old.example.com"))

    assert result.outcome is Outcome.PASSED, result.reasons
    assert [len(request.ar) for request in zone[0].asked] == [1, 0]


def honest(data: bytes) -> bytes:
    request = DNSRecord.parse(data)
    reply = request.reply()
    reply.add_answer(RR(str(request.q.qname), QTYPE.A, rdata=A(PUBLIC), ttl=1))
    return bytes(reply.pack())


def circle(data: bytes) -> bytes:
    """A record whose name is itself."""
    reply = bytes(DNSRecord.parse(data).reply().pack())
    return reply[:6] + b"\0\1" + reply[8:] + (0xC000 | len(reply)).to_bytes(2) + b"\0\1\0\1\0\0\0\1\0\4\1\1\1\1"


def other(data: bytes) -> bytes:
    """An answer with the right number to another question."""
    request = DNSRecord.question("evil.example.com")
    request.header.id = DNSRecord.parse(data).header.id
    return honest(bytes(request.pack()))


@pytest.mark.parametrize("type", [QTYPE.A, QTYPE.SRV])
@pytest.mark.parametrize("kind", [0, 254])
async def test_a_record_of_another_class_is_none(reach: Reach, type: int, kind: int) -> None:
    """Whatever its type makes one expect of it: the name has no such record."""

    def foreign(data: bytes) -> bytes:
        reply = bytes(DNSRecord.parse(data).reply().pack())
        record = b"\xc0\x0c" + type.to_bytes(2) + kind.to_bytes(2) + b"\0\0\0\1\0\4\1a\0\1"
        return reply[:6] + b"\0\1" + reply[8:10] + b"\0\0" + reply[12:] + record

    async with replying(lambda data: [foreign(data)]) as port:
        observation, result = await seen(reach, dns(port, type=QTYPE[type]))

    assert result.code == "dns.nodata", result
    assert observation.dns is None or observation.dns["answers"] == []


async def test_forged_packets_are_passed_over(reach: Reach) -> None:
    """Another number, another question, a question in the place of an answer, half a header."""
    async with replying(lambda data: [b"\0\0" + honest(data)[2:], other(data), data, b"x", honest(data)]) as port:
        observation, result = await seen(reach, dns(port))

    assert result.outcome is Outcome.PASSED, result.reasons
    assert observation.dns is not None
    assert observation.dns["name"] == "shop.example.com"


async def test_a_server_that_only_sends_rubbish_is_silent(reach: Reach) -> None:
    """And its flood holds up nobody."""
    async with replying(lambda data: [b"\0\0" + data[2:]] * 5000) as port, LagSampler() as lag:
        _, result = await seen(reach, dns(port))

    assert result.code == "dns.timeout"
    assert lag.worst < 0.2  # the flood is made in the same loop


@pytest.mark.parametrize(
    "reply",
    [
        lambda data: [honest(data)[:-3]],
        lambda data: [honest(data)[:6] + b"\0\x09" + honest(data)[8:]],
        lambda data: [circle(data)],
    ],
    ids=["cut off", "fewer records than it says", "names that point to themselves"],
)
async def test_answers_that_cannot_be_read(reach: Reach, reply: Reply) -> None:
    """A name server that says something and nothing anybody understands has failed."""
    async with replying(reply) as port:
        observation, result = await seen(reach, dns(port))

    assert result.code == "dns.servfail"
    assert "could not be read" in result.reasons[0]
    assert observation.dns is None


async def test_names_that_take_long_to_put_together(reach: Reach) -> None:
    """As many records as are read, each made of two names of a hundred labels that point to one another."""
    name = b"\1a" * 120 + b"\0"

    def bomb(data: bytes) -> list[bytes]:
        record = b"\xc0\x0c" + b"\0\5\0\1\0\0\0\1\0\2" + b"\xc0\x0c"
        head = data[:2] + b"\x81\x80\0\1" + MOST_RECORDS.to_bytes(2) + b"\0\0\0\0"
        return [head + name + b"\0\1\0\1" + record * MOST_RECORDS]

    async with replying(bomb) as port, LagSampler() as lag:
        await seen(reach, dns(port, ".".join("a" * 120)))

    assert lag.worst < 0.05


async def test_a_chosen_server_that_does_not_answer(reach: Reach) -> None:
    """It is itself what is looked at, so its closed port and its silence are its own fault."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
        _, silent = await seen(reach, dns(port))
    _, closed = await seen(reach, dns(port))

    assert (silent.code, closed.code) == ("dns.timeout", "dns.timeout")
    assert (silent.outcome, closed.outcome) == (Outcome.FAILED, Outcome.FAILED)


async def test_a_chosen_server_that_has_no_address(reach: Reach, zone: tuple[Zone, int]) -> None:
    """Its name is looked up like any other host's, `connect_to` and permission included."""
    async with reaching(nameservers=[f"127.0.0.1:{zone[1]}"]) as reach:
        _, lost = await seen(reach, dns(None, server=("nowhere.example.com", 53)))
        _, private = await seen(reach, dns(zone[1], allow_private=False))
        reach.network = Network(connect_to=(("ns1.example.com:53", f"127.0.0.1:{zone[1]}"),))
        _, led = await seen(reach, dns(None, server=("ns1.example.com", 53), allow_private=False))

    assert (lost.code, private.code, led.code) == ("dns.nxdomain", "self.config", None)


async def test_the_system_s_servers_are_not_what_is_looked_at(zone: tuple[Zone, int]) -> None:
    """The first that answers counts; that none can be reached is our own trouble, and their address is nobody's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        gone = f"127.0.0.1:{free.getsockname()[1]}"
    async with reaching(nameservers=[gone, f"127.0.0.1:{zone[1]}"]) as reach:
        observation, second = await seen(reach, dns(None))
    async with reaching(nameservers=[gone]) as reach:
        _, none = await seen(reach, dns(None))
    with serving(Zone(), over_tcp=False) as port:
        async with reaching(nameservers=[f"127.0.0.1:{port}"]) as reach:
            _, half = await seen(reach, dns(None, "big.example.com", type="TXT"))

    assert (second.code, observation.address) == (None, None)
    assert (none.code, none.outcome) == ("dns.resolver_unreachable", Outcome.UNKNOWN)
    assert (half.code, half.outcome) == ("dns.resolver_unreachable", Outcome.UNKNOWN)


async def test_the_trace_shows_question_and_answer(reach: Reach, zone: tuple[Zone, int]) -> None:
    """As one would ask by hand."""
    steps: list[str] = []
    await seen(reach, dns(zone[1]), trace=steps.append)

    text = "\n".join(steps)
    assert f"asking 127.0.0.1:{zone[1]} for shop.example.com A" in text
    assert "< NOERROR, authoritative, over udp, records: 2" in text
    assert f"< edge.example.net 30 A {PUBLIC}" in text
