"""Whatever a target does, the run ends in time, has the right code, and holds up nobody else."""

import asyncio
import gc
import socket
import sys
import tracemalloc
from collections.abc import Iterator

import pytest

from monitor.core.clause import Clause
from monitor.core.codes import CODES
from monitor.core.expectation import Expect
from monitor.probers import Reach
from monitor.turns import SWITCH

from .looking import LIMIT, LagSampler, probe_of, reaching, seen
from .misbehaving import WAYS, answer, raw, served

EXPECT = Expect(json=(("ok", (Clause("exists", True),)),))

CODE: dict[str, str | None] = {
    "healthy": None,
    "closes after the request": "http.closed",
    "closes amid the headers": "http.closed",
    "resets after accepting": "http.reset",
    "resets after the request": "http.reset",
    "resets amid the body": "http.truncated",
    "resets amid a body without a length": "http.truncated",
    "silent": "http.ttfb_timeout",
    "drips headers": "http.header_drip",
    "drips the body": "http.transfer_timeout",
    "endless 100 Continue": "http.header_drip",
    "flood of 100 Continue": "http.headers_too_large",
    "SSH banner": "http.malformed",
    "HTTP/0.9 answer": "http.malformed",
    "ICY 200 OK": "http.malformed",
    "binary noise": "http.malformed",
    "TLS alert in plain": "http.malformed",
    "status of four digits": "http.malformed",
    "status that is no number": "http.malformed",
    "garbage after 100 Continue": "http.malformed",
    "empty lines only": "http.closed",
    "negative content length": "http.malformed",
    "content length that is no number": "http.malformed",
    "two content lengths": "http.malformed",
    "length and chunks": "http.malformed",
    "null bytes in a header": "http.malformed",
    "header without a colon": "http.malformed",
    "space in a header's name": "http.malformed",
    "header line of 20 kB": "http.headers_too_large",
    "5,000 headers": "http.headers_too_large",
    "5 MB of cookies": "http.headers_too_large",
    "endless header": "http.headers_too_large",
    "endless body": "http.body_too_large",
    "gzip bomb": "http.body_too_large",
    "deflate bomb": "http.body_too_large",
    "gzip bomb in chunks": "http.body_too_large",
    "wrong content length": "http.truncated",
    "chunks cut off": "http.truncated",
    "chunks without an end": "http.truncated",
    "garbage between chunks": "http.truncated",
    "not gzip": "http.bad_encoding",
    "gzip cut off": "http.bad_encoding",
    "gzip with a wrong checksum": "http.bad_encoding",
    "brotli that nobody asked for": "http.bad_encoding",
    "encoding that does not exist": "http.bad_encoding",
    "invalid UTF-8": "content.invalid_encoding",
    "bogus charset": None,
    "charset that takes for ever": None,
    "byte order mark": None,
    "deep JSON": "content.json_limits",
    "JSON 250 deep": "content.json_limits",
    "number of 5,000 digits": "content.json_limits",
    "NaN": "content.invalid_json",
    "Infinity": "content.invalid_json",
    "number larger than any float": None,
    "half a character": None,
    "duplicate keys": None,
    "JSON of a million values": "content.json_limits",
    "JSON of brackets": "content.assertion",
    "JSON of far too many brackets": "content.json_limits",
    "JSON of fractions": "content.assertion",
    "HTML instead of JSON": "content.invalid_json",
    "truncated JSON": "content.invalid_json",
    "empty body": "content.empty",
    "hostile text": "content.invalid_json",
    "status 429": "http.429",
    "status 204": "content.empty",
    "status 101": "content.assertion",
    "status 304": "content.assertion",
    "status 599": "http.500",
    "status 999": "http.500",
    "CloudFront": "cdn.cloudfront",
    "Fastly": "cdn.fastly",
    "Akamai": "cdn.akamai",
    "AWS load balancer": "lb.aws",
    "Proxy-Status": "edge.proxy_status",
    "Cloudflare challenge": "blocked.waf",
    "AWS captcha": "blocked.captcha",
    "AWS wall": "blocked.waf",
    "captcha page": "blocked.captcha",
    "redirect to itself": "http.redirect_loop",
    "redirect to ftp": "http.redirect_scheme",
    "redirect to a script": "http.redirect_scheme",
    "redirect to metadata": "http.redirect_unexpected",
    "redirect to another host": "http.redirect_unexpected",
    "redirect to nowhere": "http.redirect_unexpected",
    "redirect to a login": "http.redirect_unexpected",
    "redirect without a location": "content.assertion",
}


def code_of_way(name: str) -> str | None:
    """The table, and the names that say their code themselves."""
    if name in CODE:
        return CODE[name]
    kind, _, number = name.partition(" ")
    return f"cdn.cf_{number}" if kind == "Cloudflare" else f"http.{number}"


RACES = {"closes at once"}  # the request and the close meet halfway: sometimes an end, sometimes a reset


