"""Listener: what serves on loopback; the door of a host kind can be shut and opened again on the same port."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from monitor.simulator.authority import Contexts

LOOPBACK = "127.0.0.1"
BACKLOG = 512


class PortTaken(OSError):
    """Somebody else listens on the port that was asked for."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use")
        self.port = port


def bound(port: int) -> socket.socket:
    """A socket that listens on a loopback port; connections wait in its queue until it is served. Raises PortTaken."""
    plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        plug.setblocking(False)
        if port:
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plug.bind((LOOPBACK, port))
        # For a free port only now: before, the system could hand out one that another simulator holds shut.
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        plug.listen(BACKLOG)
    except OSError as problem:
        plug.close()
        raise PortTaken(port) from problem
    return plug


@asynccontextmanager
async def serve(app: web.Application, port: int) -> AsyncIterator[str]:
    """An application on a loopback port while the block lasts; gives its URL. Raises PortTaken."""
    plug = bound(port)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    try:
        await runner.setup()
        await web.SockSite(runner, plug).start()
        yield f"http://{LOOPBACK}:{plug.getsockname()[1]}"
    finally:
        await runner.cleanup()
        plug.close()


class Listener:
    """Serves TLS for one host kind. `expired` is asked at each handshake which certificate to show."""

    def __init__(
        self, plug: socket.socket, server: web.Server, contexts: Contexts, expired: Callable[[], bool]
    ) -> None:
        self.port: int = plug.getsockname()[1]
        self._plug: socket.socket | None = plug  # held while shut, so that nobody else takes the port
        self._server = server
        self._context = contexts.good
        self._listening: asyncio.Server | None = None
        self._opening: asyncio.Task[None] | None = None

        def choose(handshake: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            if expired():
                handshake.context = contexts.expired

        contexts.good.sni_callback = choose

    async def open(self) -> None:
        """Starts to serve; returns once connections are taken."""
        if self._plug is not None:
            plug, self._plug = self._plug, None
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(self._server, sock=plug, ssl=self._context, backlog=BACKLOG)

    def shut(self) -> None:
        """Stops listening at once: from here on the port refuses, and stays ours."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
            plug = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            plug.setblocking(False)
            plug.bind((LOOPBACK, self.port))
            self._plug = plug

    def set_open(self, wanted: bool) -> None:
        """Opens or shuts without waiting; a connection made right after opening waits in the queue of the port."""
        if not wanted:
            if self._opening is not None:
                self._opening.cancel()
                self._opening = None
            self.shut()
        elif self._plug is not None and self._opening is None:
            self._plug.listen(BACKLOG)
            self._opening = asyncio.get_running_loop().create_task(self.open(), name=f"open port {self.port}")
            self._opening.add_done_callback(self._opened)

    def _opened(self, task: asyncio.Task[None]) -> None:
        if self._opening is task:
            self._opening = None

    async def close(self) -> None:
        """Stops for good."""
        if self._opening is not None:
            await asyncio.wait([self._opening])
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        if self._plug is not None:
            self._plug.close()
            self._plug = None
