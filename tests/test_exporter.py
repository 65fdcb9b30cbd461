"""Exporter: the last run while it is young enough, one of its own otherwise, and nothing for a stranger."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.clock import SystemClock
from monitor.config import Config
from monitor.config.parse import parse
from monitor.core.board import Board
from monitor.core.effect import Hold
from monitor.core.expectation import judge
from monitor.core.history import History
from monitor.core.observation import Observation
from monitor.exporter import AT_ONCE, Exporter
from monitor.lookout import Lookout
from monitor.metrics import Metrics
from monitor.probers import Reach
from monitor.web.multitarget import Asked, Told
from tests.metrics.test_facts import GOOD
from tests.probers.misbehaving import Server, answer, raw, request, served

CANARIES = ("canary-user", "canary-password", "canary-query", "canary-header", "canary-body", "canary-cookie")


@dataclass
class Side:
    """An exporter with what it answers from."""

    config: Config
    metrics: Metrics
    lookout: Lookout
    exporter: Exporter
    seen: list[Observation]

    async def told(self, target: str = "shop", **more: Any) -> Told:
        return await self.exporter.answer(Asked(target, **more))

    def note(self, age: float, status: int = 200, place: str = "here") -> None:
        """A run of the rounds, so many seconds old."""
        probe = self.config.platform.probes["shop", "it"]
        at = SystemClock().now() - timedelta(seconds=age)
        assert GOOD.http is not None
        http = replace(GOOD.http, status=status)
        run = replace(GOOD, at=at, module="shop", probe="it", location=place, duration=0.0, http=http)
        self.metrics.observed(probe, run, judge(run, probe.expect))


@asynccontextmanager
async def side(url: str, head: Any = None, **keys: Any) -> AsyncIterator[Side]:
    probe = {"id": "it", "kind": "http", "url": url, "interval": "10s", "timeout": "2s", "allow_private": True, **keys}
    text = json.dumps({"version": 1, **(head or {}), "modules": [{"id": "shop", "probes": [probe]}]})
    config = parse(text, "probes.yaml", {}, lambda path: Path(path).read_text(), lambda theme: frozenset())
    clock, seen = SystemClock(), list[Observation]()
    board = Board(config.platform)
    async with Reach.open(config.network, config.secrets, clock) as reach:
        metrics = Metrics(config.platform)
        lookout = Lookout(config, reach, clock, seen.append)
        exporter = Exporter(lambda: board, metrics, lookout, clock)
        yield Side(config, metrics, lookout, exporter, seen)
        exporter.close()


@asynccontextmanager
async def shop(behave: Any = None, **keys: Any) -> AsyncIterator[tuple[Side, Server]]:
    async with served(behave or answer(b"hello")) as server, side(server.url(), **keys) as made:
        yield made, server


async def test_a_young_run_is_told_and_nothing_is_asked() -> None:
    async with shop() as (made, server):
        made.note(14.0, status=503)
        told = await made.told()
        assert told.status == 200
        assert "\nprobe_http_status_code 503\n" in told.text
        assert server.connections == 0


async def test_an_old_run_is_not_told_and_one_is_made() -> None:
    """It is judged alone and handed in nowhere; the next one who asks gets it too."""
    async with shop() as (made, server):
        made.note(16.0, status=503)
        assert "\nprobe_http_status_code 200\n" in (await made.told()).text
        assert "\nprobe_success 1\n" in (await made.told()).text
        assert server.connections == 1
        assert made.seen == []


async def test_a_crowd_makes_one_run() -> None:
    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with shop(slow) as (made, server):
        told = await asyncio.gather(*(made.told() for _ in range(50)))
        assert {one.status for one in told} == {200}
        assert server.connections == 1


async def test_few_runs_go_on_at_a_time() -> None:
    now, most = 0, 0

    async def busy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal now, most
        now, most = now + 1, max(most, now + 1)
        await request(reader)
        await asyncio.sleep(0.05)
        now -= 1
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with served(busy) as server:
        head = {"modules": []}
        probes = [
            {"id": f"p{n}", "kind": "http", "url": server.url(path=f"/{n}"), "allow_private": True} for n in range(12)
        ]
        text = json.dumps({"version": 1, **head, "modules": [{"id": "shop", "probes": probes}]})
        config = parse(text, "probes.yaml", {}, lambda path: "", lambda theme: frozenset())
        async with Reach.open(config.network, config.secrets, SystemClock()) as reach:
            lookout = Lookout(config, reach, SystemClock(), lambda seen: None)
            board = Board(config.platform)
            exporter = Exporter(lambda: board, Metrics(config.platform), lookout, SystemClock())
            await asyncio.gather(*(exporter.answer(Asked("shop", f"p{n}")) for n in range(12)))
        assert server.connections == 12
        assert most == AT_ONCE


async def test_a_failing_target_is_an_answer() -> None:
    async with shop(answer(b"", "500 No")) as (made, _):
        told = await made.told()
        assert (told.status, "\nprobe_success 0\n" in told.text) == (200, True)


async def test_whoever_names_something_else_gets_a_reason_and_nothing_is_asked() -> None:
    async with shop() as (made, server):
        for asked in (
            Asked("http://evil.example/"),
            Asked("shop", "nix"),
            Asked("shop", hostname="evil.example"),
            Asked("shop", location="moon"),
        ):
            told = await made.exporter.answer(asked)
            assert told.status == 400
            assert told.text
        assert server.connections == 0
        assert b"\nblackbox_module_unknown_total 1.0\n" in made.metrics.page(Board(made.config.platform), History())
        assert (await made.told(hostname="127.0.0.1", location="here")).status == 200


async def test_the_time_limit_of_a_scrape_holds_for_a_run() -> None:
    """Half a second is left for the answer; a limit longer than the probe's own, or none, changes nothing."""

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with shop(silent) as (made, _):
        assert "\nprobe_timeout_seconds 0.25\n" in (await made.told(limit=0.75)).text
    async with shop() as (made, _):
        assert "\nprobe_timeout_seconds 2\n" in (await made.told(limit=30.0)).text
    async with shop() as (made, _):
        assert "\nprobe_timeout_seconds 2\n" in (await made.told(limit=0.1)).text


