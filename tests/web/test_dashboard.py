"""The dashboard of operators: who gets in, what forms do, and what is refused. A real desk over a real store, real
pages, real requests."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientResponse

from monitor.web.login import ATTEMPTS
from monitor.web.session import IDLE, LASTS
from tests.store.past import after
from tests.web.operators import DRAFT, HOLDER, HOSTILE, OLD, OPEN, TOKEN, Side, serving, stormy


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Side]:
    """With a token set."""
    async with serving(tmp_path, TOKEN) as side:
        yield side


@pytest.fixture
async def free(tmp_path: Path) -> AsyncIterator[Side]:
    """Without one: whoever sits at this machine."""
    async with serving(tmp_path, None) as side:
        yield side


@pytest.fixture(params=[TOKEN, None], ids=["locked", "free"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    """Either."""
    async with serving(tmp_path, request.param) as one:
        yield one


PAGES = ("/healthcheck", "/healthcheck/modules/checkout", f"/healthcheck/incidents/{OPEN.id}", "/healthcheck/open")


# -- who gets in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
async def test_with_a_token_nothing_is_shown_before_it_was_said(locked: Side, path: str) -> None:
    """401 with the page that asks for it, and not a word of what is behind; with the header it is there."""
    answer = await locked.get(path)
    text = await answer.text()
    assert (answer.status, 'type="password"' in text) == (401, True)
    assert OPEN.id not in text.replace(f'value="{path}"', "")
    assert (await locked.get(path, Authorization=f"Bearer {TOKEN}")).status == 200
    assert (await locked.get(path, Authorization="Bearer wrong")).status == 401


async def test_a_login_leads_back_to_the_page_that_was_wanted(locked: Side) -> None:
    """The cookie is out of reach of scripts and of other sites; the page shows who is there."""
    answer = await locked.log_in(to=f"/healthcheck/incidents/{OPEN.id}")
    assert (answer.status, answer.headers["Location"]) == (303, f"../healthcheck/incidents/{OPEN.id}")
    cookie = answer.headers["Set-Cookie"]
    assert all(word in cookie for word in ("HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"))
    assert "Secure" not in cookie
    page = await locked.get("/healthcheck")
    assert (page.status, "Ana" in await page.text()) == (200, True)


@pytest.mark.parametrize(
    "to", ["https://evil.example", "//evil.example", "/healthcheck/../../x", "javascript:x", "/metrics"]
)
async def test_a_login_leads_nowhere_else(locked: Side, to: str) -> None:
    """Whatever the form says, the way goes to the dashboard."""
    assert (await locked.log_in(to=to)).headers["Location"] == "../healthcheck"


async def test_a_link_from_elsewhere_finds_the_session_at_the_second_try(locked: Side) -> None:
    """A browser leaves its cookie at home when it follows a link of another site; the page asks for itself again."""
    path = f"/healthcheck/incidents/{OPEN.id}"
    answer = await locked.get(path, Sec_Fetch_Site="cross-site")
    assert (answer.status, f'content="0; url=./{OPEN.id}"' in await answer.text()) == (401, True)
    assert "http-equiv" not in await (await locked.get(path, Sec_Fetch_Site="same-origin")).text()


async def test_behind_https_the_cookie_stays_there(locked: Side) -> None:
    """Also where a proxy speaks https for us."""
    answer = await locked.post("/healthcheck/login", {"token": TOKEN}, X_Forwarded_Proto="https")
    assert answer.headers["Set-Cookie"].startswith("__Host-monitor_session=")
    assert "Secure" in answer.headers["Set-Cookie"]


async def test_wrong_tokens_are_counted(locked: Side) -> None:
    """After five in a minute even the right one waits; a minute later it does not."""
    for _ in range(ATTEMPTS):
        assert (await locked.log_in("wrong")).status == 401
    answer = await locked.log_in()
    assert (answer.status, int(answer.headers["Retry-After"]) <= 61) == (429, True)
    locked.time[0] += 61
    assert (await locked.log_in()).status == 303


async def test_a_session_ends_by_logout_and_by_time(locked: Side) -> None:
    """The cookie opens nothing afterwards, whoever kept a copy of it."""
    await locked.log_in()
    copy = next(iter(locked.client.session.cookie_jar)).value
    answer = await locked.post("/healthcheck/logout", {"csrf": await locked.csrf()})
    assert (answer.status, answer.headers["Location"]) == (303, "login")
    assert (await locked.get("/healthcheck", Cookie=f"monitor_session={copy}")).status == 401
    for steps in (round(LASTS / IDLE * 2), 2):  # twelve hours of work; two without a request
        await locked.log_in()
        for _ in range(steps - 1):
            locked.time[0] += IDLE / 2
            assert (await locked.get("/healthcheck")).status == 200
        locked.time[0] += IDLE / 2 if steps > 2 else IDLE
        assert (await locked.get("/healthcheck")).status == 401


async def test_without_a_token_this_machine_needs_none(free: Side) -> None:
    """A name makes the record say who it was."""
    assert (await free.get("/healthcheck")).status == 200
    assert (await free.log_in("", "Bia")).status == 303
    await free.post(f"/healthcheck/incidents/{OPEN.id}/acknowledge", {"csrf": await free.csrf()})
    assert [act.by for act in (await free.stored(OPEN.id)).acts] == ["Bia"]


@pytest.mark.parametrize(
    "headers",
    [
        {"X_Forwarded_For": "203.0.113.9"},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:9464"},
        {"Host": "[::1"},
    ],
    ids=["proxy", "another name", "a name that looks like an address", "half a name"],
)
async def test_without_a_token_nobody_else_gets_in(free: Side, headers: dict[str, str]) -> None:
    """A name of another site may lead to this machine; what it loads is still another site."""
    for path in (*PAGES, "/healthcheck/login", "/api/ops/v1/incidents", "/events"):
        assert (await free.get(path, **headers)).status == 403


# -- what changes needs -----------------------------------------------------------------------------------------------

ACKNOWLEDGE = f"/healthcheck/incidents/{OPEN.id}/acknowledge"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 303), ({"Origin": "https://evil.example"}, 403), ({"Origin": "null"}, 403),
     ({"Sec_Fetch_Site": "cross-site"}, 403), ({"Sec_Fetch_Site": "same-site"}, 403),
     ({"Sec_Fetch_Site": "same-origin", "Origin": "https://ops.example"}, 303)],
)  # fmt: skip
async def test_a_change_comes_from_a_page_of_ours(side: Side, headers: dict[str, str], status: int) -> None:
    """With its session and its csrf, another page can still change nothing."""
    await side.log_in()
    answer = await side.post(ACKNOWLEDGE, {"csrf": await side.csrf()}, **headers)
    assert answer.status == status
    assert ((await side.stored(OPEN.id)).acknowledged_at is not None) is (status == 303)


@pytest.mark.parametrize("csrf", ["", "wrong", "ã"])
async def test_a_change_without_its_csrf_is_refused(side: Side, csrf: str) -> None:
    """Every form of every page."""
    await side.log_in()
    below = f"/healthcheck/incidents/{OPEN.id}"
    acts = ("acknowledge", "update", "resolve", "publish", "edit", "postmortem", "correct")
    for path in (*(f"{below}/{act}" for act in acts), "/healthcheck/open", "/healthcheck/modules/checkout/probe"):
        answer = await side.post(path, {"csrf": csrf, "message.en": "x", "number": "1"})
        assert (answer.status, "Nothing was changed" in await answer.text()) == (403, True)
    assert (await side.post("/healthcheck/logout", {"csrf": csrf})).status == 403
    assert ((await side.stored(OPEN.id)).acts, side.asked) == ((), [])


async def test_a_csrf_of_another_session_is_worth_nothing(locked: Side) -> None:
    """A second operator's token does not serve the first one's cookie."""
    await locked.log_in()
    stolen = await locked.csrf()
    locked.client.session.cookie_jar.clear()
    await locked.log_in()
    assert (await locked.post(ACKNOWLEDGE, {"csrf": stolen})).status == 403


async def test_after_the_session_has_ended_a_form_changes_nothing(locked: Side) -> None:
    """The answer asks to log in again."""
    await locked.log_in()
    csrf = await locked.csrf()
    locked.time[0] += LASTS + 1
    answer = await locked.post(ACKNOWLEDGE, {"csrf": csrf})
    assert (answer.status, 'type="password"' in await answer.text()) == (401, True)
    assert (await locked.stored(OPEN.id)).acts == ()


async def test_the_api_takes_a_session_with_its_csrf(locked: Side) -> None:
    """Reading takes the cookie alone, a change the header as well; the bearer's token goes on as before."""
    path = f"/api/ops/v1/incidents/{OPEN.id}"
    assert (await locked.client.get(path)).status == 401
    await locked.log_in()
    assert (await locked.client.get(path)).status == 200
    for headers, status in (({}, 403), ({"X-CSRF-Token": "x"}, 403), ({"X-CSRF-Token": await locked.csrf()}, 200)):
        async with locked.client.post(f"{path}/acknowledge", json={}, headers=headers) as answer:
            assert answer.status == status
    locked.client.session.cookie_jar.clear()
    async with locked.client.post(f"{path}/acknowledge", json={}, headers=HOLDER) as answer:
        assert answer.status == 200


