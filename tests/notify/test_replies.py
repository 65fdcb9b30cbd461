"""What was answered in tickets: read from their history as Zendesk gives it, page by page."""

from base64 import b64encode
from typing import Any

import pytest
from aiohttp import web

from monitor.core.observation import moment
from monitor.notify.channel import DeliveryFailed
from monitor.notify.replies import comments_of, staff_of
from tests.notify.receiving import Got, facing
from tests.notify.test_zendesk import KEYS, TOKEN

AGENT, ADMIN, SHOP = 7, 8, 900


def audit(number: int, at: str, *events: dict[str, Any], author: int = AGENT) -> dict[str, Any]:
    """One change of a ticket, in the shape of the documentation."""
    return {
        "id": 2_127_301_143 + number,
        "ticket_id": 12,
        "created_at": at,
        "author_id": author,
        "metadata": {"system": {"location": "São Paulo"}, "custom": {}},
        "via": {"channel": "web", "source": {"from": {}, "to": {}, "rel": None}},
        "events": [{"id": 10 * number + n, **one} for n, one in enumerate(events)],
    }


def comment(body: str, author: int = AGENT, public: bool = True) -> dict[str, Any]:
    """A comment within it."""
    return {"type": "Comment", "author_id": author, "public": public, "body": body, "attachments": []}


AUDITS = [
    audit(
        1, "2026-11-23T12:00:05Z", comment("Checkout down\n\n[k3f09a1b2c3d-1]"), {"type": "Create", "value": "urgent"}
    ),
    audit(2, "2026-11-23T12:04:00Z", comment("It is urgent!", SHOP), author=SHOP),
    audit(3, "2026-11-23T12:05:00Z", comment("Ask the other team first.", public=False)),
    audit(
        4, "2026-11-23T12:09:30Z", comment("We are at it, see [SHOP-17]"), {"type": "Change", "field_name": "status"}
    ),
    audit(5, "2026-11-23T12:20:00Z", {"type": "Change", "field_name": "priority", "value": "normal"}),
    audit(6, "2026-11-23T12:40:00Z", comment("It works again.", ADMIN), author=ADMIN),
]
USERS = [{"id": AGENT, "role": "agent"}, {"id": ADMIN, "role": "admin"}, {"id": SHOP, "role": "end-user"}]
ANSWERED = [moment("2026-11-23T12:09:30Z"), moment("2026-11-23T12:40:00Z")]


class Account:
    """Tickets 12 and 13 with their history, three changes to a page; 14 is gone."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.updated_at = "2026-11-23T12:40:00Z"

    def __call__(self, got: Got) -> web.Response:
        self.asked.append(got.path)
        login = b64encode(f"agent@shop.example/token:{TOKEN}".encode()).decode()
        if got.headers.get("Authorization") != f"Basic {login}":
            return web.json_response({"error": "Couldn't authenticate you"}, status=401)
        if got.path == "/api/v2/tickets/show_many":
            found = [{"id": int(id), "updated_at": self.updated_at} for id in got.query["ids"].split(",") if id != "14"]
            return web.json_response({"tickets": found, "count": len(found)})
        if got.path == "/api/v2/users/show_many":
            ids = got.query["ids"].split(",")
            return web.json_response({"users": [one for one in USERS if str(one["id"]) in ids]})
        start = int(got.query.get("page[after]", "0"))
        meta = {"has_more": start + 3 < len(AUDITS), "after_cursor": str(start + 3), "before_cursor": "x"}
        return web.json_response({"audits": AUDITS[start : start + 3], "meta": meta, "links": {"next": "https://x"}})


async def test_what_people_of_the_support_answered_is_read() -> None:
    """In public; neither our own comments, nor those of whoever asks, nor notes among themselves. What has not changed
    is not read again, and a ticket that is gone is passed over."""
    there = Account()
    async with facing("zendesk", there, **KEYS) as (_, zendesk):
        read: Any = zendesk
        found = await read.replies("acme=12 bolt=14")
        assert [(one.store, one.ticket, one.at) for one in found] == [("acme", "12", at) for at in ANSWERED]
        assert len({one.request for one in found}) == 2
        assert [path for path in there.asked if path.endswith("audits")] == ["/api/v2/tickets/12/audits"] * 2
        asked = len(there.asked)
        assert await read.replies("acme=12 bolt=14") == found
        assert len(there.asked) == asked + 1
        there.updated_at = "2026-11-23T12:50:00Z"
        assert await read.replies("acme=12 bolt=14") == found
        assert len(there.asked) > asked + 2
        assert [one.store for one in await read.replies("13")] == ["", ""]
        assert await read.replies("../1") == []


async def test_an_answer_of_something_else_is_told() -> None:
    """Such as the page of a portal in front of it."""
    async with facing("zendesk", lambda got: web.Response(text="<html>"), **KEYS) as (_, zendesk):
        read: Any = zendesk
        with pytest.raises(DeliveryFailed):
            await read.replies("acme=12")


@pytest.mark.parametrize(
    "strange",
    [
        None,
        3,
        {},
        {"events": None},
        {"id": 1, "events": [None, 3, {"type": "Comment", "public": True}]},
        {"id": "1", "events": [comment("x")], "created_at": "2026-11-23T12:00:00Z"},
        {"id": 1, "events": [comment("x")], "created_at": "yesterday"},
        {"id": 1, "events": [comment("x")], "created_at": 7},
        {"id": 1, "events": [{**comment("x"), "author_id": "7"}], "created_at": "2026-11-23T12:00:00Z"},
    ],
)
def test_what_is_no_history_is_none(strange: Any) -> None:
    """Whatever stands there."""
    assert comments_of([strange]) == []
    assert staff_of([strange, {"id": "7", "role": "agent"}, {"id": 9}]) == frozenset()
