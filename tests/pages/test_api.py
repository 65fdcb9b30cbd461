"""Our own JSON: every key of the description, nothing that must not be public."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitor.core.board import Version
from monitor.pages.api import api_files, incident_object
from monitor.pages.badges import badge_files
from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from monitor.pages.statuspage import statuspage_files
from monitor.pages.translate import Speech
from tests.pages import pictures
from tests.pages.pictures import NOW, SECRET, STATES

THEME = Path(__file__).parents[2] / "site"
SPEECH = Speech.load(("pt-BR", "en", "es"), THEME)
LANGUAGES = {"pt-BR", "en", "es"}

INCIDENT = {
    *("id", "key", "title", "status", "impact", "priority", "started_at", "detected_at", "published_at"),
    *("acknowledged_at", "resolved_at", "reopened", "cause", "modules", "components", "updates", "notices"),
    *("origin", "wording", "acts"),
}
CAUSE = {
    *("scope", "module", "candidates", "shared", "locations", "code", "class", "confidence", "state", "trigger"),
    *("summary", "evidence", "platform_reports"),
}
FIGURE = {"ratio", "coverage", "down_seconds", "degraded_seconds", "excluded_seconds"}


def read(seen: Picture) -> dict[str, Any]:
    return {name: json.loads(body) for name, body in api_files(seen, SPEECH).items()}


@pytest.fixture(scope="module", params=STATES)
def files(request: pytest.FixtureRequest) -> dict[str, Any]:
    return read(STATES[request.param]())


def test_the_status_has_every_key(files: dict[str, Any]) -> None:
    status = files["api/v1/status.json"]
    assert set(status) == {"generated_at", "data_until", "monitor", "overall", "modules"}
    assert set(status["monitor"]) == {"status", "since", "reason"}
    assert set(status["overall"]["description"]) == LANGUAGES
    assert len(status["modules"]) == 25
    for module in status["modules"]:
        assert set(module) == {
            *("id", "name", "status", "since", "maintenance", "incident", "uptime", "latency", "version", "locations")
        }
        assert set(module["uptime"]) == {"24h", "7d", "30d", "90d"}
        assert all(set(figure) == FIGURE for figure in module["uptime"].values())
        assert set(module["latency"]) == {"p50_ms", "p95_ms", "p99_ms"}


def test_every_module_and_incident_has_a_file_of_its_own(files: dict[str, Any]) -> None:
    status, incidents = files["api/v1/status.json"], files["api/v1/incidents.json"]["incidents"]
    for module in status["modules"]:
        alone = files[f"api/v1/modules/{module['id']}.json"]
        assert {name: alone[name] for name in module} == module
        assert len(alone["days"]) == 90
    assert [files[f"api/v1/incidents/{one['id']}.json"] for one in incidents] == incidents


def test_uptime_is_told_by_component_and_module(files: dict[str, Any]) -> None:
    uptime = files["api/v1/uptime.json"]
    assert len(uptime["components"]) == 18
    assert [one["id"] for one in uptime["modules"]] == [one["id"] for one in files["api/v1/status.json"]["modules"]]
    assert all(len(one["days"]) == 90 for one in uptime["components"])


def test_an_incident_has_every_key_but_those_of_operators() -> None:
    one = read(pictures.troubled())["api/v1/incidents.json"]["incidents"][0]
    assert set(one) == INCIDENT - {"acknowledged_at", "notices", "wording", "acts"}
    assert set(one["cause"]) == CAUSE
    assert set(one["cause"]["evidence"][0]) == {"at", "module", "location", "code"}
    assert set(one["title"]) == set(one["cause"]["summary"]) == set(one["updates"][0]["body"]) == LANGUAGES
    root = one["modules"][0]
    assert (root["id"], root["role"], root["until"]) == ("promotions", "root", None)


def test_the_copy_for_operators_has_everything() -> None:
    seen = pictures.troubled()
    one = incident_object(seen.history.incidents[0], seen.board.platform, SPEECH, public=False)
    assert set(one) == INCIDENT
    assert one["cause"]["evidence"][0]["detail"] == SECRET
    assert one["acknowledged_at"] is None
    assert one["notices"] is None


@pytest.mark.parametrize(("kind", "public"), [("host", None), ("address", None), ("region", "sa-east-1")])
def test_what_is_shared_is_named_unless_it_is_an_address(kind: str, public: str | None) -> None:
    seen = pictures.troubled()
    one = seen.history.incidents[0]
    shared = {"kind": kind, "value": "sa-east-1", "modules": ["checkout"]}
    one = replace(one, cause=replace(one.cause, scope="shared", shared=shared))
    platform = seen.board.platform
    assert incident_object(one, platform, SPEECH, public=True)["cause"]["shared"] == {**shared, "value": public}
    assert incident_object(one, platform, SPEECH, public=False)["cause"]["shared"] == shared


def test_reports_of_the_platform_keep_their_keys() -> None:
    seen = pictures.troubled()
    one = replace(seen.history.incidents[0], cause=replace(seen.history.incidents[0].cause, platform_reports={}))
    told = incident_object(one, seen.board.platform, SPEECH, public=True)["cause"]["platform_reports"]
    assert told == {"found": None, "incident": None, "url": None}


def test_what_the_platform_reports_is_public_and_part_of_the_summary() -> None:
    told = read(pictures.stormy())["api/v1/incidents.json"]["incidents"]
    incidents = {one["cause"]["module"]: one["cause"] for one in told if one["resolved_at"] is None}
    found, silent, unknown = incidents["promotions"], incidents["admin"], incidents["search"]
    assert found["platform_reports"]["url"] == "https://status.vtex.com/incidents/a9537b7c71c2"
    assert found["summary"]["pt-BR"].endswith(f"A plataforma informa: “{found['platform_reports']['incident']}”.")
    assert silent["platform_reports"] == {"found": False, "incident": None, "url": None}
    assert silent["summary"]["es"].endswith("La plataforma aún no informa nada.")
    assert unknown["platform_reports"] is None
    assert "latform" not in unknown["summary"]["en"]


def test_a_module_names_its_incident_and_the_version_that_answers() -> None:
    seen = pictures.troubled()
    asked = seen.board.platform.modules["checkout"].probes[0].id
    seen = replace(seen, board=replace(seen.board, versions={("checkout", asked): Version("checkout-v5.1.2", NOW)}))
    files = read(seen)
    modules = {one["id"]: one for one in files["api/v1/status.json"]["modules"]}
    assert modules["checkout"]["incident"] == files["api/v1/incidents.json"]["incidents"][0]["id"]
    assert modules["checkout"]["status"] == "down"
    assert modules["checkout"]["version"] == "checkout-v5.1.2"
    assert modules["catalog"]["incident"] is None
    assert modules["catalog"]["version"] is None
    assert {place["id"] for place in modules["checkout"]["locations"]} == set(pictures.LOCATIONS)


def test_blindness_is_told_with_its_reason() -> None:
    monitor = read(pictures.blind())["api/v1/status.json"]["monitor"]
    assert monitor == {"status": "blind", "since": "2026-11-23T15:09:20.000Z", "reason": "self.connectivity"}


def test_nothing_known_is_told_as_such() -> None:
    status = read(pictures.newborn())["api/v1/status.json"]
    assert status["overall"]["indicator"] == "unknown"
    assert status["data_until"] is None
    assert {module["status"] for module in status["modules"]} == {"unknown"}
    assert {module["uptime"]["90d"]["ratio"] for module in status["modules"]} == {None}


def test_files_of_what_stands_still_do_not_change() -> None:
    seen = pictures.green()
    later = replace(seen, now=seen.now + timedelta(seconds=15), data_until=seen.now)
    before, after = api_files(seen, SPEECH), api_files(later, SPEECH)
    changed = {name for name in after if before[name] != after[name]}
    assert changed <= {"api/v1/status.json", "api/v1/uptime.json"}


def test_nothing_secret_is_published() -> None:
    """Addresses, details of evidence, ids of probes and runbooks: all of them carry the same mark in the pictures."""
    for make in (pictures.stormy, pictures.troubled, pictures.blind):
        seen = make()
        for made in (api_files, statuspage_files, feed_files, badge_files):
            for name, body in made(seen, SPEECH).items():
                assert SECRET.encode() not in body, name


def test_half_a_surrogate_pair_does_not_stop_the_publication() -> None:
    seen = pictures.hostile("half \ud800 of it")
    for made in (api_files, statuspage_files, feed_files, badge_files):
        assert all(isinstance(body.decode(), str) for body in made(seen, SPEECH).values())
