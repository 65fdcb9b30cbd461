"""PostgreSQL: one engine over asyncpg, which comes with the extra `postgres`."""

from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from monitor.store.address import masked, postgres_dsn
from monitor.store.contract import StoreUnusable

_CONNECT_SECONDS = 5.0
_COMMAND_SECONDS = 60.0


def engine(url: str, *, readonly: bool, connections: int = 5) -> AsyncEngine:
    """Connections are made when needed and looked at before use, so a restart of the server costs at most one call.

    asyncpg reads the URL itself: it knows every parameter that PostgreSQL's own tools know, `sslmode` included.
    """
    try:
        asyncpg = import_module("asyncpg")
    except ImportError as error:
        raise StoreUnusable(
            f"{masked(url)} needs the driver for PostgreSQL: install it with `pip install 'vtex-monitor[postgres]'`"
        ) from error
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=_connecting(asyncpg, url, readonly=readonly),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=_CONNECT_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )


def _connecting(asyncpg: Any, url: str, *, readonly: bool) -> Callable[[], Coroutine[Any, Any, Any]]:
    settings = {"application_name": "vtex-monitor"}
    if readonly:
        settings["default_transaction_read_only"] = "on"

    async def connect() -> Any:
        try:
            return await asyncpg.connect(
                postgres_dsn(url),
                timeout=_CONNECT_SECONDS,
                command_timeout=_COMMAND_SECONDS,
                server_settings=settings,
            )
        except (ValueError, asyncpg.InterfaceError) as error:
            # Not chained: the text of these quotes parts of the URL.
            raise StoreUnusable(
                f"{masked(url)} is not a URL that PostgreSQL understands ({type(error).__name__}): "
                "write postgresql://user:password@host/name"
            ) from None

    return connect
