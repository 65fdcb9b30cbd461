"""Our own JSON against its published schema, for pictures nobody drew by hand; and nothing private in any file."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator, FormatChecker

from monitor.core.board import Version
from monitor.core.codes import CODES
from monitor.core.detector import Transition
from monitor.core.incident import Candidate, Incident, Member, Stage, Update, key_of
from monitor.core.module import Status
from monitor.core.statement import uptime_object
from monitor.core.target import HttpTarget
from monitor.core.uptime import Uptime
from monitor.pages.api import api_files
from monitor.pages.feeds import feed_files
from monitor.pages.picture import Picture
from monitor.pages.site import site_files
from monitor.pages.statuspage import statuspage_files
from monitor.pages.words import CLASS
from tests.depth import examples
from tests.pages import pictures
from tests.pages.conftest import THEME, loaded
from tests.pages.pictures import LOCATIONS, MODULES, NOW, SECRET, STATES

SCHEMA = json.loads((THEME.parent / "docs" / "api-v1.schema.json").read_text("utf-8"))
V2 = json.loads(Path(__file__).with_name("statuspage_v2.schema.json").read_text("utf-8"))
KINDS = ["host", "address", "certificate", "dns_zone", "gateway", "edge", "region", "account", "unknown"]


def definition(path: str) -> str:
    """The definition of the schema for a path below `/api/v1/`."""
    folder, slash, _ = path.partition("/")
    return {"incidents": "incident", "modules": "moduleFile"}[folder] if slash else path


def faults(files: dict[str, bytes]) -> list[str]:
    found = []
    for name, body in files.items():
        path = name.removeprefix("api/v1/")
        assert definition(path) in SCHEMA["$defs"], f"docs/api-v1.schema.json does not tell what {path} holds"
        schema = {"$ref": f"#/$defs/{definition(path)}", "$defs": SCHEMA["$defs"]}
        checker = Draft202012Validator(schema, format_checker=FormatChecker())
        found += [f"{path}: {error.json_path} {error.message[:200]}" for error in checker.iter_errors(json.loads(body))]
    return found


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("state", STATES)
def test_every_file_is_as_its_schema_has_it(state: str) -> None:
    files = api_files(STATES[state](), loaded())
    assert faults({name: body for name, body in files.items() if "/modules/" not in name or "/c" in name}) == []


# --- pictures nobody drew

_modules = st.sampled_from([*MODULES, "gone-from-the-configuration"])
_moments = st.integers(0, 90 * 86_400).map(lambda seconds: NOW - timedelta(seconds=seconds))
_texts = st.text(max_size=30)
_names = st.fixed_dictionaries({"en": _texts}, optional={"pt-BR": _texts, "es": _texts})
_extra = st.dictionaries(st.just("anything_else"), _texts, max_size=1)
_shared = st.builds(
    lambda found, extra: {**found, **extra},
    st.fixed_dictionaries({"kind": st.sampled_from(KINDS)}, optional={"value": _texts, "modules": st.lists(_modules)}),
    _extra,
)
_triggers = st.builds(
    lambda found, extra: {**found, **extra},
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["version_change", "aftermath"]), "module": _modules},
        optional={"from": st.none() | _texts, "to": st.none() | _texts, "at": st.just("2026-11-23T15:00:00.000Z")},
    ),
    _extra,
)
_reports = st.builds(
    lambda found, extra: {**found, **extra},
    st.fixed_dictionaries({}, optional={"found": st.none() | st.booleans(), "incident": _texts, "url": _texts}),
    _extra,
)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    """A sound incident with anything in it that the store may give back."""
    root, since = draw(_modules), draw(_moments)
    base = pictures.incident(root if root in MODULES else "oms", since, draw(st.sampled_from(sorted(CODES))))
    members = draw(st.lists(st.tuples(_modules, st.sampled_from(Status)), max_size=4, unique_by=lambda pair: pair[0]))
    stages, at, updates = draw(st.lists(st.sampled_from(Stage), max_size=4)), since, []
    for stage in stages:
        at += timedelta(minutes=draw(st.integers(0, 9)))
        kind = draw(
            st.sampled_from(["opened", "member_added", "member_cleared", "eased", "merged", "said", "reported"])
        )
        body = draw(_names) if kind == "said" else None
        author = draw(_texts) if kind == "said" else "monitor"
        params = {"module": draw(_modules), "report": draw(_texts)}
        updates.append(Update(at, stage, kind, params, author, body))
    over = bool(stages) and stages[-1] in (Stage.RESOLVED, Stage.POSTMORTEM)
    cause = replace(
        base.cause,
        scope=draw(st.sampled_from(["module", "shared", "location", "unknown"])),
        module=draw(st.none() | st.just(root)),
        candidates=tuple(Candidate(one, draw(st.floats(0, 1))) for one in draw(st.lists(_modules, max_size=3))),
        cls=draw(st.sampled_from([*CLASS, "unknown"])),
        confidence=draw(st.floats(0, 1)),
        shared=draw(st.none() | _shared),
        locations=tuple(draw(st.lists(st.sampled_from(LOCATIONS), max_size=2))),
        trigger=draw(st.none() | _triggers),
        platform_reports=draw(st.none() | _reports),
    )
    return replace(
        base,
        key=key_of(root, since),
        cause=cause,
        impact=draw(st.sampled_from(["minor", "major", "critical"])),
        members=tuple(Member(one, "affected", status, since) for one, status in members),
        updates=tuple(updates),
        stage=stages[-1] if stages else Stage.INVESTIGATING,
        resolved_at=at if over else None,
        title=draw(st.none() | _names),
        reopened=draw(st.integers(0, 3)),
    )


_moves = st.dictionaries(
    _modules, st.lists(st.tuples(_moments, st.sampled_from(Status)), max_size=4, unique_by=lambda pair: pair[0])
)


def drawn(state: str, told: list[Incident], moves: dict[str, list[tuple[datetime, Status]]]) -> Picture:
    """A picture with any incidents, and modules that went through anything."""
    seen = base(state)
    transitions = {}
    for id, changes in moves.items():
        befores = [Status.UNKNOWN, *(status for _, status in sorted(changes))]
        transitions[id] = tuple(
            Transition(id, before, after, at, at) for before, (at, after) in zip(befores, sorted(changes), strict=False)
        )
    history = replace(seen.history, transitions={**seen.history.transitions, **transitions}, incidents=tuple(told))
    board = replace(seen.board, incidents={one.id: one for one in told if one.is_open})
    return replace(seen, history=history, board=board)


@cache
def base(state: str) -> Picture:
    return STATES[state]()


@given(st.sampled_from(sorted(STATES)), st.lists(incidents(), max_size=4, unique_by=lambda one: one.id), _moves)
@settings(max_examples=examples(12), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_happens_the_files_are_sound(
    state: str, told: list[Incident], moves: dict[str, list[tuple[datetime, Status]]]
) -> None:
    """Both interfaces hold to their schemas and every feed parses, whatever the store remembers."""
    seen = drawn(state, told, moves)
    files = api_files(seen, loaded())
    some = {*list(moves)[:2], "checkout"}
    assert (
        faults({name: body for name, body in files.items() if "/modules/" not in name or Path(name).stem in some}) == []
    )
    checker = Draft202012Validator(V2, format_checker=FormatChecker())
    for name, body in statuspage_files(seen, loaded()).items():
        assert not [error.message[:300] for error in checker.iter_errors(json.loads(body))], name
    for name, body in feed_files(seen, loaded()).items():
        if name.endswith((".atom", ".rss")):
            ElementTree.fromstring(body)


@given(share=st.floats(0, 1, exclude_max=True))
def test_no_share_is_rounded_up_to_the_whole(share: float) -> None:
    """100 % is what it was all the time, not what it almost was."""
    told = uptime_object(Uptime(share, share, 1.0, 0.0, 0.0))
    assert told["ratio"] <= share + 1e-11
    assert told["ratio"] < 1
    assert told["coverage"] < 1


# --- what is never published


def poisoned() -> Picture:
    """A picture in which everything that must stay inside says so."""
    seen = pictures.stormy()
    platform = seen.board.platform
    modules = {}
    for id, module in platform.modules.items():
        ask = HttpTarget(f"https://{SECRET}/x", headers={"X-Key": SECRET}, body=SECRET.encode())
        modules[id] = replace(module, signals=(SECRET,), probes=tuple(replace(one, ask=ask) for one in module.probes))
    found = []
    for number, one in enumerate(seen.history.incidents):
        kind = "host" if number % 2 else "address"
        cause = replace(
            one.cause,
            scope="shared" if number % 2 else one.cause.scope,
            shared={"kind": kind, "value": SECRET, "modules": ["checkout"], "note": SECRET},
            trigger={"kind": "version_change", "module": "checkout", "from": "1", "to": "2", "note": SECRET},
            platform_reports={"found": True, "incident": "Trouble", "url": "https://status.example.org", "by": SECRET},
        )
        said = Update(NOW, one.stage, "said", {"note": SECRET}, author=SECRET, body={"en": "We are on it."})
        found.append(replace(one, cause=cause, updates=(*one.updates, said), acknowledged_at=NOW))
    versions = {("checkout", f"checkout-{SECRET}"): Version("v5", NOW)}
    board = replace(seen.board, platform=replace(platform, modules=modules), versions=versions)
    board = replace(board, incidents={one.id: one for one in found if one.is_open})
    return replace(seen, board=board, history=replace(seen.history, incidents=tuple(found)))


def test_nothing_private_is_in_any_published_file() -> None:
    """Addresses, headers, excerpts, ids of probes, runbooks, people's names: in no page, feed, file or picture."""
    files = site_files(poisoned(), loaded(), THEME)
    assert len(files) > 350
    for name, body in files.items():
        assert SECRET.encode() not in body, name
    told: dict[str, Any] = json.loads(files["api/v1/incidents.json"])
    for one in told["incidents"]:
        assert {"acknowledged_at", "notices"}.isdisjoint(one)
        assert {update["author"] for update in one["updates"]} == {"monitor", "person"}
    assert faults({name: body for name, body in files.items() if name.startswith("api/v1/")}) == []
