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


class Buyer:
    """One purchase, step by step, with a cookie jar of its own. Each step gives status, headers and the answer."""

    def __init__(self, shopper: Shopper, sku: str = "1") -> None:
        self.shopper = shopper
        self.sku = sku
        self.cookies: dict[str, str] = {}
        self.cart: dict[str, Any] = {}
        self.placed: dict[str, Any] = {}
        self.address = {"addressType": "residential", "postalCode": "01310-100", "country": "BRA"}

    async def _ask(self, method: str, url: str, body: Any = None) -> tuple[int, Mapping[str, str], Any]:
        status, headers, content = await self.shopper.ask(method, url, json=body, cookies=self.cookies)
        for one in headers.getall("Set-Cookie", []):  # type: ignore[attr-defined]
            name, _, value = one.partition(";")[0].partition("=")
            self.cookies[name] = value
        return status, headers, json.loads(content) if content else None

    async def _form(self, method: str, path: str, body: Any = None) -> tuple[int, Mapping[str, str], Any]:
        status, headers, answer = await self._ask(method, f"C/api/checkout/pub/orderForm{path}", body)
        if status == 200:
            self.cart = answer
        return status, headers, answer

    @property
    def id(self) -> str:
        """The id of the cart."""
        return str(self.cart["orderFormId"])

    async def open(self) -> tuple[int, Mapping[str, str], Any]:
        return await self._form("GET", "?forceNewCart=true")

    async def add(self, **more: Any) -> tuple[int, Mapping[str, str], Any]:
        item = {"id": self.sku, "quantity": 1, "seller": "1", **more}
        return await self._form("POST", f"/{self.id}/items", {"orderItems": [item]})

    async def profile(self) -> tuple[int, Mapping[str, str], Any]:
        who = {"email": "monitor@demostore.example", "firstName": "Monitor", "lastName": "Teste", "document": "0"}
        return await self._form("POST", f"/{self.id}/attachments/clientProfileData", who)

    async def ship(self, sla: str | None = None) -> tuple[int, Mapping[str, str], Any]:
        body: dict[str, Any] = {"selectedAddresses": [self.address]}
        if sla is not None:
            body["logisticsInfo"] = [{"itemIndex": 0, "selectedDeliveryChannel": "delivery", "selectedSla": sla}]
        return await self._form("POST", f"/{self.id}/attachments/shippingData", body)

    async def choose(self, system: int = 17, **more: Any) -> tuple[int, Mapping[str, str], Any]:
        value = self.cart["value"]
        payment = {"paymentSystem": system, "installments": 1, "value": value, "referenceValue": value, **more}
        return await self._form("POST", f"/{self.id}/attachments/paymentData", {"payments": [payment]})

    async def fill(self, system: int = 17) -> None:
        """A cart that can be placed."""
        for status, _, answer in [
            await self.open(),
            await self.add(),
            await self.profile(),
            await self.ship(),
            await self.ship("Normal"),
            await self.choose(system),
        ]:
            assert (status, answer["messages"]) == (200, [])

    async def place(self, **more: Any) -> tuple[int, Mapping[str, str], Any]:
        value = self.cart["value"]
        body = {"referenceId": self.id, "value": value, "referenceValue": value, "interestValue": 0, **more}
        url = f"C/api/checkout/pub/orderForm/{self.id}/transaction"
        body = {**body, "savePersonalData": False, "optinNewsLetter": False}
        status, headers, answer = await self._ask("POST", url, body)
        if status == 200:
            self.placed = answer
        return status, headers, answer

    @property
    def order(self) -> str:
        return str(self.placed["orders"][0]["orderId"])

    @property
    def group(self) -> str:
        return str(self.placed["orders"][0]["orderGroup"])

    @property
    def transaction(self) -> dict[str, Any]:
        return dict(self.placed["transactionData"]["merchantTransactions"][0])

    async def pay(self, path: str = "/api/payments", **more: Any) -> tuple[int, Mapping[str, str], Any]:
        payment = {**self.transaction["payments"][0], "installments": 1, "currencyCode": "BRL", "fields": {}, **more}
        id = self.transaction["transactionId"]
        payment["transaction"] = {"id": id, "merchantName": self.transaction["merchantName"]}
        return await self._ask("POST", f"P{path}/transactions/{id}/payments?orderId={self.group}", [payment])

    async def process(self) -> tuple[int, Mapping[str, str], Any]:
        return await self._ask("POST", f"C/api/checkout/pub/gatewayCallback/{self.group}")


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
def buyer(shopper: Shopper) -> Buyer:
    return Buyer(shopper)


@pytest.fixture
def shopper(simulator: Simulator) -> Shopper:
    return Shopper(simulator)
