"""Text from outside: harmless, without secrets, and short."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.mask import EXCERPT, LINE, VALUE_BUDGET, Mask, clean, masker

SECRET = 'pa$$ "word"/1'


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b31mred", "red"),
        ("a\x00b\x7fc\x85d", "abcd"),
        ("abc\u202egnp.exe\u2066", "abcgnp.exe"),
        ("one\u2028two", "one\ntwo"),
        ("\ud800", "\ufffd"),
        ("\ufeffçãé 日本 🛒", "çãé 日本 🛒"),
    ],
)
def test_what_acts_is_gone_and_what_is_read_stays(text: str, cleaned: str) -> None:
    """Languages and emoji are text; terminal sequences and reading directions are not."""
    assert clean(text) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        f"before {SECRET} after",
        "url ?a=pa%24%24%20%22word%22%2F1",
        "form pa%24%24+%22word%22%2F1",
        json.dumps({"a": SECRET}),
        SECRET.replace("word", "wo\x00rd"),
        SECRET.replace("word", "wo\u202erd"),
    ],
    ids=["plain", "url", "form", "json", "split by a null", "split by a mark"],
)
def test_a_secret_is_found_however_it_is_spelled(text: str) -> None:
    """Also when something invisible splits it."""
    mask = Mask([SECRET])

    for shown in (mask.line(text), mask.excerpt(text), mask.value(text)):
        assert "•••" in shown
        assert "word" not in shown


def test_a_secret_on_the_cut_is_hidden_whole() -> None:
    """Clipping comes last, so half a secret never shows."""
    mask = Mask(["the-secret-value"])

    for length in range(EXCERPT - 20, EXCERPT + 2):
        assert "the-sec" not in mask.excerpt("x" * length + "the-secret-value")
    for length in range(LINE - 20, LINE + 2):
        assert "the-sec" not in mask.line("x" * length + "the-secret-value")


def test_short_values_are_no_secrets() -> None:
    """A sales channel of `1` would black out every text."""
    assert Mask(["1", "", "abc"])("1 abc") == "1 abc"


def test_the_longest_secret_wins() -> None:
    """One that begins with another leaves no tail behind."""
    assert Mask(["token", "token-and-more"])("token-and-more") == "•••"


def test_the_log_gets_a_plain_function() -> None:
    """It wants nothing but the text back."""
    assert masker(frozenset({"hush-hush"}))("say hush-hush") == "say •••"


def test_lines_are_lines() -> None:
    """Whatever came, one line of limited length."""
    shown = Mask([]).line("a\r\nb\tc " + "x" * 10_000)

    assert "\n" not in shown
    assert shown.startswith("a b c x")
    assert len(shown) == LINE


_json: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=5),
    max_leaves=30,
)


@given(_json)
def test_values_keep_their_type_and_can_be_written(value: Any) -> None:
    """Empty stays empty, full stays full, and every JSON takes it."""
    kept = Mask([]).value(value)

    assert isinstance(kept, type(value))
    if isinstance(value, list | dict):
        assert bool(kept) == bool(value)
    json.dumps(kept, allow_nan=False).encode("utf-8")


@pytest.mark.parametrize(
    "value",
    [["x" * 100] * 100_000, {str(n): n for n in range(100_000)}, "x" * 10_000_000, [[[["y" * 9000]] * 50] * 50]],
    ids=["list", "object", "text", "nested"],
)
def test_values_are_bounded(value: Any) -> None:
    """A huge one is told by its beginning."""
    assert len(json.dumps(Mask([]).value(value))) < 4 * VALUE_BUDGET


def test_deep_values_end_somewhere() -> None:
    """Nesting is followed for a few levels."""
    value: Any = "core"
    for _ in range(150):
        value = [value]

    assert len(json.dumps(Mask([]).value(value))) < 200


def test_a_secret_misread_as_latin_1_is_hidden_too() -> None:
    """A server that takes UTF-8 for Latin-1 and echoes it does not get a secret past the mask."""
    secret = "segredo-é9x-ção"
    misread = secret.encode().decode("latin-1")
    mask = Mask([secret])
    assert "9x" not in mask(misread)
    assert "9x" not in mask.excerpt(f"you sent {misread}!")
    assert "9x" not in mask.line(misread)
