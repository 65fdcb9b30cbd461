"""`monitor maintenance`: planned work. Exit status 0; 1 when it is not found or does not fit; 2 for what cannot be."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from monitor.commands.errand import API, change, look, tell_refusal
from monitor.commands.printing import in_our_language, local_time, print_json, print_table
from monitor.config import Config

_HEADINGS = ("ID", "STATUS", "FROM", "UNTIL", "MODULES", "TITLE")
_RULES = ("WINDOW", "RULE", "FROM", "UNTIL", "MODULES", "TITLE")


async def list_(config: Config, data: Path, status: str | None, as_json: bool) -> int:
    """Prints planned work, the first planned first, and the windows that people made."""
    works, windows = [], []
    path: str | None = "/maintenance?limit=200" + (f"&status={status}" if status else "")
    while path is not None:
        answer = await look(config, data, path)
        if tell_refusal(answer):
            return answer.exit_status
        works += answer.body["maintenances"]
        windows, path = answer.body["windows"], (answer.body["next"] or "").removeprefix(API) or None
    if as_json:
        for one in (*works, *windows):
            print_json(one)
        return 0
    if not works and not windows:
        print("no work is planned")
        return 0
    if works:
        print_table(_HEADINGS, *(_row(config, one, one["status"], "planned_from", "planned_until") for one in works))
    if windows:
        print(end="\n" if works else "")
        print_table(_RULES, *(_row(config, one, one["rrule"], "from", "until") for one in windows))
    return 0


async def say(config: Config, data: Path, path: str, body: Mapping[str, Any], as_json: bool) -> int:
    """Says something about planned work, and prints what became of it."""
    given = {name: value for name, value in body.items() if value not in (None, {}, [])}
    answer = await change(config, data, "POST", path, given, {"Idempotency-Key": uuid4().hex})
    if tell_refusal(answer):
        return answer.exit_status
    one = answer.body
    if as_json:
        print_json(one)
    elif "rrule" in one:
        print_table(_RULES, _row(config, one, one["rrule"], "from", "until"))
    elif "planned_from" in one:
        print_table(_HEADINGS, _row(config, one, one["status"], "planned_from", "planned_until"))
    else:
        print(f"{one['id']}  {one['status']}")
    return 0


def _row(config: Config, one: Mapping[str, Any], state: str, begins: str, ends: str) -> tuple[str, ...]:
    """The plan of it, or what became of it."""
    begins, ends = one.get("started_at") or one[begins], one.get("ended_at") or one[ends]
    modules = ",".join(one["modules"]) or "everything"
    times = (local_time(config, begins), local_time(config, ends))
    return one["id"], state, *times, modules, in_our_language(config, one["title"])
