"""PostgreSQL: one engine over asyncpg, which comes with the extra `postgres`."""

from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, urlsplit

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
    """Of several servers the one that answered last is asked first."""
    settings = {"application_name": "vtex-monitor"}
    if readonly:
        settings["default_transaction_read_only"] = "on"
    servers = _one_by_one(postgres_dsn(url))
    wanted = _wanted(url, several=len(servers) > 1, readonly=readonly)

    async def connect() -> Any:
        failed: Exception = ConnectionError("no server")
        for server in [*servers]:
            try:
                made = await asyncpg.connect(
                    server,
                    timeout=_CONNECT_SECONDS / len(servers),
                    command_timeout=_COMMAND_SECONDS,
                    server_settings=settings,
                    target_session_attrs=wanted,
                )
            except (ValueError, asyncpg.InterfaceError) as error:
                # Not chained: the text of these quotes parts of the URL.
                raise StoreUnusable(
                    f"{masked(url)} is not a URL that PostgreSQL understands ({type(error).__name__}): "
                    "write postgresql://user:password@host/name"
                ) from None
            except asyncpg.exceptions.TargetServerAttributeNotMatched:
                failed = ConnectionError(f"no server that is {wanted}")
            except (OSError, asyncpg.CannotConnectNowError) as error:
                failed = error
            else:
                servers.remove(server)
                servers.insert(0, server)
                return made
        raise failed

    return connect


def _one_by_one(dsn: str) -> list[str]:
    """A DSN for each server of one that names several. asyncpg would wait for the first until all the time is over, and
    a machine that is gone answers nothing."""
    user, at, hosts = urlsplit(dsn).netloc.rpartition("@")
    several = hosts.split(",")
    return [dsn.replace(f"//{user}{at}{hosts}", f"//{user}{at}{host}", 1) for host in several]


def _wanted(url: str, *, several: bool, readonly: bool) -> str | None:
    """What a server has to be, where that is asked. Of several, whoever writes needs the one that takes writes. A
    session that reads only is none that takes them, by its own setting."""
    said = parse_qs(url.partition("?")[2]).get("target_session_attrs", [None])[-1]
    wanted = said or ("read-write" if several else None)
    return "primary" if readonly and wanted == "read-write" else wanted
