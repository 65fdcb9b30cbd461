"""People who are named: their passwords are scrypt's as anywhere, only cheap to check."""

import re

from aiohttp import ClientResponse

from monitor.core.roster import Password, Role, Roster, Token, User
from tests.web.operators import Side

FORM = "application/x-www-form-urlencoded"
SECRETS = {"ana": "ana's own ã", "eva": "eva's own", "reader": "a-token-of-a-reader", "robot": "a-token-of-a-robot"}


def password(said: str, salt: bytes = b"salt" * 4) -> Password:
    empty = Password(4, 8, 1, salt, bytes(32))
    return Password(4, 8, 1, salt, empty.derived(said))


ANA = User("ana", password(SECRETS["ana"]), Role.OPERATOR)
EVA = User("eva", password(SECRETS["eva"]), Role.VIEWER)
READER = Token(SECRETS["reader"], Role.VIEWER, "reader")
ROBOT = Token(SECRETS["robot"], Role.OPERATOR, "robot")
BARE = Token("the-token-of-ops")
EVERYBODY = Roster((ANA, EVA), (BARE, READER, ROBOT))


def bearing(token: Token) -> dict[str, str]:
    return {"Authorization": f"Bearer {token.text}"}


async def log_in(side: Side, name: str, said: str | None = None, **headers: str) -> ClientResponse:
    """A login as a user, with the right password unless another is given."""
    fields = {"name": name, "password": SECRETS.get(name, "") if said is None else said}
    return await side.post("/healthcheck/login", fields, **headers)


def cookie_of(side: Side) -> str:
    """What the browser would send."""
    return next(one.value for one in side.client.session.cookie_jar if one.key == "monitor_session")


async def csrf_of(side: Side) -> str:
    """What is written into the pages of whoever is logged in."""
    found = re.search(r'name="csrf" value="([^"]+)"', await (await side.get("/healthcheck")).text())
    assert found is not None
    return found[1]
