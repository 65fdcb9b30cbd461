"""The JSON Schema for editors, and the manual: both know every key."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from monitor.config.kinds import KINDS
from monitor.config.model import json_schema
from monitor.config.table import plain
from monitor.config.yaml12 import compose
from monitor.core.clause import OPERATORS, TYPES

HERE = Path(__file__).parent
SCHEMA = json_schema()
MANUAL = (HERE.parents[1] / "docs" / "configuration.md").read_text()


def fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(mapping, key, schema) of every key."""
    for name, one in {"File": SCHEMA, **SCHEMA["$defs"]}.items():
        for key, field in one.get("properties", {}).items():
            yield name, key, {**field, "required": key in one.get("required", ())}


@pytest.mark.parametrize(("mapping", "key", "field"), [pytest.param(*one, id=f"{one[0]}.{one[1]}") for one in fields()])
def test_every_key_is_described_has_its_default_and_is_in_the_manual(
    mapping: str, key: str, field: dict[str, Any]
) -> None:
    """An editor shows all of it, and so does `docs/configuration.md`."""
    assert field.get("description"), mapping
    assert field["required"] or "default" in field, mapping
    assert f"`{key}`" in MANUAL


@pytest.mark.parametrize("word", [*KINDS, *OPERATORS, *TYPES])
def test_every_kind_operator_and_type_is_in_the_manual(word: str) -> None:
    """Nothing can be written that is not documented."""
    assert f"`{word}`" in MANUAL


def test_it_is_a_valid_schema_and_the_example_fits() -> None:
    """The example is read as the monitor reads it, before anything is replaced."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)

    jsonschema.validate(plain(compose((HERE / "full.yml").read_text()).root), SCHEMA)


def test_every_example_of_the_manual_is_right() -> None:
    """Each parses, and fits the schema where it is a whole configuration or a section of one."""
    examples = [plain(compose(text).root) for text in re.findall(r"```yaml\n(.*?)```", MANUAL, re.DOTALL)]
    validator = jsonschema.Draft202012Validator(SCHEMA)

    for example in examples:
        assert example is not None
        if isinstance(example, dict) and example.keys() <= SCHEMA["properties"].keys():
            validator.validate(example)
        elif isinstance(example, list):
            validator.validate({"modules": [{"id": "a", "probes": example}]})
        else:
            validator.validate({"modules": [{"id": "a", "probes": [{"id": "p", "url": "http://x"} | example]}]})


@pytest.mark.parametrize(
    ("path", "value", "fits"),
    [
        (("defaults", "interval"), "30s", True),
        (("defaults", "interval"), 30, False),
        (("defaults", "interval"), "30 s", False),
        (("defaults", "interval"), "${INTERVAL:-30s}", True),
        (("vars",), {"cep": 1310, "sku": "1", "price": 9.9}, True),
        (("vars",), {"cep": []}, False),
        (("site", "nmae"), "x", False),
        (("modules",), [{"id": "a", "priority": "urgnt"}], False),
        (("modules",), [{"id": "a", "priority": "${PRIORITY}"}], True),
        (("modules",), [{"id": "a", "probes": [{"id": "p", "url": "https://x", "follow": "${N}"}]}], True),
        (("modules",), [{"id": "a", "probes": [{"id": "p", "kind": "tcp"}]}], False),
        (("modules",), [{"id": "a", "depends_on": ["b", {"module": "c", "strength": "hard"}]}], True),
    ],
)
def test_an_editor_sees_what_is_wrong(path: tuple[str, ...], value: object, fits: bool) -> None:
    """Well enough to underline it."""
    document: dict[str, Any] = {"version": 1}
    at = document
    for step in path[:-1]:
        at = at.setdefault(step, {})
    at[path[-1]] = value

    assert jsonschema.Draft202012Validator(SCHEMA).is_valid(document) == fits
