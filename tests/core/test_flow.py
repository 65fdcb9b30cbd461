"""What one run of a flow says: as a whole, and of each module."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.board import Board
from monitor.core.codes import HARMLESS, Blame
from monitor.core.effect import Ask, Hold, Keep, Lagging, Observed
from monitor.core.expectation import Expect, Outcome, Result
from monitor.core.flow import judge_run, modules_of, read
from monitor.core.module import Module, Platform
from monitor.core.observation import Failure, Http, Observation, StepRun, observation_from_json, observation_to_json
from monitor.core.probe import Probe, Step
from monitor.core.step import step
from monitor.core.track import is_bad
from tests.stories.beats import START, module, observation, platform
from tests.stories.flows import bare, flow_of, flow_run
from tests.strategies import step_runs

F, P, S, U = Outcome.FAILED, Outcome.PASSED, Outcome.SLOW, Outcome.UNKNOWN


def world(flow: Probe) -> Platform:
    """A platform in which nothing is measured but by a flow."""
    ids = dict.fromkeys([flow.module, *(one.module for one in flow.steps)])
    return platform(*(replace(bare(id), probes=(flow,)) if id == flow.module else bare(id) for id in ids))


def said(flow: Probe, run: Observation) -> dict[str, Result]:
    """What a run says of each module."""
    sides = world(flow).sides[flow.key]
    return {one.probe.module: one.result for one in read(run, flow, sides)}


# (outcomes of session, catalog, checkout, checkout) → (the whole, its code, session, catalog, checkout)
RUNS = {
    "++++": (P, None, P, P, P),
    "-   ": (F, "http.503", F, U, U),
    "+-  ": (F, "http.503", P, F, U),
    "++- ": (F, "http.503", P, P, F),
    "+++-": (F, "http.503", P, P, F),
    "+~++": (S, "http.slow_ttfb", P, S, P),
    "++~+": (S, "http.slow_ttfb", P, P, S),
    "+~- ": (F, "http.503", P, S, F),
    "+~  ": (U, None, P, S, U),
    "+x  ": (F, "tls.cert_expired", P, F, U),
    "+c  ": (F, "http.404", P, F, U),
    "+b  ": (F, "http.429", P, F, U),
    "+?  ": (U, "self.resources", U, U, U),
    "+-++": (F, "http.503", P, F, U),
    "    ": (U, None, U, U, U),
    "++": (U, None, P, P, U),
}


@pytest.mark.parametrize("outcomes", RUNS)
def test_who_is_blamed(outcomes: str) -> None:
    """The module of the first step that fails, and nobody else; who was not reached is not judged."""
    flow = flow_of()
    run = flow_run(flow, START, outcomes)
    whole, code, *each = RUNS[outcomes]

    result = judge_run(run, flow)
    assert (result.outcome, result.code) == (whole, code)
    assert [one.outcome for one in said(flow, run).values()] == [each[2], each[0], each[1]]


def test_own_trouble_is_told_once() -> None:
    """By the flow itself: the modules of its steps have nothing to do with it."""
    flow = flow_of()
    run = flow_run(flow, START, "+?")
    told = said(flow, run)
    assert [(one.code, one.blame) for one in told.values()] == [
        ("self.resources", Blame.SELF),
        (None, None),
        (None, None),
    ]
    readings = read(run, flow, world(flow).sides[flow.key])
    assert {(one.seen.at, one.seen.http, one.seen.failure) for one in readings} == {(run.at, None, None)}


def test_reasons_name_the_step() -> None:
    """With its number and its name; the whole with its module too."""
    flow = flow_of()
    run = flow_run(flow, START, "+-")
    assert judge_run(run, flow).reasons == ("step 2 “Categories” (catalog): status 503, expected 200–299",)
    told = said(flow, run)
    assert told["catalog"].reasons == ("step 2 “Categories”: status 503, expected 200–299",)
    assert told["checkout"].reasons == ("step 2 “Categories” (catalog): failed first",)


def test_facts_are_those_of_the_step() -> None:
    """When it began, where it was answered, and what stood in its answer."""
    flow = flow_of()
    run = flow_run(flow, START, "+++-", bodies={3: (500, {"error": {"code": "CHK0262"}})})
    own, session, catalog = read(run, flow, world(flow).sides[flow.key])
    assert (own.seen.at, own.seen.address) == (START + timedelta(seconds=0.3), "8.8.8.3:443")
    assert own.seen.http is not None
    assert "CHK0262" in (own.seen.http.excerpt or "")
    assert (session.seen.address, catalog.seen.address) == ("8.8.8.0:443", "8.8.8.1:443")
    assert catalog.probe.key == ("catalog", "checkout/purchase")


def timed(flow: Probe, seconds: tuple[float, ...], code: str = "http.ttfb_timeout") -> Observation:
    """A run whose steps took so long; the last of them failed like this."""
    ran = []
    for index, (one, taken) in enumerate(zip(flow.steps, seconds, strict=False)):
        seen = replace(observation(one.module, START, "+", probe=flow.id), duration=taken)
        if index == len(seconds) - 1:
            seen = replace(seen, http=None, failure=Failure(code, "no answer"))
        ran.append(StepRun(one.module, one.name, seen))
    ran += [StepRun(one.module, one.name) for one in flow.steps[len(seconds) :]]
    failure = Failure(code, "no answer")
    return replace(flow_run(flow, START, ""), duration=sum(seconds), failure=failure, steps=tuple(ran))


@pytest.mark.parametrize(
    ("seconds", "code", "blamed"),
    [
        ((0.1, 0.1, 19.8), "http.ttfb_timeout", "checkout"),  # it took nearly all of the twenty seconds
        ((6.0, 6.0, 8.0), "http.transfer_timeout", "checkout"),  # … and so it did the most of all
        ((0.1, 18.0, 1.9), "http.ttfb_timeout", None),
        ((9.0, 8.0, 3.0), "tcp.timeout", None),
        ((0.1, 19.95, 0.05), "dns.timeout", None),
        ((0.1, 18.0, 1.9), "http.reset", "checkout"),  # nobody was out of time
        ((0.1, 4.0, 2.0), "dns.timeout", "checkout"),  # its own limit, with time left
    ],
)
def test_who_had_no_time_left_is_not_blamed(seconds: tuple[float, ...], code: str, blamed: str | None) -> None:
    """The time limit is that of all steps. Where it struck in one that had not taken the most of it, nothing is known
    of that one, and the flow as a whole was too slow."""
    flow = replace(flow_of(), module="purchase")
    told = said(flow, timed(flow, seconds, code))
    assert {id for id, result in told.items() if is_bad(result)} == ({blamed} if blamed else set())
    if blamed is None:
        whole = judge_run(timed(flow, seconds, code), flow)
        assert (whole.outcome, whole.code) == (S, "step.slow")
        assert whole.reasons == (f"step 3 “Cart” (checkout): the steps before left {seconds[-1]:.2f} s of 20 s",)
        assert (told["purchase"].outcome, told["purchase"].code) == (S, "step.slow")
        assert told["checkout"].outcome is U


def test_slow_as_a_whole() -> None:
    """The sum of its steps, told of the flow's own module only; no sum is taken of a part."""
    flow = flow_of(slow_after=0.15)
    run = flow_run(flow, START, "++++")
    assert judge_run(run, flow).code == "step.slow"
    assert judge_run(run, flow).reasons == ("the steps took 200 ms, slow after 150 ms",)
    told = said(flow, run)
    assert [told[id].code for id in ("checkout", "session", "catalog")] == ["step.slow", None, None]
    assert judge_run(flow_run(flow, START, "+++-"), flow).code == "http.503"
    assert judge_run(run, flow_of(slow_after=0.3)).outcome is P


