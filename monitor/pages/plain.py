"""Plain: how JSON and XML are put to bytes, whatever stands in a name or in an answer."""

import json
import re
from typing import Any
from xml.sax.saxutils import escape

# What XML 1.0 has no way of writing, not even escaped; one such character makes the whole file unreadable.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def json_bytes(value: Any) -> bytes:
    """UTF-8 JSON in one line. Half a surrogate pair, which YAML lets pass, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def legal(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return _ILLEGAL.sub("", text)


def xml(text: str) -> str:
    """Text as it stands in an element or in a double-quoted attribute."""
    return escape(legal(text), {'"': "&quot;"})
