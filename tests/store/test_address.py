"""URLs of stores: which are understood, and what is shown of them."""

from pathlib import Path

import pytest

from monitor.store import StoreUnusable
from monitor.store.address import masked, postgres_dsn, sqlite_path


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///data/monitor.db", Path("data/monitor.db")),
        ("sqlite:////var/lib/monitor.db", Path("/var/lib/monitor.db")),
        ("sqlite+aiosqlite:////a.db", Path("/a.db")),
        ("sqlite:////with%20space.db?mode=ro", Path("/with space.db")),
        ("postgresql://user:pass@host/db", None),
        ("postgres:///db?host=/run/postgresql", None),
        ("postgresql+asyncpg://host/db", None),
    ],
)
def test_a_url_names_a_file_or_a_server(url: str, path: Path | None) -> None:
    """Three slashes begin a relative path, four an absolute one; the drivers may be named and need not be."""
    assert sqlite_path(url) == path


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite://host/a.db"])
def test_a_sqlite_url_needs_a_file(url: str) -> None:
    """A store that forgets is none."""
    with pytest.raises(StoreUnusable, match="names no file: write sqlite:///"):
        sqlite_path(url)


@pytest.mark.parametrize("url", ["monitor.db", "mysql://root:sesame@host/db", "", "://"])
def test_other_urls_are_refused_with_an_example(url: str) -> None:
    """And without the password that may be in them."""
    with pytest.raises(StoreUnusable, match=r"write sqlite:///path/to/monitor\.db or postgresql://") as caught:
        sqlite_path(url)
    assert "sesame" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:sesame@host:5432/db", "postgresql://user:***@host:5432/db"),
        ("postgresql://user@host/db", "postgresql://user@host/db"),
        ("postgresql://user:sesa:me@h/db", "postgresql://user:***@h/db"),
        ("postgresql://user:se@same@h/db", "postgresql://user:***@h/db"),
        ("postgresql://user:ses/ame@h/db", "postgresql://…"),
        ("postgresql://user:ses?ame@h/db", "postgresql://…"),
        ("postgresql://h/db?user=me&password=sesame", "postgresql://h/db"),
        ("postgresql://user:sesame@[::1/db", "postgresql://…"),
        ("sqlite:///data/monitor.db", "sqlite:///data/monitor.db"),
    ],
)
def test_no_password_is_shown(url: str, shown: str) -> None:
    """Wherever somebody put it."""
    assert masked(url) == shown


def test_the_dsn_is_the_url_as_other_tools_write_it() -> None:
    """Parameters stay: the driver knows them all."""
    assert postgres_dsn("postgres://u:p@h/d?sslmode=require") == "postgresql://u:p@h/d?sslmode=require"
    assert postgres_dsn("postgresql+asyncpg://u@h/d") == "postgresql://u@h/d"
