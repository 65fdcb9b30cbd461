"""Promises: what `plans`, `stores` and `site.help` must agree on, with each other and with the codes there are."""

from monitor.config.findings import Findings, shown
from monitor.config.table import Withheld, each
from monitor.core.codes import CODES
from monitor.core.vtexcodes import VTEX

KNOWN = frozenset({*CODES, *VTEX, *(code.partition(".")[0] for code in CODES)})


def check(findings: Findings) -> None:
    """Help is for codes that exist; no store has more users of the ticket tool than its plan allows."""
    for path, _ in each(findings.root, ("site", "help", "*")):
        code = str(path[-1])
        if path[-1] != "help" and code not in KNOWN:
            said = f"`help` names an unknown code, {shown(code)}{findings.nearest(code, sorted(KNOWN))}"
            findings.error(path, said, key=True)
    plans = [one for _, one in each(findings.root, ("plans", "*")) if isinstance(one, dict)]
    limits = {one["id"]: one.get("ticket_users") for one in plans if isinstance(one.get("id"), str)}
    for path, one in each(findings.root, ("stores", "*")):
        plan = one.get("plan") if isinstance(one, dict) else None
        if not isinstance(plan, str) or isinstance(plan, Withheld):
            continue
        users, limit = one.get("ticket_users"), limits.get(plan)
        if isinstance(users, int) and isinstance(limit, int) and users > limit:
            said = f"`ticket_users` is {users}, and plan {shown(plan)} is for {limit} users of the ticket tool"
            findings.warning((*path, "ticket_users"), said)
