"""Independent readers of Statuspage v2 make of our page what we meant: one from PyPI, two from npm, our own prober."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from prometheus_client.parser import text_string_to_metric_families

from monitor.core.probe import Probe, Role
from monitor.core.target import PageTarget
from monitor.pages.picture import Picture
from tests.pages import pictures
from tests.pages.served import served
from tests.pages.test_browser import CHROMIUM
from tests.probers.looking import reaching, seen
from tests.programs import from_npm, path_of

EXPORTER = "from statuspage_prometheus_exporter.status_monitoring import main; main()"
READER = """
const { Statuspage } = require("statuspage.io");
const client = new Statuspage("ours");
client.setApiUrl(process.argv[2]);
(async () => console.log(JSON.stringify({
  status: await client.api.getStatus(),
  components: await client.api.getComponents(),
  summary: await client.api.getSummary(),
  incidents: await client.api.incidents.getAll(),
  unresolved: await client.api.incidents.getUnresolved(),
  planned: await client.api.scheduledMaintenances.getUpcoming(),
})))();
"""


async def run(*command: str, **environment: str) -> str:
    """What the program prints; it must end well."""
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode(errors="replace")[-2000:]
    return output.decode()


def parsed(files: dict[str, bytes], name: str) -> Any:
    return json.loads(files[f"api/v2/{name}.json"])


@pytest.mark.slow
@pytest.mark.parametrize("state", ["green", "stormy"])
async def test_an_exporter_from_pypi_counts_what_we_tell(state: str, tmp_path: Path) -> None:
    """`statuspage-prometheus-exporter` turns our summary into metrics: verdict, components, incidents."""
    pytest.importorskip("statuspage_prometheus_exporter", reason="statuspage-prometheus-exporter is not installed")
    async with served(pictures.STATES[state](), tmp_path) as (url, files):
        services = tmp_path / "services.json"
        services.write_text(json.dumps({"us": {"name": "Us", "url": f"{url}/api/v2/summary.json"}}))
        metrics = tmp_path / "metrics.prom"
        await run(
            *(sys.executable, "-c", f"import os; os.chdir({str(tmp_path)!r}); {EXPORTER}"),
            SERVICES_JSON_PATH=str(services),
            METRICS_TEXTFILE_PATH=str(metrics),
            RUN_MODE="once",
        )
    found = {family.name: family.samples for family in text_string_to_metric_families(metrics.read_text())}
    summary = parsed(files, "summary")
    assert found["statuspage_probe_check"][0].value == 1
    assert found["statuspage_service_status"][0].value == (state == "green")
    components = {one.labels["component_name"]: one.value for one in found["statuspage_component_status"]}
    assert components == {one["name"]: one["status"] == "operational" for one in summary["components"]}
    told = {one.labels["incident_id"]: one.labels for one in found["statuspage_incident_info"]}
    told.pop("none", None)  # its word for no incident
    assert set(told) == {one["id"] for one in summary["incidents"]}
    for one in summary["incidents"]:
        assert told[one["id"]]["shortlink"] == f"{url}/incidents/{one['id']}/"
        assert told[one["id"]]["impact"] == one["impact"]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_client_from_npm_reads_every_file(tmp_path: Path) -> None:
    """`statuspage.io`, a typed client: what its calls return is what we wrote."""
    from_npm(tmp_path / "npm", "statuspage.io", "3")
    (tmp_path / "npm" / "read.js").write_text(READER)
    async with served(pictures.stormy(), tmp_path) as (url, files):
        told = json.loads(await run(path_of("node"), str(tmp_path / "npm" / "read.js"), url))
    names = {"unresolved": "incidents/unresolved", "planned": "scheduled-maintenances/upcoming"}
    assert set(told) == {"status", "components", "summary", "incidents", "unresolved", "planned"}
    for call, answer in told.items():
        assert answer == parsed(files, names.get(call, call)), call


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("state", ["green", "stormy"])
async def test_the_widget_of_statuspage_shows_our_verdict_on_another_site(state: str, tmp_path: Path) -> None:
    """Atlassian's own web component reads us from a page of another origin."""
    if not CHROMIUM.exists():
        path_of("chromium")
    playwright = pytest.importorskip("playwright.async_api")
    script = from_npm(tmp_path / "npm", "@statuspage/status-widget", "1") / "dist" / "index.js"
    async with served(pictures.STATES[state](), tmp_path) as (url, files):
        widget = f'<statuspage-widget src="{url}"></statuspage-widget>'
        page = f'<!doctype html><title>x</title><body>{widget}<script src="/w.js"></script>'

        async def answer(request: web.Request) -> web.StreamResponse:
            if request.path == "/w.js":
                return web.FileResponse(script)
            return web.Response(text=page, content_type="text/html")

        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        async with TestServer(app) as elsewhere, playwright.async_playwright() as started:
            browser = await started.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
            shown = await browser.new_page()
            await shown.goto(str(elsewhere.make_url("/")))
            verdict = shown.locator("statuspage-widget").get_by_text(parsed(files, "status")["status"]["description"])
            await verdict.wait_for(timeout=20_000)
            await browser.close()


@pytest.mark.parametrize("state", ["green", "stormy"])
async def test_our_own_prober_reads_our_own_page(state: str, tmp_path: Path) -> None:
    """What the monitor reads on other people's pages it can read on its own, by the address of the page alone."""
    picture: Picture = pictures.STATES[state]()
    async with served(picture, tmp_path) as (url, files), reaching() as reach:
        ask = PageTarget(url, allow_private=True)
        probe = Probe(
            "us", "page", "statuspage", timedelta(minutes=1), timedelta(seconds=5), role=Role.EVIDENCE, ask=ask
        )
        observation, _ = await seen(reach, probe)
    summary = parsed(files, "summary")
    assert observation.values["indicator"] == summary["status"]["indicator"]
    assert [one["id"] for one in observation.values["incidents"]] == [one["id"] for one in summary["incidents"]]
    components = {one["name"]: one["status"] for one in summary["components"] if not one["group"]}
    assert {one["name"].rpartition(" - ")[2]: one["status"] for one in observation.values["components"]} == components
