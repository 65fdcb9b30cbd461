"""The pages in a real browser: nothing sticks out, nothing is inaccessible, and the script only refreshes."""

import json
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pages.conftest import LANGUAGES, published
from tests.pages.pictures import STATES, works

CHROMIUM = Path("/usr/bin/chromium")
ORIGIN = "http://status.test"
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; connect-src 'self'; img-src 'self' data:"
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".json": "application/json",
}

# With a rule of WCAG 2.2 that axe leaves out; without all that is well, of which to tell takes half of its time.
STRICT = {"rules": {"target-size": {"enabled": True}}, "resultTypes": ["violations"]}

WIDTHS = (390, 1280)  # at which axe looks: what it finds does not depend on the widths between

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists() and not os.environ.get("MONITOR_TEST_REQUIRE_ALL"):
        pytest.skip(f"{CHROMIUM} is not here")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        browser.close()


class Shop:
    """A site served to the browser from memory; `files` may change while it looks. `asked` is what it asked for."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []
        self.down = False

    def serve(self, route: Any) -> None:
        """Answers one request, or breaks off."""
        url = route.request.url
        self.asked.append(url)
        path = url.removeprefix(ORIGIN + "/").partition("?")[0]
        path += "index.html" if path.endswith("/") or not path else ""
        if self.down or not url.startswith(ORIGIN) or path not in self.files:
            route.abort()
            return
        headers = {"Content-Security-Policy": POLICY, "Content-Type": TYPES[Path(path).suffix]}
        route.fulfill(body=self.files[path], headers=headers)


def until(page: Any, expression: str) -> None:
    """Waits until it is true. What Playwright waits with is a script that looks again inside the page, which our own
    policy forbids as soon as the first look was too early."""
    end = time.monotonic() + 30
    while not page.evaluate(expression):
        assert time.monotonic() < end, expression
        time.sleep(0.02)


def status(**facts: object) -> bytes:
    """A status file."""
    return json.dumps({"generated_at": "x", "data_until": "2026-11-23T15:15:12.000Z", **facts}).encode()


def folder(language: str) -> str:
    """The root of a language."""
    return "" if language == LANGUAGES[0] else f"{language}/"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 390, 768, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_sticks_out_and_nothing_is_inaccessible(browser: Any, language: str, width: int, scheme: str) -> None:
    """Home, Healthcheck, an incident, a component, a module and the rest; axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
    page = context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: problems.append(str(error)))
    incident = next(path for path in published("stormy") if path.startswith("incidents/")).removesuffix("index.html")
    everywhere = ["", "healthcheck/", incident, "components/cart/", "modules/promotions/", "about/", "history/"]
    work = f"incidents/{works()[0].id}/"
    worked_on = ["", "maintenance/", work, "modules/payments/", "components/payment/"]
    shop = Shop({})
    page.route("**/*", shop.serve)
    for state in STATES:
        paths = {"stormy": everywhere, "working": worked_on}.get(state, [""])
        shop.files = {**published(state), "api/v1/status.json": status()}
        for path in paths:
            where = (state, language, path)
            page.goto(f"{ORIGIN}/{folder(language)}{path}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), where
            if width in WIDTHS:
                assert not axe.run(page, options=STRICT).response["violations"], where
    context.close()
    assert problems == []


@pytest.mark.parametrize("state", ["troubled", "green"])
def test_the_page_is_complete_without_script(browser: Any, state: str) -> None:
    """What the script would say is there already, and one request was enough."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page, shop = context.new_page(), Shop(published(state))
    page.route("**/*", shop.serve)
    page.goto(ORIGIN + "/")

    assert page.locator("[data-component-id]").count() == 18
    assert "Dados até" in page.locator("#updated").inner_text()
    assert page.locator(".incident").count() == (state == "troubled")
    if state == "troubled":
        box = page.locator(".incident h2").bounding_box()
        assert box["y"] + box["height"] < 844  # the headline is on the first screen
    assert {url for url in shop.asked if "favicon" not in url} == {ORIGIN + "/"}
    context.close()


def test_the_script_refreshes_and_announces_once(browser: Any) -> None:
    """A change of facts replaces the content, keeps the focus, and is spoken once."""
    context = browser.new_context()
    page, shop = context.new_page(), Shop({**published("green"), "api/v1/status.json": status(overall="none")})
    page.route("**/*", shop.serve)
    page.clock.install(time="2026-11-23T15:15:32Z")
    page.goto(ORIGIN + "/en/")
    assert re.fullmatch(r"Updated 2\d\ss ago", page.locator("#updated").inner_text())
    page.locator('a[href="../en/components/cart/"]').focus()

    shop.files = {**published("troubled"), "api/v1/status.json": status(overall="major")}
    page.clock.run_for(40_000)
    page.wait_for_selector(".incident")

    assert page.locator("#live").inner_text() == "Partial System Outage. 1 open incident"
    assert "Partial System Outage" in page.title()
    assert page.evaluate("document.activeElement.getAttribute('href')") == "../en/components/cart/"
    assert page.locator(".ago").inner_text().replace("\u00a0", " ") in ("(12 min ago)", "(13 min ago)")

    before = len([url for url in shop.asked if url == ORIGIN + "/en/"])
    page.clock.run_for(40_000)
    page.wait_for_timeout(200)
    assert len([url for url in shop.asked if url == ORIGIN + "/en/"]) == before
    context.close()


def test_what_a_reader_unfolded_stays_so(browser: Any) -> None:
    """A refresh folds nothing up again and leaves the focus where it was."""
    context = browser.new_context()
    page, shop = context.new_page(), Shop({**published("stormy"), "api/v1/status.json": status(overall="major")})
    page.route("**/*", shop.serve)
    page.clock.install(time="2026-11-23T15:15:32Z")
    page.goto(ORIGIN + "/en/")
    page.clock.run_for(40_000)
    page.locator("summary").last.click()

    shop.files = {
        **shop.files,
        "en/index.html": published("stormy")["en/index.html"].replace(b"</main>", b"<p id=fresh></p></main>"),
        "api/v1/status.json": status(overall="critical"),
    }
    page.clock.run_for(40_000)
    page.wait_for_selector("#fresh", state="attached")

    assert page.locator("details").last.get_attribute("open") is not None
    assert page.evaluate("document.activeElement === [...document.querySelectorAll('summary')].at(-1)")
    context.close()


def test_the_script_survives_being_offline(browser: Any) -> None:
    """It says so, with the age of what is shown, and goes on when the line is back."""
    context = browser.new_context()
    page, shop = context.new_page(), Shop({**published("green"), "api/v1/status.json": status()})
    page.route("**/*", shop.serve)
    page.clock.install(time="2026-11-23T15:15:32Z")
    page.goto(ORIGIN + "/")
    shop.down = True
    page.clock.run_for(40_000)
    page.wait_for_selector("#updated.stale")
    assert page.locator("#updated").inner_text().startswith("Sem conexão. Última leitura há")
    assert page.locator("[data-component-id]").count() == 18

    shop.down = False
    page.clock.run_for(40_000)
    page.wait_for_selector("#updated:not(.stale)")
    context.close()


def test_old_data_is_called_old_on_every_page(browser: Any) -> None:
    """With the monitor dead an open page says how old it is, once the time that follows the configuration is over."""
    context = browser.new_context()
    page, shop = context.new_page(), Shop({**published("troubled"), "api/v1/status.json": status()})
    page.route("**/*", shop.serve)
    page.clock.install(time="2026-11-23T15:15:32Z")
    incident = next(path for path in published("troubled") if path.startswith("incidents/")).removesuffix("index.html")
    kinds = ["", "healthcheck/", incident, "components/cart/", "modules/promotions/", "about/", "history/"]
    for path in [*kinds, "404.html"]:
        page.clock.set_system_time("2026-11-23T15:15:32Z")
        page.goto(f"{ORIGIN}/{path}")
        page.wait_for_selector("#updated:not(.stale)")
        page.clock.run_for(
            200_000
        )  # 220 s after the newest data: probes every 30 s may take 120 s, and the way as long
        assert page.locator("#updated.stale").count() == 0, path
        page.clock.run_for(40_000)
        page.wait_for_selector("#updated.stale")
        told = page.locator("#updated").inner_text().replace("\u00a0", " ")
        assert told == "Última leitura há 4 min: o monitor pode ter parado.", path
    context.close()


def test_without_script_every_page_leads_to_the_time_of_its_data(browser: Any) -> None:
    """The home page has it in full, with date and zone; the others link there."""
    context = browser.new_context(java_script_enabled=False)
    page, shop = context.new_page(), Shop(published("green"))
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/en/modules/search/")
    page.get_by_role("link", name="How old the data is").click()
    assert page.url == f"{ORIGIN}/en/#updated"
    told = page.locator("#updated").inner_text().replace("\u00a0", " ")
    assert told == "Data up to Nov 23, 2026, 12:15 UTC-3"
    assert page.locator("#updated time").get_attribute("datetime") == "2026-11-23T15:15:12.000Z"
    context.close()
