"""Flows for stories: one outcome letter for each step, as `beats` has them; a blank is a step that was not run."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.expectation import Expect
from monitor.core.module import Module
from monitor.core.observation import Http, Observation, StepRun
from monitor.core.probe import Probe, Step
from tests.stories.beats import observation

STEPS = (("session", "Begin"), ("catalog", "Categories"), ("checkout", "Cart"), ("checkout", "Add item"))
BACKEND = "x-vtex-janus-router-backend-app"


def flow_of(
    steps: Sequence[tuple[str, str] | Step] = STEPS,
    module: str = "checkout",
    interval: float = 60,
    places: tuple[str, ...] = ("here",),
    slow_after: float | None = None,
) -> Probe:
    """A flow of these (module, name); each step is slow after half a second."""
    each = Expect(slow_after=timedelta(seconds=0.5))
    return Probe(
        module,
        "purchase",
        "flow",
        timedelta(seconds=interval),
        timedelta(seconds=20),
        locations=places,
        expect=Expect(slow_after=None if slow_after is None else timedelta(seconds=slow_after)),
        steps=tuple(one if isinstance(one, Step) else Step(*one, expect=each) for one in steps),
        instance="https://shop.example/",
    )


def bare(id: str, *needs: str) -> Module:
    """A module that nothing measures but the steps of flows."""
    from tests.stories.beats import module

    return replace(module(id, *needs), probes=())


def flow_run(
    flow: Probe,
    at: datetime,
    outcomes: str,
    place: str = "here",
    bodies: Mapping[int, tuple[int, object]] | None = None,
) -> Observation:
    """One run: an outcome for each step. `bodies` are answers by number of the step: (status, document)."""
    ran: list[StepRun] = []
    for index, step in enumerate(flow.steps):
        outcome = outcomes[index] if index < len(outcomes) else " "
        seen = None
        if outcome != " ":
            began = at + timedelta(seconds=0.1 * index)
            seen = observation(step.module, began, outcome, place, f"8.8.8.{index}:443", flow.id)
            if bodies and index in bodies:
                status, body = bodies[index]
                http = Http(status, {BACKEND: f"{step.module}-v1.0.0"}, bytes=9, excerpt=json.dumps(body))
                seen = replace(seen, http=http)
        ran.append(StepRun(step.module, step.name, seen))
    told = [one.seen for one in ran if one.seen is not None]
    last = told[-1] if told else None
    return Observation(
        at=at,
        module=flow.module,
        probe=flow.id,
        location=place,
        scheduled_at=at,
        duration=round(sum(one.duration for one in told), 6),
        address=last.address if last else None,
        failure=last.failure if last else None,
        http=last.http if last else None,
        steps=tuple(ran),
    )
