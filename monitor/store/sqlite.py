"""SQLite: engines over one file, one connection that writes and one that reads.

The write-ahead log lets a page read while a commit is under way. `synchronous=FULL` makes a commit wait for the disk:
with NORMAL a power loss may take back the last commits, and a notice would have been sent about a fact nobody knows.
"""

import asyncio
import fcntl
import os
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from monitor.store.contract import StoreUnusable
from monitor.store.failure import REMEDY

BUSY_SECONDS = 5.0
_LOG_LIMIT = 64 * 1024 * 1024  # what is left of the write-ahead log once a checkpoint has emptied it
_LOG_HEAD, _FRAME_HEAD = 32, 24  # bytes, in a write-ahead log
_QUICK_CHECK_UP_TO = 64 * 1024 * 1024  # half a second; larger files are checked by `monitor db check`


def writing_engine(path: Path, busy_seconds: float = BUSY_SECONDS) -> AsyncEngine:
    """The one connection that writes. Its transactions take the write lock at once, so none fails half-way."""
    pragmas = ("journal_mode=WAL", "synchronous=FULL", f"journal_size_limit={_LOG_LIMIT}")
    return _engine(path, "rw", busy_seconds, pragmas, "BEGIN IMMEDIATE")


def reading_engine(path: Path, busy_seconds: float = BUSY_SECONDS) -> AsyncEngine:
    """A connection that cannot write, and sees one moment of the data throughout a transaction."""
    return _engine(path, "ro", busy_seconds, ("query_only=ON",), "BEGIN")


def _engine(path: Path, mode: str, busy_seconds: float, pragmas: tuple[str, ...], begin: str) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path.absolute().as_uri()}?mode={mode}&uri=true",
        connect_args={"timeout": busy_seconds, "isolation_level": None},
        pool_size=1,
        max_overflow=0,
        hide_parameters=True,
    )

    @event.listens_for(engine.sync_engine, "connect")
    def configure(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)  # the driver's own BEGIN leaves changes of the schema out of it

    return engine


class Hold:
    """Our claim on a file: a lock beside it that ends with the process, however it ends. `path` is the file's own name,
    not that of a link to it.

    The claim is not on the file itself: closing any handle of it would drop SQLite's own locks in this process.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(self._handle, 64).decode(errors="replace").strip() or "another process"
            os.close(self._handle)
            raise StoreUnusable(
                f"{path} is in use by {holder}: stop it first, or speak to it over its ops address"
            ) from error
        with suppress(OSError):  # a disk that is full
            os.truncate(self._handle, 0)
            os.pwrite(self._handle, f"process {os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Others may have the file. May be called again."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def beside(path: Path, suffix: str) -> Path:
    """The file that SQLite keeps next to a database."""
    return path.with_name(path.name + suffix)


def exists(path: Path) -> bool:
    """Whether there is a database. Raises StoreUnusable for what is left of one."""
    if not path.exists():
        log = beside(path, "-wal")
        if log.exists() and log.stat().st_size:
            raise StoreUnusable(
                f"{path} is gone but its log {log.name} is not: restore the file, or remove the log too"
            )
        return False
    if path.stat().st_nlink > 1 and not path.is_dir():
        # SQLite's log goes by the name a database is opened under: two names are two logs, and one of them is lost.
        raise StoreUnusable(f"{path} has a second name (a hard link): remove one of them, or make a copy instead")
    if path.is_dir():
        raise StoreUnusable(f"{path} is a folder: name a file in it")
    if not path.stat().st_size:
        raise StoreUnusable(f"{path} is empty, so it was cut off: restore a backup, or remove it to begin anew")
    return True


def unlinked(path: Path) -> Path:
    """The file's own name, whatever links lead to it: there its log and our claim lie."""
    return Path(os.path.realpath(path))


def _size_of(path: Path) -> int:
    return path.stat().st_size


def begin_new(path: Path) -> Path:
    """An empty file for nobody else's eyes, in which a new database is made before it gets its name.

    A crash on the way leaves only that file, never a database with half its tables.
    """
    draft = beside(path, ".new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        beside(draft, suffix).unlink(missing_ok=True)
    os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    return draft


def finish_new(draft: Path, path: Path) -> None:
    """The new database has its name, also after a power loss."""
    os.replace(draft, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def lost_commits(path: Path) -> int:
    """How many transactions the write-ahead log holds behind a place where it is damaged, as SQLite found it when it
    was opened; it stops there, and the rest would be gone without a word. One may be cut off by a power loss: it was
    never said to be stored.

    Frames of the log in use carry the two salts of its head. The head of the index says how many of them are whole.
    """
    log, index = beside(path, "-wal"), beside(path, "-shm")
    if not log.exists() or not index.exists():
        return 0
    with path.open("rb") as database:
        size = int.from_bytes(database.read(18)[16:], "big")
    with index.open("rb") as head:
        number = int.from_bytes(head.read(20)[16:], sys.byteorder)
    with log.open("rb") as frames:
        first, commits = frames.read(_LOG_HEAD), 0
        salts = first[16:24] if _is_sound(first) else _frame(frames, 0, size)[8:16]
        while len(frame := _frame(frames, number, size)) == _FRAME_HEAD:
            commits += frame[8:16] == salts and frame[4:8] != bytes(4)
            number += 1
    return max(0, commits - 1)


def _is_sound(head: bytes) -> bool:
    """Whether the head of a log adds up."""
    if len(head) < _LOG_HEAD:
        return False
    words = struct.unpack(">6I" if head[3] & 1 else "<6I", head[:24])
    one = two = 0
    for left, right in zip(words[::2], words[1::2], strict=True):
        one = (one + left + two) & 0xFFFFFFFF
        two = (two + right + one) & 0xFFFFFFFF
    return (one, two) == struct.unpack(">2I", head[24:])


def _frame(frames: BinaryIO, number: int, size: int) -> bytes:
    frames.seek(_LOG_HEAD + number * (_FRAME_HEAD + (size if size > 1 else 65536)))
    return frames.read(_FRAME_HEAD)


async def examine_log(path: Path, where: str) -> None:
    """Raises StoreUnusable when a part of the write-ahead log cannot be read. Nothing is changed: a connection that may
    write would, when it is closed, put what is whole into the database and remove the log with the rest."""
    if not beside(path, "-wal").exists():
        return
    engine = reading_engine(path)
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")  # only now it looks into the log
            lost = await asyncio.to_thread(lost_commits, path)
    finally:
        await engine.dispose()
    if lost:
        raise StoreUnusable(
            f"{where} is damaged: its log {beside(path, '-wal').name} is broken off before {lost} or more stored "
            "transactions. Move both away and put a backup in their place, or remove the log to go on without them"
        )


async def examine(engine: AsyncEngine, path: Path, where: str) -> None:
    """Raises StoreUnusable when a look at the whole of a small file, or at the head of a large one, shows damage."""
    async with engine.connect() as connection:
        await connection.exec_driver_sql("PRAGMA schema_version")
        if _size_of(path) > _QUICK_CHECK_UP_TO:
            return
        found = (await connection.exec_driver_sql("PRAGMA quick_check(1)")).scalar()
    if found != "ok":
        told = str(found).splitlines()[-1]
        raise StoreUnusable(f"{where} is damaged ({told}): {REMEDY.format(where=where)}")
