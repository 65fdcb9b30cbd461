"""The same folder behind nginx, with the shipped configuration: what a reader gets does not depend on who serves it."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest
from aiohttp import ClientSession
from multidict import CIMultiDict

from monitor.pages.publish import Publisher
from tests.pages import pictures
from tests.pages.served import served
from tests.programs import path_of, running

pytestmark = pytest.mark.slow

CONFIG = Path(__file__).parents[2] / "deploy" / "nginx" / "status.conf"
OWN = {"date", "server", "connection", "etag", "last-modified", "content-length", "keep-alive"}  # by whoever serves
PATHS = ["/", "/en/", "/healthcheck/", "/api/v2/summary.json", "/api/v1/incidents.json", "/badge/overall.svg",
         "/history.atom", "/en/history.rss", "/maintenance.ics", "/robots.txt", "/sitemap.xml", "/card.png",
         "/components/cart.atom", "/.well-known/security.txt", "/404.html"]  # fmt: skip


def free_port() -> int:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return int(bound.getsockname()[1])


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
async def both(tmp_path: Path) -> AsyncIterator[tuple[str, str]]:
    """The site by our own server and by nginx, from one folder."""
    nginx = path_of("nginx")
    site = replace(pictures.SITE, links={"security": "mailto:a@example.com"})
    port, home = free_port(), tmp_path / "nginx"
    home.mkdir()
    server = CONFIG.read_text("utf-8")
    server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("/var/lib/vtex-monitor/public", str(tmp_path / "public"))
    (home / "status.conf").write_text(server)
    temporary = "\n".join(
        f"{kind}_temp_path {home}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\ninclude {home}/status.conf; }}\n"
    )
    async with served(replace(pictures.troubled(), site=site), tmp_path) as (url, _):
        command = (nginx, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", str(home / "error.log"))
        with running(*command, log=home / "log", ready=lambda: answers(port)):
            yield url, f"http://127.0.0.1:{port}"


async def get(url: str, method: str = "GET", **headers: str) -> tuple[int, CIMultiDict[str], bytes]:
    headers = {"Accept-Encoding": "identity"} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with (
        ClientSession(auto_decompress=False) as session,
        session.request(method, url, headers=headers, allow_redirects=False) as answer,
    ):
        return answer.status, answer.headers.copy(), await answer.read()


def shown(headers: CIMultiDict[str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items() if name.lower() not in OWN}


async def test_both_give_the_same_answer(both: tuple[str, str]) -> None:
    """Body, type, cache, protections and sharing, packed and plain, whole and without a body."""
    for path, form, method in product(PATHS, ("identity", "gzip", "gzip;q=0"), ("GET", "HEAD")):
        ours, theirs = [await get(url + path, method, Accept_Encoding=form) for url in both]
        assert ours[0] == theirs[0] == 200
        assert shown(ours[1]) == shown(theirs[1]), (path, form, method)
        assert ours[2] == theirs[2]
        assert ours[1]["Content-Length"] == theirs[1]["Content-Length"]


async def test_both_know_what_a_reader_has(both: tuple[str, str]) -> None:
    for url in both:
        _, headers, _ = await get(f"{url}/api/v2/status.json")
        status, again, body = await get(f"{url}/api/v2/status.json", If_None_Match=headers["ETag"])
        assert (status, body) == (304, b"")
        assert again["ETag"] == headers["ETag"]


async def test_an_unchanged_file_keeps_its_tag_over_a_publication(both: tuple[str, str], tmp_path: Path) -> None:
    """It is the same file in both publications, so nginx, which goes by date and size, knows it too."""
    root = tmp_path / "public"
    files = {
        str(one.relative_to(root)): one.read_bytes() for one in root.rglob("*") if one.is_file() and one.suffix != ".gz"
    }
    before = [(await get(f"{url}/history.atom", Accept_Encoding="gzip"))[1]["ETag"] for url in both]
    await asyncio.to_thread(Publisher(tmp_path).publish, {**files, "index.html": files["index.html"] + b"<!-- new -->"})
    after = [(await get(f"{url}/history.atom", Accept_Encoding="gzip"))[1]["ETag"] for url in both]
    assert before == after
    bodies = [gzip.decompress((await get(f"{url}/", Accept_Encoding="gzip"))[2]) for url in both]
    assert bodies[0] == bodies[1]
    assert bodies[0].endswith(b"<!-- new -->")


async def test_both_refuse_and_lead_alike(both: tuple[str, str]) -> None:
    for path in ("/nothing/", "/index.html.gz", "/.publications/lock", "/api/v2/x.json"):
        ours, theirs = [await get(url + path) for url in both]
        assert ours[0] == theirs[0] == 404
        assert ours[2] == theirs[2]
        assert b"<h1" in theirs[2]
        assert shown(ours[1]) == shown(theirs[1])
    assert [(await get(f"{url}/history"))[0] for url in both] == [301, 301]


async def test_both_tell_other_origins_what_they_may_ask(both: tuple[str, str]) -> None:
    asks = {"Origin": "https://x.example", "Access_Control_Request_Method": "GET"}
    for path in ("/api/v2/status.json", "/history.atom?x=1"):
        ours, theirs = [await get(url + path, "OPTIONS", **asks) for url in both]
        assert ours[0] == theirs[0] == 204
        for name in ("Allow-Origin", "Allow-Methods", "Allow-Headers", "Max-Age"):
            assert ours[1][f"Access-Control-{name}"] == theirs[1][f"Access-Control-{name}"]
    assert [(await get(f"{url}/", "OPTIONS", **asks))[0] for url in both] == [405, 405]


async def test_nothing_can_be_sent(both: tuple[str, str]) -> None:
    for url in both:
        assert (await get(url + "/", "POST"))[0] == 405
