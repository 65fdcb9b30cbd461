"""Every snippet of the documentation is what it claims to be: calls are understood, data can be read."""

import ast
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml
from click.testing import CliRunner

from monitor.cli import main
from monitor.config import ConfigError
from monitor.config.file import load
from tests.test_docs import PAGES, ROOT, text

INDENTED = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"(?:^|/)monitor$")


def snippets(language: str) -> Iterator[tuple[str, str]]:
    """Where a snippet stands, and what it says."""
    for page in PAGES:
        for indent, found, block in INDENTED.findall(text(page)):
            if found == language:
                yield str(page.relative_to(ROOT)), re.sub(f"^{indent}", "", block, flags=re.MULTILINE)


def lines(language: str) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """The words of each call of the program, and what the snippet puts into the environment."""
    for page, block in snippets(language):
        exported = dict(re.findall(r"^export (\w+)=(\S+)$", block, re.MULTILINE))
        for line in block.replace("\\\n", " ").splitlines():
            if language == "console" and not line.startswith("$ "):
                continue
            for part in re.split(r"\s(?:\||&&|>>?|<)\s", line.removeprefix("$ ")):
                try:
                    words = shlex.split(part, comments=True)
                except ValueError:  # a text that goes on in the next line
                    continue
                while words and re.match(r"[A-Z_]+=", words[0]):
                    del words[0]
                if words and PROGRAM.search(words[0]):
                    yield f"{page}: {line}", words[1:], exported


CALLS = [*lines("sh"), *lines("console")]


def understood(command: click.Command, name: str, words: list[str]) -> None:
    """Raises what the program would say to these words, without doing it."""
    context = command.make_context(name, list(words))
    if isinstance(command, click.Group):
        rest = [*getattr(context, "_protected_args", []), *context.args]
        found, inner, left = command.resolve_command(context, rest)
        assert found is not None
        assert inner is not None
        understood(inner, found, left)


@pytest.mark.parametrize(("words", "exported"), [call[1:] for call in CALLS], ids=[call[0] for call in CALLS])
def test_every_call_in_the_documentation_is_understood(
    words: list[str], exported: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its command is there, and takes these options."""
    for name, value in exported.items():
        monkeypatch.setenv(name, value)
    understood(main, "monitor", words)


def test_every_snippet_of_data_can_be_read() -> None:
    """YAML and JSON with what is left out written as `…`, Python that compiles."""
    wrong = []
    for language, read in (("yaml", yaml.safe_load), ("json", _json), ("python", ast.parse)):
        for page, block in snippets(language):
            try:
                read(block)
            except (ValueError, yaml.YAMLError, SyntaxError) as error:
                wrong.append(f"{page}: {error}")
    assert len(list(snippets("yaml"))) > 40
    assert wrong == []


def _json(block: str) -> None:
    try:
        json.loads(block)
    except ValueError:  # one a line, as `replay` reads them
        for line in block.splitlines():
            json.loads(line)


def test_every_whole_configuration_is_valid(tmp_path: Path) -> None:
    """One that begins with `version` and has modules can be copied as it stands."""
    whole = [(page, block) for page, block in snippets("yaml") if "version: 1" in block and "modules:" in block]
    assert "docs/guides/add-a-probe.md" in dict(whole)
    wrong = []
    for number, (page, block) in enumerate(whole):
        file = tmp_path / f"{number}.yaml"
        file.write_text(block, encoding="utf-8")
        try:
            config = load(file, {"VTEX_ACCOUNT": "mystore", "CHAT_URL": "https://chat.example.com/x"})
            if page.startswith("docs/guides/"):
                wrong += [f"{page}: {problem.message}" for problem in config.warnings]
        except ConfigError as error:
            wrong.append(f"{page}: {error}")
    assert wrong == []


def test_the_first_steps_lead_to_a_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written there, typed as it stands, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    said = [
        words for where, words, _ in CALLS if where.startswith("docs/first-steps.md") and words[0] in ("init", "check")
    ]
    assert [words[0] for words in said] == ["init", "init", "check"]
    for words in said[1:]:  # the first one asks
        done = CliRunner().invoke(main, words)
        assert (done.exit_code, done.stderr) == (0, ""), words
    assert (tmp_path / "mystore.yaml").is_file()
