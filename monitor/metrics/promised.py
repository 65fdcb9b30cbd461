"""Promised: the objectives of groups and plans, and how fast their error budgets go. Those of modules follow from their
own figures by rules; the figure of a group is one that no rule can add up.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta

from monitor.core.board import Board
from monitor.core.budget import Budget
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.objective import Objective, budgets, objectives
from monitor.core.service import clocks, owed
from monitor.metrics.exposition import Family, block, encoded, labels, line
from monitor.metrics.whole import incidents_open

WANTED = Family("monitor_objective_ratio", "gauge", "The wanted good time divided by counted time, of a group or plan.")
LEFT = Family(
    "monitor_objective_budget_left_ratio", "gauge", "What is left of 30 days' error budget; below 0 when overspent."
)
BURN = Family(
    "monitor_objective_burn_rate", "gauge", "How many times faster than it may an error budget goes, by window."
)

USED = Family(
    "monitor_service_clock_used_ratio",
    "gauge",
    "How much of a plan's limit has passed, of the incident nearest to it.",
)

BROKEN = Family(
    "monitor_service_clocks_breached", "gauge", "Clocks of open incidents that a plan's limit was too short for."
)

TICKETS = Family("monitor_store_ticket_users", "gauge", "Users of the ticket tool that a store has.")
ALLOWED = Family("monitor_store_ticket_users_limit", "gauge", "Users of the ticket tool that a store may have.")

# Labels of a promise, the part of its limit that has passed, and how many clocks are past it.
Used = tuple[list[tuple[str, str]], float, int]

KEPT = timedelta(seconds=15)  # as long as a publication stands


class Promised:
    """The lines of the page, worked out anew every few seconds and when there is another configuration."""

    def __init__(self) -> None:
        self._made: tuple[Platform, datetime, list[tuple[Objective, Budget]], list[Used]] | None = None

    def blocks(self, board: Board, history: History, now: datetime, openmetrics: bool) -> bytes:
        """All families."""
        found, clocks_used = self._of(board, history, now)
        texts: dict[Family, Iterable[bytes]] = {
            WANTED: (_line(WANTED, one, one.ratio) for one, _ in found),
            LEFT: (_line(LEFT, one, each.left_ratio) for one, each in found if each.left_ratio is not None),
            BURN: (
                _line(BURN, one, burn, window)
                for one, each in found
                for window, burn in each.burn.items()
                if burn is not None
            ),
        }
        texts[USED] = (encoded(line(USED.name, labels(pairs), round(share, 6))) for pairs, share, _ in clocks_used)
        texts[BROKEN] = (encoded(line(BROKEN.name, labels(pairs), count)) for pairs, _, count in clocks_used)
        texts |= _users(board.platform)
        return b"".join(block(family, openmetrics, lines) for family, lines in texts.items())

    def _of(self, board: Board, history: History, now: datetime) -> tuple[list[tuple[Objective, Budget]], list[Used]]:
        made = self._made
        if made is None or made[0] is not board.platform or not made[1] <= now < made[1] + KEPT:
            wanted = [one for one in objectives(board.platform) if one.kind != "module"]
            made = self._made = (
                board.platform,
                now,
                budgets(board, history, now, wanted) if wanted else [],
                list(_used(board, now)),
            )
        return made[2:]


def _used(board: Board, now: datetime) -> Iterable[Used]:
    """How far the clocks that have not stopped have come, the furthest of each promise, and how many are past their
    limit; 0 while there is none."""
    broken: Counter[tuple[str, str, str]] = Counter()
    furthest = {
        (plan.id, kind, priority): 0.0
        for plan in board.platform.plans
        for kind, limits in (("response", plan.response), ("update", plan.update))
        for priority in limits
    }
    for incident in incidents_open(board):
        for one in clocks(owed(incident, board.platform), incident):
            if one.stopped_at is None:
                key, share = (one.plan, one.kind, one.priority.value), one.used(now)
                furthest[key] = max(furthest[key], share)
                broken[key] += share > 1
    for key, share in furthest.items():
        plan, kind, priority = key
        yield [("plan", plan), ("promise", kind), ("priority", priority)], share, broken[key]


def _users(platform: Platform) -> dict[Family, Iterable[bytes]]:
    """Users of the ticket tool, of the stores for which they are named, and what their plans are for."""
    limits = {one.id: one.ticket_users for one in platform.plans}
    named = [one for one in platform.clients if one.users is not None]
    limited = [one for one in named if limits.get(one.plan) is not None]
    return {
        TICKETS: [encoded(line(TICKETS.name, labels([("store", one.id)]), one.users or 0)) for one in named],
        ALLOWED: [encoded(line(ALLOWED.name, labels([("store", one.id)]), limits[one.plan] or 0)) for one in limited],
    }


def _line(family: Family, one: Objective, value: float, window: str | None = None) -> bytes:
    pairs = [("kind", one.kind), ("id", one.id), *([("window", window)] if window else [])]
    return encoded(line(family.name, labels(pairs), round(value, 6)))
