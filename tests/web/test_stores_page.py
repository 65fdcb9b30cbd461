"""The page of stores on the dashboard: plans, users of the ticket tool against their limit, and what concerns whom."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.core.plan import Client, Plan
from tests.pages.test_browser import STRICT
from tests.web.operators import HOSTILE, SPEECH, serving, small
from tests.web.test_dashboard_browser import STICKS_OUT, address, browser

__all__ = ["browser"]  # a fixture

PLANS = (
    Plan("gold", {"en": "Gold"}, ticket_users=5),
    Plan("free", {"en": "Free"}, is_unlimited=True),
    Plan("plain", {"en": "Plain"}),
)
CLIENTS = (
    Client("acme", HOSTILE, "gold", team=("chat",), account=("ana",), contact="Ana", users=7),
    Client("bolt", "Bolt", "gold", users=5),
    Client("cora", "Cora", "free", users=70),
    Client("dune", "Dune", "plain", users=2),
    Client("echo", "Echo", ""),
)


def shown() -> Any:
    """A shop with five stores, of which a fault concerns one."""
    board, history = small()
    (module, *others) = board.platform.modules.values()
    modules = {one.id: one for one in (replace(module, stores=frozenset({"acme"})), *others)}
    ids = frozenset(one.id for one in CLIENTS)
    return replace(
        board, platform=replace(board.platform, modules=modules, plans=PLANS, clients=CLIENTS, stores=ids)
    ), history


async def test_every_store_stands_there_with_its_users(tmp_path: Path) -> None:
    """Over the limit, within it, unlimited, and without one; nothing is said that was not written."""
    async with serving(tmp_path, None, shown()) as side:
        page = await (await side.get("/healthcheck/stores?lang=en")).text()
        assert 'healthcheck/stores"' in await (await side.get("/healthcheck?lang=en")).text()
    parts = {one[: one.index('"')]: one for one in page.split('id="store-')[1:]}
    assert list(parts) == [one.id for one in CLIENTS]
    assert "7 of 5" in parts["acme"]
    assert "Over the limit" in parts["acme"]
    assert "Key account: Ana" in parts["acme"]
    assert "chat, ana" in parts["acme"]
    assert "5 of 5" in parts["bolt"]
    assert "Within the limit" in parts["bolt"]
    assert "70, unlimited" in parts["cora"]
    assert "Users of the ticket tool: 2<" in parts["dune"]
    assert "Users" not in parts["echo"].split("</ul>")[0]
    assert HOSTILE not in page
    (tmp_path / "other").mkdir()
    async with serving(tmp_path / "other", None) as side:
        assert "healthcheck/stores" not in await (await side.get("/healthcheck")).text()
        assert "No store is configured" in await (await side.get("/healthcheck/stores?lang=en")).text()


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", SPEECH.languages)
async def test_nothing_sticks_out_and_nothing_is_inaccessible(
    browser: Any, tmp_path: Path, language: str, width: int
) -> None:
    """In each language."""
    axe = pytest.importorskip("axe_playwright_python.async_playwright").Axe()
    async with serving(tmp_path, None, shown()) as side:
        context = await browser.new_context(viewport={"width": width, "height": 844})
        page = await context.new_page()
        await page.goto(address(side, f"/healthcheck/stores?lang={language}"))
        assert await page.evaluate(STICKS_OUT) == []
        found = (await axe.run(page, options=STRICT)).response["violations"]
        assert not found, [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]
        await context.close()
