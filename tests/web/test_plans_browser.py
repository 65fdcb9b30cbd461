"""Silences and planned work on the dashboard, in a real browser."""

from pathlib import Path
from typing import Any

import pytest

from tests.pages.test_browser import STRICT
from tests.web.operators import OPEN, TOKEN, Side, serving, stormy
from tests.web.test_dashboard_browser import STICKS_OUT, address, browser, until

__all__ = ["browser"]  # a fixture
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

RULE = {"title.en": "x", "modules": "checkout", "duration": "1h", "rrule": "FREQ=WEEKLY"}
LONG = "checkout-and-everything-that-hangs-on-it " * 4


async def filled_with(side: Side) -> None:
    """A few of each, with long words."""
    for fields in ({"all": "yes"}, {"modules": "checkout"}, {"codes": "http, tls, dns.nxdomain"}):
        silence = {"csrf": await side.csrf(), "reason": LONG, "author": "Ana", "lasts": "7d", **fields}
        assert (await side.post("/healthcheck/silences", silence)).status == 303
    one = next(iter(side.desk.board.silences))
    await side.post(f"/healthcheck/silences/{one}/lift", {"csrf": await side.csrf()})
    for plan in (RULE, {**RULE, "rrule": "", "title.en": LONG}):
        assert (await side.post("/healthcheck/maintenance", {"csrf": await side.csrf(), **plan})).status == 303


@pytest.mark.parametrize(("width", "scheme"), [(390, "light"), (1280, "dark")])
async def test_nothing_sticks_out_and_nothing_is_inaccessible(
    browser: Any, tmp_path: Path, width: int, scheme: str
) -> None:
    """Lists, forms with all unfolded, a form that came back, a plan that was tried out, a silenced incident."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    shown = stormy()
    async with serving(tmp_path, None, shown) as side:
        await filled_with(side)
        context = await browser.new_context(viewport={"width": width, "height": 844}, color_scheme=scheme, locale="en")
        page = await context.new_page()
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))

        async def looks_well(what: str) -> None:
            await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
            assert await page.evaluate(STICKS_OUT) == [], what
            found = (await axe.run(page, options=STRICT)).response["violations"]
            assert not found, (what, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])

        paths = ("/silences", "/maintenance", f"/incidents/{next(iter(shown[0].incidents))}", "/modules/checkout")
        for path in paths:
            await page.goto(address(side, f"/healthcheck{path}"))
            await looks_well(path)
        await page.goto(address(side, "/healthcheck/maintenance"))
        await page.get_by_role("checkbox", name="Everything").check()
        await page.get_by_role("textbox", name="Title (en)").fill("New database")
        await page.get_by_label("How it repeats").fill("FREQ=WEEKLY;BYDAY=SU")
        await page.get_by_role("button", name="Show when").click()
        await page.wait_for_selector("#ahead")
        assert await page.locator("#ahead li").count() == 5
        await looks_well("tried out")
        await page.get_by_label("How long it takes").fill("two hours")
        await page.get_by_role("button", name="Plan the work").click()
        await page.wait_for_selector("[role=alert]")
        assert await page.get_by_label("How it repeats").input_value() == "FREQ=WEEKLY;BYDAY=SU"
        await looks_well("refused")
        await context.close()
    assert [text for text in problems if "400" not in text] == []


async def test_an_incident_is_silenced_and_heard_of_again_with_the_keyboard_alone(browser: Any, tmp_path: Path) -> None:
    """From its page to the form, which knows it already; the board says so, also in a page that stood open."""
    async with serving(tmp_path, TOKEN) as side:
        context = await browser.new_context(locale="en")
        page, other = await context.new_page(), await context.new_page()
        await page.goto(address(side, f"/healthcheck/incidents/{OPEN.id}"))
        await until(page, "document.activeElement.id === 'token'")
        await page.keyboard.type(TOKEN)
        await page.keyboard.press("Tab")
        await page.keyboard.type("Ana")
        await page.keyboard.press("Enter")
        await page.wait_for_selector("#controls")
        await other.goto(address(side, "/healthcheck"))
        await other.wait_for_selector("#line[data-state=live]")

        await page.get_by_role("link", name="Silence…").focus()
        await page.keyboard.press("Enter")
        await page.get_by_label("Reason").wait_for()
        assert await page.get_by_label("Incident").input_value() == OPEN.id
        await page.get_by_label("Reason").focus()
        await page.keyboard.type("deploy")
        await page.keyboard.press("Enter")
        await page.locator("#digest .silent", has_text="Silenced by Ana until").wait_for()
        assert "deploy" in await page.locator("#digest .silent").inner_text()
        await other.locator(f"#incident-{OPEN.id} .silent", has_text="deploy").wait_for(timeout=20_000)

        await page.get_by_role("button", name="Lift the silence").focus()
        await page.keyboard.press("Enter")
        await page.locator("#digest .silent").wait_for(state="detached")
        await other.locator(f"#incident-{OPEN.id} .silent").wait_for(state="detached", timeout=20_000)
        assert next(iter(side.desk.board.silences.values())).lifted_by == "Ana"
        await context.close()


async def test_the_pages_are_complete_without_script(browser: Any, tmp_path: Path) -> None:
    """Work is planned and begun, step by step, by forms alone."""
    async with serving(tmp_path, None) as side:
        context = await browser.new_context(locale="en", java_script_enabled=False)
        page = await context.new_page()
        await page.goto(address(side, "/healthcheck/maintenance"))
        await page.get_by_role("textbox", name="Title (en)").fill("New database")
        await page.get_by_role("checkbox", name="Checkout").first.check()
        await page.locator("#work-from").fill("2026-12-24T02:00")
        await page.get_by_role("button", name="Plan the work").click()
        await page.locator("#coming article", has_text="New database").wait_for()
        await page.locator("#coming summary", has_text="Begin now").click()
        await page.get_by_role("button", name="Begin now").click()
        await page.locator("#going-on article", has_text="New database").wait_for()
        (one,) = side.desk.board.agenda.works.values()
        assert (one.is_going_on, one.modules) == (True, ("checkout",))
        await context.close()
