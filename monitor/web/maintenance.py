"""Maintenance: what people read of planned work, and what they say about it."""

from datetime import datetime
from typing import Any

from aiohttp import web

from monitor.core.agenda import WorkAct
from monitor.core.announcement import window_object, work_object
from monitor.core.effect import Ordered, Refusal
from monitor.core.maintenance import Maintenance, WorkStage
from monitor.core.overlay import works_of
from monitor.core.reading import read_text
from monitor.core.text import Text
from monitor.web.conditional import expected, is_expected, tag_of
from monitor.web.counter import (
    API,
    Check,
    Counter,
    Planner,
    checked,
    json_answer,
    json_of,
    refusal,
    refusal_of,
    request_key,
    said,
    sent,
)
from monitor.web.paging import cursor_of, instant, limit_of, linked, micros, moment_of, next_of, word_of
from monitor.web.spoken import author

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
        """A page of planned work, the first planned first, and the windows that people made."""
        query, after, limit = request.query, cursor_of(request.query, int, str), limit_of(request.query)
        status, module = query.get("status"), word_of(query, "module")
        if status not in (None, *WorkStage):
            raise refusal(400, f"`status` is one of {', '.join(WorkStage)}")
        since, until = moment_of(query, "since"), moment_of(query, "until")
        place = None if after is None else (instant(after[0]), after[1])
        found = [
            one
            for one in self._known()
            if status in (None, one.stage)
            and (module is None or one.concerns(module))
            and (since is None or (one.ended_at or one.planned_until) > since)
            and (until is None or one.planned_from < until)
            and (place is None or (one.planned_from, one.key) > place)
        ]
        last = found[limit - 1] if len(found) > limit else None
        more = next_of(request, None if last is None else (micros(last.planned_from), last.key))
        return linked(await json_answer(self._page, found[:limit], more), more)

    def _page(self, works: list[Maintenance], more: str | None) -> dict[str, Any]:
        board, speech = self.counter.board(), self.counter.speech()
        return {
            "maintenances": [work_object(one, board.platform, speech) for one in works],
            "windows": [window_object(one, speech) for one in board.agenda.windows.values()],
            "next": more,
        }

    async def shown(self, request: web.Request) -> web.Response:
        """One piece of work, or one window."""
        return await self._object(request, self._id(request))

    async def schedule(self, request: web.Request) -> web.Response:
        """Plans work: 201, or 200 where this is planned already."""
        body = await sent(request, PLANNED)
        key, plan = request_key(request), {name: one for name, one in body.items() if name != "author"}
        try:
            event = (await self._planner()).scheduled(plan, key, self.counter.clock.now())
            by = author(body)
        except ValueError as error:
            raise refusal(400, str(error)) from None
        answer = checked(await self.counter.hear(said(request, self.counter, event, body, by, key)))
        return await self._object(request, answer.id, 201 if answer.changed else 200)

    async def act(self, request: web.Request) -> web.Response:
        """Withdraws it, moves its end, says that it is being verified, or that it is over."""
        act = WorkAct(request.path.rpartition("/")[2])
        keys = ("message", "until", "author") if act is WorkAct.EXTEND else ("message", "author")
        body = await sent(request, keys)
        until = await self._moment(body.get("until")) if act is WorkAct.EXTEND else None
        id = self._id(request)
        event = Ordered(id, act, until, self._text(body.get("message")))
        try:
            told = said(request, self.counter, event, body, author(body), request_key(request))
        except ValueError as error:
            raise refusal(400, str(error)) from None
        answer = checked(await self.counter.hear(told, self._unchanged(request, id)))
        return await self._object(request, answer.id)

    def _unchanged(self, request: web.Request, id: str) -> Check | None:
        """What refuses a change that is meant for another state than the work is in, when it is taken."""
        wanted = expected(request)

        def check(_: object) -> Refusal | None:
            found = self._found(id)
            if found is None or is_expected(wanted, tag_of(json_of(found))):
                return None
            return Refusal("outdated", "it is not as it was any more: read it again")

        return check if wanted else None

    async def _object(self, request: web.Request, id: str, status: int = 200) -> web.Response:
        found = self._found(id)
        if found is None:
            raise refusal(404, f"no planned work has the id {id[:40]}")
        response = await json_answer(dict, found, status=status)
        if request.method not in ("GET", "HEAD"):  # what is answered, and its tag, are those of the work
            response.headers["Content-Location"] = f"{API}/maintenance/{id}"
        return response

    def _found(self, id: str) -> dict[str, Any] | None:
        """A piece of work, or a window; None where there is neither."""
        board, speech = self.counter.board(), self.counter.speech()
        if (window := board.agenda.windows.get(id)) is not None:
            return window_object(window, speech)
        known = self._known()
        if (work := next((one for one in known if one.id == id), None)) is not None:
            return work_object(work, board.platform, speech)
        withdrawn = any(one.window == id for one in known)  # a window that was withdrawn just now
        return {"id": id, "status": WorkStage.CANCELLED.value} if withdrawn else None

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

    async def _planner(self) -> Planner:
        if self.counter.planner is None:
            raise refusal(503, "nothing can be planned here")
        return await self.counter.planner()

    async def _moment(self, said: Any) -> datetime:
        if not isinstance(said, str):
            raise refusal(400, "`until` is the new end, such as 2026-11-27T02:00 or +2h")
        try:
            return (await self._planner()).moment(said, self.counter.clock.now())
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
