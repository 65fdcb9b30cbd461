"""The blackbox exporter itself, beside us: the same names, labels and edge values for whatever happens to a target."""

import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession

from tests.metrics.side_by_side import LIMIT, NAME, YOUNGER, Page, Question, both, exporter, ours
from tests.probers.authorities import Authorities
from tests.probers.misbehaving import (
    Behaviour,
    answer,
    by_path,
    chunked,
    closes_after_request,
    raw,
    redirect,
    resets_mid_body,
    served,
    silent,
)
from tests.probers.test_dns_kind import Zone, serving

pytestmark = pytest.mark.slow

TIMES = ("duration_seconds", "lookup_time_seconds")  # compared by whether there was such a time at all
OLD = answer(b"x", headers="Last-Modified: Mon, 23 Nov 2026 11:00:00 GMT\r\n")
STOCK, BANNER = {"expect": {"matches": "in stock"}}, {"expect": {"matches": "^220 "}}

HTTP: dict[str, tuple[Behaviour, str, dict[str, Any]]] = {
    "200": (answer(b"in stock"), "http_2xx", {}),
    "500": (answer(b"oops", "500 Oops"), "http_2xx", {}),
    "204": (raw(b"HTTP/1.1 204 No Content\r\n\r\n"), "http_2xx", {}),
    "HTTP/1.0": (raw(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"), "http_2xx", {}),
    "last modified": (OLD, "http_2xx", {}),
    "one redirect": (by_path(root=redirect("/next"), next=answer(b"hello")), "http_2xx", {}),
    "a ring of redirects": (redirect("/"), "http_2xx", {}),
    "a redirect not followed": (redirect("/next"), "once", {"follow": 0}),
    "a redirect to nobody": (redirect("http://127.0.0.1:1/"), "http_2xx", {}),
    "no length": (chunked(b"3\r\nabc\r\n0\r\n\r\n"), "http_2xx", {}),
    "cut body": (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"), "http_2xx", {}),
    "reset amid the body": (resets_mid_body, "http_2xx", {}),
    "text is there": (answer(b"in stock"), "text", STOCK),
    "text is missing": (answer(b"sold out"), "text", STOCK),
    "silence": (silent, "http_2xx", {}),
    "hung up": (closes_after_request, "http_2xx", {}),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH_9.2p1\r\n"), "http_2xx", {}),
}
TCP: dict[str, tuple[Behaviour, str, dict[str, Any]]] = {
    "accepts": (raw(b"220 hi\r\n", ask=False), "tcp", {}),
    "says it": (raw(b"220 hi\r\n", ask=False), "banner", BANNER),
    "says something else": (raw(b"500 no\r\n", ask=False), "banner", BANNER),
    "says nothing": (silent, "banner", BANNER),
}
CERTIFICATES = ("good", "expired", "wrong name", "unknown authority", "with intermediate", "TLS 1.2", "ends soon")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    return Authorities(tmp_path_factory.mktemp("authorities"))


@pytest.fixture(scope="module")
def peer(tmp_path_factory: pytest.TempPathFactory, authorities: Authorities) -> Iterator[str]:
    """The exporter's address."""
    with exporter(tmp_path_factory.mktemp("exporter"), authorities.ca_file) as url:
        yield url


def older(page: Page) -> Page:
    """What the exporter's older version would say of it."""
    return {
        (name, tuple(pair for pair in labels if pair[0] != "serialnumber")): value
        for (name, labels), value in page.items()
        if name not in YOUNGER
    }


async def agree(peer: str, asked: Question) -> Page:
    """Both say the same; what we say."""
    theirs, said = await both(peer, asked)
    found = older(said)
    assert found.keys() == older(theirs).keys()
    for sample, value in older(theirs).items():
        if sample[0].endswith(TIMES):
            assert (found[sample] > 0) == (value > 0), sample
            assert found[sample] <= LIMIT + 0.5
        else:
            assert found[sample] == value, sample
    return said


@asynccontextmanager
async def over_tls(behave: Behaviour, authorities: Authorities, kind: str) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """The port of a server with such a certificate, and how we reach it by its name."""
    async with served(behave, authorities.context(kind)) as server:
        place = f"127.0.0.1:{server.port}"
        yield server.port, {"connect_to": {f"{NAME}:{server.port}": place}, "ca_file": authorities.ca_file}


@pytest.mark.parametrize("case", HTTP)
async def test_over_http(peer: str, case: str) -> None:
    behave, module, keys = HTTP[case]
    async with served(behave) as server:
        await agree(peer, Question(module, server.url(), {"kind": "http", "url": server.url(), **keys}))


@pytest.mark.parametrize("kind", CERTIFICATES)
async def test_over_https(peer: str, authorities: Authorities, kind: str) -> None:
    async with over_tls(answer(b"x"), authorities, kind) as (port, monitor):
        asked = {"kind": "http", "url": f"https://{NAME}:{port}/"}
        said = await agree(peer, Question("http_2xx", f"https://127.0.0.1:{port}/", asked, NAME, monitor))
    handshake = kind not in ("expired", "wrong name", "unknown authority")
    assert any(name == "probe_tls_cipher_info" for name, _ in said) is handshake


async def test_nobody_listens(peer: str) -> None:
    url = "http://127.0.0.1:1/"
    await agree(peer, Question("http_2xx", url, {"kind": "http", "url": url}))
    await agree(peer, Question("tcp", "127.0.0.1:1", {"kind": "tcp", "address": "127.0.0.1:1"}))


async def test_there_is_no_such_name(peer: str) -> None:
    url = "http://nowhere.invalid/"
    await agree(peer, Question("http_2xx", url, {"kind": "http", "url": url}))
    await agree(peer, Question("tcp", "nowhere.invalid:1", {"kind": "tcp", "address": "nowhere.invalid:1"}))


@pytest.mark.parametrize("case", TCP)
async def test_a_port(peer: str, case: str) -> None:
    behave, module, keys = TCP[case]
    async with served(behave) as server:
        place = f"127.0.0.1:{server.port}"
        await agree(peer, Question(module, place, {"kind": "tcp", "address": place, **keys}))


@pytest.mark.parametrize("kind", ["good", "expired", "TLS 1.2"])
async def test_a_handshake(peer: str, authorities: Authorities, kind: str) -> None:
    async with over_tls(answer(b"x"), authorities, kind) as (port, monitor):
        asked = {"kind": "tls", "address": f"{NAME}:{port}"}
        await agree(peer, Question("tls", f"127.0.0.1:{port}", asked, None, monitor))


async def test_a_name_server(peer: str) -> None:
    with serving(Zone(), over_tcp=True) as port:
        place = f"127.0.0.1:{port}"
        for module, name, kind in (
            ("dns", "shop.example.com", "A"),
            ("gone", "nowhere.example.com", "A"),
            ("serial", "example.com", "SOA"),
        ):
            asked = {"kind": "dns", "server": place, "name": name, "type": kind}
            said = await agree(peer, Question(module, place, asked))
        assert said["probe_dns_serial", ()] == 2026112601


async def test_a_name_server_that_is_silent_or_away(peer: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as quiet:
        quiet.bind(("127.0.0.1", 0))
        for place in (f"127.0.0.1:{quiet.getsockname()[1]}", "127.0.0.1:1"):
            asked = {"kind": "dns", "server": place, "name": "example.com", "type": "SOA"}
            await agree(peer, Question("serial", place, asked))


async def test_what_is_asked_wrongly_is_refused_alike(peer: str) -> None:
    """No target, an unknown module, a time limit that is no number."""
    config = (
        '{"version": 1, "modules": [{"id": "shop", "probes": [{"id": "it", "kind": "http", "url": "http://a.test/"}]}]}'
    )
    bad = {"X-Prometheus-Scrape-Timeout-Seconds": "soon"}
    async with ours(config) as own, ClientSession() as session:
        for params, headers in (({}, {}), ({"target": "shop", "module": "nix"}, {}), ({"target": "shop"}, bad)):
            statuses = []
            for url in (peer, own):
                async with session.get(f"{url}/probe", params=params, headers=headers) as reply:
                    statuses.append(reply.status)
            assert statuses[0] == statuses[1], params
