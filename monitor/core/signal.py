"""Signal: error codes that an answer carries. They often name the dependency that failed, the best free cause there is.

Only the code counts: texts are localised. Codes that speak of the store's set-up or of the probe's own test data are no
outage, and are known here by name (VTEX's list of Checkout error codes).
"""

import json
import re
from typing import Any

from monitor.core.observation import Observation

SETUP = frozenset(
    {
        *("CHK0010", "CHK007", "CHK003", "ORD062", "CHK0280", "CHK0045", "CHK0266", "CHK0016", "CHK0082"),
        *("CHK0022", "CHK0023", "CHK0024", "CHK0025", "ORD001", "ORD002", "ORD005", "ORD027", "ORD028"),
        *("withoutStock", "withoutPrice", "unavailableItemFulfillment", "cannotBeDelivered"),
    }
)

# What names a dependency of Checkout: a numbered code, or one that ends in what happened to the call.
DEPENDENCY = re.compile(r"(?:CHK|ORD|FMT)[0-9]+(?:\.[0-9]+)?|[a-z][A-Za-z]+(?:CommunicationError|ServiceTimeout)")

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,40}(?:\.[0-9]{1,3})?")
_OBJECT = re.compile(r'\{[^{}]*"code"\s*:\s*"([^"{}]{2,48})"[^{}]*')
_HARMLESS = frozenset({"warning", "info", "success"})
_NOTHING_BAD = re.compile(r'"status"\s*:\s*"(?:warning|info|success)"')
_MOST = 2000  # values looked through


def error_codes(observation: Observation) -> tuple[str, ...]:
    """The codes an answer carries, each once, in order: `code` of its error objects, and single words asked for.

    Objects that call themselves a warning or an information are left out.
    """
    found: dict[str, None] = {}
    excerpt = observation.http.excerpt if observation.http else None
    if excerpt and '"code"' in excerpt:
        try:
            _collect(json.loads(excerpt), found)
        except (ValueError, RecursionError):  # cut off after 2 kB, or no JSON at all
            for match in _OBJECT.finditer(excerpt):
                if _TOKEN.fullmatch(match[1]) and not _NOTHING_BAD.search(match[0]):
                    found[match[1]] = None
    for value in observation.values.values():
        if isinstance(value, str):
            if _TOKEN.fullmatch(value):
                found[value] = None
        elif isinstance(value, dict | list | tuple):
            _collect(value, found)
    return tuple(found)


def _collect(value: Any, found: dict[str, None]) -> None:
    todo, left = [value], _MOST
    while todo and left:
        left -= 1
        one = todo.pop()
        if isinstance(one, dict):
            code = one.get("code")
            if isinstance(code, str) and _TOKEN.fullmatch(code) and one.get("status") not in _HARMLESS:
                found[code] = None
            todo.extend(inner for inner in one.values() if isinstance(inner, dict | list | tuple))
        elif isinstance(one, list | tuple):
            todo.extend(reversed(one[:200]))
        elif isinstance(one, str) and _TOKEN.fullmatch(one):
            found[one] = None


def is_setup(codes: tuple[str, ...]) -> bool:
    """Whether the codes speak of set-up or test data only, and of no dependency that failed."""
    return any(code in SETUP for code in codes) and not any(
        DEPENDENCY.fullmatch(code) and code not in SETUP for code in codes
    )


def soft_error(observation: Observation) -> tuple[str, ...] | None:
    """The codes of an error inside an answer whose status says that all is well; None when there is none.

    An error object with a code or message, a list of GraphQL errors, or messages of Checkout that name a dependency
    or the set-up.
    """
    excerpt = observation.http.excerpt if observation.http else None
    if not excerpt or not ('"error' in excerpt or '"messages"' in excerpt):
        return None
    try:
        answer = json.loads(excerpt)
    except (ValueError, RecursionError):
        codes = tuple(code for code in error_codes(observation) if DEPENDENCY.fullmatch(code) or code in SETUP)
        return codes or None
    if not isinstance(answer, dict):
        return None
    error, errors = answer.get("error"), answer.get("errors")
    if isinstance(error, dict) and (error.get("code") or error.get("message")):
        return error_codes(observation)
    if isinstance(errors, list) and errors and all(isinstance(one, dict) and one.get("message") for one in errors):
        return error_codes(observation)
    found: dict[str, None] = {}
    _collect(answer.get("messages"), found)
    codes = tuple(code for code in found if DEPENDENCY.fullmatch(code) or code in SETUP)
    return codes or None
