"""Surfacing: planned work changes, and failures that it does not excuse any more have their incidents.

What outlasts its work is opened when that ends, dated when it began; what turned into another fault meanwhile begins
now.
"""

from datetime import datetime

from monitor.core import overlay, timeline
from monitor.core.board import Board
from monitor.core.detector import Transition
from monitor.core.effect import Effect, Ordered, Planned, Scheduled
from monitor.core.module import FAILING, Status


def arranged(board: Board, event: Planned | Scheduled | Ordered, now: datetime) -> tuple[Board, list[Effect]]:
    """What a plan, or a person's word about planned work, changes."""
    board, effects = overlay.arranged(board, event, now)
    return surfaced(board, effects, now)


def passed(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """What time changes."""
    board, effects = overlay.passed(board, now)
    return surfaced(board, effects, now)


def surfaced(board: Board, effects: list[Effect], now: datetime) -> tuple[Board, list[Effect]]:
    """Lets go of what is held and is over, and opens what is held and not excused any more."""
    for module in sorted(board.held):
        condition = board.modules.get(module)
        if condition is not None and condition.status is not Status.UP:
            if overlay.is_excused(board, module, condition.since):
                continue
            if condition.status is Status.UNKNOWN and board.agenda.concerning(module):
                continue
        board = overlay.let_go(board, module)
        if condition is not None and condition.status in FAILING:
            since = now if board.agenda.concerning(module) else condition.since
            fails = Transition(module, Status.UP, condition.status, now, since)
            board, saved = timeline.advance(board, fails, now)
            effects = [*effects, *saved]
    return board, effects
