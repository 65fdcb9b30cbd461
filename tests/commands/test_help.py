"""`monitor --help`, as somebody reads it who has just installed it."""

import click
import pytest
from click.testing import CliRunner

from monitor import __version__
from monitor.cli import main

GROUPS = [(), *((name,) for name, one in main.commands.items() if isinstance(one, click.Group))]


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: " ".join(group) or "monitor")
def test_no_command_s_line_is_cut_off(group: tuple[str, ...]) -> None:
    """What each does stands in one line of a terminal of 80 columns, whole."""
    said = CliRunner().invoke(main, [*group, "--help"], terminal_width=80).stdout
    commands = said.partition("Commands:\n")[2].splitlines()
    assert commands
    assert [line for line in commands if line.endswith("...") or len(line) > 80] == []


def test_the_version_is_told_however_it_is_called() -> None:
    """Also where the package is only unpacked: nobody wrote down then what is installed."""
    assert CliRunner().invoke(main, ["--version"], prog_name="python -m monitor").stdout == (
        f"monitor, version {__version__}\n"
    )
