"""What waits for which channel, over the operators' API; and that an incident tells who heard of it."""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from monitor.core.route import Route, Step
from monitor.notify.channel import DeliveryFailed
from monitor.web.openapi import document
from tests.web.operators import HOLDER, OPEN, Side, serving, small

API = "/api/ops/v1"
ROUTES = (Route((Step(("pager",)),)),)


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    board, history = small()
    board = replace(board, platform=replace(board.platform, routes=ROUTES))
    async with serving(tmp_path, "s3cret-ã", (board, history)) as one:
        yield one


async def asked(side: Side, path: str, body: object = None, status: int = 200) -> Any:
    """The JSON of an answer; with a body it is sent something."""
    method = "GET" if body is None else "POST"
    async with side.client.request(method, f"{API}{path}", json=body, headers=HOLDER) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def opened(side: Side, title: str = "Checkout is slow") -> str:
    """An incident that a person opens, which the pager is told of; its id."""
    said = {"title": title, "message": "We look", "modules": ["checkout"], "impact": "critical"}
    return str((await asked(side, "/incidents", said, 201))["id"])


async def worked(side: Side) -> None:
    """The channel's worker does what there is to do now."""
    box = side.mailroom.postman.boxes["pager"]
    while await side.mailroom.postman._once("pager", box):
        pass


def described(name: str, found: object) -> None:
    components = document(small()[0].platform, locked=True)["components"]
    Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": components}).validate(found)


async def test_an_incident_tells_who_heard_of_it(side: Side) -> None:
    """What was planned, delivered, failed and withheld, event by event."""
    side.receiver.answers = [DeliveryFailed("HTTP 503")]
    id = await opened(side)
    await worked(side)
    found = await asked(side, f"/incidents/{id}")
    described("incident", found)
    assert found["notices"] == {"planned": 1, "delivered": 0, "withheld": []}
    (event,) = found["events"]
    (notice,) = event["notices"]
    assert (event["seq"], event["event"]) == (1, "opened")
    assert (notice["channel"], notice["state"], notice["attempts"], notice["last_error"]) == (
        "pager",
        "pending",
        1,
        "HTTP 503",
    )
    listed = await asked(side, "/incidents")
    before = next(one for one in listed["incidents"] if one["id"] == OPEN.id)
    assert before["notices"] == {"planned": 0, "delivered": 0, "withheld": []}


async def test_the_notice_is_as_documented(side: Side) -> None:
    """With its incident whole, its words in every language, and the cause in the first line."""
    id = await opened(side)
    await worked(side)
    (payload,) = side.receiver.payloads
    assert (payload["event_id"], payload["dedup_key"], payload["seq"], payload["attempt"]) == (f"{id}-1", id, 1, 1)
    assert (payload["event"], payload["why"], payload["incident"]["id"]) == ("opened", "first", id)
    assert set(payload["links"]) == {"page", "dashboard", "runbook", "acknowledge"}
    assert set(payload["text"]) == {"pt-BR", "en"}
    assert payload["text"]["en"].startswith("[URGENT] Checkout is slow in trouble since ")
    json.dumps(payload)


async def test_the_outbox_says_how_every_channel_fares(side: Side) -> None:
    """And what is in it, by channel and state, a page at a time."""
    side.receiver.answers = [DeliveryFailed("HTTP 404", permanent=True)]
    await opened(side)
    await worked(side)
    found = await asked(side, "/outbox?channel=pager&state=dead&limit=1")
    described("outbox", found)
    (channel,) = found["channels"]
    assert (channel["id"], channel["pending"], channel["breaker"], channel["last_error"]) == (
        "pager",
        0,
        "closed",
        "HTTP 404",
    )
    assert [one["state"] for one in found["letters"]] == ["dead"]
    assert (await asked(side, "/outbox?state=pending"))["letters"] == []
    for wrong in ("state=lost", "limit=0", "limit=x", "cursor=x", "channel=%00", "channel="):
        await asked(side, f"/outbox?{wrong}", status=400)


async def test_notices_are_leafed_through_without_missing_one(side: Side) -> None:
    """Whatever comes in meanwhile; on the dashboard as in the API."""
    ids = []
    for number in range(3):
        side.clock.at += timedelta(seconds=1)
        ids.append(f"{await opened(side, f'Trouble {number}')}-1")
    await side.log_in()
    first = await asked(side, "/outbox?limit=2&channel=pager")
    assert first["next"].startswith(f"{API}/outbox?")
    side.clock.at += timedelta(seconds=1)
    ids.append(f"{await opened(side, 'One more')}-1")
    rest = await asked(side, first["next"].removeprefix(API))
    assert rest["next"] is None
    assert {one["event_id"] for one in (*first["letters"], *rest["letters"])} == set(ids[:3])
    page = await (await side.get("/healthcheck/outbox?limit=2")).text()
    (older,) = re.findall(r'href="[^"]*healthcheck/outbox(\?[^"]*cursor=[^"]*)"', page)
    both = page + await (await side.get(f"/healthcheck/outbox{unescape(older)}")).text()
    assert all(f'id="letter-{one}-pager"' in both for one in ids)
    assert (await side.get("/healthcheck/outbox?cursor=x")).status == 400


