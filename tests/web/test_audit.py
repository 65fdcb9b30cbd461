"""The audit log: each change of a person leaves one line, in the transaction of the change, and nothing else does."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from monitor.core import audit
from monitor.core.effect import Answered, Audited, Deed, Happened, Informed, Ordered, Refusal, Said, Saved, Spoken
from monitor.core.entry import ACTS, LONGEST_TEXT, Entry, Sought, brief
from monitor.core.word import Acknowledge
from monitor.desk import Desk
from monitor.ledger import HOUR, REFUSED, Ledger
from monitor.pages.logbook import ACTS as WORDS
from monitor.pages.logbook import DETAIL
from monitor.pages.logbook import WAYS as WAY_WORDS
from monitor.store import StoreFailed
from monitor.store.memory import MemoryStore
from tests.fakes import FakeClock
from tests.store.past import NOON, after, saved
from tests.test_desk import RecordingHands
from tests.web.operators import DRAFT, HOLDER, HOSTILE, OLD, OPEN, TOKEN, Side, serving, small

API = "/api/ops/v1"
ONE = f"{API}/incidents/{OPEN.id}"


@pytest.fixture(params=[TOKEN, None], ids=["locked", "free"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    """With a token set, and without."""
    async with serving(tmp_path, request.param) as one:
        yield one


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Side]:
    """With a token set."""
    async with serving(tmp_path, TOKEN) as one:
        yield one


async def said(side: Side, method: str, path: str, body: Any = None, **headers: str) -> int:
    spelt = {**HOLDER, **{name.replace("_", "-"): text for name, text in headers.items()}}
    async with side.client.request(method, path, json=body or {}, headers=spelt) as answer:
        return answer.status


async def log(side: Side, **sought: Any) -> list[Entry]:
    """The lines, the oldest first, once all of them are on disk."""
    await side.desk.stored()
    return [one for _, one in await side.store.entries(Sought(**sought))][::-1]


async def read(side: Side, query: str = "") -> Any:
    async with side.client.get(f"{API}/audit{query}", headers=HOLDER) as answer:
        assert answer.status == 200
        return await answer.json()


# -- what leaves a line -----------------------------------------------------------------------------------------------


async def test_every_act_by_the_api_leaves_one_line_that_tells_who_what_and_how(side: Side) -> None:
    """And an act that changed nothing leaves none."""
    draft = f"{API}/incidents/{DRAFT.id}"
    acts = [
        ("POST", f"{ONE}/acknowledge", {"author": "Ana"}, "incident.acknowledge"),
        ("POST", f"{ONE}/acknowledge", {"author": "Bea"}, None),
        ("POST", f"{ONE}/updates", {"message": "Olhamos.", "author": "Ana"}, "incident.update"),
        ("PATCH", f"{ONE}/updates/1", {"message": "Caiu."}, "incident.correct"),
        ("PATCH", ONE, {"title": {"en": "Slow"}, "impact": "critical"}, "incident.edit"),
        ("POST", f"{draft}/publish", {}, "incident.publish"),
        ("POST", f"{ONE}/lower", {"priority": "low", "reason": "Uma loja."}, "incident.lower"),
        ("POST", f"{API}/modules/checkout/probe", {"author": "Ana"}, "probe.run"),
        ("POST", "/-/reload", {}, "configuration.reload"),
        ("POST", f"{API}/incidents", {"title": "t", "message": "m", "modules": ["checkout"]}, "incident.open"),
        ("GET", f"{API}/incidents", None, None),
    ]
    for method, path, body, act in acts:
        before = await log(side)
        assert await said(side, method, path, body, Idempotency_Key=f"key of {method} {path} {act}") < 300
        news = (await log(side))[len(before) :]
        assert [one.act for one in news] == [act] * (act is not None)
    lines = await log(side)
    how = "here" if side.roster.is_empty else "token"
    assert {(one.how, one.address, one.outcome) for one in lines} == {(how, "127.0.0.1", "done")}
    assert (lines[0].by, lines[0].subject, lines[0].at) == ("Ana", OPEN.id, after(60))
    assert lines[1].detail == {"message": {"pt-BR": "Olhamos."}}
    assert lines[3].detail == {"title": {"en": "Slow"}, "impact": "critical"}
    assert lines[6].detail == {"asked": ["ask"]}
    assert lines[-1].subject not in ("", OPEN.id)


async def test_the_line_and_the_change_are_one_transaction() -> None:
    """Neither is ever there without the other."""

    class Recording(MemoryStore):
        commits: list[list[Any]] = []  # noqa: RUF012

        async def commit(self, effects: Any) -> None:
            self.commits.append(list(effects))
            await super().commit(effects)

    store = Recording()
    desk = Desk(small()[0], store, RecordingHands(), FakeClock(after(60)), troubles=StoreFailed)
    writer = asyncio.create_task(desk.write())
    await desk.hear(Said(Spoken(Acknowledge(OPEN.id), "Ana"), "mqtt", "Ana"))
    writer.cancel()
    assert [[type(one) for one in commit] for commit in store.commits] == [[Saved, Happened, Informed, Audited]]


async def test_what_is_refused_is_recorded_with_its_reason(locked: Side) -> None:
    """Of somebody who may; whoever has no access leaves nothing by asking."""
    assert await said(locked, "POST", f"{ONE}/postmortem", {"message": "x", "author": "Ana"}) == 409
    assert await said(locked, "POST", f"{API}/incidents/zzzzzzzzzzzz/acknowledge") == 404
    async with locked.client.post(f"{ONE}/acknowledge", json={}) as answer:
        assert answer.status == 401
    lines = await log(locked)
    assert [(one.act, one.outcome, one.detail["refused"]) for one in lines] == [
        ("incident.postmortem", "refused", "conflict"),
        ("incident.acknowledge", "refused", "unknown"),
    ]
    assert "not over yet" in lines[0].detail["why"]


async def test_logins_are_recorded_and_no_token_ever_is(locked: Side) -> None:
    """In, refused, out; and what is done in between bears the name of the login."""
    assert (await locked.log_in("wr0ng-t0ken", "Eve")).status == 401
    assert (await locked.log_in(TOKEN, "Ana")).status == 303
    csrf = await locked.csrf()
    assert (await locked.post(f"/healthcheck/incidents/{OPEN.id}/acknowledge", {"csrf": csrf})).status == 303
    spoken = {"message": "x", "author": "Somebody else"}
    async with locked.client.post(f"{ONE}/updates", json=spoken, headers={"X-CSRF-Token": csrf}) as answer:
        assert answer.status == 201
    assert (await locked.post("/healthcheck/logout", {"csrf": csrf})).status == 303
    lines = await log(locked)
    assert [(one.act, one.by, one.outcome, one.how) for one in lines] == [
        ("session.refused", "Eve", "refused", "session"),
        ("session.login", "Ana", "done", "session"),
        ("incident.acknowledge", "Ana", "done", "token"),  # who holds the token may call themselves anything
        ("incident.update", "Ana", "done", "token"),
        ("session.logout", "Ana", "done", "token"),
    ]
    assert not any(secret in repr(lines) for secret in ("wr0ng", "s3cret", csrf))


async def test_strangers_do_not_fill_the_log() -> None:
    """So many refusals of an act within an hour, and no more before it is over."""

    async def nobody(request: str) -> None:
        return None

    ledger, refused = Ledger(nobody), Answered(refusal=Refusal("wrong", "no"))
    stranger, other = Said(Deed("session.refused"), "session"), Said(Deed("probe.run"), "token")
    lines = [line for n in range(200) for line in ledger.lines(stranger, refused, NOON + timedelta(seconds=n))]
    assert len(lines) == REFUSED
    assert len(ledger.lines(other, refused, NOON)) == 1
    assert len(ledger.lines(stranger, Answered(), NOON)) == 1
    assert len(ledger.lines(stranger, refused, NOON + HOUR)) == 1


def test_long_texts_and_deep_objects_are_cut_short() -> None:
    """A line stays small, whatever was sent."""
    assert len(brief("x" * 9999)) == LONGEST_TEXT
    assert brief({"a": {"b": {"c": {"d": 1}}}}) == {"a": {"b": {"c": "…"}}}
    assert brief([1, None, True, "é"]) == [1, None, True, "é"]
    assert len(brief(list(range(1000)))) == 50


def test_every_act_has_a_word_for_people() -> None:
    """In the page of the log, as the ways have."""
    assert set(ACTS) <= set(WORDS)
    assert set(WAY_WORDS) == {"token", "session", "here", "command", "link", "mqtt", "signal", "file", "schedule"}


def test_every_key_of_a_detail_has_a_word_for_people() -> None:
    """Whatever was said; read from what writes it."""
    found = ast.walk(ast.parse(Path(audit.__file__).read_text(encoding="utf-8")))
    keys = {
        key.value for node in found if isinstance(node, ast.Dict) for key in node.keys if isinstance(key, ast.Constant)
    }
    assert {"title", "rrule", "confirm_cause", "refused"} <= keys <= set(DETAIL)


# -- the same request again -------------------------------------------------------------------------------------------


async def test_a_key_is_remembered_over_a_restart() -> None:
    """By the line of what was done: the same answer, no second effect; another body is refused."""
    store, clock = MemoryStore(), FakeClock(after(60))
    await store.commit([saved(OPEN)])
    word = Said(Spoken(Acknowledge(OPEN.id), "Ana", "k"), "token", "Ana", request="k", digest="d")
    answers = []
    for one in (word, word, replace(word, digest="e")):
        desk = Desk(replace(small()[0], incidents={}), store, RecordingHands(), clock, troubles=StoreFailed)
        writer = asyncio.create_task(desk.write())
        answers.append(await desk.hear(one))
        writer.cancel()
    assert [(one.id, one.refusal and one.refusal.kind) for one in answers] == [
        (OPEN.id, None),
        (OPEN.id, None),
        ("", "misused"),
    ]
    assert len(await store.entries(Sought())) == 1
    assert len((await desk.find(OPEN.id)).acts) == 1  # type: ignore[union-attr]


async def test_two_identical_requests_at_once_have_one_effect(side: Side) -> None:
    """Both hear the same."""
    opened = {"title": "t", "message": "m", "modules": ["checkout"]}
    for path, body, status in (
        (f"{API}/modules/checkout/probe", {}, 202),
        (f"{API}/incidents", opened, 201),
        (f"{ONE}/updates", {"message": "x"}, 201),
        ("/-/reload", {}, 200),
    ):
        key = f"key of {path}"
        both = await asyncio.gather(*(said(side, "POST", path, body, Idempotency_Key=key) for _ in range(3)))
        assert both == [status] * 3
    assert side.asked == ["checkout", "reload"]
    assert [one.act for one in await log(side)] == [
        "probe.run",
        "incident.open",
        "incident.update",
        "configuration.reload",
    ]
    assert await said(side, "POST", f"{API}/modules/catalog/probe", {}, Idempotency_Key="key of /-/reload") == 422


async def test_a_request_that_was_refused_may_be_sent_again_under_its_key(side: Side) -> None:
    """It did nothing, so it may do it later."""
    path = f"{API}/modules/checkout/probe"
    assert await said(side, "POST", path, {"x": 1}, Idempotency_Key="k") == 400
    assert await said(side, "POST", path, {}, Idempotency_Key="k") == 202


# -- read -------------------------------------------------------------------------------------------------------------


async def test_the_log_is_read_page_by_page(side: Side) -> None:
    """Newest first; a line that comes meanwhile moves nothing, and the header leads on as the body does."""
    for n in range(5):
        assert await said(side, "POST", f"{ONE}/updates", {"message": f"{n}", "author": "Ana"}) == 201
    await log(side)
    query, found = "?limit=2&act=incident&by=Ana", []
    while query:
        async with side.client.get(f"{API}/audit{query}", headers=HOLDER) as answer:
            page = await answer.json()
            link = answer.headers.get("Link")
        assert (link is None) == (page["next"] is None)
        assert link in (None, f'<{page["next"]}>; rel="next"')
        found += [one["detail"]["message"]["pt-BR"] for one in page["entries"]]
        query = page["next"] and f"?{page['next'].partition('?')[2]}"
        assert await said(side, "POST", f"{ONE}/updates", {"message": f"late {len(found)}", "author": "Ana"}) == 201
        await log(side)
    assert found == ["4", "3", "2", "1", "0"]
    assert (await read(side, "?by=Nobody"))["entries"] == []
    assert (await read(side, f"?subject={OPEN.id}&limit=1&since=2026-11-23&until=2026-11-24"))["entries"]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=201", "limit=x", "cursor=!", "cursor=WzFd", "cursor=" + "W" * 600, "act=nothing", "since=x",
     "until=9999-99-99", "by=%00", "cursor=WyJhIl0", "cursor=Wzk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"],
)  # fmt: skip
async def test_what_cannot_be_asked_is_refused(locked: Side, query: str) -> None:
    """400 with the reason, by the API and on the page."""
    status = 200 if query == "cursor=WzFd" else 400  # that is one of ours
    async with locked.client.get(f"{API}/audit?{query}", headers=HOLDER) as answer:
        assert answer.status == status
        assert status == 200 or (await answer.json())["error"]
    page = await locked.get(f"/healthcheck/audit?{query}", Authorization=f"Bearer {TOKEN}")
    assert page.status == status


async def test_the_page_shows_the_log_to_those_who_may(locked: Side) -> None:
    """With what was typed as text, links to incidents, a form, and pages that keep what was picked."""
    assert (await locked.get("/healthcheck/audit")).status == 401
    for n in range(3):
        assert await said(locked, "POST", f"{ONE}/updates", {"message": f"{HOSTILE} {n}", "author": HOSTILE}) == 201
    await log(locked)
    page = await locked.get("/healthcheck/audit?act=incident&limit=2", Authorization=f"Bearer {TOKEN}")
    text = await page.text()
    assert (page.status, HOSTILE in text, "&lt;script&gt;" in text) == (200, False, True)
    assert f'href="../healthcheck/incidents/{OPEN.id}"' in text
    older = re.search(r'rel="next" href="([^"]+)"', text)
    assert older is not None
    text = await (
        await locked.get(f"/healthcheck/audit{older[1].replace('&amp;', '&')}", Authorization=f"Bearer {TOKEN}")
    ).text()
    assert text.count("&lt;script&gt;alert(1)&lt;/script&gt; ") == 1
    assert 'href="?act=incident"' in text
    portuguese = await locked.get("/healthcheck/audit?lang=pt-BR", Authorization=f"Bearer {TOKEN}")
    assert "Mensagem (pt-BR)" in await portuguese.text()


# -- tags -------------------------------------------------------------------------------------------------------------

READ = (
    f"{API}/status",
    f"{API}/modules",
    f"{API}/modules?status=down",
    f"{API}/modules/checkout",
    f"{API}/incidents",
    ONE,
    f"{API}/incidents/{OLD.id}",
    f"{API}/maintenance",
    f"{API}/audit",
    f"{API}/openapi.json",
)


@pytest.mark.parametrize("path", READ)
async def test_everything_that_is_read_has_a_strong_tag_and_is_sent_once(locked: Side, path: str) -> None:
    """304 without a body for whoever has it, also by HEAD and when a proxy has made the tag a weak one."""
    async with locked.client.get(path, headers=HOLDER) as answer:
        tag, body = answer.headers["ETag"], await answer.read()
        assert (answer.status, tag[0], tag[-1], len(body) > 2) == (200, '"', '"', True)
    for method in ("GET", "HEAD"):
        for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
            headers = {**HOLDER, "If-None-Match": known}
            async with locked.client.request(method, path, headers=headers) as answer:
                assert (answer.status, answer.headers["ETag"], await answer.read()) == (304, tag, b"")
    async with locked.client.get(path, headers={**HOLDER, "If-None-Match": '"x"'}) as answer:
        assert (answer.status, await answer.read()) == (200, body)


async def test_the_tag_of_an_incident_changes_exactly_when_it_does(locked: Side) -> None:
    """Not by time, by another incident, or by an act that changes nothing."""

    async def shown() -> tuple[str, bytes]:
        async with locked.client.get(ONE, headers=HOLDER) as answer:
            return answer.headers["ETag"], await answer.read()

    known = await shown()
    for path, changes in (
        (f"{API}/incidents/{DRAFT.id}/acknowledge", False),
        (f"{ONE}/acknowledge", True),
        (f"{ONE}/acknowledge", False),
        (f"{ONE}/updates", True),
    ):
        locked.desk._clock.at += timedelta(seconds=1)  # type: ignore[attr-defined]
        assert await said(locked, "POST", path, {"message": "x"} if path.endswith("updates") else {}) < 300
        seen = await shown()
        assert (seen[0] != known[0], seen[1] != known[1]) == (changes, changes)
        known = seen
    async with locked.client.patch(ONE, json={"impact": "critical"}, headers=HOLDER) as answer:
        assert (answer.headers["ETag"], answer.headers["Content-Location"]) == ((await shown())[0], ONE)


@pytest.mark.parametrize("act", ["acknowledge", "resolve", "updates", "edit"])
async def test_a_change_that_is_meant_for_another_state_is_refused(locked: Side, act: str) -> None:
    """412 where somebody was faster; the tag of now, `*`, and no tag at all are followed."""
    method, path = ("PATCH", ONE) if act == "edit" else ("POST", f"{ONE}/{act}")
    body = {"title": "t"} if act == "edit" else {"message": "m"} if act == "updates" else {}
    async with locked.client.get(ONE, headers=HOLDER) as answer:
        before = answer.headers["ETag"]
    assert await said(locked, "PATCH", ONE, {"impact": "critical", "author": "Bea"}, If_Match=f'"x", {before}') == 200
    for stale in (before, f"W/{before}", '"x"', "x"):
        assert await said(locked, method, path, body, If_Match=stale) == 412
    async with locked.client.get(ONE, headers=HOLDER) as answer:
        now = answer.headers["ETag"]
    assert await said(locked, method, path, body, If_Match=now) in (200, 201, 409)
    assert [one.outcome for one in await log(locked, act="incident.edit")][:1] == ["done"]
    assert {one.detail["refused"] for one in await log(locked) if one.outcome == "refused"} >= {"outdated"}


# -- two operators at once --------------------------------------------------------------------------------------------


async def form(side: Side, act: str, seen: int, fields: dict[str, str]) -> tuple[int, str]:
    """What somebody is told who looked at the incident when so many acts were known."""
    page = await side.get(f"/healthcheck/incidents/{OPEN.id}")
    found = re.search(r'name="seen" value="(\d+)"', await page.text())
    assert found is not None
    csrf = await side.csrf()
    given = {"csrf": csrf, "seen": str(seen), "request": uuid4().hex, **fields}
    answer = await side.post(f"/healthcheck/incidents/{OPEN.id}/{act}", given)
    return answer.status, await answer.text() if answer.status != 303 else answer.headers["Location"]


Fields = dict[str, str]
EDIT: tuple[str, Fields] = ("edit", {"title.en": "Mine", "impact": "major"})
UPDATE: tuple[str, Fields] = ("update", {"message.en": "Mine", "status": "identified"})
CORRECT: tuple[str, Fields] = ("correct", {"message.en": "Mine", "number": "1"})
ACK: tuple[str, Fields] = ("acknowledge", {})


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [(EDIT, ("edit", {"title.en": "Theirs", "impact": "critical"}), 412),
     (EDIT, UPDATE, 303),
     (UPDATE, ("update", {"message.en": "Theirs", "status": "investigating"}), 412),
     (UPDATE, EDIT, 303),
     (CORRECT, ("correct", {"message.en": "Theirs", "number": "1"}), 412),
     (CORRECT, UPDATE, 303),
     (ACK, EDIT, 303),
     (ACK, ACK, 303)],
    ids=lambda one: one[0] if isinstance(one, tuple) else str(one),
)  # fmt: skip
async def test_of_two_forms_filled_in_at_once_none_is_lost(
    tmp_path: Path, first: tuple[str, Fields], second: tuple[str, Fields], status: int
) -> None:
    """What would undo the other one's words comes back with what was typed, and goes through once it was seen again."""
    async with serving(tmp_path, None) as side:
        assert (await form(side, first[0], 0, first[1]))[0] == 303
        before = await side.stored(OPEN.id)
        answer = await form(side, second[0], 0, second[1])
        assert answer[0] == status
        if status == 412:
            assert await side.stored(OPEN.id) == before
            assert "was faster" in answer[1]
            assert all(text in answer[1] for name, text in second[1].items() if name.startswith(("title", "message")))
            assert (await form(side, second[0], 1, second[1]))[0] == 303
        elif first == second:
            assert answer[1].endswith("?done=already")
        acts = [one.what for one in (await side.stored(OPEN.id)).acts]
        assert len(acts) == (1 if first == second else 2)
        assert len([one for one in await log(side) if one.outcome == "done"]) == len(acts)


