"""The statuspage prober: both shapes brought to one, and everything else unknown."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.clause import Clause
from monitor.core.expectation import Expect, Outcome, Result
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.target import PageTarget
from monitor.mask import HIDDEN, Mask, mask_of
from monitor.probers import Reach
from monitor.probers.failure import Stopped
from monitor.probers.shapes import MOST_POSTS, page_of
from monitor.probers.statuspage import addresses

from .looking import LIMIT, reaching, seen
from .misbehaving import WAYS, answer, by_path, served, silent

STATUSPAGE: dict[str, Any] = {
    "page": {"id": "lm4k9q2xw7ab", "name": "Lumen Store", "url": "https://elsewhere.example"},
    "status": {"indicator": "minor", "description": "Minor Service Outage"},
    "components": [
        {"id": "g1", "name": "Checkout", "status": "partial_outage", "group": True, "components": ["c1", "c2"]},
        {"id": "c1", "name": "Cart", "status": "operational", "group": False},
        {"id": "c2", "name": "Shipping simulation", "status": "partial_outage", "group": False},
        {"id": "c3", "name": "Order feed", "status": "full_outage"},
    ],
    "incidents": [
        {
            "id": "inc7shipsim1",
            "name": "Delivery options missing",
            "status": "identified",
            "impact": "minor",
            "shortlink": "https://stspg.io/abc",
            "created_at": "2026-05-12T10:58:20.115-03:00",
            "started_at": "2026-05-12T13:55:02.000Z",
            "updated_at": "2026-05-12T14:21:07.398Z",
            "resolved_at": None,
            "components": [{"id": "c2", "name": "Shipping simulation", "status": "partial_outage"}],
            "incident_updates": [],
        },
        {
            "id": "inc6",
            "name": "Order feed stalled",
            "status": "resolved",
            "impact": "none",
            "created_at": "2026-05-11T13:00:00.000Z",
            "updated_at": "2026-05-11T15:00:00.000Z",
            "resolved_at": "2026-05-11T15:00:00.000Z",
            "components": [],
            "incident_updates": [{"affected_components": [{"code": "c3", "name": "Orders - Order feed"}]}],
        },
    ],
}

INCIDENT_IO: dict[str, Any] = {
    "summary": {
        "name": "Lumen",
        "components": [{"id": "A", "name": "Order Placement"}, {"id": "B", "name": "FastStore"}],
        "structure": {
            "items": [
                {"group": {"name": "Checkout", "components": [{"component_id": "A", "name": "Order Placement"}]}},
                {"component": {"component_id": "B", "name": "FastStore"}},
            ]
        },
        "affected_components": [{"component_id": "A", "status": "full_outage"}],
        "ongoing_incidents": [
            {
                "id": "01JABCDEF",
                "name": "Orders cannot be placed",
                "status": "investigating",
                "published_at": "2026-05-12T14:10:00Z",
                "affected_components": [{"component_id": "A", "status": "full_outage"}],
                "component_impacts": [
                    {"component_id": "A", "start_at": "2026-05-12T13:50:00Z", "status": "full_outage"}
                ],
                "updates": [{"published_at": "2026-05-12T14:30:00Z", "to_status": "investigating"}],
            }
        ],
        "scheduled_maintenances": [],
    }
}

WIDGET: dict[str, Any] = {
    "page_title": "Lumen",
    "ongoing_incidents": [
        {
            "id": "01J",
            "name": "Slow",
            "status": "monitoring",
            "url": "http://127.0.0.1/incidents/01J",
            "last_update_at": "2026-05-12T14:30:00Z",
            "current_worst_impact": "degraded_performance",
            "affected_components": [{"id": "A", "name": "Cart", "current_status": "degraded_performance"}],
        }
    ],
}


def page_probe(url: str, limit: float = LIMIT, expect: Expect | None = None, **target: Any) -> Probe:
    """A statuspage probe as the configuration makes it, that may ask loopback."""
    return Probe(
        "janus",
        "page",
        "statuspage",
        timedelta(seconds=60),
        timedelta(seconds=limit),
        role=Role.EVIDENCE,
        expect=replace(expect or Expect(), hearsay=True),
        ask=PageTarget(url, **({"allow_private": True} | target)),
    )


def sent(document: Any) -> Any:
    """An answer of JSON."""
    return answer(json.dumps(document).encode())


async def read(reach: Reach, document: Any, component: str | None = None) -> tuple[Observation, Result]:
    """One run against a page that answers with this everywhere."""
    async with served(sent(document)) as server:
        return await seen(reach, page_probe(server.url(path="/api/v2/summary.json"), component=component))


# -- what is asked ----------------------------------------------------------------------------------------------------


def test_a_page_s_own_address_stands_for_two_and_every_other_one_for_itself() -> None:
    """In this order; a user stays, for pages that want one."""
    assert addresses("https://status.example.com") == (
        "https://status.example.com/proxy/status.example.com/",
        "https://status.example.com/api/v2/summary.json",
    )
    assert addresses("http://a:b@127.0.0.1:80/#x")[1] == "http://a:b@127.0.0.1/api/v2/summary.json"
    for url in ("https://s.example/api/v2/incidents.json", "https://s.example/en", "https://s.example/?a=b", "::"):
        assert addresses(url) == (url,)


async def test_incident_io_is_asked_first(reach: Reach) -> None:
    """One request is enough there, and the address of the page names its host."""
    async with served(by_path(proxy=sent(INCIDENT_IO), api=sent({}))) as server:
        observation, result = await seen(reach, page_probe(server.url(path="")))
        assert len(server.requests) == 1

    assert (result.outcome, result.code) == (Outcome.PASSED, None)
    assert observation.values["page"] == "Lumen"


@pytest.mark.parametrize(
    "first",
    [answer(b"no", "404 Not Found"), answer(b"<html>"), sent({"summary": {}}), WAYS["closes after the request"]],
)
async def test_statuspage_is_asked_when_the_first_address_is_not_readable(reach: Reach, first: Any) -> None:
    """Whatever stands at the first one, the second one decides; the facts are those of its exchange."""
    async with served(by_path(proxy=first, api=sent(STATUSPAGE))) as server:
        observation, result = await seen(reach, page_probe(server.url()))

    assert result.outcome is Outcome.PASSED
    assert observation.values["page"] == "Lumen Store"
    assert observation.http is not None
    assert observation.http.status == 200
    assert sum(observation.phases.values()) <= observation.duration


async def test_a_first_address_that_hangs_leaves_half_of_the_time(reach: Reach) -> None:
    """The second one is still asked within the limit of the probe."""
    async with served(by_path(proxy=silent, api=sent(STATUSPAGE))) as server:
        observation, result = await seen(reach, page_probe(server.url()))

    assert result.outcome is Outcome.PASSED
    assert LIMIT / 2 <= observation.duration < LIMIT


async def test_headers_go_along_and_never_show(reach: Reach) -> None:
    """A page behind a key; what it echoes of it is masked."""
    page = {**STATUSPAGE, "page": {"name": "hello s3cret-token"}}
    async with served(sent(page)) as server:
        probe = page_probe(server.url(path="/x.json"), headers=(("authorization", "Bearer s3cret-token"),))
        observation, _ = await seen(reach, probe)

    assert b"Authorization: Bearer s3cret-token" in server.requests[0].replace(b"authorization", b"Authorization")
    assert observation.values["page"] == f"hello {HIDDEN}"
    assert "s3cret" not in str(observation)


async def test_the_rules_of_addresses_hold(reach: Reach) -> None:
    """A private address is not dialled unless the probe allows it."""
    async with served(sent(STATUSPAGE)) as server:
        observation, result = await seen(reach, page_probe(server.url(), allow_private=False))

    assert server.connections == 0
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "self.config")
    assert observation.failure is not None


# -- the two shapes ---------------------------------------------------------------------------------------------------


async def test_statuspage_v2(reach: Reach) -> None:
    """Groups apart, links of other hosts replaced, what goes on before what is over."""
    observation, result = await read(reach, STATUSPAGE)
    values = observation.values
    port = (observation.address or "").rpartition(":")[2]

    assert result.outcome is Outcome.PASSED
    assert (values["page"], values["indicator"], values["component"]) == ("Lumen Store", "minor", None)
    assert values["components"] == [
        {"name": "Cart", "status": "operational"},
        {"name": "Shipping simulation", "status": "partial_outage"},
        {"name": "Order feed", "status": "major_outage"},
    ]
    assert values["incidents"] == [
        {
            "id": "inc7shipsim1",
            "name": "Delivery options missing",
            "status": "identified",
            "impact": "minor",
            "url": f"http://127.0.0.1:{port}/incidents/inc7shipsim1",
            "started_at": "2026-05-12T13:55:02.000Z",
            "updated_at": "2026-05-12T14:21:07.398Z",
            "resolved_at": None,
            "components": ["Shipping simulation"],
        },
        {
            "id": "inc6",
            "name": "Order feed stalled",
            "status": "resolved",
            "impact": "none",
            "url": f"http://127.0.0.1:{port}/incidents/inc6",
            "started_at": "2026-05-11T13:00:00.000Z",
            "updated_at": "2026-05-11T15:00:00.000Z",
            "resolved_at": "2026-05-11T15:00:00.000Z",
            "components": ["Order feed"],
        },
    ]


async def test_incident_io(reach: Reach) -> None:
    """Names by id, the earliest time as the beginning, the worst status as the impact."""
    values = (await read(reach, INCIDENT_IO))[0].values

    assert (values["page"], values["indicator"]) == ("Lumen", "critical")
    assert [one["status"] for one in values["components"]] == ["major_outage", "operational"]
    (incident,) = values["incidents"]
    assert incident.pop("url").endswith("/incidents/01JABCDEF")
    assert incident == {
        "id": "01JABCDEF",
        "name": "Orders cannot be placed",
        "status": "investigating",
        "impact": "critical",
        "started_at": "2026-05-12T13:50:00.000Z",
        "updated_at": "2026-05-12T14:30:00.000Z",
        "resolved_at": None,
        "components": ["Order Placement"],
    }


async def test_the_summary_that_incident_io_offers_widgets(reach: Reach) -> None:
    """The same, with names in it and without `summary` around."""
    (incident,) = (await read(reach, WIDGET))[0].values["incidents"]

    assert incident["components"] == ["Cart"]
    assert incident["impact"] == "minor"
    assert incident["url"] == "http://127.0.0.1/incidents/01J"


async def test_the_list_of_unresolved_incidents_is_enough(reach: Reach) -> None:
    """`unresolved.json` and `incidents.json` hold neither components nor a verdict."""
    told = {"page": STATUSPAGE["page"], "incidents": STATUSPAGE["incidents"]}
    values = (await read(reach, told))[0].values

    assert (values["indicator"], values["components"], len(values["incidents"])) == (None, [], 2)


async def test_expectations_read_the_facts(reach: Reach) -> None:
    """`json` the brought-together form, whatever the shape was; one that does not hold is unknown, not failed."""
    expect = Expect(json=(("indicator", (Clause("equals", "none"),)),), contains=("summary",))
    async with served(sent(INCIDENT_IO)) as server:
        observation, result = await seen(reach, page_probe(server.url(), expect=expect))

    assert observation.values["contains: summary"] is True
    assert (result.outcome, result.code, result.blame) == (Outcome.UNKNOWN, "content.assertion", None)
    assert result.reasons[0].startswith("official status unknown: indicator")


# -- one component ----------------------------------------------------------------------------------------------------


async def test_one_component_in_any_case(reach: Reach) -> None:
    """Only its own status and incidents are kept; a group stands for its members."""
    values = (await read(reach, STATUSPAGE, "SHIPPING  simulation"))[0].values
    assert [one["name"] for one in values["components"]] == ["Shipping simulation"]
    assert [one["id"] for one in values["incidents"]] == ["inc7shipsim1"]
    assert values["indicator"] == "major"

    values = (await read(reach, INCIDENT_IO, "checkout"))[0].values
    assert [one["name"] for one in values["components"]] == ["Order Placement"]
    assert len(values["incidents"]) == 1


async def test_an_unknown_component_names_the_nearest(reach: Reach) -> None:
    """It is our own mistake, and told as one."""
    observation, result = await read(reach, STATUSPAGE, "shiping simulation")
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "self.config")
    assert "no component `shiping simulation`; did you mean `Shipping simulation`?" in result.reasons[0]
    assert observation.values == {}


async def test_a_component_of_a_page_without_components(reach: Reach) -> None:
    """Nobody can tell whether the incidents there are about it."""
    _, result = await read(reach, {"page": {}, "incidents": []}, "Cart")
    assert (result.outcome, result.code) == (Outcome.UNKNOWN, "self.config")


# -- everything else is unknown ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
async def test_no_way_of_breaking_is_a_verdict(reach: Reach, way: str) -> None:
    """Whatever a server does, the official status is unknown: neither fine nor anybody's failure."""
    async with served(WAYS[way]) as server:
        observation, result = await seen(reach, page_probe(server.url(path="/api/v2/summary.json"), limit=0.3))

    assert result.outcome is Outcome.UNKNOWN, result
    assert result.blame is None or result.blame == "self"
    assert observation.values == {}


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ([], "content.assertion"),
        ({}, "content.assertion"),
        ({"status": "ok"}, "content.assertion"),
        ({"incidents": []}, "content.assertion"),
        ({"page": {"name": "x"}, "incidents": None}, "content.assertion"),
        ({"page": {"name": "x"}, "incidents": [1]}, "content.assertion"),
        ({"page": {"name": "x"}, "incidents": [{"name": " ", "status": "resolved"}]}, "content.assertion"),
        ({"page": {"name": "x"}, "incidents": [{"name": "x"}]}, "content.assertion"),
        ({"page": {"name": "x"}, "status": [], "incidents": []}, "content.assertion"),
        ({"page": [], "incidents": []}, "content.assertion"),
        ({"summary": {"ongoing_incidents": []}}, "content.assertion"),
        ({"summary": {"ongoing_incidents": [], "components": []}}, "content.assertion"),
        ({"summary": {"components": [], "affected_components": []}}, "content.assertion"),
        ({"summary": {**INCIDENT_IO["summary"], "components": {}}}, "content.assertion"),
        (
            {**STATUSPAGE, "incidents": STATUSPAGE["incidents"][:1] * (MOST_POSTS + 1)},
            "content.json_limits",
        ),
    ],
)
async def test_other_shapes_are_unknown(reach: Reach, document: Any, code: str) -> None:
    """Missing keys, wrong types and too many incidents make the page unreadable, never quiet."""
    observation, result = await read(reach, document)
    assert (result.outcome, result.code, result.blame) == (Outcome.UNKNOWN, code, None)
    assert result.reasons[0].startswith("official status unknown: ")
    assert observation.values == {}


