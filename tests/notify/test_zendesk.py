"""Zendesk: one ticket per incident, whatever is lost in between."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web

from monitor.core.plan import Client
from monitor.notify.channel import Channel, DeliveryFailed, Message
from tests.notify.notices import EVENTS, HOSTILE, LINKS, incident, notice
from tests.notify.receiving import Cut, Got, check, facing, says

TOKEN = "zd-t0ken-secret"
KEYS = {"username": "agent@shop.example", "token": TOKEN, "tags": ["status", "vtex"]}


@dataclass
class Account:
    """What we know of an account of Zendesk: tickets by number, and what it refuses."""

    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    requests: list[Got] = field(default_factory=list)
    cuts: int = 0  # how many changes are made and not answered

    def __call__(self, got: Got) -> web.Response:
        self.requests.append(got)
        login = b64encode(f"agent@shop.example/token:{TOKEN}".encode()).decode()
        if got.headers.get("Authorization") != f"Basic {login}":
            return web.json_response({"error": "Couldn't authenticate you"}, status=401)
        place = got.path.removeprefix("/api/v2/tickets").strip("/")
        if place.endswith("/comments"):
            assert got.query["sort_order"] == "desc"
            found = self.tickets[int(place.split("/")[0])]["comments"]
            return web.json_response({"comments": found[::-1], "count": len(found)})
        if got.method == "GET":
            numbers = got.query.get("ids", "").split(",") if place == "show_many" else []
            found = [
                one
                for one in self.tickets.values()
                if (str(one["id"]) in numbers if numbers else one["external_id"] == got.query["external_id"])
            ]
            return web.json_response({"tickets": found, "count": len(found)})
        check("zendesk", got.json)
        answer = self.write(place, got.json["ticket"])
        if self.cuts:
            self.cuts -= 1
            raise Cut
        return answer

    def write(self, place: str, change: dict[str, Any]) -> web.Response:
        if place and int(place) not in self.tickets:
            return web.json_response({"error": "RecordNotFound"}, status=404)
        number = int(place) if place else len(self.tickets) + 1
        ticket = self.tickets.get(number, {"id": number, "status": "new", "assignee_id": None, "comments": []})
        if ticket["status"] == "closed" or (
            change.get("status") == "solved" and not (ticket["assignee_id"] or change.get("assignee_email"))
        ):
            return web.json_response({"error": "RecordInvalid", "description": "Record validation errors"}, status=422)
        comments = [*ticket["comments"], change.pop("comment")]
        self.tickets[number] = {**ticket, **change, "comments": comments}
        return web.json_response({"ticket": self.tickets[number]}, status=200 if place else 201)


@asynccontextmanager
async def account() -> AsyncIterator[tuple[Account, Channel]]:
    there = Account()
    async with facing("zendesk", there, **KEYS) as (_, zendesk):
        yield there, zendesk


async def test_an_incident_is_one_ticket_from_opening_to_solved() -> None:
    """Its number is what the channel gives, and later notices are comments that the requester does not see."""
    async with account() as (there, zendesk):
        number = await zendesk.deliver(notice("opened"))
        for event in ("cause_changed", "acknowledged", "resolved"):
            assert await zendesk.deliver(notice(event, external=number)) == number

    (ticket,) = there.tickets.values()
    assert str(ticket["id"]) == number
    assert ticket["subject"] == "Checkout: errors (status 503)"
    assert (ticket["external_id"], ticket["type"]) == (incident()["key"], "incident")
    assert (ticket["priority"], ticket["tags"]) == ("high", ["status", "vtex"])
    assert (ticket["status"], ticket["assignee_email"]) == ("solved", "agent@shop.example")
    assert len(ticket["comments"]) == 4
    assert not any(one["public"] for one in ticket["comments"])
    assert "https://ops.example.com/acknowledge/t0ken?a=1&b=2" in ticket["comments"][0]["body"]


@pytest.mark.parametrize("event", EVENTS)
async def test_each_event_alone_makes_a_ticket(event: str) -> None:
    """Whichever comes first; a test is solved as soon as it is there."""
    async with account() as (there, zendesk):
        assert await zendesk.deliver(notice(event)) == "1"
    assert there.tickets[1]["status"] == ("solved" if event in ("resolved", "test") else there.tickets[1]["status"])
    assert there.requests[-1].headers["Idempotency-Key"] == f"evt-{event}-1"


async def test_a_crash_between_opening_and_remembering_makes_no_second_ticket() -> None:
    """The ticket is found again by the incident's key."""
    async with account() as (there, zendesk):
        await zendesk.deliver(notice("opened"))
        assert await zendesk.deliver(notice("opened")) == "1"
        assert await zendesk.deliver(notice("resolved", external="not-a-number/../1")) == "1"
    assert len(there.tickets) == 1
    assert all(got.path.startswith("/api/v2/tickets") and ".." not in got.path for got in there.requests)


