"""Listen: an application at an address, until the stack it stands on is left."""

import asyncio
import logging
import os
from contextlib import AsyncExitStack

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from monitor.web.doorkeeper import Doorkeeper
from monitor.web.patience import Patience

log = logging.getLogger("aiohttp.server")


class AddressInUse(Exception):
    """Somebody else listens where we should."""


async def listen(
    stack: AsyncExitStack, app: web.Application, host: str, port: int, key: str, patience: Patience | None = None
) -> tuple[str, int]:
    """Serves from now on; where. `key` is what the configuration calls it. Raises AddressInUse."""
    log.addFilter(_is_ours)
    loop = asyncio.get_running_loop()
    if loop.get_exception_handler() is None:
        loop.set_exception_handler(Doorkeeper())
    patience = patience or Patience()
    app.middlewares.insert(0, patience.middleware)
    # What is sent packed stays packed, and is no JSON then: two hundred kilobytes of it would hold up the loop for as
    # long as two hundred megabytes take, whether somebody reads them or not.
    runner = web.AppRunner(app, access_log=None, logger=log, shutdown_timeout=1, auto_decompress=False)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    assert runner.server is not None
    try:
        server = await loop.create_server(patience.welcoming(runner.server), host, port, backlog=patience.at_once)
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise AddressInUse(f"{key}: cannot listen on {host}:{port} ({why}); choose another port") from None
    stack.callback(server.close)
    watching = asyncio.create_task(patience.watch(), name=f"{key}: idle connections")
    stack.callback(watching.cancel)
    found = server.sockets[0].getsockname()
    return str(found[0]), int(found[1])


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether a record tells of trouble of ours. A client that does not speak HTTP has its answer, and nobody here can
    do anything about it: it would only fill the log."""
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError | web.RequestPayloadError))
