"""Change: when a configuration file is another than before, however an editor or an orchestrator replaces it.

Whoever writes a file in place leaves half of one for a moment, and the first half of a list of modules is a valid
configuration. So a change counts once the file has been left alone for a look.
"""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

LOOK_EVERY = 1.0  # seconds


Look = tuple[int, ...] | None  # what tells one version of a file from another; None while there is none


async def changes_of(file: Path, known: Look, every: float = LOOK_EVERY) -> AsyncIterator[None]:
    """One for each change since it looked like `known`, for ever. A file that goes away has changed, too."""
    before = known
    while True:
        await asyncio.sleep(every)
        seen = await asyncio.to_thread(look_of, file)  # a disk that hangs holds up nothing else
        if seen == before and seen != known:
            known = seen
            yield
        before = seen


def look_of(file: Path) -> Look:
    """How a file looks now. A copy can have the length and the time of what it replaces (`cp -p`); `ctime` is set by
    the system alone."""
    try:
        stat = file.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_dev, stat.st_ino
