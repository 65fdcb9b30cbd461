"""The Healthcheck in a real browser: narrowed down by its address, on a wall, with very many modules."""

import json
from functools import cache
from typing import Any

import pytest

from monitor.pages.render import html_files
from tests.pages import maps
from tests.pages.conftest import LANGUAGES, THEME, loaded, published
from tests.pages.test_browser import ORIGIN, STRICT, Shop, browser, folder, status, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

__all__ = ["browser"]  # a fixture

SHOWN = "[...document.querySelectorAll('[data-module-id]')].filter((one) => one.checkVisibility()).length"


@cache
def shipped_files() -> dict[str, bytes]:
    """The shipped modules with something failing."""
    return html_files(maps.struck(), loaded(), THEME)


@pytest.fixture
def page(browser: Any) -> Any:
    """A page of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def opened(page: Any, files: dict[str, bytes], path: str) -> Shop:
    """The page at this address, its script at work."""
    shop = Shop({**files, "api/v1/status.json": status(overall="none")})
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/{path}")
    page.wait_for_selector("#filter_by:not([hidden])", state="attached")
    return shop


def shown(page: Any, count: int) -> None:
    """Waits until so many modules are to be seen."""
    until(page, f"{SHOWN} === {count}")


def test_the_address_says_what_is_shown(page: Any) -> None:
    """Group, status and place together; the count is told; back and forward work; words that are no choice say
    nothing."""
    opened(page, published("troubled"), "en/healthcheck/?group=buying&status=down&location=virginia")
    shown(page, 3)
    assert page.locator("#shown_count").inner_text() == "3 of 25 shown"
    assert page.locator("#filter_group").input_value() == "buying"
    spanish = page.locator(".tongues a[lang=es]").evaluate("(one) => one.href")
    assert spanish == f"{ORIGIN}/es/healthcheck/?group=buying&status=down&location=virginia"

    page.locator("#filter_status").select_option("up")
    shown(page, 6)
    assert page.url.endswith("?group=buying&status=up&location=virginia")
    page.locator("#filter_location").select_option("")
    assert page.url.endswith("?group=buying&status=up")
    page.go_back()
    page.go_back()
    shown(page, 3)
    assert page.locator("#filter_status").input_value() == "down"
    page.go_forward()
    shown(page, 6)

    page.get_by_role("button", name="Show all").click()
    shown(page, 25)
    assert page.url == f"{ORIGIN}/en/healthcheck/"
    assert page.locator("#shown_count").inner_text() == ""
    assert page.evaluate("document.activeElement.id") == "filter_group"

    page.goto(f"{ORIGIN}/en/healthcheck/?group=nowhere&status=%22%3E%3Cb%3E&location=")
    page.wait_for_selector("#filter_by:not([hidden])")
    shown(page, 25)


def test_a_link_leads_to_a_module_that_was_not_shown(page: Any) -> None:
    """From the map to its box."""
    opened(page, published("troubled"), "en/healthcheck/?status=down")
    shown(page, 3)
    page.get_by_role("link", name="Catalog: Healthy").click()
    shown(page, 4)
    until(page, "document.querySelector('#catalog').getBoundingClientRect().top < innerHeight")


def test_a_refresh_keeps_what_is_shown(page: Any) -> None:
    """The filter, the keyboard in it and how far the map was rolled; the new facts are there."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.clock.install(time="2026-11-23T15:15:32Z")
    shop = opened(page, published("green"), "en/healthcheck/?group=buying")
    shown(page, 9)
    page.locator("#filter_status").focus()
    page.evaluate("document.querySelector('.map .scroll').scrollLeft = 120")
    shop.files = {**published("troubled"), "api/v1/status.json": status(overall="major")}
    page.clock.run_for(40_000)
    page.wait_for_selector("#checkout.down")
    shown(page, 9)
    assert page.evaluate("document.activeElement.id") == "filter_status"
    assert page.evaluate("document.querySelector('.map .scroll').scrollLeft") == 120
    assert page.locator("#shown_count").inner_text() == "9 of 25 shown"


def test_without_script_every_module_and_the_map_are_there(browser: Any) -> None:
    """And nothing to narrow them down with; the wall screen works too."""
    context = browser.new_context(java_script_enabled=False)
    page, shop = context.new_page(), Shop(published("troubled"))
    page.route("**/*", shop.serve)
    page.goto(f"{ORIGIN}/en/healthcheck/?status=down")
    assert page.locator("[data-module-id]:visible").count() == 25
    assert page.locator(".map a").count() == 25
    assert not page.locator("#filter_by").is_visible()
    page.get_by_role("link", name="Wall screen").click()
    assert not page.get_by_role("link", name="History").is_visible()
    context.close()


