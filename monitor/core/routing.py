"""Routing: when 404 is evidence after all.

An address that is not there says something of our request, not of a module. But where most of what answered until now
is gone at the same time, and no application says so, it is whoever leads requests to the modules that lost the way.
"""

from datetime import datetime

from monitor.core.board import Board
from monitor.core.expectation import Result
from monitor.core.marks import BACKEND
from monitor.core.observation import Observation
from monitor.core.probe import Probe

GONE = ("http.404", "http.410")
LEAST = 4  # modules that must be gone together


def is_lost(board: Board, probe: Probe, observation: Observation, result: Result, now: datetime) -> bool:
    """Whether this answer is one of many that cannot find what they found before."""
    if result.code not in GONE or observation.http is None or BACKEND in observation.http.headers:
        return False
    gone = {key[0] for key, track in board.tracks.items() if _is_gone(board, key, track.last, track.last_at, now)}
    gone.add(probe.module)
    return len(gone) >= max(LEAST, len(board.platform.graph.measured) // 2 + 1) and _was_well(board, probe)


def _is_gone(
    board: Board, key: tuple[str, str, str], last: Result | None, last_at: datetime | None, now: datetime
) -> bool:
    probe = board.platform.probes.get(key[:2])
    if probe is None or last is None or last_at is None or last.code not in GONE:
        return False
    return now - last_at <= board.platform.tuning.fresh_for(probe) and _was_well(board, probe)


def _was_well(board: Board, probe: Probe) -> bool:
    return any(track.good_address is not None for track in board.tracks_of(*probe.key).values())
