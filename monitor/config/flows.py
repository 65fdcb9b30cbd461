"""Flows: what the steps of a flow must agree on, above all where they place orders.

An order is placed on purpose or not at all: the step says so, the flow allows it, and something undoes it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from monitor.config.findings import Findings, shown
from monitor.config.table import Path, Substituted, Withheld

ORDERS_EVERY = timedelta(minutes=15)  # no order more often than that

# What places an order at Checkout: a cart is closed, or an order is put there without one.
_ORDER = re.compile(r"/checkout/(?:[^?#]*/)?orderForm/[^/?#]+/transaction/?(?:[?#]|$)", re.IGNORECASE)
_ORDER_WITHOUT_CART = re.compile(r"/api/checkout/pub/orders/?(?:[?#]|$)", re.IGNORECASE)


def check(findings: Findings, path: Path, flow: Mapping[str, Any], interval: timedelta | None) -> None:
    """Tells what the steps of one flow do not agree on; `interval` is how often it runs, None when that is wrong."""
    steps = [(at, step) for at, step in _steps(path, flow)]
    for at, step in steps:
        _check_step(findings, at, step)
    allowed = flow.get("place_orders") is True or flow.get("place_orders") == "true"
    orders = [index for index, (_, step) in enumerate(steps) if _is(step, "orders")]
    cleanups = [(at, step) for at, step in steps if _is(step, "cleanup")]
    _check_order(findings, steps)
    if cleanups and not orders:
        findings.warning((*cleanups[0][0], "cleanup"), "`cleanup` never runs: no step says `orders: true`")
    if not allowed:
        return
    where = (*path, "place_orders")
    if not orders:
        findings.warning(where, "`place_orders` allows nothing: no step says `orders: true`")
        return
    if not cleanups:
        findings.error(where, "`place_orders` needs a step with `cleanup: true`, which cancels what was ordered")
    for at, step in steps[orders[0] :]:
        _check_values(findings, at, step)
    if interval is not None and interval < ORDERS_EVERY:
        findings.warning(where, "orders are placed more often than every 15m; give the flow a longer `interval`")


def _steps(path: Path, flow: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    steps = flow.get("steps")
    for index, step in enumerate(steps if isinstance(steps, list) else ()):
        if isinstance(step, dict):
            yield (*path, "steps", index), step


def _check_step(findings: Findings, at: Path, step: Mapping[str, Any]) -> None:
    url = step.get("url")
    if not isinstance(url, str) or isinstance(url, Withheld):
        return
    host = re.split(r"[/?#\\]", url.partition("://")[2], maxsplit=1)[0]
    if "${" in host:
        findings.error(
            (*at, "url"), f"`url` takes its host from a saved value: {shown(url)}; whoever answers chooses it"
        )
    if places_order(step) and not _is(step, "orders"):
        findings.error((*at, "url"), "`url` places an order; say so with `orders: true`, or leave the step out")
    if _is(step, "orders") and _is(step, "cleanup"):
        findings.error((*at, "cleanup"), "`cleanup` excludes `orders`: a step that undoes orders places none", key=True)


def places_order(request: Mapping[str, Any]) -> bool:
    """Whether a request looks like one that places an order at Checkout."""
    url, method = request.get("url"), request.get("method")
    if not isinstance(url, str) or not isinstance(method, str):
        return False
    return bool((method == "POST" and _ORDER.search(url)) or (method == "PUT" and _ORDER_WITHOUT_CART.search(url)))


def _check_order(findings: Findings, steps: Sequence[tuple[Path, Mapping[str, Any]]]) -> None:
    """Steps that undo stand last, where they run."""
    first = next((index for index, (_, step) in enumerate(steps) if _is(step, "cleanup")), len(steps))
    for at, step in steps[first:]:
        if not _is(step, "cleanup"):
            findings.error(at, "steps with `cleanup: true` stand after all others, as they run last")
            return


def _check_values(findings: Findings, at: Path, step: Mapping[str, Any]) -> None:
    """What comes out empty for want of a name may be left out of other requests, but not where orders are at stake."""
    for key in ("headers", "json", "form"):
        for path, value in _leaves((*at, key), step.get(key)):
            if isinstance(value, Substituted) and value == "" and not isinstance(value, Withheld):
                said = f"{shown(value)} is empty: without it no order is placed, paid and cancelled"
                findings.error(path, said)


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves((*path, key), one)
    else:
        yield path, value


def _is(step: Mapping[str, Any], key: str) -> bool:
    return step.get(key) is True or step.get(key) == "true"
