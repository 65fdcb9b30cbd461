"""Each fault as it is seen on the wire, and which requests it hits."""

import asyncio
import json
import ssl
import time

import aiohttp
import pytest

from monitor.simulator import FAULTS, Simulator, WrongFault
from monitor.simulator.faults import Faults
from tests.simulator.conftest import KEY, Shopper

TREE = "C/api/catalog_system/pub/category/tree/1"
CHANNEL = "C/api/catalog_system/pub/saleschannel/1"


@pytest.mark.parametrize(("fault", "status"), [("http_500", 500), ("http_503", 503), ("http_429", 429)])
async def test_a_status(shopper: Shopper, fault: str, status: int) -> None:
    """A module that answers with an error still answers under its own application, and others are well."""
    shopper.simulator.strike("catalog", fault)
    got, headers, _ = await shopper.ask("GET", TREE)
    assert got == status
    assert headers["x-vtex-janus-router-backend-app"].startswith("catalog-v")
    assert ("retry-after" in headers) == (fault == "http_429")
    assert (await shopper.ask("POST", "C/api/sessions", json={}))[0] == 201
    shopper.simulator.clear("catalog")
    assert (await shopper.ask("GET", TREE))[0] == 200


async def test_slow(shopper: Shopper) -> None:
    """A slow module answers well, after its delay."""
    shopper.simulator.strike("catalog", "slow", delay=0.3)
    start = time.monotonic()
    assert (await shopper.ask("GET", TREE))[0] == 200
    assert time.monotonic() - start >= 0.3


async def test_timeout(shopper: Shopper) -> None:
    """A module that times out says nothing for as long as anybody waits."""
    shopper.simulator.strike("catalog", "timeout")
    with pytest.raises(TimeoutError):
        await shopper.ask("GET", TREE, timeout=0.4)


@pytest.mark.parametrize("fault", ["refuse", "reset"])
async def test_a_reset_connection(shopper: Shopper, fault: str) -> None:
    """A module behind a shared door refuses by a reset before the first byte."""
    shopper.simulator.strike("catalog", fault)
    with pytest.raises(aiohttp.ClientOSError) as caught:
        await shopper.ask("GET", TREE)
    assert caught.value.errno == 104


async def test_truncate(shopper: Shopper) -> None:
    """A truncated answer promises more than it sends."""
    shopper.simulator.strike("catalog", "truncate")
    with pytest.raises(aiohttp.ClientPayloadError):
        await shopper.ask("GET", TREE)


async def test_garbage_and_wrong_json(shopper: Shopper) -> None:
    """Garbage is no JSON though it says so; wrong JSON is JSON without what was asked for."""
    shopper.simulator.strike("catalog", "garbage")
    status, headers, body = await shopper.ask("GET", TREE)
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    with pytest.raises(UnicodeDecodeError):
        body.decode()
    shopper.simulator.strike("catalog", "wrong_json")
    status, _, body = await shopper.ask("GET", TREE)
    assert (status, isinstance(json.loads(body), dict)) == (200, True)


async def test_stale(shopper: Shopper) -> None:
    """A stale module is answered for by a cache, with an old copy that does not change."""
    shopper.simulator.strike("search", "stale")
    url = "C/api/intelligent-search/v1/product-search/category-1/casa?query=caneca"
    _, headers, first = await shopper.ask("GET", url)
    assert headers["x-vtex-cache-status-janus-edge"] == "HIT"
    assert int(headers["age"]) >= 7200
    assert (await shopper.ask("GET", url))[2] == first


async def test_stall(shopper: Shopper) -> None:
    """A stalled module answers by itself, and its values stand still."""
    url = "C/api/oms/pvt/orders?per_page=1"
    fresh = [(await shopper.ask("GET", "C/api/checkout/pub/orderForm"))[2] for _ in range(2)]
    assert fresh[0] != fresh[1]
    shopper.simulator.strike("oms", "stall")
    _, headers, first = await shopper.ask("GET", url, headers=KEY)
    await asyncio.sleep(0.05)
    assert "x-vtex-cache-status-janus-edge" not in headers
    assert (await shopper.ask("GET", url, headers=KEY))[2] == first


