"""Work forms: the page of planned work on the dashboard, where it is planned, begun, moved and ended.

A form is read as the JSON of the API is and goes the same way.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from monitor.core.agenda import WorkAct
from monitor.core.effect import Ordered, Refusal, Scheduled
from monitor.core.reading import read_text
from monitor.web.counter import STATUS, Check, Planner, said
from monitor.web.dashboard import HEADERS, HOME, Dashboard
from monitor.web.form import Form, filled, form_of

AHEAD = 5  # times of a plan that is tried out


class WorkForms:
    """The handlers."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._counter = dashboard.counter

    def routes(self) -> list[web.RouteDef]:
        """The page and its forms."""
        return [
            web.get(f"{HOME}/maintenance", self.shown),
            web.post(f"{HOME}/maintenance", self.schedule),
            *(web.post(f"{HOME}/maintenance/{{id}}/{act}", self._acts(act)) for act in WorkAct),
        ]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """All planned work, and the form that plans more."""
        return await self._page(request)

    async def _page(
        self, request: web.Request, refused: Refusal | None = None, ahead: Sequence[datetime] = (), **about: Any
    ) -> web.Response:
        if refused is not None:
            about["refused"] = refused.reason
        status = 200 if refused is None else STATUS[refused.kind]
        return await self._dashboard.print(request, "maintenance", status, ahead=ahead, **about)

    # -- plan ---------------------------------------------------------------------------------------------------------

    async def schedule(self, request: web.Request) -> web.StreamResponse:
        """Plans work and leads back; or shows the form again, with the reason, or with when it would take place."""
        form = await form_of(request)
        try:
            planner = await self._planner()
            event = self._wanted(form, planner)
        except ValueError as error:
            return await self._page(request, Refusal("wrong", str(error)), typed=form.typed, tried="schedule")
        if form.typed.get("preview"):
            ahead = planner.next_starts(event.window, self._counter.clock.now(), AHEAD)
            return await self._page(request, typed=form.typed, tried="schedule", ahead=ahead)
        told = said(request, self._counter, event, form.typed, key=form.key("schedule"))
        refused = (await self._counter.hear(told)).refusal
        if refused is not None:
            return await self._page(request, refused, typed=form.typed, tried="schedule")
        return _gone("maintenance?done=schedule")

    async def _planner(self) -> Planner:
        if self._counter.planner is None:
            raise ValueError("nothing can be planned here")
        return await self._counter.planner()

    def _wanted(self, form: Form, planner: Planner) -> Scheduled:
        """What the form plans. Raises ValueError."""
        typed = form.typed
        said = filled("schedule", form)
        body: dict[str, Any] = {key: said[key] for key in ("title", "message") if said.get(key)}
        body["modules"] = self._modules(form)
        codes = str(typed.get("codes", "")).replace(",", " ").split()
        body["excuses"] = [*typed.get("excuses", []), *codes]
        body |= {key: typed[key] for key in ("from", "until") if typed.get(key)}
        if not typed.get("until") and typed.get("duration"):
            body["duration"] = typed["duration"].strip()
        if typed.get("rrule", "").strip():
            body["rrule"] = typed["rrule"].strip()
        if "title" not in body:
            raise ValueError("the title is empty")
        return planner.scheduled(body, form.request, self._counter.clock.now())

    def _modules(self, form: Form) -> list[str]:
        """What is worked on: modules, and all that groups are made of. That it is everything has to be said."""
        platform, typed = self._counter.board().platform, form.typed
        chosen = set(typed.get("groups", []))
        groups = (group for group in platform.groups if group.id in chosen)
        parts = [id for group in groups for component in group.components for id in component.modules]
        found = list(dict.fromkeys([*typed.get("modules", []), *parts]))
        if bool(found) is bool(typed.get("everything")):
            raise ValueError("choose what is worked on: modules, groups, or everything")
        return found

    # -- act ----------------------------------------------------------------------------------------------------------

    def _acts(self, act: WorkAct) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            return await self._act(request, act, await form_of(request))

        return handler

    async def _act(self, request: web.Request, act: WorkAct, form: Form) -> web.StreamResponse:
        id = request.match_info["id"]
        try:
            event = await self._ordered(id, act, form)
            refused = event if isinstance(event, Refusal) else await self._heard(request, event, form)
        except ValueError as error:
            refused = Refusal("wrong", f"`until` {error}")
        if refused is not None:
            return await self._page(request, refused, typed=form.typed, tried=f"{act}-{id}")
        return _gone(f"../../maintenance?done={act}")

    async def _heard(self, request: web.Request, event: Ordered, form: Form) -> Refusal | None:
        told = said(request, self._counter, event, form.typed, key=form.key(f"{event.act}-{event.id}"))
        return (await self._counter.hear(told, self._unchanged(event.id, form.seen))).refusal

    def _unchanged(self, id: str, seen: int | None) -> Check:
        """What refuses a form that was made when the work was in another state, when it is taken."""

        def check(_: object) -> Refusal | None:
            work = self._counter.board().agenda.works.get(id)
            if work is None or seen is None or work.sequence == seen:
                return None
            return Refusal("outdated", "somebody else was faster: look again, then say it again")

        return check

    async def _ordered(self, id: str, act: WorkAct, form: Form) -> Ordered | Refusal:
        said = filled(act, form).get("message") or {}
        body = read_text(said, "message", self._counter.board().platform.languages, needed=False)
        if isinstance(body, Refusal):
            return body
        until = None
        if act is WorkAct.EXTEND:
            until = (await self._planner()).moment(str(form.typed.get("until", "")), self._counter.clock.now())
        return Ordered(id, act, until, body or None)


def _gone(where: str) -> web.Response:
    """Relative, so that it holds below whatever path a proxy has put this side."""
    return web.Response(status=303, headers={**HEADERS, "Location": where})
