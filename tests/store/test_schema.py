"""The schema and its versions: migrations end where `schema.py` stands, and a newer database is refused."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

import monitor.store
from monitor.store import StoreUnusable, postgres, sqlite
from monitor.store.connect import open_sql
from monitor.store.schema import HEAD, metadata
from monitor.store.upgrade import migrate
from tests.postgres import say


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database of either kind."""
    return f"sqlite:///{tmp_path}/monitor.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
async def other_url(tmp_path: Path, url: str) -> AsyncIterator[str]:
    """The URL of a second one of the same kind."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path}/other.db"
        return
    base, _, name = url.rpartition("/")
    await say(url, f"CREATE DATABASE other_{name}")
    yield f"{base}/other_{name}"
    await say(url, f"DROP DATABASE other_{name} WITH (FORCE)")


async def by_migrations(url: str) -> None:
    """Brings an empty database here the long way."""
    engine = engine_of(url)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(migrate)
    finally:
        await engine.dispose()


def engine_of(url: str) -> AsyncEngine:
    """What writes to it."""
    if url.startswith("sqlite"):
        path = Path(url.removeprefix("sqlite:///"))
        path.touch()
        return sqlite.writing_engine(path, 1.0)
    return postgres.engine(url, readonly=False)


@pytest.mark.parametrize("way", ["migrated", "created"])
async def test_both_ways_end_at_the_tables_of_today(url: str, way: str) -> None:
    """Table by table, column by column, index by index."""

    def differences(connection: Connection) -> list[object]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, metadata))

    if way == "migrated":
        await by_migrations(url)
    store = await open_sql(url)
    async with store.writing() as connection:
        assert await connection.run_sync(differences) == []
    await store.close()


async def test_a_new_database_is_what_all_migrations_make(url: str, other_url: str) -> None:
    """Names, types, defaults, keys, indexes and views, as the database itself tells them."""
    await by_migrations(url)
    await (await open_sql(other_url)).close()
    migrated, made = await told(url), await told(other_url)
    assert migrated.keys() == made.keys()
    assert {name: (migrated[name], made[name]) for name in made if migrated[name] != made[name]} == {}
    assert "view observations" in made
    assert len(made) > len(metadata.tables)


async def told(url: str) -> dict[str, object]:
    """What stands in a database, by kind and name; the order of columns and constraints means nothing."""

    def look(connection: Connection) -> dict[str, object]:
        seen = inspect(connection)
        found: dict[str, object] = {}
        for name in seen.get_table_names():
            columns = {one["name"]: {**one, "type": repr(one["type"])} for one in seen.get_columns(name)}
            found[f"table {name}"] = {
                "columns": columns,
                "key": seen.get_pk_constraint(name),
                "unique": sorted(seen.get_unique_constraints(name), key=repr),
                "indexes": sorted(seen.get_indexes(name), key=repr),
                "options": seen.get_table_options(name),
            }
        for name in seen.get_view_names():
            found[f"view {name}"] = " ".join(str(seen.get_view_definition(name)).split())
        found["versions"] = list(connection.execute(text("SELECT version_num FROM alembic_version")).scalars())
        return found

    engine = engine_of(url)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(look)
    finally:
        await engine.dispose()


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
    with pytest.raises(StoreUnusable, match=rf"has schema 9999, .* knows up to {HEAD}: run the newer version"):
        await open_sql(url, readonly=readonly)


@pytest.mark.parametrize("readonly", [True, False])
async def test_tables_that_are_missing_are_named(url: str, readonly: bool) -> None:
    """As a restore that went half way leaves it. Made anew they would be empty, and nobody would know."""
    store = await open_sql(url)
    async with store.writing() as connection:
        for table in ("told", "outbox"):
            await connection.execute(text(f"DROP TABLE {table}"))
    await store.close()
    with pytest.raises(StoreUnusable, match=r"is damaged \(tables are missing: outbox, told\): put a backup"):
        await open_sql(url, readonly=readonly)


async def test_an_upgrade_does_not_pass_over_a_table_that_is_missing(url: str) -> None:
    """One that no migration on the way looks at."""

    def older(connection: Connection) -> None:
        config = Config()
        config.set_main_option("script_location", "monitor:store/migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "0016")
        connection.execute(text("DROP TABLE told"))

    engine = engine_of(url)
    async with engine.begin() as connection:
        await connection.run_sync(older)
    await engine.dispose()
    for _ in range(2):  # and it leaves everything as it was
        with pytest.raises(StoreUnusable, match=r"is damaged \(tables are missing: told\)"):
            await open_sql(url)


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
        (
            "import asyncio, monitor.store as s; asyncio.run(asyncio.run(s.open_store(URL + '.new')).close())",
            ("alembic", "asyncpg"),
        ),
    ],
    ids=["the contract", "memory", "an up-to-date database", "a new database"],
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
