"""Mine: the page behind an acknowledge link, for whoever was told of an incident and has no login at hand.

To look at it changes nothing, for scanners of mails follow every link; the button does. What it needs is the token in
its address and no cookie, so a page of another site can send nothing that its owner could not.
"""

from collections.abc import Sequence

from aiohttp import web

from monitor.core.effect import Refusal, Spoken
from monitor.core.incident import Incident
from monitor.core.roster import How, Person, Role
from monitor.core.word import Acknowledge
from monitor.web.access import PERSON
from monitor.web.counter import STATUS
from monitor.web.counter import said as said_by
from monitor.web.dashboard import HEADERS, Dashboard
from monitor.web.form import form_of
from monitor.web.guesses import Guesses
from monitor.web.link import PATH, Claim, Flaw, Links
from monitor.web.origin import origin_of
from monitor.web.spoken import LONGEST_NAME, author

MOST = 20  # times a minute that one address may press the button
MOST_OF_ALL = 200  # … and all of them together
SAYS = {
    Flaw.WRONG: (404, "This link does not lead anywhere."),
    Flaw.EXPIRED: (410, "This link has expired."),
}
TOO_MANY = "Too many at once: try again in a minute."


class Mine:
    """The handlers."""

    def __init__(self, dashboard: Dashboard, links: Links, trusted_proxies: Sequence[str] = ()) -> None:
        self._trusted_proxies = trusted_proxies
        self._dashboard = dashboard
        self._counter = dashboard.counter
        self._links = links
        self._pressed = Guesses(MOST, MOST_OF_ALL)

    def routes(self) -> list[web.RouteDef]:
        """To look, and to say it."""
        return [web.get(f"{PATH}/{{token}}", self.shown), web.post(f"{PATH}/{{token}}", self.taken)]

    async def shown(self, request: web.Request) -> web.StreamResponse:
        """The incident, and a button where there is something to acknowledge."""
        meant = await self._meant(request)
        return meant if isinstance(meant, web.Response) else await self._page(request, *meant)

    async def taken(self, request: web.Request) -> web.StreamResponse:
        """Acknowledges it, in the name that was given beside the one that the link was sent to."""
        mark = self._pressed.take(origin_of(request, self._trusted_proxies))
        if isinstance(mark, float):
            answer = await self._nothing(request, 429, TOO_MANY)
            answer.headers["Retry-After"] = str(int(mark) + 1)
            return answer
        meant = await self._meant(request)
        if isinstance(meant, web.Response):
            return meant
        claim, incident = meant
        try:
            form = await form_of(request) if request.can_read_body else None
            said = author({"author": form.typed.get("author")}) if form else None
        except ValueError as error:
            return await self._page(request, claim, incident, 400, str(error))
        by = f"{said} ({claim.to})"[: LONGEST_NAME * 2] if said else claim.to
        request[PERSON] = Person(by, Role.OPERATOR, How.LINK, known=True)
        key = form.key("acknowledge") if form else None
        told = said_by(request, self._counter, Spoken(Acknowledge(incident.id)), {}, key=key)
        answered = await self._counter.hear(told)
        if answered.refusal is not None and incident.is_open:
            return await self._page(request, claim, incident, STATUS[answered.refusal.kind], answered.refusal.reason)
        if answered.refusal is not None:
            return await self._page(request, claim, incident, 409)  # the page says that it is over
        return web.Response(status=303, headers={**HEADERS, "Location": "?done=acknowledge"})

    async def _meant(self, request: web.Request) -> tuple[Claim, Incident] | web.Response:
        """What the link is about; or the page that says no, and nothing more."""
        claim = self._links.read(request.match_info["token"], self._counter.clock.now())
        if isinstance(claim, Flaw):
            return await self._nothing(request, *SAYS[claim])
        incident = await self._counter.find(claim.incident)
        if isinstance(incident, Refusal):
            status, why = (503, incident.reason) if incident.kind == "away" else SAYS[Flaw.WRONG]
            return await self._nothing(request, status, why)
        return claim, incident

    async def _page(
        self, request: web.Request, claim: Claim, incident: Incident, status: int = 200, refused: str | None = None
    ) -> web.Response:
        token = request.match_info["token"]
        about = {"incident": incident, "token": token, "to": claim.to, "until": claim.until, "refused": refused}
        return await self._dashboard.print(request, "acknowledge", status, **about)

    async def _nothing(self, request: web.Request, status: int, why: str) -> web.Response:
        return await self._dashboard.print(request, "acknowledge", status, incident=None, why=why)
