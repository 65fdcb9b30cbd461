"""Webhooks: the notice as it is, signed, or in words that the receiver wants."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from aiohttp import web
from jsonschema import Draft202012Validator
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from monitor.core.identity import stable_id
from monitor.notify.channel import DeliveryFailed, Message, Touched
from tests.notify.notices import EVENTS, HOSTILE, notice
from tests.notify.receiving import Got, facing

SECRET = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENCODED = "whsec_" + base64.b64encode(b"a key of thirty-two bytes, or so").decode()
STATUSPAGE = json.loads((Path(__file__).parents[1] / "pages" / "statuspage_v2.schema.json").read_text())


async def sent(message: Any, path: str = "", **keys: Any) -> Got:
    async with facing("webhook", path=path, **keys) as (receiver, hook):
        await hook.deliver(message)
        assert len(receiver.got) == 1
        return receiver.last


@pytest.mark.parametrize("event", EVENTS)
async def test_a_notice_leaves_as_it_is(event: str) -> None:
    """Whoever reads our JSON reads it here too, each event, with an id by which it is known when it comes twice."""
    message = notice(event)
    got = await sent(message, "/hook?team=1")

    assert (got.method, got.path, got.query) == ("POST", "/hook", {"team": "1"})
    assert got.json == message.payload
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["Idempotency-Key"] == got.headers["webhook-id"] == f"evt-{event}-1"
    assert "webhook-signature" not in got.headers


@pytest.mark.parametrize("secret", [SECRET, ENCODED], ids=["text", "base64"])
async def test_the_library_of_the_standard_takes_our_signature(secret: str) -> None:
    """And refuses it once a byte of the body, the time or the id is another."""
    got = await sent(notice(text=HOSTILE), secret=secret)
    key = secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode()
    verifier, headers = Verifier(key), {name.lower(): value for name, value in got.headers.items()}

    assert verifier.verify(got.body, headers) == got.json
    for changed in (
        lambda: verifier.verify(got.body.replace(b"opened", b"closed"), headers),
        lambda: verifier.verify(got.body, {**headers, "webhook-id": "other"}),
        lambda: verifier.verify(got.body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}),
        lambda: verifier.verify(got.body, {**headers, "webhook-timestamp": "1"}),
    ):
        with pytest.raises(WebhookVerificationError):
            changed()


async def test_headers_of_the_configuration_go_along_and_cannot_pass_for_ours() -> None:
    """One without a value is left out."""
    headers = {"Authorization": "Bearer x", "X-Empty": "", "Webhook-Id": "false", "Webhook-Signature": "v1,false"}
    got = await sent(notice(), headers=headers, secret=SECRET)
    assert got.headers["Authorization"] == "Bearer x"
    assert "X-Empty" not in got.headers
    assert got.headers["webhook-id"] == "evt-opened-1"
    assert got.headers["webhook-signature"] != "v1,false"


async def test_a_hostile_id_makes_no_header() -> None:
    """Whatever an id holds, one harmless line of it is sent."""
    got = await sent(notice(text=HOSTILE), secret=SECRET)
    assert "Bcc" not in got.headers
    assert got.headers["webhook-id"].isascii()
    assert len(got.headers["webhook-id"]) <= 255


# -- Statuspage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event", EVENTS)
async def test_a_body_as_statuspage_has_it(event: str) -> None:
    """Receivers made for a Statuspage read it: page, and an incident of that schema with `backfilled`."""
    got = (await sent(notice(event), body="statuspage")).json
    incident = {**got["incident"]}
    assert incident.pop("backfilled") is False
    Draft202012Validator({"$ref": "#/$defs/incident", "$defs": STATUSPAGE["$defs"]}).validate(incident)
    over = event in ("resolved", "test", "summary")
    assert (incident["status"] == "resolved") is over
    assert set(got["page"]) == {"id", "status_indicator", "status_description"}
    assert (got["page"]["status_indicator"] == "none") is over
    assert incident["page_id"] == got["page"]["id"]


FIELDS = {
    "component_update": {"id", "component_id", "created_at", "old_status", "new_status"},
    "component": {"id", "name", "status", "created_at"},
    "meta": {"unsubscribe", "documentation"},
    "page": {"id", "status_indicator", "status_description"},
}


def touching(event: str, external: str | None = None, **statuses: str) -> Message:
    """A notice of an incident that touches these components."""
    touched = tuple(Touched(id, id.title(), status) for id, status in statuses.items())
    return replace(notice(event), external=external, components=touched)


async def test_each_component_that_changes_has_a_message_of_its_own() -> None:
    """With the fields and ids that Statuspage has, from the status that was told before to the one of now."""
    async with facing("webhook", body="statuspage", secret=ENCODED) as (receiver, hook):
        told = await hook.deliver(touching("opened", cart="major_outage", search="degraded_performance"))
        told = await hook.deliver(touching("eased", told, cart="partial_outage", search="degraded_performance"))
        told = await hook.deliver(touching("resolved", told, cart="operational", search="operational"))
    assert told == "{}"
    moves = []
    for got in receiver.got:
        parts = got.json
        Verifier(ENCODED).verify(got.body, {name.lower(): value for name, value in got.headers.items()})
        if "incident" in parts:
            assert set(parts) == {"meta", "page", "incident"}
            moves.append(parts["incident"]["status"])
            continue
        assert {name: set(value) for name, value in parts.items()} == FIELDS
        update, component = parts["component_update"], parts["component"]
        assert update["component_id"] == component["id"] == stable_id(f"component:{component['name'].lower()}")
        assert component["status"] == update["new_status"]
        moves.append((component["name"], update["old_status"], update["new_status"]))
    assert moves == [
        ("Cart", "operational", "major_outage"),
        ("Search", "operational", "degraded_performance"),
        "identified",
        ("Cart", "major_outage", "partial_outage"),
        "identified",
        ("Cart", "partial_outage", "operational"),
        ("Search", "degraded_performance", "operational"),
        "resolved",
    ]
    ids = [got.headers["webhook-id"] for got in receiver.got]
    assert len(set(ids)) == len(ids)


async def test_messages_that_were_taken_are_not_posted_again() -> None:
    """When a later one of the same notice fails, the next attempt goes on there."""
    answers = [200, 503, 200, 200]
    async with facing("webhook", lambda got: web.Response(status=answers.pop(0)), body="statuspage") as (
        receiver,
        hook,
    ):
        with pytest.raises(DeliveryFailed):
            await hook.deliver(touching("opened", cart="major_outage", search="major_outage"))
        await hook.deliver(touching("opened", cart="major_outage", search="major_outage"))
    names = [got.json.get("component", {}).get("name") for got in receiver.got]
    assert names == ["Cart", "Search", "Search", None]


async def test_hostile_text_is_escaped_in_a_statuspage_body() -> None:
    """Its `body` is HTML."""
    got = (await sent(notice(text=HOSTILE), body="statuspage")).json
    assert "<script" not in json.dumps([one["body"] for one in got["incident"]["incident_updates"]])


# -- templates ---------------------------------------------------------------------------------------------------------

FORM = "To={{ '+5511999990000' | urlencode }}&Body={{ subject | urlencode }}"


async def test_hostile_text_cannot_leave_its_field() -> None:
    """Filters make a text safe for the form it goes into; a template inside a text is a text."""
    form = parse_qs((await sent(notice(text=HOSTILE + "&To=x"), template=FORM)).body.decode())
    assert form["To"] == ["+5511999990000"]
    assert "{{ 7*7 }}" in form["Body"][0]
    body = await sent(notice(text=HOSTILE), template='{"text": {{ body | tojson }}, "n": {{ seq }}}')
    assert set(body.json) == {"text", "n"}
    assert "49" not in body.json["text"]


async def test_a_template_that_gives_no_body_is_a_permanent_failure_that_says_where() -> None:
    """Sent again it would fail again, and nothing half done is sent."""
    async with facing("webhook", template="{{ subject }}\n{{ incident.id }}") as (receiver, hook):
        await hook.deliver(notice())
        with pytest.raises(DeliveryFailed) as caught:
            await hook.deliver(notice("test"))
        assert len(receiver.got) == 1
    assert caught.value.permanent
    assert "line 2" in str(caught.value)
