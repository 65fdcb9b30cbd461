"""Tally: how many events of each incident people have heard of that no store had taken, in a file of its own.

Killed then, the monitor would give their numbers to something else, and whoever drops what comes twice would never
hear of that. The file has its size from the start and is written in place, which a full disk takes as well.
"""

import asyncio
import json
import logging
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from monitor.core.outbox import Letter
from monitor.loop import apart

log = logging.getLogger(__name__)

ROOM = 64 * 1024  # bytes: two thousand incidents
PATIENCE = 0.5  # seconds that a letter waits for the file; a disk that hangs holds up none


class Tally:
    """The file stands in the data directory; `note` is told each letter that leaves about an event of memory alone."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._heard: dict[str, int] = {}
        self._turn = asyncio.Lock()
        self._well = True

    def begin(self, stored: Mapping[str, int]) -> Mapping[str, int]:
        """The number of the last event that was told, by incident, where it is beyond what is `stored`. Blocks on the
        disk."""
        self._heard = {id: seq for id, seq in _read(self._file).items() if seq > stored.get(id, 0)}
        try:
            self._write(self._heard)
        except OSError as error:
            log.warning("%s has no room (%s): after a kill numbers of notices may come twice", self._file, error)
        return dict(self._heard)

    async def note(self, letter: Letter) -> None:
        """A letter is about to leave whose event is nowhere on the disk."""
        async with self._turn:
            if letter.seq <= self._heard.get(letter.incident, 0):
                return
            self._heard[letter.incident] = letter.seq
            if self._well:
                try:
                    async with asyncio.timeout(PATIENCE):
                        await apart(partial(self._write, dict(self._heard)))
                except (OSError, TimeoutError) as error:
                    self._well = False  # a thread that hangs is enough
                    log.warning("%s is not written: %s", self._file, str(error) or "the disk hangs")

    def _write(self, heard: Mapping[str, int]) -> None:
        newest = dict(heard)
        while len(text := json.dumps(newest).encode()) > ROOM:
            newest = dict(list(newest.items())[len(newest) // 2 :])
        descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(descriptor, text.ljust(ROOM), 0)
        finally:
            os.close(descriptor)


def _read(file: Path) -> dict[str, int]:
    """What stands there; nothing where it cannot be read."""
    try:
        found = json.loads(file.read_bytes())
        return {str(id): int(seq) for id, seq in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        return {}
