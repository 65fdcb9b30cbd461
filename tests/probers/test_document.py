"""JSON under guard: refused when absurd, read patiently when costly, and the same value either way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.probers.document import _PATIENT, _QUICK, found, parse
from monitor.probers.failure import Stopped


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("[" * 201 + "]" * 201, "content.json_limits", "deeper"),
        ('{"a":' * 201 + "1" + "}" * 201, "content.json_limits", "deeper"),
        ("[" * 40_000, "content.json_limits", "deeper"),
        ("9" * 4301, "content.json_limits", "digits"),
        ("[" + "0," * 200_001 + "0]", "content.json_limits", "values"),
        ("[" + "{}," * 50_001 + "0]", "content.json_limits", "objects"),
        ('["a",' + "[" * 50_001, "content.json_limits", "objects"),
        (r'"\\"' + "[" * 50_001, "content.json_limits", "objects"),
        ('["",' * 50_001, "content.json_limits", "objects"),
        ('"' + "x" * (16 << 20) + '"', "content.json_limits", "MiB"),
        ("NaN", "content.invalid_json", "NaN"),
        ("[-Infinity]", "content.invalid_json", "-Infinity"),
        ("<html>", "content.invalid_json", "HTML"),
        ('{"a": 1', "content.invalid_json", "ends early"),
        ('{"a": "b', "content.invalid_json", "ends early"),
        ("", "content.invalid_json", "ends early"),
        ("{'a': 1}", "content.invalid_json", "line 1 column 2"),
        ("{} {}", "content.invalid_json", "Extra data"),
    ],
)
def test_what_is_refused(text: str, code: str, said: str) -> None:
    """With the code, and with words that tell a cut-off answer from a page."""
    with pytest.raises(Stopped) as stopped:
        parse(text)

    assert stopped.value.code == code
    assert said in stopped.value.detail


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200 + "]" * 200,
        "9" * 4300,
        '"' + "[{," * 1000 + '"',
        '{"a": 1, "a": 2}',
        "[" + "[]," * 45_000 + "1]",
        pytest.param('{"page": "' + "f({x:[1,2,3]}); " * 60_000 + '"}', id="a page with its script in one string"),
        pytest.param('["' + r"\"[[,,\\\"{" * 60_000 + '"]', id="marks between what is escaped"),
    ],
)
def test_what_is_taken(text: str) -> None:
    """The limits themselves, brackets inside texts, and keys that come twice: the last one counts."""
    assert parse(text) == json.loads(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i)
    )
)
def test_patient_and_quick_read_the_same(value: Any) -> None:
    """Which parser is taken is a matter of cost alone."""
    text = json.dumps(value)

    assert _PATIENT.decode(text) == _QUICK.decode(text) == value


def test_expressions_that_do_not_fit_give_nothing() -> None:
    """An answer of another shape is judged as if the value were missing."""
    paths = ["length(a)", "sum(b)", "a.b.c", "b[5]", "sort_by(b, &x)", "to_number('x')", "avg(e)", "max_by(b, &y)"]

    assert found({"a": 1, "b": ["x", 2], "e": []}, paths) == dict.fromkeys(paths)
