"""Texts that a person wrote: what of them is shown, and why some cannot be."""

import pytest

from monitor.core.effect import Refusal
from monitor.core.reading import read_line, read_text

BOTH = ("pt-BR", "en")


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        pytest.param({"en": "  We look. \n\n"}, {"en": "We look."}, id="without blanks around it"),
        pytest.param({"en": "a\r\nb\rc\u2028d\x85e"}, {"en": "a\nb\nc\nd\ne"}, id="with one kind of line break"),
        pytest.param({"en": "a\u202eb\x00c"}, {"en": "abc"}, id="without what cannot be seen"),
        pytest.param({"en": "a", "pt-BR": " \x00"}, {"en": "a"}, id="without languages that were left empty"),
        pytest.param({"en": "x" * 20}, {"en": "x" * 20}, id="as long as it may be"),
    ],
)
def test_what_can_be_read_is_kept(said: dict[str, str], kept: dict[str, str]) -> None:
    """As it was written otherwise."""
    assert read_text(said, "message", BOTH, 20) == kept


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"en": "x", "fr": "x"}, "this site does not speak `fr`; it speaks pt-BR, en"),
        ({"x" * 99: "x"}, f"this site does not speak `{'x' * 40}`; it speaks pt-BR, en"),
        ({"en": "x" * 201}, "the title is longer than 200 characters"),
        ({"en": " \n"}, "the title is empty"),
        ({}, "the title is empty"),
    ],
)
def test_what_cannot_be_read_says_why(said: dict[str, str], why: str) -> None:
    """In a sentence, whether it is one line or many."""
    assert read_line(said, "title", BOTH) == Refusal("wrong", why)
    assert read_text(said, "title", BOTH, 200) == Refusal("wrong", why)


def test_what_is_not_needed_may_be_empty() -> None:
    """Then there is nothing."""
    assert read_text({"en": " "}, "message", BOTH, needed=False) == {}
    assert read_line({}, "title", BOTH, needed=False) == {}


def test_a_line_is_one_line() -> None:
    """However it was broken; of 200 characters as it is kept."""
    assert read_line({"en": " Carts \r\n are   slow "}, "title", BOTH) == {"en": "Carts are slow"}
    assert read_line({"en": "x" + " " * 300 + "y"}, "title", BOTH) == {"en": "x y"}


def test_a_site_that_names_no_languages_takes_any() -> None:
    """As a recording is judged without a site."""
    assert read_text({"tlh": "nuqneH"}, "message", ()) == {"tlh": "nuqneH"}
