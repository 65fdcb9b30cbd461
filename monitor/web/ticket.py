"""Ticket: addresses by which a subscription is confirmed and ended, without a login.

A ticket says whose it is, 128 bits that nobody can guess, and is signed for one purpose, so that nothing of it has to
be kept and whoever has one to confirm cannot end with it.
"""

import hmac
import re
from base64 import urlsafe_b64encode
from secrets import token_urlsafe

CONFIRM, LEAVE = "confirm", "unsubscribe"
ID_BYTES = 16
_TICKET = re.compile(r"([A-Za-z0-9_-]{20,30})\.([A-Za-z0-9_-]{43})")


def new_id() -> str:
    """An id of a subscription that nobody can guess."""
    return token_urlsafe(ID_BYTES)


def base_of(subscribe_url: str) -> str:
    """Where the endpoints lie, from `site.subscribe_url`, which may name the first of them itself."""
    return subscribe_url.rstrip("/").removesuffix("/subscribe")


class Tickets:
    """Makes tickets under one secret and reads them again. `base` is where the endpoints are reached."""

    def __init__(self, secret: bytes, base: str) -> None:
        self._secret = secret
        self.base = base

    def confirm_url(self, id: str) -> str:
        """Where a subscription is confirmed."""
        return f"{self.base}/subscribe/confirm/{self._ticket(CONFIRM, id)}"

    def leave_url(self, id: str) -> str:
        """Where it is ended."""
        return f"{self.base}/unsubscribe/{self._ticket(LEAVE, id)}"

    def key_of(self, id: str) -> bytes:
        """What calls to this subscriber are signed with."""
        return self._signed("webhook", id)

    def read(self, purpose: str, ticket: str) -> str | None:
        """Whose ticket this is; None for one that we did not make for that."""
        match = _TICKET.fullmatch(ticket)
        if match is None or not hmac.compare_digest(ticket.encode(), self._ticket(purpose, match[1]).encode()):
            return None
        return match[1]

    def _ticket(self, purpose: str, id: str) -> str:
        return f"{id}.{urlsafe_b64encode(self._signed(purpose, id)).decode().rstrip('=')}"

    def _signed(self, purpose: str, id: str) -> bytes:
        key = hmac.digest(self._secret, b"vtex-monitor subscription 1", "sha256")
        return hmac.digest(key, f"{purpose}\0{id}".encode(), "sha256")
