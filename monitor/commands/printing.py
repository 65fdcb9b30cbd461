"""Printing: what the commands show of incidents, planned work, silences and subscribers."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from monitor.config import Config
from monitor.core.observation import moment


def print_json(one: Mapping[str, Any]) -> None:
    """One object a line."""
    print(json.dumps(one, ensure_ascii=False, separators=(",", ":")))


def print_table(*rows: Sequence[str]) -> None:
    """Columns as wide as they must be; the headings come first."""
    harmless = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*harmless, strict=True)]
    for row in harmless:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def one_line(text: str) -> str:
    """What people wrote may not steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def in_our_language(config: Config, text: Mapping[str, str]) -> str:
    """In the first language of the site that there is."""
    return next((text[tag] for tag in config.site.languages if tag in text), next(iter(text.values()), ""))


def local_time(config: Config, text: str) -> str:
    """A moment in the zone of the site, to the minute."""
    at = moment(text)
    return "" if at is None else f"{at.astimezone(ZoneInfo(config.site.timezone)):%Y-%m-%d %H:%M %Z}"
