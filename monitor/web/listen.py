"""Listen: where a side is served, and what is said when somebody else is there already."""

import os
from contextlib import AsyncExitStack

from aiohttp import web


class AddressInUse(Exception):
    """Somebody else listens where we should."""


async def listen(stack: AsyncExitStack, app: web.Application, host: str, port: int, key: str) -> tuple[str, int]:
    """Serves `app` until the stack is left; gives where. `key` names the setting, for AddressInUse, which it raises."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        where = f"{host}:{port}"
        raise AddressInUse(f"{key}: cannot listen on {where} ({why}); choose another port") from None
    where_exactly = runner.addresses[0]
    return str(where_exactly[0]), int(where_exactly[1])