async def test_of_two_that_use_the_tag_exactly_one_is_followed(locked: Side) -> None:
    """However many send at the same moment; the others hear that they were too late."""
    async with locked.client.get(ONE, headers=HOLDER) as answer:
        tag = answer.headers["ETag"]
    every = await asyncio.gather(
        *(said(locked, "PATCH", ONE, {"title": f"{n}", "author": f"{n}"}, If_Match=tag) for n in range(5))
    )
    assert sorted(every) == [200, 412, 412, 412, 412]
    kept = await locked.stored(OPEN.id)
    assert [act.by for act in kept.acts] == [str(every.index(200))]
    assert kept.title == {"pt-BR": str(every.index(200))}


async def test_orders_about_planned_work_are_recorded_as_well() -> None:
    """Whatever way an event of a person takes, it goes through the same ear."""
    from monitor.core.agenda import WorkAct

    store = MemoryStore()
    desk = Desk(small()[0], store, RecordingHands(), FakeClock(after(60)), troubles=StoreFailed)
    writer = asyncio.create_task(desk.write())
    answer = await desk.hear(Said(Ordered("nothing", WorkAct.EXTEND, after(99)), "command", "Ana"))
    await desk.stored()
    writer.cancel()
    assert answer.refusal is not None
    ((_, line),) = await store.entries(Sought())
    assert (line.act, line.outcome, line.how, line.subject) == ("maintenance.extend", "refused", "command", "nothing")
