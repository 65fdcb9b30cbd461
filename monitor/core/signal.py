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

ROBOT = "CHK0082"  # of SETUP: a reCAPTCHA token is wanted to place an order, and no program has one

# What names a dependency of Checkout: a numbered code, or one that ends in what happened to the call.
DEPENDENCY = re.compile(r"(?:CHK|ORD|FMT)[0-9]+(?:\.[0-9]+)?|[a-z][A-Za-z]+(?:CommunicationError|ServiceTimeout)")

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9_]{1,40}(?:\.[0-9]{1,3})?")
_HARMLESS = frozenset({"warning", "info", "success"})
_MOST = 2000  # values looked through
_DEEPEST = 100  # lists and objects within one another


def error_codes(observation: Observation) -> tuple[str, ...]:
    """The codes an answer carries, each once, in order: `code` of its error objects, and single words asked for.

    Objects that call themselves a warning or an information are left out.
    """
    found: dict[str, None] = {}
    excerpt = observation.http.excerpt if observation.http else None
    if excerpt and '"code"' in excerpt:
        _collect(_parsed(excerpt), found)
    for value in observation.values.values():
        if isinstance(value, str):
            if _TOKEN.fullmatch(value):
                found[value] = None
        elif isinstance(value, dict | list | tuple):
            _collect(value, found)
    return tuple(found)


def _parsed(text: str) -> Any:
    """The JSON value of a text; of one that was cut off after 2 kB as much as is whole. None for anything else."""
    try:
        # Numbers are no codes, and an integer of thousands of digits is refused by Python.
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        pass
    try:
        return json.loads(_mended(text), parse_int=float)
    except (ValueError, RecursionError):
        return None


def _mended(text: str) -> str:
    """A cut-off text up to its last whole value, with everything that is open closed."""
    closers: list[str] = []
    end, closed = 0, ""
    quoted = escaped = False
    value = True  # what comes next is a value, not a key
    for index, letter in enumerate(text):
        if quoted:
            quoted = escaped or letter != '"'
            escaped = letter == "\\" and not escaped
            if not quoted and value:
                end, closed = index + 1, "".join(reversed(closers))
            continue
        match letter:
            case '"':
                quoted = True
            case ":":
                value = True
            case "{" | "[":
                closers.append("}" if letter == "{" else "]")
                value = letter == "["
                end, closed = index + 1, "".join(reversed(closers))
            case "}" | "]" if closers:
                closers.pop()
                end, closed = index + 1, "".join(reversed(closers))
            case "," if closers:
                value = closers[-1] == "]"
                end, closed = index, "".join(reversed(closers))
        if len(closers) > _DEEPEST:
            break
    return text[:end] + closed


def _is_harmless(status: Any) -> bool:
    return isinstance(status, str) and status in _HARMLESS


def _collect(value: Any, found: dict[str, None]) -> None:
    todo, left = [value], _MOST
    while todo and left:
        left -= 1
        one = todo.pop()
        if isinstance(one, dict):
            code = one.get("code")
            if isinstance(code, str) and _TOKEN.fullmatch(code) and not _is_harmless(one.get("status")):
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
    http = observation.http
    excerpt = http.excerpt if http and 200 <= http.status < 300 else None
    if not excerpt or not ('"error' in excerpt or '"messages"' in excerpt):
        return None
    answer = _parsed(excerpt)
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
