"""Change: when a configuration file is another than before, however an editor or an orchestrator replaces it."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

WATCH_EVERY = 2.0  # seconds between looks


async def changes_of(file: Path) -> AsyncIterator[None]:
    """One for each change, for ever."""
    known = _look_of(file)
    while True:
        await asyncio.sleep(WATCH_EVERY)
        seen = _look_of(file)
        if seen != known:
            known = seen
            yield


def _look_of(file: Path) -> tuple[int, int, int] | None:
    """What tells one version of a file from another; None while there is none."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
