"""Budget: what a configuration asks of VTEX in a minute, beside the limits and the manners that VTEX documents.

Whatever is over them is warned about and never refused: contracts differ, and somebody may know better. Any account and
any file is looked at, not only the shipped one; what is off asks nothing.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from monitor.config.findings import Findings
from monitor.config.table import Path
from monitor.core.module import Platform
from monitor.core.probe import Probe
from monitor.core.target import HttpTarget

# Hosts of one account each, but for the last, which has the account in its path.
ACCOUNT_HOSTS = (
    *(".vtexcommercestable.com.br", ".vtexcommercebeta.com.br", ".myvtex.com"),
    *(".vtexpayments.com.br", ".vteximg.com.br", ".vtexassets.com"),
)
SHARED_HOST = "api.vtex.com"

PLENTY = 60  # requests a minute of one module; VTEX's own Healthcheck made about six


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` requests of one account in `minutes`, of those that `pattern` fits: `METHOD /PATH?QUERY`.

    `each` counts every endpoint by itself. `extra` counts the runs that a suspicion may add.
    """

    what: str
    pattern: re.Pattern[str]
    most: int
    minutes: int = 1
    each: bool = False
    extra: bool = True


def _of(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# Reading prices has no documented figure: "under review".
LIMITS = (
    Limit("to the Catalog API", _of(r"\w+ /api/catalog(_system)?/"), 45_000),
    Limit("to one endpoint of the Catalog API", _of(r"\w+ /api/catalog(_system)?/"), 15_000, each=True),
    Limit("to the Orders API", _of(r"\w+ /api/(oms|orders)/"), 6_000),
    Limit("that write prices", _of(r"(POST|PUT) /[^/]+/pricing/"), 2_000),
    Limit("that delete prices", _of(r"DELETE /[^/]+/pricing/"), 1_000),
    Limit("to the Gift Card API", _of(r"\w+ /api/gift-?cards?"), 5_000),
    Limit("that make coupons", _of(r"POST /api/rnb/\S*coupon"), 60),
    Limit("to the first step of VTEX ID", _of(r"\w+ /api/vtexid/pub/authentication/start\b"), 200),
    Limit(
        "that make carts", _of(r"\w+ /api/checkout/pub/orderForm\S*[?&]forceNewCart=true"), 1, minutes=5, extra=False
    ),
)

# What no probe should ask, why, and what to ask instead.
MANNERS = (
    (
        _of(r"(?!GET /api/orders/feed/config)\w+ /api/orders/feed\b"),
        "takes orders away from the system they are meant for, or changes their feed: GET `/api/orders/feed/config`",
    ),
    (
        _of(r"\w+ /api/vlm/account/?(\?|$)"),
        "is answered with application keys and contact data: ask `/api/vlm/account/stores`",
    ),
    (
        _of(r"\w+ /api/catalog_system/pvt/seller/list\b"),
        "is answered with user names and passwords: ask `/api/seller-register/pvt/sellers?from=0&to=1`",
    ),
    (
        _of(r"\w+ /api/vtexid/\S*(login|accesskey|classic|password)"),
        "mails people, locks users or is answered with a token: ask `/api/vtexid/pub/authentication/start`",
    ),
    (
        _of(r"\w+ /api/dataentities/[^/?]+/(search|scroll)\S*[?]\S*(\*|%2A)"),
        "searches with a wildcard, which blocks the account for a while when there are many: search without `*`",
    ),
)


class Asked(NamedTuple):
    """One request that a probe makes, so often a minute from all places together."""

    path: Path  # where it stands in the file
    account: str  # or the host, where that does not tell it
    is_vtex: bool
    line: str  # METHOD /PATH?QUERY
    rate: float


def check(platform: Platform, findings: Findings) -> None:
    """Warns about every limit that would be exceeded, every module that is asked without end, and bad manners."""
    extra = 60 * (1 + 0.1 * platform.load)  # of docs/judgement.md: 60 a minute and a tenth of the scheduled runs
    by_module = list(_requests(platform))
    requests = [one for module in by_module for one in module]
    for limit in LIMITS:
        _keep(limit, requests, extra, findings)
    for index, module in enumerate(by_module):
        rate = sum(one.rate for one in module if one.is_vtex)
        if rate > PLENTY:
            said = f"this module is asked {_figure(rate)} times a minute in all"
            findings.warning(("modules", index, "id"), f"{said}; one run a minute from each of two networks is plenty")
    for one in requests:
        for pattern, said in MANNERS:
            if pattern.match(one.line):
                findings.warning((*one.path, "url"), f"this request {said}")
        if one.is_vtex and one.account == "apiexamples":
            findings.warning((*one.path, "url"), "`apiexamples` is VTEX's own account: watch a store of your own")


def _keep(limit: Limit, requests: list[Asked], extra: float, findings: Findings) -> None:
    """Warns where the requests of one account are more than a limit allows, at the one that adds most."""
    groups: dict[tuple[str, str], list[Asked]] = defaultdict(list)
    for one in requests:
        if limit.pattern.match(one.line):
            endpoint = re.sub(r"\d+", "#", one.line.partition("?")[0]) if limit.each else ""
            groups[one.account, endpoint].append(one)
    for found in groups.values():
        asked = (sum(one.rate for one in found) + (extra if limit.extra else 0)) * limit.minutes
        if asked <= limit.most:
            continue
        most = max(found, key=lambda one: one.rate)
        span = "a minute" if limit.minutes == 1 else f"in {limit.minutes} minutes"
        many = f"{len(found)} probes" if len(found) > 1 else "this probe"
        counted = ", extra runs of a suspicion included" if limit.extra else ""
        findings.warning(
            (*most.path[:4], "interval"),
            f"{_figure(asked)} requests {span} {limit.what} from {many}{counted}; the limit for one account is "
            f"{limit.most:,}: lengthen `interval`",
        )


def _figure(number: float) -> str:
    return f"{number:,.1f}".removesuffix(".0")


def _requests(platform: Platform) -> Iterator[list[Asked]]:
    """The requests of each module, in the order of the file."""
    for index, module in enumerate(platform.modules.values()):
        found: list[Asked] = []
        for number, probe in enumerate(module.probes):
            if probe.off is None:
                found += _of_probe(probe, ("modules", index, "probes", number))
        yield found


def _of_probe(probe: Probe, path: Path) -> Iterator[Asked]:
    rate = len(probe.locations) * 60 / probe.interval.total_seconds()
    if isinstance(probe.ask, HttpTarget):
        yield _asked(probe.ask, path, rate)
    for number, step in enumerate(probe.steps):
        if not step.withheld:
            yield _asked(step.ask.http, (*path, "steps", number), rate)


def _asked(target: HttpTarget, path: Path, rate: float) -> Asked:
    parts = urlsplit(target.url)
    host = (parts.hostname or "").rstrip(".")
    account, is_vtex = host, host == SHARED_HOST
    if is_vtex:
        account = parts.path.split("/")[1] if "/" in parts.path else ""
    elif any(host.endswith(one) for one in ACCOUNT_HOSTS):
        # A workspace of VTEX IO stands before the account: `try--store`.
        account, is_vtex = host.partition(".")[0].rpartition("--")[2], True
    query = f"?{parts.query}" if parts.query else ""
    return Asked(path, account.lower(), is_vtex, f"{target.method} {parts.path or '/'}{query}", rate)
