"""Stories of flows: a step that fails is its module's trouble, and the flow's module stays what its own steps say."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest

from monitor.core.module import Dependency, Module, Status, Strength
from monitor.core.probe import Probe, Role
from tests.stories.beats import START, Story, module, observation, statuses, story
from tests.stories.flows import bare, flow_of, flow_run

THREE = {"places": ("x", "y", "z")}
DOMAINS = {"x": "x", "y": "y", "z": "z"}


def told(flow: Probe, *others: Module, needs: tuple[Dependency, ...] = (), **more: object) -> Story:
    """A story of a flow of checkout's, with the modules it has steps for and others."""
    known = {one.id for one in others}
    ids = dict.fromkeys(one.module for one in flow.steps if one.module not in known)
    modules = [replace(bare(id), probes=(flow,), depends_on=needs) if id == flow.module else bare(id) for id in ids]
    return story(*modules, *others, **more)


def play(
    one: Story, flow: Probe, runs: list[str], every: float = 60, shift: float = 0, beside: str | None = None
) -> Story:
    """One run at every beat, at each place in turn within it; and a good one of a module's own probe `beside` it."""
    for beat, outcomes in enumerate(runs):
        for turn, place in enumerate(flow.locations):
            at = START + timedelta(seconds=beat * every + turn * every / len(flow.locations) + shift)
            while one.now + timedelta(seconds=1) < at:
                one.now += timedelta(seconds=1)
                one.tick()
            one.feed(flow_run(flow, at, outcomes, place))
            if beside is not None:
                one.feed(observation(beside, at + timedelta(seconds=1), "+", place))
    return one


@pytest.mark.parametrize("places", [("here",), ("x", "y", "z")], ids=["one place", "three places"])
def test_a_catalog_that_fails_for_three_minutes(places: tuple[str, ...]) -> None:
    """The incident names the catalog and nobody else; checkout, which is asked in another way too, is up throughout."""
    flow = flow_of(places=places)
    checkout = module("checkout", places=places)
    checkout = replace(checkout, probes=(*checkout.probes, flow), depends_on=(Dependency("catalog", Strength.HARD),))
    locations = DOMAINS if len(places) > 1 else {"here": "d"}
    whole = story(checkout, bare("catalog"), bare("session"), locations=locations)
    play(whole, flow, ["++++"] * 3 + ["+-"] * 3 + ["++++"] * 5, beside="checkout")

    assert whole.changes == ["opened", "resolved"]
    [incident] = whole.incidents
    assert (incident.cause.scope, incident.cause.module, incident.cause.code) == ("module", "catalog", "http.503")
    assert [member.module for member in incident.members] == ["catalog"]
    assert [one[:2] for one in whole.transitions if one[0] != "catalog"] == [("checkout", "up"), ("session", "up")]
    assert [one[1] for one in whole.transitions if one[0] == "catalog"] == ["up", "down", "up"]
    assert incident.cause.evidence[0].probe == "checkout/purchase"
    assert incident.cause.evidence[0].detail.startswith("step 2 “Categories”: status 503")
    assert incident.started_at == START + timedelta(seconds=180.1)


def test_one_place_of_three() -> None:
    """What only one place sees is no module's trouble, also when a flow sees it."""
    flow = flow_of(**THREE)  # type: ignore[arg-type]
    whole = told(flow, locations=DOMAINS)
    for beat in range(8):
        for turn, place in enumerate(flow.locations):
            at = START + timedelta(seconds=60 * beat + 20 * turn)
            whole.now = max(whole.now, at)
            whole.feed(flow_run(flow, at, "+-" if place == "y" and beat > 2 else "++++", place))
            whole.tick()

    [incident] = whole.incidents
    assert (incident.cause.scope, incident.cause.locations, incident.members) == ("location", ("y",), ())
    assert whole.board.status("catalog") is Status.UP


def test_add_item_names_logistics() -> None:
    """An answer of Checkout's own that carries the code of what it needs: the root is what the code names."""
    logistics = replace(bare("logistics"), signals=("CHK0262",))
    needs = tuple(Dependency(id, Strength.HARD) for id in ("catalog", "logistics"))
    flow = flow_of()
    whole = told(flow, logistics, needs=needs)
    play(whole, flow, ["++++"] * 3)
    for beat in range(3, 6):
        at = START + timedelta(seconds=60 * beat)
        body = {"fields": {}, "error": {"code": "CHK0262", "message": "…"}}
        whole.feed(flow_run(flow, at, "+++-", bodies={3: (500, body)}))

    [incident] = whole.incidents
    assert incident.cause.module == "logistics"
    assert incident.cause.code == "upstream.signalled:logistics"
    assert {member.module: member.role for member in incident.members} == {"checkout": "affected", "logistics": "root"}
    assert whole.board.status("catalog") is Status.UP


