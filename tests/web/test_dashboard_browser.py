"""The dashboard in a real browser: nothing sticks out, nothing is inaccessible, and it is live."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.board import Condition
from monitor.core.module import Status
from tests.pages import pictures
from tests.pages.test_browser import CHROMIUM, STRICT, WIDTHS
from tests.web.operators import OPEN, TOKEN, Side, serving, stormy

STICKS_OUT = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('main *')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.outerHTML.slice(0, 120))"""

pytestmark = pytest.mark.slow


@pytest.fixture
async def browser() -> AsyncIterator[Any]:
    """A headless Chromium."""
    playwright = pytest.importorskip("playwright.async_api")
    if not CHROMIUM.exists() and not os.environ.get("MONITOR_TEST_REQUIRE_ALL"):
        pytest.skip(f"{CHROMIUM} is not here")
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    async with playwright.async_playwright() as started:
        browser = await started.chromium.launch(executable_path=str(CHROMIUM), args=arguments)
        yield browser
        await browser.close()


async def until(page: Any, expression: str, arg: Any = None) -> None:
    """Waits until it is true, as `tests.pages.test_browser.until`."""
    for _ in range(1000):
        if await page.evaluate(expression, arg):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(expression)


def address(side: Side, path: str) -> str:
    return str(side.client.make_url(path))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1280, 1920])
