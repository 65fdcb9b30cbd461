"""What YAML means here: the 1.2 core schema, and nothing that surprises."""

import math
from itertools import pairwise

import pytest

from monitor.config.table import Row, Table, find
from monitor.config.yaml12 import compose, scalar


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("on", "on"),
        ("yes", "yes"),
        ("NO", "NO"),
        ("1:30", "1:30"),
        ("12:30:45", "12:30:45"),
        ("2026-11-27", "2026-11-27"),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1e3", 1000.0),
        ("1.10", 1.1),
        ("1_000", "1_000"),
        ("+7", 7),
        (".5", 0.5),
        ("1.2.3", "1.2.3"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("null", None),
        ("-.inf", -math.inf),
        ("=", "="),
        ("-", "-"),
    ],
)
def test_a_plain_scalar_means_what_yaml_12_core_says(written: str, meant: object) -> None:
    """The old meanings of `on`, `NO`, `1:30`, `010` and dates are gone."""
    value = scalar(written)

    assert value == meant
    assert type(value) is type(meant)


def test_a_key_is_always_text_as_written() -> None:
    """`on`, `200` and `null` are names when they stand before a colon."""
    assert list(compose("{on: 1, 200: 2, null: 3, 010: 4}").root) == ["on", "200", "null", "010"]


def test_quotes_make_text_and_so_does_the_tag() -> None:
    """Only plain scalars are looked at for numbers."""
    assert compose("['1', \"true\", !!str 1, ! 2]").root == ["1", "true", "1", "2"]


def test_everything_knows_its_line_and_column_from_one() -> None:
    """Keys and values have places of their own."""
    root = compose("version: 1\nsite:\n  links: {a: [x, yy]}\n").root

    assert find(root, ("site", "links", "a", 1)) == ("yy", (3, 18), (3, 18))
    assert find(root, ("site", "links"))[1:] == ((3, 10), (3, 3))


def test_a_way_that_leads_nowhere_ends_at_its_parent() -> None:
    """A missing key is told at the mapping that should hold it."""
    assert find(compose("a:\n  b: 1\n").root, ("a", "missing"))[1] == (2, 3)


def test_an_alias_is_a_copy() -> None:
    """Nothing is shared, so nothing can be changed twice or form a cycle."""
    root = compose("a: &a {x: [1]}\nb: *a\n").root

    assert isinstance(root["b"], Table)
    assert isinstance(root["b"]["x"], Row)
    assert root["a"] == root["b"]
    assert root["a"]["x"] is not root["b"]["x"]


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    """Some editors write one."""
    assert compose("\ufeffversion: 1").root == {"version": 1}


def test_the_bomb_of_271_bytes_is_stopped_early() -> None:
    """Nine levels of nine aliases would be hundreds of millions of nodes."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"]
    for before, name in zip("abcdefgh", "bcdefghi", strict=True):
        lines.append(f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]")

    document = compose("\n".join(lines))

    assert document.root is None
    assert document.problems[0].message == "aliases expand to more than 100,000 nodes"


@pytest.mark.parametrize("text", ["[" * 20_000, "- " * 20_000, "{a: " * 20_000, "[{a: " * 20_000])
def test_deep_nesting_is_a_message_and_not_a_traceback(text: str) -> None:
    """The composer keeps its own stack."""
    document = compose(text)

    assert document.root is None
    assert "64 levels" in document.problems[0].message


def test_aliases_cannot_hide_depth() -> None:
    """Each anchor is shallow; together they are not."""
    names = [f"a{i}" for i in range(8)]
    lines = [f"{names[0]}: &{names[0]} " + "[" * 20 + "]" * 20]
    for before, name in pairwise(names):
        lines.append(f"{name}: &{name} " + "[" * 20 + f"*{before}" + "]" * 20)

    assert "64 levels" in compose("\n".join(lines)).problems[0].message


def test_the_value_of_a_repeated_key_is_forgotten_whole() -> None:
    """What stands inside it is neither taken nor substituted."""
    document = compose("a: 1\na: {b: ['${X}']}\nc: 2\n")

    assert document.root == {"a": 1, "c": 2}
    assert document.templates == []
    assert [problem.message for problem in document.problems] == ["duplicate key `a`: line 2 repeats line 1"]


def test_templates_of_a_copied_anchor_have_their_own_path() -> None:
    """The same text may be allowed in one place and not in the other."""
    document = compose("a: &a {x: '${X}', y: [1, '${Y}']}\nb: *a\n")

    assert [template.path for template in document.templates] == [
        ("a", "x"),
        ("a", "y", 1),
        ("b", "x"),
        ("b", "y", 1),
    ]
