"""What is tried in vain leaves its line in the audit log, and what one person named answers no other."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.core.entry import Entry, Sought
from monitor.core.roster import Role, Token
from monitor.ledger import REFUSED
from tests.web.operators import OPEN, Side, serving
from tests.web.people import BARE, EVA, EVERYBODY, READER, ROBOT, bearing, csrf_of, log_in

API = "/api/ops/v1"
UPDATES = f"{API}/incidents/{OPEN.id}/updates"
OTHER = Token("a-token-of-another-robot", Role.OPERATOR, "other")


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    roster = replace(EVERYBODY, tokens=(*EVERYBODY.tokens, OTHER))
    async with serving(tmp_path, None, roster=roster, trusted_proxies=("127.0.0.0/8",)) as one:
        yield one


async def say(side: Side, token: Token, message: str, key: str, **headers: str) -> tuple[int, Any]:
    named = {**bearing(token), "Idempotency-Key": key, **headers}
    async with side.client.post(UPDATES, json={"message": message}, headers=named) as answer:
        return answer.status, await answer.json()


async def log(side: Side, **sought: Any) -> list[Entry]:
    await side.desk.stored()
    return [one for _, one in await side.store.entries(Sought(**sought))][::-1]


async def test_two_people_may_choose_the_same_key(side: Side) -> None:
    """Neither is answered with what the other did, nor told that the key is taken; each of them is followed once."""
    assert [(await say(side, ROBOT, "One.", "k1"))[0] for _ in range(2)] == [201, 201]
    assert (await say(side, OTHER, "Two.", "k1"))[0] == 201
    assert (await say(side, BARE, "Three.", "k1"))[0] == 201
    assert (await say(side, OTHER, "Four.", "k1"))[0] == 422
    assert (await say(side, BARE, "Five.", "robot k1"))[0] == 201
    updates = [dict(one.body) for one in (await side.stored(OPEN.id)).updates if one.author == "person"]
    assert [one["pt-BR"] for one in updates] == ["One.", "Two.", "Three.", "Five."]
    async with side.client.get(f"{API}/audit?act=incident.update", headers=bearing(ROBOT)) as answer:
        entries = (await answer.json())["entries"]
    assert [(one["by"], one["request"]) for one in entries if one["outcome"] == "done"][::-1] == [
        ("robot", "k1"),
        ("other", "k1"),
        (None, "k1"),
        (None, "robot k1"),
    ]


async def test_a_wrong_token_is_written_down_and_cannot_flood_the_log(side: Side) -> None:
    """From where and for what, as far as the proxies before us are trusted; never the token."""
    for number in range(REFUSED + 20):
        wrong = {"Authorization": f"Bearer guess-{number}", "X-Forwarded-For": "203.0.113.9, 198.51.100.7"}
        async with side.client.get(f"{API}/incidents", headers=wrong) as answer:
            assert answer.status == 401
    entries = await log(side)
    assert len(entries) == REFUSED
    assert {(one.act, one.how, one.by, one.address, one.subject, one.outcome) for one in entries} == {
        ("token.refused", "token", None, "198.51.100.7", f"{API}/incidents", "refused")
    }
    assert "guess" not in repr(entries)


async def test_a_viewer_who_wants_to_change_something_is_written_down(side: Side) -> None:
    """By token and by form, with the name; whoever sends no token at all is nobody to write down."""
    assert (await say(side, READER, "Mine.", "k1"))[0] == 403
    await log_in(side, EVA.name)
    form = {"csrf": await csrf_of(side), "message.en": "Mine."}
    assert (await side.post(f"/healthcheck/incidents/{OPEN.id}/update", form)).status == 403
    side.client.session.cookie_jar.clear()
    async with side.client.post(UPDATES, json={"message": "x"}) as answer:
        assert answer.status == 401
    entries = await log(side, act="change.refused")
    assert [(one.by, one.how, dict(one.detail)["method"]) for one in entries] == [
        ("reader", "token", "POST"),
        ("eva", "session", "POST"),
    ]
    assert await log(side, act="token.refused") == []


async def test_a_form_for_work_that_somebody_else_moved_meanwhile_is_refused(side: Side) -> None:
    """It was made when the work was in another state; as it is now, it is followed."""
    plan = {"title": "Move", "modules": ["catalog"], "from": "+1h", "duration": "1h"}
    async with side.client.post(f"{API}/maintenance", json=plan, headers=bearing(ROBOT)) as answer:
        assert answer.status == 201
    await log_in(side, "ana")
    page = await (await side.get("/healthcheck/maintenance")).text()
    form = re.search(r'action="[^"]*/maintenance/(\w+)/cancel">(.*?)</form>', page, re.DOTALL)
    assert form is not None
    typed = dict(re.findall(r'name="(csrf|request|seen)" value="([^"]*)"', form[2]))
    assert set(typed) == {"csrf", "request", "seen"}
    path = f"{API}/maintenance/{form[1]}/extend"
    async with side.client.post(path, json={"until": "+3h"}, headers=bearing(ROBOT)) as answer:
        assert answer.status == 200, await answer.text()
    refused = await side.post(f"/healthcheck/maintenance/{form[1]}/cancel", typed)
    assert refused.status == 412
    assert "somebody else was faster" in await refused.text()
    fresh = re.search(r'/cancel">.*?name="seen" value="(\d+)"', await refused.text(), re.DOTALL)
    assert fresh is not None
    assert fresh[1] != typed["seen"]
    assert (await side.post(f"/healthcheck/maintenance/{form[1]}/cancel", {**typed, "seen": fresh[1]})).status == 303
