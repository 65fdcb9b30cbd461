"""Line: a connection over which a run asks its question, written and read without a client in between.

aiohttp parses what comes and holds it back under a cap; everything else a client does for its users
(pools, retries, redirects, cookies, hooks) hides faults from a probe or falsifies how long an answer took.
"""

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import ClientPayloadError, HttpVersion, StreamReader
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDictProxy

from monitor.core.observation import Certificate
from monitor.probers.address import joined
from monitor.probers.coding import PIECE
from monitor.probers.connection import dial, start_tls
from monitor.probers.failure import Stopped
from monitor.probers.resolve import route
from monitor.probers.run import Run
from monitor.probers.turns import Turns

if TYPE_CHECKING:
    from monitor.probers.reach import Reach

MOST_INTERIM = 128  # answers 1xx before the one that counts: a flood of them would keep the event loop busy
KEPT_FOR = 75.0  # seconds that a connection waits for the next run

Where = tuple[bool, str, int]  # whether with TLS, host, port
Kept = tuple[tuple[str, str], Where]  # whose connection: the module and probe, and where it leads


class Answer(NamedTuple):
    """One answer, its headers read and its body to come."""

    status: int
    reason: str | None
    version: HttpVersion
    headers: CIMultiDictProxy[str]
    content: StreamReader


