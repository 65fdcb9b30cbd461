"""`monitor completion`: the shell asks the program itself what can stand where, so it knows every command and option.

What is completed of a configuration comes from the one the command would read; one with mistakes completes nothing.
"""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem, get_completion_class

from monitor.commands.common import Common

if TYPE_CHECKING:
    from monitor.config import Config

SHELLS = ("bash", "zsh", "fish")
PROGRAM, VARIABLE = "monitor", "_MONITOR_COMPLETE"


def script(shell: str, command: click.Command) -> str:
    """What the shell reads once."""
    known = get_completion_class(shell)
    assert known is not None
    asking = known(command, {}, PROGRAM, VARIABLE)
    return str(asking.source_template % asking.source_vars()) + "\n"


def codes(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Codes of causes."""
    from monitor.core.codes import CODES

    return _begun(CODES, begun)


def probes(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Modules that have probes, and those probes."""
    if (config := _config(context)) is None:
        return []
    asked = {id: module.probes for id, module in config.platform.modules.items() if module.probes}
    return _begun([*asked, *(f"{id}/{probe.id}" for id, some in asked.items() for probe in some)], begun)


def channels(context: click.Context, parameter: click.Parameter, begun: str) -> list[CompletionItem]:
    """Channels by their names."""
    return _begun([] if (config := _config(context)) is None else config.sections["channels"], begun)


def _begun(words: Iterable[str], begun: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in sorted(words) if word.startswith(begun) and not re.search(r"\s", word)]


def _config(context: click.Context) -> "Config | None":
    from monitor.config import ConfigError
    from monitor.config.file import load

    said = [one.params.get("config") for one in (context, context.parent) if one is not None]
    try:
        return load(Common(config=next(filter(None, said), None)).file)
    except ConfigError:
        return None
