"""Stale: a place whose agent nothing is heard of any more. It says nothing, neither good nor bad, until it is again.

The other places decide without it; what only it could see is unknown. What it brings once it is back tells of the time
in which it was away: it is kept and drawn, and nothing is decided by it, so no trouble that is over begins.
"""

from datetime import datetime, timedelta

from monitor.core.anew import replace
from monitor.core.board import Board, Vantage
from monitor.core.effect import Effect, Gap, Remember, Stale
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.settling import resettle
from monitor.core.track import Track, is_notable, outdated, silenced
from monitor.core.vantage import ANSWERED_BY

UNHEARD = "self.unheard"  # the code of the gap


def turned(board: Board, event: Stale, now: datetime) -> tuple[Board, list[Effect]]:
    """A place falls silent, or is heard of again. No run of good or bad answers reaches across the time between."""
    place = board.vantages.get(event.location, Vantage())
    since = place.stale_since
    if event.over:
        if since is None:
            return board, []
        back = replace(place, stale_since=None, returned_at=now)
        return replace(board, vantages={**board.vantages, event.location: back}), [
            Gap(event.location, since, max(since, now), UNHEARD)
        ]
    if since is not None:
        return board, []
    since = min(event.since, now)
    board = replace(board, vantages={**board.vantages, event.location: replace(place, stale_since=since)})
    tracks = {key: outdated(silenced(track)) for key, track in board.tracks.items() if key[2] == event.location}
    board = board.with_tracks(tracks)
    effects: list[Effect] = [Gap(event.location, since, code=UNHEARD)]
    effects += [Remember(*key, track) for key, track in tracks.items() if is_notable(track)]
    seen = [probe for probe in board.platform.judged.values() if event.location in probe.locations]
    board, news = resettle(board, [one for one in seen if one.off is None and one.role is Role.VERDICT], now)
    return board, effects + news


def came_late(board: Board, probe: Probe, observation: Observation, before: Track, now: datetime) -> bool | None:
    """Whether a run that an agent brought is too old to say anything of now, or from a time in which nothing was heard
    of its place; None when it is neither. False: it was brought before."""
    if observation.scheduled_at in before.runs:
        return False
    if now - observation.ended_at > 2 * probe.interval + probe.timeout:
        return True
    place = board.vantages.get(observation.location)
    if place is None:
        return None
    returned = place.returned_at
    away = place.stale_since is not None or (returned is not None and observation.at < returned <= now)
    return True if away else None


def is_of_now(observation: Observation, now: datetime) -> bool:
    """Whether a canary's answer that an agent brought still says whether its place can see."""
    return -timedelta(seconds=5) <= now - observation.ended_at <= ANSWERED_BY
