"""Selfcheck: how well the monitor itself sees, for everybody who shows it: page, both APIs, metrics."""

from datetime import datetime

from monitor.core.board import Board
from monitor.core.codes import Blame
from monitor.core.vantage import skew

SHARE = 0.5  # of the newest runs that end in trouble of our own before we say that something is wrong with us


def self_check(board: Board, gap_code: str | None = None) -> tuple[str, datetime | None, str | None]:
    """(status, since, code): `blind` when no place sees, `degraded` when some do not, or something of our own does not
    work, else `ok`. `gap_code` is why nothing is seen, where that is known."""
    places = {key[2] for key in board.tracks} or set(board.platform.locations)
    blind = {place: v.blind_since for place, v in board.vantages.items() if v.blind_since is not None}
    if blind:
        seen = places - blind.keys()
        return "degraded" if seen else "blind", min(blind.values()), gap_code or "self.connectivity"
    if board.ailing is not None:
        code, since = board.ailing
        return "degraded", since, code
    if any(skew(place) is not None for place in board.vantages.values()):
        return "degraded", None, "self.clock"
    newest = [track.last for track in board.tracks.values() if track.last is not None]
    own = [last.code for last in newest if last.blame is Blame.SELF and last.code != "self.unsupported"]
    if own and len(own) >= SHARE * len(newest):
        return "degraded", None, max(sorted({c for c in own if c}), key=own.count)
    return "ok", None, None
