"""Statuspage v2: what every reader of these files relies on."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker

from monitor.core.board import Condition, Vantage
from monitor.core.detector import Transition
from monitor.core.effect import Gap
from monitor.core.incident import Member, Stage, Update
from monitor.core.module import Status
from monitor.core.observation import stamp
from monitor.core.rollup import WORST, ComponentStatus
from monitor.pages.affected import chain
from monitor.pages.picture import Picture
from monitor.pages.statuspage import statuspage_files
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.pictures import NOW, STATES, incident, picture

SCHEMA = json.loads(Path(__file__).with_name("statuspage_v2.schema.json").read_text())
THEME = Path(__file__).parents[2] / "site"
KNOWN = [name for name in STATES if name != "newborn"]
PATHS = {
    *("summary", "status", "components", "incidents", "incidents/unresolved", "scheduled-maintenances"),
    *("scheduled-maintenances/upcoming", "scheduled-maintenances/active"),
}


def speech(seen: Picture) -> Speech:
    return Speech.load(seen.site.languages, THEME)


def read(seen: Picture) -> dict[str, Any]:
    files = statuspage_files(seen, speech(seen))
    return {name.removeprefix("api/v2/").removesuffix(".json"): json.loads(body) for name, body in files.items()}


@pytest.fixture(scope="module", params=KNOWN)
def files(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(STATES[request.param]())


def test_all_eight_are_there(files: dict[str, Any]) -> None:
    assert set(files) == PATHS


def test_every_file_is_as_the_schema_has_it(files: dict[str, Any]) -> None:
    checker = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    for name, body in files.items():
        assert not [error.message for error in checker.iter_errors(body)], name


def test_the_summary_is_made_of_the_other_files(files: dict[str, Any]) -> None:
    summary = files["summary"]
    assert summary["components"] == files["components"]["components"]
    assert summary["incidents"] == files["incidents/unresolved"]["incidents"]
    assert summary["status"] == files["status"]["status"]
    parts = (files[f"scheduled-maintenances/{part}"]["scheduled_maintenances"] for part in ("active", "upcoming"))
    assert summary["scheduled_maintenances"] == [one for part in parts for one in part]
    assert len({json.dumps(body["page"]) for body in files.values()}) == 1


def test_an_incident_has_the_status_of_its_newest_update(files: dict[str, Any]) -> None:
    for one in files["incidents"]["incidents"]:
        told = [update["display_at"] for update in one["incident_updates"]]
        assert one["status"] == one["incident_updates"][0]["status"]
        assert told == sorted(told, reverse=True)
        assert (one["resolved_at"] is not None) == (one["status"] in ("resolved", "postmortem"))


def test_statuses_of_affected_components_form_a_chain(files: dict[str, Any]) -> None:
    for one in files["incidents"]["incidents"]:
        last: dict[str, str] = {}
        for update in reversed(one["incident_updates"]):
            for touched in update["affected_components"] or ():
                assert touched["old_status"] == last.get(touched["code"], "operational")
                last[touched["code"]] = touched["new_status"]
        if one["status"] in ("resolved", "postmortem"):
            assert set(last.values()) <= {"operational"}
        elif one["id"] == pictures.by_hand().id:
            assert not last, "what a person opened changes no status"
        else:
            assert set(last.values()) - {"operational"}


def test_everything_named_exists(files: dict[str, Any]) -> None:
    components = {one["id"]: one for one in files["components"]["components"]}
    page = files["status"]["page"]["id"]
    assert len(components) == len(files["components"]["components"])
    for one in components.values():
        assert one["page_id"] == page
        if one["group"]:
            assert all(components[id]["group_id"] == one["id"] for id in one["components"])
        else:
            assert one["id"] in components[one["group_id"]]["components"]
    for one in files["incidents"]["incidents"]:
        assert all(components[part["id"]] == part for part in one["components"])
        for update in one["incident_updates"]:
            assert update["incident_id"] == one["id"]
            assert {touched["code"] for touched in update["affected_components"] or ()} <= set(components)


def test_a_group_is_as_bad_as_its_worst_member_and_stands_before_them(files: dict[str, Any]) -> None:
    flat = files["components"]["components"]
    for place, group in enumerate(flat):
        if group["group"]:
            members = flat[place + 1 : place + 1 + len(group["components"])]
            assert [one["id"] for one in members] == group["components"]
            assert group["status"] == max((one["status"] for one in members), key=WORST.index)


def test_unresolved_ones_are_those_not_resolved(files: dict[str, Any]) -> None:
    going_on = [one for one in files["incidents"]["incidents"] if one["status"] not in ("resolved", "postmortem")]
    assert files["incidents/unresolved"]["incidents"] == going_on


def test_two_renderings_are_the_same_bytes() -> None:
    for make in STATES.values():
        assert statuspage_files(make(), speech(make())) == statuspage_files(make(), speech(make()))


def test_time_alone_changes_nothing() -> None:
    """`updated_at` is when the content changed, so an unchanged page keeps its ETag."""
    seen = pictures.troubled()
    later = replace(seen, now=seen.now + timedelta(minutes=3))
    assert statuspage_files(later, speech(seen)) == statuspage_files(seen, speech(seen))


def test_nothing_known_is_not_published_as_operational() -> None:
    assert statuspage_files(pictures.newborn(), speech(pictures.newborn())) == {}


def test_a_component_without_any_result_is_left_out() -> None:
    names = {one["name"] for one in read(pictures.young())["components"]["components"]}
    assert "VTEX IO apps" not in names  # its only module has no result yet
    assert "Store navigation" in names  # one of three has none


def test_english_is_spoken_where_the_site_speaks_it_else_its_first_language() -> None:
    seen = pictures.troubled()
    assert "Running the store" in {one["name"] for one in read(seen)["components"]["components"]}
    seen = replace(seen, site=replace(seen.site, languages=("es", "pt-BR")))
    assert "Gestión de la tienda" in {one["name"] for one in read(seen)["components"]["components"]}


def test_a_rename_changes_the_name_only() -> None:
    seen = pictures.troubled()
    platform = seen.board.platform
    groups = tuple(
        replace(group, components=tuple(replace(one, name={"en": "Basket"}) if one.id == "cart" else one
                                        for one in group.components))
        for group in platform.groups
    )  # fmt: skip
    renamed = replace(seen, board=replace(seen.board, platform=replace(platform, groups=groups)))
    before, after = read(seen)["components"]["components"], read(renamed)["components"]["components"]
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert [(old["name"], new["name"]) for old, new in changed] == [("Cart", "Basket")]
    assert {**changed[0][0], "name": "Basket"} == changed[0][1]


def test_a_script_in_a_name_arrives_as_text() -> None:
    text = '<script>alert("x")</script>'
    body = statuspage_files(pictures.hostile(text), speech(pictures.hostile(text)))
    newest = json.loads(body["api/v2/incidents.json"])["incidents"][0]
    assert newest["name"] == text
    assert newest["incident_updates"][0]["body"] == "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;"


def test_lines_of_a_persons_update_become_breaks() -> None:
    seen = pictures.troubled()
    first = seen.history.incidents[0]
    said = Update(NOW, Stage.MONITORING, "said", author="person", body={"en": "One & two.\nThree."})
    seen = replace(seen, board=replace(seen.board, incidents={first.id: replace(
        first, stage=Stage.MONITORING, updates=(*first.updates, said))}))  # fmt: skip
    one = read(seen)["incidents"]["incidents"][0]
    assert one["incident_updates"][0]["body"] == "One &amp; two.<br />Three."
    assert one["monitoring_at"] == "2026-11-23T15:15:20.000Z"


def blinded(minutes: int) -> Picture:
    """A monitor without sight for so long, whose modules have fallen to unknown meanwhile."""
    since = NOW - timedelta(minutes=minutes)
    seen = pictures.green()
    modules = {id: Condition(Status.UNKNOWN, since + timedelta(minutes=2)) for id in seen.board.modules}
    board = replace(
        seen.board, modules=modules, vantages={place: Vantage(dark_since=since) for place in pictures.LOCATIONS}
    )
    return replace(seen, board=board)


def test_while_blind_the_last_confirmed_status_stands() -> None:
    files = read(blinded(10))
    assert {one["status"] for one in files["components"]["components"]} == {"operational"}
    assert files["status"]["status"]["indicator"] == "none"


def test_after_a_quarter_of_an_hour_of_blindness_the_page_says_so() -> None:
    files = read(blinded(16))
    assert len(files["components"]["components"]) == 4 + 18
    assert files["status"]["status"]["indicator"] == "minor"
    assert "Monitoring Interrupted" in files["status"]["status"]["description"]


def test_no_more_than_fifty_incidents_the_newest_first() -> None:
    many = [incident("search", NOW - timedelta(days=1, hours=n), until=NOW - timedelta(days=1, hours=n - 0.5))
            for n in range(60)]  # fmt: skip
    told = read(picture(many))["incidents"]["incidents"]
    assert len(told) == 50
    assert [one["started_at"] for one in told] == sorted((one["started_at"] for one in told), reverse=True)


def test_a_long_trouble_is_not_pushed_out_by_short_ones() -> None:
    """However many began since, what goes on stays in every file that lists it."""
    old = incident("oms", NOW - timedelta(days=3))
    many = [incident("search", NOW - timedelta(hours=n), until=NOW - timedelta(hours=n - 0.5)) for n in range(1, 60)]
    files = read(picture([old, *many]))
    assert [one["id"] for one in files["summary"]["incidents"]] == [old.id]
    assert files["incidents"]["incidents"][-1]["id"] == old.id
    assert len(files["incidents"]["incidents"]) == 51


def test_ten_incidents_at_once_are_all_there_and_lift_the_verdict() -> None:
    roots = ["search", "oms", "payments", "admin", "files", "io", "catalog", "logistics", "pricing", "master-data"]
    ten = [incident(one, NOW - timedelta(minutes=10 + n), impact="critical") for n, one in enumerate(roots)]
    files = read(picture(ten))
    assert len(files["summary"]["incidents"]) == 10
    assert files["status"]["status"] == {"indicator": "critical", "description": "Major System Outage"}
    checker = Draft202012Validator(SCHEMA, format_checker=FormatChecker())
    assert not list(checker.iter_errors(files["summary"]))


def changed_at(seen: Picture) -> str:
    return str(read(seen)["status"]["page"]["updated_at"])


def test_the_page_changed_when_something_in_it_did() -> None:
    """The newest of what components and incidents say of themselves, and nothing that these files do not tell."""
    for name in KNOWN:
        files = read(STATES[name]())
        told = [one["updated_at"] for one in (*files["components"]["components"], *files["incidents"]["incidents"])]
        assert files["status"]["page"]["updated_at"] == max(told), name


def test_a_short_blindness_changes_nothing_and_a_long_one_twice() -> None:
    green, places = pictures.green(), pictures.LOCATIONS
    before = changed_at(green)

    def after(minutes: int, until: int | None, places: tuple[str, ...] = places) -> str:
        since = NOW - timedelta(minutes=minutes)
        end = None if until is None else NOW - timedelta(minutes=until)
        gaps = tuple(Gap(place, since, end) for place in places)
        dark = {place: Vantage(dark_since=since) for place in places} if end is None else {}
        return changed_at(replace(green, history=replace(green.history, gaps=gaps),
                                  board=replace(green.board, vantages=dark)))  # fmt: skip

    assert after(10, None) == before
    assert after(30, 20) == before
    assert after(40, 10, places[:1]) == before  # the other places saw
    assert after(20, None) == stamp(NOW - timedelta(minutes=5))
    assert after(40, 10) == stamp(NOW - timedelta(minutes=10))


def test_a_component_nothing_is_known_of_any_more_is_left_out_from_that_moment() -> None:
    seen = pictures.green()
    moves = (*seen.history.transitions["io"], Transition("io", Status.UP, Status.UNKNOWN, NOW, NOW))
    modules = {**seen.board.modules, "io": Condition(Status.UNKNOWN, NOW)}
    seen = replace(seen, board=replace(seen.board, modules=modules),
                   history=replace(seen.history, transitions={**seen.history.transitions, "io": moves}))  # fmt: skip
    assert "VTEX IO apps" not in {one["name"] for one in read(seen)["components"]["components"]}
    assert changed_at(seen) == stamp(NOW)


def test_the_board_is_newer_than_what_was_stored() -> None:
    seen = pictures.troubled()
    seen = replace(seen, history=replace(seen.history, incidents=()))
    assert len(read(seen)["incidents/unresolved"]["incidents"]) == 1


def test_a_component_is_created_once_and_updated_when_its_status_changed() -> None:
    components = {one["name"]: one for one in read(pictures.green())["components"]["components"]}
    search = components["Product search"]
    assert search["created_at"] == "2026-05-07T15:15:20.000Z"
    assert search["start_date"] == "2026-05-07"
    assert search["updated_at"] > search["created_at"]
    assert components["Images and files"]["updated_at"] == "2026-05-07T15:15:50.000Z"


UP, PART, SLOW, MAJOR = (
    ComponentStatus.OPERATIONAL,
    ComponentStatus.PARTIAL,
    ComponentStatus.DEGRADED,
    ComponentStatus.MAJOR,
)


def test_a_chain_follows_the_timeline() -> None:
    """Payments fall, checkout follows, payments ease, checkout clears, all is over."""
    seen = pictures.flawless()
    start = NOW - timedelta(hours=1)
    one = incident("payments", start)

    def said(minute: int, kind: str, module: str, status: Status | None, stage: Stage = Stage.IDENTIFIED) -> Update:
        params = {"module": module} | ({"status": status.value} if status else {})
        return Update(start + timedelta(minutes=minute), stage, kind, params)

    one = replace(
        one,
        members=(
            Member("payments", "root", Status.UP, start, start + timedelta(minutes=9)),
            Member("checkout", "affected", Status.UP, start + timedelta(minutes=1), start + timedelta(minutes=6)),
        ),
        updates=(
            said(1, "opened", "payments", Status.DOWN),
            said(2, "member_added", "checkout", Status.DOWN),
            said(4, "eased", "payments", Status.DEGRADED),
            said(6, "member_cleared", "checkout", None),
            said(9, "resolved", "payments", None, Stage.RESOLVED),
        ),
    )
    known = {id: condition.status for id, condition in seen.board.modules.items()}
    links = chain(one, seen.board.platform, known)
    assert [link.get("payment") for link in links] == [(UP, MAJOR), (MAJOR, MAJOR), (MAJOR, SLOW), (SLOW, SLOW),
                                                       (SLOW, UP)]  # fmt: skip
    assert [link.get("cart") for link in links] == [None, (UP, PART), (PART, PART), (PART, UP), (UP, UP)]


def test_a_member_no_update_names_still_counts() -> None:
    seen = pictures.troubled()
    one = seen.history.incidents[0]  # subscriptions fail as well, but only checkout was announced
    links = chain(one, seen.board.platform, {id: c.status for id, c in seen.board.modules.items()})
    assert links[0]["subscriptions"] == (UP, MAJOR)


def test_both_interfaces_give_one_verdict_also_while_the_store_refuses() -> None:
    """An incident that only the board knows yet lifts the sentence everywhere."""
    one = incident("oms", NOW - timedelta(minutes=5), impact="critical")
    seen = picture([one])
    behind = replace(seen, history=replace(seen.history, incidents=()))
    for shown in (seen, behind, *(STATES[name]() for name in KNOWN if name != "blind")):
        status = read(shown)["status"]["status"]
        assert shown.overall() == (status["indicator"], status["description"])
    assert behind.overall()[0] == "critical"
