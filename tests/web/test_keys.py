"""Keys of a query that nobody knows are told by one rule, wherever programs ask."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from monitor.web.counter import API
from monitor.web.openapi import OPERATIONS
from monitor.web.operation import HTML, JSON, LINES
from tests.web.operators import HOLDER, TOKEN, Side, serving, stormy


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, TOKEN, stormy()) as one:
        yield one


async def test_a_key_that_nobody_knows_is_told_with_those_there_are(side: Side) -> None:
    """Nothing is read or changed by a request that may mean something else."""
    wrong = {}
    for (method, path), operation in OPERATIONS.items():
        if operation.kind == HTML:  # a page for people, who bring along what others hang on to an address
            continue
        address = re.sub(r"\{\w+\}", "1", path)
        known = ", ".join(f"`{name}`" for name in operation.keys) or "none"
        sentence = f"`opne` is no key of this address; those there are: {known}"
        async with side.client.request(method, f"{address}?opne=true", headers=HOLDER) as answer:
            text = await answer.text()
        told = json.dumps({"error": sentence}) if operation.kind in (JSON, LINES) else sentence
        if (answer.status, text) != (400, f"{told}\n"):
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
