"""The process that reads the configuration tells what reading it here would."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from monitor.config import ConfigError
from monitor.config.apart import Reading
from monitor.config.file import load, shipped

BROKEN = "version: 1\nmodules:\n  - {id: A, name: x}\n  - {id: b, nam: y}\n"


def test_what_it_says_is_what_the_file_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets, patterns, graphs and texts included."""
    monkeypatch.setenv("VTEX_APP_KEY", "vtexappkey-demostore-TEST")
    monkeypatch.setenv("VTEX_APP_TOKEN", "a-token-of-this-test")
    found = Reading(str(shipped())).config()

    assert found == load(shipped())
    assert any(probe.expect.matches for probe in found.platform.probes.values())
    assert "a-token-of-this-test" in found.secrets


def test_every_problem_arrives(tmp_path: Path) -> None:
    file = tmp_path / "probes.yaml"
    file.write_text(BROKEN)
    with pytest.raises(ConfigError) as here:
        load(file)
    with pytest.raises(ConfigError) as apart:
        Reading(str(file)).config()

    assert len(here.value.problems) == 2
    assert (apart.value.problems, str(apart.value)) == (here.value.problems, str(here.value))


def test_a_file_that_a_shell_has_opened_is_read(tmp_path: Path) -> None:
    """As `--config <(sops -d probes.yaml)` names it."""
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    reading = Reading(f"/dev/fd/{reader}")
    os.write(writer, b'version: 1\nmodules: [{id: a, name: {pt-BR: "A", en: "A"}}]\n')
    os.close(writer)
    try:
        assert list(reading.config().platform.modules) == ["a"]
    finally:
        os.close(reader)


@pytest.mark.parametrize(
    ("program", "why"), [("/bin/false", "its reader ended with 1"), ("/nowhere/python", "no such file or directory")]
)
def test_a_reader_that_fails_is_a_file_that_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, program: str, why: str
) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(ConfigError, match=f"^probes.yaml:1:1: cannot be read: {why}$"):
        Reading("probes.yaml").config()


def test_a_monitor_that_runs_holds_no_models_of_the_file() -> None:
    """16 MB for as long as it runs."""
    code = "import sys, monitor.commands.run; print({'pydantic', 'yaml'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
