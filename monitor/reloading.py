"""Reloading: the configuration is read anew, one reading at a time, and what it says is in force whole or not at all.

Whoever asks while a reading is under way is answered by the next one, together with all who came meanwhile: the file
may have changed since that reading began, and a hundred signals are no hundred readings.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from monitor.config import ConfigError
from monitor.config.change import changes_of, look_of

log = logging.getLogger(__name__)

T = TypeVar("T")

NO_FILE = "this monitor runs without a configuration file"
BUG = "the configuration cannot be read: the log says why"


class Reloading(Generic[T]):
    """`read` gives what the file says now; it runs off the loop and raises ConfigError. `use` puts that in force.
    `told` hears what is wrong with the file, nothing when it is in force, and by what ways it was asked: `signal`,
    `file`. Nothing is read before `begin`; what is in force then was read just before this is made."""

    def __init__(
        self,
        file: str | None,
        read: Callable[[str], T],
        use: Callable[[T], Awaitable[None]],
        told: Callable[[list[str], list[str]], None],
    ) -> None:
        self._file = file
        self._known = look_of(Path(file)) if file is not None else None
        self._read = read
        self._use = use
        self._told = told
        self._begun = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._coming: asyncio.Task[list[str]] | None = None
        self._ways: dict[str, None] = {}  # by which it was asked, in their order

    def begin(self) -> None:
        """Everything is there that a configuration concerns."""
        self._begun.set()

    async def ask(self, way: str | None = None) -> list[str]:
        """What is wrong with the file as it is now, or later; nothing once it is in force."""
        if self._file is None:
            return [NO_FILE]
        if way is not None:
            self._ways[way] = None
        if self._coming is None:
            self._coming = asyncio.create_task(self._turn(self._file), name="reload")
        return await asyncio.shield(self._coming)

    async def watch(self) -> None:
        """Asks whenever the file has changed, until cancelled."""
        if self._file is not None:
            async for _ in changes_of(Path(self._file), self._known):
                await self.ask("file")

    async def _turn(self, file: str) -> list[str]:
        await self._begun.wait()
        async with self._one_at_a_time:
            ways, self._ways, self._coming = [*self._ways], {}, None
            problems: list[str] = []
            try:
                fresh = await asyncio.to_thread(self._read, file)
            except ConfigError as error:
                problems = str(error).splitlines()
            except Exception:
                log.exception("reading the configuration failed")
                problems = [BUG]
            else:
                await self._use(fresh)
            self._told(problems, ways)
            return problems
