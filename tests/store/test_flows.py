"""What is stored of a flow: the facts of each step, and no latency of its module."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.effect import Keep
from monitor.core.flow import judge_run
from monitor.core.observation import Observation, StepRun
from monitor.store.batch import batch_of
from monitor.store.rows import observation_of
from tests.stories.beats import START, observation
from tests.stories.flows import flow_of, flow_run


def stored(outcomes: str) -> tuple[Observation, Observation]:
    """A run, and what a store gives back of it."""
    flow = flow_of()
    run = flow_run(flow, START, outcomes, bodies={index: (200, {"ok": index}) for index in (0, 1)})
    [row] = [one.row for one in batch_of([Keep(run, judge_run(run, flow))]).runs]
    return run, observation_of(row)[0]


def test_the_facts_of_every_step_come_back() -> None:
    """Of a run that failed with every body: the reason may stand in an answer before."""
    run, back = stored("+++-")
    assert back == run


def test_bodies_of_a_run_that_passed_are_not_kept() -> None:
    """Nobody will ask why it passed."""
    _, back = stored("++++")
    assert all(one.seen and one.seen.http and one.seen.http.excerpt is None for one in back.steps or ())
    run, _ = stored("++++")
    assert back.steps == tuple(
        StepRun(s.module, s.name, s.seen and s.seen.http and replace(s.seen, http=replace(s.seen.http, excerpt=None)))
        for s in run.steps or ()
    )


def test_how_long_a_flow_takes_is_no_latency() -> None:
    """Other runs are; of a flow neither a good one nor a bad one enters the figures."""
    flow = flow_of()
    for outcomes in ("++++", "+-"):
        run = flow_run(flow, START, outcomes)
        assert [one.counts for one in batch_of([Keep(run, judge_run(run, flow))]).runs] == [False]
    plain = observation("catalog", START + timedelta(seconds=1), "+")
    assert [one.counts for one in batch_of([Keep(plain, judge_run(plain, replace(flow, steps=())))]).runs] == [True]
