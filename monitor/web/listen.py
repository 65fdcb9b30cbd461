"""Listen: an application at an address, until the stack it stands on is left."""

import logging
import os
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError


class AddressInUse(Exception):
    """Somebody else listens where we should."""


async def listen(stack: AsyncExitStack, app: web.Application, host: str, port: int, key: str) -> tuple[str, int]:
    """Serves from now on; where. `key` is what the configuration calls it. Raises AddressInUse."""
    logging.getLogger("aiohttp.server").addFilter(_is_trouble)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise AddressInUse(f"{key}: cannot listen on {host}:{port} ({why}); choose another port") from None
    found = runner.addresses[0]
    return str(found[0]), int(found[1])


def _is_trouble(record: logging.LogRecord) -> bool:
    """Whether a record tells of trouble of ours: what strangers send that is no HTTP is answered 400, and no more."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))
