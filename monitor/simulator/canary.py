"""Canaries: three plain addresses that have nothing to do with the platform and never fail.

A monitor that cannot reach two of them has lost its own network, and blames nobody.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from aiohttp import web

from monitor.simulator.listener import serve

COUNT = 3


async def _sing(request: web.Request) -> web.Response:
    return web.Response(text="ok\n")


@asynccontextmanager
async def canaries() -> AsyncIterator[list[str]]:
    """Their addresses, each a server of its own, while the block lasts."""
    async with AsyncExitStack() as stack:
        urls = []
        for _ in range(COUNT):
            app = web.Application()
            app.router.add_get("/", _sing)
            urls.append(await stack.enter_async_context(serve(app, 0)) + "/")
        yield urls
