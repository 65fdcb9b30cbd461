"""The scalar types of the configuration: what each accepts, and the words that say what is wrong with the rest.

A message is the end of a sentence that begins with the key ("`interval` must be …"); it never holds the value, because
whoever writes the sentence knows whether the value may be shown. Text that came from `${…}` is accepted wherever its
text makes sense; literal text is not taken for a number.
"""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, PlainValidator, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from monitor.config.table import Substituted, Withheld, plain
from monitor.config.yaml12 import scalar

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_DURATION = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|s|m|h|d)")
_SIZES = {"B": 1, "kB": 1000, "MB": 1000**2, "GB": 1000**3, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3}
_SIZE = re.compile(r"([0-9]{1,9})(B|kB|MB|GB|KiB|MiB|GiB)")
_PERCENTAGE = re.compile(r"[0-9]{1,3}(\.[0-9]{1,6})?%")
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # Unicode's explicit directions; marks beside a letter are none
LONGEST = timedelta(days=36_500)


def refuse(words: str, **facts: Any) -> PydanticCustomError:
    """An error whose message is the rest of a sentence about the key. `choices` among the facts are suggested from."""
    return PydanticCustomError("refused", words, facts or None)


def duration(value: Any) -> timedelta:
    """`500ms 30s 5m 12h 21d`; a bare number has no unit and is refused."""
    if isinstance(value, timedelta | Withheld):
        return value if isinstance(value, timedelta) else timedelta(seconds=30)
    return _duration(str(value)) if isinstance(value, str) else _duration("")


@lru_cache(4096)
def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None:
        raise refuse("must be a duration with its unit, such as 500ms, 30s, 5m, 12h or 21d")
    seconds = float(match[1]) * _UNITS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise refuse("is longer than a hundred years")
    return timedelta(seconds=seconds)


def duration_text(value: timedelta) -> str:
    """The shortest way to write a duration in the file."""
    ms = round(value / timedelta(milliseconds=1))
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if ms and ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms" if ms else "0s"


def _positive(value: timedelta) -> timedelta:
    if value <= timedelta(0):
        raise refuse("must be longer than nothing")
    return value


def _interval(value: timedelta) -> timedelta:
    if not timedelta(seconds=5) <= value <= timedelta(days=1):
        raise refuse("must lie between 5s and 1d")
    return value


def _confirm(value: Any) -> timedelta | str | None:
    """`auto`, a duration, or nothing where it is inherited."""
    if value is None or value == "auto":
        return None if value is None else "auto"
    try:
        return duration(value)
    except PydanticCustomError:
        raise refuse("must be `auto` or a duration with its unit, such as 30s or 2m") from None


def _size(value: Any) -> int:
    if isinstance(value, Withheld):
        return 1
    match = _SIZE.fullmatch(value) if isinstance(value, str) else None
    size = int(match[1]) * _SIZES[match[2]] if match else 0
    if not match:
        raise refuse("must be a size with its unit, such as 64KiB or 2MiB")
    if not 0 < size <= 1024**3:
        raise refuse("must be more than nothing and at most 1GiB")
    return size


def _percentage(value: Any) -> float:
    if isinstance(value, Withheld):
        return 0.99
    if not isinstance(value, str) or not _PERCENTAGE.fullmatch(value):
        raise refuse("must be a percentage, such as 99.9%")
    ratio = float(Decimal(value[:-1]) / 100)
    if not 0 < ratio < 1:
        raise refuse("must lie between 0% and 100%, both excluded")
    return ratio


def _part(value: Any) -> float:
    if isinstance(value, Withheld):
        return 0.0
    if not isinstance(value, str) or not _PERCENTAGE.fullmatch(value):
        raise refuse("must be a percentage, such as 30%")
    ratio = float(Decimal(value[:-1]) / 100)
    if not 0 <= ratio <= 1:
        raise refuse("must lie between 0% and 100%")
    return ratio


def _typed(value: Any) -> Any:
    """A value with its YAML meaning, which text from `${…}` has not been given yet."""
    if isinstance(value, Substituted):
        try:
            return scalar(str(value))
        except ValueError:
            return value
    return value


def _quoted(value: Any) -> str:
    """Advice for a number or a truth that is text only because of its quotes."""
    quoted = (
        isinstance(value, str) and not isinstance(value, Substituted) and len(value) < 20 and scalar(value) != value
    )
    return "; write it without quotes" if quoted else ""


def number(value: Any) -> int | float:
    """A finite number."""
    if isinstance(value, Withheld):
        return 1
    typed = _typed(value)
    if isinstance(typed, bool) or not isinstance(typed, int | float) or not math.isfinite(typed):
        raise refuse(f"must be a number{_quoted(value)}")
    return typed


def _amount(value: Any) -> int | float:
    """What something costs."""
    if (amount := number(value)) < 0:
        raise refuse("must be nothing or more")
    return amount


