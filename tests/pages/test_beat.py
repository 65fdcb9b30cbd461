"""Turns: whoever has one between two moments is told anew."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitor.pages.beat import Turns, beat_of, told_at
from tests.pages import pictures

IDS = [f"module-{number}" for number in range(400)]
BEAT = beat_of(len(IDS))
SECONDS = st.integers(0, 400) | st.floats(0, 400)


@given(SECONDS, SECONDS)
def test_those_between_two_moments_are_those_whose_last_turn_began_since(began: float, passed: float) -> None:
    """The order that is made once says the same as each of them alone."""
    before = pictures.NOW + timedelta(seconds=began)
    now = before + timedelta(seconds=passed)
    expected = {id for id in IDS if told_at(id, BEAT, now) > before}
    assert set(Turns(IDS, BEAT).between(before, now)) == expected
