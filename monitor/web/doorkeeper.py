"""Doorkeeper: what the log says while nobody can be let in, mostly because this process may open no more files.

asyncio tries again a second later, and leaves a traceback for each connection that waits, and more.
"""

import asyncio
import errno
import logging
import math
from typing import Any

TOLD_EVERY = 60.0  # seconds between two lines about it
_OUT_OF = {
    errno.EMFILE: "no more files may be opened by this process (`ulimit -n`)",
    errno.ENFILE: "no more files may be opened on this machine",
    errno.ENOBUFS: "out of network buffers",
    errno.ENOMEM: "out of memory",
}
_TRIED_AGAIN = "SelectorEventLoop._start_serving("  # at a server that was closed in that second, which is no trouble

log = logging.getLogger(__name__)


class Doorkeeper:
    """Handles what a loop could not handle; everything but the one error is told as ever."""

    def __init__(self) -> None:
        self._told_at = -math.inf

    def __call__(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """One error that nobody else takes."""
        error = context.get("exception")
        if "socket" in context and isinstance(error, OSError) and error.errno in _OUT_OF:
            self._tell(_OUT_OF[error.errno], loop.time())
        elif not (isinstance(error, ValueError) and _TRIED_AGAIN in context["message"]):
            loop.default_exception_handler(context)

    def _tell(self, why: str, now: float) -> None:
        if now - self._told_at >= TOLD_EVERY:
            self._told_at = now
            log.warning("readers wait until they can be let in: %s", why)
