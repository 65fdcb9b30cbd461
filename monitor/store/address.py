"""Address: the URL of a store, taken apart once; what is shown of it never holds a password."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from monitor.store.contract import StoreUnusable

_POSTGRES = ("postgresql", "postgres", "postgresql+asyncpg")
_SQLITE = ("sqlite", "sqlite+aiosqlite")


def sqlite_path(url: str) -> Path | None:
    """The file behind `sqlite:///relative` or `sqlite:////absolute`; None for PostgreSQL.

    Raises StoreUnusable for everything else.
    """
    scheme, separator, rest = url.partition("://")
    if separator and scheme in _POSTGRES:
        return None
    if not separator or scheme not in _SQLITE:
        raise StoreUnusable(
            f"{masked(url)} names no store we know: write sqlite:///path/to/monitor.db or postgresql://user@host/name"
        )
    path = unquote(rest.partition("?")[0].removeprefix("/"))
    if not rest.startswith("/") or path in ("", ":memory:"):
        raise StoreUnusable(f"{masked(url)} names no file: write sqlite:///path/to/monitor.db")
    return Path(path)


def postgres_dsn(url: str) -> str:
    """The URL as PostgreSQL's own tools write it."""
    return "postgresql://" + url.partition("://")[2]


def masked(url: str) -> str:
    """The URL without what may be secret: the password, and every parameter."""
    bare = url.partition("?")[0].partition("#")[0]
    try:
        parts = urlsplit(bare)
    except ValueError:
        return url.partition("://")[0] + "://…"
    user, at, host = parts.netloc.rpartition("@")
    if not at:  # a password with / ? or # in it ends the host too early; show nothing of such a URL
        return f"{parts.scheme}://…" if "@" in url else bare
    netloc = re.sub(r":.*", ":***", user) + at + host
    return f"{parts.scheme}://{netloc}{parts.path}"
