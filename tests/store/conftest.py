"""The stores the contract is held against, each with a way to close it and open it again."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.store import Store
from monitor.store.connect import open_sql
from monitor.store.memory import MemoryStore
from tests.postgres import postgres_server, postgres_url
from tests.ready import postgres_tables, ready_file, ready_postgres

__all__ = ["postgres_server", "postgres_tables", "postgres_url", "ready_postgres"]


class Shelf:
    """One store that can be opened again and again. `store` is the one open now."""

    def __init__(self, url: str | None) -> None:
        self.url = url
        self.store: Store = MemoryStore()

    async def open(self) -> Store:
        """Opens the store, closing the one open before: a restart. The one in memory simply goes on."""
        await self.store.close()
        if self.url is not None:
            self.store = await open_sql(self.url, busy_seconds=0.2)
        return self.store


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str | None:
    """The URL of an empty store; None for the one in memory."""
    if request.param == "sqlite":
        return ready_file(tmp_path / "monitor.db")
    return None if request.param == "memory" else request.getfixturevalue("ready_postgres")


@pytest.fixture
async def shelf(url: str | None) -> AsyncIterator[Shelf]:
    """Of each kind of store one, empty."""
    shelf = Shelf(url)
    yield shelf
    await shelf.store.close()


@pytest.fixture
async def store(shelf: Shelf) -> Store:
    """Of each kind of store one, empty and open."""
    return await shelf.open()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a SQLite database may be made."""
    return tmp_path / "monitor.db"
