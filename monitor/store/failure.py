"""Failure: what a driver's exception means, in one table. What is not in it is a bug of ours and passes unchanged."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from monitor.store.contract import StoreFailed, StoreUnusable
from monitor.store.rows import UNREADABLE

_SQLITE_PASSING = {
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_BUSY: "the database is locked by another connection",
    sqlite3.SQLITE_LOCKED: "the database is locked by another connection",
    sqlite3.SQLITE_IOERR: "the disk reports an error",
    sqlite3.SQLITE_READONLY: "the file or its file system is read-only",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PERM: "the file may not be opened",
    sqlite3.SQLITE_NOMEM: "there is no memory left",
    sqlite3.SQLITE_PROTOCOL: "the database is locked by another connection",
}
_SQLITE_LASTING = {
    sqlite3.SQLITE_CORRUPT: "is damaged",
    sqlite3.SQLITE_NOTADB: "is damaged or not a database",
}

REMEDY = "move it away and put a backup in its place, or save what is left with `sqlite3 {where} .recover`"

# PostgreSQL's classes of SQLSTATE: lost connections, rollbacks to repeat, no resources, in use, being shut down or
# failing over, trouble of its system. 25006 is a server that became a standby.
_POSTGRES_PASSING = ("08", "25006", "40", "53", "55", "57", "58")
# Wrong name or password, missing database or schema, missing rights.
_POSTGRES_LASTING = ("28", "3D", "3F", "42501")
_POSTGRES_DAMAGED = ("XX001", "XX002")


@contextmanager
def surroundings(where: str) -> Iterator[None]:
    """Turns what the surroundings do to us into StoreFailed or StoreUnusable, naming the store as `where`."""
    try:
        yield
    except (DBAPIError, PoolTimeout, OSError) as error:  # the built-in TimeoutError is an OSError
        told = _told(error, where)
        if told is None:
            raise
        raise told from error
    except UnicodeDecodeError as error:  # all our text is ASCII
        raise StoreUnusable(f"{where} is damaged: {REMEDY.format(where=where)}") from error
    except sqlite3.Error as error:
        told = _of_driver(error, where)
        if told is None:
            raise
        raise told from error


@contextmanager
def readable(where: str) -> Iterator[None]:
    """Turns rows that cannot be what we wrote into StoreUnusable: a disk may change bytes, and no one sees it."""
    try:
        yield
    except UNREADABLE as error:
        raise StoreUnusable(
            f"{where} is damaged: what it holds cannot be read ({type(error).__name__}: {error}). `monitor db check` "
            "shows which rows; put a backup in its place"
        ) from error


def _told(error: DBAPIError | PoolTimeout | OSError, where: str) -> StoreFailed | StoreUnusable | None:
    if isinstance(error, PoolTimeout):
        return StoreFailed(f"{where}: no connection became free")
    if isinstance(error, OSError):
        return StoreFailed(f"{where}: {error.strerror or str(error) or 'no answer in time'}")
    if error.orig is None:
        return None
    told = _of_driver(error.driver_exception, where) or _of_driver(error.orig, where)
    if told is None and (error.connection_invalidated or isinstance(error, InterfaceError)):
        return StoreFailed(f"{where}: the connection was lost")
    return told


def _of_driver(error: BaseException, where: str) -> StoreFailed | StoreUnusable | None:
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", -1) & 0xFF  # the upper bits say which kind of it
        if str(error).startswith("Could not decode to UTF-8"):  # Python's own word, and all our text is ASCII
            code = sqlite3.SQLITE_CORRUPT
        if code in _SQLITE_PASSING:
            return StoreFailed(f"{where}: {_SQLITE_PASSING[code]}")
        if code in _SQLITE_LASTING:
            return StoreUnusable(f"{where} {_SQLITE_LASTING[code]}: {REMEDY.format(where=where)}")
        return None
    state = str(getattr(error, "sqlstate", None) or "")
    if state.startswith(_POSTGRES_PASSING):
        return StoreFailed(f"{where}: {_first_line(error)}")
    if state.startswith(_POSTGRES_LASTING):
        return StoreUnusable(f"{where}: {_first_line(error)}; correct `monitor.database` or the server's accounts")
    if state in _POSTGRES_DAMAGED:
        return StoreUnusable(f"{where} is damaged: {_first_line(error)}; restore a backup")
    if isinstance(error, OSError):
        return StoreFailed(f"{where}: {error.strerror or str(error) or 'no answer in time'}")
    return None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0]
