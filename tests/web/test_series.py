"""A module over time: what the API gives, to whom, and what it says to questions that make no sense."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.board import Version
from monitor.core.detector import Transition
from monitor.core.effect import Keep, Versioned
from monitor.core.expectation import Result
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.plan import Plan
from tests.store.past import FAILED, NOON, PASSED, after
from tests.web.operators import HOLDER, TOKEN, Side, serving, small
from tests.web.test_openapi import check

API = "/api/ops/v1/modules/checkout"
PHASES = {"connect": 0.02, "processing": 0.08}


def seen(minute: float, result: Result = PASSED, place: str = "here", ms: float = 100) -> Keep:
    """A run so many minutes before what is now on the side, a minute after noon."""
    at = after(60 - 60 * minute)
    return Keep(Observation(at, "checkout", "ask", place, at, ms / 1000, PHASES), result)


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    """Checkout was down for half an hour yesterday, and had runs, failures and a new version within the hour."""
    board, history = small()
    modules = dict(board.platform.modules)
    modules["checkout"] = replace(modules["checkout"], objective=0.999, aliases=("order-form",))
    board = replace(board, platform=replace(board.platform, modules=modules, plans=(Plan("gold", {}, objective=0.99),)))
    yesterday = NOON - timedelta(days=1)
    moves = [
        Transition("checkout", Status.UNKNOWN, Status.UP, NOON - timedelta(days=60), NOON - timedelta(days=60)),
        Transition("checkout", Status.UP, Status.DOWN, yesterday, yesterday),
        Transition("checkout", Status.DOWN, Status.UP, *(yesterday + timedelta(minutes=30),) * 2),
    ]
    async with serving(tmp_path, TOKEN, (board, replace(history, transitions={"checkout": tuple(moves)}))) as one:
        await one.store.commit([seen(30.5), seen(30.2, ms=1000), seen(30.1, FAILED), seen(10.5, FAILED)])
        await one.store.commit([Versioned("checkout", "ask", Version("v2", after(-600), "v1"))])
        yield one


async def read(side: Side, path: str, status: int = 200) -> Any:
    answer = await side.get(path, **HOLDER)
    assert answer.status == status, await answer.text()
    return await answer.json()


async def test_a_former_id_leads_to_the_module(side: Side) -> None:
    """Wherever a module is asked for: its object, its past, its page."""
    for path in ("", "/series?window=1h", "/availability"):
        assert await read(side, f"/api/ops/v1/modules/order-form{path}") == await read(side, f"{API}{path}")
    assert (await side.get("/healthcheck/modules/order-form", **HOLDER)).status == 200


async def test_an_hour_minute_by_minute(side: Side) -> None:
    """Percentiles of answered runs, phases, runs and failures; a minute without a run is null and no zero."""
    told = await read(side, f"{API}/series?window=1h")
    check("series", told)
    assert (told["step_seconds"], told["counted_from"], len(told["times"])) == (60, "observations", 60)
    bins = {at[11:16]: n for n, at in enumerate(told["times"])}
    busy, failing = bins["11:30"], bins["11:50"]
    assert (told["runs"][busy], told["failed"][busy], told["slow"][busy]) == (3, 1, 0)
    assert told["p99_ms"][busy] == pytest.approx(1000, rel=0.12)
    assert told["phases_ms"]["processing"][busy] == 80
    assert told["phases_ms"]["tls"][busy] == 0
    assert (told["runs"][failing], told["failed"][failing], told["p50_ms"][failing]) == (1, 1, None)
    assert told["phases_ms"]["connect"][failing] is None
    others = [n for n in range(60) if n not in (busy, failing)]
    for name in ("runs", "failed", "slow", "p50_ms", "p95_ms", "p99_ms"):
        assert {told[name][n] for n in others} == {None}, name
    assert [one["id"] for one in told["locations"]] == ["here"]
    assert told["locations"][0]["p95_ms"] == told["p95_ms"]


@pytest.mark.parametrize(("window", "step"), [("24h", 600), ("7d", 3600), ("90d", 21600)])
async def test_longer_windows_have_longer_bins(side: Side, window: str, step: int) -> None:
    """The same runs, from what is kept so long."""
    told = await read(side, f"{API}/series?window={window}")
    check("series", told)
    assert told["step_seconds"] == step
    assert sum(runs or 0 for runs in told["runs"]) == 4
    assert sum(failed or 0 for failed in told["failed"]) == 2


async def test_what_happened_meanwhile(side: Side) -> None:
    """Incidents and changes of version stand on the axis, with their texts in every language."""
    told = (await read(side, f"{API}/series?window=1h"))["happenings"]
    assert [(one["kind"], one["since"][11:16]) for one in told] == [("version", "11:50"), ("incident", "12:00")]
    assert told[0]["title"] == {"pt-BR": "v1 → v2", "en": "v1 → v2"}
    assert told[1]["until"] is None


async def test_availability_comes_from_changes_of_status(side: Side) -> None:
    """Half an hour down yesterday is half an hour, however many runs there were; the budget is told with it."""
    told = await read(side, f"{API}/availability?window=7d")
    check("availability", told)
    assert told["whole"]["down_seconds"] == sum(told["down_seconds"]) == 1800
    assert [at[:13] for at, ratio in zip(told["times"], told["ratio"], strict=True) if ratio == 0.5] == [
        "2026-11-22T12"
    ]
    budget = told["budget"]
    assert (told["objective"], budget["allowed_seconds"], budget["spent_seconds"]) == (0.999, 2592, 1800)
    assert budget["left_seconds"] == 792
    assert budget["burn"] == {"1h": 0, "6h": 0, "3d": pytest.approx(1800 / 259200 / 0.001, abs=0.01)}


async def test_what_is_not_known_is_null(side: Side) -> None:
    """Before the first thing that is known, and without an objective."""
    long = await read(side, f"{API}/availability?window=90d")
    assert (long["ratio"][0], long["coverage"][0]) == (None, 0)
    other = await read(side, f"{API.replace('checkout', 'catalog')}/availability")
    check("availability", other)
    assert (other["objective"], other["budget"], other["whole"]["ratio"]) == (None, None, None)


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("checkout/series?window=2h", 400, "`window` is one of 1h, 24h, 7d, 90d"),
        ("checkout/series?window=", 400, "`window` is one of"),
        ("checkout/series?window=%00%27%22%3Cscript%3E", 400, "`window` is one of"),
        ("checkout/series?probe=nope", 400, "`probe` is one of ask"),
        ("checkout/series?location=%F0%9F%92%A9", 400, "`location` is one of here"),
        ("checkout/series?probe=" + "x" * 4000, 400, "`probe` is one of ask"),
        ("nope/series", 404, "there is no module `nope`"),
        ("%2e%2e%2fcheckout/series", 404, "there is no module"),
        ("checkout/availability?window=forever", 400, "`window` is one of"),
        ("nope/availability", 404, "there is no module `nope`"),
    ],
)
async def test_questions_that_make_no_sense(side: Side, path: str, status: int, reason: str) -> None:
    """Each gets a reason, and what was sent is not echoed at length."""
    told = await read(side, f"/api/ops/v1/modules/{path}", status)
    check("error", told)
    assert told["error"].startswith(reason)
    assert len(told["error"]) < 120


@pytest.mark.parametrize("what", ["series", "availability"])
async def test_only_operators_are_told(side: Side, what: str) -> None:
    """A module's latency by place is nobody else's business; and nothing is changed there."""
    assert (await side.get(f"{API}/{what}")).status == 401
    assert (await side.client.post(f"{API}/{what}", headers=HOLDER)).status == 405


async def test_the_store_may_be_away(side: Side, tmp_path: Path) -> None:
    """Then the API says so, and the page is there all the same."""
    await side.store.close()
    await asyncio.to_thread((tmp_path / "monitor.db").write_bytes, b"no database at all" * 1000)
    refused = await side.get(f"{API}/series", **HOLDER)
    assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
    assert (await side.get("/healthcheck/modules/checkout", **HOLDER)).status == 200


async def test_the_page_says_what_the_plots_show(side: Side) -> None:
    """Complete without script: sentences, tables, links to the other windows, and the figures of the API."""
    page = await (await side.get("/healthcheck/modules/checkout?window=1h", **HOLDER)).text()
    told = await read(side, f"{API}/series?window=1h")
    busy = next(n for n, runs in enumerate(told["runs"]) if runs == 3)
    assert f"{told['p99_ms'][busy]:,.0f}\xa0ms" in page
    assert "4 runs, of which 2 failed and 0 were slow." in page
    assert 'href="?window=90d#plots"' in page
    assert "13 min 12 s are left".replace(" min", "\xa0min").replace(" s ", "\xa0s ") in page
    assert "v1 → v2" in page


async def test_the_page_refuses_a_window_that_does_not_exist(side: Side) -> None:
    """With the reason, and with what it usually shows."""
    answer = await side.get("/healthcheck/modules/checkout?window=%22%3E%3Cscript%3E", **HOLDER)
    page = await answer.text()
    assert answer.status == 400
    assert "`window` is one of" in page
    assert "<script>" not in page


async def test_every_objective_is_listed_with_its_budget(side: Side) -> None:
    """As the module's own page has it; those of groups and plans beside it, and of one kind when that is asked for."""
    told = await read(side, "/api/ops/v1/objectives")
    check("objectives", told)
    own = (await read(side, f"{API}/availability"))["budget"]
    listed = {(one["kind"], one["id"]): one["budget"] for one in told["objectives"]}
    assert listed["module", "checkout"] == own
    assert (own["spent_seconds"], listed["plan", "gold"]["spent_seconds"]) == (1800, 1800)
    assert [one["kind"] for one in (await read(side, "/api/ops/v1/objectives?kind=plan"))["objectives"]] == ["plan"]
    await read(side, "/api/ops/v1/objectives?kind=store", 400)


