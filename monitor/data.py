"""Data: the directory in which one monitor keeps everything, and which no other may use meanwhile."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.config import Config
from monitor.store import StoreUnusable


def database_url(config: Config, data: Path) -> str:
    """Where the store is: the configured URL, else SQLite in the data directory."""
    return config.settings.database or f"sqlite:///{data / 'monitor.db'}"


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Holds the data directory for this process. Raises StoreUnusable naming whoever holds it already."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        lock = (data / "monitor.lock").open("a+")
    except OSError as error:
        raise StoreUnusable(f"{data} cannot hold data ({error.strerror}); choose another --data") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise StoreUnusable(f"{data} is in use by process {holder}; stop it or choose another --data") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield
    finally:
        lock.close()