def test_a_module_that_two_probes_ask_has_one_incident() -> None:
    """The catalog's own probe sees it as well: one incident, over when both are well."""
    flow = flow_of()
    whole = told(flow, module("catalog"))
    for beat in range(24):
        at = START + timedelta(seconds=30 * beat)
        bad = 6 <= beat < 14
        whole.now = max(whole.now, at)
        whole.feed(observation("catalog", at, "-" if bad else "+"))
        if beat % 2 == 0:
            whole.feed(flow_run(flow, at + timedelta(seconds=5), "+-" if bad else "++++"))
        whole.now = at + timedelta(seconds=29)
        whole.tick()

    assert whole.changes == ["opened", "resolved"]
    assert [one[1] for one in whole.transitions if one[0] == "catalog"] == ["up", "down", "up"]


def test_set_up_that_is_gone_blames_nobody() -> None:
    """A SKU that is sold out for hours: no incident, and checkout unknown once nothing else says how it is."""
    flow = flow_of()
    whole = told(flow)
    play(whole, flow, ["++++"] * 3)
    for beat in range(3, 12):
        body = {"messages": [{"code": "withoutStock", "status": "error"}]}
        at = START + timedelta(seconds=60 * beat)
        whole.now = max(whole.now, at)
        whole.feed(flow_run(flow, at, "+++-", bodies={3: (200, body)}))
        whole.tick()

    assert whole.incidents == []
    assert [one[1] for one in whole.transitions if one[0] == "checkout"] == ["up", "unknown"]
    assert {id: whole.board.status(id) for id in ("session", "catalog")} == {"session": Status.UP, "catalog": Status.UP}


def test_a_restart_amid_it_announces_nothing_twice() -> None:
    """What a step saw of another module is remembered like everything else."""
    flow = flow_of()
    whole = told(flow)
    play(whole, flow, ["++++"] * 3 + ["+-"] * 3)
    whole.restart()
    play(whole, flow, ["+-"] * 2, shift=360 + 10)

    assert whole.changes == ["opened"]
    assert [one[1] for one in whole.transitions if one[0] == "catalog"] == ["up", "down"]


def test_a_flow_that_runs_seldom_is_settled_by_extra_runs() -> None:
    """Every quarter of an hour by itself; once a minute while in doubt, and until it is well again."""
    flow = flow_of(interval=900)
    whole = told(flow)
    whole.feed(flow_run(flow, START, "++++"))
    now, runs = 900.0, 0
    due = [now]
    while due and runs < 20:
        now = due.pop(0)
        at = START + timedelta(seconds=now)
        whole.now = max(whole.now, at)
        whole.asked.clear()
        runs += 1
        whole.feed(flow_run(flow, at, "+-" if now < 1090 else "++++"))
        whole.tick()
        due += [(when - START).total_seconds() for when, _ in whole.asked]

    catalog = [one for one in whole.transitions if one[0] == "catalog"]
    assert [one[1] for one in catalog] == ["up", "down", "up"]
    assert catalog[1][2] == 900.1
    assert 1090 < catalog[2][2] < 1150
    assert 6 <= runs <= 9
    assert whole.changes == ["opened", "resolved"]


def test_trouble_further_up_keeps_nobody_down() -> None:
    """The catalog fails, then Session, which comes before it: what the flow no longer reaches is unknown, not down."""
    flow = flow_of(interval=900)
    whole = told(flow, module("catalog"))
    runs: list[tuple[float, str]] = []

    def outcome(now: float) -> str:
        return "++++" if now < 900 else "+-" if now < 1100 else "- " if now < 1500 else "++++"

    def play_until(end: float) -> None:
        for second in range(int((whole.now - START).total_seconds()) + 1, int(end)):
            whole.now = START + timedelta(seconds=second)
            if second % 30 == 0:  # its own probe sees the catalog well, but for the time of its own trouble
                whole.feed(observation("catalog", whole.now, "-" if 900 <= second < 1100 else "+"))
            for when, ask in list(whole.asked):
                if when <= whole.now:
                    whole.asked.remove((when, ask))
                    if ask.probe == "purchase":
                        runs.append((second, outcome(second)))
                        whole.feed(flow_run(flow, whole.now, outcome(second)))
            if second % 900 == 0:
                whole.feed(flow_run(flow, whole.now, outcome(second)))
            whole.tick()

    whole.feed(flow_run(flow, START, "++++"))
    play_until(2100)
    catalog = [(after, since) for id, after, since in whole.transitions if id == "catalog"]
    assert [after for after, _ in catalog] == ["up", "down", "unknown", "up"]
    assert catalog[3][1] < 1600
    session = [(after, since) for id, after, since in whole.transitions if id == "session"]
    assert [after for after, _ in session] == ["up", "down", "up"]
    assert session[2][1] < 1570
    assert all(later - one > 55 for (one, _), (later, _) in pairwise(runs))
    assert not any(one.is_open for one in whole.incidents)


def test_a_flow_that_decides_nothing() -> None:
    """Of role evidence: kept, and its steps blame nobody."""
    flow = replace(flow_of(), role=Role.EVIDENCE)
    whole = told(flow)
    play(whole, flow, ["++++"] * 2 + ["+-"] * 5)
    assert whole.changes == []
    assert list(statuses(whole)) == []
