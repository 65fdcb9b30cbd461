"""Patience: how long a connection may stay without asking for anything, and how many there may be.

aiohttp gives a connection all the time it wants for its first request, and an hour for the next. Whoever opens many and
says nothing would take the descriptors that probes need. A connection is *idle* from its beginning, and from each
answer, to its next request: one whose answer is not read is idle too.
"""

import asyncio
import resource
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web
from aiohttp.typedefs import Handler
from aiohttp.web_protocol import RequestHandler

LONGEST = 90.0  # seconds; what loads a page over a bad line has had its answer long before
SLOWEST = 30.0  # seconds for what is sent along with a request
EVERY = 5.0  # seconds between looks
SHARE = 8  # of all descriptors, one part in so many is for readers of each of our two servers (`probers.seats`)
MOST = 2000
MOST_AT_ONCE = 128

GONE = 1.0  # seconds after which one without a transport has gone, and is not about to come


class Patience:
    """`most` connections at once: for one more, the one goes that has been idle the longest."""

    def __init__(self, longest: float = LONGEST, every: float = EVERY, most: int | None = None) -> None:
        self.most = most or min(MOST, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // SHARE)
        # What is let in at one turn of the loop has its descriptor before anybody here hears of it, and cannot be ended
        # until the turn after next.
        self.at_once = max(1, min(MOST_AT_ONCE, self.most // 4))
        self._longest, self._every = longest, every
        self._idle: dict[RequestHandler, float] = {}  # since when; the longest idle comes first

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """A connection is not idle while its request is answered."""
        connection = request.protocol
        self._idle.pop(connection, None)
        try:
            return await handler(request)
        finally:
            self._idle[connection] = _now()

    def welcoming(self, server: Callable[[], RequestHandler]) -> Callable[[], RequestHandler]:
        """What makes the connections of a server, with an eye on each."""

        def connection() -> RequestHandler:
            if len(self._idle) >= self.most:
                self._look(_now())
            while len(self._idle) >= self.most:
                self._end(next(iter(self._idle)))
            made = server()
            self._idle[made] = _now()
            return made

        return connection

    async def watch(self) -> None:
        """Ends what is idle for too long, until cancelled."""
        while True:
            await asyncio.sleep(self._every)
            self._look(_now())

    def _look(self, now: float) -> None:
        for connection, since in list(self._idle.items()):
            if now - since > (GONE if connection.transport is None else self._longest):
                self._end(connection)

    def _end(self, connection: RequestHandler) -> None:
        del self._idle[connection]
        transport = connection.transport
        with suppress(asyncio.InvalidStateError):
            connection.force_close()
        if transport is not None:
            transport.abort()  # closed alone, it would wait until somebody reads what was not sent yet


def _now() -> float:
    return asyncio.get_running_loop().time()
