"""A second question about a name whose name server failed: is it the signature that fails?

A validating resolver answers SERVFAIL for a broken DNSSEC chain, exactly as for a dead zone. Asked again with checking
disabled (the CD bit, RFC 4035), it gives the answer it refused. c-ares cannot set that bit, so the packet is made here.
"""

import asyncio
import secrets
import socket
import struct
from collections.abc import Sequence

from monitor.probers.address import split

_FLAGS = 0x0110  # recursion desired, checking disabled
_TYPE = {socket.AF_INET: 1, socket.AF_INET6: 28}
_PATIENCE = 1.0  # seconds; only a better word for a failure already certain is waited for


class _Reply(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.data: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        if not self.data.done():
            self.data.set_result(data)

    def error_received(self, exc: Exception) -> None:
        if not self.data.done():
            self.data.set_exception(exc)


async def answers_unchecked(nameservers: Sequence[str], name: str, family: socket.AddressFamily) -> bool:
    """Whether the first name server has an answer once it need not check signatures. Never raises."""
    try:
        server = _server(nameservers[0])
        question, number = _question(name, _TYPE[family])
        async with asyncio.timeout(_PATIENCE):
            loop = asyncio.get_running_loop()
            transport, reply = await loop.create_datagram_endpoint(_Reply, remote_addr=server)
            try:
                transport.sendto(question)
                return _has_answer(await reply.data, number)
            finally:
                transport.close()
    except (OSError, ValueError, IndexError, TimeoutError):
        return False


def _server(text: str) -> tuple[str, int]:
    plain = text.partition("%")[0]
    if plain.count(":") == 1 or plain.startswith("["):
        return split(plain) if not plain.endswith("]") else (plain.strip("[]"), 53)
    return plain, 53


def _question(name: str, record: int) -> tuple[bytes, int]:
    number = secrets.randbelow(1 << 16)
    labels = b"".join(bytes([len(label)]) + label for label in name.rstrip(".").encode("ascii").split(b"."))
    return struct.pack("!6H", number, _FLAGS, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", record, 1), number


def _has_answer(reply: bytes, number: int) -> bool:
    if len(reply) < 12:
        return False
    got, flags, _, answers, _, _ = struct.unpack("!6H", reply[:12])
    return bool(got == number and flags & 0xF == 0 and answers > 0)
