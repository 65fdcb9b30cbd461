"""Links: what a module asks of others while it answers, and the code it gives when that fails.

VTEX's public list of Checkout error codes has one for nearly every link, which is what lets a monitor read a cause
out of somebody else's answer. Limits are the documented ones; where none is documented, five seconds stand in,
short enough to be seen within a probe's own timeout.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from monitor.simulator.visit import Answer, Refused, Visit, data, error

_UNDOCUMENTED = 5.0


class Trouble(StrEnum):
    """How a call to another module went wrong."""

    FAILED = "failed"  # an error of HTTP
    THROTTLED = "throttled"
    TIMEOUT = "timeout"
    BROKEN = "no answer"  # the connection ended: what stands between says 502
    ODD = "unexpected answer"
    EMPTY = "nothing applies"  # a whole and valid answer, with nothing in it: not noticed by who asked


# Asked by who goes on without an answer: an empty one means that no promotion applies, not that something failed.
FAILS_OPEN = frozenset({"rates-and-benefits"})


@dataclass(frozen=True, slots=True)
class Link:
    """One dependency. A `soft` one spoils a part of the answer and is told in `messages`; a hard one, all of it.

    `told` holds the codes that also say how the call failed.
    """

    module: str
    code: str
    what: str
    limit: float = _UNDOCUMENTED
    soft: bool = False
    told: Mapping[Trouble, str] = field(default_factory=dict, hash=False)

    def code_for(self, trouble: Trouble) -> str:
        """The code that tells this trouble."""
        return self.told.get(trouble, self.code)


_CATALOG = {
    Trouble.TIMEOUT: "ORD021.1",
    Trouble.THROTTLED: "ORD021.3",
    Trouble.BROKEN: "ORD021.6",
    Trouble.ODD: "ORD021.7",
}
_SELLER = {Trouble.TIMEOUT: "ORD015.1", Trouble.BROKEN: "ORD015.3", Trouble.ODD: "ORD015.5"}
_GATEWAY = {
    Trouble.TIMEOUT: "gatewayServiceTimeout",
    Trouble.BROKEN: "gatewayCommunicationError",
    Trouble.ODD: "gatewayCommunicationError",
}
_GIFT_CARD = dict.fromkeys((Trouble.TIMEOUT, Trouble.BROKEN, Trouble.ODD), "giftCardCommunicationError")
_ASSOCIATIONS = {Trouble.TIMEOUT: "associationsServiceTimeout"}
_TAX = {Trouble.TIMEOUT: "CHK00301"}
_ROUTING = {Trouble.TIMEOUT: "CHK0290.1", Trouble.THROTTLED: "CHK0290.4", Trouble.ODD: "CHK0290.11"}

# What the simulation asks, in the order in which it is reported when several fail at once.
SIMULATION = (
    Link("license-manager", "CHK0027", "account data"),
    Link("checkout-services", "CHK0026", "the configuration"),
    Link("catalog", "CHK0093", "items", limit=3.0, told=_CATALOG),
    Link("fulfillment", "CHK0110", "the seller", told=_SELLER),
    Link("logistics", "CHK0262", "delivery options", told={Trouble.THROTTLED: "CHK00310"}),
    Link("pricing", "CHK0270", "prices", limit=0.9),
    Link("rates-and-benefits", "CHK0233", "promotions and taxes"),
    Link("postal-code", "CHK0211", "the postal code", soft=True),
    Link("payment-options", "CHK0076", "payment options", soft=True, told=_ASSOCIATIONS),
    Link("payments", "CHK002", "the payments gateway", soft=True, told=_GATEWAY),
    Link("gift-card", "CHK0021", "gift cards", soft=True, told=_GIFT_CARD),
    Link("profile", "CHK0020", "the shopper's profile", soft=True),
    Link("session", "CHK0048", "the session", soft=True),
    Link("vtex-id", "CHK0028", "the shopper's identity", soft=True),
)

# Only where the request gives a reason to ask them: a subscription, an affiliate's sale, a doubt whether
# somebody is human, an address to tax.
SUBSCRIPTION = Link("subscriptions", "CHK0073", "the subscription", soft=True, told={Trouble.TIMEOUT: "CHK0217"})
AFFILIATE = Link("channels", "CHK0291", "the external marketplace")
RECAPTCHA = Link("recaptcha", "CHK0214", "reCAPTCHA")
TAX = Link("tax-service", "CHK0219", "taxes", told=_TAX)


def _told_as(links: tuple[Link, ...], codes: Mapping[str, str]) -> tuple[Link, ...]:
    return tuple(replace(link, code=codes.get(link.module, link.code)) for link in links)


# A cart asks the same and more, and says how adding an item failed. It is kept with Amazon.
CART = (
    Link("aws", "CHK0268", "the store of carts"),
    *_told_as(SIMULATION, {"catalog": "ORD021.6", "fulfillment": "ORD015.4", "vtex-id": "CHK00312"}),
    TAX,
)
# Before there is an address only availability is asked of Logistics.
AVAILABILITY = tuple(
    replace(link, told={Trouble.THROTTLED: "CHK00311"}) if link.module == "logistics" else link for link in CART
)
PROFILE = _told_as(CART, {"profile": "CHK0039"})  # written, not looked up
INSTALLMENTS = tuple(
    replace(link, soft=False) if link.module == "payment-options" else link
    for link in _told_as(CART, {"payment-options": "CHK0044"})
)

# Placing an order: everything once more, at the seller's side too, and this time nothing can be left out.
PLACING = (
    Link("license-manager", "FMT0048", "account data"),
    Link("checkout-services", "FMT0049", "the configuration"),
    Link("vtex-id", "FMT0050", "the shopper's identity"),
    Link("order-routing", "CHK0290.5", "the routing of orders", told=_ROUTING),
    Link("catalog", "ORD021.6", "items", limit=3.0, told=_CATALOG),
    Link("fulfillment", "ORD015.4", "the seller", told=_SELLER),
    Link("logistics", "FMT0051", "the reservation", told={Trouble.THROTTLED: "CHK00310"}),
    Link("pricing", "ORD053", "prices", limit=0.9, told={Trouble.ODD: "ORD052"}),
    Link("rates-and-benefits", "ORD003", "promotions and taxes"),
    Link("postal-code", "ORD026", "the postal code"),
    TAX,
    Link("payment-options", "ORD059", "payment options", told=_ASSOCIATIONS),
    Link("payments", "CHK0265", "the payments gateway", told=_GATEWAY),
    Link("oms", "CHK0089", "orders"),
    Link("order-authorization", "CHK0183", "the rules for orders"),
    Link("workflow", "CHK0231", "the order flow"),
    Link("aws", "CHK0279", "the queue of orders"),
    Link("profile", "CHK0020", "the shopper's profile", soft=True),
    Link("session", "CHK0048", "the session", soft=True),
    Link("audit", "CHK0043", "the audit", soft=True, told={Trouble.TIMEOUT: "CHK00299"}),
)

# Paying it: the gateway, and the connector to whoever moves the money.
PAYING = (
    Link("payments", "CHK0012", "the payments gateway", told=_GATEWAY),
    Link("payment-connectors", "001", "the payment connector", limit=20.0),
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
        case "refuse" | "reset":
            return Trouble.BROKEN
        case "wrong_json" if module in FAILS_OPEN:
            return Trouble.EMPTY
        case "garbage" | "truncate" | "wrong_json":
            return Trouble.ODD
        case "stale" | "stall" | "version_change" | "certificate_expired":
            return None  # old data still answers, and calls inside the platform do not see the public certificate
        case _:
            return Trouble.FAILED


@dataclass(frozen=True, slots=True)
class Report:
    """How the calls of one answer went: the links that failed softly, with how; and who had nothing to say."""

    soft: Mapping[Link, Trouble] = field(default_factory=dict)
    empty: frozenset[str] = frozenset()

    def without(self, *modules: str) -> bool:
        """Whether the answer has to do without one of them."""
        return any(link.module in modules for link in self.soft) or not self.empty.isdisjoint(modules)

    @property
    def messages(self) -> list[dict[str, object]]:
        """The soft failures as an answer of Checkout tells them."""
        return [
            {"code": link.code_for(trouble), "text": f"Could not reach {link.what}.", "status": "error", "fields": {}}
            for link, trouble in self.soft.items()
        ]


async def ask(visit: Visit, links: tuple[Link, ...], *modules: str) -> Report:
    """Asks these modules all at once; without names, every one.

    Refuses with the code of the first hard link that failed.
    """
    links = tuple(link for link in links if not modules or link.module in modules)
    troubles = await asyncio.gather(*(call(visit, link.module, link.limit) for link in links))
    soft: dict[Link, Trouble] = {}
    empty = set()
    for link, trouble in zip(links, troubles, strict=True):
        if trouble is Trouble.EMPTY:
            empty.add(link.module)
        elif trouble is not None and link.soft:
            soft[link] = trouble
        elif trouble is not None:
            raise Refused(error(500, link.code_for(trouble), f"Could not reach {link.what} ({trouble}).", visit))
    return Report(soft, frozenset(empty))


async def pass_through(visit: Visit, modules: tuple[str, ...]) -> Answer | None:
    """The answer when a module that carries this one fails; None when all of them work."""
    for module in modules:
        trouble = await call(visit, module)
        if trouble is not None:
            status = {Trouble.TIMEOUT: 504, Trouble.THROTTLED: 429, Trouble.BROKEN: 502}.get(trouble, 503)
            body = {"error": {"code": str(status), "message": f"{module}: {trouble}", "exception": None}}
            return data(body, status, headers={"Retry-After": "30"} if status == 429 else None)
    return None