async def test_an_expired_certificate(shopper: Shopper) -> None:
    """The host a module lives on shows an expired certificate, and only that host."""
    shopper.simulator.strike("admin", "certificate_expired")
    with pytest.raises(aiohttp.ClientConnectorCertificateError) as caught:
        await shopper.ask("GET", "M/admin/login")
    assert isinstance(caught.value.certificate_error, ssl.SSLCertVerificationError)
    assert caught.value.certificate_error.verify_code == 10
    assert (await shopper.ask("GET", TREE))[0] == 200
    shopper.simulator.clear()
    assert (await shopper.ask("GET", "M/admin/login"))[0] == 200


async def test_a_version_change(shopper: Shopper) -> None:
    """A deploy shows in a header, outlasts the fault that follows it, and is rolled back when that is cleared."""

    async def version() -> str:
        return (await shopper.ask("GET", TREE))[1]["x-vtex-janus-router-backend-app"]

    before = await version()
    shopper.simulator.strike("catalog", "version_change")
    after = await version()
    assert (before, after) == ("catalog-v5.33.7", "catalog-v5.34.0")
    shopper.simulator.strike("catalog", "http_500")
    assert await version() == after
    shopper.simulator.clear("catalog")
    assert await version() == before


async def test_a_host_that_refuses(shopper: Shopper) -> None:
    """A host that is struck with `refuse` stops listening, keeps its port, and takes connections when it is over."""
    simulator = shopper.simulator
    simulator.strike("shared:demostore.myvtex.com", "refuse")
    with pytest.raises(aiohttp.ClientConnectorError) as caught:
        await shopper.ask("GET", "M/admin/login")
    assert caught.value.errno == 111
    assert (await shopper.ask("GET", TREE))[0] == 200
    simulator.clear("shared:demostore.myvtex.com")
    assert (await shopper.ask("GET", "M/admin/login"))[0] == 200
    for _ in range(5):
        simulator.strike("shared:io", "refuse")
        simulator.clear()
    assert (await shopper.ask("GET", "M/admin/login"))[0] == 200


@pytest.mark.parametrize(("fault", "status"), [("http_500", 502), ("http_503", 503), ("http_429", 429)])
@pytest.mark.parametrize("key", ["shared:gateway", "janus"])
async def test_the_gateway(shopper: Shopper, key: str, fault: str, status: int) -> None:
    """A struck gateway answers for everything behind it, without an application's header; the edge goes on."""
    shopper.simulator.strike(key, fault)
    for url in (TREE, "W/", "M/admin/login", "A/demostore/pricing/config"):
        got, headers, _ = await shopper.ask("GET", url)
        assert got == status
        assert "x-vtex-janus-router-backend-app" not in headers
    assert (await shopper.ask("GET", "I/arquivos/ids/1"))[0] == 200


async def test_the_gateway_gives_up_waiting(shopper: Shopper) -> None:
    """A gateway whose applications do not answer says 504 after its delay."""
    shopper.simulator.strike("shared:gateway", "timeout", delay=0.1)
    assert (await shopper.ask("GET", TREE))[0] == 504


async def test_a_struck_host_answers_without_an_application(shopper: Shopper) -> None:
    """An error of a host comes before any application."""
    shopper.simulator.strike("shared:www.demostore.example", "http_500")
    status, headers, _ = await shopper.ask("GET", "W/")
    assert (status, "x-vtex-janus-router-backend-app" in headers) == (500, False)
    assert (await shopper.ask("GET", TREE))[0] == 200


async def test_a_ratio_hits_that_share_evenly(shopper: Shopper) -> None:
    """Three of four requests are struck, never more than a few in a row, the same in every run."""
    simulator = shopper.simulator
    runs = []
    for _ in range(2):
        simulator.strike("catalog", "http_500", ratio=0.75)
        runs.append([(await shopper.ask("GET", CHANNEL))[0] for _ in range(40)])
    assert runs[0] == runs[1]
    assert runs[0].count(500) in (29, 30, 31)
    assert "500 " * 6 not in " ".join(map(str, runs[0])) + " "