async def test_a_form_is_a_form(free: Side) -> None:
    """Other types and a flood are refused in a sentence."""
    form = "application/x-www-form-urlencoded"
    for body, kind, status in (
        (b"{}", "application/json", 415),
        (b"csrf=" + b"x" * 70_000, form, 413),
        (b"csrf=\xff\xfe", form, 400),
        (b"csrf=x", f"{form}; charset=nonsense", 415),
        (b"csrf=x", f"{form}; charset=punycode", 415),
        (b"csrf=%00%FF&message.en=%ED%A0%80", form, 403),
    ):
        headers = {"Content-Type": kind}
        async with free.client.post(ACKNOWLEDGE, data=body, headers=headers) as answer:
            assert (answer.status, answer.content_type) == (status, "text/html")


# -- what forms do ----------------------------------------------------------------------------------------------------


async def test_the_whole_life_of_an_incident_in_forms(free: Side) -> None:
    """Opened as a draft, published, acknowledged, updated, reworded, corrected, ended, explained: all by forms, and all
    on disk when the page comes back."""
    await free.log_in("", "Ana")
    csrf = {"csrf": await free.csrf()}
    opened = {"title.en": "Slow", "message.en": "It is slow.", "modules": "checkout", "impact": "major", "draft": "yes"}
    answer = await free.post("/healthcheck/open", {**csrf, **opened, "started_at": "2026-11-23T11:30"})
    found = re.fullmatch(r"\.\./healthcheck/incidents/(\w{12})\?done=open", answer.headers["Location"])
    assert (answer.status, found is not None) == (303, True)
    assert found is not None
    id = found[1]

    async def does(act: str, **fields: str) -> None:
        given = {name.replace("__", "."): text for name, text in fields.items()}
        answer = await free.post(f"/healthcheck/incidents/{id}/{act}", {**csrf, **given})
        assert (answer.status, answer.headers.get("Location")) == (
            303,
            f"../../../healthcheck/incidents/{id}?done={act}",
        )

    first = await free.stored(id)
    assert (first.published_at, first.started_at, first.impact) == (None, after(-1800), "major")
    await does("publish")
    await does("acknowledge")
    await does("update", message__en="A disk.", status="identified", confirm_cause="checkout")
    await does("edit", title__en="Very slow", summary__en="", impact="critical")
    assert 'id="do-lower"' in await (await free.get(f"/healthcheck/incidents/{id}")).text()
    await does("lower", priority="normal", reason__en="One shop only.")
    await does("correct", number="1", message__en="It is very slow.")
    await does("resolve", message__en="Fast again.")
    await does("postmortem", **{"message__en": "A disk was full.\r\nIt is not."})
    kept = await free.stored(id)
    acts = [
        "opened",
        "published",
        "acknowledged",
        "updated",
        "edited",
        "lowered",
        "corrected",
        "resolved",
        "postmortem",
    ]
    assert [(act.what, act.by) for act in kept.acts] == [(what, "Ana") for what in acts]
    assert (kept.title, kept.impact, kept.cause.state) == ({"en": "Very slow"}, "critical", "confirmed")
    bodies = ["It is very slow.", "A disk.", "One shop only.", "Fast again.", "A disk was full.\nIt is not."]
    assert [one.body for one in kept.updates] == [{"en": text} for text in bodies]


