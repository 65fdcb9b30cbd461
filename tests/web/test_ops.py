"""Ops: who gets what, and what is said when something is wrong."""

import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from monitor.core.effect import Answered, Refusal, Said
from monitor.core.entry import Entry, Sought
from monitor.core.incident import Incident
from monitor.core.observation import Observation, observation_from_json
from monitor.core.roster import with_ops_token
from monitor.core.search import Place, Search, page_of
from monitor.pages.translate import Speech
from monitor.web.access import _is_here
from monitor.web.negotiation import offered
from monitor.web.ops import OpsContext, ops_app
from tests.fakes import FakeClock
from tests.pages import pictures
from tests.pages.pictures import NOW, SECRET
from tests.stories.beats import observation

THEME = Path(__file__).parents[2] / "site"
SEEN = pictures.troubled()
SEEN_NOW = [observation("checkout", NOW, "-"), observation("catalog", NOW, "+")]
ASKED: list[tuple[bool, str | None, str | None]] = []


def page(openmetrics: bool, view: str | None, modules: str | None) -> bytes:
    ASKED.append((openmetrics, view, modules))
    return b"# EOF\n" if openmetrics else b"up 1\n"


async def nothing() -> AsyncIterator[Observation]:
    for one in SEEN_NOW:
        yield one


async def heard(module: str, probe: str) -> bool:
    return True


async def told(said: Said, check: object = None) -> Answered:
    return Answered()


async def performed(said: Said, deed: Callable[[], Awaitable[Answered]]) -> Answered:
    return await deed()


async def listed(search: Search) -> tuple[list[Incident], Place | None] | Refusal:
    return page_of(search, SEEN.history.incidents, [])


async def lines(sought: Sought) -> list[tuple[int, Entry]] | Refusal:
    return []


async def found(id: str) -> Incident | Refusal:
    return next((one for one in SEEN.history.incidents if one.id == id), Refusal("unknown", "there is none"))


EARS: Any = {
    "find": found,
    "hear": told,
    "perform": performed,
    "record": lambda said, answer: answer,
    "incidents": listed,
    "entries": lines,
}
CONTEXT = OpsContext(
    board=lambda: SEEN.board,
    history=lambda: SEEN.history,
    speech=lambda: Speech.load(("pt-BR", "en"), THEME),
    metrics_page=page,
    ready=lambda: None,
    reload=lambda: [],
    follow=nothing,
    called=heard,
    **EARS,
    clock=FakeClock(NOW),
)
TOKEN = {"Authorization": "Bearer s3cret-ã"}


@asynccontextmanager
async def serving(context: OpsContext) -> AsyncIterator[TestClient]:
    async with TestClient(TestServer(ops_app(context)), auto_decompress=False) as client:
        yield client