def test_the_wall_shows_the_shipped_modules_without_scrolling(page: Any) -> None:
    """Dark, without a way to get lost; old data is said in large letters; the page comes anew as ever."""
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.clock.install(time="2026-11-23T15:15:32Z")
    shop = opened(page, shipped_files(), "en/healthcheck/#wall")
    assert page.evaluate(SHOWN) == 44
    assert page.evaluate("[scrollX, document.documentElement.scrollHeight, document.documentElement.scrollWidth]") == [
        0,
        1080,
        1920,
    ]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 17, 22)"
    assert not page.locator("nav").first.is_visible()
    small = page.locator("#updated").bounding_box()["height"]
    calm = html_files(maps.picture_of(maps.shipped_platform()), loaded(), THEME)
    shop.files = {**calm, "api/v1/status.json": status(overall="major")}
    page.clock.run_for(40_000)
    page.wait_for_selector("#checkout.none, #checkout.ok")
    assert page.evaluate("document.querySelector('#wall:target') !== null")
    shop.down = True
    page.clock.run_for(400_000)
    page.wait_for_selector("#updated.stale")
    assert page.locator("#updated").bounding_box()["height"] > 2 * small
    page.get_by_role("link", name="Leave the wall screen").click()
    assert page.locator("nav").first.is_visible()


BROKEN = """() => [...document.querySelectorAll(".box h2, .box .mark, .counts li")].flatMap((one) => {
  const found = [], walk = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode())
    for (const word of node.data.matchAll(/[^\\s/-]+/g)) {
      const range = document.createRange();
      range.setStart(node, word.index); range.setEnd(node, word.index + word[0].length);
      if (range.getClientRects().length > 1) found.push(word[0]);
    }
  return found;
})"""


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [320, 390])
def test_the_wall_on_a_phone_breaks_no_word(page: Any, language: str, width: int) -> None:
    """And nothing of it stands outside the screen."""
    page.set_viewport_size({"width": width, "height": 800})
    at_home = "" if language == LANGUAGES[0] else f"{language}/"
    opened(page, shipped_files(), f"{at_home}healthcheck/#wall")
    assert page.evaluate(BROKEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("width", "scheme", "path"), [(390, "dark", ""), (1280, "light", "?status=down"), (1920, "light", "#wall")]
)
def test_the_shipped_modules_stick_out_nowhere_and_are_accessible(
    browser: Any, language: str, width: int, scheme: str, path: str
) -> None:
    """With something failing, narrowed down and on the wall; axe finds nothing and nothing offends the policy."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
    context = browser.new_context(viewport={"width": width, "height": 1080}, color_scheme=scheme)
    page, problems = context.new_page(), []
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    opened(page, shipped_files(), f"{folder(language)}healthcheck/{path}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = axe.run(page, options=STRICT).response["violations"]
    assert not found, json.dumps([(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found])
    assert problems == []
    context.close()


def test_the_map_can_be_read_with_colours_of_ones_own(browser: Any) -> None:
    """Forced colours, print, and from right to left: the drawing stays inside its box and its text can be seen."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, forced_colors="active")
    page = context.new_page()
    opened(page, published("troubled"), "en/healthcheck/")
    lines = "getComputedStyle(document.querySelector('.map .%s')).stroke"
    assert page.evaluate(lines % "strong") != page.evaluate(lines % "calm")
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert not page.locator("#filter_by").is_visible()
    context.close()


def test_a_thousand_modules_are_narrowed_down_at_once(page: Any) -> None:
    """Those out of sight are not laid out; narrowed down, what is left stands together."""
    seen = maps.picture_of(maps.platform_of(1000), "module-0003", ("module-0700",))
    opened(page, html_files(seen, loaded(), THEME), "en/healthcheck/")
    last = page.locator(".shelf").last
    assert last.evaluate("(one) => one.getBoundingClientRect().height") > 0
    page.locator("#filter_group").select_option("g3")
    until(page, "[...document.querySelectorAll('[data-module-id]')].filter((one) => !one.hidden).length === 100")
    assert page.locator("#shown_count").inner_text() == "100 of 1,000 shown"
    page.locator("#filter_status").select_option("down")
    shown(page, 1)