async def test_a_form_that_is_sent_twice_is_followed_once(free: Side) -> None:
    """A double click, or a reload of the answer. With another text in it, as after a step back, it comes back with what
    was typed, and can be sent from there."""
    path = f"/healthcheck/incidents/{OPEN.id}/update"
    fields = {"csrf": await free.csrf(), "request": "k1", "message.en": "One."}
    for _ in range(2):
        assert (await free.post(path, fields)).status == 303
    answer = await free.post(path, {**fields, "message.en": "Two."})
    page = await answer.text()
    assert (answer.status, "This form was sent before" in page, "Two." in page) == (422, True, True)
    assert [update.body for update in (await free.stored(OPEN.id)).updates[1:]] == [{"en": "One."}]


@pytest.mark.parametrize(
    ("act", "fields", "status", "why"),
    [("update", {"message.en": " "}, 400, "the message is empty"),
     ("update", {"message.fr": "x"}, 400, "this site does not speak `fr`"),
     ("update", {"message.en": "kept text", "status": "nonsense"}, 400, "`status` is one of"),
     ("update", {"message.en": "kept text", "confirm_cause": "nobody"}, 400, "there is no module `nobody`"),
     ("postmortem", {"message.en": "kept text"}, 409, "it is not over yet"),
     ("correct", {"message.en": "kept text", "number": "77"}, 404, "there is no update 77")],
)  # fmt: skip
async def test_what_is_not_followed_is_said_and_nothing_typed_is_lost(
    free: Side, act: str, fields: dict[str, str], status: int, why: str
) -> None:
    """The page comes again with the reason; texts stand where they were typed, if their form is still there."""
    answer = await free.post(f"/healthcheck/incidents/{OPEN.id}/{act}", {"csrf": await free.csrf(), **fields})
    text = await answer.text()
    assert (answer.status, why in text, "<script" in text) == (status, True, False)
    if act == "update" and "kept text" in fields.values():
        assert "kept text</textarea>" in text
    assert (await free.stored(OPEN.id)).acts == ()


