"""Dashboards against the types that Grafana publishes of its own JSON, panel options included.

There is no Grafana to be had from a package registry that tests can reach, so nothing here draws a panel; what can be
wrong with the shape of a file is found.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.deploy import boards
from tests.programs import from_npm, path_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

VERSION = "13.2.3"  # as in docker-compose.yml
GENERATOR = "2.4.0"


class Types:
    """JSON Schemas of Grafana's types, made from their declarations."""

    def __init__(self, folder: Path) -> None:
        raw = from_npm(folder, "@grafana/schema", VERSION) / "dist" / "types" / "raw"
        self._raw = raw
        from_npm(folder, "ts-json-schema-generator", GENERATOR)
        self._generator = folder / "node_modules" / ".bin" / "ts-json-schema-generator"
        self._known: dict[tuple[str, str], Draft7Validator] = {}

    def of(self, where: str, name: str) -> Draft7Validator:
        """The checker of a type in a folder of declarations."""
        if (where, name) not in self._known:
            (file,) = (self._raw / where).glob("*.d.ts")
            command = (path_of("node"), self._generator, "--no-type-check", "--path", file, "--type", name)
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            self._known[where, name] = Draft7Validator(json.loads(done.stdout))
        return self._known[where, name]


@pytest.fixture(scope="module")
def types(tmp_path_factory: pytest.TempPathFactory) -> Types:
    return Types(tmp_path_factory.mktemp("grafana"))


def _of_dashboard(board: boards.Json) -> boards.Json:
    """What the published types know: Prometheus's own part of annotations is left out of them, and so is `definition`,
    which every export has."""
    known: boards.Json = json.loads(json.dumps(board))
    for note in known["annotations"]["list"]:
        for key in ("target", "expr", "step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"):
            note.pop(key, None)
    for one in known["templating"]["list"]:
        one.pop("definition", None)
    return known


def _wrong(types: Types, board: boards.Json) -> Iterator[str]:
    for error in types.of("dashboard/x", "Dashboard").iter_errors(_of_dashboard(board)):
        yield f"{error.json_path}: {error.message[:200]}"
    for panel in boards.shown(board):
        where = f"composable/{panel['type'].replace('-', '')}/panelcfg/x"
        custom: Any = panel["fieldConfig"]["defaults"].get("custom")
        for name, value in (("Options", panel["options"]), ("FieldConfig", custom)):
            for error in types.of(where, name).iter_errors(value) if value is not None else ():
                yield f"{panel['title']}: {name}{error.json_path[1:]}: {error.message[:200]}"


@pytest.mark.parametrize("file", boards.FILES, ids=lambda file: file.stem)
def test_a_dashboard_is_what_grafana_calls_one(types: Types, file: Path) -> None:
    """Types of values, names of keys, and the options of every kind of panel."""
    assert [*_wrong(types, boards.read(file))] == []


def test_the_types_are_those_of_the_grafana_in_compose() -> None:
    """Whoever raises one raises the other."""
    text = (boards.FOLDER.parents[2] / "docker-compose.yml").read_text(encoding="utf-8")
    assert f"grafana/grafana:{VERSION}\n" in text
