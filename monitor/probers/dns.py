"""The dns prober: what does a name server say of a name?

The whole answer is a fact, also one that says there is no such name; judging makes a code of it. What is no answer at
all (silence, a closed port, an address that no public name should have) stops the exchange.
"""

import asyncio
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from typing import Any, NoReturn

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.reversename
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from monitor.core.lookup import SIGNATURE_ERRORS
from monitor.core.target import DnsTarget
from monitor.probers import address as addresses
from monitor.probers.address import joined
from monitor.probers.body import values_in
from monitor.probers.connection import dial
from monitor.probers.dnssec import answers_unchecked
from monitor.probers.document import found
from monitor.probers.failure import Stopped, of_connect
from monitor.probers.nameserver import HEADER, TRUNCATED, Unreadable, over_tcp, over_udp, place_of, question, read
from monitor.probers.reach import LOOKUP_TIMEOUT, Reach
from monitor.probers.resolve import route
from monitor.probers.run import Run

MOST_RECORDS = 128  # in an answer: names that point to one another make some records cost milliseconds each

_FEW_RECORDS = 12  # that are read between two beats of the event loop
_NO_EDNS = (dns.rcode.FORMERR, dns.rcode.NOTIMP)
_PLAIN = dns.rdata.RdataStyle(omit_final_dot=True)
_PARTS = {
    "MX": ("preference", "exchange"),
    "SRV": ("priority", "weight", "port", "target"),
    "SOA": ("mname", "rname", "serial", "refresh", "retry", "expire", "minimum"),
    "CAA": ("flags", "tag", "value"),
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a name server said, over which protocol (`udp` or `tcp`), and where it is."""

    message: dns.message.Message
    protocol: str
    server: tuple[str, int]


async def look(run: Run, reach: Reach) -> None:
    """Asks one question, keeps the answer, and looks for what is expected in it."""
    target = run.probe.ask
    assert isinstance(target, DnsTarget)
    name = _asked(target)
    ask = _of_system if target.server is None else _of_server
    answer = await ask(run, reach, name, target)
    run.finish()
    message, unchecked = answer.message, None
    if message.rcode() is dns.rcode.SERVFAIL and not any(one.code in SIGNATURE_ERRORS for one in _errors(message)):
        unchecked = await answers_unchecked(*answer.server, name, target.type)
    work = partial(_look_into, run, reach, target, answer, name, unchecked)
    await (reach.aside(work) if any(expect.matches for expect in run.expects) else reach.turns.do(work))


def _look_into(run: Run, reach: Reach, target: DnsTarget, answer: "Answer", name: str, unchecked: bool | None) -> None:
    """Keeps the answer, and evaluates what is expected of it. Raises Stopped."""
    # Asked for the Internet's records: those of another class answer nothing, and are not what their type says.
    ours = (rrset for rrset in answer.message.answer if rrset.rdclass == dns.rdataclass.IN)
    records = [_record(rrset, rdata) for rrset in ours for rdata in rrset]
    facts = _facts(answer, name, target.type, records) | {"answers_unchecked": unchecked}
    run.dns = run.mask.value(facts)
    _note(run, facts)
    run.values.update(values_in("\n".join(record["data"] for record in records), run.expects))
    paths = tuple(dict.fromkeys(path for expect in run.expects for path in expect.paths))
    run.values.update({path: run.mask.value(value) for path, value in found(facts, paths).items()})
    _refuse_bogus(reach, target, records)


def _asked(target: DnsTarget) -> str:
    """The name in the question; an address is asked for by its reverse name."""
    if target.type == "PTR" and (address := addresses.literal(target.name)):
        return dns.reversename.from_address(str(address)).to_text()
    return target.name


# -- asking ------------------------------------------------------------------------------------------------------------


async def _of_server(run: Run, reach: Reach, name: str, target: DnsTarget) -> Answer:
    """The answer of a chosen server. It is itself what is looked at: its silence is its own."""
    assert target.server is not None
    run.enter("resolve")
    server = await route(run, reach, *target.server, target.allow_private, redirected=False)
    run.address = place = joined(*server)
    answer = None
    try:
        async with run.rest():
            answer = await _ask(run, reach, name, target.type, server)
    except ConnectionRefusedError as error:
        raise Stopped("dns.timeout", f"nothing listens at {place}, so it does not answer") from error
    except OSError as error:
        raise of_connect(error, place, ipv6=":" in server[0]) from error
    return answer or _silence(run, place)


async def _of_system(run: Run, reach: Reach, name: str, target: DnsTarget) -> Answer:
    """The answer of the first of the system's servers that gives one. They are not what is looked at, and so no address
    of the run: that one of them is a private machine says nothing about the name."""
    servers, refused, answer = [place_of(one) for one in reach.names.servers], 0, None
    async with run.rest():
        for server in servers:
            try:
                async with asyncio.timeout(LOOKUP_TIMEOUT if server != servers[-1] else None):
                    answer = await _ask(run, reach, name, target.type, server)
                break
            except TimeoutError:
                run.note(f"{joined(*server)} does not answer")
            except OSError as error:
                refused += 1
                run.note(f"{joined(*server)} cannot be reached: {error.strerror or error}")
            except Stopped as stopped:
                if not stopped.code.startswith("tcp."):
                    raise
                refused += 1  # it has more to say and does not: that is no fault of the name
    if answer is None and refused == len(servers):
        raise Stopped("dns.resolver_unreachable", "no name server of this machine could be reached")
    return answer or _silence(run, "the system's name server")


def _silence(run: Run, server: str) -> NoReturn:
    raise Stopped("dns.timeout", f"{server} does not answer within {run.probe.timeout.total_seconds():g} s")


async def _ask(run: Run, reach: Reach, name: str, kind: str, server: tuple[str, int]) -> Answer:
    """The answer of one server, asked once; again without EDNS if it does not understand that. Raises OSError."""
    run.note(f"asking {joined(*server)} for {name} {kind}")
    try:
        answer = await _exchange(run, reach, question(name, kind), server)
        if answer.message.rcode() not in _NO_EDNS:
            return answer
    except Unreadable as unreadable:
        run.note(unreadable.detail)
    run.note("asking again without EDNS, which it may not understand")
    return await _exchange(run, reach, question(name, kind, edns=False), server)


async def _exchange(run: Run, reach: Reach, asked: dns.message.Message, server: tuple[str, int]) -> Answer:
    run.enter("connect")
    wire = asked.to_wire()
    reply, protocol = await over_udp(wire, *server, lambda: run.enter("processing")), "udp"
    if HEADER.unpack_from(reply)[1] & TRUNCATED:
        run.note("the answer does not fit into a datagram and is asked for over TCP")
        with await dial(run, reach, *server) as connection:
            run.enter("processing")
            reply, protocol = await over_tcp(wire, connection), "tcp"
    records = sum(HEADER.unpack_from(reply)[3:])
    if records > MOST_RECORDS:
        raise Stopped("dns.servfail", f"an answer of {records:,} records, more than {MOST_RECORDS}")
    work = partial(read, reply)
    message = await (reach.turns.do(work) if records <= _FEW_RECORDS else reach.aside(work))
    return Answer(message, protocol, server)


# -- reading -----------------------------------------------------------------------------------------------------------


def _facts(answer: Answer, name: str, kind: str, records: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer as `expect.json` sees it and as the observation keeps it."""
    message = answer.message
    return {
        "name": name.removesuffix("."),
        "type": kind,
        "rcode": dns.rcode.to_text(message.rcode()),
        "authoritative": bool(message.flags & dns.flags.AA),
        "authenticated": bool(message.flags & dns.flags.AD),
        "protocol": answer.protocol,
        "answer_count": len(records),
        "authority_count": _count(message.authority),
        "additional_count": _count(message.additional),
        "answers": records,
        "extended_errors": [{"code": int(one.code), "text": one.text or _title(one)} for one in _errors(message)],
    }


def _count(section: list[dns.rrset.RRset]) -> int:
    """How many records a section holds; the one that EDNS puts among the additional ones is not among them."""
    return sum(map(len, section))


def _errors(message: dns.message.Message) -> list[dns.edns.EDEOption]:
    return [option for option in message.options if isinstance(option, dns.edns.EDEOption)]


def _title(error: dns.edns.EDEOption) -> str:
    try:
        return dns.edns.EDECode(error.code).name.replace("_", " ").lower()
    except ValueError:
        return f"extended error {int(error.code)}"


def _record(rrset: dns.rrset.RRset, rdata: dns.rdata.Rdata) -> dict[str, Any]:
    """One record: `data` is its text as in a zone file, without final dots; of the strings of TXT, all in one line."""
    kind = dns.rdatatype.to_text(rrset.rdtype)
    parts = {part: _plain(getattr(rdata, part)) for part in _PARTS.get(kind, ())}
    name = rrset.name.to_text(omit_final_dot=True)
    return {"name": name, "type": kind, "ttl": rrset.ttl, "data": _data(rdata)} | parts


def _data(rdata: dns.rdata.Rdata) -> str:
    if isinstance(rdata, TXT):
        return " ".join(b"".join(rdata.strings).decode("utf-8", "replace").splitlines())
    return rdata.to_text(style=_PLAIN)


def _plain(value: Any) -> Any:
    if isinstance(value, dns.name.Name):
        return value.to_text(omit_final_dot=True)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _refuse_bogus(reach: Reach, target: DnsTarget, records: list[dict[str, Any]]) -> None:
    """Raises Stopped when a public name has an address inside. `0.0.0.0` is a sinkhole, whatever is allowed."""
    if target.type not in ("A", "AAAA") or not addresses.is_public_name(target.name):
        return
    allowed = target.allow_private
    if target.server and addresses.dialled_instead(reach.network.connect_to, *target.server):
        allowed = True
    for address in (ip_address(record["data"]) for record in records if record["type"] == target.type):
        if not addresses.is_public(address) and (address.is_unspecified or not allowed):
            hint = "" if address.is_unspecified else "; write `allow_private: true` on the probe if that is meant"
            raise Stopped("dns.bogus_answer", f"{target.name} is {address}, {addresses.kind_of(address)}{hint}")


def _note(run: Run, facts: dict[str, Any]) -> None:
    if not run.traced:
        return
    marks = [mark for mark in ("authoritative", "authenticated") if facts[mark]]
    run.note(f"< {', '.join([facts['rcode'], *marks])}, over {facts['protocol']}, records: {len(facts['answers'])}")
    for one in facts["extended_errors"]:
        run.note(f"< extended error {one['code']}: {one['text']}")
    for one in facts["answers"]:
        run.note(f"< {one['name']} {one['ttl']} {one['type']} {one['data']}")
