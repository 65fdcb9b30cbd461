"""Promised: the objectives of groups and plans, and how fast their error budgets go. Those of modules follow from their
own figures by rules; the figure of a group is one that no rule can add up.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.budget import Budget
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.objective import Objective, budgets, objectives
from monitor.metrics.exposition import Family, block, encoded, labels, line

WANTED = Family("monitor_objective_ratio", "gauge", "The wanted good time divided by counted time, of a group or plan.")
LEFT = Family(
    "monitor_objective_budget_left_ratio", "gauge", "What is left of 30 days' error budget; below 0 when overspent."
)
BURN = Family(
    "monitor_objective_burn_rate", "gauge", "How many times faster than it may an error budget goes, by window."
)

KEPT = timedelta(seconds=15)  # as long as a publication stands


class Promised:
    """The lines of the page, worked out anew every few seconds and when there is another configuration."""

    def __init__(self) -> None:
        self._made: tuple[Platform, datetime, list[tuple[Objective, Budget]]] | None = None

    def blocks(self, board: Board, history: History, now: datetime, openmetrics: bool) -> bytes:
        """All families."""
        found = self._of(board, history, now)
        texts = {
            WANTED: (_line(WANTED, one, one.ratio) for one, _ in found),
            LEFT: (_line(LEFT, one, each.left_ratio) for one, each in found if each.left_ratio is not None),
            BURN: (
                _line(BURN, one, burn, window)
                for one, each in found
                for window, burn in each.burn.items()
                if burn is not None
            ),
        }
        return b"".join(block(family, openmetrics, lines) for family, lines in texts.items())

    def _of(self, board: Board, history: History, now: datetime) -> Iterable[tuple[Objective, Budget]]:
        made = self._made
        if made is None or made[0] is not board.platform or not made[1] <= now < made[1] + KEPT:
            wanted = [one for one in objectives(board.platform) if one.kind != "module"]
            made = self._made = (board.platform, now, budgets(board, history, now, wanted) if wanted else [])
        return made[2]


def _line(family: Family, one: Objective, value: float, window: str | None = None) -> bytes:
    pairs = [("kind", one.kind), ("id", one.id), *([("window", window)] if window else [])]
    return encoded(line(family.name, labels(pairs), round(value, 6)))
