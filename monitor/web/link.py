"""Link: an address that lets whoever was sent it acknowledge one incident for a day, without a login.

Its token says which incident, sent to whom and until when, and is signed, so that nothing of it has to be kept. Whoever
has it can say "mine", and nothing else.
"""

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

LASTS = timedelta(hours=24)
PATH = "/acknowledge"
LONGEST = 2000  # characters of a token
PURPOSE = b"vtex-monitor acknowledge 1"  # of the key, so that a signature made for something else is worth nothing here


@dataclass(frozen=True, slots=True)
class Claim:
    """What a token says: the incident's id, the channel or person it was sent to, and its end (aware UTC)."""

    incident: str
    to: str
    until: datetime


class Flaw(StrEnum):
    """Why a token is worth nothing."""

    WRONG = "wrong"
    EXPIRED = "expired"


def link_for(secret: bytes, claim: Claim) -> str:
    """The token of a claim: safe in an address, two parts with a dot between them."""
    said = [claim.incident, claim.to, int(claim.until.timestamp())]
    body = _text(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
    return f"{body}.{_signature(secret, body)}"


def read(secret: bytes, token: str, now: datetime) -> Claim | Flaw:
    """The claim of a token that we made and that has not expired, else what is wrong with it."""
    body, _, signature = token.partition(".")
    given, right = signature.encode("utf-8", "replace"), _signature(secret, body).encode()
    if len(token) > LONGEST or not hmac.compare_digest(given, right):
        return Flaw.WRONG
    incident, to, until = json.loads(urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    claim = Claim(incident, to, datetime.fromtimestamp(until, UTC))
    return claim if now < claim.until else Flaw.EXPIRED


def _signature(secret: bytes, body: str) -> str:
    key = hmac.digest(secret, PURPOSE, "sha256")
    return _text(hmac.digest(key, body.encode("utf-8", "replace"), "sha256"))


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")


class Links:
    """Makes links under one secret and reads them again. `ops_url` is where people reach the operators' side."""

    def __init__(self, secret: bytes, ops_url: str | None) -> None:
        self._secret = secret
        self.ops_url = ops_url

    def acknowledge_url(self, incident: str, channel: str, at: datetime) -> str | None:
        """The address to put into a notice of this incident that goes out over this channel at this time.

        None where nobody said how people reach the operators' side. The same arguments give the same address.
        """
        if self.ops_url is None:
            return None
        return f"{self.ops_url}{PATH}/{link_for(self._secret, Claim(incident, channel, at + LASTS))}"

    def read(self, token: str, now: datetime) -> Claim | Flaw:
        """What a token says, else what is wrong with it."""
        return read(self._secret, token, now)
