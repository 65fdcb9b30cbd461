"""`monitor silence`: what nobody wants notices of for a while. Exit status 0; 1 when it is not found or does not fit; 2
for what cannot be."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from monitor.commands.errand import API, Answer, change, look, tell_refusal
from monitor.config import Config
from monitor.core.observation import moment

_HEADINGS = ("ID", "STATUS", "FROM", "UNTIL", "AUTHOR", "WHAT", "REASON")
_KINDS = ("modules", "components", "groups", "priorities", "codes")


async def list_(config: Config, data: Path, status: str | None, as_json: bool) -> int:
    """Prints silences, the newest first."""
    path: str | None = "/silences?limit=200" + (f"&status={status}" if status else "")
    silences: list[Any] = []
    while path is not None:
        answer = await look(config, data, path)
        if tell_refusal(answer):
            return _status(answer)
        silences, path = silences + answer.body["silences"], (answer.body["next"] or "").removeprefix(API) or None
    if as_json:
        for one in silences:
            _print_json(one)
    elif silences:
        _print_table([_HEADINGS, *(_row(config, one) for one in silences)])
    else:
        print("nothing is silenced")
    return 0


async def add(config: Config, data: Path, body: Mapping[str, Any], as_json: bool) -> int:
    """Silences what is named, and prints the silence."""
    given = {name: value for name, value in body.items() if value not in (None, [], False)}
    answer = await change(config, data, "POST", "/silences", given, {"Idempotency-Key": uuid4().hex})
    return _told(config, answer, as_json)


async def remove(config: Config, data: Path, id: str, author: str | None, as_json: bool) -> int:
    """Lifts a silence, and prints what became of it."""
    body = {} if author is None else {"author": author}
    return _told(config, await change(config, data, "DELETE", f"/silences/{id}", body), as_json)


def _told(config: Config, answer: Answer, as_json: bool) -> int:
    if tell_refusal(answer):
        return _status(answer)
    if as_json:
        _print_json(answer.body)
    else:
        _print_table([_HEADINGS, _row(config, answer.body)])
    return 0


def _status(answer: Answer) -> int:
    return 2 if answer.status == 400 else 1


def _row(config: Config, one: Mapping[str, Any]) -> tuple[str, ...]:
    """Who, why, what and for how long."""
    named = [f"{kind}={','.join(one[kind])}" for kind in _KINDS if one[kind]]
    named += [f"incident={one['incident']}"] if one["incident"] else []
    until = _time(config, one["ended_at"] or one["until"])
    words = (one["author"], " ".join(named) or "everything", one["reason"])
    return one["id"], one["status"], _time(config, one["from"]), until, *map(_harmless, words)


def _time(config: Config, text: str) -> str:
    """A moment in the zone of the site, to the minute."""
    at: datetime | None = moment(text)
    return "" if at is None else f"{at.astimezone(ZoneInfo(config.site.timezone)):%Y-%m-%d %H:%M %Z}"


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _harmless(text: str) -> str:
    """What people wrote may not steer a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _print_json(one: Mapping[str, Any]) -> None:
    print(json.dumps(one, ensure_ascii=False, separators=(",", ":")))
