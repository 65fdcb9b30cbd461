"""Proxy: a wire between clients and a server on loopback that fails as networks do, in a way that is changed while
connections stand.
"""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from enum import Enum, auto

Pieces = Callable[[asyncio.StreamReader], AsyncIterator[bytes]]
DRIP = 0.05  # seconds between two bytes


class Way(Enum):
    """What becomes of the bytes. New connections are taken in every way but `RESETS`."""

    WELL = auto()
    SWALLOWS = auto()  # both sides are read, nothing is passed on: a network that is gone
    DEAF = auto()  # nobody is read, and what was sent piles up: the half of a connection
    MUTE = auto()  # what is asked is passed on, what is answered is not
    DRIPS = auto()  # answers come byte by byte
    RESETS = auto()  # every connection is reset at once


class Proxy:
    """`pieces` cuts a stream into what is passed on at a time, and `passes(piece, answer)` says which of them are;
    `delay` are the seconds each takes. `met` counts connections, `heard` are the bytes that clients sent."""

    def __init__(self, target: int, pieces: Pieces) -> None:
        self.target, self.port = target, 0
        self.delay = 0.0
        self.met, self.heard = 0, 0
        self.passes: Callable[[bytes, bool], bool] = lambda piece, answer: True
        self._pieces = pieces
        self._way = Way.WELL
        self._reads = asyncio.Event()
        self._reads.set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def way(self) -> Way:
        """What becomes of the bytes now."""
        return self._way

    @way.setter
    def way(self, way: Way) -> None:
        self._way = way
        self._reads.clear() if way is Way.DEAF else self._reads.set()

    async def open(self) -> None:
        """Listens, on the same port when it did before."""
        self._server = await asyncio.start_server(self._meet, "127.0.0.1", self.port, backlog=1000)
        self.port = self._server.sockets[0].getsockname()[1]

    async def shut(self) -> None:
        """Everybody is cut off, and whoever comes is refused."""
        assert self._server is not None
        self._server.close()
        await asyncio.sleep(0.01)  # whoever was let in a moment ago is met by now
        await self.cut()

    async def cut(self) -> None:
        """Every connection ends now; new ones are taken."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.met += 1
        try:
            with suppress(OSError, asyncio.CancelledError):
                await self._between(reader, writer)
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _between(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.way is Way.RESETS:
            plain: socket.socket = writer.get_extra_info("socket")
            plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        await self._reads.wait()
        back, there = await asyncio.open_connection("127.0.0.1", self.target)
        ways = [self._pass(reader, there, answer=False), self._pass(back, writer, answer=True)]
        tasks = [asyncio.create_task(one) for one in ways]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            there.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answer: bool) -> None:
        async for piece in self._pieces(reader):
            self.heard += 0 if answer else len(piece)
            await asyncio.sleep(self.delay)
            await self._reads.wait()
            if self.way is Way.SWALLOWS or (self.way is Way.MUTE and answer) or not self.passes(piece, answer):
                continue
            size = 1 if self.way is Way.DRIPS and answer else len(piece)
            for at in range(0, len(piece), size):
                writer.write(piece[at : at + size])
                await writer.drain()
                await asyncio.sleep(DRIP if size < len(piece) else 0)
        with suppress(OSError):
            await writer.drain()  # what was answered last arrives before the end does


async def chunks(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """Whatever comes at a time."""
    while piece := await reader.read(65536):
        yield piece


async def packets(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """The packets of MQTT, each whole."""
    with suppress(asyncio.IncompleteReadError):
        while True:
            head, size, shift = await reader.readexactly(1), 0, 0
            while True:
                head += await reader.readexactly(1)
                size |= (head[-1] & 0x7F) << shift
                shift += 7
                if head[-1] < 0x80:
                    break
            yield head + await reader.readexactly(size)


@asynccontextmanager
async def proxied(target: int, pieces: Pieces = chunks) -> AsyncIterator[Proxy]:
    """A wire to the server on that port of loopback."""
    proxy = Proxy(target, pieces)
    await proxy.open()
    try:
        yield proxy
    finally:
        await proxy.shut()
