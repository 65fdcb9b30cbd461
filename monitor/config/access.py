"""Access: who gets in to the operators' side, and the one form in which a password is written.

That is PHC's: `$scrypt$ln=17,r=8,p=1$SALT$HASH`, both in base64 without padding. It is a configuration error where it
would be cheap to guess, or so dear that checking it would be a way to hurt us.
"""

import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainValidator, WithJsonSchema

from monitor.config.expect import Section
from monitor.config.scalars import nothing_if_empty, refuse
from monitor.config.table import Withheld
from monitor.core.roster import Password

LOG_COST, BLOCK, LANES, SALT_BYTES, HASH_BYTES = 17, 8, 1, 16, 32  # what OWASP recommends of scrypt
LEAST_WORK = (8 * 5) << 14  # N · r · p; the least that OWASP finds equal to that
MOST_WORK = (8 * 4) << 18
MOST_MEMORY = 256 * 1024**2  # bytes
LONGEST_NAME = 100  # characters
SHORTEST_SECRET = 16  # characters of what can be tried from afar

_PHC = re.compile(r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,3}),p=([0-9]{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)")
_NO_PASSWORD = Password(LOG_COST, BLOCK, LANES, bytes(SALT_BYTES), bytes(HASH_BYTES))


def made(said: str) -> str:
    """The line to write for a password; each time another, for its salt."""
    fresh = replace(_NO_PASSWORD, salt=secrets.token_bytes(SALT_BYTES))
    salt, hash = (b64encode(one).decode().rstrip("=") for one in (fresh.salt, fresh.derived(said)))
    return f"$scrypt$ln={LOG_COST},r={BLOCK},p={LANES}${salt}${hash}"


def password(value: Any) -> Password:
    """What is kept of a password, from its line. Raises PydanticCustomError, which never holds the line."""
    if isinstance(value, Withheld):
        return _NO_PASSWORD
    match = _PHC.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise refuse("must be a line that `monitor password` makes: $scrypt$ln=17,r=8,p=1$SALT$HASH")
    log_cost, block, lanes = (int(one) for one in match.groups()[:3])
    found = Password(log_cost, block, lanes, _bytes(match[4]), _bytes(match[5]))
    if not (block and lanes and 10 <= log_cost <= 24 and found.work >= LEAST_WORK):
        raise refuse("is too cheap to guess: make it anew with `monitor password`")
    if found.memory > MOST_MEMORY or found.work > MOST_WORK:
        raise refuse("takes too much to check: make it anew with `monitor password`")
    if not (SALT_BYTES <= len(found.salt) <= 64 and HASH_BYTES <= len(found.hash) <= 64):
        raise refuse("has a salt below 16 bytes or a hash below 32: make it anew with `monitor password`")
    return found


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except Error:
        raise refuse("is cut short: make it anew with `monitor password`") from None


def _secret(value: Any) -> str:
    if isinstance(value, Withheld):
        return str(value)
    if not isinstance(value, str):
        raise refuse("must be text; put it in quotes")
    if len(value) < SHORTEST_SECRET or len(set(value)) < 6:
        raise refuse(f"must be at least {SHORTEST_SECRET} characters that cannot be guessed")
    return str(value)


def _name(value: Any) -> str:
    if isinstance(value, Withheld):
        return str(value)
    if not isinstance(value, str) or not value.isprintable() or value != value.strip():
        raise refuse("must be a name, without spaces around it")
    if not 0 < len(value) <= LONGEST_NAME:
        raise refuse(f"must be a name of up to {LONGEST_NAME} characters")
    return str(value)


Secret = Annotated[str, PlainValidator(_secret), WithJsonSchema({"type": "string", "minLength": SHORTEST_SECRET})]
OptionalSecret = Annotated[Secret | None, BeforeValidator(nothing_if_empty)]
Hashed = Annotated[Password, PlainValidator(password), WithJsonSchema({"type": "string", "pattern": r"^\$scrypt\$"})]
PersonName = Annotated[str, PlainValidator(_name), WithJsonSchema({"type": "string", "maxLength": LONGEST_NAME})]
RoleName = Literal["viewer", "operator"]


class UserSection(Section):
    """Somebody who logs in with a password."""

    name: PersonName = Field(description="What they log in with, and what the record of operators calls them.")
    password: Hashed = Field(description="The line that `monitor password` makes of it.")
    role: RoleName = Field("viewer", description="`viewer` reads everything, `operator` changes it as well.")


class TokenSection(Section):
    """What a program sends as `Authorization: Bearer TOKEN`."""

    name: PersonName = Field(description="What the record of operators calls whoever sends it.")
    token: Secret = Field(description="At least 16 characters; better `${NAME}` than the token itself.")
    role: RoleName = Field("viewer", description="`viewer` reads everything, `operator` changes it as well.")
