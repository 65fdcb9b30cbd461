"""Where customers ask to be told, confirm it and end it: real requests against a real circulation over a real store."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from monitor.core.subscriber import Subscriber
from monitor.store import StoreFailed
from monitor.web.ticket import Tickets, new_id
from tests.store.past import NOON
from tests.web.operators import HOLDER, HOSTILE, TOKEN, Side, serving
from tests.web.people import EVERYBODY, READER, bearing

API = "/api/ops/v1/subscribers"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, TOKEN) as one:
        # Calls only: nobody said through which server mails leave.
        yield one


def wished(side: Side) -> list[Subscriber]:
    """What was taken and waits."""
    queue, found = side.circulation._requests, []
    while not queue.empty():
        found.append(queue.get_nowait())
    return found


async def ask(side: Side, body: Any) -> tuple[int, dict[str, Any]]:
    async with side.client.post("/subscribe", json=body) as answer:
        return answer.status, await answer.json()


async def known(side: Side, **about: Any) -> Subscriber:
    """Somebody who asked, stored and in memory."""
    one = replace(Subscriber(new_id(), "email", "ana@example.com", "en", side.clock.now()), **about)
    await side.store.subscribers.add(one)
    side.circulation._roll[one.id] = one
    return one


def tickets(side: Side) -> Tickets:
    assert side.circulation.tickets is not None
    return side.circulation.tickets


def path_of(url: str) -> str:
    return url.removeprefix("https://subscribe.example")


async def test_json_and_forms_ask_for_the_same(side: Side) -> None:
    """With everything that can be chosen, or with an address alone; the language is asked for, or the browser's."""
    status, said = await ask(side, {"webhook": "https://hook.example.com/a", "topics": ["incidents"], "language": "pt"})
    assert (status, said) == (202, {"status": "asked"})
    form = {"webhook": "https://hook.example.com/a", "incidents": "1", "chosen": "1", "language": "pt-BR"}
    answer = await side.post("/subscribe", form, Accept_Language="en", Origin="https://elsewhere.example")
    assert answer.status == 202
    assert answer.headers["Content-Language"] == "pt-BR"
    assert (await ask(side, {"webhook": "https://hook.example.com/a", "lang": "en"}))[0] == 202
    first, second, third = wished(side)
    assert first == replace(second, id=first.id)
    assert (first.language, first.topics, first.components) == ("pt-BR", frozenset({"incidents"}), None)
    assert third.language == "en"
    assert third.topics == frozenset({"incidents", "maintenance"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": ""},
        {"email": 7},
        {"email": ["a@example.com"]},
        {"email": "a@example.com", "webhook": "https://hook.example.com/"},
        {"email": "a@example.com"},  # no server to send through
        {"webhook": "http://hook.example.com/"},
        {"webhook": "https://127.0.0.1/"},
        {"webhook": "https://10.0.0.1/"},
        {"webhook": "https://[::1]/"},
        {"webhook": "https://169.254.169.254/latest"},
        {"webhook": "https://2130706433/"},
        {"webhook": "https://localhost/"},
        {"webhook": "https://db.internal/"},
        {"webhook": "https://u:p@hook.example.com/"},
        {"webhook": "https://hook.example.com:25/"},
        {"webhook": "file:///etc/passwd"},
        {"webhook": "https://hook.example.com/" + "x" * 3000},
        {"webhook": "https://hook.example.com/", "components": ["nothing"]},
        {"webhook": "https://hook.example.com/", "components": []},
        {"webhook": "https://hook.example.com/", "components": [7]},
        {"webhook": "https://hook.example.com/", "components": {"a": 1}},
        {"webhook": "https://hook.example.com/", "topics": []},
        {"webhook": "https://hook.example.com/", "topics": ["x"]},
        {"webhook": "https://hook.example.com/", "format": "x"},
        {"webhook": "https://hook.example.com/", "more": 1},
        [],
        "x",
    ],
)
async def test_what_cannot_be_is_refused_with_the_reason(side: Side, body: Any) -> None:
    """As JSON; nothing of it is taken."""
    status, said = await ask(side, body)
    assert (status, list(said)) == (400, ["error"])
    assert wished(side) == []


async def test_a_form_comes_back_with_what_was_typed_and_why_not(side: Side) -> None:
    """Inert, whatever was typed."""
    answer = await side.post("/subscribe", {"webhook": HOSTILE, "chosen": "1", "maintenance": "1"})
    page = await answer.text()
    assert answer.status == 400
    assert HOSTILE not in page
    assert 'role="alert"' in page
    assert re.search(r'name="maintenance"[^>]* checked', page)
    assert not re.search(r'name="incidents"[^>]* checked', page)


async def test_a_machine_that_fills_in_everything_is_told_the_same_and_not_taken(side: Side) -> None:
    """People do not see that field."""
    fields = {"webhook": "https://hook.example.com/", "nothing": "Acme"}
    assert (await side.post("/subscribe", fields)).status == 202
    assert wished(side) == []


async def test_one_client_may_ask_ten_times_a_minute(side: Side) -> None:
    """Then it has to wait, and is told for how long."""
    body = {"webhook": "https://hook.example.com/"}
    assert [(await ask(side, body))[0] for _ in range(10)] == [202] * 10
    async with side.client.post("/subscribe", json=body) as answer:
        assert answer.status == 429
        assert 0 < int(answer.headers["Retry-After"]) <= 61
    assert (await side.post("/subscribe", body)).headers["Retry-After"]


