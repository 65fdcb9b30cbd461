"""Selfcheck: how well the monitor itself sees, for everybody who shows it: page, both APIs, metrics."""

from dataclasses import dataclass
from datetime import datetime

from monitor.core.board import Board
from monitor.core.codes import Blame
from monitor.core.vantage import skew

# What of our own may not work, the worst first: what is lost, what is not asked, what is late, who is not told.
TROUBLES = ("self.storage", "self.resources", "self.stall", "self.connectivity", "self.unheard")
# Figures by which we see whether we are well.
SIGNS = (
    *("loop_lag", "loop_lost", "schedule_behind", "events_waiting"),
    *("steps_unwritten", "store_write", "publication", "outbox", "heartbeats"),
)
SHARE = 0.5  # of the newest runs that end in trouble of our own before we say that something is wrong with us


@dataclass(frozen=True, slots=True)
class Sign:
    """One of these figures, and what is wrong (a `self.*` code) while it is past its limit.

    `unit` is `seconds`, `share` or `count`.
    """

    name: str
    value: float
    limit: float
    code: str
    unit: str = "seconds"

    @property
    def is_past(self) -> bool:
        """Whether something is wrong."""
        return self.value > self.limit


def self_check(board: Board, gap_code: str | None = None) -> tuple[str, datetime | None, str | None]:
    """(status, since, code): `blind` when no place sees, `degraded` when some do not, or something of our own does not
    work, else `ok`. `gap_code` is why nothing is seen, where that is known."""
    places = {key[2] for key in board.tracks} or set(board.platform.locations)
    unheard = {place: v.stale_since for place, v in board.vantages.items() if v.stale_since is not None}
    blind = unheard | {place: v.blind_since for place, v in board.vantages.items() if v.blind_since is not None}
    if blind:
        seen = places - blind.keys()
        code = "self.unheard" if unheard.keys() == blind.keys() else "self.connectivity"
        return "degraded" if seen else "blind", min(blind.values()), gap_code or code
    if board.ailing:
        code = min(board.ailing, key=lambda code: TROUBLES.index(code) if code in TROUBLES else len(TROUBLES))
        return "degraded", board.ailing[code], code
    if any(skew(place) is not None for place in board.vantages.values()):
        return "degraded", None, "self.clock"
    newest = [track.last for track in board.tracks.values() if track.last is not None]
    own = [last.code for last in newest if last.blame is Blame.SELF and last.code != "self.unsupported"]
    if own and len(own) >= SHARE * len(newest):
        return "degraded", None, max(sorted({c for c in own if c}), key=own.count)
    return "ok", None, None
