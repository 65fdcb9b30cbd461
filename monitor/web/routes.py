"""Routes: everything that people may ask and say at the counter."""

from aiohttp import web

from monitor.web.access import keep_out
from monitor.web.audit import audit_route
from monitor.web.conditional import tagged
from monitor.web.counter import LARGEST, Counter
from monitor.web.headers import guard
from monitor.web.incidents import incident_routes
from monitor.web.keys import known_keys
from monitor.web.maintenance import maintenance_routes
from monitor.web.silences import silence_routes
from monitor.web.subscribers import subscriber_routes


def counter_routes(counter: Counter) -> list[web.RouteDef]:
    """The routes, for whoever serves them."""
    works, silences = maintenance_routes(counter), silence_routes(counter)
    return [*incident_routes(counter), *works, *silences, *subscriber_routes(counter), audit_route(counter)]


def counter_app(counter: Counter) -> web.Application:
    """The counter alone."""
    app = web.Application(client_max_size=LARGEST, middlewares=[tagged])
    app.on_response_prepare.append(guard)
    keep_out(app, counter.roster)
    app.middlewares.append(known_keys)
    app.add_routes(counter_routes(counter))
    return app
