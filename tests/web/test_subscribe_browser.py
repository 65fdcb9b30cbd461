"""Subscribing in a real browser: from the public page to the last button, without script and for everybody."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.core.subscriber import Subscriber
from monitor.pages.site import site_files
from monitor.web.ticket import Tickets, new_id
from tests.pages import pictures
from tests.pages.conftest import THEME, loaded
from tests.pages.test_browser import ORIGIN, STRICT
from tests.web.operators import TOKEN, serving
from tests.web.test_dashboard_browser import STICKS_OUT, address, browser

__all__ = ["browser"]

pytestmark = pytest.mark.slow


async def look(page: Any, axe: Any) -> None:
    """Nothing sticks out, and axe finds nothing, with everything unfolded."""
    await page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    assert await page.evaluate(STICKS_OUT) == [], page.url
    found = (await axe.run(page, options=STRICT)).response["violations"]
    assert not found, (page.url, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found])


@pytest.mark.parametrize(("width", "language"), [(390, "pt-BR"), (1280, "en")])
async def test_a_reader_subscribes_confirms_and_ends_it(
    browser: Any, tmp_path: Path, width: int, language: str
) -> None:
    """By the form of the public page, which leads to another host; every page is for everybody."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    async with serving(tmp_path, TOKEN) as side:
        side.circulation.ask = lambda wish: asked.append(wish) or True  # type: ignore[method-assign,func-returns-value]
        asked = list[Subscriber]()
        base = address(side, "")
        seen = replace(pictures.troubled(), site=replace(pictures.SITE, subscribe_url=base))
        files = site_files(seen, loaded(), THEME)
        context = await browser.new_context(
            viewport={"width": width, "height": 844}, locale=language, java_script_enabled=True
        )
        page = await context.new_page()

        async def serve(route: Any) -> None:
            path = route.request.url.removeprefix(f"{ORIGIN}/").partition("?")[0] or "index.html"
            found = files.get(f"{path}index.html" if path.endswith("/") else path)
            kind = {"svg": "image/svg+xml", "js": "text/javascript"}.get(path.rpartition(".")[2], "text/html")
            await (route.abort() if found is None else route.fulfill(body=found, content_type=kind))

        await page.route(f"{ORIGIN}/**", serve)
        folder = "" if language == "pt-BR" else "en/"
        await page.goto(f"{ORIGIN}/{folder}components/cart/")
        await look(page, axe)
        await page.goto(f"{ORIGIN}/{folder}")
        await look(page, axe)
        await page.fill("#email", "ana@example.com")
        await page.click(".told a")
        await page.wait_for_url("**/subscribe?lang=*")
        await look(page, axe)
        assert await page.evaluate("document.documentElement.lang") == language
        await page.fill("#webhook", "https://hook.example.com/")
        await page.uncheck("#maintenance-1")
        await page.click("main button")
        await page.wait_for_selector("main .note")
        await look(page, axe)
        assert [(one.address, one.topics, one.language) for one in asked] == [
            ("https://hook.example.com/", frozenset({"incidents"}), language)
        ]

        one = replace(asked[0], id=new_id())
        await side.store.subscribers.add(one)
        side.circulation._roll[one.id] = one
        tickets = Tickets(b"s" * 32, base)
        await page.goto(tickets.confirm_url(one.id))
        await page.wait_for_selector("#confirmed")
        await look(page, axe)
        side.circulation.tickets = tickets
        await page.goto(tickets.leave_url(one.id))
        await look(page, axe)
        await page.click("main button")
        await page.wait_for_selector("#left")
        await look(page, axe)
        assert await side.store.subscribers.all() == []
        await page.goto(address(side, "/subscribe/confirm/nobody"))
        await look(page, axe)
        await context.close()