def test_links_lead_to_the_page_s_own_host_or_nowhere() -> None:
    """Neither to other hosts, nor to other schemes, nor with a user in them."""
    wrong = [
        "javascript:alert(1)",
        "https://evil.example/x",
        "https://u@127.0.0.1/x",
        "//127.0.0.1/x",
        "",
        "http://[",
        "http://[]@",
        7,
    ]
    for link in wrong[:-1]:
        told = {**STATUSPAGE, "incidents": [{"name": "x", "status": "identified", "id": "../../x", "shortlink": link}]}
        (incident,) = page_of(told, "https://127.0.0.1/", None, Mask(()))["incidents"]
        assert incident["url"] is None, link
    good = {**STATUSPAGE, "incidents": [{"name": "x", "status": "identified", "shortlink": "https://127.0.0.1/i/1#a"}]}
    assert page_of(good, "https://127.0.0.1/", None, Mask(()))["incidents"][0]["url"] == "https://127.0.0.1/i/1"


def test_texts_are_masked_and_clipped() -> None:
    """Terminal sequences, secrets and megabytes do not get past."""
    name = "\x1b[31mRed\u202e " + "s3cret " + "x" * 100_000
    told = {
        "page": {"name": name},
        "incidents": [
            {"id": name, "name": name, "status": name, "components": [{"name": f"{i}{name}"} for i in range(99)]}
        ],
    }
    facts = page_of(told, "https://s.example", None, mask_of(frozenset({"s3cret"})))
    text = json.dumps(facts, ensure_ascii=False)
    assert len(text) < 6000
    assert "s3cret" not in text
    assert "\u202e" not in text
    assert facts["incidents"][0]["name"].startswith(f"Red {HIDDEN} xxx")


