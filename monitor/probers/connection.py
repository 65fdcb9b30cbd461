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
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

from aiohttp import BaseConnector, ClientRequest, ClientTimeout
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from monitor.core.observation import Certificate
from monitor.probers.address import joined
from monitor.probers.body import PIECE
from monitor.probers.certificate import facts_of, facts_of_refused, sent_with
from monitor.probers.failure import Stopped, of_connect, of_handshake
from monitor.probers.resolve import route
from monitor.probers.run import Run

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

    def __init__(self, loop: asyncio.AbstractEventLoop, address: str) -> None:
        super().__init__(loop)
        self.address = address
        self.certificate: Certificate | None = None
        self._run: Run | None = None
        self._interim: int | None = None  # answers 1xx so far, None once the one that counts has come

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
        """As aiohttp; the first byte of an answer is marked."""
        if data and self._run is not None:
            self._run.byte_came()
            self._run = None
        at = 0
        while self._interim is not None and len(data) - at > PIECE and not self._refused:
            super().data_received(data[at : at + PIECE])
            at += PIECE
        if not self._refused:
            super().data_received(data[at:] if at else data)

    @property
    def _refused(self) -> bool:
        """Whether what came was unreadable: nothing more is read of it."""
        return self.transport is None or self.transport.is_closing()

    def feed_data(self, data: Any, size: int = 0) -> None:
        """One answer, its headers read. A server may send as many 1xx before the real one as it likes; not to us."""
        if self._interim is not None:
            self._interim = self._interim + 1 if 100 <= data[0].code < 200 and data[0].code != 101 else None
            if self._interim is not None and self._interim > MOST_INTERIM:
                if self.transport is not None and not self.transport.is_closing():
                    self.set_exception(Stopped("http.headers_too_large", f"more than {MOST_INTERIM} answers 1xx"))
                    self.transport.abort()
                return
        super().feed_data(data, size)

    def close(self) -> None:
        """Closes without waiting for the other side to agree: it may never do so."""
        self._run = None
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
        line = Line(self._loop, run.address)
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
