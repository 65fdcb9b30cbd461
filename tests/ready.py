"""Ready: databases that have their tables already: to make them anew takes a tenth of a second, in hundreds of tests.
What makes them is tested by `tests/store/test_schema.py`.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from monitor.store.connect import open_sql
from tests.postgres import say


def ready_file(path: Path) -> str:
    """The URL of a new SQLite database at `path`."""
    path.write_bytes(_file())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> Iterator[str]:
    """The name of a database with the tables, which others are copied from."""
    base, _, _ = postgres_server.rpartition("/")
    name = f"monitor_{uuid4().hex}"
    _elsewhere(say(postgres_server, f"CREATE DATABASE {name}"))
    _elsewhere(_made(f"{base}/{name}"))
    yield name
    _elsewhere(say(postgres_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def ready_postgres(postgres_server: str, postgres_tables: str) -> AsyncIterator[str]:
    """The URL of a database with the tables and nothing in them, dropped afterwards."""
    base, _, _ = postgres_server.rpartition("/")
    name = f"monitor_{uuid4().hex}"
    await say(postgres_server, f"CREATE DATABASE {name} TEMPLATE {postgres_tables}")
    yield f"{base}/{name}"
    await say(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@cache
def _file() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "monitor.db"
        _elsewhere(_made(f"sqlite:///{path}"))
        return path.read_bytes()


async def _made(url: str) -> None:
    store = await open_sql(url)
    await store.close()


def _elsewhere(job: Coroutine[object, object, None]) -> None:
    """Whether a loop runs here or not."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, job).result()
