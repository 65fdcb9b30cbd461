"""Wire: how aiohttp's WebSocket client gets its one connection: dialled and marked as any other, and only once."""

from typing import TYPE_CHECKING

from aiohttp import BaseConnector, ClientRequest, ClientSession, ClientTimeout, DummyCookieJar
from aiohttp.client_proto import ResponseHandler
from aiohttp.tracing import Trace

from monitor.probers.coding import PIECE
from monitor.probers.failure import Stopped
from monitor.probers.line import connected
from monitor.probers.run import Run

if TYPE_CHECKING:
    from monitor.probers.reach import Reach


class Wire(BaseConnector):
    """Makes the connection of one run: a WebSocket is not redirected."""

    def __init__(self, run: Run, reach: "Reach", allow_private: bool) -> None:
        super().__init__(limit=0, force_close=True)
        self._run = run
        self._reach = reach
        self._allow_private = allow_private
        self._connected = False

    async def _create_connection(
        self, req: ClientRequest, traces: list[Trace], timeout: ClientTimeout
    ) -> ResponseHandler:
        host, port = req.url.raw_host, req.port
        if not host or not port:
            raise Stopped("self.config", f"{req.url} names no host and port")
        if self._connected:
            raise Stopped("http.redirect_unexpected", f"redirected to {host}, where a WebSocket was asked for")
        self._connected = True
        line = await connected(self._run, self._reach, (req.is_ssl(), host, port), self._allow_private, False)
        line.serve(self._run)
        return line


def session(run: Run, reach: "Reach", allow_private: bool) -> ClientSession:
    """A client for one run; its time limit is the run's."""
    client = ClientSession(
        connector=Wire(run, reach, allow_private),
        cookie_jar=DummyCookieJar(),
        timeout=ClientTimeout(total=None),
        trust_env=False,
        read_bufsize=PIECE,
    )
    client._retry_connection = False  # aiohttp asks again by itself when a connection breaks, and so hides the fault
    return client