async def test_nothing_sticks_out_and_nothing_is_inaccessible(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    """Board, module, incident with every form unfolded, open, refused and login; axe finds nothing, and nothing offends
    the policy."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    shown = stormy()
    incident = next(iter(shown[0].incidents))
    pages = ["", "/modules/checkout", f"/incidents/{incident}", "/open", "/audit", "/login", "/modules/nope"]
    async with serving(tmp_path, None, shown) as side:
        acknowledging = f"/api/ops/v1/incidents/{incident}/acknowledge"
        assert (await side.client.post(acknowledging, json={"author": "Ana"})).status == 200  # a line in the audit log
        context = await browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme)
        page = await context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        for path in pages:
            await page.goto(address(side, f"/healthcheck{path}"))
            await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
            assert await page.evaluate(STICKS_OUT) == [], path
            found = (await axe.run(page, options=STRICT)).response["violations"] if width in WIDTHS else []
            assert not found, (path, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])
        await context.close()
    assert [text for text in problems if "404" not in text] == []


async def test_everything_is_done_with_the_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    """Log in, find the incident, write an update and send it: Tab, letters and Enter."""
    async with serving(tmp_path, TOKEN) as side:
        context = await browser.new_context(locale="en")
        page = await context.new_page()
        await page.goto(address(side, f"/healthcheck/incidents/{OPEN.id}"))
        await until(page, "document.activeElement.id === 'token'")  # the field has the focus
        await page.keyboard.type(TOKEN)
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#controls")
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.id") == "update-message.en":
                break
        await page.keyboard.type("We look into it.")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**?done=update")
        assert "We look into it." in await page.locator("#timeline").inner_text()
        assert (await side.stored(OPEN.id)).updates[-1].body == {"en": "We look into it."}
        await context.close()


async def test_forms_work_without_script(browser: Any, tmp_path: Path) -> None:
    """Acknowledge from the board, with the script switched off."""
    async with serving(tmp_path, None) as side:
        context = await browser.new_context(java_script_enabled=False, locale="en")
        page = await context.new_page()
        await page.goto(address(side, "/healthcheck"))
        await page.locator(f"#incident-{OPEN.id} button").first.click()
        await page.wait_for_url("**/healthcheck?done=acknowledge")
        assert "Done, and on disk." in await page.locator("main").inner_text()
        assert (await side.stored(OPEN.id)).acknowledged_at is not None
        await context.close()


async def test_two_operators_see_what_the_other_does(browser: Any, tmp_path: Path) -> None:
    """One writes; the page of the other shows it within seconds, and what they are typing meanwhile stays theirs."""
    async with serving(tmp_path, None) as side:
        context = await browser.new_context(locale="en")
        page = await context.new_page()
        await page.goto(address(side, f"/healthcheck/incidents/{OPEN.id}"))
        await page.wait_for_selector("#line[data-state=live]")
        await page.locator("[id='update-message.en']").fill("half a sen")
        fields = {"csrf": await side.csrf(), "message.en": "From the other one."}
        assert (await side.post(f"/healthcheck/incidents/{OPEN.id}/update", fields)).status == 303
        await page.locator("#timeline", has_text="From the other one.").wait_for()
        assert await page.locator("[id='update-message.en']").input_value() == "half a sen"
        await page.keyboard.type("tence")
        assert await page.locator("[id='update-message.en']").input_value() == "half a sentence"
        await context.close()


async def test_the_board_follows_and_sorts_what_fails_first(browser: Any, tmp_path: Path) -> None:
    """A module that goes down moves to the top without a reload; the keyboard stays where it was."""
    picture = pictures.green()
    async with serving(tmp_path, None, (picture.board, picture.history)) as side:
        context = await browser.new_context(locale="en")
        page = await context.new_page()
        await page.goto(address(side, "/healthcheck"))
        await page.wait_for_selector("#line[data-state=live]")
        assert await page.locator("#modules > article").first.get_attribute("id") == "module-router"
        await page.locator("#module-cdn h3 a").focus()
        down = Condition(Status.DOWN, side.desk.board.modules["oms"].since + timedelta(days=1))
        side.desk.board = replace(side.desk.board, modules={**side.desk.board.modules, "oms": down})
        await page.wait_for_selector("#modules > article:first-child#module-oms.down")
        assert "1 Unhealthy" in await page.title()
        focused = await page.evaluate("document.activeElement.closest('article').id")
        assert focused == "module-cdn"
        assert await page.locator("#modules > article").count() == 25
        await context.close()


async def test_what_the_board_is_narrowed_down_to_stays_so(browser: Any, tmp_path: Path) -> None:
    """A module that goes down appears among those that are down; the keyboard stays in the filter; the map leads to the
    pages of operators."""
    picture = pictures.green()
    async with serving(tmp_path, None, (picture.board, picture.history)) as side:
        context = await browser.new_context(locale="en")
        page = await context.new_page()
        await page.goto(address(side, "/healthcheck?group=selling"))
        await page.wait_for_selector("#line[data-state=live]")
        await page.wait_for_selector("#filter_by:not([hidden])")
        await page.locator("#filter_status").focus()
        await page.locator("#filter_status").select_option("down")
        await page.wait_for_selector("#module-oms", state="hidden")
        assert await page.locator("#shown_count").inner_text() == "0 of 25 shown"
        down = Condition(Status.DOWN, side.desk.board.modules["oms"].since + timedelta(days=1))
        failing = {**side.desk.board.modules, "oms": down, "search": down}
        side.desk.board = replace(side.desk.board, modules=failing)
        await page.wait_for_selector("#module-oms.down")
        assert await page.locator("#modules > article:visible").count() == 1
        assert await page.locator("#shown_count").inner_text() == "1 of 25 shown"
        assert await page.evaluate("document.activeElement.id") == "filter_status"
        await page.locator("#dependency_map a.down").first.wait_for()
        await page.get_by_role("link", name="Orders (OMS): Unhealthy").click()
        await page.wait_for_url("**/healthcheck/modules/oms")
        await context.close()


async def test_the_page_comes_back_after_a_lost_connection(browser: Any, tmp_path: Path) -> None:
    """While the monitor is away the page says so; when it is back the page shows what is so by then, without a
    reload."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    context = await browser.new_context(locale="en")
    page = await context.new_page()
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    async with serving(tmp_path / "a", None, port=port) as side:
        await page.goto(address(side, "/healthcheck"))
        await page.wait_for_selector("#line[data-state=live]")
        await page.evaluate("window.here = true")
    await page.wait_for_selector("#line[data-state=lost]", timeout=20_000)
    assert "does not answer" in await page.locator("#line").inner_text()
    async with serving(tmp_path / "b", None, stormy(), port=port):
        await page.wait_for_selector("#line[data-state=live]", timeout=20_000)
        await page.wait_for_selector("#module-promotions.down")
        assert await page.evaluate("window.here")
        await context.close()
        await asyncio.sleep(0)


async def test_a_broken_line_is_replaced_by_questions(browser: Any, tmp_path: Path) -> None:
    """Where a proxy cuts the stream, the page asks every few seconds."""
    async with serving(tmp_path, None) as side:
        context = await browser.new_context(locale="en")
        page = await context.new_page()
        await page.route("**/events", lambda route: route.abort())
        await page.goto(address(side, "/healthcheck"))
        await page.wait_for_selector("#line[data-state=asking]")
        await side.post(f"/healthcheck/incidents/{OPEN.id}/acknowledge", {"csrf": await side.csrf()})
        await page.locator(f"#incident-{OPEN.id}", has_text="Acknowledged").wait_for(timeout=20_000)
        await context.close()
