"""Jobs: loops that run as long as the monitor does."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

log = logging.getLogger(__name__)


async def guarded(name: str, job: Callable[[], Awaitable[None]]) -> None:
    """Runs a loop for ever: a bug in one is logged and the loop begins again, the others never notice."""
    while True:
        try:
            await job()
            return
        except Exception:
            log.exception("%s failed and begins again", name)
            await asyncio.sleep(1)