def _alarms(value: Any) -> float:
    """Wrong alarms a year: above none, which nobody can promise."""
    if isinstance(value, Withheld):
        return 1.0
    typed = _typed(value)
    if isinstance(typed, bool) or not isinstance(typed, int | float) or not 0.001 <= typed <= 100:
        raise refuse(f"must be a number from 0.001 to 100{_quoted(value)}")
    return float(typed)


def _whole(low: int, high: int) -> Callable[[Any], int]:
    def whole(value: Any) -> int:
        if isinstance(value, Withheld):
            return low
        typed = _typed(value)
        if isinstance(typed, bool) or not isinstance(typed, int) or not low <= typed <= high:
            raise refuse(f"must be a whole number from {low:,} to {high:,}{_quoted(value)}")
        return typed

    return whole


def _boolean(value: Any) -> bool:
    if isinstance(value, Withheld):
        return False
    typed = _typed(value)
    if not isinstance(typed, bool):
        raise refuse(f"must be true or false{_quoted(value)}")
    return typed


def nothing_if_empty(value: Any) -> Any:
    """Empty text is nothing: what `${NAME:-}` leaves when NAME is unset."""
    return None if value == "" else value


@lru_cache(64)
def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _zone(value: Any) -> str:
    if isinstance(value, Withheld):
        return "UTC"
    if not isinstance(value, str) or not _is_zone(str(value)):
        raise refuse("is not a time zone, such as America/Sao_Paulo", zone=True)
    return str(value)


def _texts(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _languages(value: Any) -> Any:
    if isinstance(value, str):
        value = {"": value}
    if not isinstance(value, dict) or not value:
        raise refuse("must be text, or one text per language")
    for one in value.values():
        legible(one)
    return value


def _named(value: dict[str, str]) -> dict[str, str]:
    if not all(text.strip() for text in value.values()):
        raise PydanticCustomError("string_too_short", "must not be empty")
    return value


def legible(value: Any) -> Any:
    """Text that people read in the order in which it is written."""
    if isinstance(value, str) and TURNING.search(value):
        raise refuse("holds a character that turns the direction in which people read")
    return value


def _anything(value: Any) -> Any:
    try:
        _check_finite(value)
    except ValueError:
        raise refuse("holds a number that JSON cannot write (.inf or .nan)") from None
    return plain(value)


def _check_finite(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_finite(one)


_DURATION_SCHEMA = WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$"})
Delay = Annotated[timedelta, PlainValidator(duration), _DURATION_SCHEMA]  # may be nothing
Duration = Annotated[Delay, AfterValidator(_positive), _DURATION_SCHEMA]
Interval = Annotated[Delay, AfterValidator(_interval), _DURATION_SCHEMA]
Confirm = Annotated[
    timedelta | str | None,
    PlainValidator(_confirm),
    WithJsonSchema({"type": "string", "pattern": r"^(auto|[0-9]+(\.[0-9]+)?(ms|s|m|h|d))$"}),
]
Size = Annotated[
    int, PlainValidator(_size), WithJsonSchema({"type": "string", "pattern": "^[0-9]+(B|kB|MB|GB|KiB|MiB|GiB)$"})
]
Percentage = Annotated[
    float, PlainValidator(_percentage), WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"})
]
Part = Annotated[float, PlainValidator(_part), WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$"})]
Number = Annotated[float, PlainValidator(number), WithJsonSchema({"type": "number"})]
Amount = Annotated[float, PlainValidator(_amount), WithJsonSchema({"type": "number", "minimum": 0})]
Alarms = Annotated[float, PlainValidator(_alarms), WithJsonSchema({"type": "number", "minimum": 0.001, "maximum": 100})]
Hops = Annotated[int, PlainValidator(_whole(0, 50)), WithJsonSchema({"type": "integer", "minimum": 0, "maximum": 50})]
Count = Annotated[int, PlainValidator(_whole(0, 10**9)), WithJsonSchema({"type": "integer", "minimum": 0})]
Boolean = Annotated[bool, PlainValidator(_boolean), WithJsonSchema({"type": "boolean"})]
Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=100)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=200)]
Tag = Annotated[str, StringConstraints(pattern=r"^([a-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$")]
Code = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
OptionalText = Annotated[str | None, BeforeValidator(nothing_if_empty)]
Plain = Annotated[str, BeforeValidator(legible)]
Text = Annotated[
    dict[Tag, str],
    BeforeValidator(_languages),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object", "additionalProperties": {"type": "string"}}]}),
]
Title = Annotated[Text, AfterValidator(_named)]  # what something on the page is called
Texts = Annotated[
    list[str],
    BeforeValidator(_texts),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
Zone = Annotated[str, PlainValidator(_zone), WithJsonSchema({"type": "string"})]
Anything = Annotated[Any, AfterValidator(_anything)]