def test_cached_answers_prove_the_edge_only() -> None:
    """Of a module all of whose steps a cache answered; one answer of its own is enough."""
    flow = flow_of()
    run = flow_run(flow, START, "++++")
    hit = Http(200, {"x-vtex-cache-status-janus-edge": "HIT"}, bytes=2)
    steps = [replace(one, seen=one.seen and replace(one.seen, http=hit)) for one in run.steps or ()]
    told = said(flow, replace(run, steps=(*steps[:3], (run.steps or ())[3])))
    assert [told[id].edge_only for id in ("checkout", "session", "catalog")] == [False, True, True]


def test_a_flow_without_steps_of_its_own() -> None:
    """Its module is well when the whole of it is."""
    flow = flow_of((("catalog", "a"), ("search", "b")))
    assert {id: one.outcome for id, one in said(flow, flow_run(flow, START, "++")).items()} == dict(
        checkout=P, catalog=P, search=P
    )
    assert {id: one.outcome for id, one in said(flow, flow_run(flow, START, "+-")).items()} == dict(
        checkout=U, catalog=P, search=F
    )


# -- orders -----------------------------------------------------------------------------------------------------------

SHOP = (
    Step("checkout", "Cart"),
    Step("checkout", "Order", orders=True),
    Step("payments", "Pay"),
    Step("oms", "Cancel", cleanup=True),
)

