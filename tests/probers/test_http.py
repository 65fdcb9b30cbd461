"""What an http probe sends, and which facts it brings home."""

import asyncio
import base64
import errno
import json
import logging
import re
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientOSError

from monitor.clock import SystemClock
from monitor.core.clause import Clause, header_key
from monitor.core.expectation import Expect, Outcome, body_key, judge
from monitor.core.observation import observation_from_json, observation_to_json
from monitor.core.probe import Probe
from monitor.core.target import Network
from monitor.probers import PROBERS, Reach, look
from monitor.probers.failure import Stopped, of_connect, of_exchange
from monitor.probers.line import Line

from .looking import probe_of, reaching, seen
from .misbehaving import HOSTILE, WAYS, answer, compressed, raw, served

SHOP = {"items": [{"id": "1", "availability": "available"}], "messages": [], "n": 3, "at": "2026-11-23T12:00:00Z"}


async def test_facts_of_a_good_answer(reach: Reach) -> None:
    """Everything an observation promises."""
    body = json.dumps(SHOP).encode()
    headers = "X-VTEX-Cache-Status: MISS\r\nX-Secret-Thing: 1\r\nX-Cache: a\r\nX-Cache: b\r\n"
    scheduled = datetime(2026, 11, 23, 12, tzinfo=UTC)
    async with served(answer(body, headers=headers)) as server:
        observation = await look(probe_of(server.url()), reach, scheduled_at=scheduled)

    http = observation.http
    assert http is not None
    assert (http.status, http.bytes, http.content_length, http.version) == (200, len(body), len(body), "1.1")
    assert http.headers["x-vtex-cache-status"] == "MISS"
    assert http.headers["x-cache"] == "a, b"
    assert "x-secret-thing" not in http.headers
    assert http.excerpt == body.decode()
    assert observation.address == f"127.0.0.1:{server.port}"
    assert observation.scheduled_at == scheduled
    assert observation.certificate is None
    assert list(observation.phases) == ["resolve", "connect", "processing", "transfer"]
    assert observation_from_json(observation_to_json(observation)).http == http


async def test_a_body_without_a_length(reach: Reach) -> None:
    """-1, as the exporter that everybody's dashboards were made for has it."""
    async with served(raw(b"HTTP/1.0 200 OK\r\n\r\nhello")) as server:
        observation, result = await seen(reach, probe_of(server.url()))

    assert result.code is None
    assert observation.http is not None
    assert (observation.http.content_length, observation.http.bytes, observation.http.version) == (-1, 5, "1.0")


async def test_bytes_are_counted_after_decompression(reach: Reach) -> None:
    """And the length is the one that was named."""
    import gzip

    packed = gzip.compress(b"x" * 100_000)
    async with served(compressed(packed)) as server:
        observation, _ = await seen(reach, probe_of(server.url()))

    assert observation.http is not None
    assert (observation.http.bytes, observation.http.content_length) == (100_000, len(packed))


async def test_what_is_sent(reach: Reach) -> None:
    """One request, ours where the probe says nothing, the probe's where it does."""
    async with served(answer()) as server:
        await seen(reach, probe_of(server.url(path="/a%20b?c=d%2Fe"), headers=(("Accept", "application/json"),)))
        await seen(reach, probe_of(server.url(), headers=(("user-agent", "other"),)), fresh=True)
        await seen(reach, probe_of(server.url().replace("//", "//user:pass%20word@")))

    plain, fresh, user = (request.decode() for request in server.requests)
    assert plain.startswith("GET /a%20b?c=d%2Fe HTTP/1.1\r\n")
    assert re.search(r"User-Agent: vtex-monitor/[\d.]+ \(\+status probe\)\r\n", plain)
    assert "Accept-Encoding: gzip, deflate\r\n" in plain
    assert "Accept: application/json\r\n" in plain
    assert "Connection: close" in plain
    assert "Cache-Control" not in plain
    assert "Cache-Control: no-cache" in fresh
    assert "vtex-monitor" not in fresh
    assert f"Authorization: Basic {base64.b64encode(b'user:pass word').decode()}" in user


