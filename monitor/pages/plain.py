"""Plain: how JSON, XML and HTML are put to bytes, whatever stands in a name or in an answer."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape

import re2

# What XML 1.0 has no way of writing, not even escaped (one such character makes the whole file unreadable), and what
# HTML forbids besides: control characters, halves of surrogate pairs, code points that are no characters.
# `_ANY` only looks whether there is one, fifteen times as fast as `_ILLEGAL` takes them out.
_NO_CHARACTERS = "".join(f"\\x{{{plane << 16 | last:x}}}" for plane in range(17) for last in (0xFFFE, 0xFFFF))
_ANY = re2.compile(f"[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x{{9f}}\\x{{fdd0}}-\\x{{fdef}}{_NO_CHARACTERS}]")
_ILLEGAL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON in one line. Half a surrogate pair, which YAML lets pass, becomes a question mark."""
    return json_text(value).encode("utf-8", "replace")


def json_text(value: Any) -> str:
    """JSON in one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def legal(text: str) -> str:
    """Text without the characters that XML and HTML cannot hold."""
    if text.isprintable():
        return text
    try:
        if _ANY.search(text) is None:
            return text
    except UnicodeEncodeError:  # half of a surrogate pair
        pass
    return _ILLEGAL.sub("", text)


def xml(text: str) -> str:
    """Text as it stands in an element or in a double-quoted attribute."""
    return escape(legal(text), {'"': "&quot;"})
