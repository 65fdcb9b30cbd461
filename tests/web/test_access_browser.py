"""Who gets in, in a real browser: the login of a user, their sessions, and the page behind an acknowledge link."""

from pathlib import Path
from typing import Any

import pytest

from tests.pages.test_browser import STRICT
from tests.web.operators import OPEN, Side, serving
from tests.web.people import EVERYBODY, SECRETS
from tests.web.test_dashboard_browser import STICKS_OUT, address, browser, until
from tests.web.test_link import link

__all__ = ["browser"]

pytestmark = pytest.mark.slow


async def look(page: Any, axe: Any) -> None:
    """Nothing sticks out, and axe finds nothing, with everything unfolded."""
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert await page.evaluate(STICKS_OUT) == [], page.url
    found = (await axe.run(page, options=STRICT)).response["violations"]
    assert not found, (page.url, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])


async def log_in(side: Side, page: Any, name: str) -> None:
    """With the keyboard: the name has the focus."""
    await page.goto(address(side, "/healthcheck"))
    await until(page, "document.activeElement.id === 'name'")
    await page.keyboard.type(name)
    await page.keyboard.press("Tab")
    await page.keyboard.type(SECRETS[name])
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#modules")


@pytest.mark.parametrize(("width", "language"), [(390, "pt-BR"), (1280, "en")])
async def test_pages_of_those_who_are_named_are_for_everybody(
    browser: Any, tmp_path: Path, width: int, language: str
) -> None:
    """Login, refusal, the board of a viewer, sessions of two, links that work and that do not."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    async with serving(tmp_path, None, roster=EVERYBODY) as side:
        context = await browser.new_context(viewport={"width": width, "height": 844}, locale=language)
        page = await context.new_page()
        await page.goto(address(side, "/healthcheck"))
        await look(page, axe)
        await log_in(side, page, "eva")
        for path in ("", "/sessions", f"/incidents/{OPEN.id}"):
            await page.goto(address(side, f"/healthcheck{path}"))
            await look(page, axe)
        for path in (link(), link(seconds=1)):
            await page.goto(address(side, path))
            await look(page, axe)
        await context.close()


async def test_a_session_is_ended_from_another_browser(browser: Any, tmp_path: Path) -> None:
    """The page that stays open says so and asks to log in again."""
    async with serving(tmp_path, None, roster=EVERYBODY) as side:
        one, other = [await browser.new_context(locale="en") for _ in range(2)]
        page, away = await one.new_page(), await other.new_page()
        await log_in(side, away, "ana")
        await away.wait_for_selector("#line[data-state=live]")
        await log_in(side, page, "ana")
        await page.click("form.who a")
        await page.click("text=End all my other sessions")
        await until(page, "document.querySelectorAll('main li').length === 1")
        await away.wait_for_selector("#line[data-state=ended]", timeout=20_000)
        await away.goto(address(side, "/healthcheck"))
        await away.wait_for_selector("#password")
        for context in (one, other):
            await context.close()


async def test_it_is_mine_without_script_and_without_a_login(browser: Any, tmp_path: Path) -> None:
    """A name, a press, and the page says whose it is."""
    async with serving(tmp_path, None, roster=EVERYBODY) as side:
        context = await browser.new_context(java_script_enabled=False, locale="en")
        page = await context.new_page()
        await page.goto(address(side, link()))
        await page.fill("#author", "Bia")
        await page.click("text=It is mine")
        await page.wait_for_url("**?done=acknowledge")
        assert "Bia (pager)" in await page.locator("#whose").inner_text()
        assert [act.by for act in (await side.stored(OPEN.id)).acts] == ["Bia (pager)"]
        await context.close()
