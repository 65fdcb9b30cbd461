"""The schema and its versions: migrations end where `schema.py` stands, and a newer database is refused."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import monitor.store
from monitor.store import StoreUnusable
from monitor.store.connect import open_sql
from monitor.store.schema import HEAD, metadata


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    return f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


async def test_migrations_end_at_the_tables_of_today(url: str) -> None:
    """Table by table, column by column, index by index."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    store = await open_sql(url)
    async with store.writing() as connection:
        assert await connection.run_sync(differences) == []
    await store.close()


def test_head_is_the_newest_migration() -> None:
    """The number compared at every start is the one that Alembic would arrive at."""
    config = Config()
    config.set_main_option("script_location", "monitor:store/migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


async def version(url: str, number: str) -> None:
    """Makes a database and says it is at this version."""
    store = await open_sql(url)
    async with store.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = :number"), {"number": number})
    await store.close()


@pytest.mark.parametrize("readonly", [True, False])
async def test_a_newer_schema_is_refused(url: str, readonly: bool) -> None:
    """An older program would not know what it destroys."""
    await version(url, "9999")
    with pytest.raises(StoreUnusable, match=r"has schema 9999, .* knows up to 0008: run the newer version"):
        await open_sql(url, readonly=readonly)


async def test_a_reader_does_not_upgrade(url: str) -> None:
    """Whoever only reads says what to run instead."""
    await version(url, "0000")
    with pytest.raises(StoreUnusable, match="run `monitor db upgrade`"):
        await open_sql(url, readonly=True)


async def test_two_processes_may_upgrade_at_once(postgres_url: str) -> None:
    """One does it, the others find it done."""
    stores = await asyncio.gather(*(open_sql(postgres_url) for _ in range(4)))
    for store in stores:
        await store.close()


@pytest.mark.parametrize(
    ("code", "unwanted"),
    [
        ("import monitor.store", ("sqlalchemy", "alembic", "aiosqlite", "asyncpg")),
        ("import monitor.store.memory", ("sqlalchemy", "alembic", "aiosqlite", "asyncpg")),
        (
            "import asyncio, monitor.store as s; asyncio.run(asyncio.run(s.open_store(URL)).close())",
            ("alembic", "asyncpg"),
        ),
    ],
    ids=["the contract", "memory", "an up-to-date database"],
)
def test_nothing_is_imported_before_it_is_needed(tmp_path: Path, code: str, unwanted: tuple[str, ...]) -> None:
    """Commands that need no database start without the half second that drivers and migrations cost."""
    url = f"sqlite:///{tmp_path}/monitor.db"
    asyncio.run(made(url))
    program = f"import sys; URL = {url!r}; {code}; print(sorted(set({unwanted!r}) & set(sys.modules)))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert said.stdout == "[]\n", said.stderr


async def made(url: str) -> None:
    """Makes a database."""
    await (await open_sql(url)).close()


def test_the_store_is_a_package_with_its_migrations() -> None:
    """An installed wheel carries them beside the code."""
    folder = Path(monitor.store.__file__).parent / "migrations"
    assert (folder / "env.py").exists()
    assert list((folder / "versions").glob("v0001_*.py"))
