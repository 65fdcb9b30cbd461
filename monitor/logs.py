"""Logs: events with fields, as text or one JSON object a line; nothing secret ever leaves through them.

Whoever logs gives the fields in `extra={"about": {...}}`; in text they are words of the message already.
"""

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO


class Lines(logging.Formatter):
    """One line a record, control characters made harmless, secrets masked."""

    def __init__(self, as_json: bool, mask: Callable[[str], str]) -> None:
        super().__init__()
        self._as_json = as_json
        self.mask = mask

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        message = self.mask(record.getMessage())
        trace = self.mask(self.formatException(record.exc_info)) if record.exc_info else None
        if self._as_json:
            fields = {"at": at, "level": record.levelname.lower(), "logger": record.name, "message": message}
            about = {**getattr(record, "about", {}), **getattr(record, "span", {})}
            fields |= {name: self.mask(value) for name, value in about.items() if name not in fields}
            return json.dumps(fields | ({"trace": trace} if trace else {}), ensure_ascii=False)
        text = "".join(c if c.isprintable() else " " for c in message)
        return f"{at} {record.levelname.lower():7} {text}" + (f"\n{trace}" if trace else "")


def set_up(
    as_json: bool, level: str, mask: Callable[[str], str] = lambda text: text, stream: TextIO | None = None
) -> None:
    """Sends every record of this process to stderr in one form."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Lines(as_json, mask))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for noisy in ("aiohttp.access", "asyncio", "aiosqlite", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def mask_with(mask: Callable[[str], str]) -> None:
    """From now on records are masked so."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, Lines):
            handler.formatter.mask = mask
