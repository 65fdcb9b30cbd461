"""What people read and say about incidents over the counter: a real desk over a real store."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from monitor.core.board import Board, Condition
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.module import Status
from monitor.core.roster import with_ops_token
from monitor.desk import Desk
from monitor.pages.translate import Speech
from monitor.store import Store, StoreFailed, open_store
from monitor.web.counter import Counter
from monitor.web.routes import counter_app
from tests.fakes import FakeClock
from tests.ready import ready_file
from tests.store.past import NOON, after, incident, saved
from tests.stories.beats import module, platform
from tests.test_desk import RecordingHands

THEME = Path(__file__).parents[2] / "site"
SPEECH = Speech.load(("pt-BR", "en"), THEME)
PATH = "/api/ops/v1/incidents"
TOKEN = "s3cret"
HOLDER = {"Authorization": f"Bearer {TOKEN}"}


def alone(one: Incident) -> Incident:
    """The incident of one module that shares nothing with others."""
    return replace(one, cause=replace(one.cause, shared=None))


OPEN = alone(incident("checkout"))
OLD = alone(incident("catalog", NOON - timedelta(days=9), NOON - timedelta(days=9) + timedelta(hours=1)))


@dataclass
class Side:
    """A desk that people speak to, and what speaks to it."""

    client: TestClient[Any, Any]
    desk: Desk
    store: Store
    clock: FakeClock
    past: tuple[Incident, ...] = (OPEN,)

    async def ask(self, method: str, path: str = "", body: Any = None, **headers: str) -> tuple[int, Any]:
        """(status, JSON)."""
        url, given = f"{PATH}{path}", {**HOLDER, **{name.replace("_", "-"): one for name, one in headers.items()}}
        if method == "GET":
            async with self.client.get(url, headers=given) as answer:
                return answer.status, await answer.json()
        async with self.client.request(method, url, json=body or {}, headers=given) as answer:
            return answer.status, await answer.json()

    async def stored(self, id: str) -> Incident:
        found = await self.store.incident(id)
        assert found is not None
        return found


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    """The board holds an open incident, the store an old one as well."""
    store, clock = await open_store(ready_file(tmp_path / "monitor.db")), FakeClock(after(60))
    await store.commit([saved(OPEN), saved(OLD)])
    watched = replace(platform(module("catalog"), module("checkout")), languages=("pt-BR", "en"))
    board = Board(watched, incidents={OPEN.id: OPEN}, began_at=NOON)
    desk = Desk(board, store, RecordingHands(), clock, troubles=StoreFailed)
    writer = asyncio.create_task(desk.write())
    counter = Counter(
        board=lambda: desk.board,
        history=lambda: History(incidents=side.past),
        speech=lambda: SPEECH,
        find=desk.find,
        hear=desk.hear,
        roster=lambda: with_ops_token(TOKEN),
        perform=desk.perform,
        record=desk.record,
        incidents=desk.incidents,
        entries=desk.entries,
        clock=clock,
    )
    async with TestClient(TestServer(counter_app(counter))) as client:
        side = Side(client, desk, store, clock)
        yield side
    writer.cancel()
    await asyncio.wait({writer})
    await store.close()


async def test_an_update_is_on_disk_when_it_is_answered(side: Side) -> None:
    """201 with the whole incident; a text alone is in the site's first language."""
    status, one = await side.ask("POST", f"/{OPEN.id}/updates", {"message": "Olhamos.", "author": "Ana  Silva"})
    assert (status, one["id"]) == (201, OPEN.id)
    last = (await side.stored(OPEN.id)).updates[-1]
    assert (last.body, last.at) == ({"pt-BR": "Olhamos."}, side.clock.at)
    assert one["updates"][-1]["author"] == "person"
    assert one["acts"] == [{"at": "2026-11-23T12:01:00.000Z", "what": "updated", "by": "Ana Silva", "detail": {}}]


