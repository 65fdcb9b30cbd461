"""Simulator: the platform with its doors, certificates, control API and canaries, opened and closed as one thing."""

import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

from aiohttp import web

from monitor.simulator.authority import Authority
from monitor.simulator.canary import canaries
from monitor.simulator.control import control_app
from monitor.simulator.faults import Strike
from monitor.simulator.hosts import HOSTS
from monitor.simulator.listener import LOOPBACK, Listener, PortTaken, bound, serve
from monitor.simulator.modules import STRUCK
from monitor.simulator.platform import Platform
from monitor.simulator.settings import Settings
from monitor.simulator.statuspage import posts


class Simulator:
    """A running platform. `connect_to` and `ca_file` are what a monitor needs to watch it instead of the real one."""

    def __init__(self, account: str, ca_file: str) -> None:
        self.account = account
        self.ca_file = ca_file
        self.modules: tuple[str, ...] = tuple(STRUCK)
        self.canaries: list[str] = []
        self.control_url = ""
        self.platform = Platform(account)
        self.ports: dict[str, int] = {}
        self._listeners: dict[str, Listener] = {}

    @property
    def connect_to(self) -> dict[str, str]:
        """Host patterns with the address to dial instead, as `monitor.connect_to` wants them."""
        return {
            f"{host.matching(self.account)}:443": f"{LOOPBACK}:{self.ports[host.kind]}"
            for host in HOSTS
            if host.kind in self.ports
        }

    @property
    def hosts(self) -> dict[str, str]:
        """The host name of each kind."""
        return {host.kind: host.named(self.account) for host in HOSTS}

    def strike(self, module: str, fault: str, **options: Any) -> Strike:
        """Puts a fault on a module, `shared:HOST` or `shared:gateway`. Raises WrongFault."""
        strike = self.platform.faults.strike(module, fault, **options)
        self._set_doors()
        return strike

    def clear(self, module: str | None = None, tail: float | None = None) -> bool:
        """Ends the fault of one, or of all, at once or fading over `tail` seconds; False when there was none.

        Raises WrongFault for an unknown module.
        """
        found = self.platform.faults.clear(module, tail)
        self._set_doors()
        return found

    def set(self, /, **settings: Any) -> Settings:
        """Changes what the store has set up or how long things take. Raises WrongFault."""
        ledger = self.platform.ledger
        ledger.settings = ledger.settings.changed(settings)
        return ledger.settings

    def _set_doors(self) -> None:
        """Shuts the doors of hosts that refuse every connection, opens the others."""
        for host in HOSTS:
            strike = self.platform.faults.strikes.get(f"shared:{host.named(self.account)}")
            self._listeners[host.kind].set_open(strike is None or not strike.shuts_the_door)

    def state(self) -> dict[str, Any]:
        """Everything the control API shows."""
        faults, ledger = self.platform.faults, self.platform.ledger
        return {
            "account": self.account,
            "requests": self.platform.requests,
            **ledger.shown(datetime.now(UTC)),
            "settings": ledger.settings.shown(),
            "faults": {key: strike.shown() for key, strike in faults.standing().items()},
            "modules": {id: {"version": faults.version(id)} for id in STRUCK},
            "shared": ["shared:gateway", *(f"shared:{name}" for name in self.hosts.values())],
            "connect_to": self.connect_to,
            "ca_file": self.ca_file,
            "canaries": self.canaries,
            "status_page": {
                "url": f"https://{self.hosts['status']}",
                "posts": [
                    {"name": one.headline, "status": one.stage}
                    for one in posts(faults, ledger.settings.page_delay, datetime.now(UTC))
                ],
            },
        }

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        port: int = 0,
        control_port: int = 0,
        directory: Path | None = None,
        account: str = "demostore",
    ) -> AsyncIterator[Self]:
        """The platform while the block lasts. Raises PortTaken when a port that was asked for is in use.

        `port` is that of the commerce host; the other hosts take the ports after it where they are free, else any.
        Certificates live in `directory`, or in one that goes away with the block.
        """
        async with AsyncExitStack() as stack:
            place = directory or Path(stack.enter_context(TemporaryDirectory(prefix="vtex-simulator-")))
            authority = Authority(place)
            simulator = cls(account, str(authority.ca_file))
            # First the control port, which is given: of the hosts all but one go elsewhere when theirs is taken.
            simulator.control_url = await stack.enter_async_context(serve(control_app(simulator), control_port))
            await simulator._open_doors(stack, authority, port)
            simulator.canaries = await stack.enter_async_context(canaries())
            yield simulator

    async def _open_doors(self, stack: AsyncExitStack, authority: Authority, port: int) -> None:
        for index, host in enumerate(HOSTS):
            plug = bound(port) if index == 0 else _bound_near(port + index if port else 0)
            server = web.Server(partial(self._handle, host.kind), access_log=None, handler_cancellation=True)
            stack.push_async_callback(server.shutdown, 0.5)
            pattern = host.matching(self.account)
            names = (pattern, pattern[2:]) if pattern.startswith("*.") else (pattern,)
            listener = Listener(
                plug,
                server,
                authority.contexts(host.kind, names),
                partial(self.platform.shows_expired, host.kind),
            )
            stack.push_async_callback(listener.close)
            await listener.open()
            self._listeners[host.kind] = listener
            self.ports[host.kind] = listener.port

    async def _handle(self, kind: str, request: web.BaseRequest) -> web.StreamResponse:
        return await self.platform.answer(request, kind)


def _bound_near(port: int) -> socket.socket:
    """A socket on this port, or on any free one when somebody else has it."""
    try:
        return bound(port if port <= 65535 else 0)
    except PortTaken:
        return bound(0)
