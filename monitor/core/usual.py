"""Usual: what one run cannot tell by itself, because it takes the runs before it.

A value that should change and stands still, a value that should stay and leaves its baseline, and how long a run
usually takes, so that a place which is always a little slow is not called slow.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from hashlib import blake2b
from math import exp
from typing import Any

from monitor.core.anew import replace
from monitor.core.clause import Clause, is_near, shown
from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result, is_slow
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.track import Baseline, Level, Track

AGREE = 20  # runs in a row with the same value make a baseline
ADOPT = timedelta(days=1)  # so long another value has to last before it is the usual one: somebody meant it
LARGEST = 2000  # characters of a value as JSON; of a larger one only a digest is remembered
HOUR = timedelta(hours=1)
FORGET = 0.1  # of the usual time is forgotten in an hour


def watched(track: Track, observation: Observation, probe: Probe, result: Result) -> tuple[Track, Result]:
    """The track with what this run adds to what is usual, and the result that follows from it."""
    if result.outcome not in (Outcome.PASSED, Outcome.SLOW) or result.edge_only:
        return track, result
    track = _timed(track, observation, probe, is_slow(result))
    track, still = _still(track, observation, probe)
    track, off = _off(track, observation, probe)
    reasons = (*still, *off)
    return track, Result(Outcome.FAILED, "content.stale", Blame.TARGET, reasons) if reasons else result


def _still(track: Track, observation: Observation, probe: Probe) -> tuple[Track, tuple[str, ...]]:
    """What must change (`advances_within`), and for how long it has not. It is compared whole, and remembered as a
    digest."""
    fresh = probe.expect.fresh
    if fresh is None or fresh.within is None:
        return track, ()
    seen = observation.values.get(fresh.value)
    value = _digest(seen)
    if value != track.value or track.value_since is None or track.value_since > observation.at:
        return replace(track, value=value, value_since=observation.at), ()
    still = observation.at - track.value_since
    if still <= fresh.within:
        return track, ()
    limit = fresh.within.total_seconds()
    return track, (
        f"{fresh.value}: {shown(seen)} for {still.total_seconds():.0f} s, expected to change within {limit:.0f} s",
    )


# -- values that should stay what they are ----------------------------------------------------------------------------


def _off(track: Track, observation: Observation, probe: Probe) -> tuple[Track, tuple[str, ...]]:
    """Every value that is not what it usually is. An answer that holds nothing there says nothing about it."""
    known = {baseline.path: baseline for baseline in track.baselines}
    after, reasons = [], []
    for path, clause in _baselines(probe):
        baseline, seen = known.get(path, Baseline(path)), observation.values.get(path)
        if seen is not None:
            value = seen if len(_text(seen)) <= LARGEST else _digest(seen)
            baseline, met = _compared(baseline, value, clause.operand, observation)
            if not met and baseline.usual is not None:
                usual = shown(baseline.usual.value)
                reasons.append(f"{path}: {shown(value)}, usually {usual} within {100 * clause.operand:g} %")
        after.append(baseline)
    if tuple(after) != track.baselines:
        track = replace(track, baselines=tuple(after))
    return track, tuple(reasons)


def _baselines(probe: Probe) -> Iterator[tuple[str, Clause]]:
    for path, clauses in probe.expect.json:
        for clause in clauses:
            if clause.operator == "baseline":
                yield path, clause


def _compared(baseline: Baseline, value: Any, tolerance: float, observation: Observation) -> tuple[Baseline, bool]:
    """A baseline after one more value, and whether that is the usual one; nothing is unusual before there is one."""
    usual, other = baseline.usual, baseline.other
    if usual is not None and is_near(value, usual.value, tolerance):
        return replace(baseline, other=None), True
    if other is None or not is_near(value, other.value, tolerance) or other.since > observation.at:
        other = Level(value, observation.at)
    elif usual is None:
        other = replace(other, runs=other.runs + 1)
    if other.runs >= AGREE or (usual is not None and observation.at - other.since >= ADOPT):
        return replace(baseline, usual=other, other=None), True
    return replace(baseline, other=other), usual is None


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _digest(value: Any) -> str:
    return blake2b(_text(value).encode("utf-8", "replace"), digest_size=12).hexdigest()


# -- how long a run takes ---------------------------------------------------------------------------------------------


def _timed(track: Track, observation: Observation, probe: Probe, slow: bool) -> Track:
    """The 99th percentile of the last hours, of runs that are slower than `slow_after`; below, nobody asks for it.

    Each run that takes longer raises it, each other one lowers it; where one in a hundred does, it rests. What is slow
    counts once the suspicion it raised has passed without a verdict, or has lasted an hour: a place that is always
    slower than the rest, and no trouble.
    """
    if not (track.usual or track.usual_slow or slow):
        return track
    limit = probe.expect.slow_after.total_seconds() if probe.expect.slow_after else 0.0
    fall = FORGET * (probe.interval / HOUR)
    usual, count, slowest = track.usual * exp(-fall), track.usual_slow, track.usual_slowest
    if count and (not track.slow_score or _lasts(track, observation)):
        usual = min(slowest, max(usual, limit) * exp(min(99 * fall * count, 50.0)))
        count, slowest = 0, 0.0
    if slow and observation.duration > track.usual:
        count, slowest = count + 1, max(slowest, observation.duration)
    return replace(track, usual=usual if usual > limit else 0.0, usual_slow=count, usual_slowest=slowest)


def _lasts(track: Track, observation: Observation) -> bool:
    return track.slow_since is not None and observation.at - track.slow_since >= HOUR