ORDERS = {
    "+++ ": (P, None, P, P),
    "++++": (P, None, P, P),
    "+++-": (F, "step.cleanup", F, P),
    "++-+": (F, "http.503", P, F),
    "++--": (F, "http.503", F, F),
    "+- -": (F, "http.503", F, U),
    "-   ": (F, "http.503", F, U),
    "+   ": (P, None, U, U),
    "++  ": (U, None, P, U),
}


@pytest.mark.parametrize("outcomes", ORDERS)
def test_orders_and_what_undoes_them(outcomes: str) -> None:
    """A cleanup that fails hides no failure, marks nobody down, and is told; a run that stopped before the order says
    nothing of those whose steps it left out."""
    flow = flow_of(SHOP)
    run = flow_run(flow, START, outcomes)
    whole, code, checkout, payments = ORDERS[outcomes]
    result = judge_run(run, flow)
    assert (result.outcome, result.code) == (whole, code)
    told = said(flow, run)
    assert (told["checkout"].outcome, told["payments"].outcome) == (checkout, payments)
    assert "oms" not in told
    if code == "step.cleanup":
        assert told["checkout"].blame is Blame.CONFIGURATION
        assert not is_bad(told["checkout"])
        assert result.reasons == ("step 4 “Cancel”: status 503, expected 200–299",)


def test_what_is_withheld_is_no_part_of_a_flow() -> None:
    """Modules that only such steps ask are not judged by it; the run says where it stopped."""
    flow = flow_of([replace(one, withheld=one.name != "Cart") for one in SHOP])
    assert modules_of(flow) == ()
    result = judge_run(flow_run(flow, START, "+   "), flow)
    assert result == Result(P, reasons=("stopped before “Order”",))
    assert said(flow, flow_run(flow, START, "+   "))["checkout"].outcome is P


CODES = {
    "CHK0082": "step.precondition",
    "ORD005": "step.precondition",
    "ORD002": "step.precondition",
    "CHK0016": "step.precondition",
    "withoutStock": "step.precondition",
    "CHK0214": None,
    "CHK0262": None,
}


@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500, 503])
@pytest.mark.parametrize("code", CODES)
def test_set_up_is_no_outage_whatever_the_status(code: str, status: int) -> None:
    """Nor is a reCAPTCHA that is wanted; a dependency that failed keeps the code of its status."""
    flow = flow_of()
    body = {"error": {"code": code, "message": "are you a human? captcha"}}
    result = judge_run(flow_run(flow, START, "+++-", bodies={3: (status, body)}), flow)
    assert result.outcome is F
    assert (result.code == "step.precondition") is (CODES[code] is not None)
    if CODES[code]:
        assert result.blame is Blame.CONFIGURATION
        assert result.reasons[1:] or status == 200  # what was wrong with the answer is told as well
        assert ("reCAPTCHA" in result.reasons[0]) is (code == "CHK0082")


