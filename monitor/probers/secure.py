"""Secure: TLS between a connection and the protocol that speaks over it.

asyncio's own holds a quarter of a megabyte for each connection and costs a third more of a handshake. OpenSSL does the
work here as there; what lies around it is only as much as a probe needs.

Handshakes take turns: reading and verifying a chain is one stretch of work that nothing divides, a third of a
millisecond for each certificate, and whoever asks hundreds of servers at once has hundreds of such stretches at once.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from ssl import MemoryBIO, SSLContext, SSLEOFError, SSLError, SSLObject, SSLWantReadError
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

_AT_ONCE = 64 * 1024  # bytes asked of OpenSSL, which gives a record of at most 16 KiB
# Bytes of a handshake; a chain has three to eight thousand, with keys of the next kind sixteen. Later on, bytes in
# which nothing was said: a record has up to sixteen thousand before it can be read, what TLS tells itself some hundred.
_LARGEST = 24 * 1024
_TURN = 0.005  # seconds of handshakes before others have the loop


class TooLong(SSLError):
    """The other side sends more than any handshake has, or nothing but its own; `reason` is as OpenSSL would put it."""

    reason = "HANDSHAKE_TOO_LONG"


class _Turns:
    """What waits to be done for so long at a time, in the order in which it came."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._called = False

    def wait(self, step: Callable[[], None]) -> None:
        """Has it done soon."""
        self._waiting.append(step)
        self._call()

    def _call(self) -> None:
        if self._waiting and not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._run)

    def _run(self) -> None:
        self._called = False
        until = monotonic() + _TURN
        try:
            while self._waiting and monotonic() < until:
                self._waiting.popleft()()
        finally:
            self._call()


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turns] = WeakKeyDictionary()


class Secure(asyncio.Protocol, asyncio.Transport):
    """The protocol of a plain connection, and the transport of the one inside. `shaken` is done once the handshake is,
    or has what it failed with."""

    def __init__(self, inner: asyncio.Protocol, context: SSLContext, name: str) -> None:
        """Raises ValueError for a name that cannot be asked for."""
        super().__init__()
        self._inner = inner
        self._loop = asyncio.get_running_loop()
        self._incoming, self._outgoing = MemoryBIO(), MemoryBIO()
        self._tls: SSLObject = context.wrap_bio(self._incoming, self._outgoing, server_hostname=name)
        self._plain: asyncio.Transport | None = None
        self._open = False  # between the handshake and the end
        self._paused = False
        self._turns = _turns.setdefault(self._loop, _Turns())
        self._waits = False  # for its turn, with something that came
        self._came = 0  # bytes of the handshake, or since something was last said
        self.shaken: asyncio.Future[None] = self._loop.create_future()

    # -- the protocol of the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begins the handshake."""
        assert isinstance(transport, asyncio.Transport)
        self._plain = transport
        if self.shaken.done():  # given up meanwhile
            self.abort()
        else:
            self._shake()

    def data_received(self, data: bytes) -> None:
        """Something came, and something may go out because of it."""
        self._incoming.write(data)
        self._came += len(data)
        if self._open:
            self._read()
            if self._open and not self._paused and self._came > _LARGEST:
                self._lose(TooLong(1, f"{_LARGEST:,} bytes of its own and nothing said"))
        elif not self.shaken.done():
            if self._came > _LARGEST:
                self._fail(TooLong())
            elif not self._waits:
                self._waits = True
                self._turns.wait(self._turn)

    def _turn(self) -> None:
        """What came has its turn, unless it had already."""
        if self._waits:
            self._waits = False
            if not self.shaken.done():
                self._shake()
            if self._open:
                self._read()

    def eof_received(self) -> bool:
        """The other side is done; many never say so within TLS. What came before is handed in first."""
        self._turn()
        self._incoming.write_eof()
        if self._open:
            self._read()
        return self._open

    def connection_lost(self, exc: Exception | None) -> None:
        """The end, for whoever has not heard of it."""
        self._turn()
        if not self.shaken.done():
            self.shaken.set_exception(exc or ConnectionResetError("closed during the handshake"))
        self._lose(exc)

    # -- the transport of the protocol inside

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Sends it."""
        if not self._open:
            return
        try:
            self._tls.write(data)
        except SSLError as error:
            self._lose(error)
        self._flush()

    def abort(self) -> None:
        """Ends the connection without a goodbye, for which some servers would be waited for ever."""
        self.shaken.cancel()
        if self._plain is not None:
            self._plain.abort()

    close = abort

    def is_closing(self) -> bool:
        """Whether it has ended or is about to."""
        return not self._open or self._plain is None or self._plain.is_closing()

    def pause_reading(self) -> None:
        """Nothing more is handed in until it is wanted."""
        self._paused = True
        if self._plain is not None:
            self._plain.pause_reading()

    def resume_reading(self) -> None:
        """What came meanwhile first."""
        self._paused = False
        if self._plain is not None:
            self._plain.resume_reading()
        self._loop.call_soon(self._read)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """As asyncio: `ssl_object`, and what the plain connection knows."""
        if name == "ssl_object":
            return self._tls
        return default if self._plain is None else self._plain.get_extra_info(name, default)

    # -- TLS

    def _shake(self) -> None:
        try:
            self._tls.do_handshake()
        except SSLWantReadError:
            self._flush()
            return
        except (OSError, ValueError) as error:  # ValueError: a certificate whose names cannot be read
            self._flush()  # the other side is told
            self._fail(error)
            return
        self._flush()
        self._open, self._came = True, 0
        self._inner.connection_made(self)
        self.shaken.set_result(None)

    def _fail(self, error: Exception) -> None:
        self.shaken.set_exception(error)
        self.abort()

    def _read(self) -> None:
        """Hands in what can be read."""
        while self._open and not self._paused:
            try:
                data = self._tls.read(_AT_ONCE)
            except SSLWantReadError:
                break
            except SSLEOFError:
                data = b""
            except SSLError as error:
                self._lose(error)
                break
            if not data:
                self._lose(None)
                break
            self._came = 0
            self._inner.data_received(data)
        self._flush()

    def _flush(self) -> None:
        """What OpenSSL wants to send goes out."""
        if self._outgoing.pending and self._plain is not None and not self._plain.is_closing():
            self._plain.write(self._outgoing.read())

    def _lose(self, error: Exception | None) -> None:
        """The protocol inside hears of the end, once."""
        if self._open:
            self._open = False
            self.abort()
            with suppress(Exception):
                self._inner.eof_received()
            self._inner.connection_lost(error)