async def test_what_was_taken_and_never_answered_is_not_written_twice() -> None:
    """Neither the ticket nor a comment, nor the end; each attempt finds what the one before left."""
    async with account() as (there, zendesk):
        number = None
        for event in ("opened", "cause_changed", "resolved"):
            there.cuts = 1
            with pytest.raises(DeliveryFailed) as cut:
                await zendesk.deliver(notice(event, external=number))
            assert not cut.value.permanent
            number = await zendesk.deliver(notice(event, external=number, attempt=2))
            assert number == "1"
            assert there.requests[-1].method == "GET"
    (ticket,) = there.tickets.values()
    ends = [one["body"].splitlines()[-1] for one in ticket["comments"]]
    assert ends == ["[evt-opened-1]", "[evt-cause_changed-1]", "[evt-resolved-1]"]
    assert ticket["status"] == "solved"


async def test_each_question_has_the_time_of_the_channel() -> None:
    """The postman waits for all that one notice may have to ask."""
    async with account() as (there, zendesk):
        await zendesk.deliver(notice())
        there.tickets[1]["status"] = "closed"
        there.requests.clear()
        await zendesk.deliver(notice("reopened", external="1", attempt=2))
        assert len(there.requests) == zendesk.exchanges  # type: ignore[attr-defined]


async def test_whoever_took_the_ticket_keeps_it() -> None:
    """It is solved in the token's name only when nobody had it."""
    async with account() as (there, zendesk):
        number = await zendesk.deliver(notice("opened"))
        there.tickets[1]["assignee_id"] = 7
        await zendesk.deliver(notice("resolved", external=number))
    assert there.tickets[1]["status"] == "solved"
    assert "assignee_email" not in there.tickets[1]


@pytest.mark.parametrize("lost", ["closed", "deleted"])
async def test_a_ticket_that_takes_no_comments_is_followed_by_a_new_one(lost: str) -> None:
    """Zendesk closes solved tickets after days; an incident that comes back then is told all the same."""
    async with account() as (there, zendesk):
        number = await zendesk.deliver(notice("opened"))
        if lost == "closed":
            there.tickets[1]["status"] = "closed"
        else:
            there.tickets[9] = {**there.tickets.pop(1), "id": 9, "external_id": "other"}
        second = await zendesk.deliver(notice("reopened", external=number))
        assert second is not None
        assert second != number
        assert await zendesk.deliver(notice("reminder", external=number)) == second
    newest = there.tickets[int(second)]
    assert newest["status"] == "open"
    assert newest.get("via_followup_source_id") == (1 if lost == "closed" else None)


async def test_public_comments_are_asked_for() -> None:
    """`public: true` shows them to the requester, without what was seen where and without a link to say mine."""
    there = Account()
    told = replace(notice(), body="Checkout is down\n\nask, here: http.503", public="Checkout is down")
    async with facing("zendesk", there, **KEYS, public=True) as (_, zendesk):
        await zendesk.deliver(told)
    (comment,) = there.tickets[1]["comments"]
    assert comment["public"]
    assert comment["body"] == f"Checkout is down\n{LINKS['page']}\n\n[evt-opened-1]"


