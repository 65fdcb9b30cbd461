"""Visit and Answer: one request as the module that answers it sees it, and what it says back.

Answers are made here as plain data; putting them on the wire, whole or broken, is left to `wire.py`.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

from monitor.simulator.faults import Faults
from monitor.simulator.ledger import Ledger

# How long caches may keep what: the first two are documented, the last stands in where nothing is.
PAGE_LIFE, FILE_LIFE, API_LIFE = 1800.0, 3600.0, 300.0


@dataclass(slots=True)
class Answer:
    """A whole answer. `life` is how many seconds a cache may keep it; above 0 the caches show their headers."""

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()
    life: float = 0.0


def data(value: Any, status: int = 200, *, life: float = 0.0, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer of JSON."""
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Answer(status, body, headers=dict(headers or {}), life=life)


def page(html: str, status: int = 200, *, life: float = PAGE_LIFE) -> Answer:
    """An answer of HTML."""
    return Answer(status, html.encode(), "text/html; charset=utf-8", life=life)


def error(status: int, code: str, message: str, visit: "Visit | None" = None) -> Answer:
    """The error envelope of Checkout and of most modules; `operationId` joins it to the logs of the platform."""
    operation = visit.unique("operation") if visit else "0" * 32
    return data(
        {"fields": {}, "error": {"code": code, "message": message, "exception": None}, "operationId": operation},
        status,
    )


class Refused(Exception):
    """The request is answered at once with this answer instead of the usual one."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(slots=True)
class Visit:
    """One request. `moment` is now, or when the module's data stopped; `number` counts the requests of the platform."""

    account: str
    host: str
    method: str
    path: str
    module: str
    faults: Faults
    ledger: Ledger
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    params: Mapping[str, str] = field(default_factory=dict)
    location: str | None = None
    moment: datetime = field(default_factory=lambda: datetime.now(UTC))
    number: int = 0

    def json(self) -> Any:
        """The body as JSON. Refuses with the code of a malformed request when it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            raise Refused(error(400, "ORD001", "the body is not JSON", self)) from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Refuses anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise Refused(error(400, "ORD001", "the body is not an object", self))
        return value

    def unique(self, kind: str) -> str:
        """32 hex digits, new for each request; of a module whose data stands still, always the same."""
        return blake2b(f"{self.module}/{kind}/{self.number}".encode(), digest_size=16).hexdigest()

    def available(self, sku: int | str) -> int:
        """How many of a SKU can be sold now."""
        return self.ledger.available(str(sku), self.moment)

    def number_of(self, name: str, default: int) -> int:
        """A whole number of the query. Refuses with 400 when it is none."""
        text = self.query.get(name, str(default))
        if not text.isdecimal() or len(text) > 9:
            raise Refused(error(400, "ORD001", f"{name} is not a number", self))
        return int(text)


def bad(visit: Visit, why: str, code: str = "ORD001") -> Refused:
    """A refusal of a request that is wrong by itself; its code is one of those that blame the caller."""
    return Refused(error(400, code, why, visit))


Reply = Callable[[Visit], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One route. `keyed` asks for an application key; `through` names modules that must work for it to be reached."""

    method: str
    hosts: tuple[str, ...]
    path: str
    module: str
    reply: Reply
    keyed: bool = False
    through: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is counted under."""
        return f"{self.method} {self.path}"
