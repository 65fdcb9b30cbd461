"""What operators silence and plan on their dashboard: a real desk over a real store, real pages, real requests."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from monitor.core.maintenance import Maintenance
from monitor.core.silence import Silence
from tests.web.operators import OLD, OPEN, TOKEN, Side, serving

SILENCES, WORKS = "/healthcheck/silences", "/healthcheck/maintenance"
QUIET = {"incident": OPEN.id, "reason": "deploy & more", "lasts": "2h"}
PLAN = {"title.en": "New database", "modules": "checkout", "from": "2026-11-24T02:00", "duration": "90m"}


@pytest.fixture
async def locked(tmp_path: Path) -> AsyncIterator[Side]:
    """With a token, logged in as Ana."""
    async with serving(tmp_path, TOKEN) as side:
        await side.log_in()
        yield side


async def send(side: Side, path: str, fields: dict[str, Any], **headers: str) -> tuple[int, str]:
    """(status, where it leads or the page) of a form that was filled in and sent from the page of silences."""
    page = await (await side.get(SILENCES)).text()
    found = re.findall(r'name="(csrf|request)" value="([^"]+)"', page)
    answer = await side.post(path, dict(found) | fields, **headers)
    return answer.status, answer.headers.get("Location") or await answer.text()


def silences(side: Side) -> list[Silence]:
    return list(side.desk.board.silences.values())


def works(side: Side) -> list[Maintenance]:
    return list(side.desk.board.agenda.works.values())


# -- silences ---------------------------------------------------------------------------------------------------------


async def test_an_incident_is_silenced_from_its_page_and_the_silence_lifted_there(locked: Side) -> None:
    """The form begins with the incident and its modules; board and page then say who, until when and why."""
    incident = f"/healthcheck/incidents/{OPEN.id}"
    assert f'href="../../healthcheck/silences?incident={OPEN.id}#add"' in await (await locked.get(incident)).text()
    form = await (await locked.get(f"{SILENCES}?incident={OPEN.id}")).text()
    assert f'<option value="{OPEN.id}" selected>' in form
    assert '<option value="checkout" selected>' in form
    assert f'name="back" value="{OPEN.id}"' in form
    assert 'name="author"' not in form

    status, where = await send(locked, SILENCES, QUIET | {"modules": "checkout", "back": OPEN.id})
    assert (status, where) == (303, f"incidents/{OPEN.id}?done=silence")
    (one,) = silences(locked)
    assert (one.author, one.scope.incident, one.reason) == ("Ana", OPEN.id, "deploy & more")
    for path in ("/healthcheck", incident):
        assert "Silenced by Ana until" in (page := await (await locked.get(path)).text())
        assert "deploy &amp; more" in page
    assert "Silenced by" not in await (await locked.get(f"/healthcheck/incidents/{OLD.id}")).text()
    assert re.search(
        rf'<a href="\.\./healthcheck/incidents/{OPEN.id}">[^<]*503', await (await locked.get(SILENCES)).text()
    )

    status, where = await send(locked, f"{SILENCES}/{one.id}/lift", {"back": OPEN.id})
    assert (status, where) == (303, f"../../incidents/{OPEN.id}?done=lift")
    assert silences(locked)[0].lifted_by == "Ana"
    assert "Silenced by" not in await (await locked.get("/healthcheck")).text()
    assert "lifted by Ana" in await (await locked.get(SILENCES)).text()


async def test_a_silence_that_is_refused_comes_back_with_what_was_typed(locked: Side) -> None:
    """And with the reason; nothing is silenced."""
    status, page = await send(
        locked, SILENCES, QUIET | {"reason": " ", "codes": "http.50", "until": "2030-01-01T00:00"}
    )
    assert (status, "the reason is empty" in page, 'value="http.50"' in page) == (400, True, True)
    assert 'value="2030-01-01T00:00"' in page
    for wrong, said in (
        ({"modules": "nope"}, "there is no module"),
        ({"incident": "zzz"}, "there is no open incident"),
        ({"lasts": "9d"}, "longer than 7 days"),
        ({"incident": "", "back": "../x"}, "say what is"),
    ):
        status, page = await send(locked, SILENCES, QUIET | wrong)
        assert (status >= 400, said in page) == (True, True), wrong
    assert silences(locked) == []
    assert (await send(locked, f"{SILENCES}/zzz/lift", {}))[0] == 404


async def test_a_silence_that_is_sent_twice_is_added_once(locked: Side) -> None:
    """By the name of its request; the way back leads nowhere else."""
    for _ in range(2):
        status, where = await send(locked, SILENCES, QUIET | {"request": "same", "back": "../../evil"})
        assert (status, where) == (303, "silences?done=silence")
    assert len(silences(locked)) == 1


async def test_without_a_name_the_form_asks_for_one(tmp_path: Path) -> None:
    """A silence has an author, also where nobody logs in."""
    async with serving(tmp_path, None) as side:
        assert 'name="author"' in await (await side.get(SILENCES)).text()
        assert (await send(side, SILENCES, QUIET))[0] == 400
        assert (await send(side, SILENCES, QUIET | {"author": "Bo"}))[0] == 303
        assert silences(side)[0].author == "Bo"


@pytest.mark.parametrize("path", [SILENCES, f"{SILENCES}/x/lift", WORKS, f"{WORKS}/x/cancel"])
async def test_nobody_else_s_page_and_no_older_form_changes_anything(locked: Side, path: str) -> None:
    """No token of the session, one of another, a page of another site, a session that has ended."""
    fields = QUIET | PLAN
    assert (await locked.post(path, fields)).status == 403
    assert (await send(locked, path, fields | {"csrf": "x"}))[0] == 403
    assert (await send(locked, path, fields, Sec_Fetch_Site="cross-site"))[0] == 403
    locked.client.session.cookie_jar.clear()
    assert (await locked.post(path, fields)).status == 401
    assert (await locked.get(path.split("/x/")[0])).status == 401
    assert silences(locked) == works(locked) == []


# -- planned work -----------------------------------------------------------------------------------------------------


async def test_work_is_planned_moved_begun_and_completed(locked: Side) -> None:
    """Each step by its own form; the page of the module tells what comes next."""
    assert await send(locked, WORKS, PLAN | {"message.en": "All of it."}) == (303, "maintenance?done=schedule")
    (one,) = works(locked)
    assert (one.title["en"], one.modules, f"{one.planned_from:%d %H:%M}") == ("New database", ("checkout",), "24 05:00")
    page = await (await locked.get(WORKS)).text()
    assert re.findall(rf'id="do-(\w+)-{one.id}"', page) == ["begin", "extend", "cancel"]
    assert 'value="2026-11-24T03:30"' in page
    module = await (await locked.get("/healthcheck/modules/checkout")).text()
    assert f'<a href="../../healthcheck/maintenance#work-{one.id}">New database' in module
    assert "maintenance#work" not in await (await locked.get("/healthcheck/modules/catalog")).text()

    for act, fields in (("extend", {"until": "2026-11-24T05:00"}), ("begin", {}), ("verify", {}), ("complete", {})):
        answer = await send(locked, f"{WORKS}/{one.id}/{act}", fields | {"message.en": f"said: {act}"})
        assert answer == (303, f"../../maintenance?done={act}")
        assert works(locked)[0].updates[-1].body == {"en": f"said: {act}"}
    (done,) = works(locked)
    assert [each.kind for each in done.updates] == ["scheduled", "extended", "begun", "verifying", "completed"]
    status, page = await send(locked, f"{WORKS}/{one.id}/extend", {"until": "soon"})
    assert (status, "must be a time" in page) == (400, True)
    assert (await send(locked, f"{WORKS}/{one.id}/cancel", {}))[0] == 409


async def test_a_plan_is_tried_out_before_it_is_made(locked: Side) -> None:
    """Its next five beginnings, in the zone of the site; nothing is planned, and nothing typed is lost."""
    rule = {"rrule": "FREQ=MONTHLY;BYDAY=-1SU", "groups": "", "excuses": "slow", "codes": "http.503, tls"}
    status, page = await send(locked, WORKS, PLAN | rule | {"preview": "yes"})
    assert (status, works(locked)) == (200, [])
    ahead = page.split('id="ahead"')[1].split("</ol>")[0]
    assert re.findall(r'datetime="([^"T]+)T05:00', ahead) == [
        "2026-11-29", "2026-12-27", "2027-01-31", "2027-02-28", "2027-03-28"
    ]  # fmt: skip
    assert all(f'value="{typed}"' in page for typed in ("New database", "FREQ=MONTHLY;BYDAY=-1SU", "http.503, tls"))
    assert 'name="excuses" type="checkbox" value="slow" checked' in page

    assert (await send(locked, WORKS, PLAN | rule))[0] == 303
    assert {one.excuses for one in works(locked)} == {("slow", "http.503", "tls")}
    (window,) = locked.desk.board.agenda.windows
    status, page = await send(locked, f"{WORKS}/{works(locked)[0].id}/begin", {})
    assert (status, "its window repeats" in page) == (409, True)
    assert (await send(locked, f"{WORKS}/{window}/cancel", {}))[0] == 303
    assert {one.stage.value for one in works(locked)} == {"cancelled"}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"title.en": ""}, "the title is empty"),
        ({"modules": "nope"}, "there is no module `nope`"),
        ({"everything": "yes"}, "choose what is worked on"),
        ({"duration": ""}, "say either `until` or `duration`"),
        ({"duration": "2"}, "`duration`"),
        ({"rrule": "WEEKLY"}, "`rrule` is not an RFC 5545 rule"),
        ({"from": "2020-01-01T00:00"}, "lies in the past"),
        ({"codes": "sloow"}, "`excuses`"),
    ],
)
async def test_a_plan_that_is_refused_comes_back_with_what_was_typed(
    locked: Side, fields: dict[str, str], said: str
) -> None:
    """And with the reason; nothing is planned."""
    status, page = await send(locked, WORKS, PLAN | {"message.en": "All of it."} | fields)
    assert (status, said in page.replace("&#39;", "'"), "All of it." in page) == (400, True, True)
    assert works(locked) == []


async def test_everything_is_worked_on_only_where_that_is_said(locked: Side) -> None:
    """An empty choice is no choice; what is sent twice is planned once."""
    bare = {name: text for name, text in PLAN.items() if name != "modules"}
    assert (await send(locked, WORKS, bare))[0] == 400
    for _ in range(2):
        assert (await send(locked, WORKS, bare | {"everything": "yes", "request": "same"}))[0] == 303
    assert [one.modules for one in works(locked)] == [()]
