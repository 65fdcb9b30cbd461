"""The plots in a real browser: they draw what the API says, and can be read by finger, keyboard and without script."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.board import Version
from monitor.core.effect import Versioned
from tests.store.past import FAILED, PASSED, SLOW, after
from tests.web.operators import Side, serving, small
from tests.web.test_dashboard_browser import STICKS_OUT, STRICT, address, browser, until
from tests.web.test_series import seen

__all__ = ["browser"]

PAGE = "/healthcheck/modules/checkout?window=1h"
PLOTS = ("latency", "phases", "runs", "availability", "places")
INK = """(name) => {
  const canvas = document.querySelector(`[data-plot=${name}] canvas`);
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Set();
  for (let n = 0; n < data.length; n += 4) if (data[n + 3] > 200) colors.add(data.slice(n, n + 3).join());
  return colors.size;
}"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    """An hour with answers from two places, slow ones, failures, a new version and a gap."""
    board, history = small()
    modules = dict(board.platform.modules)
    probes = tuple(replace(one, locations=("here", "there")) for one in modules["checkout"].probes)
    modules["checkout"] = replace(modules["checkout"], probes=probes, objective=0.999)
    board = replace(board, platform=replace(board.platform, modules=modules))
    async with serving(tmp_path, None, (board, history)) as one:
        for minute in range(59):
            result = FAILED if minute < 3 else SLOW if minute < 6 else PASSED
            if not 20 <= minute < 30:
                runs = [seen(minute + 0.4, result, place, 100 + 7 * minute) for place in ("here", "there")]
                await one.store.commit(runs)
        await one.store.commit([Versioned("checkout", "ask", Version("v2", after(-600), "v1"))])
        yield one


async def drawn(page: Any) -> None:
    for name in PLOTS:
        await page.wait_for_selector(f"[data-plot={name}][data-drawn]")


async def legend(page: Any, name: str) -> list[str]:
    return [text.strip() for text in await page.locator(f"[data-plot={name}] .u-value").all_inner_texts()]


async def test_every_plot_is_drawn(browser: Any, side: Side) -> None:
    """None of them is empty, and their policy and their script agree: no word in the console."""
    context = await browser.new_context(locale="en", timezone_id="Asia/Tokyo")
    page = await context.new_page()
    problems: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(address(side, PAGE))
    await drawn(page)
    for name in PLOTS:
        assert await page.evaluate(INK, name) > 2, name
    assert problems == []
    await context.close()


async def test_the_legend_says_what_the_api_says(browser: Any, side: Side) -> None:
    """Of the minute that the keyboard points at, in the time zone of the site."""
    context = await browser.new_context(locale="en", timezone_id="Asia/Tokyo")
    page = await context.new_page()
    await page.goto(address(side, PAGE))
    await drawn(page)
    told = await (await side.get("/api/ops/v1/modules/checkout/series?window=1h")).json()
    await page.locator("[data-plot=latency] .canvas").focus()
    await page.keyboard.press("Home")
    for index in range(4):
        at, *values = await legend(page, "latency")
        local = told["times"][index][11:16]
        assert f"{int(local[:2]) - 3:02}{local[2:]}" in at  # America/Sao_Paulo, whatever the browser's own is
        expected = [told[name][index] for name in ("p50_ms", "p95_ms", "p99_ms")]
        assert [one.partition("\xa0")[0] for one in values] == [f"{ms:,.0f}" if ms else "–" for ms in expected]
        await page.keyboard.press("ArrowRight")
    assert any(told["p50_ms"][:4])
    await page.keyboard.press("End")
    assert (await legend(page, "runs"))[1:] == ["0", "0", str(told["failed"][-1])]
    assert (await legend(page, "latency"))[1:] == ["–", "–", "–"]  # only failures: no latency, and no zero
    await context.close()


async def test_a_finger_reaches_the_figures(browser: Any, side: Side) -> None:
    """A tap points; what stands below the plot changes with it, inside the screen."""
    context = await browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, locale="en")
    page = await context.new_page()
    await page.goto(address(side, PAGE))
    await drawn(page)
    before = await legend(page, "latency")
    over = page.locator("[data-plot=latency] .u-over")
    await over.scroll_into_view_if_needed()
    box = await over.bounding_box()
    await page.touchscreen.tap(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    told = "(text) => document.querySelector('[data-plot=latency] .u-value').textContent !== text"
    await until(page, told, before[0])
    assert "–" not in await legend(page, "latency")
    shown = await page.locator("[data-plot=latency] .u-legend").bounding_box()
    assert shown["x"] >= 0
    assert shown["x"] + shown["width"] <= 390
    await context.close()


async def test_new_figures_leave_zoom_and_cursor_alone(browser: Any, side: Side) -> None:
    """Whoever looks at ten minutes goes on looking at them while the page is live."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="en")
    page = await context.new_page()
    await page.clock.install()
    await page.goto(address(side, PAGE))
    await drawn(page)
    over = page.locator("[data-plot=latency] .u-over")
    await over.scroll_into_view_if_needed()
    box = await over.bounding_box()
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.2, middle)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.4, middle, steps=5)
    await page.mouse.up()
    await page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    before = await legend(page, "latency")
    picture = await page.evaluate("document.querySelector('[data-plot=latency] canvas').toDataURL()")
    first = await page.get_attribute("[data-plot=latency]", "data-drawn")
    await side.store.commit([seen(0.1, SLOW, ms=9000)])
    side.clock.at += timedelta(seconds=10)
    while await page.get_attribute("[data-plot=latency]", "data-drawn") == first:
        await page.clock.fast_forward(61_000)  # a minute of the page's, after which it asks
        await asyncio.sleep(0.1)
    assert await legend(page, "latency") == before
    assert await page.evaluate("document.querySelector('[data-plot=latency] canvas').toDataURL()") == picture
    await context.close()


async def test_windows_and_places_are_links(browser: Any, side: Side) -> None:
    """The choice stands in the address, and works without script, as do the figures."""
    context = await browser.new_context(java_script_enabled=False, locale="en")
    page = await context.new_page()
    await page.goto(address(side, PAGE))
    await page.get_by_role("link", name="there", exact=True).click()
    await page.get_by_role("link", name="7 d").click()
    assert page.url.endswith("?window=7d&location=there#plots")
    await page.locator("#table-latency summary").click()
    rows = page.locator("#table-latency tbody tr")
    assert await rows.count() >= 168
    assert "49 runs" in await page.locator("#told-runs").inner_text()
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
async def test_plots_are_accessible_and_stay_inside(browser: Any, side: Side, width: int, scheme: str) -> None:
    """With every table unfolded; axe finds nothing."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, color_scheme=scheme, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.goto(address(side, PAGE))
    await drawn(page)
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert await page.evaluate(STICKS_OUT) == []
    found = (await axe.run(page, options=STRICT)).response["violations"]
    assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
    await context.close()


async def test_colours_follow_the_scheme(browser: Any, side: Side) -> None:
    """Somebody's evening begins: the plots are drawn anew in the colours of the dark."""
    context = await browser.new_context(color_scheme="light")
    page = await context.new_page()
    await page.goto(address(side, PAGE))
    await drawn(page)
    picture = "document.querySelector('[data-plot=latency] canvas')?.toDataURL()"
    before = await page.evaluate(picture)
    await page.emulate_media(color_scheme="dark")
    await until(page, f"(before) => {{ const now = {picture}; return now && now !== before; }}", before)
    await context.close()
