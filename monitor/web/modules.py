"""Modules: what is known of each module, with the newest run of every probe at every place. Secrets in runs were masked
by whoever looked, before anybody else saw them.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from monitor.core.detector import Transition
from monitor.core.effect import Keep
from monitor.core.module import Module, Status
from monitor.core.observation import observation_to_json, stamp
from monitor.core.statement import incidents_of
from monitor.core.text import Text, in_language
from monitor.core.wording import Sentence
from monitor.web.counter import API, Counter, json_answer, module_of, refusal
from monitor.web.full import full_module
from monitor.web.paging import cursor_of, limit_of, linked, next_of

MOVES = 100  # newest changes of status that are told

Runs = Mapping[tuple[str, str, str], Keep]  # by module, probe, location
Object = dict[str, Any]


def module_routes(counter: Counter, runs: Callable[[], Runs]) -> list[web.RouteDef]:
    """Every request that reads about modules."""
    modules = _Modules(counter, runs)
    return [web.get(f"{API}/modules", modules.listed), web.get(f"{API}/modules/{{id}}", modules.shown)]


class _Modules:
    """The handlers."""

    def __init__(self, counter: Counter, runs: Callable[[], Runs]) -> None:
        self.counter = counter
        self._runs = runs

    async def listed(self, request: web.Request) -> web.Response:
        """A page of modules as they are now, in the order of their ids."""
        after, limit = cursor_of(request.query, str), limit_of(request.query)
        status = request.query.get("status")
        if status not in (None, *Status):
            raise refusal(400, f"`status` is one of {', '.join(Status)}")
        board = self.counter.board()
        ids = sorted(id for id in board.platform.modules if status in (None, board.status(id)))
        ids = [id for id in ids if after is None or id > after[0]]
        more = next_of(request, (ids[limit - 1],) if len(ids) > limit else None)
        return linked(await json_answer(self._page, ids[:limit], more, self.counter.clock.now()), more)

    def _page(self, ids: list[str], more: str | None, now: datetime) -> Object:
        counter = self.counter
        board, history = counter.board(), counter.history()
        incidents = incidents_of(board, history)
        modules = [board.platform.modules[id] for id in ids]
        return {
            "modules": [full_module(one, board, history, counter.speech(), incidents, now) for one in modules],
            "next": more,
        }

    async def shown(self, request: web.Request) -> web.Response:
        """One module, with what it depends on and the newest runs of its probes."""
        module = self.counter.board().platform.modules.get(module_of(self.counter, request))
        if module is None:
            raise refusal(404, f"there is no module `{request.match_info['id'][:40]}`")
        return await json_answer(self._dossier, module, self.counter.clock.now())

    def _dossier(self, module: Module, now: datetime) -> Object:
        counter = self.counter
        board, history, speech = counter.board(), counter.history(), counter.speech()
        tags = list(speech.every(Sentence("")))

        def every(text: Text) -> dict[str, str]:
            return {tag: in_language(text, tag) for tag in tags}

        runs = sorted((key[1:], keep) for key, keep in self._runs().items() if key[0] == module.id)
        edges = [{"module": one.module, "strength": one.strength.value} for one in module.depends_on]
        return full_module(module, board, history, speech, incidents_of(board, history), now) | {
            "description": every(module.description),
            "priority": module.priority.value,
            "objective": module.objective,
            "runbook": module.runbook,
            "depends_on": edges,
            "components": list(board.platform.components_of([module.id])),
            "runs": [_run(keep) for _, keep in runs],
            "transitions": [_move(one) for one in history.transitions.get(module.id, ())[: -MOVES - 1 : -1]],
            "versions": [
                {"probe": probe, "name": one.name, "before": one.before, "since": stamp(one.since)}
                for (id, probe), one in board.versions.items()
                if id == module.id
            ],
        }


def _move(one: Transition) -> Object:
    return {"at": stamp(one.at), "since": stamp(one.since), "before": one.before.value, "after": one.after.value}


def _run(keep: Keep) -> Object:
    """A judged run. `discarded`: its place could not see then, so it counts for nothing."""
    result = keep.result
    judged = {
        "outcome": result.outcome.value,
        "code": result.code,
        "blame": None if result.blame is None else result.blame.value,
        "reasons": list(result.reasons),
    }
    return {**observation_to_json(keep.observation), "result": judged, "discarded": keep.discarded}