async def test_the_same_key_is_followed_once(side: Side) -> None:
    """The second answer is the first one; another request of that name is none of it, and changes nothing."""
    for _ in range(2):
        answer = await side.ask("POST", f"/{OPEN.id}/updates", {"message": "One."}, Idempotency_Key="k1")
        assert (answer[0], len(answer[1]["updates"])) == (201, 2)
    status, said = await side.ask("POST", f"/{OPEN.id}/updates", {"message": "Two."}, Idempotency_Key="k1")
    assert (status, "take a new one" in said["error"]) == (422, True)
    assert len((await side.stored(OPEN.id)).updates) == 2
    assert (await side.ask("POST", f"/{OPEN.id}/updates", {"message": "x"}, Idempotency_Key="k" * 201))[0] == 400


async def test_the_whole_life_of_one_that_was_opened_by_hand(side: Side) -> None:
    """Opened, corrected, reworded, acknowledged, published, ended, explained: each is on disk when it is answered."""
    body = {"title": {"en": "Slow"}, "message": {"en": "It is slow."}, "modules": ["checkout"], "draft": True}
    status, one = await side.ask("POST", "", {**body, "impact": "major", "started_at": "2026-11-23T08:30:00-03:00"})
    assert (status, one["origin"], one["impact"]) == (201, "person", "major")
    assert (one["published_at"], one["started_at"]) == (None, "2026-11-23T11:30:00.000Z")
    id = one["id"]
    assert (await side.ask("PATCH", f"/{id}/updates/1", {"message": {"en": "Very slow."}}))[0] == 200
    assert (await side.ask("PATCH", f"/{id}", {"title": {"en": "Very slow"}, "summary": "Um disco."}))[0] == 200
    assert (await side.ask("POST", f"/{id}/acknowledge"))[0] == 200
    assert (await side.ask("POST", f"/{id}/publish"))[0] == 200
    assert (await side.ask("POST", f"/{id}/resolve", {"message": {"en": "Fast again."}}))[0] == 200
    status, one = await side.ask("POST", f"/{id}/postmortem", {"message": {"en": "A disk."}})
    assert (status, one["status"]) == (200, "postmortem")
    kept = await side.stored(id)
    what = ["opened", "corrected", "edited", "acknowledged", "published", "resolved", "postmortem"]
    assert [act.what for act in kept.acts] == what
    assert (kept.title, kept.summary) == ({"en": "Very slow"}, {"pt-BR": "Um disco."})
    assert [update.body for update in kept.updates] == [{"en": t} for t in ("Very slow.", "Fast again.", "A disk.")]
    assert (await side.ask("PATCH", f"/{id}", {"summary": None}))[1]["wording"]["summary"] is None


async def test_what_a_request_opened_days_ago_is_not_opened_again(side: Side) -> None:
    """Nor after the board has forgotten it."""
    body = {"title": "T", "message": "x", "modules": ["checkout"]}
    _, one = await side.ask("POST", "", body, Idempotency_Key="k1")
    assert (await side.ask("POST", f"/{one['id']}/resolve"))[0] == 200
    side.past = (await side.stored(one["id"]),)
    side.desk.board = replace(side.desk.board, incidents={})
    status, again = await side.ask("POST", "", body, Idempotency_Key="k1")
    assert (status, again["id"], again["status"]) == (201, one["id"], "resolved")
    assert (await side.ask("POST", "", body, Idempotency_Key="k2"))[0] == 201


async def test_what_is_over_for_days_is_found_and_explained(side: Side) -> None:
    """The board has forgotten it, the store has not."""
    status, one = await side.ask("GET", f"/{OLD.id}")
    assert (status, one["id"]) == (200, OLD.id)
    assert (await side.ask("POST", f"/{OLD.id}/postmortem", {"message": "Foi o disco."}))[0] == 200
    assert (await side.stored(OLD.id)).updates[-1].body == {"pt-BR": "Foi o disco."}


