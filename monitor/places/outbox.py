"""Outbox: what an agent saw, on its disk, until the core has it. And what it was told, for a start without the core.

One SQLite file, written in a thread of its own. Numbers are given once and never again, so that the core can say how
far it has everything; `epoch` names the file that gave them.
"""

import asyncio
import json
import logging
import secrets
import sqlite3
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from monitor.places.wire import MOST_ITEMS

log = logging.getLogger(__name__)
T = TypeVar("T")

MOST_KEPT = 1024**3  # bytes; past it the oldest goes
SHED = 5000  # items that go at a time
BATCH_BYTES = 512 * 1024  # of JSON, after which a batch is full
_TABLES = """
CREATE TABLE IF NOT EXISTS items (
  number INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, ahead REAL, item BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value BLOB NOT NULL);
"""


class OutboxFailed(Exception):
    """The disk does not take it; the text says why. The same may be tried again."""


class Kept:
    """An item in the outbox. `ahead` is by how many seconds its times are to be put back."""

    __slots__ = ("ahead", "item", "number")

    def __init__(self, number: int, ahead: float, item: dict[str, Any]) -> None:
        self.number, self.ahead, self.item = number, ahead, item


class Outbox:
    """`first` and `last` are the lowest number it holds and the highest it ever gave; `lost` counts what went for lack
    of room since it was opened."""

    def __init__(self, file: Path, most: int = MOST_KEPT) -> None:
        self.epoch = ""
        self.first, self.last, self.lost = 1, 0, 0
        self.oldest_at: float | None = None
        self._file = file
        self._most = most
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="outbox")
        self._written: sqlite3.Connection | None = None

    @property
    def waiting(self) -> int:
        """How many items are in it."""
        return self.last - self.first + 1

    async def open(self) -> None:
        """A file that is no outbox is set aside, loudly. Raises OutboxFailed where there can be none."""
        await self._do(self._open)

    async def close(self) -> None:
        """Lets go of the file."""
        with suppress(OutboxFailed):
            await self._do(lambda: self._db.close())
        self._thread.shutdown(wait=False)

    async def put(self, rows: Sequence[tuple[float, float | None, bytes]]) -> None:
        """Returns once these are on the disk: when each was seen, by how many seconds the clock was ahead then (None:
        not known), and what it is, packed. Raises OutboxFailed."""
        await self._do(lambda: self._put(rows))

    async def after(self, number: int, ahead: float) -> list[Kept]:
        """The next items past a number, no more than fit into one batch. Those of which nobody knew by how much the
        clock was ahead are settled now, once and for all: a copy says what the first one said. Raises OutboxFailed."""
        return await self._do(lambda: self._after(number, ahead))

    async def drop(self, through: int) -> None:
        """These and everything before them are elsewhere now. Raises OutboxFailed."""
        await self._do(lambda: self._drop(through))

    async def remember(self, name: str, value: bytes) -> None:
        """Keeps a fact. Raises OutboxFailed."""
        await self._do(lambda: self._fact(name, value))

    async def recall(self, name: str) -> bytes | None:
        """The fact of that name. Raises OutboxFailed."""
        return await self._do(lambda: self._known(name))

    # -- in the thread -----------------------------------------------------------------------------------------------

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except sqlite3.Error as error:
            raise OutboxFailed(f"{self._file}: {error}") from None

    @property
    def _db(self) -> sqlite3.Connection:
        if self._written is None:
            raise sqlite3.OperationalError("it is not open")
        return self._written

    def _open(self) -> None:
        try:
            self._connect()
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise
            aside = self._file.with_name(f"{self._file.name}.damaged")
            log.error("%s is damaged (%s): it is set aside as %s, a new one begins", self._file, error, aside)
            if self._written is not None:
                self._written.close()
            self._file.replace(aside)
            for end in ("-wal", "-shm"):
                self._file.with_name(f"{self._file.name}{end}").unlink(missing_ok=True)
            self._connect()

    def _connect(self) -> None:
        self._written = sqlite3.connect(self._file, check_same_thread=False, isolation_level=None, timeout=5)
        self._file.chmod(0o600)  # what modules answered is nobody's business
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=FULL")  # what was said to be kept is kept, also when the power fails
        if self._db.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("its pages do not fit together")
        self._db.executescript(_TABLES)
        if self._known("epoch") is None:
            self._fact("epoch", secrets.token_hex(8).encode())
        self.epoch = (self._known("epoch") or b"").decode()
        given = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'items'").fetchone()
        self.last = given[0] if given else 0
        self._look()

    def _put(self, rows: Sequence[tuple[float, float | None, bytes]]) -> None:
        with _transaction(self._db):
            self._db.executemany("INSERT INTO items (at, ahead, item) VALUES (?, ?, ?)", rows)
        self.last += len(rows)
        if self.oldest_at is None:
            self._look()
        pages, free, size = (self._db.execute(f"PRAGMA {one}").fetchone()[0] for one in _SIZES)
        if (pages - free) * size > self._most:
            before = self.first
            self._drop(min(self.first + SHED - 1, self.last - 1))
            self.lost += self.first - before
            log.error("the outbox is full: the oldest %d items went, %d in all", self.first - before, self.lost)

    def _after(self, number: int, ahead: float) -> list[Kept]:
        select = "SELECT number, ahead, item FROM items WHERE number > ? ORDER BY number LIMIT ?"
        found: list[Kept] = []
        size, unsettled = 0, False
        for one, known, item in self._db.execute(select, (number, MOST_ITEMS)):
            text = zlib.decompress(item)
            size += len(text)
            if found and (size > BATCH_BYTES or one != found[-1].number + 1):
                break
            unsettled = unsettled or known is None
            found.append(Kept(one, ahead if known is None else known, json.loads(text)))
        if unsettled:
            settle = "UPDATE items SET ahead = ? WHERE number BETWEEN ? AND ? AND ahead IS NULL"
            self._db.execute(settle, (ahead, found[0].number, found[-1].number))
        return found

    def _drop(self, through: int) -> None:
        with _transaction(self._db):
            self._db.execute("DELETE FROM items WHERE number <= ?", (through,))
        self._look()

    def _look(self) -> None:
        """What it holds now."""
        row = self._db.execute("SELECT number, at FROM items ORDER BY number LIMIT 1").fetchone()
        self.first, self.oldest_at = row or (self.last + 1, None)

    def _fact(self, name: str, value: bytes) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, value))

    def _known(self, name: str) -> bytes | None:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])


_SIZES = ("page_count", "freelist_count", "page_size")


class _transaction:
    """All of it or nothing."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        if kind is None:
            try:
                self._db.execute("COMMIT")
                return
            except sqlite3.Error:
                self._undo()
                raise
        self._undo()

    def _undo(self) -> None:
        with suppress(sqlite3.Error):
            self._db.execute("ROLLBACK")


def packed(item: dict[str, Any]) -> bytes:
    """An item as it is kept. Raises TypeError or ValueError for what JSON has no word for."""
    return zlib.compress(
        json.dumps(item, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8", "replace"), 1
    )
