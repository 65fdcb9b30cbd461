"""Heartbeat: a module calls us, and its silence is the failure.

When it last called lies on the board. Silence counts from that call on; where nobody listened for a while, because the
monitor was not running, slept or saw nothing, it counts from the moment somebody listens again: the module may have
called in vain. What was settled as down before stays overdue.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Board, Call
from monitor.core.effect import Ask, Effect, Heard
from monitor.core.expectation import Outcome
from monitor.core.module import Platform, Status
from monitor.core.probe import Probe
from monitor.core.track import Track

HEARTBEAT = "heartbeat"  # the kind of probe
CALLED_AT = "called_at"  # what an observation of it holds: when the module called last,
LISTENING_SINCE = "listening_since"  # … and from when on a call would have been heard

GRAIN = timedelta(seconds=1)  # to which calls are told apart: of a hundred in a second one is remembered

Key = tuple[str, str]  # module, probe


def is_heard(probe: Probe | None) -> bool:
    """Whether calls of a probe are taken."""
    return probe is not None and probe.kind == HEARTBEAT and probe.off is None


def call(board: Board, key: Key, now: datetime) -> tuple[Board, list[Effect]]:
    """A module called: that is remembered, and looked at at once unless all was well."""
    probe, before = board.platform.probes.get(key), board.calls.get(key)
    if probe is None or not is_heard(probe):
        return board, []
    if before is not None and timedelta(0) <= now - before.at < GRAIN:
        return board, []
    board = replace(board, calls={**board.calls, key: Call(now, now)})
    effects: list[Effect] = [Heard(*key, now)]
    for location in probe.locations:
        last = board.tracks.get((*key, location), Track()).last
        if last is None or last.outcome is not Outcome.PASSED:
            effects.append(Ask(*key, location, after=0.0))
    return board, effects


def listening_again(board: Board, now: datetime, location: str | None = None) -> Board:
    """The board once calls are heard again, at one place or all: silence until now says nothing new."""
    if not board.calls:
        return board
    here = (key for key in board.calls if location is None or location in board.platform.probes[key].locations)
    return replace(board, calls={**board.calls, **{key: _again(board, key, now) for key in here}})


def _again(board: Board, key: Key, now: datetime) -> Call:
    known, condition = board.calls[key], board.probes.get(key)
    if condition is not None and condition.status is Status.DOWN:
        return known
    return Call(min(known.at, now), now)  # a clock that was set back must not hold a module well for ever


def of_platform(platform: Platform, calls: Mapping[Key, Call]) -> dict[Key, Call]:
    """The calls of heartbeats that are configured, those that are off included: they may come back."""
    return {key: one for key, one in calls.items() if (p := platform.probes.get(key)) and p.kind == HEARTBEAT}


def reconfigured(board: Board, platform: Platform, now: datetime) -> tuple[dict[Key, Call], list[Effect]]:
    """The calls under another platform. One whose calls were not taken until now, or are measured otherwise from now
    on, is listened to again; one that is gone is forgotten."""
    kept = of_platform(platform, board.calls)
    for key in kept:
        before, after = board.platform.probes.get(key), platform.probes[key]
        if before is None or before.off is not None or before.expect.fresh != after.expect.fresh:
            kept[key] = _again(board, key, now)
    return kept, [Heard(*key, None) for key in board.calls if key not in kept]
