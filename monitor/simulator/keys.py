"""Keys: what an application key may read. Any pair is a good key; a few tokens play the bad ones.

`wrong` and `expired` are no credentials (401); `forbidden` belongs to a key whose role holds nothing (403);
`only:oms,logistics` to one whose role reaches those modules and no other.
"""

from monitor.simulator.links import call
from monitor.simulator.visit import Refused, Visit, error

_NO_CREDENTIALS = ("wrong", "expired")
_NO_ROLE = "forbidden"
_ONLY = "only:"


def is_known(key: object, token: object) -> bool:
    """Whether these are credentials at all, whatever they may read."""
    return bool(key) and bool(token) and isinstance(token, str) and token not in _NO_CREDENTIALS


def _may(token: str, module: str) -> bool:
    if token.startswith(_ONLY):
        return module in token.removeprefix(_ONLY).split(",")
    return token != _NO_ROLE


async def allow(visit: Visit) -> None:
    """Lets a request with an application key pass. Refuses one without, and all of them without License Manager."""
    key, token = visit.headers.get("X-VTEX-API-AppKey"), visit.headers.get("X-VTEX-API-AppToken")
    checkout = visit.module == "checkout"
    if not is_known(key, token) or token is None:
        raise Refused(error(401, "CHK003" if checkout else "401", "no valid application key and token", visit))
    if not _may(token, visit.module):
        raise Refused(error(403, "CHK003" if checkout else "403", "the role of this key does not reach that", visit))
    if visit.module != "license-manager" and await call(visit, "license-manager") is not None:
        raise Refused(error(503, "CHK0027", "License Manager could not be asked what this key may read", visit))
