"""Stream: a connection to an address that was checked, as bytes to read and write, with TLS where that is wanted.

What `connection` does for HTTP, for protocols that speak for themselves.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from monitor.probers.address import joined
from monitor.probers.coding import PIECE
from monitor.probers.connection import dial, start_tls
from monitor.probers.failure import Stopped, out_of_resources
from monitor.probers.reach import Reach
from monitor.probers.resolve import route
from monitor.probers.run import Run

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@asynccontextmanager
async def opened(
    run: Run, reach: Reach, host: str, port: int, *, tls: bool, allow_private: bool
) -> AsyncIterator[Streams]:
    """Both ends while the block runs, then cut without waiting for anybody. Raises Stopped."""
    run.enter("resolve")
    ip, number = await route(run, reach, host, port, allow_private, redirected=False)
    run.address, run.certificate = joined(ip, number), None
    plain = await dial(run, reach, ip, number)
    reader = asyncio.StreamReader(PIECE)
    inside = _Inside(reader)
    transport: asyncio.Transport
    if tls:
        transport = await start_tls(run, reach, inside, plain, host.rstrip("."))
    else:
        transport = reach.sockets.carry(plain, inside)
    try:
        yield reader, asyncio.StreamWriter(transport, inside, reader, asyncio.get_running_loop())
    finally:
        transport.abort()


class _Inside(asyncio.StreamReaderProtocol):
    """What reads: the end comes with its reason, or none, and not once before it without."""

    def eof_received(self) -> bool:
        """The end follows."""
        return False


@contextmanager
def ended_as(what: str) -> Iterator[None]:
    """A connection that ends inside the block has its code afterwards; `what` is what was being done."""
    try:
        yield
    except asyncio.IncompleteReadError as error:
        raise Stopped("http.closed", f"the connection was closed {what}") from error
    except ssl.SSLError as error:
        # In TLS 1.3 a server that wants a client certificate says so only after the handshake.
        raise Stopped("tls.handshake_failed", f"the server ended TLS {what} ({error.reason or error})") from error
    except OSError as error:
        raise out_of_resources(error) or Stopped("http.reset", f"the connection was reset {what}") from error
