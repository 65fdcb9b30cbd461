"""Names: looked up by c-ares, whose answers are made into objects while its lock is held.

An answer of thousands of records takes a twentieth of a second so, and whoever begins a look-up meanwhile waits for the
lock: two hundred of them held up the event loop for seconds. So everybody is asked over UDP alone, where no more than a
hundred addresses fit, and what was cut off there counts as it is: one address is all that is wanted. Only where nothing
at all was left is the whole answer asked for, over TCP if need be, by a second c-ares that a thread waits for.
"""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice

import aiodns
import pycares

NO_DATA = 1
MOST_ADDRESSES = 128  # of a name; one of the first is dialled

_NO_SORT = 1 << 7  # ARES_AI_NOSORT: sorting opens a socket per address to see which route is nearest

_Asked = asyncio.Future[pycares.AddrInfoResult]


class Names:
    """Looks names up at these name servers (`ADDRESS:PORT`), else at the system's.

    `timeout`: seconds that one of them has for the first of three tries.
    """

    def __init__(self, nameservers: Sequence[str], timeout: float) -> None:
        self._wanted, self._timeout = nameservers or None, timeout
        self._short = self._asking(pycares.ARES_FLAG_EDNS | pycares.ARES_FLAG_IGNTC)
        self._whole: aiodns.DNSResolver | None = None  # made when it is needed: it has a thread of its own
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="names")
        self.servers = tuple(nameservers or self._short.nameservers)

    async def addresses(self, name: str, family: socket.AddressFamily) -> list[str]:
        """Addresses of a name, in this family, the first of very many. Raises DNSError."""
        try:
            return _texts(await _look_up(self._short, name, family))
        except aiodns.error.DNSError as error:
            if error.args[:1] != (NO_DATA,):
                raise
        if self._whole is None:
            self._whole = self._asking(pycares.ARES_FLAG_EDNS)
        begun = asyncio.get_running_loop().run_in_executor(self._thread, _look_up, self._whole, name, family)
        begun.add_done_callback(_heard)
        return _texts(await (await asyncio.shield(begun)))

    def forget(self) -> None:
        """Every name is looked up anew."""
        for one in (self._short, self._whole):
            if one is not None:
                with suppress(pycares.AresError, RuntimeError):  # closed meanwhile
                    one._channel.reinit()

    async def close(self) -> None:
        """Whoever still waits hears that it was cancelled."""
        self._thread.shutdown(wait=False, cancel_futures=True)
        for one in (self._short, self._whole):
            if one is not None:
                await one.close()

    def _asking(self, flags: int) -> aiodns.DNSResolver:
        return aiodns.DNSResolver(self._wanted, timeout=self._timeout, tries=3, flags=flags)


def _look_up(resolver: aiodns.DNSResolver, name: str, family: socket.AddressFamily) -> _Asked:
    return resolver.getaddrinfo(name, family=family, type=socket.SOCK_STREAM, flags=_NO_SORT)


def _heard(begun: "asyncio.Future[_Asked]") -> None:
    """Whoever asked may be gone by the time it has begun: what becomes of it is no surprise to anybody."""
    if not begun.cancelled() and begun.exception() is None:
        begun.result().add_done_callback(lambda asked: asked.cancelled() or asked.exception())


def _texts(result: pycares.AddrInfoResult) -> list[str]:
    addresses = (node.addr[0] for node in islice(result.nodes, MOST_ADDRESSES))
    return [one.decode() if isinstance(one, bytes) else one for one in addresses]
