"""Reach: what every run of this process shares to get at its targets, opened once.

One resolver (a look-up that hangs must not hold up the others), one TLS context (loading the system's authorities
takes tens of milliseconds), the connections that are kept, and one thread for bodies too large to be read between two
beats of the event loop.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from ssl import SSLContext, SSLError
from typing import TypeVar

from monitor.clock import Clock
from monitor.core.board import Call
from monitor.core.target import Network
from monitor.probers.certificate import trusting
from monitor.probers.line import Lines
from monitor.probers.names import Names
from monitor.probers.sockets import Sockets
from monitor.probers.turns import Turns

T = TypeVar("T")

LOOKUP_TIMEOUT = 1.5  # seconds a name server has for the first of three tries; the probe's own limit still holds
MOST_LARGE_BODIES = 8  # read at a time: two hundred bombs at once must not be two hundred times the cap
FORGET = 0.1  # seconds after which a name that was not there is asked for anew, if anybody does
_REMEMBERED_HOSTS = 4096


class Reach:
    """How targets are reached from here. `async with Reach.open(…) as reach:`, then `look(probe, reach)`."""

    def __init__(self, network: Network, secrets: frozenset[str], clock: Clock, location: str, tls: SSLContext) -> None:
        self.network = network
        self.secrets = secrets
        self.clock = clock
        self.location = location
        self.tls = tls
        self.stalled: Callable[[float, float], float] = lambda since, until: 0.0  # seconds lost to ourselves
        self.called: Callable[[tuple[str, str]], Call | None] | None = None  # last call of a heartbeat, where one hears
        self.spoken: dict[str, int] = {}  # which version of MQTT each broker was heard to speak
        self.reported: set[tuple[str, str, str]] = set()  # bugs of ours that the log already told
        self.turns = Turns()
        self.sockets = Sockets(clock.monotonic)
        self.large_bodies = asyncio.Semaphore(MOST_LARGE_BODIES)
        self.lines = Lines()
        self._picked: dict[str, str] = {}
        self.has_ipv6 = False  # whether anything was ever reached over it
        self._forgetting: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="bodies")

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        network: Network,
        secrets: frozenset[str],
        clock: Clock,
        location: str = "here",
        *,
        nameservers: Sequence[str] = (),
        lookup_timeout: float = LOOKUP_TIMEOUT,
    ) -> AsyncIterator["Reach"]:
        """Everything open while the block runs. `nameservers` (`ADDRESS:PORT`) replace those of the system.

        Raises OSError when `ca_file` cannot be used.
        """
        reach = cls(network, secrets, clock, location, await asyncio.to_thread(_tls, network))
        reach.names = Names(nameservers, lookup_timeout)
        try:
            yield reach
        finally:
            if reach._forgetting is not None:
                reach._forgetting.cancel()
            reach.lines.close()
            await reach.names.close()
            reach._thread.shutdown(wait=False, cancel_futures=True)
            await asyncio.sleep(0)  # closed transports say goodbye in the next beat
            reach.sockets.close()

    names: Names

    def reconfigure(self, network: Network, secrets: frozenset[str]) -> None:
        """Goes on with another configuration; runs under way end as they began. Raises OSError, and then keeps all."""
        if network.ca_file != self.network.ca_file:
            self.tls = _tls(network)
        self.network = network
        self.secrets = secrets

    def forget_names(self) -> None:
        """In a moment every name is looked up anew. c-ares would keep "there is no such name" for as long as the zone
        says, often an hour: the extra run that is to confirm it would hear an echo, and so would recovery."""
        if self._forgetting is None or self._forgetting.when() < asyncio.get_running_loop().time():
            self._forgetting = asyncio.get_running_loop().call_later(FORGET, self.names.forget)

    def pick(self, host: str, found: Sequence[str], other: bool) -> str:
        """One of the addresses of a host; with `other` not the one picked last, if there is another."""
        last = self._picked.get(host)
        address = next((one for one in found if one != last), found[0]) if other else found[0]
        if len(self._picked) >= _REMEMBERED_HOSTS:
            self._picked.clear()
        self._picked[host] = address
        return address

    async def aside(self, work: Callable[[], T]) -> T:
        """Does work in the one thread kept for it: two at a time would leave the event loop a third of the time."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _tls(network: Network) -> SSLContext:
    try:
        return trusting(network.ca_file)
    except (OSError, SSLError) as error:
        raise OSError(f"monitor.ca_file {network.ca_file}: {error.strerror or error}") from error
