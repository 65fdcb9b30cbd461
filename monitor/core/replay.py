"""Replay: recorded observations judged on a fake clock, by the same steps as while they happened.

The clock reads the end of the newest observation; in between it ticks once a second, as the application does. Ticks in
which nothing can happen are skipped: `is_idle` says when.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.agenda import Plan
from monitor.core.board import Board
from monitor.core.effect import Effect, Observed, Planned, Reconfigured, Ticked
from monitor.core.module import Platform
from monitor.core.observation import CANARY, Observation
from monitor.core.probe import Probe
from monitor.core.step import step

TICK = timedelta(seconds=1)

Beat = tuple[datetime, Board, list[Effect]]


def replay(
    platform: Platform, observations: Iterable[Observation], until: datetime | None = None, plan: Plan = ()
) -> Iterator[Beat]:
    """Every moment at which something was decided: when, the board after it, and the effects of the step.

    `until` is where the clock stops: before the end of the recording, or after it.
    `plan` is the work planned meanwhile.
    """
    board = Board(platform)
    now: datetime | None = None
    for observation in observations:
        end = observation.ended_at
        if until is not None and max(now or end, end) > until:
            break
        if now is None:
            now = end
            for event in (Reconfigured(platform), Planned(plan)):
                board, effects = step(board, event, now)
                yield now, board, effects
        for beat in _ticks(board, now, end):
            now, board, _ = beat
            yield beat
        now = max(now, end)
        board, effects = step(board, Observed(observation), now)
        yield now, board, effects
    if now is None or until is None:
        return
    for beat in _ticks(board, now, min(until, now + _still_after(platform))):
        now, board, _ = beat
        yield beat
    while board.turn_at is not None and (at := max(board.turn_at, now + TICK)) <= until:  # reminders, steps and digests
        now = at
        board, effects = step(board, Ticked(), now)
        yield now, board, effects


def _still_after(platform: Platform) -> timedelta:
    """How long after the last observation time alone can change anything: until everything is unknown, and a while."""
    tuning = platform.tuning
    longest = (tuning.fresh_for(probe) for probe in platform.judged.values())
    return max(longest, default=timedelta(0)) + 2 * tuning.reopen


def _ticks(board: Board, now: datetime, until: datetime) -> Iterator[Beat]:
    """The ticks after a moment, up to another one."""
    at = now
    while True:
        at += TICK
        next_at = min(filter(None, (board.stale_at, board.agenda.due_at, board.turn_at)), default=at)
        if is_idle(board) and board.stale_at is not None and next_at > at:
            at += TICK * ((next_at - at) // TICK)
        if at > until:
            return
        board, effects = step(board, Ticked(), at)
        yield at, board, effects


def is_idle(board: Board) -> bool:
    """Whether a tick before `stale_at`, and before planned work moves on, leaves the board as it is: nothing is held
    against anybody, nothing is open."""
    return not (
        board.restless
        or board.regional
        or any(place.blind_since for place in board.vantages.values())
        or any(incident.is_open for incident in board.incidents.values())
    )


def fitted(platform: Platform, observations: Sequence[Observation]) -> Platform:
    """The platform as a recording needs it: one without canaries has none, and what was recorded was asked there."""
    seen: dict[tuple[str, str], set[str]] = {}
    for one in observations:
        seen.setdefault((one.module or "", one.probe), set()).add(one.location)
    canaries = {one.address for one in observations if one.module is None and one.probe == CANARY}

    def placed(probe: Probe) -> Probe:
        places = seen.get(probe.key)
        if places is None:
            return probe
        more = sorted(places - set(probe.locations))
        return replace(probe, locations=(*probe.locations, *more), off=None)

    modules = {id: replace(module, probes=tuple(map(placed, module.probes))) for id, module in platform.modules.items()}
    return replace(platform, modules=modules, canaries=len(canaries))
