"""The page of codes in a real browser: found as one types, by keyboard, and complete without script."""

from typing import Any

import pytest

from monitor.core.guide import entries
from tests.pages.conftest import LANGUAGES, published
from tests.pages.test_browser import ORIGIN, STRICT, Shop, browser, folder, status

__all__ = ["browser"]  # a fixture
pytestmark = pytest.mark.slow

SHOWN = "[...document.querySelectorAll('.code')].filter((one) => one.checkVisibility()).length"
WORDS = {"pt-BR": "dns dominio", "en": "DNS domain", "es": "dns dominio"}


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_found_as_one_types(browser: Any, language: str, width: int) -> None:
    """By keyboard alone, whatever the case and the accents; the address holds it, and every code is back without it."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 844})
    page, shop = context.new_page(), Shop({**published("working"), "api/v1/status.json": status()})
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/{folder(language)}codes/")
    every = page.evaluate(SHOWN)
    page.locator("#code_asked").focus()
    page.keyboard.type("TLS.HOSTNAME")
    assert page.evaluate(SHOWN) == 1
    page.keyboard.press("Tab")
    assert not page.locator(".chips").is_visible()
    assert page.evaluate("document.activeElement.closest('.code, footer') !== null")
    found = axe.run(page, options=STRICT).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    page.locator("#code_asked").fill(WORDS[language])
    some = page.evaluate(SHOWN)
    assert 0 < some < every
    assert str(some) in page.locator("#codes_shown").inner_text()
    assert page.evaluate(
        "[...document.querySelectorAll('section.codes h2')].every((h) => h.checkVisibility() == "
        "[...h.parentElement.querySelectorAll('.code')].some((one) => one.checkVisibility()))"
    )
    page.reload()
    assert page.evaluate(SHOWN) == some
    page.locator("#code_asked").fill("no such code at all")
    assert page.evaluate(SHOWN) == 0
    assert page.locator("#codes_shown").inner_text()
    page.locator("#code_asked").focus()
    page.keyboard.press("Escape")
    assert page.evaluate(SHOWN) == every
    page.goto(f"{ORIGIN}/{folder(language)}codes/#http.503")
    assert page.locator("[id='http.503']").is_visible()
    assert page.locator(".chips").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []
    context.close()


def test_without_script_every_code_stands_there(browser: Any) -> None:
    """Each with its anchor, and nothing that cannot work."""
    context = browser.new_context(java_script_enabled=False)
    page, shop = context.new_page(), Shop({**published("working"), "api/v1/status.json": status()})
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/codes/?q=tls")
    assert not page.locator("#code_asked").is_visible()
    assert page.locator("code[id]").count() == len(list(entries()))
    assert page.locator(".code").first.is_visible()
    assert page.locator(".chips").is_visible()
    context.close()