async def test_any_stretch_of_the_past_has_its_figures(side: Side) -> None:
    """Of everything, or of one thing; what makes no sense is refused with the reason."""
    yesterday = NOON - timedelta(days=1)
    down, up = (
        Transition("checkout", Status.UNKNOWN, status, at, at)
        for status, at in ((Status.DOWN, yesterday), (Status.UP, yesterday + timedelta(minutes=30)))
    )
    await side.store.seed([down, up], [], [])
    told = await read(side, "/api/ops/v1/uptime?since=2026-11-22&until=2026-11-23")
    check("figures", told)
    assert (told["since"], told["until"]) == ("2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z")
    found = {(one["kind"], one["id"]): one for one in told["figures"]}
    assert list(found) == [("platform", "platform"), ("module", "catalog"), ("module", "checkout")]
    own = found["module", "checkout"]
    assert (own["down_seconds"], own["known_seconds"], own["ratio"]) == (1800, 43_200, 0.958333)
    assert found["module", "catalog"]["ratio"] is None
    (one,) = (await read(side, "/api/ops/v1/uptime?of=checkout&since=2026-11-22"))["figures"]
    assert one["known_seconds"] == 86_460
    for wrong in ("of=chekout", "since=2099-01-01", "since=yesterday", "since=2026-11-22&until=2026-11-22", "of="):
        await read(side, f"/api/ops/v1/uptime?{wrong}", 400)
