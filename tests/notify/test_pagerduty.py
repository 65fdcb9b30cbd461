"""PagerDuty: one alert per incident, by its key, in the form of Events v2."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web

from monitor.notify.channel import DeliveryFailed
from monitor.notify.pagerduty import event as event_of
from tests.notify.notices import EVENTS, HOSTILE, notice
from tests.notify.receiving import Got, check, facing, says

KEY = "0123456789abcdef0123456789abcdef"


def taken(got: Got) -> web.Response:
    """What PagerDuty says."""
    said = {"status": "success", "message": "Event processed", "dedup_key": got.json["dedup_key"]}
    return web.json_response(said, status=202)


async def sent(message: Any) -> Any:
    async with facing("pagerduty", taken, "/v2/enqueue", routing_key=KEY) as (receiver, duty):
        assert await duty.deliver(message) is None
    for got in receiver.got:
        check("pagerduty", got.json)
        assert got.json["routing_key"] == KEY
    (said, *rest) = [got.json for got in receiver.got]
    assert [(one["event_action"], one["dedup_key"]) for one in rest] == (
        [("resolve", said["dedup_key"])] if message.event == "test" else []
    )
    return said


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_acts_on_the_alert_of_its_incident(event: str) -> None:
    """Changes of a cause tell the same alert again; a person's word acknowledges it; the end resolves it."""
    message = notice(event)
    said = await sent(message)
    assert said["event_action"] == {"resolved": "resolve", "acknowledged": "acknowledge"}.get(event, "trigger")
    assert said["dedup_key"] == message.payload["dedup_key"]


async def test_what_is_over_when_it_is_told_wakes_nobody() -> None:
    """It was, from then to then: the alert is resolved, or there is none. The monitor's own word is a trigger."""
    was = notice()
    assert (await sent(replace(was, event="summary")))["event_action"] == "resolve"
    assert (await sent(notice("summary")))["event_action"] == "trigger"


async def test_what_a_trigger_says() -> None:
    """Where, what, how bad, since when, and where to read on; the incident's priority is high."""
    said = await sent(notice())
    payload = said["payload"]
    assert payload["summary"] == "Checkout: errors (status 503)"
    assert (payload["source"], payload["component"], payload["class"]) == ("checkout", "checkout", "http.503")
    assert payload["severity"] == "error"
    assert payload["custom_details"]["event"] == "opened"
    assert {one["text"] for one in said["links"]} == {"page", "dashboard", "acknowledge"}


@pytest.mark.parametrize(
    ("priority", "severity"), [("urgent", "critical"), ("high", "error"), ("normal", "warning"), ("low", "info")]
)
def test_priority_is_severity(priority: str, severity: str) -> None:
    """In their four words."""
    message = notice(incident={"priority": priority})
    assert event_of(message)["payload"]["severity"] == severity


async def test_hostile_text_stays_within_their_limits() -> None:
    """Lengths and forms, with ten thousand letters everywhere."""
    said = json.dumps(await sent(notice(text=HOSTILE)), ensure_ascii=False)
    assert "\u202e" not in said
    assert "\x00" not in said


@pytest.mark.parametrize(("status", "permanent"), [(400, True), (403, True), (429, False), (500, False), (503, False)])
async def test_refusals(status: int, permanent: bool) -> None:
    """An event that is not valid stays so; too many events, or a fault of theirs, pass."""
    said = json.dumps({"status": "invalid event", "errors": [f"key {KEY} is wrong"]})
    async with facing("pagerduty", says(status, said, Retry_After="7"), routing_key=KEY) as (_, duty):
        with pytest.raises(DeliveryFailed, match="invalid event") as caught:
            await duty.deliver(notice())
    assert caught.value.permanent is permanent
    assert KEY not in str(caught.value)


@pytest.mark.parametrize("text", ["", "ok", "<html>", "[]", '{"status": "throttled"}'])
async def test_an_answer_without_success_is_no_delivery(text: str) -> None:
    """For now: whoever answered was not PagerDuty, or it did not take it."""
    async with facing("pagerduty", says(200, text), routing_key=KEY) as (_, duty):
        with pytest.raises(DeliveryFailed) as caught:
            await duty.deliver(notice())
    assert not caught.value.permanent
