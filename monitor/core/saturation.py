"""Saturation: when being refused is evidence after all.

A limit or a wall says something of our address, not of a module. But where several places are refused at the same time
and what needs the module fails as well, it is the module that cannot take any more.
"""

from datetime import datetime

from monitor.core.board import Board
from monitor.core.module import Status
from monitor.core.probe import Probe
from monitor.core.track import is_bad

PLACES = 2  # failure domains that must be refused


def is_saturated(board: Board, probe: Probe, now: datetime) -> bool:
    """Whether several places are refused by a probe's target now, and something that needs its module fails."""
    fresh = board.platform.tuning.fresh_for(probe)
    refused = {
        board.domain_of(place)
        for place, track in board.tracks_of(*probe.key).items()
        if track.last_blocked_at is not None
        and now - track.last_blocked_at <= fresh
        and (track.good_since is None or track.good_since <= track.last_blocked_at)
    }
    looking = {board.domain_of(place) for place in probe.locations}
    return len(refused) >= max(PLACES, len(looking) // 2 + 1) and _dependant_fails(board, probe.module)


def _dependant_fails(board: Board, module: str) -> bool:
    needing = set(board.platform.graph.dependants(module))
    if any(board.status(id) in (Status.DOWN, Status.DEGRADED) for id in needing):
        return True
    return any(
        key[0] in needing and (track := board.tracks[key]).last is not None and is_bad(track.last) and track.score
        for key in board.restless
    )