async def test_what_nobody_knows_is_a_page_too(free: Side) -> None:
    """404 in the reader's language."""
    for path in ("/healthcheck/modules/nope", "/healthcheck/incidents/nope"):
        answer = await free.get(path)
        assert (answer.status, "<h1>Not done</h1>" in await answer.text()) == (404, True)
    assert (await free.get("/healthcheck/assets/nope.js")).status == 404
    answer = await free.get("/healthcheck/")
    assert (answer.status, answer.headers["Location"]) == (308, "../healthcheck")
    answer = await free.get("/")
    assert (answer.status, answer.headers["Location"]) == (302, "healthcheck")


async def test_the_beginning_of_an_id_will_do_as_long_as_it_is_alone(tmp_path: Path) -> None:
    """Two incidents that begin alike are a refusal in words, for reading and for writing."""
    async with serving(tmp_path, None, stormy()) as side:
        known = [one.id for one in stormy()[1].incidents]
        twice = next(id[0] for id in known if sum(other.startswith(id[0]) for other in known) > 1)
        alone = next(id for id in known if sum(other.startswith(id[0]) for other in known) == 1)
        assert (await side.get(f"/healthcheck/incidents/{alone[0]}")).status == 200
        reading = await side.get(f"/healthcheck/incidents/{twice}")
        writing = await side.post(f"/healthcheck/incidents/{twice}/publish", {"csrf": await side.csrf()})
        for answer in (reading, writing):
            assert (answer.status, "several incidents begin like this" in await answer.text()) == (409, True)


async def test_a_module_is_probed_once_more(free: Side) -> None:
    """And a second time only later."""
    fields = {"csrf": await free.csrf()}
    first = await free.post("/healthcheck/modules/checkout/probe", fields)
    assert (first.status, first.headers["Location"]) == (303, "../../../healthcheck/modules/checkout?done=probe")
    second = await free.post("/healthcheck/modules/checkout/probe", fields)
    assert (second.status, "it was asked just now" in await second.text()) == (409, True)


async def test_an_old_incident_has_its_page(free: Side) -> None:
    """The board has forgotten it; its postmortem can be written all the same."""
    assert "do-postmortem" in await (await free.get(f"/healthcheck/incidents/{OLD.id}")).text()