@pytest.mark.parametrize(
    ("path", "pattern"),
    [("/a%20b?c=d%2Fe", r"/a%20b\?c=d%2Fe&_m=(\d{13})"), ("/#top", r"/\?_m=(\d{13})"), ("", r"/\?_m=(\d{13})")],
)
async def test_a_varied_address_is_new_in_each_run(reach: Reach, path: str, pattern: str) -> None:
    """A cache that answers by address has never seen it; everything else of the address stays as it was written."""
    async with served(answer()) as server:
        probe = probe_of(server.url(path=path), vary="_m")
        await seen(reach, probe)
        await asyncio.sleep(0.002)
        await seen(reach, probe)

    asked = [re.match(rf"GET {pattern} HTTP/1.1\r\n", request.decode()) for request in server.requests]
    assert all(asked)
    assert len({one[1] for one in asked if one}) == 2


async def test_a_post_with_a_large_body_arrives_whole(reach: Reach) -> None:
    """Two megabytes go out like two bytes."""
    async with served(answer()) as server:
        _, result = await seen(reach, probe_of(server.url(), method="POST", body=b"x" * 2_000_000))

    assert result.code is None
    assert server.requests[0].endswith(b"x" * 2_000_000)


async def test_a_connection_of_its_own_for_every_run(reach: Reach) -> None:
    """A kept connection would hide that no new one can be made."""
    async with served(answer()) as server:
        for _ in range(3):
            await seen(reach, probe_of(server.url()))

    assert server.connections == 3


async def patient(reader: Any, writer: Any) -> None:
    """Answers whatever is asked over one connection."""
    while True:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()


async def test_reuse_keeps_the_connection(reach: Reach) -> None:
    """Then a run has no phases before the request, and its address is still known."""
    async with served(patient) as server:
        probe = probe_of(server.url(), reuse=True)
        await seen(reach, probe)
        observation, result = await seen(reach, probe)

    assert result.code is None
    assert server.connections == 1
    assert list(observation.phases) == ["processing", "transfer"]
    assert observation.address == f"127.0.0.1:{server.port}"


async def test_a_kept_connection_serves_one_probe(reach: Reach) -> None:
    """What one module's server says too late, or twice, is never taken for the answer to another one."""
    async with served(patient) as server:
        one = probe_of(server.url(), reuse=True)
        for probe in (one, replace(one, module="cart"), replace(one, id="other"), one):
            await seen(reach, probe)

    assert server.connections == 3


