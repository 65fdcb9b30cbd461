"""The sieve takes nothing out that the product would have seen."""

import pytest

from tests.bench.sieve import proves_sifting


@pytest.mark.slow
@pytest.mark.parametrize(("stray", "weeks"), [(0.01, 1.0), (0.05, 0.5)])
def test_sifted_noise_gives_what_playing_all_of_it_gives(stray: float, weeks: float) -> None:
    """As many extra runs, the same alarms; and some stretches were near enough to be played."""
    extras, played = proves_sifting(stray, weeks, seed=5)
    assert extras > 1000
    assert played or stray < 0.05
