"""Links: what a module asks of others while it answers, and the code it gives when that fails.

VTEX's public list of Checkout error codes has one for nearly every link, which is what lets a monitor read a cause
out of somebody else's answer. Limits are the documented ones; where none is documented, five seconds stand in,
short enough to be seen within a probe's own timeout.
"""

import asyncio
from dataclasses import dataclass
from enum import StrEnum

from monitor.simulator.visit import Answer, Refused, Visit, data, error

_UNDOCUMENTED = 5.0


class Trouble(StrEnum):
    """How a call to another module went wrong."""

    FAILED = "failed"
    THROTTLED = "throttled"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class Link:
    """One dependency. A `soft` one spoils a part of the answer and is told in `messages`; a hard one, all of it."""

    module: str
    code: str
    what: str
    limit: float = _UNDOCUMENTED
    soft: bool = False
    on_timeout: str | None = None
    on_throttle: str | None = None

    def code_for(self, trouble: Trouble) -> str:
        """The code that tells this trouble."""
        special = {Trouble.TIMEOUT: self.on_timeout, Trouble.THROTTLED: self.on_throttle}.get(trouble)
        return special or self.code


# In the order in which they are reported when several fail at once.
CHECKOUT = (
    Link("license-manager", "CHK0027", "account data"),
    Link("catalog", "CHK0093", "items", limit=3.0, on_timeout="ORD021.1", on_throttle="ORD021.3"),
    Link("fulfillment", "CHK0110", "the seller"),
    Link("logistics", "CHK0262", "delivery options", on_throttle="CHK00310"),
    Link("pricing", "CHK0270", "prices", limit=0.9),
    Link("rates-and-benefits", "CHK0233", "promotions and taxes"),
    Link("postal-code", "CHK0211", "the postal code", soft=True),
    Link("payment-options", "CHK0076", "payment options", soft=True, on_timeout="associationsServiceTimeout"),
    Link("payments", "CHK002", "the payments gateway", soft=True, on_timeout="gatewayServiceTimeout"),
    Link("gift-card", "CHK0021", "gift cards", soft=True),
    Link("profile", "CHK0020", "the shopper's profile", soft=True),
    Link("session", "CHK0048", "the session", soft=True),
    Link("vtex-id", "CHK0028", "the shopper's identity", soft=True),
)


async def call(visit: Visit, module: str, limit: float = _UNDOCUMENTED) -> Trouble | None:
    """Asks another module from inside the platform; waits as long as it is slow, never past the limit."""
    strike = visit.faults.draw(module, visit.location)
    if strike is None:
        return None
    match strike.fault:
        case "http_429":
            return Trouble.THROTTLED
        case "timeout":
            await asyncio.sleep(min(strike.delay, limit))
            return Trouble.TIMEOUT
        case "slow":
            await asyncio.sleep(min(strike.delay, limit))
            return Trouble.TIMEOUT if strike.delay > limit else None
        case "stale" | "stall" | "version_change" | "certificate_expired":
            return None  # old data still answers, and calls inside the platform do not see the public certificate
        case _:
            return Trouble.FAILED


@dataclass(frozen=True, slots=True)
class Report:
    """How the calls of one answer went: the codes of soft links that failed, by module."""

    soft: dict[str, str]

    @property
    def messages(self) -> list[dict[str, object]]:
        """The soft failures as an answer of Checkout tells them."""
        said = {link.module: link.what for link in CHECKOUT}
        return [
            {"code": code, "text": f"Could not reach {said[module]}.", "status": "error", "fields": {}}
            for module, code in self.soft.items()
        ]


async def ask_all(visit: Visit, *modules: str) -> Report:
    """Asks what Checkout needs, all at once. Refuses with the code of the first hard link that failed.

    Without names every link is asked.
    """
    links = [link for link in CHECKOUT if not modules or link.module in modules]
    troubles = await asyncio.gather(*(call(visit, link.module, link.limit) for link in links))
    soft: dict[str, str] = {}
    for link, trouble in zip(links, troubles, strict=True):
        if trouble is None:
            continue
        code = link.code_for(trouble)
        if not link.soft:
            raise Refused(error(500, code, f"Could not reach {link.what} ({trouble}).", visit))
        soft[link.module] = code
    return Report(soft)


async def pass_through(visit: Visit, modules: tuple[str, ...]) -> Answer | None:
    """The answer when a module that carries this one fails; None when all of them work."""
    for module in modules:
        trouble = await call(visit, module)
        if trouble is not None:
            status = {Trouble.TIMEOUT: 504, Trouble.THROTTLED: 429}.get(trouble, 503)
            body = {"error": {"code": str(status), "message": f"{module}: {trouble}", "exception": None}}
            return data(body, status, headers={"Retry-After": "30"} if status == 429 else None)
    return None
