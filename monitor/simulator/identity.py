"""Identity: VTEX ID, which says who somebody is, and License Manager, which says what they may do."""

from datetime import timedelta

from monitor.simulator.visit import Answer, Endpoint, Visit, data, error


async def start(visit: Visit) -> Answer:
    """The first step of a login: a token and the ways to log in that the store shows."""
    if not visit.query.get("scope"):
        return error(400, "scope-missing", "scope is needed", visit)
    answer = data(
        {
            "authenticationToken": visit.unique("authentication").upper(),
            "oauthProviders": [],
            "showClassicAuthentication": True,
            "showAccessKeyAuthentication": True,
            "showPasskeyAuthentication": False,
            "authCookie": None,
            "isAuthenticated": False,
            "selectedProvider": None,
        }
    )
    answer.cookies = (f"_vss={visit.unique('vss')}; path=/; secure; HttpOnly",)
    answer.headers["x-ratelimit-limit"] = "200"
    return answer


async def machine_login(visit: Visit) -> Answer:
    """Trades an application key for a token that lives a day."""
    given = visit.object()
    if not given.get("appkey") or not given.get("apptoken"):
        return error(401, "credentials-missing", "appkey and apptoken are needed", visit)
    expires = visit.moment + timedelta(days=1)
    return data(
        {
            "authStatus": "Success",
            "token": visit.unique("token"),
            "expires": int(expires.timestamp()),
        }
    )


async def stores(visit: Visit) -> Answer:
    """The stores of the account and their hosts."""
    hosts = [f"www.{visit.account}.example", f"{visit.account}.myvtex.com"]
    return data([{"id": "1", "name": visit.account, "hosts": hosts}])


async def roles(visit: Visit) -> Answer:
    """One page of the account's roles."""
    size = visit.number_of("numItems", 20)
    names = ("Owner", "Monitor (leitura)", "Operação")
    items = [{"id": index, "name": name, "roleType": 1} for index, name in enumerate(names, 1)]
    return data({"items": items[:size], "paging": {"page": 1, "perPage": size, "total": len(names), "pages": 1}})


_API = ("commerce", "io")

ENDPOINTS = (
    Endpoint("GET", (*_API, "store"), "/api/vtexid/pub/authentication/start", "vtex-id", start),
    Endpoint("POST", _API, "/api/vtexid/apptoken/login", "vtex-id", machine_login),
    Endpoint("GET", _API, "/api/vlm/account/stores", "license-manager", stores, keyed=True),
    Endpoint("GET", _API, "/api/license-manager/site/pvt/roles/list/paged", "license-manager", roles, keyed=True),
)
