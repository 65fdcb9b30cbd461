"""Expressions inside expectations: JMESPath, regular expressions of the linear-time engine, and status forms."""

import re
from difflib import get_close_matches
from functools import lru_cache
from typing import Annotated, Any

import jmespath
import re2
from pydantic import PlainValidator, WithJsonSchema

from monitor.config.patterns import compiled
from monitor.config.scalars import refuse
from monitor.config.table import Substituted, Withheld


@lru_cache(4096)
def _jmespath_fault(text: str) -> str | None:
    if not text.strip():
        return "it is empty"
    if len(text) > 1000:
        return "it is longer than 1,000 characters"
    try:
        return _function_fault(jmespath.compile(text).parsed)
    except RecursionError:
        return "it is nested too deeply"
    except jmespath.exceptions.JMESPathError as error:
        return " ".join(str(error).split("\n", 1)[0].split()).rstrip(":").removeprefix("Invalid jmespath expression: ")
    except ValueError as error:
        return " ".join(str(error).split())


def _function_fault(parsed: Any) -> str | None:
    """What the parser leaves for the run: functions that are not there, and calls with too few or too many values."""
    table, nodes = jmespath.functions.Functions.FUNCTION_TABLE, [parsed]
    while nodes:
        node = nodes.pop()
        nodes.extend(one for one in node["children"] if isinstance(one, dict))
        if node["type"] != "function_expression":
            continue
        name, given = node["value"], len(node["children"])
        if name not in table:
            near = get_close_matches(name, table, 1)
            return f"there is no function {name}" + (f", the nearest is {near[0]}" if near else "")
        takes = table[name]["signature"]
        variadic = bool(takes) and takes[-1].get("variadic", False)
        if given < len(takes) or (given > len(takes) and not variadic):
            return f"{name} takes {len(takes)}{' or more' if variadic else ''}, not {given}"
    return None


def _jmespath(value: Any) -> str:
    if isinstance(value, Withheld):
        return str(value)
    if not isinstance(value, str):
        raise refuse("must be a JMESPath expression, as text")
    if fault := _jmespath_fault(str(value)):
        detail = "" if isinstance(value, Substituted) else f" ({fault})"
        raise refuse(f"is not a JMESPath expression{detail}")
    return str(value)


def _regex(value: Any) -> str:
    if isinstance(value, Withheld):
        return ""
    if not isinstance(value, str):
        raise refuse("must be a regular expression, as text; put it in quotes")
    try:
        compiled(str(value))
    except re2.error as error:
        detail = error.args[0] if error.args else ""
        said = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
        detail = "" if isinstance(value, Substituted) else f" ({said})"
        raise refuse(f"is not a regular expression RE2 understands{detail}") from None
    return str(value)


_STATUS = re.compile(r"([1-5])xx|([1-5][0-9]{2})(?:-([1-5][0-9]{2}))?")


def _status(value: Any) -> tuple[tuple[int, int], ...]:
    """`200`, `2xx`, `"200-299"` or a list of those, as inclusive ranges."""
    if isinstance(value, Withheld):
        return ((200, 299),)
    ranges = []
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        match = None if isinstance(one, bool | float) else _STATUS.fullmatch(str(one))
        if match is None:
            raise refuse('must be a status such as 200, 2xx or "200-299", or a list of those', index=index)
        low, high = (int(match[1]) * 100,) * 2 if match[1] else (int(match[2]), int(match[3] or match[2]))
        ranges.append((low, low + 99) if match[1] else (low, high))
        if low > high:
            raise refuse("is a range that ends before it begins", index=index)
    if not ranges:
        raise refuse("must name at least one status")
    return tuple(ranges)


JmesPath = Annotated[str, PlainValidator(_jmespath), WithJsonSchema({"type": "string"})]
Regex = Annotated[str, PlainValidator(_regex), WithJsonSchema({"type": "string"})]
Status = Annotated[
    tuple[tuple[int, int], ...],
    PlainValidator(_status),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["integer", "string"]},
                {"type": "array", "minItems": 1, "items": {"type": ["integer", "string"]}},
            ]
        }
    ),
]