async def test_whoever_is_in_a_hurry_makes_it_fail_for_nobody_else() -> None:
    """Nor can they have it run as often as they like."""

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    async with shop(slow) as (made, server):
        assert "\nprobe_success 0\n" in (await made.told(limit=0.55)).text
        for hurry in (0.53, 0.56, 0.58):
            assert "\nprobe_success 0\n" in (await made.told(limit=hurry)).text
        assert server.connections == 1
        await asyncio.sleep(1.0)  # the pause between two runs
        assert "\nprobe_success 1\n" in (await made.told()).text
        assert "\nprobe_success 1\n" in (await made.told(limit=0.55)).text
        assert server.connections == 2


async def test_another_place_answers_with_what_it_saw_or_not_at_all() -> None:
    head = {"locations": [{"id": "here"}, {"id": "there"}]}
    async with shop(head=head, locations=["here", "there"]) as (made, server):
        assert (await made.told(location="there")).status == 503
        made.note(3.0, status=503, place="there")
        assert "\nprobe_http_status_code 503\n" in (await made.told(location="there")).text
        assert server.connections == 0
        assert "\nprobe_http_status_code 200\n" in (await made.told()).text


async def test_a_target_that_asked_to_be_left_alone_is() -> None:
    async with shop() as (made, server):
        made.lookout.hold(Hold("shop", "it", "here", SystemClock().now() + timedelta(minutes=1)))
        assert (await made.told()).status == 503
        made.note(50.0, status=429)
        assert "\nprobe_http_status_code 429\n" in (await made.told()).text
        assert server.connections == 0


async def test_debug_tells_every_step_and_no_secret() -> None:
    """Not what stands in the address, in headers or in the body, nor when the target sends it back."""
    echo = answer(
        " ".join(CANARIES).encode(), headers=f"X-Echo: {' '.join(CANARIES)}\r\nSet-Cookie: a=canary-cookie\r\n"
    )
    keys = {
        "method": "POST",
        "headers": {"X-Anything": "canary-header", "Cookie": "a=canary-cookie", "Accept": "text/html"},
        "body": "canary-body",
    }
    async with served(echo) as server:
        url = server.url().replace("127.0.0.1", "canary-user:canary-password@127.0.0.1") + "?key=canary-query"
        async with side(url, **keys) as made:
            made.note(1.0)
            told = await made.told(debug=True)
            assert server.connections == 1
            for part in ("Logs for the probe:", "Metrics that would have been returned:", "Module configuration:"):
                assert part in told.text
            assert "\nprobe_http_status_code 200\n" in told.text
            assert "text/html" in told.text
            assert "headers: " in told.text
            for canary in CANARIES:
                assert canary not in told.text, canary
                assert canary not in (await made.told()).text


async def test_debug_of_what_may_not_be_run_in_between_shows_the_last_run() -> None:
    async with shop(raw(b""), extra_runs=False) as (made, server):
        made.note(1.0)
        assert "not run for this" in (await made.told(debug=True)).text
        assert server.connections == 0