async def test_metrics_come_as_the_scraper_asks() -> None:
    async with serving(CONTEXT) as client:
        async with client.get("/metrics", headers={"Accept-Encoding": "identity"}) as answer:
            assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
            assert await answer.read() == b"up 1\n"
        accept = "application/openmetrics-text;version=1.0.0;q=0.8, text/plain;q=0.5"
        async with client.get("/metrics", headers={"Accept": accept, "Accept-Encoding": "gzip"}) as answer:
            assert answer.headers["Content-Type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(await answer.read()) == b"# EOF\n"
        await client.get("/metrics?view=locations&module=check*")
        assert ASKED[-3:] == [(False, None, None), (True, None, None), (False, "locations", "check*")]
        async with client.get("/metrics?view=everything") as answer:
            assert answer.status == 400


async def test_metrics_of_a_module_that_is_not_there_are_refused() -> None:
    """As `/probe` does it: an empty page looks like one of a module that is well. A pattern may find nothing, an empty
    one is none, and a former id is that of the module."""
    board = CONTEXT.board()
    id = next(iter(board.platform.modules))
    modules = {**board.platform.modules, id: replace(board.platform.modules[id], aliases=("was-it",))}
    renamed = replace(board, platform=replace(board.platform, modules=modules))
    async with serving(replace(CONTEXT, board=lambda: renamed)) as client:
        for asked, told in (("", None), ("nothing*", "nothing*"), (id, id), ("was-it", id)):
            async with client.get(f"/metrics?module={asked}") as answer:
                assert (answer.status, ASKED[-1]) == (200, (False, None, told))
        async with client.get("/metrics?module=nothing") as answer:
            assert (answer.status, "no module `nothing`" in await answer.text()) == (400, True)


async def test_half_a_page_of_metrics_is_none() -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError(SECRET)

    async with serving(replace(CONTEXT, metrics_page=broken)) as client, client.get("/metrics") as answer:
        assert answer.status == 500
        assert SECRET not in await answer.text()


async def test_ready_says_why_not() -> None:
    async with serving(replace(CONTEXT, ready=lambda: "nothing is published yet")) as client:
        async with client.get("/-/healthy") as answer:
            assert (answer.status, await answer.text()) == (200, "Healthy\n")
        async with client.get("/-/ready") as answer:
            assert (answer.status, await answer.text()) == (503, "nothing is published yet\n")
    async with serving(CONTEXT) as client, client.get("/-/ready") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(
    ("leads", "ready", "leader"),
    [(True, "Ready\n", (200, "Leads\n")), (False, "Ready, and standing by\n", (503, "Stands by\n"))],
)
async def test_one_who_stands_by_is_ready_and_leads_not(leads: bool, ready: str, leader: tuple[int, str]) -> None:
    """Neither answer names who leads: nobody has to be anybody for them."""
    async with serving(replace(CONTEXT, leader=lambda: (leads, SECRET))) as client:
        async with client.get("/-/ready") as answer:
            assert (answer.status, await answer.text()) == (200, ready)
        async with client.get("/-/leader") as answer:
            assert (answer.status, await answer.text()) == leader


@pytest.mark.parametrize(("problems", "status"), [([], 200), (["probes.yaml:3:1: unknown key", "and more"], 400)])
async def test_a_reload_tells_what_is_wrong(problems: list[str], status: int) -> None:
    async def reload() -> list[str]:
        return problems

    async with serving(replace(CONTEXT, reload=reload)) as client, client.post("/-/reload") as answer:
        assert answer.status == status
        text = await answer.text()
        assert all(problem in text for problem in problems)


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/-/reload"), ("GET", "/api/ops/v1/incidents"), ("GET", "/api/ops/v1/status")]
)
async def test_with_a_token_only_its_holder_gets_in(method: str, path: str) -> None:
    async with serving(replace(CONTEXT, roster=lambda: with_ops_token("s3cret-ã"))) as client:
        for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic s3cret-ã"}):
            async with client.request(method, path, headers=headers) as answer:
                assert answer.status == 401
                assert answer.headers["WWW-Authenticate"] == "Bearer"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"
        async with client.request(method, path, headers=TOKEN) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    "headers",
    [{"X-Forwarded-For": "203.0.113.9"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
)
async def test_without_a_token_only_this_machine_itself_gets_in(headers: dict[str, str]) -> None:
    async with serving(CONTEXT) as client:
        async with client.post("/-/reload", headers=headers) as answer:
            assert answer.status == 403
        async with client.post("/-/reload") as answer:
            assert answer.status == 200


async def test_a_reload_is_never_a_get() -> None:
    async with serving(CONTEXT) as client, client.get("/-/reload") as answer:
        assert answer.status == 405


@pytest.mark.parametrize(
    ("peer", "here"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("::ffff:127.0.0.1", True), ("10.0.0.1", False),
     ("::ffff:10.0.0.1", False), ("fe80::1%eth0", False), ("", False), (None, False)],
)  # fmt: skip
def test_what_this_machine_is(peer: str | None, here: bool) -> None:
    assert _is_here(peer) is here


async def test_operators_read_the_detail_of_evidence() -> None:
    async with serving(CONTEXT) as client, client.get("/api/ops/v1/incidents") as answer:
        incidents = (await answer.json())["incidents"]
        assert [one["id"] for one in incidents] == [one.id for one in SEEN.history.incidents]
        assert incidents[0]["cause"]["evidence"][0]["detail"] == SECRET
        assert answer.headers["Cache-Control"] == "no-store"


async def test_operators_read_why_each_place_judged_as_it_did() -> None:
    async with serving(CONTEXT) as client, client.get("/api/ops/v1/status") as answer:
        status = await answer.json()
        checkout = next(one for one in status["modules"] if one["id"] == "checkout")
        assert status["generated_at"] == "2026-11-23T15:15:20.000Z"
        assert status["overall"]["indicator"] == SEEN.overall()[0]
        assert checkout["status"] == "down"
        assert checkout["locations"] == [{"id": place, "status": "down"} for place in pictures.LOCATIONS]
        seen = checkout["probes"][0]["locations"][0]
        assert (seen["outcome"], seen["code"], seen["reasons"]) == ("failed", "http.503", [SECRET])


@pytest.mark.parametrize(
    ("header", "taken"),
    [("gzip", True), ("br, gzip;q=0.1", True), ("*", True), ("gzip;q=0", False), ("*;q=0", False), ("", False),
     ("identity", False), ("gzip;q=nonsense", False), ("GZIP", True), ("*, gzip;q=0", False)],
)  # fmt: skip
def test_what_a_list_offers(header: str, taken: bool) -> None:
    check: Callable[[str, str], bool] = offered
    assert check(header, "gzip") is taken


@pytest.mark.parametrize(
    ("accept", "taken"),
    [
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.2,"
         "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1", True),
        ("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4,*/*;q=0.1", False),
        ("text/plain, application/openmetrics-text;q=0.9", False),
        ("application/openmetrics-text;q=0", False),
        ("*/*", False),
    ],
)  # fmt: skip
async def test_a_scraper_is_given_the_form_it_likes_best(accept: str, taken: bool) -> None:
    """As Prometheus asks after `scrape_protocols`, in either order."""
    expected = "application/openmetrics-text; version=1.0.0" if taken else "text/plain; version=0.0.4"
    async with (
        serving(CONTEXT) as client,
        client.get("/metrics", headers={"Accept": accept, "Accept-Encoding": "identity"}) as answer,
    ):
        assert answer.headers["Content-Type"] == f"{expected}; charset=utf-8"


async def test_what_is_seen_can_be_followed_line_by_line() -> None:
    """In the form of a recording; with a token only for who has it."""
    async with serving(CONTEXT) as client, client.get("/api/ops/v1/observations") as answer:
        assert answer.headers["Content-Type"] == "application/x-ndjson; charset=utf-8"
        lines = (await answer.read()).splitlines()
        assert [observation_from_json(json.loads(line)) for line in lines] == SEEN_NOW
    async with serving(replace(CONTEXT, roster=lambda: with_ops_token("s3cret-ã"))) as client:
        assert (await client.get("/api/ops/v1/observations")).status == 401
        assert (await client.get("/api/ops/v1/observations", headers=TOKEN)).status == 200


async def test_what_contradicts_itself_is_told_to_operators() -> None:
    found = [{"kind": "old_data", "subject": None, "since": "2026-11-23T15:00:00.000Z"}]
    async with (
        serving(replace(CONTEXT, contradictions=lambda: found)) as client,
        client.get("/api/ops/v1/status", headers=TOKEN) as answer,
    ):
        assert (await answer.json())["contradictions"] == found
