"""Postbox: the page of notices on the dashboard, and its buttons."""

import json
from collections.abc import Sequence

from aiohttp import web

from monitor.core.effect import Deed, Refusal
from monitor.core.outbox import Letter
from monitor.web.counter import STATUS, said
from monitor.web.dashboard import HOME, Dashboard
from monitor.web.form import form_of
from monitor.web.incidents import Handler
from monitor.web.outbox import ACTS, Outgoing, acting, notice_deed, outbox_page, trying

AT_ONCE = "50"  # notices on a page


class Postbox:
    """The handlers."""

    def __init__(self, dashboard: Dashboard, outgoing: Outgoing) -> None:
        self._dashboard = dashboard
        self._outgoing = outgoing

    def routes(self) -> list[web.RouteDef]:
        """Every request about notices below `/healthcheck`."""
        letter = f"{HOME}/outbox/{{event_id}}/{{channel}}"
        return [
            web.get(f"{HOME}/outbox", self.shown),
            *(web.post(f"{letter}/{act}", self._acted(act)) for act in ACTS),
            web.post(f"{HOME}/channels/{{id}}/test", self.test),
        ]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """Every channel, and the newest notices."""
        return await self._page(request)

    async def _page(self, request: web.Request, refused: Refusal | None = None) -> web.Response:
        query = {name: text for name, text in request.query.items() if text} if request.method == "GET" else {}
        letters: Sequence[Letter] = ()
        more, status = None, 200 if refused is None else STATUS[refused.kind]
        reason = None if refused is None else refused.reason
        try:
            letters, more = await outbox_page(request, self._outgoing, {"limit": AT_ONCE, **query})
        except web.HTTPException as error:
            status, reason = error.status, reason or json.loads(error.text or "{}").get("error", error.reason)
        return await self._dashboard.print(
            request,
            "outbox",
            status,
            refused=reason,
            channels=self._outgoing.channels(),
            letters=letters,
            more=more and f"?{more.partition('?')[2]}",
            channel=query.get("channel", "")[:200],
            state=query.get("state", "")[:200],
        )

    def _acted(self, act: str) -> Handler:
        async def handler(request: web.Request) -> web.StreamResponse:
            event_id, channel, form = (
                request.match_info["event_id"],
                request.match_info["channel"],
                await form_of(request),
            )
            key = form.key(f"{act}-{event_id}-{channel}")
            told = said(request, self._dashboard.counter, notice_deed(act, event_id, channel), {}, key=key)
            doing = acting(self._outgoing, act, event_id, channel)
            answer = await self._dashboard.counter.perform(told, doing)
            if answer.refusal is not None:
                return await self._page(request, answer.refusal)
            return self._dashboard.back(request, f"outbox?done={act}")

        return handler

    async def test(self, request: web.Request) -> web.StreamResponse:
        """Sends a test notice, and says whether it arrived."""
        id, form, counter = request.match_info["id"], await form_of(request), self._dashboard.counter
        told = said(request, counter, Deed("notice.test", id), {}, key=form.key(f"test-{id}"))
        answer = await counter.perform(told, trying(self._outgoing, id))
        reason = answer.detail.get("reason")
        refused = answer.refusal or (Refusal("conflict", reason) if reason else None)
        if refused is not None:
            return await self._page(request, refused)
        return self._dashboard.back(request, "outbox?done=test")
