"""`monitor completion`: a real shell completes what the program really takes."""

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.core.codes import CODES
from tests.programs import path_of

# `complete` tells bash's own completion what to do with files; outside of one there is nobody to tell.
ASK = """
compopt() { :; }
source <("$1" completion bash)
COMP_WORDS=("${@:1}"); COMP_CWORD=$(( $# - 1 ))
"$(complete -p monitor | sed -E 's/.* -F ([^ ]+) .*/\\1/')" "$1"
printf '%s\\n' "${COMPREPLY[@]}"
"""


def completed(*words: str, folder: Path) -> list[str]:
    """What bash offers for the last word."""
    program = Path(sys.executable).with_name("monitor")
    command = [path_of("bash"), "--norc", "-c", ASK, "bash", str(program), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=folder, check=True)
    assert done.stderr == ""
    return done.stdout.split()


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (("ini",), ["init"]),
        (("db", "ex"), ["export"]),
        (("run", "--log-l"), ["--log-level"]),
        (("run", "--log-level", "w"), ["warning"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("explain", "dns."), sorted(code for code in CODES if code.startswith("dns."))),
        (("probe", "--config", "shop.yaml", "checkout/s"), ["checkout/simulation"]),
        (("notify", "--config", "shop.yaml", "fi"), ["first"]),
        (("notify", "--config", "missing.yaml", "fi"), []),
    ],
    ids=lambda value: " ".join(value),
)
def test_bash_completes(tmp_path: Path, words: tuple[str, ...], offered: list[str]) -> None:
    """Commands, options, their words, and what stands in the configuration that is named."""
    if "shop.yaml" in words:
        options = ("--account", "mystore", "--channel", "mqtt://localhost")
        assert CliRunner().invoke(main, ["init", str(tmp_path / "shop.yaml"), *options]).exit_code == 0
    assert completed(*words, folder=tmp_path) == offered


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_that_asks_the_program(shell: str) -> None:
    """It names the program, how it is asked, and what the shell is called."""
    done = CliRunner().invoke(main, ["completion", shell])
    assert done.exit_code == 0
    assert f"_MONITOR_COMPLETE={shell}_complete" in done.output