async def test_the_beginning_of_an_id_is_enough(side: Side) -> None:
    """While only one begins so."""
    assert (await side.ask("GET", f"/{OPEN.id[:4]}"))[1]["id"] == OPEN.id
    assert (await side.ask("POST", f"/{OPEN.id[:4]}/acknowledge"))[1]["id"] == OPEN.id
    twin = next(i for n in range(999) if (i := incident(f"m-{n}")).id[0] == OPEN.id[0])
    side.desk.board = replace(side.desk.board, incidents={**side.desk.board.incidents, twin.id: twin})
    status, body = await side.ask("GET", f"/{OPEN.id[0]}")
    assert status == 409
    assert twin.id in body["error"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("", [OPEN.id, OLD.id]),
        ("?status=open", [OPEN.id]),
        ("?status=resolved", [OLD.id]),
        ("?status=draft", []),
        ("?status=investigating", [OPEN.id]),
        ("?module=checkout", [OPEN.id]),
        ("?module=check", []),
        ("?since=2026-11-14T12:30:00Z&until=2026-11-15", [OLD.id]),
        ("?since=2026-11-14T13:30:00%2B00:00", [OPEN.id]),
        ("?until=2026-11-14T12:00:00Z", []),
    ],
)
async def test_incidents_are_listed_by_what_has_become_of_them(side: Side, query: str, ids: list[str]) -> None:
    assert [one["id"] for one in (await side.ask("GET", query))[1]["incidents"]] == ids


async def test_drafts_are_listed_and_are_open_as_well(side: Side) -> None:
    draft = replace(OPEN, published_at=None)
    side.desk.board = replace(side.desk.board, incidents={draft.id: draft})
    for status in ("draft", "open"):
        assert [one["published_at"] for one in (await side.ask("GET", f"?status={status}"))[1]["incidents"]] == [None]
    assert (await side.ask("GET", "?status=any"))[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "words"),
    [
        ("POST", "/zzzzzzzzzzzz/updates", {"message": "x"}, 404, "no incident zzzzzzzzzzzz"),
        ("GET", "/zzzzzzzzzzzz", None, 404, "no incident"),
        ("POST", "/{id}/postmortem", {"message": "x"}, 409, "not over yet"),
        ("POST", "/{id}/updates", {"message": " "}, 400, "empty"),
        ("POST", "/{id}/updates", {}, 400, "empty"),
        ("POST", "/{id}/updates", {"message": 5}, 400, "`message` is a text"),
        ("POST", "/{id}/updates", {"message": {"en": 5}}, 400, "`message` is a text"),
        ("POST", "/{id}/updates", {"message": {"fr": "x"}}, 400, "speaks pt-BR, en"),
        ("POST", "/{id}/updates", {"message": "x", "status": "done"}, 400, "`status` is one of investigating"),
        ("POST", "/{id}/updates", {"message": "x", "status": ["done"]}, 400, "`status` is a text"),
        ("POST", "/{id}/updates", {"mesage": "x"}, 400, "unknown key `mesage`"),
        ("POST", "/{id}/updates", {"message": "x", "confirm_cause": 1}, 400, "`confirm_cause`"),
        ("POST", "/{id}/updates", {"message": "x", "author": "x" * 101}, 400, "`author`"),
        ("PATCH", "/{id}/updates/9", {"message": "x"}, 404, "no update 9"),
        ("PATCH", "/{id}/updates/x", {"message": "x"}, 404, "counted from 1"),
        ("PATCH", "/{id}", {"impact": "huge"}, 400, "minor, major, critical"),
        ("PATCH", "/{id}", {"impact": 5}, 400, "`impact` is a text"),
        ("POST", "", {"title": "T", "message": "x"}, 400, "what it is about"),
        ("POST", "", {"title": "T", "message": "x", "modules": [5]}, 400, "`modules` is a list"),
        ("POST", "", {"title": "T", "message": "x", "modules": ["nothing"]}, 400, "no module `nothing`"),
        ("POST", "", {"title": "T", "message": "x", "modules": "checkout", "draft": "yes"}, 400, "`draft`"),
        ("POST", "", {"title": "T", "message": "x", "modules": "checkout", "started_at": "now"}, 400, "`started_at`"),
        ("POST", "", {"title": "T", "message": "x", "started_at": "0001-01-01T00:00:00+14:00"}, 400, "`started_at`"),
        ("POST", "", {"title": "T", "message": "x", "modules": ["checkout"], "status": "resolved"}, 400, "begins as"),
    ],
)  # fmt: skip
async def test_what_is_not_followed_says_why(
    side: Side, method: str, path: str, body: Any, status: int, words: str
) -> None:
    """4xx with a reason, as JSON, and nothing has changed."""
    board = side.desk.board
    found, answer = await side.ask(method, path.replace("{id}", OPEN.id), body)
    assert found == status
    assert words in answer["error"]
    assert side.desk.board is board


