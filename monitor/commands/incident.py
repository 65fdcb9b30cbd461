"""`monitor incident`: people's side of an incident. Exit status 0; 1 when it is not found or a word not followed."""

import getpass
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from monitor.commands.errand import Answer, change, look, tell_refusal
from monitor.commands.printing import in_our_language, one_line, print_json, print_table
from monitor.config import Config

_HEADINGS = ("ID", "STATUS", "IMPACT", "SINCE", "TITLE")


async def list_(config: Config, data: Path, status: str | None, as_json: bool) -> int:
    """Prints the newest incidents, those going on first seen at the top."""
    answer = await look(config, data, "/incidents?limit=200" + (f"&status={status}" if status else ""))
    if tell_refusal(answer):
        return 1
    incidents = answer.body["incidents"]
    if as_json:
        for one in incidents:
            print_json(one)
        return 0
    if not incidents:
        print("no incidents")
        return 0
    print_table(_HEADINGS, *(_row(config, one) for one in incidents))
    return 0


async def show(config: Config, data: Path, id: str, as_json: bool) -> int:
    """Prints one incident, whole."""
    answer = await look(config, data, f"/incidents/{id}")
    return 1 if tell_refusal(answer) else _tell(config, answer, as_json)


async def say(
    config: Config, data: Path, method: str, path: str, body: Mapping[str, Any], author: str | None, as_json: bool
) -> int:
    """Says something about incidents, under the name of whoever is logged in unless another one is given."""
    given = {name: value for name, value in body.items() if value is not None}
    headers = {"Idempotency-Key": uuid4().hex}
    answer = await change(config, data, method, path, {**given, "author": author or _login()}, headers)
    return 1 if tell_refusal(answer) else _tell(config, answer, as_json)


def _login() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None  # a container without a name for its user


# -- what is printed --------------------------------------------------------------------------------------------------


def _tell(config: Config, answer: Answer, as_json: bool) -> int:
    one = answer.body
    if as_json:
        print_json(one)
        return 0
    cause = one["cause"]
    lines = [
        f"{one['id']}  {in_our_language(config, one['title'])}",
        f"{_state(one)}, {one['impact']} impact, priority {one['priority']}",
        f"since {_time(one['started_at'])}" + (f", until {_time(one['resolved_at'])}" if one["resolved_at"] else ""),
        f"public since {_time(one['published_at'])}" if one["published_at"] else "not public",
    ]
    if one["acknowledged_at"]:
        lines.append(f"acknowledged {_time(one['acknowledged_at'])}")
    if cause["code"]:
        lines.append(f"cause: {cause['code']}, {cause['state']}. {in_our_language(config, cause['summary'])}")
    if one["modules"]:
        lines.append("modules: " + ", ".join(f"{m['id']} ({m['status']})" for m in one["modules"]))
    if one["components"]:
        lines.append("components: " + ", ".join(one["components"]))
    for number, update in enumerate(one["updates"], 1):
        lines += ["", f"{number}. {_time(update['at'])}  {update['status']}  ({update['author']})"]
        lines += [f"   {line}" for line in in_our_language(config, update["body"]).splitlines()]
    acts = [f"   {_time(act['at'])}  {act['what']}  {act['by'] or '?'}" for act in one["acts"]]
    print("\n".join(map(one_line, [*lines, *(["", "by people:", *acts] if acts else [])])))
    return 0


def _state(one: Mapping[str, Any]) -> str:
    return str(one["status"]) + ("" if one["published_at"] else " (draft)")


def _time(text: str | None) -> str:
    """A moment in UTC, to the second."""
    return "" if text is None else text[:19].replace("T", " ") + "Z"


def _row(config: Config, one: Mapping[str, Any]) -> tuple[str, ...]:
    state = _state(one) + (", acknowledged" if one["acknowledged_at"] and not one["resolved_at"] else "")
    return one["id"], state, one["impact"], _time(one["started_at"]), in_our_language(config, one["title"])
