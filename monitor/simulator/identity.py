"""Identity: VTEX ID, which says who somebody is, and License Manager, which says what they may do."""

from datetime import timedelta

from monitor.simulator.keys import is_known
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
    if not is_known(given.get("appkey"), given.get("apptoken")):
        return error(401, "credentials", "no valid appkey and apptoken", visit)
    expires = visit.moment + timedelta(days=1)
    return data(
        {
            "authStatus": "Success",
            "token": visit.unique("token"),
            "expires": int(expires.timestamp()),
        }
    )


async def send_access_code(visit: Visit) -> Answer:
    """Mails somebody a code: here so that it is seen when a monitor makes it do so."""
    return Answer(204)


async def account(visit: Visit) -> Answer:
    """The account with its keys and contacts: here so that it is seen when a monitor asks for them."""
    key = {"id": "1", "appKey": f"vtexappkey-{visit.account}-OWNER", "appToken": "not-a-real-token", "isActive": True}
    return data({"isActive": True, "accountName": visit.account, "telephone": "+550000000000", "appKeys": [key]})


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
    Endpoint("POST", (*_API, "store"), "/api/vtexid/pub/authentication/accesskey/send", "vtex-id", send_access_code),
    Endpoint("GET", _API, "/api/vlm/account", "license-manager", account, keyed=True),
    Endpoint("GET", _API, "/api/vlm/account/stores", "license-manager", stores, keyed=True),
    Endpoint("GET", _API, "/api/license-manager/site/pvt/roles/list/paged", "license-manager", roles, keyed=True),
)
