"""Building flows and running them, for tests."""

import json
from datetime import timedelta
from typing import Any

from monitor.core.expectation import Expect, Result
from monitor.core.flow import judge_run
from monitor.core.observation import Observation, observation_from_json, observation_to_json
from monitor.core.probe import Probe, Step
from monitor.core.target import HttpTarget, StepTarget
from monitor.probers import Reach, look

from .misbehaving import Behaviour, Server, answer

LIMIT = 1.0


def step(url: str, module: str = "checkout", expect: Expect | None = None, name: str = "", **more: Any) -> Step:
    """One step. `save` is a mapping; what else a request has goes by its own name."""
    flags = {flag: more.pop(flag) for flag in ("orders", "cleanup", "withheld") if flag in more}
    bodies = {key: more.pop(key) for key in ("json", "form", "body") if key in more}
    save = tuple(more.pop("save", {}).items())
    http = HttpTarget(url, **({"allow_private": True} | more))
    return Step(
        module, name or url.rpartition("/")[2], expect or Expect(), ask=StepTarget(http, save=save, **bodies), **flags
    )


def flow_of(*steps: Step, limit: float = LIMIT, expect: Expect | None = None) -> Probe:
    """A flow of checkout's."""
    return Probe(
        "checkout",
        "purchase",
        "flow",
        timedelta(minutes=15),
        timedelta(seconds=limit),
        expect=expect or Expect(),
        steps=steps,
    )


async def run(reach: Reach, probe: Probe, **options: Any) -> tuple[Observation, Result]:
    """One run and what it says as a whole; read back from its line it says the same."""
    observation = await look(probe, reach, **options)
    result = judge_run(observation, probe)
    again = observation_from_json(json.loads(json.dumps(observation_to_json(observation))))
    assert judge_run(again, probe) == result
    assert len(observation.steps or ()) == len(probe.steps)
    return observation, result


def facts(observation: Observation) -> list[Observation | None]:
    """The facts of each step."""
    return [one.seen for one in observation.steps or ()]


def ran(observation: Observation) -> list[str]:
    """The names of the steps that were run."""
    return [one.name for one in observation.steps or () if one.seen is not None]


def paths(server: Server) -> list[str]:
    """What a server was asked, in order."""
    return [request.split(b" ", 2)[1].decode() for request in server.requests]


def body(server: Server, index: int = -1) -> str:
    """The body of a request."""
    return server.requests[index].partition(b"\r\n\r\n")[2].decode()


def document(value: Any, **more: Any) -> Behaviour:
    """An answer of JSON."""
    return answer(json.dumps(value, ensure_ascii=False).encode(), **more)
