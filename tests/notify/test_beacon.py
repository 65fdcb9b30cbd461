"""The dead-man signal: calls go out while all is well, and stop when it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from monitor.notify.beacon import shine


@asynccontextmanager
async def called(status: list[int]) -> AsyncIterator[tuple[str, asyncio.Queue[int]]]:
    """Somebody who is called, and answers with the status that stands in the list."""
    calls: asyncio.Queue[int] = asyncio.Queue()

    async def answer(request: web.Request) -> web.Response:
        calls.put_nowait(status[0])
        return web.Response(status=status[0])

    app = web.Application()
    app.add_routes([web.get("/ping/secret-key", answer)])
    async with TestServer(app) as server:
        yield str(server.make_url("/ping/secret-key")), calls


async def test_it_calls_while_all_is_well_and_is_silent_when_it_is_not(caplog: pytest.LogCaptureFixture) -> None:
    """That it stopped and that it goes on is told once, with the reason, and never the address."""
    caplog.set_level("INFO")
    status, wrong = [200], list[str | None]([None])
    async with called(status) as (url, calls):
        task = asyncio.create_task(shine(url, lambda: wrong[0], every=0.02))
        try:
            async with asyncio.timeout(10):
                await calls.get()
                wrong[0] = "the store refuses writes: disk full"
                while "disk full" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
                    await asyncio.sleep(0.01)
                while not calls.empty():
                    calls.get_nowait()
                await asyncio.sleep(0.1)
                assert calls.empty()
                wrong[0], status[0] = None, 500
                await calls.get()
                status[0] = 200
                while await calls.get() != 200:
                    pass
                while "is sent again" not in caplog.text:  # noqa: ASYNC110 - a log tells nobody
                    await asyncio.sleep(0.01)
        finally:
            task.cancel()
            await asyncio.wait({task})
    assert caplog.text.count("is not sent") == 1
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("monitor")]
    assert len(ours) == 2
    assert not any("secret-key" in line for line in ours)
