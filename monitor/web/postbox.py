"""Postbox: the page of notices on the dashboard, and its buttons."""

from aiohttp import web

from monitor.core.effect import Deed, Refusal
from monitor.web.counter import STATUS, said
from monitor.web.dashboard import HOME, Dashboard
from monitor.web.form import form_of
from monitor.web.incidents import Handler
from monitor.web.outbox import ACTS, STATES, Outgoing, acting, notice_deed, trying

AT_ONCE = 50  # notices on a page


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
        query = request.query
        state = query.get("state") if query.get("state") in STATES else None
        given = query.get("offset", "0")
        offset = int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0
        letters = await self._outgoing.letters(query.get("channel") or None, state, AT_ONCE + 1, offset)
        if isinstance(letters, Refusal):
            refused, letters = refused or letters, ()
        return await self._dashboard.print(
            request,
            "outbox",
            200 if refused is None else STATUS[refused.kind],
            refused=None if refused is None else refused.reason,
            channels=self._outgoing.channels(),
            letters=letters[:AT_ONCE],
            more=offset + AT_ONCE if len(letters) > AT_ONCE else None,
            channel=query.get("channel"),
            state=state,
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
