"""Reprobe: extra runs. Soon and often during a suspicion, from every place at once; every ten seconds while down.

They take the place of retries inside a run, and keep to a budget: 60 a minute and a tenth of the scheduled load. What
fails now and then is asked as often as what is down, until it is seen to have stopped.
A flow leaves a cart behind with each run: while it is in doubt it runs once a minute at each place, no more.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf

from monitor.core.board import Board, Budget, Condition
from monitor.core.detector import Panel, fails_still, proven_at
from monitor.core.effect import Ask, Effect
from monitor.core.module import Status
from monitor.core.probe import Probe
from monitor.core.track import Track
from monitor.core.tuning import Tuning

SUSPICIONS_FIRST = 0.5  # share of the budget that is kept for suspicions
BEGUN_FIRST = 0.25  # … and for those of them that will soon be settled: the less, the less of the span is left
FLOW_PATIENCE = 5  # pauses for which a flow in doubt is run again: three good runs clear it


def reprobe(board: Board, probe: Probe, location: str, now: datetime) -> tuple[Board, list[Effect]]:
    """The extra runs that follow from a run at a location, at most one pending for each place."""
    if not probe.extra_runs:
        return board, []
    tuning = board.platform.tuning
    status = board.probes.get(probe.key, Condition(Status.UNKNOWN, now)).status
    if status is not Status.DOWN and not any((*probe.key, place) in board.restless for place in probe.locations):
        return board, []
    tracks = board.tracks_of(*probe.key)
    began = [track.bad_since for track in tracks.values() if track.score and track.bad_since is not None]
    if flow := _flow_of(board, probe):
        unsettled = status in (Status.DOWN, Status.UNKNOWN)  # it was failing when the flow no longer reached it
        doubtful = unsettled or (began and now - min(began) <= FLOW_PATIENCE * tuning.flow_pause)
        return _run_again(board, flow, location, now) if doubtful else (board, [])
    doubtful = status is not Status.DOWN and began and now - min(began) <= tuning.patience
    lasting = status is Status.DOWN or (status is Status.DEGRADED and fails_still(probe, tracks.values()))
    if not (doubtful or lasting):
        return board, []
    asked: tuple[str, str] = probe.ask if probe.kind == "verdict" else probe.key
    effects: list[Effect] = []
    for place in probe.locations:
        track = tracks.get(place, Track())
        if _is_pending(board, track, now):
            continue
        wait: timedelta | None = None
        if not doubtful:
            if place == location and probe.interval > tuning.down_interval:
                board, allowed = _spend(board, now, SUSPICIONS_FIRST)
                wait = tuning.down_interval if allowed else None
        else:
            needed = (proven_at(probe, tracks, _panel(board, probe), tuning) or now) - now
            left = min(1.0, max(0.0, needed / max(now - min(began) + needed, tuning.first_reprobe)))
            board, allowed = _spend(board, now, BEGUN_FIRST * left)
            wait = _pause(track, min(began), needed, tuning) if allowed else None
        if wait is not None:
            board = board.with_track((*probe.key, place), replace(track, reprobe_at=now + wait))
            effects.append(Ask(*asked, place, after=wait.total_seconds()))
    return board, effects


def _flow_of(board: Board, probe: Probe) -> Probe | None:
    """The flow that a probe is, or is read from."""
    asked = board.platform.probes.get(probe.ask) if probe.kind == "verdict" else probe
    return asked if asked is not None and asked.steps else None


def _run_again(board: Board, flow: Probe, location: str, now: datetime) -> tuple[Board, list[Effect]]:
    """One more run of a flow at each place that has none before it, a pause after the last one there."""
    tuning = board.platform.tuning
    effects: list[Effect] = []
    for place in flow.locations if flow.interval > tuning.flow_pause else ():
        track = board.tracks.get((*flow.key, place), Track())
        if _is_pending(board, track, now):
            continue
        board, allowed = _spend(board, now)
        if allowed:
            rested = now - track.last_at if track.last_at is not None and place != location else timedelta(0)
            wait = min(max(tuning.first_reprobe, tuning.flow_pause - rested), tuning.flow_pause)
            board = board.with_track((*flow.key, place), replace(track, reprobe_at=now + wait))
            effects.append(Ask(*flow.key, place, after=wait.total_seconds()))
    return board, effects


def doubt(board: Board, probe: Probe, location: str, now: datetime) -> tuple[Board, list[Effect]]:
    """The runs that the other places are asked for while one is still waiting for its answer; none once all know."""
    if not probe.extra_runs or any((*probe.key, place) in board.restless for place in probe.locations):
        return board, []
    effects: list[Effect] = []
    for place in probe.locations:
        track = board.tracks.get((*probe.key, place), Track())
        if place == location or _is_pending(board, track, now):
            continue
        board, allowed = _spend(board, now)
        if allowed:
            wait = board.platform.tuning.first_reprobe
            board = board.with_track((*probe.key, place), replace(track, reprobe_at=now + wait))
            effects.append(Ask(*probe.key, place, after=wait.total_seconds()))
    return board, effects


def _is_pending(board: Board, track: Track, now: datetime) -> bool:
    tuning = board.platform.tuning
    longest = max(tuning.down_interval, tuning.reprobe, tuning.first_reprobe, tuning.flow_pause)
    return track.reprobe_at is not None and timedelta(0) < track.reprobe_at - now <= longest


def _panel(board: Board, probe: Probe) -> Panel:
    return Panel({one: board.domain_of(one) for one in probe.locations})


def _pause(track: Track, began: datetime, needed: timedelta, tuning: Tuning) -> timedelta:
    """How long until the next extra run: soon where none was since it began, else by the span that is still needed."""
    if track.last_at is None or track.last_at <= began:
        return tuning.first_reprobe
    return min(tuning.reprobe, max(tuning.first_reprobe, needed)) if needed > timedelta(0) else tuning.reprobe


def _spend(board: Board, now: datetime, spare: float = 0.0) -> tuple[Board, bool]:
    """Takes a token of the budget for extra runs, if that leaves a share to spare."""
    budget, rate = board.budget, 1.0 + 0.1 * board.platform.load
    elapsed = (now - budget.at).total_seconds() if budget.at else inf
    tokens = min(budget.tokens + max(elapsed, 0.0) * rate, 60.0 * rate)
    allowed = tokens >= 1 + spare * 60.0 * rate
    return replace(board, budget=Budget(tokens - 1 if allowed else tokens, now)), allowed