# -- what is shown ----------------------------------------------------------------------------------------------------


async def test_the_board_shows_what_operators_need(free: Side) -> None:
    """Drafts, reasons, the answer, how the monitor is; and everything that came over the wire is only text."""
    text = await (await free.get("/healthcheck")).text()
    assert "Draft: not public" in text
    assert "probes.yaml:3:1: x" in text
    module = await (await free.get("/healthcheck/modules/checkout")).text()
    assert "status 503, expected 200–299" in module
    assert "busy &lt;script&gt;" in module
    assert HOSTILE not in text + module
    assert "Shop &amp; Co" in text


async def test_pages_speak_the_reader_s_language(free: Side) -> None:
    """By the address, then by what was chosen before, then by the browser."""
    for path, headers, tag in (
        ("/healthcheck", {"Accept-Language": "fr, en;q=0.5"}, "en"),
        ("/healthcheck", {"Accept-Language": "pt-PT"}, "pt-BR"),
        ("/healthcheck", {"Accept-Language": "fr"}, "pt-BR"),
        ("/healthcheck?lang=en", {"Accept-Language": "pt-BR"}, "en"),
        ("/healthcheck", {"Accept-Language": "pt-BR"}, "en"),
    ):
        async with free.client.get(path, headers=headers) as answer:
            assert (answer.headers["Content-Language"], f'lang="{tag}"' in await answer.text()) == (tag, True)


async def test_pages_run_nothing_but_their_own_script(free: Side) -> None:
    """No inline script, no inline style, no frame, no cache; files under the hash of their bytes."""
    for path in PAGES:
        answer = await free.get(path)
        text, policy = await answer.text(), answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert all(part in policy for part in ("default-src 'none'", "frame-ancestors 'none'", "form-action 'self'"))
        assert not re.search(r"<style|style=|<script(?! src)|\son\w+=", text)
        assert answer.headers["Cache-Control"] == "no-store"
    for name in re.findall(r"healthcheck/assets/([^\"]+)", text):
        answer = await free.get(f"/healthcheck/assets/{name}")
        assert (answer.status, "immutable" in answer.headers["Cache-Control"]) == (200, True)


async def test_every_form_has_labels_and_a_csrf(free: Side) -> None:
    """A field without a label cannot be used by those who do not see it."""
    for path in PAGES:
        text = await (await free.get(path)).text()
        for form in re.findall(r"<form.*?</form>", text, re.S):
            assert 'name="csrf"' in form
        fields = re.findall(r'<(?:input|textarea|select) id="([^"]+)"', text)
        assert set(fields) <= set(re.findall(r'<label for="([^"]+)"', text))
        assert len(fields) == len(set(fields))


# -- the live line ----------------------------------------------------------------------------------------------------


async def test_a_change_is_told_at_once(free: Side) -> None:
    """The first event says what is open; the next one follows what a person did within two seconds."""
    async with asyncio.timeout(10), free.client.get("/events") as answer:
        assert answer.content_type == "text/event-stream"
        first = await _event(answer)
        assert (first["modules"], sorted(first["incidents"])) == ([], sorted([OPEN.id, DRAFT.id]))
        await free.post(ACKNOWLEDGE, {"csrf": await free.csrf()})
        second = await _event(answer)
        assert second["generated_at"] == "2026-11-23T12:01:00.000Z"


async def test_the_live_line_ends_with_the_session(locked: Side) -> None:
    """A logout in one window is one in all of them."""
    await locked.log_in()
    async with asyncio.timeout(10), locked.client.get("/events") as answer:
        await _event(answer)
        assert (await locked.post("/healthcheck/logout", {"csrf": await locked.csrf()})).status == 303
        assert b"event" not in await answer.content.read()  # it comes to an end


async def test_the_live_line_is_for_operators_alone(locked: Side) -> None:
    """With the token, or with a session."""
    assert (await locked.get("/events")).status == 401
    await locked.log_in()
    async with locked.client.get("/events") as answer:
        assert answer.status == 200


async def _event(answer: ClientResponse) -> dict[str, Any]:
    while True:
        line = (await answer.content.readline()).decode()
        if line.startswith("data: "):
            found: dict[str, Any] = json.loads(line.removeprefix("data: "))
            return found
