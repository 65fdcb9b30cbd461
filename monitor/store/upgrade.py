"""Upgrade: brings a database to the schema of this version, and refuses one that is ahead of it.

The version is compared first, and an empty database gets its tables straight from the schema: Alembic costs 8 MB and
up to 0.3 s to import, and is wanted only where an older database moves on.
"""

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine

from monitor.store.contract import StoreUnusable
from monitor.store.schema import HEAD, metadata, views

_LOCK = 0x766D6F6E  # any number, the same in every process


async def prepare(engine: AsyncEngine, where: str, *, readonly: bool) -> bool:
    """The schema is that of this version afterwards; says whether anything had to be done.

    Raises StoreUnusable for a schema of a newer version, for one that lacks tables, for somebody else's database, and,
    when `readonly`, for an older schema.
    """
    async with engine.connect() as connection:
        version = await connection.run_sync(lambda sync: _version(sync, where))
    if version == HEAD:
        return False
    if readonly and version == "":
        raise StoreUnusable(f"{where} is damaged (it names no version): put a backup in its place")
    if readonly:
        raise StoreUnusable(f"{where} has the schema of an older version: run `monitor db upgrade`")
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: _upgrade(sync, where))
    return True


def _version(connection: Connection, where: str) -> str | None:
    tables = inspect(connection).get_table_names()
    if "alembic_version" not in tables:
        if tables:
            raise StoreUnusable(f"{where} holds other tables, none of ours: name a database of its own")
        return None
    version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if version is not None and str(version) > HEAD:
        raise StoreUnusable(
            f"{where} has schema {version}, this version of the monitor knows up to {HEAD}: "
            "run the newer version, or restore a backup from before the upgrade"
        )
    if version == HEAD and (lost := sorted(metadata.tables.keys() - set(tables))):
        raise StoreUnusable(f"{where} is damaged (tables are missing: {', '.join(lost)}): put a backup in its place")
    return "" if version is None else version


def _upgrade(connection: Connection, where: str) -> None:
    if connection.dialect.name == "postgresql":  # two processes may start at once; SQLite's file is ours by now
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    version = _version(connection, where)
    if version is None:
        create(connection)
    elif version != HEAD:
        migrate(connection)
        _version(connection, where)  # a table that no migration looked at may be missing


def create(connection: Connection) -> None:
    """Makes the tables of this version in an empty database, as all migrations together would."""
    metadata.create_all(connection)
    for made in views.values():
        connection.execute(text(made))
    connection.execute(
        text(
            "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc "
            "PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text("INSERT INTO alembic_version (version_num) VALUES (:head)"), {"head": HEAD})


def migrate(connection: Connection) -> None:
    """Runs every migration that the database has not seen."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
