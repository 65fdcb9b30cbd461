"""Texts for telephones: one message, in letters that every telephone shows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.short import GSM, LONGEST, LONGEST_ELSEWISE, TWICE, fitted, length_of


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Catálogo fora do ar – serviço desligado", "Catalogo fora do ar - servico desligado"),
        ("caído desde 09:01\u00a0UTC-3", "caido desde 09:01 UTC-3"),
        ("Über ñandú à Ç", "Über ñandu à Ç"),
        ("one\n\ntwo", "one two"),
        ("x" * 200, "x" * 157 + "..."),
        ("目录故障" * 30, ("目录故障" * 30)[:67] + "..."),
        ("[]" * 80, "[]" * 39 + "..."),
    ],
    ids=["accents", "spaces", "letters that telephones have", "lines", "too long", "another alphabet", "wide ones"],
)  # fmt: skip
def test_a_text_is_put_to_what_telephones_show(text: str, said: str) -> None:
    assert fitted(text) == said


@given(st.text(max_size=400))
def test_any_text_fits_into_one_message(text: str) -> None:
    """Of 160 letters where every telephone has them, else of 70; what is short and plain stays as it is."""
    short = fitted(text)
    plain = all(letter in GSM or letter in TWICE for letter in short)
    assert length_of(short) <= (LONGEST if plain else LONGEST_ELSEWISE)
    assert "\n" not in short
    assert fitted(short) == short
