"""What the reference says of commands and of the operators' API, made from the code that answers.

`python -m tests.reference --write` writes `docs/commands.md` and `docs/operations.md`; a test holds them against it.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from monitor.cli import main as program
from monitor.commands.common import Common
from monitor.web.openapi import OPERATIONS
from monitor.web.operation import REASONS

DOCS = Path(__file__).parent.parent / "docs"
COMMON = set(Common.__dataclass_fields__)


def commands() -> str:
    """Every command with its arguments and options."""
    found = ["# Commands\n\nMade from the program by `python -m tests.reference --write`; `--help` says it too."]
    found.append(
        "Every command also takes `--config`, `--data`, `--log-format` and `--log-level`, before and after its name: "
        "[Running it](running.md#options-and-environment). Exit status 0: done; 1: it was tried and did not succeed, "
        "or what was looked at is not well; 2: it cannot be done as it was said or configured."
    )
    for name, command in _all("monitor", program):
        context = click.Context(command, info_name=name)
        usage = " ".join(command.collect_usage_pieces(context)).replace("[OPTIONS]", "").strip()
        found.append(f"## {name}\n\n{' '.join((command.help or '').split())}")
        found.append(f"```text\n{f'{name} {usage}'.strip()}\n```")
        rows = [
            _row(one, context) for one in command.params if isinstance(one, click.Option) and one.name not in COMMON
        ]
        rows = [row for row in rows if row]
        if rows:
            found.append("| option | |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(found) + "\n"


def _all(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield name, command
        return
    for word, one in sorted(command.commands.items()):
        yield from _all(f"{name} {word}", one)


def _row(option: click.Option, context: click.Context) -> str:
    told = option.get_help_record(context)
    if told is None or "--help" in option.opts:
        return ""
    return f"| `{_cell(told[0])}` | {_cell(told[1])} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def operations() -> str:
    """Every address of the operators' side, with what may stand in its query and how it answers."""
    found = [
        "# Operations\n\nEvery request that programs may make at the operators' side, made from the code by "
        "`python -m tests.reference --write`. The running monitor tells the same as OpenAPI, with every object, at "
        "`/api/ops/v1/openapi.json`; [Public interfaces](api.md#for-operators) explains it.",
        "| request | | query | answers |\n|---|---|---|---|\n" + "\n".join(_operations()),
        "Statuses:",
        "| | |\n|---|---|\n" + "\n".join(f"| {status} | {said} |" for status, said in sorted(REASONS.items())),
    ]
    return "\n\n".join(found) + "\n"


def _operations() -> Iterator[str]:
    for (method, path), one in sorted(OPERATIONS.items(), key=lambda item: (item[0][1], item[0][0])):
        keys = ", ".join(f"`{key}`" for key in one.keys)
        statuses = sorted({*(one.gives or {}), *one.fails, *one.tells})
        yield f"| `{method.upper()} {path}` | {_cell(one.summary)} | {keys} | {', '.join(map(str, statuses))} |"


PAGES: dict[str, Any] = {"commands.md": commands, "operations.md": operations}

if __name__ == "__main__":
    for name, page in PAGES.items():
        if "--write" in sys.argv:
            (DOCS / name).write_text(page(), encoding="utf-8")
        else:
            print(page())
