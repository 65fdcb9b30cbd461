"""Every way in which a name fails, told by a real name server of our own."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator

import pytest
from dnslib import AAAA, QTYPE, RCODE, RR, SOA, A, DNSRecord
from dnslib.server import BaseResolver, DNSServer

from monitor.core.expectation import Outcome
from monitor.probers import Reach
from monitor.probers.names import MOST_ADDRESSES

from .corpus import whole
from .looking import probe_of, reaching, seen
from .misbehaving import WAYS, raw, served
from .strangers import name_server

MOVES = "moves.test"  # its address is what a test says

_A = {
    "loopback.test": "127.0.0.1",
    "private.test": "10.0.0.7",
    "metadata.test": "169.254.169.254",
    "sinkhole.test": "0.0.0.0",
    "public.test": "192.0.2.1",
}


class Zone(BaseResolver):
    """Answers by the name: some are there, some fail in the way they are called."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.moved: str | None = "127.0.0.1"  # None: no such name, for an hour
        self.ttl = 1

    def resolve(self, request: DNSRecord, handler: object) -> DNSRecord:
        name, kind = str(request.q.qname).rstrip("."), QTYPE[request.q.qtype]
        self.asked.append(f"{name} {kind}")
        reply = request.reply()
        match name:
            case "moves.test" if self.moved is None:
                reply.header.rcode = RCODE.NXDOMAIN
                reply.add_auth(RR("test", QTYPE.SOA, rdata=SOA("ns.test", "a.test", (1, 1, 1, 1, 3600)), ttl=3600))
            case "moves.test" if kind == "A":
                reply.add_answer(RR(name, QTYPE.A, rdata=A(self.moved), ttl=self.ttl))
            case "nowhere.test":
                reply.header.rcode = RCODE.NXDOMAIN
            case "failing.test":
                reply.header.rcode = RCODE.SERVFAIL
            case "unsigned.test":
                if request.header.cd:
                    reply.add_answer(RR(name, QTYPE.A, rdata=A("127.0.0.1"), ttl=1))
                else:
                    reply.header.rcode = RCODE.SERVFAIL
            case "refused.test":
                reply.header.rcode = RCODE.REFUSED
            case "six.test" if kind == "AAAA":
                reply.add_answer(RR(name, QTYPE.AAAA, rdata=AAAA("::1"), ttl=1))
            case "two.test" if kind == "A":
                for number in (1, 2):
                    reply.add_answer(RR(name, QTYPE.A, rdata=A(f"127.0.0.{number}"), ttl=0))
            case _ if kind == "A" and name in _A:
                reply.add_answer(RR(name, QTYPE.A, rdata=A(_A[name]), ttl=1))
        return reply


@pytest.fixture
def zone() -> Iterator[tuple[Zone, str]]:
    """A name server on a free port."""
    zone = Zone()
    server = DNSServer(zone, port=0, address="127.0.0.1", logger=_Quiet())
    server.start_thread()
    yield zone, f"127.0.0.1:{server.server.server_address[1]}"
    server.stop()
    server.server.server_close()


class _Quiet:
    def __getattr__(self, name: str) -> object:
        return lambda *_: None


@pytest.fixture
async def asking(zone: tuple[Zone, str]) -> AsyncIterator[Reach]:
    """A reach that asks that name server."""
    async with reaching(nameservers=[zone[1]]) as reach:
        yield reach


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("nowhere.test", "dns.nxdomain"),
        ("empty.test", "dns.nodata"),
        ("failing.test", "dns.servfail"),
        ("unsigned.test", "dns.dnssec"),
        ("refused.test", "dns.refused"),
        ("loopback.test", "dns.bogus_answer"),
        ("private.test", "dns.bogus_answer"),
        ("metadata.test", "dns.bogus_answer"),
        ("sinkhole.test", "dns.bogus_answer"),
        ("six.test", "dns.bogus_answer"),
        ("x" * 64 + ".test", "self.config"),
    ],
)
async def test_names_that_fail(asking: Reach, name: str, code: str) -> None:
    """Only the look-up is a phase: nothing was dialled."""
    observation, result = await seen(asking, probe_of(f"http://{name}/", allow_private=False))

    assert result.code == code, result.reasons
    assert set(observation.phases) == {"resolve"}
    assert observation.address is None


async def test_a_silent_name_server_is_a_timeout() -> None:
    """Of the name server, whichever limit strikes first."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with reaching(nameservers=[f"127.0.0.1:{silent.getsockname()[1]}"], lookup_timeout=0.1) as reach:
            for limit in (0.05, 3):
                _, result = await seen(reach, probe_of("http://public.test/", limit=limit))
                assert result.code == "dns.timeout"


async def test_a_closed_port_of_the_resolver_blames_us() -> None:
    """Nobody out there is at fault when our own resolver is gone."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    async with reaching(nameservers=[f"127.0.0.1:{port}"]) as reach:
        _, result = await seen(reach, probe_of("http://public.test/"))

    assert (result.code, result.outcome) == ("dns.resolver_unreachable", Outcome.UNKNOWN)


async def test_ipv4_is_preferred_and_asked_alone(asking: Reach, zone: tuple[Zone, str]) -> None:
    """A second question would double the load for an answer that is not used."""
    async with served(WAYS["healthy"]) as server:
        observation, result = await seen(asking, probe_of(server.url("loopback.test")))

    assert result.code is None
    assert observation.address == f"127.0.0.1:{server.port}"
    assert zone[0].asked == ["loopback.test A"]


