"""Canaries: a marked text in every place that comes from outside, a marked secret in every place that keeps one, and
the real program with all that it writes: neither a secret nor anything that acts is found in it."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from urllib.request import Request, urlopen
from xml.etree import ElementTree

import html5lib
import pytest
from aiohttp import web

from tests.processes.running import Program, eventually, free_port, get, program
from tests.web.test_dashboard_browser import browser

__all__ = ["browser"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ACTS = '"\'><img src=x onerror="window.pwned=1"><script>window.pwned=1</script><a href="javascript:pwned=1">x</a>'
TURNS = "\u202egnp.exe \x1b[31mred\x1b]0;pwned\x07"
HOSTILE = f"CANARY {ACTS} {TURNS}"
FORMULA = '=HYPERLINK("https://evil.example/","CANARY"); =2+3'
SECRETS = {
    name: f"s3cret{number}-{name.lower()}-Zx9"
    for number, name in enumerate(("OPS", "HEADER", "BODY", "QUERY", "PASSWORD", "HOOK", "SIGN", "BEAT", "PLAIN"))
}
KEY = {"Authorization": f"Bearer {SECRETS['OPS']}"}


@asynccontextmanager
async def echo(status: int) -> AsyncIterator[int]:
    """Answers with everything it was sent, and with what acts, in its body and in a header."""

    async def answered(request: web.Request) -> web.Response:
        told = {**request.headers, "url": str(request.url), "body": (await request.read()).decode(errors="replace")}
        said = json.dumps(told) + HOSTILE
        line = " ".join("".join(one for one in said if one.isprintable()).split())[:4000]
        headers = {"X-Echo": line.encode("ascii", "ignore").decode(), "Server": "CANARY <script>pwned=1</script>"}
        return web.Response(status=status, text=said, content_type="text/html", headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answered)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


class House:
    """The monitor, its files and its addresses."""

    def __init__(self, folder: Path, target: int, receiver: int) -> None:
        self.folder, self.page, self.ops = folder, free_port(), free_port()
        self.file, self.data = folder / "probes.yaml", folder / "data"
        (folder / "header").write_text(SECRETS["HEADER"] + "\n")
        name = json.dumps(f"CANARY {ACTS}")
        self.file.write_text(
            f"""\
version: 1
site: {{name: {name}, languages: [en, pt-BR], url: "http://127.0.0.1:{self.page}"}}
monitor:
  public: "127.0.0.1:{self.page}"
  ops: "127.0.0.1:{self.ops}"
  ops_token: ${{OPS}}
  heartbeat_url: "http://127.0.0.1:{receiver}/${{BEAT}}"
defaults: {{interval: 5s, timeout: 2s, confirm: 1s}}
components:
  - group: {{id: shop, name: {name}}}
    items: [{{id: all, name: {name}, modules: [echo, tls]}}]
modules:
  - id: echo
    name: {name}
    description: {name}
    probes:
      - id: home
        method: POST
        url: "http://127.0.0.1:{target}/?api_key=${{QUERY}}"
        headers: {{X-Key: "${{file:header}}", Authorization: "Bearer {SECRETS["PLAIN"]}"}}
        json: {{key: "${{BODY}}"}}
        allow_private: true
        expect: {{header: {{x-echo: nothing}}, contains: never}}
  - id: tls
    name: {name}
    probes: [{{id: home, url: "https://me:${{PASSWORD}}@127.0.0.1:{target}/", allow_private: true}}]
channels:
  chat: {{kind: webhook, url: "http://127.0.0.1:{receiver}/${{HOOK}}", secret: "${{SIGN}}"}}