def test_a_recording_of_other_steps_says_nothing_of_these() -> None:
    """A step that goes by another name now is not judged by what the old one saw."""
    old, new = flow_of(), flow_of((("session", "Begin"), ("catalog", "Tree"), ("checkout", "Cart")))
    told = said(new, flow_run(old, START, "+-"))
    assert [told[id].outcome for id in ("session", "catalog", "checkout")] == [P, U, U]
    assert judge_run(flow_run(old, START, "+-"), new).outcome is U


def test_an_edge_that_moved_judges_anew() -> None:
    """The same facts under a configuration that blames another module."""
    old, new = flow_of(), flow_of((("session", "Begin"), ("search", "Categories"), ("checkout", "Cart")))
    assert said(new, flow_run(old, START, "+-"))["search"].outcome is F


# -- whatever is seen --------------------------------------------------------------------------------------------------

_modules = st.sampled_from(["checkout", "catalog", "search", "session"])
_steps = st.lists(
    st.builds(
        Step,
        module=_modules,
        name=st.sampled_from(["a", "b"]),
        expect=st.sampled_from([Expect(), Expect(status=((503, 503),)), Expect(slow_after=timedelta(0))]),
        orders=st.booleans(),
        cleanup=st.booleans(),
        withheld=st.booleans(),
    ),
    min_size=1,
    max_size=5,
)
_letters = st.text("+-~?xcbt ", max_size=6)
_bodies = st.dictionaries(
    st.integers(0, 4),
    st.tuples(
        st.sampled_from([200, 400, 403, 429, 500, 503]),
        st.sampled_from(
            [{"error": {"code": code}} for code in ("CHK0082", "CHK0262", "ORD005", "x")] + [[], "x", None]
        ),
    ),
)


def check(flow: Probe, run: Observation) -> None:
    """What holds of every run."""
    result = judge_run(run, flow)
    readings = read(run, flow, world(flow).sides[flow.key])
    assert judge_run(run, flow) == result
    blamed = [one.probe.module for one in readings if one.result.outcome is F and one.result.code != "step.cleanup"]
    assert len(blamed) <= 1
    assert bool(blamed) is (result.outcome is F and result.code != "step.cleanup")
    ran = list(run.steps or ())
    for one in readings:
        mine = [
            index
            for index, each in enumerate(flow.steps)
            if each.module == one.probe.module and not each.withheld and not each.cleanup
        ]
        missing = [i for i in mine if i >= len(ran) or ran[i].name != flow.steps[i].name or ran[i].seen is None]
        if missing and one.probe.module not in blamed:
            assert one.result.outcome is U
            assert (one.seen.http, one.seen.address, one.seen.failure) == (None, None, None)
        assert one.result.blame not in HARMLESS or not is_bad(one.result)
    board, effects = step(Board(world(flow)), Observed(run), run.ended_at)
    assert any(isinstance(one, Keep) for one in effects)
    assert {key[0] for key, track in board.tracks.items() if track.score} <= set(blamed)


@given(_steps, _letters, _bodies)
def test_any_run_blames_one_module_at_most(
    steps: list[Step], outcomes: str, bodies: dict[int, tuple[int, object]]
) -> None:
    """Whatever the steps are and whatever became of them."""
    flow = flow_of(steps)
    run = flow_run(flow, START, outcomes, bodies=bodies)
    check(flow, run)
    again = observation_from_json(json.loads(json.dumps(observation_to_json(run))))
    assert again == run
    assert judge_run(again, flow) == judge_run(run, flow)


@given(_steps, st.none() | st.lists(step_runs("purchase", "here"), max_size=6).map(tuple), st.none() | st.just("x"))
def test_any_facts_are_judged(steps: list[Step], runs: tuple[StepRun, ...] | None, code: str | None) -> None:
    """Facts that fit no step, steps without facts, codes that nobody knows."""
    flow = flow_of(steps)
    named = runs and tuple(
        replace(one, name=steps[index].name if index < len(steps) else one.name) for index, one in enumerate(runs)
    )
    failure = None if code is None else Failure(code)
    run = Observation(START, "checkout", "purchase", "here", START, 1.0, failure=failure, steps=named)
    check(flow, run)


# -- extra runs --------------------------------------------------------------------------------------------------------


