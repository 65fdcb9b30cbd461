"""Silences over the API of operators: a real desk over a real store."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.store.past import NOON
from tests.web.operators import HOLDER, OPEN, TOKEN, Side, serving
from tests.web.test_openapi import check

PATH = "/api/ops/v1/silences"
BODY = {"author": "Ana", "reason": "deploy", "until": "2h", "incident": OPEN.id[:6]}


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, TOKEN) as side:
        yield side


async def ask(side: Side, method: str, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
    """(status, what came back)."""
    sent = HOLDER | {name.replace("_", "-"): text for name, text in headers.items()}
    async with side.client.request(method, f"{PATH}{path}", json=body, headers=sent) as answer:
        return answer.status, await (answer.json() if answer.content_type == "application/json" else answer.text())


async def test_an_incident_is_silenced_and_the_silence_lifted(locked: Side) -> None:
    """As it is described; on disk, and on the board; lifting it once more changes nothing."""
    status, one = await ask(locked, "POST", "", BODY)
    assert (status, one["incident"], one["status"], one["ended_at"]) == (201, OPEN.id, "active", None)
    check("silence", one)
    assert (await locked.store.recall(NOON)).silences == tuple(locked.desk.board.silences.values())
    status, every = await ask(locked, "GET", "?status=active")
    assert (status, every) == (200, {"silences": [one], "next": None})
    check("silences", every)
    status, gone = await ask(locked, "DELETE", f"/{one['id'][:8]}")
    assert (status, gone["status"], gone["lifted_by"]) == (200, "over", None)
    assert await ask(locked, "DELETE", f"/{one['id']}", {"author": "Bo"}) == (200, gone)
    assert await ask(locked, "GET", f"/{one['id']}") == (200, gone)


async def test_what_is_refused_says_why(locked: Side) -> None:
    """400 for what can never be, 404 for what is not there, 401 and 403 for who may not."""
    for wrong in ({}, {**BODY, "until": "9d"}, {**BODY, "author": None}, {**BODY, "priorities": ["loud"]}):
        assert (await ask(locked, "POST", "", wrong))[0] == 400, wrong
    half = {**BODY, "modules": ["\ud800"]}
    assert await ask(locked, "POST", "", half) == (400, {"error": "there is no module `?`"})
    assert (await ask(locked, "GET", "/zzz"))[0] == (await ask(locked, "DELETE", "/zzz"))[0] == 404
    assert (await ask(locked, "GET", "?status=loud"))[0] == 400
    assert (await ask(locked, "POST", "", BODY, Authorization="Bearer x"))[0] == 401
    assert (await ask(locked, "DELETE", "/zzz", Authorization="Bearer x"))[0] == 401
    assert (await ask(locked, "DELETE", "/zzz", Sec_Fetch_Site="cross-site"))[0] == 403
    assert locked.desk.board.silences == {}
