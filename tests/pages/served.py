"""Served: a whole site published to a folder and served by our own server, for whoever reads it from outside."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from aiohttp.test_utils import TestServer

from monitor.pages.picture import Picture
from monitor.pages.publish import Publisher
from monitor.pages.site import site_files
from monitor.web.public import public_app
from tests.pages.conftest import THEME, loaded


@asynccontextmanager
async def served(seen: Picture, folder: Path) -> AsyncIterator[tuple[str, dict[str, bytes]]]:
    """The address of the site, without a slash at its end, and its files; it knows itself by that address."""
    server = TestServer(public_app(folder / "public"))
    await server.start_server()
    try:
        url = str(server.make_url("/")).rstrip("/")
        files = site_files(replace(seen, site=replace(seen.site, url=url)), loaded(), THEME)
        Publisher(folder).publish(files)
        yield url, files
    finally:
        await server.close()