def asked(board: Board, event: object, seconds: float) -> tuple[Board, list[tuple[str, str, str, float]]]:
    """The board after an event, and what is to be run once more: (module, probe, place, after how long)."""
    board, effects = step(board, event, START + timedelta(seconds=seconds))  # type: ignore[arg-type]
    return board, [(e.module, e.probe, e.location, round(e.after, 1)) for e in effects if isinstance(e, Ask)]


def test_a_flow_in_doubt_runs_once_a_minute() -> None:
    """Not every five seconds, whichever of its modules is in doubt; and not for ever."""
    flow = flow_of(interval=900)
    board = Board(world(flow))
    asks: list[float] = []
    now = 0.0
    for outcomes in ("++++", "+-", "++++", "++++", "++++", "++++"):
        board, again = asked(board, Observed(flow_run(flow, START + timedelta(seconds=now), outcomes)), now + 1)
        assert all(one[:3] == ("checkout", "purchase", "here") for one in again)
        assert len(again) <= 1
        asks += [one[3] for one in again]
        now += 61
    assert asks == [60.0, 60.0, 60.0]


def test_every_place_runs_once_when_one_is_in_doubt() -> None:
    """At once where the last run is long ago; nowhere twice in a minute."""
    places = ("x", "y", "z")
    flow = flow_of(interval=900, places=places)
    board = Board(replace(world(flow), locations={place: place for place in places}))
    for place, seconds in (("x", 0), ("y", 250), ("z", 560)):
        good = flow_run(flow, START + timedelta(seconds=seconds), "++++", place)
        board, again = asked(board, Observed(good), seconds + 1)
        assert again == []
    board, again = asked(board, Observed(flow_run(flow, START + timedelta(seconds=600), "+-", "x")), 601)
    assert [one[2:] for one in again] == [("x", 60.0), ("y", 0.3), ("z", 19.3)]
    bad = flow_run(flow, START + timedelta(seconds=601.3), "+-", "y")
    assert asked(board, Observed(bad), 602)[1] == [("checkout", "purchase", "y", 60.0)]


def test_a_flow_that_runs_as_often_by_itself_has_no_extra_runs() -> None:
    """Its own are soon enough."""
    flow = flow_of(interval=60)
    assert asked(Board(world(flow)), Observed(flow_run(flow, START, "+-")), 1)[1] == []


def test_waiting_for_a_flow_raises_no_doubt() -> None:
    """It has many questions to ask."""
    flow = flow_of(interval=900, places=("x", "y"))
    board = Board(replace(world(flow), locations={"x": "x", "y": "y"}))
    assert asked(board, Lagging("checkout", "purchase", "x"), 3)[1] == []


def test_a_refusal_holds_the_whole_flow() -> None:
    """Whoever refused any of its steps wants to be left alone."""
    flow = flow_of()
    run = flow_run(flow, START, "+b")
    http = Http(429, {"retry-after": "120"})
    steps = tuple(replace(one, seen=one.seen and replace(one.seen, http=http)) for one in (run.steps or ())[1:2])
    run = replace(run, http=http, steps=((run.steps or ())[0], *steps))
    _, effects = step(Board(world(flow)), Observed(run), START + timedelta(seconds=1))
    assert [(one.module, one.probe) for one in effects if isinstance(one, Hold)] == [("checkout", "purchase")]


def test_what_is_kept_is_what_the_whole_says() -> None:
    """The run of the flow failed, though its module has nothing to do with it."""
    flow = flow_of()
    board, effects = step(Board(world(flow)), Observed(flow_run(flow, START, "+-")), START + timedelta(seconds=1))
    [kept] = [one for one in effects if isinstance(one, Keep)]
    assert (kept.result.outcome, kept.result.code) == (F, "http.503")
    last = board.tracks["checkout", "purchase", "here"].last
    assert last is not None
    assert last.outcome is U


def test_other_probes_have_no_steps() -> None:
    """An http probe is judged as ever."""
    one = module("catalog")
    seen = observation("catalog", START, "-")
    assert judge_run(seen, one.probes[0]).code == "http.503"
    assert Module("x", {}).probes == ()