async def test_hostile_text_stays_within_a_ticket() -> None:
    """Lengths and forms of their schema, and an address with nothing of it in the path."""
    async with account() as (there, zendesk):
        assert await zendesk.deliver(notice(text=HOSTILE)) == "1"
        assert await zendesk.deliver(notice("resolved", text=HOSTILE)) == "1"
    assert "\n" not in there.tickets[1]["subject"]


async def failure(status: int, text: str, message: Message | None = None) -> DeliveryFailed:
    async with facing("zendesk", says(status, text, Retry_After="93"), **KEYS) as (_, zendesk):
        with pytest.raises(DeliveryFailed) as caught:
            await zendesk.deliver(message or notice())
    return caught.value


@pytest.mark.parametrize(
    ("status", "permanent"),
    [(429, False), (409, False), (503, False), (401, True), (403, True), (404, True), (422, True)],
)
async def test_refusals(status: int, permanent: bool) -> None:
    """Two changes that met, and too many of them, pass. A login or a ticket that is not valid stays so."""
    failed = await failure(status, '{"error": "RecordInvalid"}')
    assert failed.permanent is permanent
    assert "RecordInvalid" in str(failed)
    assert (failed.retry_after.total_seconds() if failed.retry_after else None) == (None if permanent else 93)


@pytest.mark.parametrize("text", ["", "[]", "<html>", '{"tickets": {}}', '{"ticket": null}'])
async def test_an_answer_that_is_not_zendesk_s_is_no_delivery(text: str) -> None:
    """And opens no ticket in the dark."""
    assert not (await failure(200, text)).permanent


async def test_a_token_is_never_told() -> None:
    """Not even by a server that repeats it."""
    login = b64encode(f"agent@shop.example/token:{TOKEN}".encode()).decode()
    failed = await failure(403, f"no {TOKEN} {login}")
    assert TOKEN not in str(failed)
    assert login not in str(failed)


async def test_each_store_has_a_ticket_of_its_own() -> None:
    """One per incident and store, of one channel or of two; their tags lead them to their teams."""
    acme, beta = (Client(id, id.title(), plan) for id, plan in (("acme", "global"), ("beta", "")))
    async with account() as (there, zendesk):
        both = await zendesk.deliver(replace(notice("opened"), stores=(acme, beta)))
        assert both == "acme=1 beta=2"
        assert await zendesk.deliver(replace(notice("resolved", external=both), stores=(acme, beta))) == both
        assert await zendesk.deliver(replace(notice("reopened"), stores=(beta,))) == "beta=2"
        for_one = replace(notice("clock_warning", external=both), stores=(beta,))
        assert await zendesk.deliver(for_one) == both  # the ticket of the other one is not forgotten
    first, second = there.tickets.values()
    assert (first["subject"], second["subject"]) == (
        "Acme: Checkout: errors (status 503)",
        "Beta: Checkout: errors (status 503)",
    )
    assert (first["tags"], second["tags"]) == (
        ["status", "vtex", "store-acme", "plan-global"],
        ["status", "vtex", "store-beta"],
    )
    assert (first["status"], second["status"]) == ("solved", "open")
    assert [len(one["comments"]) for one in (first, second)] == [2, 4]


async def test_a_store_whose_ticket_failed_is_tried_again_alone() -> None:
    """The other one has its comment already."""
    stores = tuple(Client(id, id, "global") for id in ("acme", "beta"))
    async with account() as (there, zendesk):
        await zendesk.deliver(replace(notice("opened"), stores=stores[:1]))
        there.cuts = 1
        with pytest.raises(DeliveryFailed):
            await zendesk.deliver(replace(notice("worsened"), stores=stores))
        await zendesk.deliver(replace(notice("worsened", attempt=2), stores=stores))
    assert [len(one["comments"]) for one in there.tickets.values()] == [2, 1]