async def test_a_channel_that_is_gone_is_seen_while_notices_wait_for_it(side: Side) -> None:
    """With how long it is waited for, in the API and on the dashboard."""
    await opened(side)
    side.mailroom.use(replace(side.mailroom._config, sections={}))
    await side.mailroom.postman.undelivered.look()
    found = await asked(side, "/outbox")
    described("outbox", found)
    (channel,), (letter,) = found["channels"], found["letters"]
    assert (channel["id"], channel["kind"], channel["breaker"], channel["pending"]) == ("pager", None, "gone", 1)
    assert (letter["state"], letter["last_error"]) == ("pending", "the channel is no longer configured")
    assert letter["next_at"] is not None
    await side.log_in()
    page = await (await side.get("/healthcheck/outbox")).text()
    assert "No longer configured" in page
    assert "channels/pager/test" not in page


async def test_a_dead_notice_is_sent_again_and_one_that_waits_is_given_up(side: Side) -> None:
    """Each only once."""
    side.receiver.answers = [DeliveryFailed("HTTP 404", permanent=True)]
    id = await opened(side)
    await worked(side)
    await asked(side, f"/outbox/{id}-1/pager/give-up", {}, 409)
    described("letter_acted", await asked(side, f"/outbox/{id}-1/pager/again", {}))
    await asked(side, f"/outbox/{id}-1/pager/give-up", {})
    await asked(side, f"/outbox/{id}-1/pager/again", {})
    await worked(side)
    assert side.receiver.came == [(f"{id}-1", "opened")]
    await asked(side, f"/outbox/{id}-1/pager/again", {}, 409)
    await asked(side, f"/outbox/{id}-9/pager/again", {}, 404)
    await asked(side, "/outbox/nothing/pager/again", {}, 404)


async def test_a_test_notice_takes_the_real_path(side: Side) -> None:
    """It says whether it arrived, and why not."""
    side.receiver.answers = [DeliveryFailed("no route to host")]
    refused = await asked(side, "/channels/pager/test", {})
    described("tested", refused)
    assert refused == {"delivered": False, "reason": "no route to host"}
    side.mailroom.postman._clock.at = side.mailroom.postman._clock.now().replace(microsecond=5000)  # type: ignore[attr-defined]
    assert await asked(side, "/channels/pager/test", {}) == {"delivered": True, "reason": None}
    assert [event for _, event in side.receiver.came] == ["test"]
    assert side.receiver.payloads[0]["text"]["en"] == "[TEST] Channel pager works; nothing is wrong."
    await asked(side, "/channels/nobody/test", {}, 404)


async def test_nobody_else_may_see_or_do_any_of_it(side: Side) -> None:
    """Without the token."""
    for method, path in (("GET", "/outbox"), ("POST", "/outbox/x-1/pager/again"), ("POST", "/channels/pager/test")):
        async with side.client.request(method, f"{API}{path}", json={}) as answer:
            assert answer.status == 401


async def test_events_of_an_incident_have_numbers_without_gaps(side: Side) -> None:
    """Whatever happens to it, told or not."""
    id = await opened(side)
    await asked(side, f"/incidents/{id}/acknowledge", {})
    await asked(side, f"/incidents/{id}/resolve", {})
    found = await asked(side, f"/incidents/{id}")
    assert [(one["seq"], one["event"]) for one in found["events"]] == [
        (1, "opened"),
        (2, "acknowledged"),
        (3, "resolved"),
    ]


async def test_the_dashboard_shows_channels_and_notices_and_takes_orders(side: Side) -> None:
    """In the reader's language; a dead notice is sent again from there, and a test says whether it arrived."""
    side.receiver.answers = [DeliveryFailed("HTTP 404 <b>", permanent=True)]
    id = await opened(side)
    await worked(side)
    await side.log_in()
    page = await (await side.get("/healthcheck/outbox?state=dead")).text()
    assert f'id="letter-{id}-1-pager"' in page
    assert "HTTP 404 &lt;b&gt;" in page
    csrf = await side.csrf("/healthcheck/outbox?state=dead")
    answer = await side.post(f"/healthcheck/outbox/{id}-1/pager/again", {"csrf": csrf})
    assert (answer.status, answer.headers["Location"]) == (303, "../../../../healthcheck/outbox?done=again")
    answer = await side.post(f"/healthcheck/outbox/{id}-1/pager/again", {"csrf": csrf})
    assert answer.status == 409
    assert (await side.post(f"/healthcheck/outbox/{id}-1/pager/again", {"csrf": "no"})).status == 403
    assert (await side.post("/healthcheck/outbox/x/pager/again", {"csrf": csrf})).status == 404
    await worked(side)
    assert side.receiver.came == [(f"{id}-1", "opened")]
    assert (await side.post("/healthcheck/channels/pager/test", {"csrf": csrf})).status == 303
    dossier = await (await side.get(f"/healthcheck/incidents/{id}")).text()
    assert 'id="told-title"' in dossier
    assert f'id="letter-{id}-1-pager"' in dossier
    text = await (await side.get("/healthcheck/outbox", Accept_Language="pt-BR")).text()
    assert "Avisos mais recentes" in text


async def test_the_page_of_notices_wants_a_login(side: Side) -> None:
    """Like every other one."""
    assert (await side.get("/healthcheck/outbox")).status == 401