async def test_locations(shopper: Shopper) -> None:
    """A fault with locations strikes only those who say they are there."""
    shopper.simulator.strike("catalog", "http_500", locations=["sao-paulo"])
    assert (await shopper.ask("GET", TREE))[0] == 200
    assert (await shopper.ask("GET", TREE, headers={"X-Monitor-Location": "sao-paulo"}))[0] == 500
    assert (await shopper.ask("GET", TREE, headers={"User-Agent": "monitor/1 (sao-paulo)"}))[0] == 500
    assert (await shopper.ask("GET", TREE, headers={"X-Monitor-Location": "virginia"}))[0] == 200


def test_a_ramp_grows_from_nothing() -> None:
    """Over its ramp a fault grows in share and in delay."""
    now = 100.0
    faults = Faults("demostore", now=lambda: now)
    faults.strike("catalog", "slow", delay=4.0, ramp=60)
    assert faults.draw("catalog", None) is None
    now = 130.0
    hits = [strike for strike in (faults.draw("catalog", None) for _ in range(100)) if strike]
    assert 45 <= len(hits) <= 55
    assert hits[0].delay == pytest.approx(2.0)
    now = 160.0
    assert all(faults.draw("catalog", None) for _ in range(20))


def test_a_tail_fades_to_nothing() -> None:
    """Cleared with a tail, a fault weakens in share and delay until it is gone; without one it is gone at once."""
    now = 100.0
    faults = Faults("demostore", now=lambda: now)
    faults.strike("catalog", "slow", delay=4.0, tail=60)
    assert faults.clear("catalog")
    assert all(faults.draw("catalog", None) for _ in range(20))
    now = 130.0
    hits = [strike for strike in (faults.draw("catalog", None) for _ in range(100)) if strike]
    assert 45 <= len(hits) <= 55
    assert hits[0].delay == pytest.approx(2.0)
    now = 160.0
    assert faults.draw("catalog", None) is None
    assert (faults.standing(), faults.clear("catalog")) == ({}, False)
    for ends in (lambda: faults.clear(tail=0), lambda: faults.clear() and faults.clear()):
        faults.strike("catalog", "slow", tail=60)
        ends()
        assert faults.draw("catalog", None) is None


async def test_a_host_comes_back_by_and_by(shopper: Shopper) -> None:
    """Cleared with a tail, a host that refused listens and resets connections; cleared again it is well."""
    simulator = shopper.simulator
    simulator.strike("shared:io", "refuse", tail=600)
    simulator.clear("shared:io")
    with pytest.raises(aiohttp.ClientOSError) as caught:
        await shopper.ask("GET", "M/admin/login")
    assert caught.value.errno == 104
    simulator.clear("shared:io")
    assert (await shopper.ask("GET", "M/admin/login"))[0] == 200


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_strike_everything(fault: str) -> None:
    """No fault is refused for a module, the gateway or a host."""
    faults = Faults("demostore")
    for module in ("checkout", "janus", "indexing", "shared:gateway", "shared:api.vtex.com", "shared:store"):
        assert faults.strike(module, fault).fault == fault


def test_wrong_strikes_name_the_right_word() -> None:
    """What cannot be struck is refused with the nearest right word."""
    faults = Faults("demostore")
    for module, fault, options, said in (
        ("chekout", "slow", {}, "'checkout'"),
        ("checkout", "http_504", {}, "http_50"),
        ("checkout", "slow", {"dealy": 1}, "'delay'"),
        ("shared:gatewya", "slow", {}, "'shared:gateway'"),
        ("checkout", "slow", {"ratio": 1.5}, "from 0 to 1"),
        ("checkout", "slow", {"delay": True}, "number"),
        ("checkout", "slow", {"locations": "here"}, "list"),
    ):
        with pytest.raises(WrongFault, match=said):
            faults.strike(module, fault, **options)


async def test_two_hundred_requests_a_second(simulator: Simulator) -> None:
    """Four hundred over kept connections cost less than two seconds of the processor, those who ask included."""
    tls = ssl.create_default_context(cafile=simulator.ca_file)
    name = simulator.hosts["commerce"]
    url = f"https://127.0.0.1:{simulator.ports['commerce']}/api/catalog_system/pub/saleschannel/1"
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=tls, limit=20)) as session:

        async def ask() -> int:
            async with session.get(url, headers={"Host": name}, server_hostname=name) as response:
                await response.read()
                return response.status

        start = time.process_time()
        assert set(await asyncio.gather(*(ask() for _ in range(400)))) == {200}
        assert time.process_time() - start < 2
