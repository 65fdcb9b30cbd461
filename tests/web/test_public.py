"""Public: what a browser, a cache, a bot and somebody with bad intentions get."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from multidict import CIMultiDict

from monitor.pages.publish import Publisher
from monitor.web import published
from monitor.web.public import public_app
from monitor.web.published import File, Folder

HOME = b"<!doctype html><title>Status</title>" + b"<p>all is well</p>" * 50
FILES = {
    "index.html": HOME,
    "404.html": b"<!doctype html><title>Nothing here</title>" + b"<p>no</p>" * 100,
    "history/index.html": b"<p>history</p>",
    "api/v2/status.json": b'{"page": {}}',
    "api/v2/incidents.json": b'{"incidents": []}',
    "badge/overall.svg": b"<svg/>",
    "history.atom": b"<feed/>",
    "history.rss": b"<rss/>",
    "maintenance.ics": b"BEGIN:VCALENDAR",
    "robots.txt": b"User-agent: *",
    "sitemap.xml": b"<urlset/>",
    ".well-known/security.txt": b"Contact: mailto:a@example.com",
    "assets/refresh.0123abcdef.js": b"// nothing",
    "assets/plain.js": b"// nothing",
    "incidents/abc123/index.html": b"<p>one</p>",
    "empty/sub/index.html": b"<p>sub</p>",
}

Get = Callable[..., Awaitable[tuple[int, CIMultiDict[str], bytes]]]


@pytest.fixture
def publisher(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(public_app(tmp_path / "public")), auto_decompress=False) as client:
        yield client


@pytest.fixture
def get(client: TestClient, publisher: Publisher) -> Get:
    publisher.publish(FILES)

    async def get(path: str, method: str = "GET", **headers: str) -> tuple[int, CIMultiDict[str], bytes]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers.setdefault("Accept-Encoding", "identity")
        async with client.request(method, path, headers=headers, allow_redirects=False) as answer:
            return answer.status, answer.headers.copy(), await answer.read()

    return get


async def raw(client: TestClient, path: str) -> bytes:
    """The answer to a path sent exactly as it stands, as no well-behaved client would."""
    reader, writer = await asyncio.open_connection("127.0.0.1", client.port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("path", "type"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/index.html", "text/html; charset=utf-8"),
        ("/history/", "text/html; charset=utf-8"),
        ("/api/v2/status.json", "application/json; charset=utf-8"),
        ("/badge/overall.svg", "image/svg+xml; charset=utf-8"),
        ("/history.atom", "application/atom+xml; charset=utf-8"),
        ("/history.rss", "application/rss+xml; charset=utf-8"),
        ("/maintenance.ics", "text/calendar; charset=utf-8"),
        ("/robots.txt", "text/plain; charset=utf-8"),
        ("/sitemap.xml", "application/xml; charset=utf-8"),
        ("/.well-known/security.txt", "text/plain; charset=utf-8"),
        ("/assets/plain.js", "text/javascript; charset=utf-8"),
        ("/%68istory/", "text/html; charset=utf-8"),
    ],
)
async def test_each_file_has_its_type(get: Get, path: str, type: str) -> None:
    status, headers, body = await get(path)
    assert (status, headers["Content-Type"]) == (200, type)
    assert body


async def test_every_answer_carries_the_protections(get: Get) -> None:
    for path in ("/", "/api/v2/status.json", "/nothing", "/history", "/badge/overall.svg"):
        _, headers, _ = await get(path)
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'self';" in policy
        assert "default-src 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"]


async def test_a_reader_that_has_the_file_gets_no_second_copy(get: Get) -> None:
    _, headers, _ = await get("/")
    status, again, body = await get("/", If_None_Match=f'"other", W/{headers["ETag"]}')
    assert (status, body) == (304, b"")
    assert again["ETag"] == headers["ETag"]
    assert again["Cache-Control"] == "public, max-age=30"
    assert (await get("/", If_None_Match='"other"'))[0] == 200
    assert (await get("/", If_None_Match="*"))[0] == 304


async def test_the_compressed_form_is_sent_to_those_who_take_it(get: Get) -> None:
    status, headers, body = await get("/", Accept_Encoding="br;q=1, gzip;q=0.5")
    assert (status, headers["Content-Encoding"], headers["Vary"]) == (200, "gzip", "Accept-Encoding")
    assert gzip.decompress(body) == HOME
    _, plain, body = await get("/", Accept_Encoding="gzip;q=0, identity")
    assert "Content-Encoding" not in plain
    assert body == HOME
    assert plain["Vary"] == "Accept-Encoding"
    assert plain["ETag"] != headers["ETag"]


async def test_a_new_publication_has_new_tags_only_where_it_changed(get: Get, publisher: Publisher) -> None:
    before = [(await get(path))[1]["ETag"] for path in ("/", "/history.atom")]
    publisher.publish({**FILES, "index.html": HOME + b"new"})
    after = [(await get(path))[1]["ETag"] for path in ("/", "/history.atom")]
    assert before[0] != after[0]
    assert before[1] == after[1]


async def test_a_named_asset_is_kept_for_ever_and_everything_else_for_half_a_minute(get: Get) -> None:
    assert "immutable" in (await get("/assets/refresh.0123abcdef.js"))[1]["Cache-Control"]
    for path in ("/", "/assets/plain.js", "/api/v2/status.json", "/nothing"):
        assert (await get(path))[1]["Cache-Control"] == "public, max-age=30"


@pytest.mark.parametrize(
    "path",
    ["/api/v2/status.json", "/badge/overall.svg", "/history.atom", "/history.rss", "/maintenance.ics", "/api/nothing"],
)
async def test_other_origins_may_read_interfaces_badges_and_feeds(get: Get, path: str) -> None:
    """With the tag, so that a script can ask for news only; browsers then ask first whether they may."""
    _, headers, _ = await get(path)
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Expose-Headers"] == "ETag"
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    status, headers, body = await get(path, method="OPTIONS", Origin="https://x.example",
                                      Access_Control_Request_Method="GET")  # fmt: skip
    assert (status, body) == (204, b"")
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert headers["Access-Control-Allow-Headers"] == "If-None-Match"
    assert headers["Access-Control-Allow-Methods"] == "GET, HEAD"


async def test_other_origins_may_not_read_pages(get: Get) -> None:
    for path in ("/", "/history/", "/assets/plain.js"):
        assert "Access-Control-Allow-Origin" not in (await get(path))[1]
        assert (await get(path, method="OPTIONS", Access_Control_Request_Method="GET"))[0] == 405


@pytest.mark.parametrize("range", ["bytes=0-9", "bytes=-5", "bytes=99999-", "bytes=0-1,3-4", "pages=1", "bytes=9-1"])
async def test_whoever_asks_for_a_part_gets_the_whole(get: Get, range: str) -> None:
    """Half a page is of no use to anybody, and a server may always answer so."""
    status, headers, body = await get("/", Range=range)
    assert (status, body) == (200, HOME)
    assert "Content-Range" not in headers


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [
        ("gzip", True),
        ("GZip", True),
        ("gzip;q=1.0, identity; q=0.5, *;q=0", True),
        ("br, gzip;q=0.001", True),
        ("*", True),
        ("identity;q=0, *", True),
        ("gzip;q=0", False),
        ("gzip; q=0.0", False),
        ("*;q=0", False),
        ("gzip;q=0, *;q=1", False),
        ("gzip;q=nonsense", False),
        ("br, deflate", False),
        ("identity", False),
        ("", False),
        (",;,;q=1,", False),
        ("xgzip", False),
    ],
)
async def test_the_form_is_the_one_that_was_asked_for(get: Get, accepts: str, packed: bool) -> None:
    status, headers, body = await get("/", Accept_Encoding=accepts)
    assert status == 200
    assert ("Content-Encoding" in headers) == packed
    assert (gzip.decompress(body) if packed else body) == HOME
    assert headers["Content-Length"] == str(len(body))


async def test_each_form_has_a_tag_of_its_own_that_holds_for_it(get: Get) -> None:
    """A cache that has the packed form is not told that the plain one is unchanged, and the other way round."""
    tags = {form: (await get("/", Accept_Encoding=form))[1]["ETag"] for form in ("gzip", "identity")}
    for form, tag in tags.items():
        assert (await get("/", Accept_Encoding=form, If_None_Match=tag))[0] == 304
        status, headers, _ = await get("/", method="HEAD", Accept_Encoding=form, If_None_Match=tag)
        assert (status, headers["Vary"]) == (304, "Accept-Encoding")
    assert (await get("/", Accept_Encoding="identity", If_None_Match=tags["gzip"]))[0] == 200


async def test_an_ill_formed_tag_costs_a_second_copy_and_nothing_else(get: Get) -> None:
    for tag in ("x", '"', "W/", ",,,", '"a", "b"', "***"):
        assert (await get("/", If_None_Match=tag))[0] == 200


async def test_a_folder_leads_to_its_page(get: Get) -> None:
    status, headers, _ = await get("/incidents/abc123?from=feed")
    assert (status, headers["Location"]) == (301, "abc123/?from=feed")
    assert (await get("/history"))[1]["Location"] == "history/"
    assert (await get("/empty"))[0] == 404
    assert (await get("/empty/"))[0] == 404
    assert (await get("/empty/sub/"))[0] == 200


@pytest.mark.parametrize(
    ("written", "to"),
    [
        ("/History/?from=feed", "../history/?from=feed"),
        ("/incidents/ABC123/", "../../incidents/abc123/"),
        ("/Robots.TXT", "robots.txt"),
    ],
)
async def test_an_address_in_capitals_leads_to_the_page(get: Get, written: str, to: str) -> None:
    """As a language is written in the configuration: `/pt-BR/`."""
    status, headers, _ = await get(written)
    assert (status, headers["Location"]) == (301, to)
    assert (await get("/No/Such/Page"))[0] == 404


async def test_head_is_get_without_the_body(get: Get) -> None:
    _, got, _ = await get("/")
    status, headers, body = await get("/", method="HEAD")
    assert (status, body) == (200, b"")
    assert headers["Content-Length"] == str(len(HOME)) == got["Content-Length"]
    assert headers["ETag"] == got["ETag"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
async def test_nothing_else_is_allowed(get: Get, method: str) -> None:
    status, headers, _ = await get("/", method=method)
    assert (status, headers["Allow"]) == (405, "GET, HEAD")


async def test_what_is_not_there_is_said_on_the_sites_own_page(get: Get) -> None:
    status, headers, body = await get("/no/such/page")
    assert status == 404
    assert b"Nothing here" in body
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert "ETag" not in headers


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/history/..%2f..%2fsecret.txt",
        "/history/%2e%2e%2f%2e%2e%2fsecret.txt",
        "/..%5csecret.txt",
        "/..\\secret.txt",
        "//secret.txt",
        "/%00",
        "/index.html%00.png",
        "/.publications/lock",
        "/.well-known/../../secret.txt",
        "/%ff%fe",
        "/leak.txt",
        "/linked/secret.txt",
        "/pipe",
        "/index.html.gz",
        "/index.html/",
        "/" + "a/" * 200,
        "/" + "a" * 5000,
        "/%252e%252e/secret.txt",
        "/..;/secret.txt",
    ],
)
async def test_nothing_outside_the_publication_is_reached(
    client: TestClient, publisher: Publisher, tmp_path: Path, path: str
) -> None:
    publisher.publish(FILES)
    (tmp_path / "secret.txt").write_text("secret")
    inside = (tmp_path / "public").resolve()
    (inside / "leak.txt").symlink_to(tmp_path / "secret.txt")
    (inside / "linked").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe")
    answer = await raw(client, path)
    assert answer.startswith((b"HTTP/1.1 404", b"HTTP/1.1 400"))
    assert b"secret" not in answer.partition(b"\r\n\r\n")[2]


async def test_a_redirect_never_leads_to_another_host(client: TestClient, publisher: Publisher) -> None:
    publisher.publish({**FILES, "evil.example/index.html": b"<p>x</p>"})
    for path in ("//evil.example", "/%2fevil.example", "/\\evil.example"):
        answer = await raw(client, path)
        assert b"Location: //" not in answer
        assert b"Location: http" not in answer


async def test_before_the_first_publication_the_reader_is_asked_to_come_back(client: TestClient) -> None:
    async with client.get("/") as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "5"
        assert "first page is being made" in await answer.text()


async def test_readers_meet_whole_files_only_while_sites_are_swapped(
    client: TestClient, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.publish({"page.html": b"%06d" % 0 + HOME})
    done = asyncio.Event()

    async def read() -> set[bytes]:
        seen = set()
        while not done.is_set():
            async with client.get("/page.html", headers={"Accept-Encoding": "gzip"}) as answer:
                assert answer.status == 200
                body = gzip.decompress(await answer.read())
                assert body[6:] == HOME
                seen.add(body[:6])
        return seen

    readers = [asyncio.create_task(read()) for _ in range(3)]
    for number in range(1, 60):
        await asyncio.to_thread(publisher.publish, {"page.html": b"%06d" % number + HOME})
    done.set()
    assert len(set().union(*await asyncio.gather(*readers))) > 3


def test_a_file_missing_from_a_publication_that_passed_by_is_looked_for_again(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher.publish({"old.html": HOME})
    look = published._open

    def late(here: int, parts: list[str], packed: bool) -> File | Folder | None:
        monkeypatch.setattr(published, "_open", look)
        publisher.publish({"new.html": HOME})
        return look(here, parts, packed)

    monkeypatch.setattr(published, "_open", late)
    found = published.find(tmp_path / "public", "/new.html", False)
    assert isinstance(found, File)
    assert found.content == HOME
    assert published.find(tmp_path / "public", "/old.html", False) is None