_keys = st.sampled_from(
    [
        *("page", "name", "status", "incidents", "components", "id", "group", "impact", "shortlink", "started_at"),
        *("summary", "ongoing_incidents", "affected_components", "component_id", "structure", "items", "updates"),
        *("component_impacts", "start_at", "end_at", "published_at", "url", "incident_updates", "resolved_at"),
    ]
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys | st.text(max_size=4), inner, max_size=6),
    max_leaves=20,
)


def _mixed(document: Any) -> st.SearchStrategy[Any]:
    """A readable page with some of its values replaced by anything."""
    if isinstance(document, Mapping):
        return st.fixed_dictionaries({key: _mixed(value) for key, value in document.items()}) | _json
    if isinstance(document, list):
        return st.tuples(*map(_mixed, document)).map(list) | _json
    return st.just(document) | _json


@given(_json | _mixed(STATUSPAGE) | _mixed(INCIDENT_IO), st.none() | st.text(max_size=12))
def test_any_json_is_read_or_refused(document: Any, component: str | None) -> None:
    """Nothing raises but Stopped, and what comes out is small, and JSON."""
    try:
        facts = page_of(document, "https://status.example.com", component, Mask(()))
    except Stopped as stopped:
        if stopped.code not in ("content.assertion", "content.json_limits", "self.config"):
            raise
        return
    assert set(facts) == {"page", "indicator", "component", "components", "incidents"}
    assert len(json.dumps(facts)) < 200_000
    assert len(facts["incidents"]) <= MOST_POSTS
    for one in facts["incidents"]:
        assert one["url"] is None or one["url"].startswith("https://status.example.com/")


async def test_a_large_page_is_read_aside(reach: Reach) -> None:
    """A megabyte of components is read in the thread for such bodies, and clipped."""
    many = [{"id": f"c{i}", "name": f"Component {i} {'x' * 300}", "status": "operational"} for i in range(2500)]
    async with reaching() as other:
        observation, result = await read(other, {**STATUSPAGE, "components": many, "incidents": []})
    assert result.outcome is Outcome.PASSED
    assert len(observation.values["components"]) == 60
