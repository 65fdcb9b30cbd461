"""Who gets in, in the real program: a line of `monitor password` opens, a reload takes effect at once, links outlive a
restart, and no secret is in the log."""

import asyncio
import re
import sys
from datetime import UTC, datetime

import pytest
from aiohttp import ClientSession, CookieJar

from monitor.config.file import load
from monitor.data import secret_of
from monitor.web.link import Links
from tests.processes.running import Monitor, Shop, eventually, get

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PASSWORD = "correct horse ã"


async def line() -> str:
    """What `monitor password` prints for it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "monitor", "password"), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate(f"{PASSWORD}\n".encode())
    return out.decode().strip()


def with_user(monitor: Monitor, password: str, role: str | None) -> None:
    """The configuration with this user; None: with nobody but a reader."""
    ana = "" if role is None else f'{{name: ana, password: "{password}", role: {role}}}'
    keys = (
        f'ops_url: "http://127.0.0.1:{monitor.ops}", users: [{ana}], tokens: [{{name: r, token: a-token-of-r-here}}], '
    )
    monitor.file.write_text(monitor.configuration().replace("monitor: {", f"monitor: {{{keys}"))


async def test_who_is_named_is_as_the_file_says_now(monitor: Monitor, shop: Shop) -> None:
    """Operator, viewer, gone: the same session is told so within seconds, and `probes.yaml` alone was touched."""
    password = await line()
    with_user(monitor, password, "operator")
    base = f"http://127.0.0.1:{monitor.ops}"
    async with monitor.start(), ClientSession(base, cookie_jar=CookieJar(unsafe=True)) as browser:
        await monitor.until("up", 60)
        typed = {"name": "ana", "password": PASSWORD}
        async with browser.post("/healthcheck/login", data=typed, allow_redirects=False) as answer:
            assert answer.status == 303
        async with browser.get("/healthcheck") as page:
            found = re.search(r'name="csrf" value="([^"]+)"', await page.text())
        assert found is not None
        csrf = {"X-CSRF-Token": found[1]}

        async def until(status: int, what: str) -> None:
            async with asyncio.timeout(20):
                while True:
                    async with browser.post("/api/ops/v1/modules/nope/probe", json={}, headers=csrf) as answer:
                        if answer.status == status:
                            return
                    await asyncio.sleep(0.2)

        await until(404, "an operator may ask for what is not there")
        with_user(monitor, password, "viewer")
        await until(403, "a viewer may not")
        with_user(monitor, password, None)
        await until(401, "whoever is gone is nobody")
    log = (monitor.folder / "log").read_text()
    assert "ana is logged in, from 127.0.0.1" in log
    assert PASSWORD not in log
    assert password not in log


async def test_a_link_is_good_after_a_restart(monitor: Monitor, shop: Shop) -> None:
    """It is signed with what the data directory keeps; pressed once, it is on the record."""
    with_user(monitor, await line(), "operator")
    await shop.shut()
    async with monitor.start():
        (incident,) = await eventually(monitor.incidents, 30, "what fails has an incident")
    links = Links(secret_of(load(monitor.file), monitor.folder / "data"), f"http://127.0.0.1:{monitor.ops}")
    address = links.acknowledge_url(incident["id"], "pager", datetime.now(UTC))
    assert address is not None
    async with monitor.start(), ClientSession() as reader:
        listening = f"http://127.0.0.1:{monitor.ops}/-/healthy"
        await eventually(lambda: get(listening)[0] == 200, 30, "it listens again")
        async with reader.post(address, data={"author": "Bia"}) as page:
            assert (page.status, "Bia (pager)" in await page.text()) == (200, True)
