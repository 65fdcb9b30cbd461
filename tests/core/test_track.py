"""What one place remembers of a probe: its noise."""

from datetime import timedelta

import pytest

from monitor.core.expectation import Outcome, Result
from monitor.core.track import Track, learn
from tests.stories.beats import START, observation

HOUR = timedelta(hours=1)
GOOD = Result(Outcome.PASSED)
BAD = Result(Outcome.FAILED, code="http.503")


def learned(track: Track, results: list[Result], every: timedelta = HOUR) -> Track:
    """The track after these runs."""
    for beat, result in enumerate(results):
        track = learn(track, observation("catalog", START + beat * every, "+"), result, every)
    return track


def test_nothing_known_is_two_failures_in_two_thousand() -> None:
    """Clamped to the least that any probe fails."""
    track = Track()
    assert (track.noise_bad, track.noise_all, track.noise) == (2, 2000, 0.002)


def test_after_a_week_what_was_seen_is_worth_half() -> None:
    """Of failures and of runs alike; what is known of any probe stays. Each good run since counts as one, at first."""
    track = learned(Track(noise_bad=2 + 80, noise_all=2000 + 1000), [GOOD] * 14, 12 * HOUR)
    assert track.noise_bad == pytest.approx(2 + 40)
    assert 2000 + 500 + 7 < track.noise_all < 2000 + 500 + 14
    assert track.noise == pytest.approx(track.noise_bad / track.noise_all)


def test_a_failure_is_noise_once_the_suspicion_has_passed() -> None:
    """Three good runs later; it counts among the failures and among all runs."""
    doubted = learned(Track(), [GOOD, BAD, GOOD, GOOD])
    assert doubted.noise_bad == 2
    calm = learned(doubted, [GOOD])
    assert calm.noise_bad == pytest.approx(3, rel=0.01)
    assert calm.noise_all == pytest.approx(2003, rel=0.0001), "the good runs of the suspicion say nothing of noise"


@pytest.mark.parametrize(("bad", "noise"), [(0.0, 0.002), (20.0, 0.01), (1500.0, 0.05)])
def test_noise_stays_in_bounds(bad: float, noise: float) -> None:
    """A fifth of a per cent at least, five at most: a flaky probe needs more failures and does not become deaf."""
    assert Track(noise_bad=bad, noise_all=2000).noise == noise
