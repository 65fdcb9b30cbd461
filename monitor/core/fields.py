"""Fields: what an object that came as JSON holds, each with the type it must have. Absent and null are alike: None.

Every reader raises TypeError or ValueError, with the field's name in a sentence, for anything else.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, TypeVar

T = TypeVar("T")

_MOST = 1e15  # of anything counted; beyond it floats skip whole numbers


def text(raw: Mapping[str, Any], key: str) -> str | None:
    """A string."""
    value = raw.get(key)
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"`{key}` is not text")


def number(raw: Mapping[str, Any], key: str) -> float | None:
    """A finite number of either sign, at most 1e15."""
    value = raw.get(key)
    if value is None:
        return None
    if type(value) is float and -_MOST <= value <= _MOST:  # nearly always
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"`{key}` is not a number")
    if not math.isfinite(value) or abs(value) > _MOST:
        raise ValueError(f"`{key}` is out of range")
    return float(value)


def count(raw: Mapping[str, Any], key: str) -> int | None:
    """A whole number."""
    value = raw.get(key)
    if type(value) is int and -_MOST <= value <= _MOST:  # nearly always
        return value
    value = number(raw, key)
    return None if value is None else int(value)


def time(raw: Mapping[str, Any], key: str) -> datetime | None:
    """An RFC 3339 time, in UTC."""
    value = text(raw, key)
    if value is None:
        return None
    try:
        parsed = datetime.fromisoformat(value)
        if parsed.tzinfo is UTC:
            return parsed
        if parsed.tzinfo is not None:
            return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"`{key}` is not a time with its zone, such as 2026-11-23T12:00:00Z")


def mapping(raw: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    """An object."""
    value = raw.get(key)
    if value is None or type(value) is dict or isinstance(value, Mapping):  # the last takes ten times as long
        return value
    raise TypeError(f"`{key}` is not an object")


def sequence(raw: Mapping[str, Any], key: str) -> tuple[Any, ...] | None:
    """A list."""
    value = raw.get(key)
    if value is None:
        return None
    if isinstance(value, list | tuple):
        return tuple(value)
    raise TypeError(f"`{key}` is not a list")


def texts(raw: Mapping[str, Any], key: str) -> dict[str, str] | None:
    """An object of strings."""
    value = mapping(raw, key)
    if value is None:
        return None
    for one in value.values():
        if not isinstance(one, str):
            raise TypeError(f"`{key}` holds something that is not text")
    return dict(value)


def needed(value: T | None, key: str) -> T:
    """What must be there."""
    if value is None:
        raise ValueError(f"`{key}` is missing")
    return value