async def test_a_link_confirms_and_says_what_for(side: Side) -> None:
    """Again and again; a HEAD does not, and neither does a ticket to end it, a changed one, or one of nobody."""
    one = await known(side, language="pt-BR")
    path = path_of(tickets(side).confirm_url(one.id))
    assert path.startswith("/subscribe/confirm/")
    assert (await side.client.head(path)).status == 405
    wrong = [path_of(tickets(side).leave_url(one.id)).replace("/unsubscribe/", "/subscribe/confirm/"), path[:-1] + "x"]
    wrong += [path_of(tickets(side).confirm_url(new_id())), "/subscribe/confirm/x", "/subscribe/confirm/%ff.%00"]
    assert [(await side.get(one)).status for one in wrong] == [404] * 5
    assert (await side.store.subscribers.all())[0].confirmed_at is None
    for _ in range(2):
        answer = await side.get(path)
        assert answer.status == 200
        assert answer.headers["Content-Language"] == "pt-BR"
        assert tickets(side).leave_url(one.id) in await answer.text()
    assert (await side.store.subscribers.all())[0].confirmed_at == side.clock.now()


async def test_only_a_button_ends_it(side: Side) -> None:
    """Scanners of mails follow links; a mail program posts without looking (RFC 8058), as often as it likes."""
    one = await known(side, confirmed_at=NOON)
    path = path_of(tickets(side).leave_url(one.id))
    page = await (await side.get(path)).text()
    assert f'action="../{path[1:]}"' in page
    assert "ana@example.com" not in page
    assert len(await side.store.subscribers.all()) == 1
    for _ in range(2):
        answer = await side.post(path, {"List-Unsubscribe": "One-Click"}, Origin="https://mail.example")
        assert answer.status == 200
    assert await side.store.subscribers.all() == []
    confirm = path_of(tickets(side).confirm_url(one.id)).replace("/subscribe/confirm/", "/unsubscribe/")
    assert [(await side.post(confirm, {})).status, (await side.get(confirm)).status] == [404, 404]


async def test_while_the_store_does_not_answer_a_link_can_be_followed_later(side: Side) -> None:
    """Nothing is lost by it."""
    one = await known(side)

    async def refuses(*_: object) -> Any:
        raise StoreFailed("disk full")

    confirm = side.store.subscribers.confirm
    side.store.subscribers.confirm = refuses  # type: ignore[method-assign]
    assert (await side.get(path_of(tickets(side).confirm_url(one.id)))).status == 503
    side.store.subscribers.confirm = confirm  # type: ignore[method-assign]
    assert (await side.get(path_of(tickets(side).confirm_url(one.id)))).status == 200


async def test_where_nobody_can_subscribe_nothing_is_there(side: Side) -> None:
    """Neither the form nor what takes it."""
    side.circulation.tickets = None
    assert (await ask(side, {"webhook": "https://hook.example.com/"}))[0] == 404
    assert (await side.get("/subscribe")).status == 404
    assert (await side.get("/unsubscribe/x")).status == 404


@pytest.mark.parametrize("language", ["pt-BR", "en"])
async def test_the_pages_stand_alone_below_their_own_paths(side: Side, language: str) -> None:
    """So that a proxy needs to let through nothing else of this side: style and icon lie there too, no script does."""
    answer = await side.get(f"/subscribe?lang={language}&component=x")
    page = await answer.text()
    assert f'lang="{language}"' in page
    assert "<script" not in page
    assert "healthcheck" not in page
    for asset in re.findall(r'(?:href|src)="\./(subscribe/assets/[^"]+)"', page):
        assert (await side.get(f"/{asset}")).status == 200
    assert len(re.findall("subscribe/assets/", page)) == 2


async def test_operators_see_everything_but_who_it_is(side: Side) -> None:
    """Only an export says that, and the audit log says that it was made, without an address."""
    one = await known(side)
    listed = await (await side.client.get(API, headers=HOLDER)).json()
    assert listed["counts"]["email"] == {"confirmed": 0, "unconfirmed": 1}
    assert [each["id"] for each in listed["subscribers"]] == [one.id]
    assert "ana@" not in str(listed)
    async with side.client.post(f"{API}/export", json={"author": "Ana"}, headers=HOLDER) as answer:
        assert (await answer.json())["subscribers"][0]["address"] == "ana@example.com"
    body = {"address": "ANA@example.com", "author": "Ana"}
    async with side.client.post(f"{API}/erase", json=body, headers=HOLDER) as answer:
        assert await answer.json() == {"erased": 1}
    async with side.client.post(f"{API}/erase", json=body, headers=HOLDER) as answer:
        assert answer.status == 404
    assert await side.store.subscribers.all() == []
    audit = await (await side.client.get("/api/ops/v1/audit?act=subscribers", headers=HOLDER)).text()
    assert audit.count("subscribers.erase") == 2
    assert "subscribers.export" in audit
    assert "ana@" not in audit.lower()


async def test_a_viewer_sees_no_address(tmp_path: Path) -> None:
    """And nobody sees anything without a token."""
    async with serving(tmp_path, None, roster=EVERYBODY) as side:
        await known(side)
        assert (await side.get(API)).status == 401
        assert "ana@" not in await (await side.client.get(API, headers=bearing(READER))).text()
        async with side.client.post(f"{API}/export", json={}, headers=bearing(READER)) as answer:
            assert answer.status == 403


@pytest.mark.parametrize(
    "body", [{}, {"address": ""}, {"address": 7}, {"address": "a", "id": "b"}, {"id": ""}, {"x": 1}]
)
async def test_one_says_whom_to_erase(side: Side, body: dict[str, Any]) -> None:
    """And never everybody by mistake."""
    await known(side)
    async with side.client.post(f"{API}/erase", json=body, headers=HOLDER) as answer:
        assert answer.status == 400
    assert len(await side.store.subscribers.all()) == 1
