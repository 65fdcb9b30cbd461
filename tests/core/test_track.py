"""What one place remembers of a probe: its noise, its slowness, and where it was answered."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.expectation import Outcome, Result
from monitor.core.track import Track, learn
from tests.stories.beats import START, observation

HOUR = timedelta(hours=1)
GOOD = Result(Outcome.PASSED)
SLOW = Result(Outcome.SLOW, code="http.slow_ttfb")
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


def test_where_it_was_answered_well_is_not_forgotten_for_a_failure() -> None:
    """That is what a failure at another address is compared with."""
    there = replace(observation("catalog", START, "+"), address="9.9.9.9:443")
    before = learned(Track(), [GOOD])
    failed = learn(before, there, BAD, HOUR)
    assert (before.good_address, failed.good_address) == ("8.8.8.8:443", "8.8.8.8:443")
    assert learn(failed, there, GOOD, HOUR).good_address == "9.9.9.9:443"


@pytest.mark.parametrize(("duration", "counts"), [(0.9, False), (0.91, True)])
def test_what_takes_as_long_as_usual_is_not_slow(duration: float, counts: bool) -> None:
    """Longer than slow runs of that place take in 99 of 100 cases is."""
    one = replace(observation("catalog", START, "~"), duration=duration)
    assert (learn(Track(usual=0.9), one, SLOW, HOUR).slow_score > 0) is counts


def test_slowness_that_is_over_leaves_nothing_to_tell() -> None:
    """Each brisk run since counts as one."""
    slow = learned(Track(), [GOOD, SLOW])
    assert (slow.code, slow.brisk_streak) == ("http.slow_ttfb", 0)
    assert learned(slow, [GOOD]).slow_sighting == slow.slow_sighting, "the newest slow run is what is told"
    over = learned(slow, [GOOD, GOOD, GOOD])
    assert (over.slow_score, over.slow_since, over.slow_sighting, over.code) == (0, None, None, None)
    assert over.brisk_streak == 3