@pytest.mark.parametrize("name", [name for name in WAYS if name not in RACES])
async def test_each_way_of_breaking_has_its_code(name: str) -> None:
    """The code is right, the run keeps its limit, asks once, and does not hold up the event loop."""
    async with reaching() as reach, served(WAYS[name]) as server, LagSampler() as lag:
        observation, result = await seen(reach, probe_of(server.url(), EXPECT))

    assert result.code == code_of_way(name), result.reasons
    assert observation.duration < LIMIT + 0.25
    assert server.connections == (11 if result.code == "http.redirect_loop" else 1)
    assert lag.worst < 0.05


def test_every_code_expected_here_is_of_the_closed_list() -> None:
    """No test invents a code, and none of the servers is our own fault."""
    codes = {code_of_way(name) for name in WAYS if name not in RACES} - {None}

    assert codes <= CODES.keys()
    assert not [code for code in codes if code and code.startswith("self.")]


async def test_a_server_that_closes_at_once_is_closed_or_reset(reach: Reach) -> None:
    """Which of the two is a matter of microseconds."""
    async with served(WAYS["closes at once"]) as server:
        _, result = await seen(reach, probe_of(server.url()))

    assert result.code in ("http.closed", "http.reset")


async def test_a_closed_port_refuses(reach: Reach) -> None:
    """No phase after the connection exists."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        observation, result = await seen(reach, probe_of(f"http://127.0.0.1:{free.getsockname()[1]}/"))

    assert result.code == "tcp.refused"
    assert set(observation.phases) == {"resolve", "connect"}
    assert observation.http is None


async def test_a_full_backlog_times_out(reach: Reach) -> None:
    """A port that listens and never accepts looks like one that nobody answers on."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = full.getsockname()
        waiting = [socket.socket() for _ in range(3)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(address)
        await asyncio.sleep(0.05)
        _, result = await seen(reach, probe_of(f"http://127.0.0.1:{address[1]}/", limit=0.3))
        for one in waiting:
            one.close()

    assert result.code == "tcp.timeout"


async def test_204_where_200_is_expected(reach: Reach) -> None:
    """A good status that is not the one asked for is a failed expectation, not an error of the server."""
    async with served(WAYS["status 204"]) as server:
        _, result = await seen(reach, probe_of(server.url(), Expect(status=((200, 200),))))

    assert result.code == "content.assertion"
    assert "204" in result.reasons[0]


@pytest.mark.parametrize(
    "name", ["gzip bomb", "deflate bomb", "endless body", "endless header", "JSON of a million values"]
)
async def test_memory_stays_flat(reach: Reach, name: str) -> None:
    """Two hundred megabytes that somebody sends us are never all here."""
    async with served(WAYS[name]) as server:
        await seen(reach, probe_of(server.url(), EXPECT))
        tracemalloc.start()
        try:
            await seen(reach, probe_of(server.url(), EXPECT))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    assert peak < 12_000_000  # the body under its cap, joined and decoded; the server's own buffers


@pytest.fixture
def turns() -> Iterator[None]:
    """Threads take turns as short as in the running program, and what was there before is frozen as it is there."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("turns")
async def test_many_hostile_targets_at_once_do_not_starve_a_healthy_one(reach: Reach) -> None:
    """A bomb behind every other door delays nobody's answer by more than a beat."""
    async with (
        served(WAYS["gzip bomb"]) as bomb,
        served(WAYS["JSON of brackets"]) as brackets,
        served(WAYS["healthy"]) as healthy,
        LagSampler() as lag,
    ):
        hostile = [seen(reach, probe_of(s.url(), EXPECT, limit=20)) for s in (bomb, brackets) for _ in range(10)]
        crowd = asyncio.gather(*hostile)
        _, result = await seen(reach, probe_of(healthy.url(), EXPECT, limit=5))
        results = [result for _, result in await crowd]

    assert result.code is None
    assert {one.code for one in results} == {"http.body_too_large", "content.assertion"}
    assert lag.worst < 0.15  # twenty servers and their bombs share this loop


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"ok": 1e999}', 1.7976931348623157e308),
        (b'{"ok": "\\ud800"}', "\ufffd"),
        (b'{"ok": "a\\u0000\\u202eb"}', "ab"),
    ],
    ids=["infinite", "half a character", "controls"],
)
async def test_values_can_always_be_written_as_json(reach: Reach, body: bytes, value: object) -> None:
    """What no JSON can say is replaced by the nearest that it can."""
    async with served(answer(body)) as server:
        observation, _ = await seen(reach, probe_of(server.url(), EXPECT))

    assert observation.values["ok"] == value


async def test_latin_1_in_a_header_is_kept_as_text(reach: Reach) -> None:
    """Bytes that are no UTF-8 become replacement characters, never half characters."""
    async with served(raw(b"HTTP/1.1 200 OK\r\nServer: caf\xe9\r\nContent-Length: 0\r\n\r\n")) as server:
        observation, _ = await seen(reach, probe_of(server.url()))

    assert observation.http is not None
    observation.http.headers["server"].encode()
