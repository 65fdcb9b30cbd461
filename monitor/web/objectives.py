"""Objectives: every error budget there is, and how fast it goes."""

from datetime import datetime
from typing import Any

from aiohttp import web

from monitor.core.budget import PERIOD, Budget
from monitor.core.objective import KINDS, budgets, objectives
from monitor.core.observation import stamp
from monitor.web.counter import API, Counter, json_answer, refusal

Object = dict[str, Any]


def objective_routes(counter: Counter) -> list[web.RouteDef]:
    """The request that reads them."""

    async def listed(request: web.Request) -> web.Response:
        """Those of one kind, or all."""
        kind = request.query.get("kind")
        if kind is not None and kind not in KINDS:
            raise refusal(400, f"`kind` is one of {', '.join(KINDS)}")
        return await json_answer(_listed, counter, kind, counter.clock.now())

    return [web.get(f"{API}/objectives", listed)]


def _listed(counter: Counter, kind: str | None, now: datetime) -> Object:
    board = counter.board()
    wanted = [one for one in objectives(board.platform) if kind in (None, one.kind)]
    return {
        "objectives": [
            {"kind": one.kind, "id": one.id, "objective": one.ratio, "budget": budget_object(each)}
            for one, each in budgets(board, counter.history(), now, wanted)
        ]
    }


def budget_object(one: Budget) -> Object:
    """An error budget."""
    return {
        "days": PERIOD.days,
        "allowed_seconds": round(one.allowed_seconds),
        "spent_seconds": round(one.spent_seconds),
        "left_seconds": round(one.allowed_seconds) - round(one.spent_seconds),
        "left_ratio": None if one.left_ratio is None else round(one.left_ratio, 4),
        "burn": {name: None if value is None else round(value, 2) for name, value in one.burn.items()},
        "exhausted_at": stamp(one.exhausted_at),
    }