async def test_what_still_fails_cannot_be_ended(side: Side) -> None:
    """409 with the names of what fails."""
    down = {"checkout": Condition(Status.DOWN, NOON)}
    side.desk.board = replace(side.desk.board, modules=down)
    status, body = await side.ask("POST", f"/{OPEN.id}/resolve")
    assert status == 409
    assert "checkout" in body["error"]


@pytest.mark.parametrize(
    ("headers", "data", "status"),
    [
        ({}, b'{"message": "x"}', 401),
        ({"Authorization": "Bearer wrong"}, b'{"message": "x"}', 401),
        (HOLDER, b'{"message": "x"}', 415),
        ({**HOLDER, "Content-Type": "text/plain"}, b'{"message": "x"}', 415),
        ({**HOLDER, "Content-Type": "application/x-www-form-urlencoded"}, b"message=x", 415),
        ({**HOLDER, "Content-Type": "application/json", "Origin": "https://evil.example"}, b'{"message": "x"}', 403),
        ({**HOLDER, "Content-Type": "application/json", "Origin": "null"}, b'{"message": "x"}', 403),
        ({**HOLDER, "Content-Type": "application/json"}, b"{", 400),
        ({**HOLDER, "Content-Type": "application/json"}, b"[" * 60_000, 400),
        ({**HOLDER, "Content-Type": "application/json"}, b"\xff", 400),
        ({**HOLDER, "Content-Type": "application/json"}, b"[]", 400),
        ({**HOLDER, "Content-Type": "application/json"}, b'{"message": "' + b"x" * 70_000 + b'"}', 413),
    ],
)
async def test_nobody_else_and_no_page_of_another_site_changes_anything(
    side: Side, headers: dict[str, str], data: bytes, status: int
) -> None:
    board = side.desk.board
    async with side.client.post(f"{PATH}/{OPEN.id}/updates", data=data, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        assert answer.headers["Cache-Control"] == "no-store"
    assert side.desk.board is board


async def test_a_page_of_our_own_may_speak(side: Side) -> None:
    """The dashboard is served from the same origin."""
    origin = str(side.client.make_url("/").origin())
    for ours in (origin, origin.replace("http:", "https:")):
        status, _ = await side.ask("POST", f"/{OPEN.id}/acknowledge", {}, Origin=ours)
        assert status == 200
    for theirs in (f"{origin}.evil.example", f"http://evil@{origin.partition('//')[2]}.example", "http://[", ""):
        assert (await side.ask("POST", f"/{OPEN.id}/acknowledge", {}, Origin=theirs))[0] == 403


async def test_while_the_store_is_away_nobody_is_told_that_it_is_done(side: Side) -> None:
    """503 and when to come again; once it is back the same request is on disk, once."""
    await side.store.close()
    path = f"{PATH}/{OPEN.id}/updates"
    headers = {**HOLDER, "Idempotency-Key": "k1"}

    class Away:
        async def commit(self, effects: object) -> None:
            raise StoreFailed("no room")

        async def incident(self, id: str) -> None:
            raise StoreFailed("no room")

    store, side.desk._store = side.desk._store, Away()
    async with side.client.post(path, json={"message": "x"}, headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert "say it again" in (await answer.json())["error"]
    assert (await side.ask("GET", f"/{OLD.id}"))[0] == 503
    side.desk._store = store
    async with asyncio.timeout(10):
        while (await side.ask("POST", f"/{OPEN.id}/updates", {"message": "x"}, Idempotency_Key="k1"))[0] == 503:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    assert [update.body for update in (await side.stored(OPEN.id)).updates[1:]] == [{"pt-BR": "x"}]
