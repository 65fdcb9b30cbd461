"""Mask: text that came from outside, made inert and free of secrets before anybody stores or shows it.

A target decides every byte of its answer, so its text is cleaned first (control characters, terminal sequences and
marks that turn the reading direction), then secrets are hidden, then it is clipped. In that order: cleaning may join
two halves of a secret, and clipping may leave half of one.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import lru_cache
from itertools import islice
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "•••"

# Shorter values (a port, a sales channel) would hide half of every text and protect nothing.
SHORTEST_SECRET = 4

EXCERPT = 2048  # characters kept of a body
LINE = 500  # characters kept of a header value or of a failure's detail

VALUE_BUDGET = 8192  # characters kept of what one JMESPath gave
VALUE_DEPTH = 12

_TERMINAL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]?|\x9b[0-?]*[ -/]*[@-~]"
)
_ACTING = re.compile(r"[^\t\n -~]")
_UNSEEN = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),  # C0 and C1 controls
    **dict.fromkeys([0x061C, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF]),
    **dict.fromkeys([*range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]),
    **dict.fromkeys(range(0xD800, 0xE000), "\ufffd"),  # half characters, which no encoder takes
    0x09: "\t",
    0x0A: "\n",
    0x2028: "\n",
    0x2029: "\n",
}
_LARGEST_FLOAT = 1.7976931348623157e308


def clean(text: str) -> str:
    """The text without anything that acts instead of being read; line ends and tabs stay."""
    if text.isascii() and (text.isprintable() or not _ACTING.search(text)):  # as nearly all of it is
        return text
    return _TERMINAL.sub("", text).translate(_UNSEEN)


class Mask:
    """Hides a fixed set of secrets, as they are, as URLs and JSON write them, and as UTF-8 misread for Latin-1."""

    def __init__(self, secrets: Iterable[str]) -> None:
        longest_first = _spelled(secrets)
        self._secret = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
        self._passing: list[str] = []
        self.longest = len(longest_first[0]) if longest_first else 0

    def hiding(self, secrets: Iterable[str]) -> "Mask":
        """The same mask, for secrets as well that are others each time: `re` would remember every pattern of them."""
        more = copy(self)
        more._passing = _spelled(secrets)
        more.longest = max(self.longest, *map(len, more._passing), 0)
        return more

    def __call__(self, text: str) -> str:
        """The text with every secret replaced."""
        for form in self._passing:
            text = text.replace(form, HIDDEN)
        return text if self._secret is None else self._secret.sub(HIDDEN, text)

    def line(self, text: str, limit: int = LINE) -> str:
        """One harmless line of at most `limit` characters."""
        # Whatever lies far behind the cut cannot change what stands before it, so it is not worth cleaning.
        head = text[: 2 * limit + self.longest + 4096]
        return _clipped(self(" ".join(clean(head).split())), limit)

    def excerpt(self, text: str) -> str:
        """The beginning of a body, lines kept."""
        return self(clean(text))[:EXCERPT]

    def value(self, value: Any) -> Any:
        """A JSON value of bounded size: long texts, lists and objects keep their beginning."""
        return self._kept(value, [VALUE_BUDGET], VALUE_DEPTH)

    def _kept(self, value: Any, left: list[int], depth: int) -> Any:
        left[0] -= 8
        match value:
            case None | bool():
                return value
            case int():
                left[0] -= value.bit_length() // 4
                return value
            case float():
                # 1e999 is JSON and reads as infinity, which is not: the largest number compares the same way.
                return max(-_LARGEST_FLOAT, min(_LARGEST_FLOAT, value))
            case str():
                text = _clipped(self(clean(value[: VALUE_BUDGET + self.longest])), max(80, left[0]))
                left[0] -= len(text)
                return text
            case list():
                return [self._kept(one, left, depth - 1) for one in _while_room(value, left, depth)]
            case Mapping():
                return {
                    self.line(str(name), 200): self._kept(value[name], left, depth - 1)
                    for name in _while_room(value, left, depth)
                }
        return self.line(str(value))


def _spelled(secrets: Iterable[str]) -> list[str]:
    """Every form in which secrets are written that is long enough to be hidden, the longest first."""
    spelled: set[str] = set()
    for secret in secrets:
        misread = secret.encode(errors="replace").decode("latin-1")
        forms = (
            secret,
            quote(secret, safe=""),
            quote_plus(secret),
            json.dumps(secret)[1:-1],
            misread,
            clean(misread),
        )
        if len(secret) >= SHORTEST_SECRET:
            spelled.update(form for form in forms if len(form) >= SHORTEST_SECRET)
    return sorted(spelled, key=lambda form: (-len(form), form))


def _while_room(items: Iterable[Any], left: list[int], depth: int) -> Iterable[Any]:
    """Items as long as the budget lasts, the first always: a list that was not empty never becomes empty."""
    if depth <= 0:
        yield from islice(items, 1) if depth == 0 else ()
        return
    for count, item in enumerate(items):
        if count and left[0] <= 0:
            return
        yield item


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


@lru_cache(maxsize=1024)
def mask_of(secrets: frozenset[str]) -> Mask:
    """The mask of a set of secrets; probes that share their secrets share one."""
    return Mask(secrets)


def masker(secrets: Iterable[str]) -> Callable[[str], str]:
    """What hides these secrets in a text, for whoever only wants that: the log."""
    return mask_of(frozenset(secrets))