async def test_a_kept_connection_that_was_closed_meanwhile_is_no_failure(reach: Reach) -> None:
    """The server may close what nobody uses; that says nothing about its answers."""

    async def closes_on_the_second(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        await writer.drain()
        await reader.readuntil(b"\r\n\r\n")

    async with served(closes_on_the_second) as server:
        probe = probe_of(server.url(), reuse=True)
        results = [(await seen(reach, probe))[1].code for _ in range(2)]

    assert results == [None, None]
    assert server.connections == 2


async def test_what_came_unasked_is_no_answer(reach: Reach) -> None:
    """An answer sent while nobody asks (408 of an idle connection, or worse) is not that to the next run."""

    async def talks_unasked(reader: Any, writer: Any) -> None:
        while True:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 500 Unasked\r\nContent-Length: 2\r\n\r\nno")
            await writer.drain()

    async with served(talks_unasked) as server:
        probe = probe_of(server.url(), reuse=True)
        results = []
        for _ in range(3):
            results.append((await seen(reach, probe))[1].code)
            await asyncio.sleep(0.15)

    assert results == [None, None, None]
    assert server.connections == 3


async def test_values_of_expectations(reach: Reach) -> None:
    """What judgement needs later is there, under the expectation's own text."""
    clauses = (Clause("equals", "v1"), Clause("exists", True))
    expect = Expect(
        header=(("x-own", clauses), ("content-type", (Clause("exists", True),))),
        contains=("availab", "nowhere"),
        not_contains=("error",),
        matches=(r"\"id\": \"\d\"",),
        json=(
            ("items[0].availability", (Clause("equals", "available"),)),
            ("length(items)", (Clause("at_least", 1),)),
            ("length(nothing)", (Clause("at_least", 1),)),
        ),
    )
    also = Expect(json=(("n", (Clause("equals", 3),)),))
    async with served(answer(json.dumps(SHOP).encode(), headers="X-Own: v2\r\n")) as server:
        observation, result = await seen(reach, probe_of(server.url(), expect), also=[also])

    assert observation.values == {
        header_key("x-own", clauses[0]): False,
        header_key("x-own", clauses[1]): True,
        body_key("contains", "availab"): True,
        body_key("contains", "nowhere"): False,
        body_key("not_contains", "error"): True,
        body_key("matches", r"\"id\": \"\d\""): True,
        "items[0].availability": "available",
        "length(items)": 1,
        "length(nothing)": None,
        "n": 3,
    }
    assert result.code == "content.assertion"
    assert len(result.reasons) == 3
    assert judge(observation, also).outcome is Outcome.PASSED


async def test_the_whole_body_is_searched(reach: Reach) -> None:
    """Far past the excerpt, in the thread that large bodies have."""
    body = json.dumps({"filler": "x" * 300_000, "ok": True, "end": "needle"}).encode()
    expect = Expect(contains=("needle",), matches=("need.e",), json=(("ok", (Clause("equals", True),)),))
    async with served(answer(body)) as server:
        observation, result = await seen(reach, probe_of(server.url(), expect))

    assert result.code is None
    assert observation.http is not None
    assert len(observation.http.excerpt or "") == 2048


async def test_a_huge_value_is_clipped(reach: Reach) -> None:
    """What is stored of one expression is bounded; it keeps its beginning and its type."""
    expect = Expect(json=(("items", (Clause("empty", False),)), ("text", (Clause("exists", True),))))
    body = json.dumps({"items": [{"id": n} for n in range(5000)], "text": "y" * 50_000}).encode()
    async with served(answer(body)) as server:
        observation, result = await seen(reach, probe_of(server.url(), expect))

    assert result.code is None
    assert observation.values["items"][0] == {"id": 0}
    assert len(json.dumps(observation.values)) < 40_000
    assert observation.values["text"].endswith("…")


async def test_a_pattern_that_would_take_for_ever_elsewhere(reach: Reach) -> None:
    """The engine takes time in proportion to the body, whatever the pattern."""
    expect = Expect(matches=("(a+)+$",))
    async with served(answer(b"a" * 500_000 + b"b")) as server:
        observation, result = await seen(reach, probe_of(server.url(), expect))

    assert result.code == "content.assertion"
    assert observation.duration < 0.5


async def test_secrets_never_come_home() -> None:
    """Not in the excerpt, the headers, the values, the failure or the trace, however the server spells them."""
    secret, token = "sëcret/value 1", "token-of-the-header"
    body = json.dumps({"echo": f"{secret} {token}", "key": "appkey-12345"}).encode()
    lines: list[str] = []
    expect = Expect(json=(("@", (Clause("exists", True),)),), matches=("(",))
    headers = (
        ("Authorization", f"Bearer {token}"),
        ("X-VTEX-API-AppKey", "appkey-12345"),
        ("Cookie", "a=cookie-value"),
    )
    echo = "Location: /?s=s%C3%ABcret%2Fvalue%201\r\nServer: token-of-the-header\r\n"
    async with reaching(secrets=[secret]) as reach, served(answer(body, headers=echo)) as server:
        url = server.url(path="/?q=s%C3%ABcret%2Fvalue%201")
        observation = await look(probe_of(url, expect, headers=headers), reach, trace=lines.append)
        refused = await look(probe_of(f"http://{secret}/"), reach, trace=lines.append)

    told = json.dumps([observation_to_json(observation), observation_to_json(refused), lines], ensure_ascii=False)
    for hidden in (secret, token, "appkey-12345", "cookie-value", "s%C3%ABcret%2Fvalue%201", json.dumps(secret)[1:-1]):
        assert hidden not in told
    assert "•••" in told


async def test_hostile_text_is_inert(reach: Reach) -> None:
    """Terminal sequences, controls and marks that turn the reading direction are gone; the rest is kept as it is."""
    async with served(WAYS["hostile text"]) as server:
        observation, _ = await seen(reach, probe_of(server.url()))

    assert observation.http is not None
    for text in (observation.http.excerpt or "", observation.http.headers["server"]):
        assert not set(text) & set("\x1b\x00\x07\x9b\u202e\u2028")
        assert "<script>alert('x')</script>" in text  # shown as text by whoever shows it
    assert HOSTILE[0] == "\x1b"


async def test_the_trace_tells_every_step(reach: Reach) -> None:
    """One line a step, each with the time since the beginning."""
    lines: list[str] = []
    async with served(answer(b'{"a": 1}')) as server:
        await look(probe_of(server.url()), reach, trace=lines.append)

    assert all(re.match(r" *\d+\.\d ms  \S", line) for line in lines)
    for step in ("> GET", "connecting to", "connected to", "< HTTP/1.1 200", "< Content-Type", "body of 8 bytes"):
        assert any(step in line for line in lines), step


async def test_a_kind_without_a_prober(reach: Reach) -> None:
    """Said plainly, and nobody is blamed."""
    observation, result = await seen(reach, probe_of("http://127.0.0.1/", kind="carrier-pigeon"))

    assert (result.code, result.outcome) == ("self.unsupported", Outcome.UNKNOWN)
    assert observation.failure is not None
    assert observation.failure.detail == "probes of kind `carrier-pigeon` cannot run in this version"


@pytest.mark.parametrize(
    "url", ["", "shop", "http://", "ftp://a.example/", "http://a.example:99999/", "http://[::1/", "//x/"]
)
async def test_an_address_that_is_none(reach: Reach, url: str) -> None:
    """Our configuration, not the target."""
    _, result = await seen(reach, probe_of(url))

    assert result.code == "self.config"


@pytest.mark.parametrize("headers", [(("X-A", "a\r\nb: c"),), (("bad name", "x"),), (("X-A\n", "x"),)])
async def test_headers_that_cannot_be_sent(reach: Reach, headers: tuple[tuple[str, str], ...]) -> None:
    """Nothing is smuggled into the request."""
    async with served(answer()) as server:
        _, result = await seen(reach, probe_of(server.url(), headers=headers))

    assert result.code in ("self.config", None)
    assert not any(b"\r\nb: c" in request for request in server.requests)


async def test_a_bug_of_ours_is_told_once_and_blames_nobody(reach: Reach, caplog: pytest.LogCaptureFixture) -> None:
    """The run still gives an observation; the log has the trace, not four hundred of them."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    PROBERS["broken"] = broken
    try:
        with caplog.at_level(logging.ERROR):
            results = [(await seen(reach, probe_of("http://127.0.0.1/", kind="broken")))[1] for _ in range(3)]
    finally:
        del PROBERS["broken"]

    assert {(one.code, one.outcome) for one in results} == {("self.bug", Outcome.UNKNOWN)}
    assert results[0].reasons == ("ZeroDivisionError",)
    assert len(caplog.records) == 1
    assert "ZeroDivisionError" in caplog.text


async def test_cancelling_passes_through(reach: Reach) -> None:
    """A monitor that stops does not wait for anybody's answer."""
    async with served(WAYS["silent"]) as server:
        task = asyncio.create_task(look(probe_of(server.url(), limit=30), reach))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize(
    ("number", "ipv6", "code"),
    [
        (errno.EMFILE, False, "self.resources"),
        (errno.ENFILE, False, "self.resources"),
        (errno.EADDRNOTAVAIL, False, "self.resources"),
        (errno.ENOMEM, False, "self.resources"),
        (errno.ECONNREFUSED, False, "tcp.refused"),
        (errno.ECONNRESET, False, "tcp.reset_on_connect"),
        (errno.ETIMEDOUT, False, "tcp.timeout"),
        (errno.EHOSTUNREACH, False, "tcp.unreachable"),
        (errno.ENETUNREACH, False, "tcp.unreachable"),
        (errno.ENETUNREACH, True, "self.connectivity"),
        (errno.EADDRNOTAVAIL, True, "self.connectivity"),
        (errno.EPERM, False, "self.connectivity"),
    ],
)
def test_errors_of_connecting(number: int, ipv6: bool, code: str) -> None:
    """Ours, the path's or the target's, by number."""
    assert of_connect(OSError(number, "said"), "192.0.2.1:443", ipv6).code == code


def test_running_out_of_files_is_known_anywhere() -> None:
    """However deep it lies in what aiohttp raises."""
    try:
        try:
            raise OSError(errno.EMFILE, "Too many open files")
        except OSError as error:
            raise RuntimeError("wrapped") from error
    except RuntimeError as error:
        known = of_exchange(error, "processing")

    assert isinstance(known, Stopped)
    assert known.code == "self.resources"


async def test_no_more_files(reach: Reach) -> None:
    """With every descriptor taken, nobody out there is blamed."""
    import resource
    import socket

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    async with served(answer()) as server:
        taken = []
        used = max(int(name) for name in __import__("os").listdir("/proc/self/fd")) + 1
        resource.setrlimit(resource.RLIMIT_NOFILE, (used + 8, hard))
        try:
            try:
                while True:
                    taken.append(socket.socket())
            except OSError:
                pass
            _, result = await seen(reach, probe_of(server.url()))
        finally:
            for one in taken:
                one.close()
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    assert (result.code, result.outcome) == ("self.resources", Outcome.UNKNOWN)


async def test_a_canary_has_no_module(reach: Reach) -> None:
    """Its run stands for the network here, not for any part of the platform."""
    async with served(answer()) as server:
        probe = probe_of(server.url())
        canary = Probe("", "canary", "http", timedelta(seconds=60), timedelta(seconds=1), ask=probe.ask)
        observation = await look(canary, reach)

    assert observation.module is None
    assert observation.probe == "canary"


async def test_reconfiguring_changes_addresses_and_secrets() -> None:
    """A reload of the configuration reaches runs that begin after it."""
    async with Reach.open(Network(), frozenset(), SystemClock()) as reach, served(answer(b"new-secret")) as server:
        probe = probe_of(f"http://shop.test:{server.port}/", allow_private=False)
        reach.reconfigure(
            Network(connect_to=((f"shop.test:{server.port}", f"127.0.0.1:{server.port}"),)), frozenset({"new-secret"})
        )
        observation, result = await seen(reach, probe)

    assert result.code is None
    assert observation.http is not None
    assert observation.http.excerpt == "•••"


async def test_why_a_connection_ended_is_known_also_to_whoever_reads_later(reach: Reach) -> None:
    """TLS may fail between the handshake and the first look at what came."""
    line = Line(asyncio.get_running_loop(), "127.0.0.1:1", reach.turns)
    alert = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert certificate required")
    line.connection_lost(alert)
    with pytest.raises(ClientOSError) as raised:
        await line.read()
    stopped = of_exchange(raised.value, "processing")
    assert stopped is not None
    assert stopped.code == "tls.handshake_failed"
