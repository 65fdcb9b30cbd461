"""What the platform says of itself, beside what we see."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.board import Board
from monitor.core.effect import Hold, Saved
from monitor.core.expectation import Expect
from monitor.core.incident import Incident
from monitor.core.module import Component, Group, Module, Status
from monitor.core.observation import Http, Observation, stamp
from monitor.core.probe import Probe, Role
from tests.stories.beats import START, Story, module, observation, platform

SILENT = {"found": False, "incident": None, "url": None}
URL = "https://status.example.com/incidents/1"
EVERY = timedelta(seconds=60)


def named(id: str, **names: str) -> Module:
    """A module with names of its own."""
    return replace(module(id), name={tag.replace("_", "-"): name for tag, name in names.items()})


def reader(id: str = "page") -> Probe:
    """A probe that reads a status page."""
    return Probe(
        "router", id, "statuspage", EVERY, timedelta(seconds=10), role=Role.EVIDENCE, expect=Expect(hearsay=True)
    )


SHOP = (
    named("logistics", pt_BR="Logística", en="Logistics"),
    named("oms", en="Orders (OMS)"),
    named("storefront", en="Store pages"),
    Module("router", {"en": "Router"}, probes=(reader(),)),
)
GROUPS = (
    Group(
        "all",
        {"en": "All"},
        (
            Component("shipping", {"pt-BR": "Cálculo de frete", "en": "Shipping calculation"}, ("logistics",)),
            Component("order-management", {"en": "Order Management"}, ("oms",)),
            Component("faststore", {"en": "FastStore"}, ("storefront",)),
        ),
    ),
)


def shop() -> Story:
    """A story of this shop."""
    return Story(Board(platform(*SHOP, groups=GROUPS)))


def post(
    name: str, *components: str, start: float | None = None, end: float | None = None, **more: Any
) -> dict[str, Any]:
    """An incident on the page; times in minutes from the start of the story."""

    def at(minutes: float | None) -> str | None:
        return None if minutes is None else stamp(START + timedelta(minutes=minutes))

    status = "identified" if end is None else "resolved"
    times = {"started_at": at(start), "updated_at": None, "resolved_at": at(end)}
    return {"name": name, "status": status, "impact": "major", "url": URL, "components": [*components], **times, **more}


def page(at: datetime, *posts: Mapping[str, Any], probe: str = "page", age: int = 0, **more: Any) -> Observation:
    """One reading of the page."""
    values = {"page": "Platform", "indicator": "none", "component": None, "components": [], "incidents": [*posts]}
    http = Http(200, {"age": str(age)}, bytes=2)
    common = {"module": "router", "probe": probe, "location": "here", "scheduled_at": at, "address": "8.8.8.8:443"}
    return Observation(at=at, duration=0.05, http=http, values={**values, **more}, **common)  # type: ignore[arg-type]


def unreadable(at: datetime) -> Observation:
    """One run that got something else."""
    return replace(page(at), http=Http(503, bytes=2), values={})


def play(told: Story, minutes: float, *posts: Mapping[str, Any], failing: str = "", readable: bool = True) -> Story:
    """Goes on for some minutes: each module is asked every half, the page every whole one, and time ticks."""
    begin = told.now
    for beat in range(round(minutes * 2)):
        at = begin + beat * timedelta(seconds=30)
        told.now = max(told.now, at)
        for one in SHOP[:3]:
            told.feed(observation(one.id, at, "-" if one.id == failing else "+"))
        if beat % 2 == 0:
            told.feed(page(at, *posts) if readable else unreadable(at))
        told.tick()
    told.now = begin + timedelta(minutes=minutes)
    told.tick()
    return told


def reports(told: Story) -> Any:
    """What the newest incident has."""
    return told.incidents[-1].cause.platform_reports


def kinds(incident: Incident) -> list[str]:
    return [update.kind for update in incident.updates]


# -- the story --------------------------------------------------------------------------------------------------------


def test_a_fault_that_the_platform_reports_late() -> None:
    """We see it at once, the page says nothing, posts it eighteen minutes later and takes it away when it is over."""
    told = play(play(shop(), 2), 18, failing="logistics")
    opened = next(e.incident for e in told.effects if isinstance(e, Saved))
    assert opened.cause.platform_reports == SILENT
    assert reports(told) == SILENT
    assert kinds(told.incidents[-1]) == ["opened"]

    play(told, 3, post("Shipping rates fail", "Shipping Calculation", start=3), failing="logistics")
    assert reports(told) == {"found": True, "incident": "Shipping rates fail", "url": URL}
    (incident,) = told.incidents
    assert kinds(incident) == ["opened", "reported"]
    assert incident.updates[-1].stage is incident.updates[0].stage
    play(told, 1, post("Shipping rates fail for all", "Shipping Calculation", start=3), failing="logistics")
    assert reports(told)["incident"] == "Shipping rates fail for all"

    play(told, 3)
    (incident,) = told.incidents
    assert kinds(incident) == ["opened", "reported", "resolved"]
    assert incident.cause.platform_reports["found"] is True  # type: ignore[index]
    assert told.changes == ["opened", "resolved"]


def test_an_incident_that_opens_under_a_post_says_so_at_once() -> None:
    """The first that is told of it has the report already, as the second entry of its timeline."""
    told = play(shop(), 2, post("Carriers", "shipping  calculation!"))
    play(told, 3, post("Carriers", "shipping  calculation!"), failing="logistics")
    opened = next(e.incident for e in told.effects if isinstance(e, Saved))
    assert kinds(opened) == ["opened", "reported"]
    assert opened.cause.platform_reports == {"found": True, "incident": "Carriers", "url": URL}


def test_the_page_is_never_a_verdict() -> None:
    """Whatever it says, and whether it can be read or not, no status moves and nothing opens."""
    told = play(shop(), 5, post("Everything is down", "Router", "Order Management", impact="critical"))
    play(told, 5, readable=False)
    assert {after for _, after, _ in told.transitions} == {"up"}
    assert told.incidents == []
    assert told.board.status("router") is Status.UNKNOWN
    assert told.board.restless == frozenset()


def test_a_page_that_asks_to_be_left_alone_is() -> None:
    """`Retry-After` is honoured there as everywhere."""
    told = shop()
    told.feed(replace(page(START), http=Http(429, {"retry-after": "90"}, bytes=2), values={}))
    assert [e.until for e in told.effects if isinstance(e, Hold)] == [told.now + timedelta(seconds=90)]


# -- what is known ----------------------------------------------------------------------------------------------------


def test_a_page_that_cannot_be_read_is_not_silent() -> None:
    """Never read: unknown. Read, then unreadable for three intervals: unknown again. What was reported stays."""
    told = play(shop(), 3, readable=False)
    play(told, 3, failing="logistics", readable=False)
    assert reports(told) is None
    play(told, 1, failing="logistics")
    assert reports(told) == SILENT
    play(told, 2, failing="logistics", readable=False)
    assert reports(told) == SILENT
    play(told, 1, failing="logistics", readable=False)
    assert reports(told) is None
    play(told, 1, post("x", "logistics"), failing="logistics")
    play(told, 6, failing="logistics", readable=False)
    assert reports(told)["found"] is True
    assert kinds(told.incidents[-1]) == ["opened", "reported"]


def test_without_such_a_probe_nothing_is_known() -> None:
    """And a reload that removes it takes back what it did not find."""
    told = play(play(shop(), 2), 3, failing="logistics")
    assert reports(told) == SILENT
    without = platform(*SHOP[:3], Module("router", {"en": "Router"}), groups=GROUPS)
    told.reconfigure(without)
    told.tick()
    assert reports(told) is None
    assert told.board.pages == {}


def test_a_restart_keeps_what_was_known_until_the_page_had_its_chance() -> None:
    """Neither "nothing so far" nor a report flips for lack of a first run."""
    for posts in ((), (post("x", "logistics"),)):
        told = play(play(shop(), 2, *posts), 3, *posts, failing="logistics")
        before = reports(told)
        assert before is not None
        told.restart(pause=20)
        for _ in range(100):
            told.now += timedelta(seconds=1)
            told.tick()
        assert told.board.incidents[told.incidents[-1].id].cause.platform_reports == before
        count = len(told.incidents[-1].updates)
        play(told, 1, *posts, failing="logistics")
        assert reports(told) == before
        assert len(told.incidents[-1].updates) == count


def test_an_old_copy_is_old() -> None:
    """What a cache handed out an hour late says nothing of now; a copy of which no age is known is new."""
    told = play(shop(), 2, readable=False)
    play(told, 2, failing="logistics", readable=False)
    told.feed(page(told.now, age=3600))
    told.tick()
    assert reports(told) is None
    told.feed(replace(page(told.now), http=None))
    told.tick()
    assert reports(told) == SILENT


def test_two_pages_are_silent_only_together() -> None:
    """One that cannot be read may hold what the other one does not."""
    router = Module("router", {"en": "Router"}, probes=(reader(), reader("other")))
    told = play(Story(Board(platform(*SHOP[:3], router, groups=GROUPS))), 3)
    play(told, 3, failing="logistics")
    assert reports(told) is None
    told.feed(page(told.now, probe="other"))
    told.tick()
    assert reports(told) == SILENT


def test_a_probe_of_one_component_is_silent_of_that_one_only() -> None:
    """It has not looked at the rest of its page."""
    only = {"component": "Order Management", "components": [{"name": "Order Management", "status": "operational"}]}
    for failing, expected in (("logistics", None), ("oms", SILENT)):
        told = shop()
        begin = told.now
        for beat in range(10):
            at = begin + beat * timedelta(seconds=30)
            told.now = at
            told.feed(page(at, **only))
            told.feed(observation(failing, at, "+-"[beat > 3]))
            told.tick()
        assert reports(told) == expected


# -- whom a post means ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failing", "told", "found"),
    [
        ("oms", post("Slow", "FastStore"), False),
        ("storefront", post("Slow", "FastStore"), True),
        ("oms", post("Slow", "ORDER-MANAGEMENT"), True),
        ("oms", post("Slow", "Orders (OMS)"), True),
        ("logistics", post("Slow", "Cálculo de Frete"), True),
        ("logistics", post("Logistics fails", "FastStore"), False),  # its components are what it is about
        ("oms", post("Order Management is slow"), True),
        ("oms", post("Problems of the OMS reported"), True),
        ("oms", post("Elevated errors"), False),
        ("oms", post("Rooms with a view"), False),  # no whole word of it
        ("oms", post("Everything is out", impact="critical"), False),  # here it is not
        ("logistics", post("Slow", "logistics", start=-600), True),  # still going on
        ("logistics", post("Slow", "logistics", start=-600, end=4), True),
        ("logistics", post("Slow", "logistics", start=-600, end=1), False),
        ("logistics", {**post("Slow", "logistics", start=-50), "status": "resolved"}, True),
        ("logistics", {**post("Slow", "logistics", start=-70), "status": "resolved"}, False),
        ("logistics", {**post("Slow", "logistics"), "status": "postmortem"}, False),
        ("logistics", post("Slow", "—", "", "logistics"), True),
    ],
)
def test_whom_a_post_means(failing: str, told: Mapping[str, Any], found: bool) -> None:
    """By what it names and when; in doubt nobody."""
    seen = play(shop(), 2, told)
    play(seen, 4, told, failing=failing)
    assert reports(seen)["found"] is found


def test_a_post_that_names_nothing_means_an_incident_of_everything() -> None:
    """If the page calls it critical, and here most of the components are touched."""
    told = shop()
    everything = post("The platform is unavailable", impact="critical")
    for beat in range(12):
        at = START + beat * timedelta(seconds=30)
        told.now = at
        told.feed(page(at, everything))
        for one in SHOP[:3]:
            told.feed(observation(one.id, at, "+-"[beat > 2]))
        told.tick()
    incident = next(one for one in told.board.incidents.values() if len(one.members) > 1)
    assert incident.cause.platform_reports == {"found": True, "incident": "The platform is unavailable", "url": URL}


def test_of_several_posts_the_one_that_was_told_stays() -> None:
    """A second one is no reason to change what readers were told; over ones come last, the nearest in time first."""
    old, near = post("Old", "logistics", start=-90, url=None), post("Near", "logistics", start=2, url=None)
    over = post("Over", "logistics", start=2, end=5, url=None)
    told = play(play(shop(), 2, old), 4, over, near, old, failing="logistics")
    assert reports(told) == {"found": True, "incident": "Near", "url": None}
    play(told, 2, old, post("Nearer", "logistics", start=3), near, failing="logistics")
    assert reports(told)["incident"] == "Near"
    play(told, 2, old, failing="logistics")
    assert reports(told)["incident"] == "Old"


def test_a_post_is_the_same_under_another_title() -> None:
    """Its address stays, and so it does beside one that is nearer."""
    old = post("Carriers", "logistics", start=-90)
    told = play(play(shop(), 2, old), 4, old, failing="logistics")
    near = post("Near", "logistics", start=2, url=f"{URL}0")
    play(told, 2, near, {**old, "name": "Carriers in all regions"}, failing="logistics")
    assert reports(told) == {"found": True, "incident": "Carriers in all regions", "url": URL}


# -- anything at all --------------------------------------------------------------------------------------------------

_names = st.sampled_from(["name", "url", "status", "components", "started_at", "resolved_at", "impact"])
_anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.just("9999-12-31T23:59:59-23:00"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names | st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)
_posts = st.fixed_dictionaries(
    {"name": st.just("Logistics") | _anything, "status": _anything},
    optional={
        "components": st.lists(st.sampled_from(["logistics", "—", ""]) | _anything, max_size=3) | _anything,
        "started_at": st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]) | _anything,
        "resolved_at": st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]) | _anything,
        "impact": _anything,
        "url": _anything,
    },
)


@given(
    st.fixed_dictionaries(
        {"incidents": st.lists(_posts, max_size=3) | _anything},
        optional={"component": _anything, "components": _anything},
    ),
    st.integers(0, 10**9),
)
def test_a_recording_of_anything_is_judged(values: dict[str, Any], age: int) -> None:
    """Facts of somebody's making are read or left, and `platform_reports` has its three keys or is null."""
    told = shop()
    for beat in range(6):
        at = START + beat * timedelta(seconds=30)
        told.now = max(told.now, at)
        told.feed(replace(page(at, age=age), values=values))
        told.feed(observation("logistics", at, "+-"[beat > 1]))
        told.tick()
    found = reports(told)
    assert found is None or (set(found) == {"found", "incident", "url"} and type(found["found"]) is bool)
