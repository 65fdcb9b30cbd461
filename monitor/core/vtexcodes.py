"""Vtexcodes: the error codes of VTEX's own Checkout answers: which dependency they name, or which setting of the shop.

The text of an answer is in any language; the code is not. A code with a detail (`ORD021.3`) says what went wrong there.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from monitor.core.wording import N_


@dataclass(frozen=True, slots=True)
class Known:
    """A code. `module` is the part of the platform that it names; without one it is about the shop or about whoever
    asks, and `meaning` says what. `detail` is what a number behind the point tells."""

    module: str | None = None
    meaning: str | None = None
    detail: str | None = None


NAMED: Mapping[str, tuple[str, ...]] = {
    "Catalog": ("CHK0093", "ORD021"),
    "Logistics": ("CHK0262", "FMT0051", "CHK00310", "CHK00311"),
    "Promotions & Taxes": ("CHK0233", "ORD003"),
    "Pricing Hub": ("CHK0270", "ORD052", "ORD053"),
    "Tax Hub": ("CHK0219", "CHK00301"),
    "Payments gateway": ("CHK002", "CHK0012", "CHK0265", "gatewayServiceTimeout", "gatewayCommunicationError"),
    "Payment options": ("CHK0076", "CHK0044", "ORD059", "associationsServiceTimeout"),
    "Gift Card Hub": ("CHK0021", "giftCardCommunicationError"),
    "Profile System": ("CHK0020", "CHK0039"),
    "Session Manager": ("CHK0048",),
    "VTEX ID": ("CHK0028", "CHK00312", "CHK00313", "CHK00314", "CHK00315", "CHK00316", "FMT0050"),
    "License Manager": ("CHK0027", "FMT0048"),
    "Configuration": ("CHK0026", "FMT0049"),
    "Postal codes": ("CHK0211", "ORD026"),
    "Fulfillment": ("CHK0110", "ORD015"),
    "OMS": ("CHK0089",),
    "Workflow": ("CHK0231",),
    "Order Authorization": ("CHK0183",),
    "Legacy orders": ("CHK0173",),
    "Order routing": ("CHK0290",),
    "Subscriptions": ("CHK0073", "CHK0217"),
    "Audit": ("CHK0043", "CHK00299"),
    "Conversation tracker": ("CHK0101",),
    "External marketplace": ("CHK0291",),
    "Events": ("ORD016",),
    "Token service": ("CHK0052",),
    "Trusted sessions": ("ORD041",),
    "UniKey": ("CHK0070",),
    "SNO": ("CHK0083",),
    "Amazon S3": ("CHK0268",),
    "Amazon SQS": ("CHK0279",),
    "Google reCAPTCHA": ("CHK0214",),
    "Checkout": ("CHK0084", "CHK0292"),
}
OWN: Mapping[str, tuple[str, ...]] = {
    N_("No sales channel, or no way to pay, is set up."): ("CHK0010", "CHK007"),
    N_("Credentials are missing or wrong."): ("CHK003", "ORD062"),
    N_("The account or the seller is inactive, or the seller is blocked."): ("CHK0280", "CHK0045", "CHK0266"),
    N_("The product cannot be sold: no stock, no price, or nobody who delivers it."): (
        *("ORD027", "ORD028", "withoutStock", "withoutPrice", "unavailableItemFulfillment"),
    ),
    N_("No shipping policy covers the postal code."): ("cannotBeDelivered",),
    N_("What was sent is not what the interface takes."): (
        *("ORD001", "ORD002", "ORD005", "CHK0022", "CHK0023", "CHK0024", "CHK0025"),
    ),
    N_("The account wants a reCAPTCHA token, and none came."): ("CHK0082",),
}
_TIMEOUT, _CANCELLED, _OTHER = N_("no answer in time"), N_("the call was cancelled"), N_("something unexpected")
_STATUS, _MALFORMED = N_("an error status"), N_("an answer that cannot be read")
DETAILS: Mapping[str, Mapping[int, str]] = {
    "ORD021": {
        **{1: _TIMEOUT, 2: _CANCELLED, 3: N_("too many requests (429)"), 4: N_("a gateway's time-out (504)")},
        **{5: N_("access refused (401)"), 6: _STATUS, 7: _OTHER},
    },
    "ORD015": {1: _TIMEOUT, 2: _CANCELLED, 3: N_("no valid answer from a gateway (502)"), 4: _STATUS, 5: _OTHER},
    "CHK0290": {
        **{1: _TIMEOUT, 4: N_("too many requests (429)"), 5: _STATUS, 12: _OTHER},
        **dict.fromkeys(range(6, 12), _MALFORMED),
    },
}
TRAPS: Mapping[str, str] = {
    "ORD015": N_("Wrong coordinates in the request give this code as well."),
    "ORD026": N_("A badly formed country in the request gives this code as well."),
}

VTEX: dict[str, Known] = {
    **{code: Known(module=module) for module, codes in NAMED.items() for code in codes},
    **{code: Known(meaning=meaning) for meaning, codes in OWN.items() for code in codes},
    **dict.fromkeys(("CHK0084", "CHK0292"), Known("Checkout", N_("Calls got in each other's way inside Checkout."))),
    **{
        f"{code}.{number}": Known(next(module for module, codes in NAMED.items() if code in codes), detail=detail)
        for code, details in DETAILS.items()
        for number, detail in details.items()
    },
}
