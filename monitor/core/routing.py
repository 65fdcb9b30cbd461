"""Routing: when 404 is evidence after all.

An address that is not there says something of our request, not of a module. But where most of what answered until now
is gone at the same time, and no application says so, it is whoever leads requests to the modules that lost the way.
"""

from datetime import datetime

from monitor.core.anew import replace
from monitor.core.board import Board
from monitor.core.expectation import Result
from monitor.core.marks import BACKEND
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.track import GONE

LEAST = 4  # modules that must be gone together


def is_lost(board: Board, probe: Probe, observation: Observation, result: Result) -> bool:
    """Whether this answer is one of many that cannot find what they found before."""
    if result.code not in GONE or observation.http is None or BACKEND in observation.http.headers:
        return False
    gone = len(board.gone) + (probe.module not in board.gone)
    return gone >= max(LEAST, len(board.platform.graph.measured) // 2 + 1) and _was_well(board, probe)


def forgotten(board: Board, now: datetime) -> Board:
    """The board without what was gone too long ago to tell of now."""
    if not board.gone:
        return board
    fresh = {
        module: left
        for module, which in board.gone.items()
        if (left := frozenset(one for one in which if _is_fresh(board, (module, *one), now)))
    }
    return board if fresh == board.gone else replace(board, gone=fresh)


def _is_fresh(board: Board, key: tuple[str, str, str], now: datetime) -> bool:
    probe, track = board.platform.probes.get(key[:2]), board.tracks.get(key)
    if probe is None or track is None or track.last_at is None:
        return False
    return now - track.last_at <= board.platform.tuning.fresh_for(probe)


def _was_well(board: Board, probe: Probe) -> bool:
    return any(track.good_address is not None for track in board.tracks_of(*probe.key).values())
