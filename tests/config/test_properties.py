"""Whatever the text, the answer is a configuration or a `ConfigError`; nothing else ever comes out."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.config import Config, ConfigError
from tests.config.support import parsed
from tests.depth import examples

FULL = (Path(__file__).parent / "full.yml").read_text()
WORDS = (
    """&a|*a|<<:|[|]|{|}|:|-|'|"|>|!x|!!str|?|${X}|${|$${|${file:/x}|${X:-}|~|.nan|.inf|1e999|0x|-1|...|#|@|`|id:|on"""
)
ODD = [": ", "- ", "\n", "\n  ", "\t", "|", "---", "9" * 400, "\x00", "\ud800", "\u2028"]
PIECES = st.sampled_from([*WORDS.split("|"), *ODD])


def survives(text: str) -> None:
    """Parses, and checks what comes out."""
    try:
        assert isinstance(parsed(text, X="hunter22-do-not-show"), Config)
        return
    except ConfigError as error:
        caught = error
    lines = str(caught).split("\n")
    assert lines
    assert all(re.match(r"probes\.yaml:[1-9][0-9]*:[1-9][0-9]*: ", line) for line in lines)
    assert all(problem.message.isprintable() for problem in caught.problems)
    assert "hunter22" not in str(caught)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=30).map("".join))
def test_any_text_is_survived(text: str) -> None:
    """Random pieces of YAML."""
    survives(text)


@settings(max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.integers(0, len(FULL)), st.integers(0, 12), PIECES), min_size=1, max_size=3))
def test_any_mistake_in_a_real_file_is_survived(mistakes: list[tuple[int, int, str]]) -> None:
    """A few places of the example overwritten."""
    text = FULL
    for at, length, piece in mistakes:
        text = text[:at] + piece + text[at + length :]
    survives(text)


VALUES = st.recursive(
    st.sampled_from(["1", "x", "null", "true", "'${X}'", "30s", "-1", ".nan", "[]", "{}", "''", "9:00", "https://x"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda ones: f"[{', '.join(ones)}]")
        | st.dictionaries(st.sampled_from(["id", "kind", "to", "en", "module", "url", "x"]), inner, max_size=3).map(
            lambda ones: f"{{{', '.join(f'{key}: {one}' for key, one in ones.items())}}}"
        )
    ),
    max_leaves=6,
)
LINES = [line for line in FULL.splitlines() if ": " in line and not line.lstrip().startswith(("#", '"'))]


@settings(max_examples=examples(120), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LINES), VALUES)
def test_any_shape_in_any_place_is_survived(line: str, value: str) -> None:
    """The value of a key replaced by something of another shape."""
    survives(FULL.replace(line, f"{line.split(': ')[0]}: {value}", 1))


@pytest.mark.parametrize("value", ["[]", "{}", "[[x]]", "{id: {}}", "1", "null"])
def test_every_line_survives_a_value_of_another_shape(value: str) -> None:
    """What the last test draws by chance, for each line of the example."""
    for line in LINES:
        survives(FULL.replace(line, f"{line.split(': ')[0]}: {value}", 1))
