"""Keys of a query that nobody knows are told by one rule in the whole API, and passed over everywhere else."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.web.counter import API
from monitor.web.openapi import OPERATIONS
from tests.web.operators import HOLDER, TOKEN, Side, serving, stormy


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, TOKEN, stormy()) as one:
        yield one


async def test_a_key_that_nobody_knows_is_told_with_those_there_are(side: Side) -> None:
    """Nothing is read or changed by a request that may mean something else."""
    wrong = {}
    for (method, path), operation in OPERATIONS.items():
        if not path.startswith(f"{API}/"):
            continue
        address = re.sub(r"\{\w+\}", "1", path)
        known = ", ".join(f"`{name}`" for name in operation.keys) or "none"
        sentence = f"`opne` is no key of this address; those there are: {known}"
        async with side.client.request(method, f"{address}?opne=true", headers=HOLDER) as answer:
            text = await answer.text()
        if (answer.status, text) != (400, json.dumps({"error": sentence}) + "\n"):
            wrong[method, path] = (answer.status, text)
    assert wrong == {}


async def test_whoever_may_not_ask_learns_no_keys(side: Side) -> None:
    """Who is asked first, and what second."""
    async with side.client.get(f"{API}/incidents?opne=true") as answer:
        assert answer.status == 401


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_keys_that_are_known_pass(side: Side, method: str) -> None:
    """Those of the address, and those of every list."""
    query = "status=open&module=checkout&since=2026-11-01&until=2026-12-01&limit=5"
    async with side.client.request(method, f"{API}/incidents?{query}", headers=HOLDER) as answer:
        assert answer.status == 200, await answer.text()


async def test_a_key_is_shown_short_and_in_plain_text(side: Side) -> None:
    """What is sent back is no longer than a line, and nothing in it acts."""
    async with side.client.get(f"{API}/incidents", params={"\n\x1b" + "x" * 500: ""}, headers=HOLDER) as answer:
        assert answer.content_type == "application/json"
        said = (await answer.json())["error"]
    assert len(said) < 200
    assert said.isprintable()


@pytest.mark.parametrize("path", ["/metrics", "/-/healthy", "/healthcheck/"])
async def test_elsewhere_a_key_is_passed_over(side: Side, path: str) -> None:
    """Scrapers, load balancers and people hang things on to an address."""
    async with side.client.get(f"{path}?opne=true", headers=HOLDER) as answer:
        assert answer.status == 200


async def test_a_heartbeat_counts_whatever_the_job_adds(side: Side) -> None:
    """A call that is refused for its address would be an outage that there is not."""
    seen = []
    for query in ("", "?status=up&msg=OK&ping="):
        async with side.client.post(f"/heartbeat/erp/nightly{query}", headers=HOLDER) as answer:
            seen.append((answer.status, await answer.text()))
    assert seen[0] == seen[1]
    assert seen[0][0] != 400
