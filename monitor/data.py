"""Data: the directory in which one monitor keeps everything, and which no other may use meanwhile."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import gethostname

from monitor.config import Config
from monitor.store import StoreUnusable

SECRET_BYTES = 32


def database_url(config: Config, data: Path) -> str:
    """Where the store is: the configured URL, else SQLite in the data directory."""
    return config.settings.database or f"sqlite:///{data / 'monitor.db'}"


def place_of(data: Path) -> str:
    """What tells this monitor from others, the same after a restart."""
    return f"{gethostname()}:{data.absolute()}"


def secret_of(config: Config, data: Path) -> bytes:
    """What we sign with: what the configuration says, else a secret of this data directory, made when first asked for.

    Raises StoreUnusable where it can be neither read nor made.
    """
    if config.settings.secret is not None:
        return config.settings.secret.encode()
    file = data / "secret"
    try:
        if not file.exists() or file.stat().st_size < SECRET_BYTES:
            fresh = data / "secret.new"  # a crash leaves no half of one
            fresh.unlink(missing_ok=True)
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as made:
                made.write(secrets.token_bytes(SECRET_BYTES))
                made.flush()
                os.fsync(made.fileno())
            fresh.replace(file)
        return file.read_bytes()
    except OSError as error:
        raise StoreUnusable(f"{file} cannot be read ({error.strerror}); links are signed with it") from None


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
        with suppress(OSError):  # a disk that is full
            os.truncate(lock.fileno(), 0)
            os.write(lock.fileno(), str(os.getpid()).encode())
        yield
    finally:
        lock.close()