class Line(ResponseHandler):
    """One connection, which marks first bytes and remembers where it leads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str, turns: Turns) -> None:
        super().__init__(loop)
        self.address = address
        self.certificate: Certificate | None = None
        self._run: Run | None = None
        self._turns = turns
        self._held = b""  # what came and waits for its turn; nothing more is read meanwhile
        self._queued = self._resuming = False
        self._interim: int | None = None  # answers 1xx so far, None once the one that counts has come

    @property
    def is_usable(self) -> bool:
        """Whether another run may ask over it: what came unasked would be taken for its answer."""
        return self.is_connected() and not self.should_close

    def serve(self, run: Run) -> None:
        """A request is about to go out: the connection serves this run from here on."""
        run.enter("processing")
        run.first_byte_at = run.last_byte_at = None
        run.address, run.certificate = self.address, self.certificate
        self._run, self._interim = run, 0

    def eof_received(self) -> None:
        """As aiohttp; an answer may end with the connection."""
        if self._run is not None and self._run.first_byte_at is not None:
            self._run.byte_came()
        super().eof_received()

    async def ask(self, run: Run, request: bytes, bodiless: bool) -> Answer:
        """Sends a request; gives its answer, of which only the headers are here. Raises what aiohttp's parser and the
        connection raise."""
        self.serve(run)
        self.set_response_params(skip_payload=bodiless, read_until_eof=True, auto_decompress=False, read_bufsize=PIECE)
        if self.transport is not None:
            self.transport.write(request)
        while True:
            message, content = await self.read()
            if not 100 <= message.code < 200 or message.code == 101:
                return Answer(message.code, message.reason, message.version, message.headers, content)

    def data_received(self, data: bytes) -> None:
        """As aiohttp, but in turns; the first byte of an answer is marked when it comes, and the last one so far."""
        if not data:  # aiohttp goes on with what it has
            super().data_received(data)
            return
        run = self._run
        if run is not None:
            run.byte_came()
        self._held += data
        self._queue()
        if self._held:
            self._pause_transport_reading()
        if run is not None:
            run.byte_came()  # all of it is here: to take it over is a part of every transfer, as peers tell it

    def _queue(self) -> None:
        if not self._queued:
            self._queued = True
            self._turns.take(self._feed)

    def _feed(self) -> None:
        """One piece of what waits is read."""
        self._queued = False
        end = PIECE
        if self._interim is not None and (found := self._held.find(b"\r\n\r\n", 0, PIECE)) >= 0:
            end = found + 4  # headers by themselves: what stands behind a whole answer must not spoil it
        piece, self._held = self._held[:end], self._held[end:]
        if not self._refused:
            super().data_received(piece)
        if not (self._refused or self._reading_paused or self._buffer_paused):
            self._resume_transport_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        """As aiohttp, but in turns: what its parser still holds is work like any other."""
        if not self._resuming:
            self._resuming = True
            self._turns.take(partial(self._resume, resume_parser))

    def _resume(self, resume_parser: bool) -> None:
        self._resuming = False
        if not self._refused:
            super().resume_reading(resume_parser)

    def _resume_transport_reading(self) -> None:
        """As aiohttp, once nothing waits any more."""
        if self._held:
            self._queue()
        else:
            super()._resume_transport_reading()

    @property
    def _refused(self) -> bool:
        """Whether what came was unreadable: nothing more is read of it."""
        return self.transport is None or self.transport.is_closing()

    def feed_data(self, data: Any, size: int = 0) -> None:
        """One answer, its headers read. A server may send as many 1xx before the real one as it likes; not to us."""
        if self._interim is None:
            self.force_close()  # a second answer to one question
            return
        self._interim = self._interim + 1 if 100 <= data[0].code < 200 and data[0].code != 101 else None
        if self._interim is not None and self._interim > MOST_INTERIM:
            if self.transport is not None and not self.transport.is_closing():
                self.set_exception(Stopped("http.headers_too_large", f"more than {MOST_INTERIM} answers 1xx"))
                self.transport.abort()
            return
        super().feed_data(data, size)

    def connection_lost(self, exc: BaseException | None) -> None:
        """As aiohttp, which takes a body without a length for whole also when the connection did not end but broke."""
        if exc is not None:
            self._spoil(exc)
        super().connection_lost(exc)

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """As aiohttp, which forgets to tell whoever reads a body that it has become unreadable."""
        self._spoil(exc, *cause)
        if cause and exc.__cause__ is None:  # aiohttp tells it only to whoever waits already
            exc.__cause__ = cause[0]
        super().set_exception(exc, *cause)

    def _spoil(self, exc: BaseException, *cause: BaseException) -> None:
        """Whoever reads a body hears that it does not come to its end."""
        if self._payload is not None and not self._payload.is_eof() and self._payload.exception() is None:
            told = ClientPayloadError(str(exc))
            told.__cause__ = cause[0] if cause else exc
            self._payload.set_exception(told)

    def rest(self) -> None:
        """It serves nobody for a while."""
        self._run = None

    def close(self) -> None:
        """Closes without waiting for the other side to agree: it may never do so."""
        self._run, self._held = None, b""
        super().abort()


async def connected(run: Run, reach: "Reach", where: Where, allow_private: bool, redirected: bool) -> Line:
    """A new connection. Raises Stopped."""
    tls, host, port = where
    run.enter("resolve")
    ip, number = await route(run, reach, host, port, allow_private, redirected)
    run.address = joined(ip, number)
    run.certificate = None  # that of an earlier hop says nothing about this one
    line = Line(asyncio.get_running_loop(), run.address, reach.turns)
    plain = await dial(run, reach, ip, number)
    if tls:
        await start_tls(run, reach, line, plain, host.rstrip("."))
        line.certificate = run.certificate
    else:
        reach.sockets.carry(plain, line)
    return line


class Lines:
    """Connections that wait for the next run of a probe that says `reuse: true`, the last used first.

    Each serves one probe: an answer that comes late, or twice, is never taken for that of another one.
    """

    def __init__(self) -> None:
        self._idle: dict[Kept, list[tuple[Line, asyncio.TimerHandle]]] = {}

    def take(self, whose: Kept) -> Line | None:
        """One of a probe that leads there; None when there is none."""
        idle = self._idle.get(whose, [])
        while idle:
            line, ending = idle.pop()
            ending.cancel()
            if line.is_usable:
                return line
            line.close()
        return None

    def keep(self, whose: Kept, line: Line) -> None:
        """Takes one back, as long as it can be used."""
        if not line.is_usable:
            line.close()
            return
        line.rest()
        ending = asyncio.get_running_loop().call_later(KEPT_FOR, self._end, whose, line)
        self._idle.setdefault(whose, []).append((line, ending))

    def _end(self, whose: Kept, line: Line) -> None:
        self._idle[whose] = [one for one in self._idle.get(whose, []) if one[0] is not line]
        if not self._idle[whose]:
            del self._idle[whose]
        line.close()

    def close(self) -> None:
        """Ends them all."""
        for idle in self._idle.values():
            for line, ending in idle:
                ending.cancel()
                line.close()
        self._idle.clear()