async def test_a_fresh_run_takes_another_address(asking: Reach) -> None:
    """A second look at a target that has two addresses looks at the other one."""
    async with served(WAYS["healthy"]) as server:
        probe = probe_of(server.url("two.test"))
        first, _ = await seen(asking, probe)
        again, _ = await seen(asking, probe, fresh=True)

    assert {first.address, again.address} == {f"127.0.0.1:{server.port}", f"127.0.0.2:{server.port}"}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "10.1.2.3", "169.254.169.254", "0.0.0.0"])
async def test_a_private_address_written_down_is_our_configuration(asking: Reach, host: str) -> None:
    """It is no surprise of the name server's, and the sentence says what to write."""
    observation, result = await seen(asking, probe_of(f"http://{host}:9/", allow_private=False))

    assert result.code == "self.config"
    assert observation.failure is not None
    assert "allow_private: true" in observation.failure.detail


async def test_hanging_look_ups_delay_nobody(zone: tuple[Zone, str]) -> None:
    """Sixty names that never answer, and a probe that needs none is done at once."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        async with reaching(nameservers=[f"127.0.0.1:{silent.getsockname()[1]}"], lookup_timeout=5) as reach:
            hanging = [asyncio.create_task(seen(reach, probe_of(f"http://h{n}.test/"))) for n in range(60)]
            await asyncio.sleep(0.05)
            async with served(WAYS["healthy"]) as server:
                observation, result = await seen(reach, probe_of(server.url()))
            outcomes = await asyncio.gather(*hanging)

    assert result.code is None
    assert observation.duration < 0.3
    assert {result.code for _, result in outcomes} == {"dns.timeout"}


@pytest.mark.parametrize("ttl", [0, 1])
async def test_a_target_that_moves_is_found_at_its_new_address(asking: Reach, zone: tuple[Zone, str], ttl: int) -> None:
    """Once what the name server said has run out, and not asked again before."""
    zone[0].ttl = ttl
    async with served(WAYS["healthy"]) as server:
        probe = probe_of(server.url(MOVES))
        first, _ = await seen(asking, probe)
        again, _ = await seen(asking, probe)
        zone[0].moved = "127.0.0.2"
        await asyncio.sleep(ttl * 1.1)
        moved, result = await seen(asking, probe)

    places = [one.address and one.address.partition(":")[0] for one in (first, again, moved)]
    assert places == ["127.0.0.1", "127.0.0.1", "127.0.0.2"]
    assert result.code == "tcp.refused"  # nobody listens there, so it was there that it asked
    assert len(zone[0].asked) == (2 if ttl else 3)


async def test_a_name_that_is_back_is_found_at_once(asking: Reach, zone: tuple[Zone, str]) -> None:
    """However long the zone says that there is none: the run that is to confirm it must not hear an echo."""
    zone[0].moved = None
    async with served(WAYS["healthy"]) as server:
        probe = probe_of(server.url(MOVES))
        _, gone = await seen(asking, probe)
        zone[0].moved = "127.0.0.1"
        await asyncio.sleep(0.3)  # as the first extra run does
        _, back = await seen(asking, probe, fresh=True)

    assert (gone.code, back.code) == ("dns.nxdomain", None)


async def test_names_that_are_gone_hold_up_nobody(asking: Reach, zone: tuple[Zone, str]) -> None:
    """Hundreds of failing look-ups, each of which has names asked anew, and the others find theirs."""
    async with served(WAYS["healthy"]) as server:
        probes = [probe_of(server.url("nowhere.test" if n % 2 else "loopback.test")) for n in range(200)]
        results = [result for _, result in await asyncio.gather(*(seen(asking, one) for one in probes))]
        await asyncio.sleep(0.2)
        _, after = await seen(asking, probes[0])

    assert [one.code for one in results] == [None, "dns.nxdomain"] * 100
    assert after.code is None


async def test_what_was_cut_off_counts_as_it_is() -> None:
    """One address is all that is dialled: nobody waits for the rest over TCP, where this server is silent."""
    async with (
        name_server("cut off, with an address") as port,
        served(raw(whole())) as shop,
        reaching(nameservers=[f"127.0.0.1:{port}"], lookup_timeout=1) as reach,
    ):
        observation, result = await seen(reach, probe_of(f"http://cut.example.com:{shop.port}/", limit=5))

    assert result.code is None, result.reasons
    assert observation.phases["resolve"] < 0.5


async def test_where_nothing_was_left_the_whole_answer_is_asked_for() -> None:
    """Over TCP; of very many addresses the first are taken, and all of those are looked at."""
    async with (
        name_server("cut off, and 4,000 addresses") as port,
        served(raw(whole())) as shop,
        reaching(nameservers=[f"127.0.0.1:{port}"], lookup_timeout=1) as reach,
    ):
        url = f"http://many.example.com:{shop.port}/"
        _, result = await seen(reach, probe_of(url, limit=5))
        _, refused = await seen(reach, probe_of(url, limit=5, allow_private=False))
        assert len(await reach.names.addresses("many.example.com", socket.AF_INET)) == MOST_ADDRESSES

    assert result.code is None, result.reasons
    assert refused.code == "dns.bogus_answer"
