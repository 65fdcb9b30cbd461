"""Silences and planned work of the real program: from the dashboard to the public page, through a sudden end."""

import asyncio
import json
import re
import signal
import sys
from typing import Any

import pytest

from tests.processes.running import Monitor, Shop, eventually, get
from tests.processes.test_dashboard import Browser

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


async def typed(monitor: Monitor, *words: str) -> tuple[int, str]:
    """A command about silences as it is typed, beside the monitor that runs: exit status and what it printed."""
    common = ("--config", str(monitor.file), "--data", str(monitor.folder / "data"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "silence", *words, *common, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_an_incident_is_silenced_and_work_is_planned_through_a_crash(monitor: Monitor, shop: Shop) -> None:
    """The silence changes nothing that readers see and outlives kill -9; the work is on the public page."""
    browser = Browser(monitor.ops)
    page, works = "/healthcheck/silences", "/healthcheck/maintenance"
    async with monitor.start() as process:
        await monitor.until("up")
        await shop.shut()
        await monitor.until("down")
        (incident,) = await eventually(monitor.incidents, 20, "there is an incident")
        told = {"incident": incident["id"], "reason": "deploy", "author": "Ana", "lasts": "2h"}
        assert "Silenced: notices are kept back" in browser.send(page, page, **told)
        assert "Silenced by Ana until" in browser.page(f"/healthcheck/incidents/{incident['id']}")
        status, said = await typed(monitor, "list", "--status", "active", "--json")
        one: dict[str, Any] = json.loads(said)
        assert (status, one["incident"], one["author"]) == (0, incident["id"], "Ana")
        assert monitor.incidents()[0]["id"] == incident["id"]

        plan = {"title__en": "New database", "modules": "files", "from": "2030-01-06T02:00", "duration": "90m"}
        assert "The work is planned." in browser.send(works, works, **plan)
        public = f"http://127.0.0.1:{monitor.page}/en/maintenance/"
        await eventually(lambda: "New database" in get(public)[1], 20, "the work is announced to readers")
        process.tell(signal.SIGKILL)
        await process.process.wait()
    async with monitor.start() as process:
        ready = f"http://127.0.0.1:{monitor.ops}/-/ready"
        await eventually(lambda: get(ready)[0] == 200, 30, "it is there again")
        assert "Silenced by Ana until" in browser.page("/healthcheck")
        assert "New database" in browser.page(works)
        status, said = await typed(monitor, "remove", one["id"][:7], "--author", "Bo", "--json")
        assert (status, json.loads(said)["lifted_by"]) == (0, "Bo")
        assert "Silenced by" not in browser.page("/healthcheck")
        assert re.search("lifted by Bo", browser.page(page))
        assert (await typed(monitor, "remove", "zzz"))[0] == 1
        assert await process.leave() == 0
