"""Who may do what on the operators' side: every route that it has is walked, so that a new one cannot be forgotten.
Real requests against a real desk over a real store."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.core.roster import Role, Roster
from monitor.web.access import FREE, OWN, READING
from monitor.web.headers import HEADERS
from monitor.web.session import IDLE
from tests.web.operators import OPEN, Side, serving
from tests.web.people import ANA, BARE, EVA, EVERYBODY, FORM, READER, ROBOT, bearing, cookie_of, csrf_of, log_in

FILLED = {
    **{"id": OPEN.id, "number": "1", "act": "acknowledge", "module": "checkout", "probe": "http", "token": "x"},
    **{"event_id": f"{OPEN.id}-1", "channel": "pager"},
}
ELSEWHERE = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
async def side(tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(tmp_path, None, roster=EVERYBODY) as one:
        yield one


def routes(side: Side, *, changing: bool) -> list[tuple[str, str]]:
    """Method and canonical path of each, of those that change something or of those that do not."""
    found = {
        (route.method, route.resource.canonical)
        for route in side.client.app.router.routes()
        if route.resource is not None and (route.method not in READING) is changing
    }
    assert len(found) > 15
    return sorted(found)


def guarded(side: Side) -> Iterator[tuple[str, str]]:
    """Everything that changes something, but for what asks for itself who it is."""
    for method, path in routes(side, changing=True):
        if path not in FREE:
            yield method, path


async def ask(side: Side, method: str, path: str, csrf: str = "", **headers: str) -> int:
    """The status of a request that says something sensible, as a page or a program would."""
    fields = {"message": "x", "until": "+1h", "title": "x", "modules": ["checkout"]}
    if path.startswith("/healthcheck"):
        data, kind = f"csrf={csrf}&message.en=x&title.en=x", FORM
    else:
        wanted = fields if path.endswith("incidents") else {}
        data, kind = json.dumps(wanted), "application/json"
        headers |= {"X-CSRF-Token": csrf} if csrf else {}
    url = re.sub(r"{(\w+)}", lambda match: FILLED[match[1]], path)
    sent = {"Content-Type": kind, "Accept-Language": "en", **headers}
    async with side.client.request(method, url, data=data, headers=sent, allow_redirects=False) as answer:
        if answer.status in (401, 403):
            assert (await answer.text()).strip(), path
        return answer.status


async def statuses(side: Side, csrf: str = "", **headers: str) -> dict[tuple[str, str], int]:
    """The status of everything that changes something, each asked in turn; and that nothing has changed."""
    board = side.desk.board
    found = {one: await ask(side, *one, csrf, **headers) for one in guarded(side)}
    if set(found.values()) <= {401, 403}:
        assert side.desk.board is board
        assert side.asked == []
        assert (await side.stored(OPEN.id)).acts == ()
    return found


def test_only_these_ask_for_themselves() -> None:
    """Whoever adds to this list says so here as well."""
    assert {
        "/",
        "/metrics",
        "/probe",
        "/-/healthy",
        "/-/ready",
        "/-/leader",
        "/api/ops/v1/openapi.json",
        "/healthcheck/",
        "/healthcheck/assets/{name}",
        "/healthcheck/login",
        "/heartbeat/{module}/{probe}",
        "/acknowledge/{token}",
        "/subscribe",
        "/subscribe/assets/{name}",
        "/subscribe/confirm/{token}",
        "/unsubscribe/{token}",
    } == FREE


async def test_nothing_changes_without_a_token(side: Side) -> None:
    """Nor with a wrong one, in whatever form."""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {BARE.text}"}):
        assert set((await statuses(side, **headers)).values()) == {401}


async def test_nothing_changes_for_a_viewer(side: Side) -> None:
    """With a viewer's token, or with a viewer's session and its csrf; but a viewer can log out."""
    found = await statuses(side, **bearing(READER))
    assert {status for (_, path), status in found.items() if path not in OWN} == {403}
    await log_in(side, "eva")
    csrf = await csrf_of(side)
    for one in guarded(side):
        if one[1] not in OWN:
            assert await ask(side, *one, csrf) == 403, one
    assert (side.asked, (await side.stored(OPEN.id)).acts) == ([], ())
    assert await ask(side, "POST", "/healthcheck/logout", csrf) == 303


async def test_nothing_changes_for_a_page_of_another_site(side: Side) -> None:
    """It can make a browser send its cookie; it cannot read the csrf, and a stolen one helps nothing from elsewhere."""
    await log_in(side, "ana")
    first = cookie_of(side), await csrf_of(side)
    side.client.session.cookie_jar.clear()
    await log_in(side, "ana")
    csrf = await csrf_of(side)
    assert csrf != first[1]
    assert set((await statuses(side)).values()) == {403}
    assert set((await statuses(side, "wrong")).values()) == {403}
    assert set((await statuses(side, first[1])).values()) == {403}  # of another session of the same person
    for headers in (ELSEWHERE, {"Origin": "null"}, {"Sec-Fetch-Site": "same-site"}):
        assert set((await statuses(side, csrf, **headers)).values()) == {403}
    assert set((await statuses(side, **bearing(ROBOT), **ELSEWHERE)).values()) == {403}


async def test_nothing_changes_with_a_session_that_has_ended(side: Side) -> None:
    """By time, or by whoever ended it from elsewhere."""
    await log_in(side, "ana")
    csrf, cookie = await csrf_of(side), {"Cookie": f"monitor_session={cookie_of(side)}"}
    side.time[0] += IDLE
    assert set((await statuses(side, csrf, **cookie)).values()) == {401}
    await log_in(side, "ana")
    csrf, cookie = await csrf_of(side), {"Cookie": f"monitor_session={cookie_of(side)}"}
    async with side.client.get("/api/ops/v1/sessions", headers=bearing(ROBOT)) as answer:
        (listed,) = (await answer.json())["sessions"]
    async with side.client.delete(f"/api/ops/v1/sessions/{listed['id']}", headers=bearing(ROBOT)) as answer:
        assert answer.status == 204
    assert set((await statuses(side, csrf, **cookie)).values()) == {401}


async def test_an_operator_gets_past_every_one_of_these(side: Side) -> None:
    """So that what is refused above is refused for who asks, and for nothing else."""
    for one in guarded(side):
        if one[1] not in OWN:
            await log_in(side, "ana")
            assert await ask(side, *one, await csrf_of(side)) not in (401, 403), one
            assert await ask(side, *one, **bearing(ROBOT)) not in (401, 403), one


async def test_at_this_machine_no_page_of_another_site_changes_anything(tmp_path: Path) -> None:
    """Where nobody is named there is no cookie to protect, and every page could ask."""
    async with serving(tmp_path, None) as free:
        assert set((await statuses(free, **ELSEWHERE)).values()) == {403}
        assert set((await statuses(free, **{"X-Forwarded-For": "203.0.113.9"})).values()) == {403}
        assert set((await statuses(free, Host="evil.example")).values()) == {403}


async def test_everything_is_read_by_a_viewer_and_by_nobody_else(side: Side) -> None:
    """Every route that only reads."""
    for method, path in routes(side, changing=False):
        if path in FREE or method != "GET":
            continue
        assert await ask(side, method, path) == 401, path
        if path not in ("/events", "/api/ops/v1/observations"):  # these go on
            assert await ask(side, method, path, **bearing(READER)) not in (401, 403), path


async def test_a_viewer_sees_no_controls_but_who_has_them(side: Side) -> None:
    """Pages without forms that would be refused."""
    await log_in(side, "eva")
    for path in ("", f"/incidents/{OPEN.id}", "/modules/checkout", "/open", "/silences", "/maintenance", "/outbox"):
        text = await (await side.get(f"/healthcheck{path}")).text()
        assert set(re.findall(r'method="post" action="[^"]*healthcheck/([^"]+)"', text)) == {"logout"}
        assert ("Only operators may change something" in text) is (path != "")


async def test_a_refusal_says_why_in_the_form_that_was_asked_for(side: Side) -> None:
    """JSON to programs, a page to people."""
    why = "Only operators may change something; you are a viewer."
    path, headers = f"/api/ops/v1/incidents/{OPEN.id}/acknowledge", bearing(READER)
    async with side.client.post(path, json={}, headers=headers) as answer:
        assert (answer.status, await answer.json()) == (403, {"error": why})
    answer = await side.post(f"/healthcheck/incidents/{OPEN.id}/acknowledge", {}, **headers)
    assert (answer.status, answer.content_type, why in await answer.text()) == (403, "text/html", True)


@pytest.mark.parametrize(
    ("headers", "said", "by"),
    [(bearing(BARE), "Bia", "Bia"), (bearing(BARE), None, None), (bearing(ROBOT), "Bia", "robot"), ({}, "Bia", "ana")],
)  # fmt: skip
async def test_the_record_names_whoever_it_was(
    side: Side, headers: dict[str, str], said: str | None, by: str | None
) -> None:
    """Whoever the configuration names cannot say they are somebody else; the bare token has no name of its own."""
    if not headers:
        await log_in(side, "ana")
        headers = {"X-CSRF-Token": await csrf_of(side)}
    path = f"/api/ops/v1/incidents/{OPEN.id}/acknowledge"
    async with side.client.post(path, json={"author": said}, headers=headers) as answer:
        assert answer.status == 200
    assert [act.by for act in (await side.stored(OPEN.id)).acts] == [by]


async def test_a_form_cannot_name_somebody_else(side: Side) -> None:
    """A field too many says nothing."""
    await log_in(side, "ana")
    fields = {"csrf": await csrf_of(side), "author": "Bia"}
    await side.post(f"/healthcheck/incidents/{OPEN.id}/acknowledge", fields)
    assert [act.by for act in (await side.stored(OPEN.id)).acts] == ["ana"]


async def test_a_new_configuration_counts_at_once(side: Side) -> None:
    """Demoted, then promoted again, then with another password, then gone; and withdrawn tokens."""
    await log_in(side, "ana")
    path, csrf = f"/healthcheck/incidents/{OPEN.id}/acknowledge", await csrf_of(side)
    side.roster = replace(EVERYBODY, users=(replace(ANA, role=Role.VIEWER), EVA))
    assert (await side.post(path, {"csrf": csrf})).status == 403
    side.roster = EVERYBODY
    assert (await side.post(path, {"csrf": csrf})).status == 303
    side.roster = replace(EVERYBODY, users=(replace(ANA, password=EVA.password), EVA))
    assert (await side.get("/healthcheck")).status == 401
    side.roster = EVERYBODY  # what has ended does not come back
    assert (await side.get("/healthcheck")).status == 401
    await log_in(side, "ana")
    side.roster = replace(EVERYBODY, users=(EVA,))
    assert (await side.get("/healthcheck")).status == 401
    await side.log_in(BARE.text, "Bia")
    assert (await side.get("/healthcheck")).status == 200
    side.roster = Roster((EVA,))
    assert (await side.get("/healthcheck")).status == 401
    assert (await side.get("/healthcheck", **bearing(ROBOT))).status == 401


async def test_the_live_line_ends_with_the_right_to_listen(side: Side) -> None:
    """Whoever is no longer named is told nothing more."""
    async with side.client.get("/events", headers=bearing(READER)) as answer:
        assert (await answer.content.readline()).startswith(b"retry")
        side.roster = Roster((EVA,))
        assert b"board" in await answer.content.read()  # the first word, and then the end


async def test_every_answer_carries_the_headers_that_browsers_obey(side: Side) -> None:
    """Pages, data, refusals and mistakes alike."""
    some = {"Content-Security-Policy", "Referrer-Policy", "Cache-Control"}  # a page says these itself
    for headers in ({}, bearing(READER)):
        for method, path in [*routes(side, changing=False), *guarded(side), ("PUT", "/metrics"), ("GET", "/no\x7fne")]:
            if path in ("/events", "/api/ops/v1/observations") and headers:
                continue
            url = re.sub(r"{(\w+)}", lambda match: FILLED.get(match[1], "x"), path)
            async with side.client.request(method, url, headers=headers, allow_redirects=False) as answer:
                for name, text in HEADERS.items():
                    assert name in answer.headers, (method, path, name)
                    assert name in some or answer.headers[name] == text
                assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
                assert answer.headers["Server"] == "vtex-monitor"
