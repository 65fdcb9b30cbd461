"""Logs: events with fields, as text or one JSON object a line; nothing secret ever leaves through them.

Whoever logs gives the fields in `extra={"about": {...}}`; in text they are words of the message already.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from textwrap import indent
from typing import TextIO

from monitor.mask import clean


class Lines(logging.Formatter):
    """One line a record, secrets masked, nothing in it that acts on a terminal: an error may quote what came in.

    A trace has several; each begins with spaces, so that none of them, whatever it quotes, looks like a record.
    """

    def __init__(self, as_json: bool, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._as_json = as_json
        self.mask = mask

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = self.mask(clean(record.getMessage()))
        trace = self.mask(clean(self.formatException(record.exc_info))) if record.exc_info else None
        if self._as_json:
            fields = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message}
            about = {**getattr(record, "about", {}), **getattr(record, "span", {})}
            fields |= {name: self.mask(clean(value)) for name, value in about.items() if name not in fields}
            return json.dumps(fields | ({"trace": trace} if trace else {}), ensure_ascii=False)
        text = "".join(c if c.isprintable() else " " for c in message)
        return f"{at} {record.levelname.lower():7} {text}" + (f"\n{indent(trace, '  ')}" if trace else "")


def set_up(
    as_json: bool, level: str, mask: Callable[[str], str] = lambda text: text, stream: TextIO | None = None
) -> None:
    """Sends every record of this process to stderr in one form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(as_json, mask))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "asyncio", "aiosqlite", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    logging.getLogger("aiohttp.internal").setLevel(logging.ERROR)  # it warns of each cookie that a target gets wrong
    logging.getLogger("urllib3").setLevel(logging.ERROR)  # what it says names addresses whole, keys in them and all


def mask_with(mask: Callable[[str], str]) -> None:
    """From now on records are masked so."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Lines):
            handler.formatter.mask = mask
