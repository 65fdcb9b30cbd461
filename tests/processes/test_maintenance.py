"""Planned work in the real program: a window of the file, a fault in it, commands while it runs, and a sudden end."""

import asyncio
import json
import signal
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.processes.running import Monitor, Shop, eventually, get

pytestmark = pytest.mark.slow


async def typed(monitor: Monitor, *words: str) -> tuple[int, str]:
    """A command as it is typed, beside the monitor that runs: exit status and what it printed; on stderr if nothing."""
    common = ("--config", str(monitor.file), "--data", str(monitor.folder / "data"))
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "monitor", "maintenance", *words, *common,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await process.communicate()
    return process.returncode or 0, (out or err).decode()


def module(monitor: Monitor) -> dict[str, Any]:
    status, body = get(f"http://127.0.0.1:{monitor.page}/api/v1/status.json")
    found: dict[str, Any] = json.loads(body)["modules"][0] if status == 200 else {}
    return found


def v2(monitor: Monitor, name: str) -> dict[str, Any]:
    status, body = get(f"http://127.0.0.1:{monitor.page}/api/v2/{name}.json")
    found: dict[str, Any] = json.loads(body) if status == 200 else {}
    return found


async def test_a_window_excuses_a_fault_through_a_crash_until_a_person_ends_it(monitor: Monitor, shop: Shop) -> None:
    """It begins by itself; what fails in it has no incident, also after kill -9; when it is ended early, it has one."""
    begins = datetime.now(UTC) + timedelta(seconds=12)
    monitor.file.write_text(
        monitor.configuration() + f"maintenance: [{{id: night, title: Works, from: '{begins:%Y-%m-%dT%H:%M:%SZ}', "
        "duration: 1h, modules: [files]}]\n"
    )
    async with monitor.start() as process:
        await monitor.until("up")
        assert v2(monitor, "scheduled-maintenances/upcoming")["scheduled_maintenances"][0]["status"] == "scheduled"
        await eventually(lambda: module(monitor)["maintenance"], 20, "the work begins")
        await shop.shut()
        await monitor.until("down")
        await asyncio.sleep(2)
        assert monitor.incidents() == []
        assert v2(monitor, "status")["status"] == {
            "indicator": "maintenance",
            "description": "Service Under Maintenance",
        }
        assert v2(monitor, "components")["components"][1]["status"] == "under_maintenance"
        process.tell(signal.SIGKILL)
        await process.process.wait()
    async with monitor.start():
        await eventually(lambda: module(monitor).get("maintenance"), 20, "the work goes on")
        (work,) = v2(monitor, "scheduled-maintenances/active")["scheduled_maintenances"]
        status, said = await typed(monitor, "extend", work["id"][:6], "--until", "+2h", "--json")
        assert status == 0, said
        assert json.loads(said)["sequence"] == 2
        assert monitor.incidents() == []
        status, said = await typed(monitor, "complete", work["id"], "--message", "Pronto.")
        assert status == 0, said
        (incident,) = await eventually(monitor.incidents, 15, "what still fails has an incident")
        assert incident["started_at"] > work["started_at"]
        assert module(monitor)["uptime"]["24h"]["excluded_seconds"] > 0
        assert f"UID:{work['id']}@" in monitor.read("/maintenance.ics")
        assert "Pronto." in monitor.read(f"/incidents/{work['id']}/")
        assert (await typed(monitor, "complete", work["id"]))[0] == 1


async def test_a_reload_moves_what_is_to_come(monitor: Monitor) -> None:
    """The same work at another time, with the id it had; a window that is taken out is withdrawn."""

    def window(day: int) -> str:
        return f"maintenance: [{{id: night, title: Works, from: 2030-01-{day:02}T02:00, duration: 1h}}]\n"

    def planned() -> list[tuple[str, str, str]]:
        works = v2(monitor, "scheduled-maintenances").get("scheduled_maintenances", [])
        return [(one["id"], one["scheduled_for"][:10], one["status"]) for one in works]

    monitor.file.write_text(monitor.configuration() + window(7))
    async with monitor.start():
        await monitor.until("up")
        ((id, day, status),) = planned()
        assert (day, status) == ("2030-01-07", "scheduled")
        monitor.file.write_text(monitor.configuration() + window(9))
        await eventually(lambda: planned() == [(id, "2030-01-09", "scheduled")], 15, "the work is moved")
        monitor.file.write_text(monitor.configuration())
        await eventually(lambda: planned() == [], 15, "far-off work that is withdrawn is told in the calendar only")
        assert "STATUS:CANCELLED" in monitor.read("/maintenance.ics")
