"""Patterns: regular expressions of the linear-time engine. Equal texts are the same object, wherever they come from:
a reload tells by it what has not changed."""

import copyreg
from functools import lru_cache
from typing import Any

import re2

_RE2 = re2.Options()
_RE2.log_errors = False


@lru_cache(4096)
def compiled(text: str) -> Any:
    """The pattern of a text. Raises re2.error."""
    return re2.compile(text, _RE2)


def _of_text(pattern: Any) -> tuple[Any, tuple[str]]:
    return compiled, (pattern.pattern,)


copyreg.pickle(type(compiled("")), _of_text)
