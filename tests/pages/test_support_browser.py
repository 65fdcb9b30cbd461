"""The support page in a real browser: on a phone and on a desk, by keyboard, without script, in each language."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from monitor.config.offering import plans_of
from monitor.config.parse import parse
from monitor.pages.render import html_files
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.conftest import LANGUAGES, THEME
from tests.pages.test_browser import ORIGIN, STRICT, Shop, browser, folder, status

__all__ = ["browser"]  # a fixture
pytestmark = pytest.mark.slow

EXAMPLE = Path(__file__).parents[2] / "plans.example.yaml"
FOCUS = "document.activeElement.matches(':focus-visible') && document.activeElement.textContent.trim()"


@cache
def site() -> dict[str, bytes]:
    """The pages of a shop with the plans of the example."""
    file = EXAMPLE.read_text("utf-8") + "\nmodules: [{id: checkout}]\nsite: {languages: [pt-BR, en, es]}\n"
    plans = plans_of(parse(file, "plans.yaml", {}, lambda path: "").sections)
    picture = pictures.working()
    speech = Speech.load(LANGUAGES, THEME)
    files = html_files(replace(picture, site=replace(picture.site, plans=plans)), speech, THEME)
    return {**files, "api/v1/status.json": status()}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_plan_is_found_by_keyboard(browser: Any, language: str, width: int) -> None:
    """Nothing sticks out and axe finds nothing, folded or not; each question is reached by Tab and opened by Enter, and
    the table scrolls by its arrows where it is wider than the screen."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, shop = context.new_page(), Shop(site())
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/{folder(language)}support/")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.run(page, options=STRICT).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]

    wide = page.evaluate(
        "(() => { const one = document.querySelector('.scroll'); return one.scrollWidth > one.clientWidth })()"
    )
    page.locator(".scroll").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert (page.evaluate("document.querySelector('.scroll').scrollLeft") > 0) is wide
    page.keyboard.press("Tab")
    while not page.evaluate("document.activeElement.textContent").strip().startswith("500"):
        page.keyboard.press("Tab")
        assert page.evaluate(FOCUS)
    page.keyboard.press("Enter")
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator(".ask strong", has_text="Global").last.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.run(page, options=STRICT).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    context.close()
    assert problems == []


def test_it_needs_no_script(browser: Any) -> None:
    """The table stands there, and the questions unfold."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.route("**/*", Shop(site()).serve)
    page.goto(f"{ORIGIN}/en/support/")
    assert page.locator("table.plans thead th").count() == 3
    page.locator("summary", has_text="less than 100").first.focus()
    page.keyboard.press("Space")
    assert page.locator(".ask strong", has_text="Community").is_visible()
    context.close()
