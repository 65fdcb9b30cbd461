"""Sockets: the connections of probes, watched all together, by one entry of the event loop.

asyncio makes of each connection a coroutine, three futures, a handle for each event that is waited for, and asks the
kernel for names that nobody reads: a quarter of what an exchange costs. A probe needs less: to be told when it is
connected, what came, and that it ended.
"""

import asyncio
import errno
import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from monitor.probers.coding import PIECE

_AT_ONCE, _TURN = 32, 0.005  # sockets that are told of what happened, and seconds, before others have the loop
_CONNECTING = frozenset({errno.EINPROGRESS, errno.EINTR})


class Sockets:
    """Those of one event loop, which must be running."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._watched: dict[int, asyncio.Future[float] | Transport] = {}
        self._loop.add_reader(self._epoll.fileno(), self._look)

    async def connect(self, plain: socket.socket, address: tuple[str, int]) -> float:
        """Connects a socket that does not block to an IP address and port; gives when we were told that it is, in
        seconds of the monotonic clock. Raises OSError."""
        failed, told = plain.connect_ex(address), self._monotonic()
        if failed in _CONNECTING:
            number = plain.fileno()
            connected: asyncio.Future[float] = self._loop.create_future()
            self.watch(number, connected, select.EPOLLOUT)
            try:
                told = await connected
            finally:
                self.forget(number)
            failed = plain.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if failed:
            raise OSError(failed, os.strerror(failed))
        return told

    def carry(self, plain: socket.socket, protocol: asyncio.Protocol) -> "Transport":
        """A transport for a connected socket; the socket is its own from here on."""
        return Transport(self, self._loop, plain, protocol)

    def watch(self, number: int, who: "asyncio.Future[float] | Transport", events: int) -> None:
        """Tells of these events of a descriptor from now on; of no others."""
        if number in self._watched:
            self._epoll.modify(number, events)
        else:
            self._epoll.register(number, events)
            self._watched[number] = who

    def forget(self, number: int) -> None:
        """Tells of nothing any more. A descriptor must be forgotten before it is closed."""
        if self._watched.pop(number, None) is not None:
            self._epoll.unregister(number)

    def close(self) -> None:
        """Tells nobody of anything any more."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        self._watched.clear()

    def _look(self) -> None:
        """Whatever does not have its turn now is told again in the next beat of the loop."""
        until = time.monotonic() + _TURN
        for number, events in self._epoll.poll(0, _AT_ONCE):
            who = self._watched.get(number)
            if isinstance(who, Transport):
                who.happened(events)
            elif who is not None and not who.done():
                who.set_result(self._monotonic())
            if time.monotonic() >= until:
                return


class Transport(asyncio.Transport):
    """A connected socket and the protocol that speaks over it, as asyncio's own. One read is one piece at most."""

    def __init__(
        self, sockets: Sockets, loop: asyncio.AbstractEventLoop, plain: socket.socket, protocol: asyncio.Protocol
    ) -> None:
        self._sockets = sockets
        self._loop = loop
        self._plain = plain
        self._number = plain.fileno()
        self._protocol = protocol
        self._unsent = bytearray()
        self._events = 0
        self._reading = True  # unless somebody wants a pause
        self._heard_all = False  # the other side is done
        self._closing = False
        self._broken: Exception | None = None  # why nothing can be sent any more; what came is read all the same
        self._gone = False
        protocol.connection_made(self)
        self._watch()

    def happened(self, events: int) -> None:
        """The socket has more, takes more, or has ended. What came is read first: it may be an answer to what the other
        side did not take to its end."""
        if events & ~select.EPOLLOUT and self._events & select.EPOLLIN:
            self._receive()
        if events & select.EPOLLOUT and self._unsent:
            self._send()

    def _receive(self) -> None:
        try:
            data = self._plain.recv(PIECE)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._end(error)
            return
        try:
            if data:
                self._protocol.data_received(data)
                return
            self._heard_all = True
            if self._broken is not None:
                self._end(self._broken)
            elif not self._protocol.eof_received():
                self.close()
        except BaseException as error:
            self._end(error if isinstance(error, Exception) else None)
            raise
        self._watch()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends it, now or when the socket takes it."""
        if self._closing:
            return
        self._unsent += data
        if len(self._unsent) == len(data):
            self._send()

    def _send(self) -> None:
        try:
            sent = self._plain.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self._break(error)
            return
        del self._unsent[:sent]
        if self._closing and not self._unsent:
            self._end(None)
        else:
            self._watch()

    def _break(self, error: Exception) -> None:
        """Nothing can be sent any more. The other side may have said why before it went: that is read first."""
        if self._closing or self._heard_all:
            self._end(error)
            return
        self._broken = self._broken or error
        self._unsent.clear()
        self._watch()

    def pause_reading(self) -> None:
        """Nothing more is read until it is wanted."""
        self._reading = False
        self._watch()

    def resume_reading(self) -> None:
        """It is wanted again, unless nothing is wanted of it at all."""
        self._reading = not self._closing
        self._watch()

    def close(self) -> None:
        """Ends the connection once everything is sent."""
        self._closing, self._reading = True, False
        if self._unsent:
            self._watch()
        else:
            self._end(None)

    def abort(self) -> None:
        """Ends the connection."""
        self._end(None)

    def is_closing(self) -> bool:
        """Whether it has ended or is about to."""
        return self._closing

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As asyncio: `socket`, and `peername` while it is connected."""
        if name == "peername":
            with suppress(OSError):
                return self._plain.getpeername()
        return self._plain if name == "socket" else default

    def _watch(self) -> None:
        """Asks to be told of what is waited for, and of nothing else: also not of an end that nobody wants to know."""
        hears = self._reading and not self._heard_all
        events = (select.EPOLLIN if hears else 0) | (select.EPOLLOUT if self._unsent else 0)
        if self._gone or events == self._events:
            return
        self._events = events
        if events:
            self._sockets.watch(self._number, self, events)
        else:
            self._sockets.forget(self._number)

    def _end(self, error: Exception | None) -> None:
        if self._gone:
            return
        self._closing = self._gone = True
        self._unsent.clear()
        self._sockets.forget(self._number)
        self._loop.call_soon(self._tell, error)

    def _tell(self, error: Exception | None) -> None:
        """Closed only now: the next socket gets the same number, and what happened to this one may still be told."""
        try:
            self._protocol.connection_lost(error)
        finally:
            self._plain.close()
