"""`monitor maintenance`: planned work. Exit status 0; 1 when it is not found or does not fit; 2 for what cannot be."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from monitor.commands.errand import API, Answer, change, look
from monitor.config import Config
from monitor.core.observation import moment

_HEADINGS = ("ID", "STATUS", "FROM", "UNTIL", "MODULES", "TITLE")
_RULES = ("WINDOW", "RULE", "FROM", "UNTIL", "MODULES", "TITLE")


async def list_(config: Config, data: Path, status: str | None, as_json: bool) -> int:
    """Prints planned work, the first planned first, and the windows that people made."""
    works, windows = [], []
    path: str | None = "/maintenance?limit=200" + (f"&status={status}" if status else "")
    while path is not None:
        answer = await look(config, data, path)
        if _tell_refusal(answer):
            return _status(answer)
        works += answer.body["maintenances"]
        windows, path = answer.body["windows"], (answer.body["next"] or "").removeprefix(API) or None
    if as_json:
        for one in (*works, *windows):
            _print_json(one)
        return 0
    if not works and not windows:
        print("no work is planned")
        return 0
    if works:
        _print_table([_HEADINGS, *(_row(config, one, one["status"], "planned_from", "planned_until") for one in works)])
    if windows:
        print(end="\n" if works else "")
        _print_table([_RULES, *(_row(config, one, one["rrule"], "from", "until") for one in windows)])
    return 0


async def say(config: Config, data: Path, path: str, body: Mapping[str, Any], as_json: bool) -> int:
    """Says something about planned work, and prints what became of it."""
    given = {name: value for name, value in body.items() if value not in (None, {}, [])}
    answer = await change(config, data, "POST", path, given, {"Idempotency-Key": uuid4().hex})
    if _tell_refusal(answer):
        return _status(answer)
    one = answer.body
    if as_json:
        _print_json(one)
    elif "rrule" in one:
        _print_table([_RULES, _row(config, one, one["rrule"], "from", "until")])
    elif "planned_from" in one:
        _print_table([_HEADINGS, _row(config, one, one["status"], "planned_from", "planned_until")])
    else:
        print(f"{one['id']}  {one['status']}")
    return 0


def _tell_refusal(answer: Answer) -> bool:
    if answer.refused is not None:
        print(answer.refused.strip(), file=sys.stderr)
    return answer.refused is not None


def _status(answer: Answer) -> int:
    return 2 if answer.status == 400 else 1


def _row(config: Config, one: Mapping[str, Any], state: str, begins: str, ends: str) -> tuple[str, ...]:
    """The plan of it, or what became of it."""
    begins, ends = one.get("started_at") or one[begins], one.get("ended_at") or one[ends]
    modules = ",".join(one["modules"]) or "everything"
    title = _harmless(_text(config, one["title"]))
    return one["id"], state, _time(config, begins), _time(config, ends), modules, title


def _time(config: Config, text: str) -> str:
    """A moment in the zone of the site, to the minute."""
    at: datetime | None = moment(text)
    return "" if at is None else f"{at.astimezone(ZoneInfo(config.site.timezone)):%Y-%m-%d %H:%M %Z}"


def _text(config: Config, text: Mapping[str, str]) -> str:
    tags = [tag for tag in config.site.languages if tag in text]
    return text[tags[0]] if tags else next(iter(text.values()), "")


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _harmless(text: str) -> str:
    """What people wrote may not steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _print_json(one: Mapping[str, Any]) -> None:
    print(json.dumps(one, ensure_ascii=False, separators=(",", ":")))
