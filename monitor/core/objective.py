"""Objective: everything that has one, and its error budget: modules, groups, and plans about the whole platform."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from monitor.core.availability import PLATFORM, Availability, Subject
from monitor.core.board import Board
from monitor.core.budget import PERIOD, Budget, budget_of
from monitor.core.history import History
from monitor.core.module import Platform
from monitor.core.overlay import works_of

KINDS = ("plan", "group", "module")


class Objective(NamedTuple):
    """The wanted ratio of a plan, a group or a module, by kind and id; `subject` is whose figure it is about."""

    kind: str
    id: str
    ratio: float
    subject: Subject


def objectives(platform: Platform) -> list[Objective]:
    """All there are, from the whole to the parts."""
    plans = ((one.id, one.objective) for one in platform.plans)
    groups = ((one.id, one.objective) for one in platform.groups)
    modules = ((id, one.objective) for id, one in platform.modules.items())
    return [
        *(Objective("plan", id, ratio, PLATFORM) for id, ratio in plans if ratio is not None),
        *(Objective("group", id, ratio, Subject("group", id)) for id, ratio in groups if ratio is not None),
        *(Objective("module", id, ratio, Subject("module", id)) for id, ratio in modules if ratio is not None),
    ]


def budgets(
    board: Board, history: History, now: datetime, wanted: Iterable[Objective]
) -> list[tuple[Objective, Budget]]:
    """What may be lost of each in 30 days, and what is."""
    past = Availability(board.platform, history, tuple(works_of(board, history)), now - PERIOD)
    return [(one, budget_of(list(past.lines(one.subject).values()), now, one.ratio)) for one in wanted]
