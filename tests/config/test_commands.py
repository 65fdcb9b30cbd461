"""`monitor check` and `monitor schema`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from monitor.cli import main
from monitor.commands.check import check
from monitor.commands.schema import schema


def test_a_good_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is configured, on stdout."""
    path = tmp_path / "probes.yaml"
    path.write_text(
        "version: 1\nsite: {languages: [en]}\nmonitor: {canaries: ['https://b.example.com']}\n"
        "modules:\n  - id: a\n    probes:\n"
        "      - {id: one, url: 'https://a.example.com'}\n"
        "      - {id: two, url: 'https://a.example.com', enabled: false}\n  - {id: b, depends_on: [a]}\n"
    )

    assert check(str(path)) == 0
    assert capsys.readouterr() == (f"{path}: 2 modules, 2 probes, 1 of them off\n", "")


def test_a_warning_does_not_fail(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is told on stderr."""
    path = tmp_path / "probes.yaml"
    path.write_text(
        "version: 1\nsite: {languages: [en]}\nmodules: [{id: a, depends_on: [b]}, {id: b, depends_on: [a]}]\n"
    )

    assert check(str(path)) == 0
    out, err = capsys.readouterr()
    assert out == f"{path}: 2 modules, 0 probes\n"
    assert err == f"{path}:3:32: warning: dependency cycle a → b → a; it is judged as one node\n"


def test_public_targets_without_canaries_are_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A target of our own network, or one that is dialled elsewhere, needs none."""
    path = tmp_path / "probes.yaml"
    start = "version: 1\nsite: {languages: [en]}\nmonitor: {connect_to: {'*.b.example.com:443': '127.0.0.1:1'}}\n"
    probes = "modules: [{id: a, probes: [{id: one, url: 'https://HOST', allow_private: PRIVATE}]}]\n"
    for host, private, warned in (
        ("a.example.com", "false", True),
        ("a.example.com", "true", False),
        ("a.b.example.com", "false", False),
    ):
        path.write_text(start + probes.replace("HOST", host).replace("PRIVATE", private))
        assert check(str(path)) == 0
        assert ("without `canaries`" in capsys.readouterr().err) is warned


def test_expectations_in_vain_are_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They are well written, so the file is fine; but they can never make a difference."""
    path = tmp_path / "probes.yaml"
    path.write_text(
        "version: 1\nsite: {languages: [en]}\nmodules:\n  - id: a\n    probes:\n      - id: one\n"
        "        url: http://127.0.0.1/\n        allow_private: true\n        timeout: 2s\n"
        "        expect:\n          certificate: {valid_for: 21d}\n          slow_after: 3s\n"
    )
    assert check(str(path)) == 0
    assert capsys.readouterr().err == (
        f"{path}:11:24: warning: `certificate` says nothing of an `http://` address\n"
        f"{path}:12:23: warning: `slow_after` `3s` is never reached: the timeout is `2s`\n"
    )


def test_every_problem_is_a_line_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And the exit status is 2."""
    path = tmp_path / "probes.yaml"
    path.write_text("version: 3\nsite: {nam: x}\n")

    assert check(str(path)) == 2
    assert capsys.readouterr() == (
        "",
        f"{path}:1:10: `version` must be `1`, not `3`\n{path}:2:8: unknown key `nam`; did you mean `name`?\n",
    )


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the 2020-12 kind."""
    assert schema() == 0
    assert json.loads(capsys.readouterr().out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize(
    "words",
    [
        ["--log-level", "info", "schema"],
        ["schema", "--config", "x.yaml", "--log-level", "info"],
        ["--config", "missing.yaml", "db", "check"],
        ["db", "--config", "missing.yaml", "check"],
        ["db", "check", "--config", "missing.yaml"],
        ["--config", "other.yaml", "db", "--config", "missing.yaml", "check", "--data", "x"],
    ],
    ids=" ".join,
)
def test_common_options_stand_before_and_after_the_name(words: list[str]) -> None:
    """The last one counts."""
    result = CliRunner().invoke(main, words)

    if "db" in words:
        assert (result.exit_code, result.stderr) == (2, "missing.yaml:1:1: cannot be read: no such file or directory\n")
    else:
        assert result.exit_code == 0


@pytest.mark.parametrize("words", [["demo", "--config", "x.yaml"], ["--config", "x.yaml", "demo"]], ids=" ".join)
def test_the_demo_takes_no_configuration_and_says_so(words: list[str]) -> None:
    """Whoever names one would believe that it is played."""
    result = CliRunner().invoke(main, words)

    assert result.exit_code == 2
    assert "demo plays its story on the shipped configuration: --config means nothing to it" in result.stderr


@pytest.mark.parametrize("word", ["schema", "--help"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_output_that_finds_no_room_is_one_sentence(unbuffered: str, word: str) -> None:
    """`/dev/full` is a disk without room."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "monitor", word],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            env={"PYTHONUNBUFFERED": unbuffered},
        )

    assert done.returncode == 1
    assert done.stderr == "the output cannot be written (No space left on device): make room, or send it elsewhere\n"
