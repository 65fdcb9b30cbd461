"""Data: the directory in which one monitor keeps everything, and which no other may use meanwhile."""

import fcntl
import os
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from socket import gethostname

from monitor.config import Config
from monitor.store import Store, StoreUnusable

SECRET_BYTES = 32
LISTENS = "listens"
COMMAND = 15.0  # seconds that a command may take for what it writes, where several monitors share a store


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


@asynccontextmanager
async def leading(store: Store, data: Path, *, again: bool = True) -> AsyncIterator[None]:
    """Has the lead of a store that others may have as well, for what a command writes. Raises StoreUnusable naming the
    one who has it. `again`: the data directory is held, so one of our name is gone."""
    if store.leases is None:
        yield
        return
    holder = place_of(data)
    if not await store.leases.take(holder, COMMAND, again=again):
        lease = await store.leases.look(holder, COMMAND)
        await store.leases.leave(holder)
        raise StoreUnusable(f"{lease.holder if lease else 'another monitor'} leads: say it there")
    try:
        yield
    finally:
        await store.leases.leave(holder)


class InUse(StoreUnusable):
    """Another process has the data directory. `listens` once that one has said that its ops side can be reached."""

    def __init__(self, data: Path, holder: str) -> None:
        pid, _, word = holder.strip().partition(" ")
        super().__init__(f"{data} is in use by process {pid or 'unknown'}; stop it or choose another --data")
        self.listens = word == LISTENS


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Holds the data directory for this process. Raises InUse naming whoever holds it already, or StoreUnusable."""
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
            raise InUse(data, lock.read()) from None
        _sign(data, "")
        yield
    finally:
        lock.close()


@contextmanager
def listening(data: Path) -> Iterator[None]:
    """Tells commands that find nobody at the ops side that whoever has the data directory does not merely start."""
    _sign(data, f" {LISTENS}")
    try:
        yield
    finally:
        _sign(data, "")


def _sign(data: Path, word: str) -> None:
    """Writes into the lock file who has it, and a word about that."""
    with suppress(OSError):  # a disk that is full
        (data / "monitor.lock").write_text(f"{os.getpid()}{word}")
