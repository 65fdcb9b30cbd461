"""Maintenance: what people read of planned work, and what they say about it."""

from datetime import datetime
from typing import Any

from aiohttp import web

from monitor.core.agenda import WorkAct
from monitor.core.announcement import window_object, work_object
from monitor.core.effect import Ordered, Refusal
from monitor.core.maintenance import Maintenance, WorkStage
from monitor.core.module import Text
from monitor.core.overlay import works_of
from monitor.core.reading import read_text
from monitor.web.counter import API, Counter, Planner, checked, json_answer, refusal, refusal_of, request_key, sent

PLANNED = ("title", "message", "modules", "excuses", "from", "until", "duration", "rrule", "timezone", "author")


def maintenance_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about planned work. ID is an id of work or of a window, or the beginning of one that is alone."""
    works, one = _Works(counter), f"{API}/maintenance/{{id}}"
    return [
        web.get(f"{API}/maintenance", works.listed),
        web.post(f"{API}/maintenance", works.schedule),
        web.get(one, works.shown),
        *(web.post(f"{one}/{act.value}", works.act) for act in WorkAct),
    ]


class _Works:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """All planned work, the first planned first, or that of one status; and the windows that people made."""
        status = request.query.get("status")
        if status not in (None, *WorkStage):
            raise refusal(400, f"`status` is one of {', '.join(WorkStage)}")
        return await json_answer(self._all, status)

    def _all(self, status: str | None) -> dict[str, Any]:
        board, speech = self.counter.board(), self.counter.speech()
        works = [one for one in self._known() if status in (None, one.stage)]
        return {
            "maintenances": [work_object(one, board.platform, speech) for one in works],
            "windows": [window_object(one, speech) for one in board.agenda.windows.values()],
        }

    async def shown(self, request: web.Request) -> web.Response:
        """One piece of work, or one window."""
        return await self._object(self._id(request))

    async def schedule(self, request: web.Request) -> web.Response:
        """Plans work: 201, or 200 where this is planned already."""
        body = await sent(request, PLANNED)
        body.pop("author", None)
        try:
            event = self._planner().scheduled(body, request_key(request), self.counter.clock.now())
        except ValueError as error:
            raise refusal(400, str(error)) from None
        answer = checked(await self.counter.hear(event))
        return await self._object(answer.id, 201 if answer.changed else 200)

    async def act(self, request: web.Request) -> web.Response:
        """Withdraws it, moves its end, says that it is being verified, or that it is over."""
        act = WorkAct(request.path.rpartition("/")[2])
        keys = ("message", "until", "author") if act is WorkAct.EXTEND else ("message", "author")
        body = await sent(request, keys)
        until = self._moment(body.get("until")) if act is WorkAct.EXTEND else None
        event = Ordered(self._id(request), act, until, self._text(body.get("message")))
        answer = checked(await self.counter.hear(event))
        return await self._object(answer.id)

    async def _object(self, id: str, status: int = 200) -> web.Response:
        board, speech = self.counter.board(), self.counter.speech()
        window = board.agenda.windows.get(id)
        if window is not None:
            return await json_answer(window_object, window, speech, status=status)
        work = next((one for one in self._known() if one.id == id), None)
        if work is None and any(one.window == id for one in self._known()):  # a window that was withdrawn just now
            return await json_answer(dict, {"id": id, "status": WorkStage.CANCELLED.value}, status=status)
        if work is None:
            raise refusal(404, f"no planned work has the id {id[:40]}")
        return await json_answer(work_object, work, board.platform, speech, status=status)

    def _known(self) -> list[Maintenance]:
        return works_of(self.counter.board(), self.counter.history())

    def _id(self, request: web.Request) -> str:
        """The id that is meant."""
        given = request.match_info["id"]
        known = [*(one.id for one in self._known()), *self.counter.board().agenda.windows]
        meant = [id for id in known if id.startswith(given)]
        if given in known or not meant:
            return given
        if len(meant) > 1:
            raise refusal(409, f"{given} begins {len(meant)} ids: {', '.join(meant[:5])}")
        return meant[0]

    def _planner(self) -> Planner:
        if self.counter.planner is None:
            raise refusal(503, "nothing can be planned here")
        return self.counter.planner()

    def _moment(self, said: Any) -> datetime:
        if not isinstance(said, str):
            raise refusal(400, "`until` is the new end, such as 2026-11-27T02:00 or +2h")
        try:
            return self._planner().moment(said, self.counter.clock.now())
        except ValueError as error:
            raise refusal(400, f"`until` {error}") from None

    def _text(self, said: Any) -> Text | None:
        """A text per language; one that was given once is in the site's first language."""
        if said is None:
            return None
        if isinstance(said, str):
            said = {next(iter(self.counter.board().platform.languages), "en"): said}
        if not isinstance(said, dict) or not all(isinstance(one, str) for one in said.values()):
            raise refusal(400, "`message` is a text, or an object with a text per language")
        read = read_text(said, "message", self.counter.board().platform.languages, needed=False)
        if isinstance(read, Refusal):
            raise refusal_of(read)
        return read or None
