"""Ids that never change."""

import re
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.identity import stable_id


def first_digits(key: str) -> str:
    """The first twelve base-36 digits of SHA-256, worked out another way: from the top, by division."""
    number = int(sha256(key.encode()).hexdigest(), 16)
    power = 1
    while power * 36 <= number:
        power *= 36
    found = ""
    while len(found) < 12 and power:
        digit, number = divmod(number, power)
        found += chr(ord("0") + digit) if digit < 10 else chr(ord("a") + digit - 10)
        power //= 36
    return found


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_an_id_is_the_first_twelve_base_36_digits_of_sha_256(key: str) -> None:
    """As the contract says, so that anybody can work it out."""
    assert stable_id(key) == first_digits(key)
    assert re.fullmatch("[0-9a-z]{12}", stable_id(key))


@pytest.mark.parametrize(
    ("key", "id"),
    [("component:order-placement", "5v87le5z436t"), ("", "5oaq0bjhj6un")],
    ids=["a component", "nothing"],
)
def test_ids_stay_what_they_are(key: str, id: str) -> None:
    """A change here would break every link in the world."""
    assert stable_id(key) == id


def test_different_keys_have_different_ids() -> None:
    """Ten thousand keys, ten thousand ids."""
    assert len({stable_id(f"inc:m{n}:2026") for n in range(10_000)}) == 10_000
