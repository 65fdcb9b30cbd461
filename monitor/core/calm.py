"""Calm: a good run of a probe about which all is well, by far the most frequent case, taken the shortest way.

Nothing moves then but the track of the probe, and nothing is decided. `step` comes to the same on the long way: this is
what is left of it. `tests/core/test_calm.py` takes both ways and compares.
"""

from datetime import datetime
from operator import attrgetter

from monitor.core import vantage
from monitor.core.board import Board
from monitor.core.expectation import Outcome, Result
from monitor.core.marks import BACKEND
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.track import learned_well

# What is held against a probe, what was until just now, and what a run would be compared with: empty, all of them.
_HELD = attrgetter(
    *("score", "slow_score", "partial_score", "blocked_score", "bad_since", "slow_since", "partial_since"),
    *("value", "baselines", "usual", "usual_slow", "undo"),
)


def learned(
    board: Board,
    probe: Probe,
    observation: Observation,
    result: Result,
    runs: tuple[datetime, ...],
    now: datetime,
) -> Board | None:
    """The board after a run that is in time and says something of its own probe only; None where there is more to it.

    `runs` are the scheduled times that the track is to remember.
    """
    if result.outcome is not Outcome.PASSED or result.edge_only or len(probe.locations) > 1:
        return None
    condition = board.probes.get(probe.key)
    key = (*probe.key, observation.location)
    track = board.tracks.get(key)
    if condition is None or condition.status is not Status.UP or track is None or any(_HELD(track)):
        return None  # nor has a probe a condition that is evidence only
    if _compares(probe):
        return None
    if now - observation.ended_at > board.platform.tuning.fresh_for(probe):
        return None
    place = board.vantages.get(observation.location)
    if place is not None and (place.blind_since or vantage.is_hidden(place, observation, now)):
        return None
    if _is_new(board, probe, observation):
        return None
    private = vantage.is_aside(observation, track)
    track = learned_well(track, observation, result, probe.interval, runs=runs, private=private)
    return board.with_track(key, track)


def _compares(probe: Probe) -> bool:
    """Whether runs are compared with the ones before them."""
    expect = probe.expect
    if expect.fresh is not None:
        return True
    return any(clause.operator == "baseline" for _, clauses in expect.json for clause in clauses)


def _is_new(board: Board, probe: Probe, observation: Observation) -> bool:
    """Whether the answer names another version of its application than the last one."""
    name = observation.http.headers.get(BACKEND) if observation.http else None
    known = board.versions.get(probe.key)
    return name is not None and (known is None or known.name != name)
