"""Silence forms: the page of silences on the dashboard, where they are added and lifted.

A form is read as the JSON of the API is and goes the same way.
"""

import re
from collections.abc import Awaitable, Mapping
from typing import Any

from aiohttp import web

from monitor.core.effect import Answered, Lifted, Refusal, Silenced
from monitor.web.access import name_for
from monitor.web.counter import STATUS, said
from monitor.web.dashboard import HEADERS, HOME, Dashboard
from monitor.web.form import LISTS, Form, form_of
from monitor.web.hush import KINDS
from monitor.web.silences import lifting, wanted
from monitor.web.spoken import author

ID = re.compile("[0-9a-z]{1,12}")


class SilenceForms:
    """The handlers."""

    def __init__(self, dashboard: Dashboard) -> None:
        self._dashboard = dashboard
        self._counter = dashboard.counter

    def routes(self) -> list[web.RouteDef]:
        """The page and its forms."""
        return [
            web.get(f"{HOME}/silences", self.shown),
            web.post(f"{HOME}/silences", self.add),
            web.post(f"{HOME}/silences/{{id}}/lift", self.lift),
        ]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """Every silence, and the form; `?incident=ID` fills it in for an incident and its modules."""
        return await self._page(request, typed=self._prefilled(request.query.get("incident", "")))

    def _prefilled(self, id: str) -> dict[str, Any]:
        incident = self._counter.board().incidents.get(id)
        if incident is None or not incident.is_open:
            return {}
        return {"incident": id, "back": id, "modules": [member.module for member in incident.members]}

    async def _page(self, request: web.Request, status: int = 200, **about: Any) -> web.Response:
        return await self._dashboard.print(request, "silences", status, **about)

    async def add(self, request: web.Request) -> web.StreamResponse:
        """Silences what was chosen and leads back; or shows the form again, with the reason."""
        form = await form_of(request)
        by = name_for(request, form.typed.get("author"))
        body = _body(form) | {"author": by}
        answer = await self._said(request, form, "silence", body, wanted(self._counter, body, form.request))
        if answer.refusal is None:
            back = form.back if ID.fullmatch(form.back) else ""
            return _gone(f"incidents/{back}?done=silence" if back else "silences?done=silence")
        typed = {**form.typed, "back": form.back}
        return await self._page(request, STATUS[answer.refusal.kind], refused=answer.refusal.reason, typed=typed)

    async def lift(self, request: web.Request) -> web.StreamResponse:
        """Ends a silence."""
        form = await form_of(request)

        async def event() -> Lifted:
            return lifting(self._counter, request.match_info["id"])

        answer = await self._said(request, form, "lift", {}, event())
        if answer.refusal is not None:
            return await self._page(request, STATUS[answer.refusal.kind], refused=answer.refusal.reason)
        back = form.back if ID.fullmatch(form.back) else ""
        return _gone(f"../../incidents/{back}?done=lift" if back else "../../silences?done=lift")

    async def _said(
        self,
        request: web.Request,
        form: Form,
        act: str,
        body: Mapping[str, Any],
        event: Awaitable[Silenced | Lifted],
    ) -> Answered:
        """What becomes of a word; what cannot even be read is refused alike."""
        try:
            told = said(request, self._counter, await event, body, author(form.typed), form.key(act))
            return await self._counter.hear(told)
        except ValueError as error:
            return Answered(refusal=Refusal("wrong", str(error)))
        except web.HTTPException:
            return Answered(refusal=Refusal("conflict", "several begin like this"))


def _body(form: Form) -> dict[str, Any]:
    """The object that says the same as the form; what was left empty says nothing."""
    typed = form.typed
    found: dict[str, Any] = {key: typed[key] for key in KINDS if key in LISTS and key in typed}
    found["codes"] = str(typed.get("codes", "")).replace(",", " ").split()
    found |= {key: typed[key] for key in ("incident", "reason", "from") if typed.get(key)}
    found["until"] = typed.get("until") or typed.get("lasts")
    if typed.get("all"):
        found["all"] = True
    return found


def _gone(where: str) -> web.Response:
    """Relative, so that it holds below whatever path a proxy has put this side."""
    return web.Response(status=303, headers={**HEADERS, "Location": where})
