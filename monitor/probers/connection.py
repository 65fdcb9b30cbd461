"""Connection: TCP first, then TLS, each with its own mark, to the one address that was checked.

aiohttp does both in one step and may try several addresses at a time; a monitor has to tell a closed port from a
broken certificate, and must dial what it checked. So the connector here makes the connection itself and leaves only
HTTP to aiohttp.
"""

import asyncio
import socket
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from aiohttp import BaseConnector, ClientPayloadError, ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from monitor.core.observation import Certificate
from monitor.probers.address import joined
from monitor.probers.certificate import facts_of, facts_of_refused, sent_with
from monitor.probers.coding import PIECE
from monitor.probers.failure import Stopped, of_connect, of_handshake
from monitor.probers.resolve import route
from monitor.probers.run import Run
from monitor.probers.turns import Turns

if TYPE_CHECKING:
    from monitor.probers.reach import Reach

# Which run the current task belongs to, whether it goes by redirect, and whether it may go to private addresses:
# aiohttp hands a connector nothing but the request.
CURRENT: ContextVar["Errand"] = ContextVar("CURRENT")


MOST_INTERIM = 128  # answers 1xx before the one that counts: a flood of them would keep the event loop busy


class Errand:
    """What a connector has to know of the run it connects for."""

    def __init__(self, run: Run, allow_private: bool, single: bool = False) -> None:
        self.run = run
        self.allow_private = allow_private
        self.single = single  # one connection and no other: a WebSocket is not redirected
        self.connected = False
        self.redirected = False


class Line(ResponseHandler):
    """One connection as aiohttp reads it, which also marks first bytes and remembers where it leads."""

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str, turns: Turns) -> None:
        super().__init__(loop)
        self.address = address
        self.certificate: Certificate | None = None
        self._run: Run | None = None
        self._turns = turns
        self._held = b""  # what came and waits for its turn; nothing more is read meanwhile
        self._queued = self._resuming = False
        self._interim: int | None = None  # answers 1xx so far, None once the one that counts has come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As aiohttp, but a socket never hands over more than a piece."""
        with suppress(AttributeError):
            transport.max_size = PIECE  # type: ignore[attr-defined]  # of the standard loop's transports
        super().connection_made(transport)

    def is_connected(self) -> bool:
        """As aiohttp, which would take what came unasked on an idle connection for the next run's answer."""
        return super().is_connected() and not self.should_close

    def set_response_params(self, **params: Any) -> None:
        """A request is about to go out: the connection serves the current run from here on."""
        run = CURRENT.get().run
        run.enter("processing")
        run.first_byte_at = None
        run.address, run.certificate = self.address, self.certificate
        self._run, self._interim = run, 0
        super().set_response_params(**params)

    def data_received(self, data: bytes) -> None:
        """As aiohttp, but in turns; the first byte of an answer is marked when it comes."""
        if not data:  # aiohttp goes on with what it has
            super().data_received(data)
            return
        if self._run is not None:
            self._run.byte_came()
            self._run = None
        self._held += data
        self._pause_transport_reading()
        self._queue()

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

    def set_exception(self, exc: BaseException, *cause: BaseException) -> None:
        """As aiohttp, which forgets to tell whoever reads a body that it has become unreadable."""
        if self._payload is not None and not self._payload.is_eof() and self._payload.exception() is None:
            told = ClientPayloadError(str(exc))
            told.__cause__ = cause[0] if cause else exc
            self._payload.set_exception(told)
        super().set_exception(exc, *cause)

    def close(self) -> None:
        """Closes without waiting for the other side to agree: it may never do so."""
        self._run, self._held = None, b""
        super().abort()


class Wire(BaseConnector):
    """Makes connections for runs. With `keep` they are used again, else each serves one request."""

    def __init__(self, reach: "Reach", keep: bool) -> None:
        if keep:
            super().__init__(limit=0, keepalive_timeout=75.0)
        else:
            super().__init__(limit=0, force_close=True)
        self._reach = reach

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        errand = CURRENT.get()
        run = errand.run
        host, port = req.url.raw_host, req.port
        if not host or not port:
            raise Stopped("self.config", f"{req.url} names no host and port")
        if errand.single and errand.connected:
            raise Stopped("http.redirect_unexpected", f"redirected to {host}, where a WebSocket was asked for")
        errand.connected = True
        run.enter("resolve")
        ip, number = await route(run, self._reach, host, port, errand.allow_private, errand.redirected)
        run.address = joined(ip, number)
        run.certificate = None  # that of an earlier hop says nothing about this one
        line = Line(self._loop, run.address, self._reach.turns)
        plain = await dial(run, ip, number)
        try:
            if req.is_ssl():
                await start_tls(run, lambda: line, plain, self._reach.tls, host.rstrip("."))
                line.certificate = run.certificate
            else:
                await self._loop.create_connection(lambda: line, sock=plain)
        except BaseException:
            abandon(plain)
            raise
        return line


def abandon(plain: socket.socket) -> None:
    """Ends a connection that was handed to a transport which never came about. It is the transport that closes it: if
    the descriptor went back under it, the next connection would get the same one, and what happens on this."""
    with suppress(OSError):
        plain.shutdown(socket.SHUT_RDWR)


async def dial(run: Run, ip: str, port: int) -> socket.socket:
    """A connected socket. Raises Stopped."""
    run.enter("connect")
    ipv6 = ":" in ip
    address = joined(ip, port)
    run.note(f"connecting to {address}")
    plain: socket.socket | None = None
    try:
        plain = socket.socket(socket.AF_INET6 if ipv6 else socket.AF_INET, socket.SOCK_STREAM)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (ip, port))
    except OSError as error:
        if plain is not None:
            plain.close()
        raise of_connect(error, address, ipv6) from error
    except BaseException:
        if plain is not None:
            plain.close()
        raise
    run.note(f"connected to {address}")
    return plain


async def reached(run: Run, reach: "Reach", host: str, port: int, allow_private: bool) -> socket.socket:
    """A connected socket to a host. Raises Stopped."""
    run.enter("resolve")
    ip, number = await route(run, reach, host, port, allow_private, redirected=False)
    run.address = joined(ip, number)
    return await dial(run, ip, number)


async def start_tls(
    run: Run,
    protocol: Callable[[], asyncio.Protocol],
    plain: socket.socket,
    context: SSLContext,
    name: str,
) -> asyncio.Transport:
    """TLS over a connected socket, the certificate verified for a name and noted on the run. Raises Stopped."""
    run.enter("tls")
    loop = asyncio.get_running_loop()
    limit = run.probe.timeout.total_seconds() + 5  # never the first to strike
    try:
        transport, _ = await loop.create_connection(
            protocol, sock=plain, ssl=context, server_hostname=name, ssl_handshake_timeout=limit
        )
    except OSError as error:
        sent = sent_with(error)
        run.certificate = facts_of_refused(sent)
        raise of_handshake(error, sent) from error
    except ValueError as error:
        plain.close()  # no transport was made
        raise Stopped("self.config", f"{name} is not a name that can be asked for: {error}") from error
    run.certificate = facts_of(transport.get_extra_info("ssl_object"))
    if run.traced and (shown := run.certificate):
        run.note(f"{shown.tls_version} with {shown.cipher}")
        run.note(f"certificate of {shown.subject}, from {shown.issuer}, until {shown.not_after:%Y-%m-%d %H:%M} UTC")
    return transport
