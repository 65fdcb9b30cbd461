"""Listener: whose program it is that listens at an address of this machine.

A command sends the token of the ops side to whatever answers at `monitor.ops`. While no monitor runs, anybody with an
account on this machine may listen there and wait for it. Linux tells whose a listening socket is.
"""

import os
import socket
from ipaddress import ip_address
from pathlib import Path

LISTENING = "0A"
TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ROOT = 0


def is_ours(host: str, port: int, data: Path) -> bool:
    """Whether everybody who listens there is us, root, or whoever has the data directory; and where nobody can tell."""
    owners = owners_of(host, port)
    return owners <= {ROOT, os.getuid(), *_owner(data)}


def owners_of(host: str, port: int) -> set[int]:
    """The users whose sockets listen on a port of this machine, at an address or at all of them."""
    try:
        wanted = {_packed(str(one[4][0])) for one in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)}
    except OSError:
        return set()
    found: set[int] = set()
    for table in TABLES:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for _, local, _, state, _, _, _, uid, *_ in (line.split() for line in lines):
            address, _, number = local.partition(":")
            if state == LISTENING and int(number, 16) == port and _meets(_unpacked(address), wanted):
                found.add(int(uid))
    return found


def _meets(listening: bytes, wanted: set[bytes]) -> bool:
    return listening in wanted or not any(listening)  # every address


def _packed(address: str) -> bytes:
    return _plain(ip_address(address.partition("%")[0]).packed)


def _unpacked(digits: str) -> bytes:
    """An address as Linux writes it: words of four bytes, each in the order of the machine."""
    raw = bytes.fromhex(digits)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    return _plain(b"".join(word[::-1] if _LITTLE else word for word in words))


def _plain(packed: bytes) -> bytes:
    """IPv4 in IPv6 as what it is."""
    return packed[12:] if len(packed) == 16 and packed.startswith(bytes(10) + b"\xff\xff") else packed


_LITTLE = socket.htons(1) != 1


def _owner(data: Path) -> set[int]:
    try:
        return {data.stat().st_uid}
    except OSError:
        return set()
