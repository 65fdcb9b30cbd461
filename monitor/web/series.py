"""Series: a module's latency, phases, failures and availability over time, as columns for whoever draws them."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from monitor.core.board import Board
from monitor.core.budget import LONGEST, budget, by_bin
from monitor.core.effect import Refusal
from monitor.core.history import History
from monitor.core.observation import PHASES, stamp
from monitor.core.overlay import spans_of, works_of
from monitor.core.plotted import USUAL, Choice, Series, choice, happenings
from monitor.core.series import Column, Grid, grid_of
from monitor.core.statement import Speaker, uptime_object
from monitor.core.uptime import uptime
from monitor.web.counter import API, Counter, json_answer, module_of, refusal_of
from monitor.web.objectives import budget_object

SHARES = {"p50_ms": 0.50, "p95_ms": 0.95, "p99_ms": 0.99}

Object = dict[str, Any]
Reader = Callable[[Choice], Awaitable[Series | Refusal]]


async def unread(chosen: Choice) -> Series | Refusal:
    """What is answered where nothing is kept to read from."""
    return Refusal("away", "there is no store here")


def chosen(counter: Counter, request: web.Request) -> Choice | Refusal:
    """What a request asks for."""
    asked = request.query
    platform, id = counter.board().platform, module_of(counter, request)
    probe, location = asked.get("probe") or None, asked.get("location") or None
    return choice(platform, id, asked.get("window", USUAL), probe, location)


class SeriesRoutes:
    """The handlers. `read` gives what the runs of a choice looked like."""

    def __init__(self, counter: Counter, read: Reader) -> None:
        self.counter = counter
        self._read = read

    def routes(self) -> list[web.RouteDef]:
        """Reads only."""
        return [
            web.get(f"{API}/modules/{{id}}/series", self.series),
            web.get(f"{API}/modules/{{id}}/availability", self.availability),
        ]

    async def series(self, request: web.Request) -> web.Response:
        """Percentiles, phases, runs and failures, bin by bin."""
        asked = self._asked(request)
        found = await self._read(asked)
        if isinstance(found, Refusal):
            raise refusal_of(found)
        counter = self.counter
        return await json_answer(series_object, found, counter.board(), counter.history(), counter.speech())

    async def availability(self, request: web.Request) -> web.Response:
        """Availability, bin by bin, and the error budget."""
        asked, counter = self._asked(request), self.counter
        now = counter.clock.now()
        grid = grid_of(asked.window, now, asked.interval, asked.window.length)
        return await json_answer(availability_object, asked, grid, counter.board(), counter.history())

    def _asked(self, request: web.Request) -> Choice:
        found = chosen(self.counter, request)
        if isinstance(found, Refusal):
            raise refusal_of(found)
        return found


def _about(asked: Choice, grid: Grid) -> Object:
    return {
        "module": asked.module,
        "window": asked.window.name,
        "since": stamp(grid.since),
        "until": stamp(grid.until),
        "step_seconds": int(grid.step.total_seconds()),
        "times": [stamp(at) for at in grid.times],
    }


def series_object(series: Series, board: Board, history: History, speech: Speaker) -> Object:
    """The columns of a series; None where there was no run, or, of latency, none that was answered."""
    asked, grid = series.chosen, series.grid
    happened = happenings(asked.module, board, history, series.versions, grid)
    return {
        **_about(asked, grid),
        "probe": asked.probe,
        "location": asked.location,
        "counted_from": "observations" if grid.from_runs else "hours",
        **_latency(series.all),
        **_counts(series.all),
        "phases_ms": {name: _rounded(series.all.phase_ms(name)) for name in PHASES},
        "locations": [{"id": place, **_latency(one), **_counts(one)} for place, one in series.by_place.items()],
        "happenings": [
            {
                "kind": one.kind,
                "id": one.id or None,
                "since": stamp(one.since),
                "until": stamp(one.until),
                "title": speech.every(one.title),
            }
            for one in happened
        ],
    }


def _latency(column: Column) -> Object:
    return {name: _rounded(column.percentile_ms(share)) for name, share in SHARES.items()}


def _counts(column: Column) -> Object:
    return {
        "runs": column.of(lambda one: one.runs),
        "failed": column.of(lambda one: one.failed),
        "slow": column.of(lambda one: one.slow),
    }


def _rounded(values: list[float | None]) -> list[float | None]:
    return [None if value is None else round(value, 1) for value in values]


def availability_object(asked: Choice, grid: Grid, board: Board, history: History) -> Object:
    """From stored changes of status, never from counts of runs."""
    module, now = board.platform.modules[asked.module], grid.until
    cut = spans_of(asked.module, history, works_of(board, history), now - LONGEST, now, board.platform.weights)
    bins = [uptime_object(one) for one in by_bin(cut, grid)]
    whole = uptime_object(uptime(cut, now - asked.window.length, now))
    return {
        **_about(asked, grid),
        **{name: [one[name] for one in bins] for name in whole},
        "whole": whole,
        "objective": module.objective,
        "budget": None if module.objective is None else budget_object(budget(cut, now, module.objective)),
    }
