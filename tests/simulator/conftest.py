"""A running simulator and a client that reaches it as a monitor would: by host name, through `connect_to`."""

import json
import re
import socket
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import jmespath
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from monitor.simulator import Simulator

KEY = {"X-VTEX-API-AppKey": "vtexappkey-demostore-TEST", "X-VTEX-API-AppToken": "token"}
SIMULATION = {"items": [{"id": "1", "quantity": 1, "seller": "1"}], "country": "BRA", "postalCode": "01310-100"}

HOSTS = {
    "C": "demostore.vtexcommercestable.com.br",
    "M": "demostore.myvtex.com",
    "A": "api.vtex.com",
    "P": "demostore.vtexpayments.com.br",
    "W": "www.demostore.example",
    "I": "demostore.vteximg.com.br",
    "S": "demostore.vtexassets.com",
    "O": "status.vtex.com",
}


class _ConnectTo(AbstractResolver):
    """Answers a look-up with the address that `connect_to` names, port included."""

    def __init__(self, connect_to: Mapping[str, str]) -> None:
        self._connect_to = connect_to

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        for pattern, address in self._connect_to.items():
            name, _, _ = pattern.partition(":")
            if host == name or (name.startswith("*.") and host.endswith(name[1:])):
                ip, _, to = address.partition(":")
                return [ResolveResult(hostname=host, host=ip, port=int(to), family=family, proto=0, flags=0)]
        raise OSError(f"{host} is not in connect_to")

    async def close(self) -> None:
        """Nothing is held."""


class Shopper:
    """Asks with a fresh connection each time, as a probe does. `W/` and the other letters stand for host names."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.tls = ssl.create_default_context(cafile=simulator.ca_file)

    async def ask(
        self, method: str, url: str, timeout: float = 10, **options: Any
    ) -> tuple[int, Mapping[str, str], bytes]:
        """Status, headers and body."""
        letter, slash, path = url.partition("/")
        if letter in HOSTS:
            url = f"https://{HOSTS[letter]}{slash}{path}"
        connector = aiohttp.TCPConnector(
            resolver=_ConnectTo(self.simulator.connect_to), ssl=self.tls, force_close=True, use_dns_cache=False
        )
        async with (
            aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=timeout)) as session,
            session.request(method, url, allow_redirects=False, **options) as response,
        ):
            return response.status, response.headers, await response.read()

    async def simulate(self, **options: Any) -> tuple[int, Mapping[str, str], bytes]:
        """The simulation of one item."""
        return await self.ask("POST", "C/api/checkout/pub/orderForms/simulation?sc=1", json=SIMULATION, **options)


def check(module: str, letter: str, headers: Any, body: bytes, wanted: list[str]) -> None:
    """The answer is JSON that all expressions hold of, under an application of the platform."""
    document = json.loads(body)
    for expression in wanted:
        assert jmespath.search(expression, document), expression
    assert headers["content-type"].startswith("application/json")
    if letter != "P":  # the payments network has no router of the platform in front
        assert re.fullmatch(r"[a-z0-9-]+-v\d+\.\d+\.\d+", headers["x-vtex-janus-router-backend-app"])
        assert headers["x-track"] == "stable"


@pytest.fixture
async def simulator(tmp_path: Path) -> AsyncIterator[Simulator]:
    async with Simulator.open(directory=tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def shopper(simulator: Simulator) -> Shopper:
    return Shopper(simulator)
