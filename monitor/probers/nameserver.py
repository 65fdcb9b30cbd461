"""Name server: a question on the wire, and the datagram that answers it.

c-ares tells only what an answer comes to. Where the answer itself is wanted (its code, its marks, every record with
its age, the extended errors), or a mark that c-ares cannot set, the packet is made and read here.
"""

import asyncio
import socket
import struct
from collections.abc import Callable

import dns.exception
import dns.flags
import dns.message

from monitor.probers.address import literal, split
from monitor.probers.failure import Stopped

PORT = 53
LARGEST_UDP = 1232  # bytes that pass everywhere in one piece

HEADER = struct.Struct("!6H")  # number, flags, and how many questions, answers, authorities and others follow
TRUNCATED = 0x0200
_ANSWER = 0x8000


class Unreadable(Stopped):
    """A reply that cannot be taken apart; perhaps because its server does not understand EDNS."""

    def __init__(self, detail: str) -> None:
        super().__init__("dns.servfail", f"the name server's answer could not be read: {detail}")


def place_of(server: str) -> tuple[str, int]:
    """Address and port of a name server as c-ares writes it: `192.0.2.1`, `192.0.2.1:53`, `[2001:db8::1]:53`."""
    plain = server.partition("%")[0]
    return (str(address), PORT) if (address := literal(plain)) else split(plain)


def question(name: str, kind: str, *, edns: bool = True, checked: bool = True) -> dns.message.Message:
    """A question with a number of its own; without `checked` the server need not verify signatures (CD, RFC 4035).

    Raises Stopped for a name that cannot be asked for.
    """
    flags = dns.flags.RD | (dns.flags.AD if checked else dns.flags.CD)
    try:
        return dns.message.make_query(
            name, kind, use_edns=0 if edns else False, payload=LARGEST_UDP if edns else None, flags=flags
        )
    except dns.exception.DNSException as error:
        raise Stopped("self.config", f"{name[:80]} is not a name that can be asked for: {error}") from error


async def over_udp(wire: bytes, ip: str, port: int, connected: Callable[[], None] = lambda: None) -> bytes:
    """The reply to a question: what belongs to no question of ours is passed over. Raises OSError.

    `connected` is called before the question leaves.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.setblocking(False)
        await loop.sock_connect(line, (ip, port))
        connected()
        await loop.sock_sendall(line, wire)
        while True:
            reply = await loop.sock_recv(line, 65_535)
            if belongs(reply, wire):
                return reply
            await asyncio.sleep(0)  # a flood of them must not hold up everybody else


async def over_tcp(wire: bytes, connection: socket.socket) -> bytes:
    """The same over a connected socket, where a reply may be long. Raises Stopped."""
    loop = asyncio.get_running_loop()
    try:
        await loop.sock_sendall(connection, struct.pack("!H", len(wire)) + wire)
        (size,) = struct.unpack("!H", await _exactly(connection, 2))
        reply = await _exactly(connection, size)
    except OSError as error:
        raise Stopped("dns.servfail", "the name server broke off the connection") from error
    if not belongs(reply, wire):
        raise Stopped("dns.servfail", "the name server answers another question")
    return reply


async def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = await asyncio.get_running_loop().sock_recv(connection, size - len(data))
        if not piece:
            raise Stopped("dns.servfail", "the name server closed the connection amid its answer")
        data += piece
    return data


def belongs(reply: bytes, wire: bytes) -> bool:
    """Whether a reply has the number and the question of what was asked. The question may be left out where there is no
    answer either: in an error, and in a datagram that is cut off."""
    if len(reply) < HEADER.size or reply[:2] != wire[:2]:
        return False
    _, flags, questions, *_ = HEADER.unpack_from(reply)
    if not flags & _ANSWER or questions > 1:
        return False
    if questions == 0:
        return bool(flags & (0xF | TRUNCATED))
    end = wire.index(b"\0", HEADER.size) + 5  # the name, its type and its class
    return reply[HEADER.size : end].lower() == wire[HEADER.size : end].lower()


def read(reply: bytes) -> dns.message.Message:
    """A reply taken apart. Raises Unreadable."""
    try:
        return dns.message.from_wire(reply, ignore_trailing=True)
    except (dns.exception.DNSException, ValueError, IndexError, struct.error) as error:
        raise Unreadable(str(error)) from error
