"""`POST /heartbeat/MODULE_ID/PROBE_ID`: who may call what, and what is answered."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from monitor.core.board import Board
from monitor.core.module import Module, Platform
from monitor.core.probe import Probe
from monitor.core.roster import with_ops_token
from monitor.core.target import HeartbeatTarget, HttpTarget
from tests.web.test_ops import CONTEXT, serving

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
SECRET = "k-nock-ã"


def heartbeat(id: str, secret: str | None = None, off: str | None = None) -> Probe:
    return Probe("erp", id, "heartbeat", HOUR, SECOND, ask=HeartbeatTarget(secret), off=off)


WEB = Probe("erp", "web", "http", HOUR, SECOND, ask=HttpTarget("https://erp.example.com/"))
PROBES = (heartbeat("open"), heartbeat("locked", SECRET), heartbeat("off", off="disabled"), WEB)
BOARD = Board(Platform({"erp": Module("erp", {}, aliases=("sap",), probes=PROBES)}))


class Calls:
    """What was taken; `stored` is what the disk says."""

    def __init__(self, stored: bool = True) -> None:
        self.taken: list[tuple[str, str]] = []
        self.stored = stored

    async def take(self, module: str, probe: str) -> bool:
        self.taken.append((module, probe))
        return self.stored


def called(calls: Calls, token: str | None = "ops-token") -> Any:
    return serving(replace(CONTEXT, board=lambda: BOARD, called=calls.take, roster=lambda: with_ops_token(token)))


async def post(client: TestClient, path: str, **options: object) -> int:
    async with client.post(path, **options) as answer:  # type: ignore[arg-type]
        if answer.status == 204:
            assert await answer.read() == b""
        return int(answer.status)


@pytest.mark.parametrize("token", [None, "ops-token"])
async def test_without_a_secret_any_call_counts(token: str | None) -> None:
    """The token of the ops side has nothing to do with it, neither set nor unset."""
    calls = Calls()
    async with called(calls, token) as client:
        assert await post(client, "/heartbeat/erp/open") == 204
        assert await post(client, "/heartbeat/erp/open", headers={"Authorization": "Bearer whatever"}) == 204
    assert calls.taken == [("erp", "open")] * 2


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": f"Bearer {SECRET}"}, 204),
        ({"Authorization": f"bearer {SECRET} "}, 204),
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer "}, 401),
        ({"Authorization": f"Basic {SECRET}"}, 401),
        ({"Authorization": SECRET}, 401),
        ({"Authorization": "Bearer ops-token"}, 401),
        ({"Authorization": "Bearer k-nock-"}, 401),
    ],
)
async def test_a_secret_opens_its_own_heartbeat_only(headers: dict[str, str], status: int) -> None:
    """And whoever has it not is told so, without a word about it."""
    calls = Calls()
    path = "/heartbeat/erp/locked"
    async with called(calls) as client, client.post(path, headers=headers) as answer:
        assert answer.status == status
        assert SECRET not in await answer.text()
    assert calls.taken == ([("erp", "locked")] if status == 204 else [])


@pytest.mark.parametrize("path", ["erp/off", "erp/web", "erp/none", "nobody/open", "erp/%2e%2e", "erp/open/more"])
async def test_what_is_not_listened_to_is_not_found(path: str) -> None:
    """Unknown, off, or of another kind."""
    calls = Calls()
    async with called(calls) as client:
        assert await post(client, f"/heartbeat/{path}") == 404
    assert calls.taken == []


async def test_a_renamed_module_may_go_on_calling_by_its_former_id() -> None:
    """Whoever calls is not renamed with it."""
    calls = Calls()
    async with called(calls) as client:
        assert await post(client, "/heartbeat/sap/open") == 204
    assert calls.taken == [("erp", "open")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
async def test_only_a_post_is_a_call(method: str) -> None:
    """What follows links must not keep a module alive."""
    calls = Calls()
    async with called(calls) as client, client.request(method, "/heartbeat/erp/open") as answer:
        assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert calls.taken == []


@pytest.mark.parametrize("length", ["Content-Length: 9999999999", "Transfer-Encoding: chunked"])
async def test_what_a_call_carries_is_neither_read_nor_waited_for(length: str) -> None:
    """A body without measure, and one that never ends, are acknowledged like none."""
    calls = Calls()
    async with called(calls) as client, asyncio.timeout(5):
        reader, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(f"POST /heartbeat/erp/open HTTP/1.1\r\nHost: ops\r\n{length}\r\n\r\n".encode())
        writer.write(b"186a0\r\n" + b"x" * 100_000)
        assert (await reader.readline()).startswith(b"HTTP/1.1 204 ")
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
    assert calls.taken == [("erp", "open")]


async def test_what_is_not_on_disk_is_not_acknowledged() -> None:
    """The caller may call again, and is told when."""
    calls = Calls(stored=False)
    async with called(calls) as client, client.post("/heartbeat/erp/open") as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
