"""Promises: what `plans`, `stores` and `site.help` must agree on, with each other and with the codes there are."""

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from monitor.config.findings import Findings, shown
from monitor.config.scalars import number
from monitor.config.table import Withheld, each
from monitor.core.codes import CODES
from monitor.core.vtexcodes import VTEX

KNOWN = frozenset({*CODES, *VTEX, *(code.partition(".")[0] for code in CODES)})

LEAST = {"orders_per_day": 0, "average_ticket": 0}  # of a shop; it may well shrink
LOW, HIGH = ("at_least", "more_than"), ("at_most", "less_than")


def check(findings: Findings) -> None:
    """Help is for codes that exist; no store has more users of the ticket tool than its plan allows; each plan can be
    suggested."""
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
    for path, bounds in each(findings.root, ("plans", "*", "suggested_when", "*")):
        if isinstance(bounds, dict) and (met := _nothing_between(bounds, least=LEAST.get(str(path[-1])))):
            findings.error(path, f"`{path[-1]}` is never met: no number is {met}", key=True)


def _nothing_between(bounds: Mapping[str, Any], least: int | None) -> str | None:
    """Two bounds that exclude each other, in words; `least` is what the number is anyway."""
    read = {key: value for key, one in bounds.items() if (value := _bound(one)) is not None}
    low = [(read[key], key == "more_than", f"{key} {shown(bounds[key])}") for key in LOW if key in read]
    high = [(read[key], key == "less_than", f"{key} {shown(bounds[key])}") for key in HIGH if key in read]
    low += [] if least is None else [(least, False, f"at_least `{least}`")]
    for bottom, above, first in low:
        for top, below, second in high:
            if bottom > top or (bottom == top and (above or below)):
                return f"{first} and {second}"
    return None


def _bound(value: Any) -> float | None:
    """A number that is known, or None for whatever is not one."""
    try:
        return None if value is None or isinstance(value, Withheld) else number(value)
    except PydanticCustomError:
        return None
