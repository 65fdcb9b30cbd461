"""Incidents: what people read of them and say about them."""

from aiohttp import web

from monitor.web.access import require
from monitor.web.counter import API, Counter, json_answer
from monitor.web.full import full_incidents


def incident_routes(counter: Counter) -> list[web.RouteDef]:
    """Every request about incidents."""
    incidents = _Incidents(counter)
    return [web.get(f"{API}/incidents", incidents.listed)]


class _Incidents:
    """The handlers."""

    def __init__(self, counter: Counter) -> None:
        self.counter = counter

    async def listed(self, request: web.Request) -> web.Response:
        """Every incident with the detail of its evidence."""
        require(request, self.counter.token)
        counter = self.counter
        return await json_answer(full_incidents, counter.board(), counter.history(), counter.speech())
