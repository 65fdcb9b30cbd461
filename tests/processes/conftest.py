"""A shop that nobody here wrote, and a monitor over it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.postgres import postgres_server, postgres_url
from tests.processes.running import Monitor, Shop

__all__ = ["postgres_server", "postgres_url"]


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Shop]:
    """A shop that is open."""
    folder = tmp_path / "shop"
    folder.mkdir()
    shop = Shop(folder)
    await shop.open()
    yield shop
    await shop.shut()


@pytest.fixture
def monitor(tmp_path: Path, shop: Shop) -> Monitor:
    """A configuration that watches it."""
    return Monitor(tmp_path, shop)
