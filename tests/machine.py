"""How fast the machine is, beside the one on which the bounds of these tests were set: where `monitor check` takes 2 s
of the processor for ten thousand modules.

A bound in seconds of the processor means another thing on each machine. What a test measures is divided by `slowness()`
or its bound multiplied, so that it holds the code to the same work everywhere. `python -m tests.machine` tells it.
"""

import json
import socket
import time
from collections.abc import Callable, Mapping
from statistics import geometric_mean, median

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

# Some of each is in all that the program does, and a machine that is fast at one may be slow at another.
_DOCUMENT = json.dumps([{"id": number, "name": f"shop {number}", "up": True, "took": 0.25} for number in range(1000)])
_KEY = ec.derive_private_key(0x5EED, ec.SECP384R1())
_ALGORITHM = ec.ECDSA(hashes.SHA256())
_SIGNED = _KEY.sign(b"", _ALGORITHM)


def _turns() -> None:
    for _ in range(20_000):
        pass


def _objects() -> None:
    json.loads(_DOCUMENT)


def _signatures() -> None:
    for _ in range(2):
        _KEY.public_key().verify(_SIGNED, b"", _ALGORITHM)


def _calls() -> None:
    one, other = socket.socketpair()
    with one, other:
        for _ in range(200):
            one.send(b"x")
            other.recv(1)


_PARTS: Mapping[Callable[[], None], float] = {  # and the seconds that each takes there
    _turns: 0.00025,
    _objects: 0.0005,
    _signatures: 0.001,
    _calls: 0.0005,
}


def slowness() -> float:
    """How many times longer this machine takes now than the one of the bounds; 1 at least.

    In time of this thread, the median of a few: waiting for others is no slowness, sharing a core with them is.
    """
    return max(1.0, geometric_mean(_taken(part) / there for part, there in _PARTS.items()))


def _taken(part: Callable[[], None]) -> float:
    return median(_once(part) for _ in range(5))


def _once(part: Callable[[], None]) -> float:
    began = time.thread_time()
    part()
    return time.thread_time() - began


if __name__ == "__main__":
    for part in _PARTS:
        print(f"{part.__name__[1:]}: {1000 * _taken(part):.2f} ms")
    print(f"slowness: {slowness():.2f}")
