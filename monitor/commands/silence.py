"""`monitor silence`: what nobody wants notices of for a while. Exit status 0; 1 when it is not found or does not fit; 2
for what cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from monitor.commands.errand import API, Answer, change, look, tell_refusal
from monitor.commands.printing import local_time, print_json, print_table
from monitor.config import Config

_HEADINGS = ("ID", "STATUS", "FROM", "UNTIL", "AUTHOR", "WHAT", "REASON")
_KINDS = ("modules", "components", "groups", "priorities", "codes")


async def list_(config: Config, data: Path, status: str | None, as_json: bool) -> int:
    """Prints silences, the newest first."""
    path: str | None = "/silences?limit=200" + (f"&status={status}" if status else "")
    silences: list[Any] = []
    while path is not None:
        answer = await look(config, data, path)
        if tell_refusal(answer):
            return answer.exit_status
        silences, path = silences + answer.body["silences"], (answer.body["next"] or "").removeprefix(API) or None
    if as_json:
        for one in silences:
            print_json(one)
    elif silences:
        print_table(_HEADINGS, *(_row(config, one) for one in silences))
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
        return answer.exit_status
    if as_json:
        print_json(answer.body)
    else:
        print_table(_HEADINGS, _row(config, answer.body))
    return 0


def _row(config: Config, one: Mapping[str, Any]) -> tuple[str, ...]:
    """Who, why, what and for how long."""
    named = [f"{kind}={','.join(one[kind])}" for kind in _KINDS if one[kind]]
    named += [f"incident={one['incident']}"] if one["incident"] else []
    times = (local_time(config, one["from"]), local_time(config, one["ended_at"] or one["until"]))
    return one["id"], one["status"], *times, one["author"], " ".join(named) or "everything", one["reason"]
