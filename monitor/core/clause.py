"""Clause: one operator and its operand, and whether it holds of a value somebody sent. Never raises."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

OPERATORS = (
    "equals",
    "not",
    "one_of",
    "at_least",
    "at_most",
    "more_than",
    "less_than",
    "matches",
    "contains",
    "exists",
    "empty",
    "newer_than",
    "older_than",
    "type",
    "baseline",
)

TYPES = ("string", "number", "integer", "boolean", "array", "object", "null")


_LITERAL = re.compile(r'[+-]?[0-9.]+([eE][+-]?[0-9]+)?|true|false|null|nothing|["\[{].*')
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"[+-]?[0-9]+")


@dataclass(frozen=True, slots=True)
class Clause:
    """One operator and its operand: `at_least 1`, `not HIT`, `newer_than 15m`.

    The operand of `matches` is a compiled pattern of a linear-time engine (anything with `.search` and `.pattern`),
    that of `newer_than` and `older_than` a timedelta, that of `baseline` a share (0.05: 5 %).
    """

    operator: str
    operand: Any

    def __str__(self) -> str:
        operand = self.operand
        if self.operator == "matches":
            operand = operand.pattern
        elif isinstance(operand, timedelta):
            operand = f"{operand.total_seconds():g}s"
        elif self.operator == "baseline" and isinstance(operand, float):
            return f"{self.operator} {100 * operand:g}%"
        return f"{self.operator} {shown(operand)}"


def header_key(name: str, clause: Clause) -> str:
    """Under what name the prober stores the outcome of a clause on a header outside the kept list."""
    return f"header {name}: {clause}"


def shown(value: Any) -> str:
    """A value as a reason shows it: short, one line, as JSON has it; text in quotes only where it could be mistaken."""
    if isinstance(value, str) and value.strip() and not _LITERAL.fullmatch(value):
        text = value
    else:
        text = "nothing" if value is None else json.dumps(value, ensure_ascii=False, default=str)
    text = " ".join("".join(c if c.isprintable() else " " for c in text[:1000]).split())
    return text if len(text) <= 120 else text[:117] + "…"


def holds(clause: Clause, value: Any, at: datetime) -> bool:
    """Whether a clause holds of a value; `at` is the moment that ages are measured from. Never raises."""
    operand = clause.operand
    match clause.operator:
        case "equals":
            return _equal(value, operand)
        case "not":
            return not _equal(value, operand)
        case "one_of":
            return any(_equal(value, one) for one in operand)
        case "at_least" | "at_most" | "more_than" | "less_than":
            number, limit = exact_of(value), exact_of(operand)
            if number is None or limit is None:
                return False
            return {
                "at_least": number >= limit,
                "at_most": number <= limit,
                "more_than": number > limit,
                "less_than": number < limit,
            }[clause.operator]
        case "matches":
            return isinstance(value, str) and operand.search(value) is not None
        case "contains":
            if isinstance(value, str):
                return (operand if isinstance(operand, str) else json.dumps(operand, ensure_ascii=False)) in value
            if isinstance(value, Mapping):
                return isinstance(operand, str) and operand in value
            return isinstance(value, list | tuple) and any(_equal(one, operand) for one in value)
        case "exists":
            return (value is not None) == bool(operand)
        case "empty":
            return (value is None or value in ("", [], {}, ())) == bool(operand)
        case "newer_than" | "older_than":
            moment = moment_of(value)
            return moment is not None and (at - moment <= operand) == (clause.operator == "newer_than")
        case "type":
            return _type(value) == operand or (operand == "number" and _type(value) == "integer")
        case "baseline":
            return True  # one run cannot tell: `usual.py` does
    raise AssertionError(f"no operator {clause.operator}")


def _equal(value: Any, wanted: Any) -> bool:
    if isinstance(value, bool) != isinstance(wanted, bool):
        return False  # True == 1 in Python, not in JSON
    if isinstance(value, list | tuple) and isinstance(wanted, list | tuple):
        return len(value) == len(wanted) and all(map(_equal, value, wanted))
    if isinstance(value, Mapping) and isinstance(wanted, Mapping):
        return value.keys() == wanted.keys() and all(_equal(value[key], wanted[key]) for key in wanted)
    return bool(value == wanted)


def is_near(value: Any, usual: Any, tolerance: float) -> bool:
    """Whether two numbers differ by no more than a share of the second; whether other values are equal."""
    number, wanted = number_of(value), number_of(usual)
    if number is None or wanted is None:
        return _equal(value, usual)
    return abs(number - wanted) <= tolerance * abs(wanted)


def number_of(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if not isinstance(value, int | float | str) or (isinstance(value, str) and not _NUMBER.fullmatch(value.strip())):
        return None  # Python reads 1_000, nan, infinity and the digits of every script, nobody else does
    try:
        return float(value)
    except OverflowError:
        return math.inf if isinstance(value, int) and value > 0 else -math.inf
    except ValueError:
        return None


def exact_of(value: Any) -> int | float | None:
    """As `number_of`; a whole number stays one, for floats pass over some from 2**53 on."""
    number = number_of(value)
    if isinstance(value, int) or (isinstance(value, str) and number is not None and _WHOLE.fullmatch(value.strip())):
        try:
            return None if number is None else int(value)
        except ValueError:  # thousands of digits
            return number
    return number


def moment_of(value: Any) -> datetime | None:
    try:
        if isinstance(value, bool):
            return None
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        if isinstance(value, str):
            if value.endswith(" GMT"):  # the date of an HTTP header (RFC 9110)
                return datetime.strptime(value, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
            moment = datetime.fromisoformat(value)
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list() | tuple():
            return "array"
        case _:
            return "object"


def holds_of_header(clause: Clause, value: str | None, at: datetime) -> bool:
    """As `holds`; a header is always text, so it is read as what it is compared with: a number, true or false."""
    match clause.operator:
        case "equals" | "not":
            return holds(clause, _read_as(clause.operand, value), at)
        case "one_of":
            return any(_equal(_read_as(one, value), one) for one in clause.operand)
    return holds(clause, value, at)


def _read_as(wanted: Any, value: str | None) -> Any:
    """The text of a header as the type of an operand; the text itself where it is none of that type."""
    if value is None or isinstance(wanted, str):
        return value
    if isinstance(wanted, bool):
        return {"true": True, "false": False}.get(value.strip().lower(), value)
    return wanted if isinstance(wanted, int | float) and exact_of(value) == exact_of(wanted) else value
