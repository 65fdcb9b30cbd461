"""Document: JSON from somebody else, read without letting them choose what it costs.

The C parser of the standard library never lets go of the interpreter: a small text that is all brackets stops the
event loop for a quarter of a second, in whatever thread it is parsed. So the work is estimated before it begins.
Ordinary texts go to the C parser; costly ones to the same parser written in Python, which is slower and lets the
loop take its turns; absurd ones are refused.
"""

import gc
import json
import json.scanner
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn

import jmespath

from monitor.probers.failure import Stopped

DEEPEST = 200  # levels of nesting
MOST_VALUES = 200_000
MOST_CONTAINERS = 50_000  # lists and objects: each is one more for the garbage collector, which stops everything
LARGEST = 16 * 1024 * 1024  # characters

# Microseconds the C parser takes for one bracket and for one comma, collection of garbage included, on the slowest
# machine we know; and how many it may take at a stretch.
_PER_BRACKET, _PER_COMMA = 0.25, 0.27
_AT_A_STRETCH = 30_000


class _Patient(json.JSONDecoder):
    """The standard decoder with its scanner in Python: any other thread may run between two values."""

    def __init__(self) -> None:
        super().__init__(parse_constant=_no_number)
        self.scan_once = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # missing in typeshed


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")


_QUICK = json.JSONDecoder(parse_constant=_no_number)
_PATIENT = _Patient()


def parse(text: str) -> Any:
    """The JSON value of a text. Raises Stopped with a `content.*` code."""
    brackets, commas = _marks(text)
    if _too_many(brackets, commas) and len(text) <= LARGEST:
        brackets, commas = _marks(_without_texts(text))
    if len(text) > LARGEST or _too_many(brackets, commas):
        many = f"{MOST_VALUES:,} values, {MOST_CONTAINERS:,} lists and objects or {LARGEST >> 20} MiB"
        raise Stopped("content.json_limits", f"JSON of more than {many}")
    patient = brackets * _PER_BRACKET + commas * _PER_COMMA > _AT_A_STRETCH
    try:
        value = _PATIENT.decode(text) if patient else _at_a_stretch(text)
    except RecursionError:
        raise Stopped("content.json_limits", f"JSON nested deeper than {DEEPEST} levels") from None
    except json.JSONDecodeError as error:
        raise Stopped("content.invalid_json", _what_it_is(text, error)) from None
    except ValueError as error:
        if "is not JSON" in str(error):
            raise Stopped("content.invalid_json", str(error)) from None
        raise Stopped("content.json_limits", "a number of more than 4,300 digits") from None
    if brackets > DEEPEST and _deeper(value):
        raise Stopped("content.json_limits", f"JSON nested deeper than {DEEPEST} levels")
    return value


def _marks(text: str) -> tuple[int, int]:
    """How many brackets that open, and how many commas."""
    return text.count("[") + text.count("{"), text.count(",")


def _too_many(brackets: int, commas: int) -> bool:
    return brackets + commas > MOST_VALUES or brackets > MOST_CONTAINERS


def _without_texts(text: str) -> str:
    """JSON without what its strings say, where it has no more of them than can be taken out in a moment."""
    text = text.replace(r"\\", "").replace(r"\"", "")
    return "".join(text.split('"')[::2]) if text.count('"') <= MOST_CONTAINERS else text


def _at_a_stretch(text: str) -> Any:
    """What the C parser makes of a text, without collecting garbage meanwhile: there is none, and each of tens of
    thousands of objects would be looked at several times. No other thread runs before it is done."""
    gc.disable()
    try:
        return _QUICK.decode(text)
    finally:
        gc.enable()


def _what_it_is(text: str, error: json.JSONDecodeError) -> str:
    start = text.lstrip()[:100].lower()
    if start.startswith("<"):
        return "the body is HTML or XML, not JSON"
    if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
        return f"JSON that ends early, after {len(text)} characters"
    return f"not JSON: {error.msg} at line {error.lineno} column {error.colno}"


def _deeper(value: Any) -> bool:
    """Whether containers lie in one another more than DEEPEST deep; level by level, so that nothing recurses."""
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer) if isinstance(inner, dict | list)]
        if not level:
            return False
    return True


def _inside(container: Any) -> Iterable[Any]:
    return container.values() if isinstance(container, dict) else container if isinstance(container, list) else ()


def found(document: Any, paths: Iterable[str]) -> dict[str, Any]:
    """What each JMESPath gives on a document. One that cannot be evaluated on this document gives nothing."""
    return {path: _search(document, path) for path in paths}


def _search(document: Any, path: str) -> Any:
    try:
        return compiled(path).search(document)
    except RecursionError:
        raise Stopped("content.json_limits", f"{path} cannot be evaluated on JSON this deep") from None
    except Exception:
        # length() of nothing, a sum of texts: the answer is not shaped as the expression supposes, and the library
        # says so in many ways. Nothing is what the expectation is then judged against.
        return None


@lru_cache(maxsize=2048)
def compiled(path: str) -> Any:
    """An expression, parsed once. Raises jmespath's errors."""
    return jmespath.compile(path)