notify: [{{steps: [{{to: [chat]}}]}}]
"""
        )

    def command(self, *words: str) -> Any:
        where = ("--config", str(self.file), "--data", str(self.data))
        return program(*words, *where, log=self.folder / f"out-{words[0]}", **SECRETS)

    async def said(self, *words: str) -> str:
        """What a command prints."""
        async with self.command(*words) as one:
            await asyncio.wait({asyncio.ensure_future(one.process.wait())}, timeout=60)
        return one.output

    def ask(self, path: str) -> str:
        status, body = get(f"http://127.0.0.1:{self.ops}{path}", headers=KEY)
        assert status == 200, path
        return body

    def send(self, path: str, body: Any, **headers: str) -> int:
        """The status of what was sent, as JSON or as a form."""
        raw = json.dumps(body).encode() if isinstance(body, dict) else body.encode()
        kind = "application/json" if isinstance(body, dict) else "application/x-www-form-urlencoded"
        url = f"http://127.0.0.1:{self.ops}{path}"
        sent = {"Content-Type": kind, **({} if path.endswith("login") else KEY), **headers}
        try:
            with urlopen(Request(url, raw, sent), timeout=10) as answer:
                return int(answer.status)
        except OSError as error:
            return int(getattr(error, "code", 0))

    def incidents(self) -> list[dict[str, Any]]:
        status, body = get(f"http://127.0.0.1:{self.ops}/api/ops/v1/incidents", headers=KEY)
        return list(json.loads(body)["incidents"]) if status == 200 else []


async def talk(house: House) -> None:
    """Everything that people can say, with what acts in it."""
    (first, *_) = house.incidents()
    here = "/api/ops/v1/incidents"
    agent = {"User-Agent": f"CANARY {ACTS}"}
    for path, body in (
        (f"{here}/{first['id']}/updates", {"message": HOSTILE, "author": f"CANARY {ACTS}"[:100]}),
        (here, {"title": FORMULA, "message": HOSTILE, "modules": ["tls"], "author": "CANARY"}),
        (
            "/api/ops/v1/maintenance",
            {
                "title": f"CANARY {ACTS}",
                "message": f"CANARY {ACTS}",
                "modules": ["tls"],
                "from": "+1h",
                "duration": "1h",
            },
        ),
    ):
        assert await asyncio.to_thread(house.send, path, body) in (200, 201), path
    await asyncio.to_thread(house.send, f"{here}/{quote(ACTS)}/acknowledge", {})
    for token in (SECRETS["OPS"], f"CANARY {ACTS}"):
        form = f"token={quote(token)}&author={quote(ACTS[:90])}"
        await asyncio.to_thread(lambda form=form: house.send("/healthcheck/login", form, **agent))


def outputs(house: House, one: Program) -> dict[str, str]:
    """Everything that was written or is answered, by its name."""
    (first, *_) = house.incidents()
    pages = [
        "",
        "/audit",
        "/outbox",
        "/sessions",
        "/maintenance",
        "/silences",
        "/open",
        "/modules/echo",
        "/modules/tls",
    ]
    pages.append(f"/incidents/{first['id']}")
    found = {f"ops{path}.html": house.ask(f"/healthcheck{path}") for path in pages}
    for path in ("status", "incidents", "audit", "outbox", "sessions", "maintenance", "modules/echo", "openapi.json"):
        found[f"ops-{path}.json"] = house.ask(f"/api/ops/v1/{path}")
    found["metrics.txt"] = house.ask("/metrics")
    found["log.txt"] = one.output
    for file in (house.data / "public").rglob("*"):
        if file.is_file() and file.suffix in (".html", ".json", ".atom", ".rss", ".xml", ".ics", ".svg", ".txt"):
            found[f"public/{file.relative_to(house.data / 'public')}"] = file.read_text()
    return found


def acting(page: str) -> list[str]:
    """What would act in a page: scripts in it, handlers, addresses that are scripts, the picture of the canary."""
    found = []
    for element in html5lib.parse(page, namespaceHTMLElements=False).iter():
        if not isinstance(element.tag, str):
            continue
        links = [element.get(name, "") for name in ("href", "src", "action", "formaction", "data")]
        if (
            (element.tag == "script" and not element.get("src"))
            or any(str(name).startswith("on") for name in element.attrib)
            or any(link.strip().lower().startswith(("javascript:", "data:text")) or link == "x" for link in links)
        ):
            found.append(ElementTree.tostring(element, "unicode")[:200])
    return found


def formulas(folder: Path) -> list[str]:
    """Cells that a spreadsheet would take for formulas, in every table that was written, whatever divides its lines."""
    tables = [path.read_text() for path in (folder / "out-report", *Path(folder).rglob("*.csv"))]
    rows = (row for text in tables for by in ",;\t" for row in csv.reader(io.StringIO(text), delimiter=by))
    return [cell for row in rows for cell in row if cell.strip().startswith(("=", "@"))]


def leaked(found: dict[str, str]) -> list[tuple[str, str]]:
    forms = {name: {secret, quote(secret, safe="")} for name, secret in SECRETS.items()}
    return [
        (where, name) for where, text in found.items() for name, each in forms.items() if any(f in text for f in each)
    ]


async def test_no_secret_and_nothing_that_acts_leaves_the_process(tmp_path: Path, browser: Any) -> None:
    """Failures on every path: answers that echo what they were sent, wrong TLS, a webhook that answers 500 with its own
    secret, a configuration that breaks. In Chromium nothing runs, and no request leaves for anywhere."""
    async with echo(503) as target, echo(500) as receiver:
        house = House(tmp_path, target, receiver)
        async with house.command("run", "--log-level", "debug", "--log-format", "json") as one:
            await eventually(lambda: len(house.incidents()) >= 1, 40, "there is an incident")
            await talk(house)
            await eventually(
                lambda: '"dead"' in house.ask("/api/ops/v1/outbox") or "500" in one.output, 30, "it is told"
            )
            good = house.file.read_text()
            house.file.write_text(
                good.replace("method: POST", "method: POST\n        urll: x").replace("https://me", "htps://me")
            )
            await eventually(lambda: "is not reloaded" in one.output, 15, "the file is broken")
            broken = await house.said("check")
            house.file.write_text(good)
            shown = lambda: any("CANARY" in file.read_text() for file in (house.data / "public").rglob("*.html"))  # noqa: E731
            await eventually(shown, 15, "the page shows it")
            found = await asyncio.to_thread(outputs, house, one)
            found["check.txt"] = broken
            found["probe.txt"] = await house.said("probe", "--debug")
            found["report.csv"] = await house.said(
                "report", "--from", "2020-01-01", "--until", "2100-01-01", "--format", "csv"
            )

            assert leaked(found) == []
            assert sum("CANARY" in text for text in found.values()) > 15
            pages = {where: acting(text) for where, text in found.items() if where.endswith(".html")}
            assert {where: what for where, what in pages.items() if what} == {}
            for where, text in found.items():
                if where.endswith((".atom", ".rss", ".xml", ".svg")):
                    ElementTree.fromstring(text)
                if where.endswith((".txt", ".html", ".ics")):
                    assert not {"\x1b", "\x07", "\u202e"} & set(text), where
            assert formulas(tmp_path) == []
            await visited(browser, house)
            assert await one.leave() == 0
        assert leaked({"log": one.output}) == []
        assert "Traceback" not in one.output


async def visited(browser: Any, house: House) -> None:
    """The pages in a real browser: what acts does not, and nothing is asked of anybody else."""
    ours = {f"127.0.0.1:{house.page}", f"127.0.0.1:{house.ops}"}
    (first, *_) = house.incidents()
    context = await browser.new_context(extra_http_headers=KEY)
    asked: list[str] = []
    page = await context.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for url in (
        *(f"http://127.0.0.1:{house.page}{path}" for path in ("/", "/healthcheck/", f"/incidents/{first['id']}/")),
        *(f"http://127.0.0.1:{house.ops}/healthcheck{path}" for path in ("", "/audit", f"/incidents/{first['id']}")),
    ):
        await page.goto(url, wait_until="load")
        assert await page.evaluate("window.pwned") is None, url
        assert "CANARY" in await page.content(), url
    assert {url.split("/")[2] for url in asked} <= ours
    assert not [url for url in asked if url.endswith("/x")]
    await context.close()
