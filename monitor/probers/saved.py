"""Saved: values that one step of a flow hands to the later ones.

They come from somebody else. Each is small and holds nothing that acts instead of being read, and each is written in
the way of its place: percent-encoded in an address, as JSON in JSON, as it is in headers, forms and bodies.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from monitor.core.target import HttpTarget, StepTarget

LARGEST = 4096  # characters of a value as JSON

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DOTS = (".", "..")  # as a part of a path they would lead elsewhere


def fault(value: Any) -> str | None:
    """Why a value cannot be handed on; None when it can."""
    if value is None or value == "":
        return "nothing to save"
    if _is_large(value):
        return f"more than {LARGEST:,} characters to save"
    try:
        text = written(value)
    except ValueError:
        return "a number that JSON cannot write to save"
    if _UNFIT.search(text) or value in _DOTS:
        return "control characters, or nothing but dots, to save"
    return None


def _is_large(value: Any) -> bool:
    """Whether a value is too large, found out without walking through all of it."""
    left, todo = LARGEST, [value]
    while todo:
        one = todo.pop()
        left -= len(one) + 2 if isinstance(one, str) else one.bit_length() // 3 + 1 if isinstance(one, int) else 2
        if left < 0:
            return True
        if isinstance(one, dict | list) and (left := left - len(one)) >= 0:
            todo.extend(one if isinstance(one, list) else [*one, *one.values()])
    return left < 0


def written(value: Any) -> str:
    """A value as text: text as it is, everything else as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def texts(value: Any) -> Iterator[str]:
    """A value as it is written, and every text within it."""
    yield written(value)
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, dict | list):
            todo.extend(one if isinstance(one, list) else one.values())
        elif isinstance(one, str):
            yield one


class Filling:
    """Fills a request with what is saved. `names` are all that earlier steps save: other `${…}` stay as they stand."""

    def __init__(self, names: Iterable[str], saved: Mapping[str, Any]) -> None:
        self._saved = saved
        self._names = frozenset(names)

    def request(self, target: StepTarget) -> HttpTarget:
        """The request with names replaced and its body encoded. Raises KeyError for a name that is not saved yet."""
        http = target.http
        url = _NAME.sub(lambda match: self._piece(match, quote), http.url)
        headers = tuple((name, self._text(text)) for name, text in http.headers)
        return replace(http, url=url, headers=headers, body=self._body(target))

    def _body(self, target: StepTarget) -> bytes | None:
        if target.json is not None:
            return json.dumps(self._json(target.json), ensure_ascii=False, separators=(",", ":")).encode()
        if target.form is not None:
            return urlencode({name: self._text(text) for name, text in target.form.items()}).encode()
        return None if target.body is None else self._text(target.body).encode()

    def _text(self, text: str) -> str:
        return _NAME.sub(lambda match: self._piece(match, lambda value, safe: value), text)

    def _piece(self, match: re.Match[str], spell: Callable[..., str]) -> str:
        return spell(written(self._saved[match[1]]), safe="") if match[1] in self._names else match[0]

    def _json(self, value: Any) -> Any:
        """A JSON value with names replaced; a text that is nothing but a name becomes the saved value with its type."""
        match value:
            case str():
                whole = _NAME.fullmatch(value)
                return self._saved[whole[1]] if whole and whole[1] in self._names else self._text(value)
            case list() | tuple():
                return [self._json(one) for one in value]
            case Mapping():
                return {name: self._json(one) for name, one in value.items()}
        return value
