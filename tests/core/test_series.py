"""Series: bins count, so whatever is put together gives the figures of all of it; and the bins of each window."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.history import percentile
from monitor.core.observation import PHASES
from monitor.core.series import HOUR, WINDOWS, Bin, Column, Window, by_place, grid_of, merged, together
from tests.store.past import FAILED, NOON, PASSED, SLOW, UNKNOWN

WEEK = timedelta(days=7)
PHASED = st.dictionaries(st.sampled_from([*PHASES, "made-up"]), st.floats(0, 10), max_size=6)
RUN = st.tuples(st.sampled_from([PASSED, SLOW, FAILED, UNKNOWN]), st.floats(0, 100), PHASED)
RUNS = st.lists(RUN, max_size=30)

Runs = list[tuple[Result, float, dict[str, float]]]


def counted(runs: Runs) -> Bin:
    found = Bin()
    for result, duration, phases in runs:
        found = found.add(result, duration, phases)
    return found


def same(one: Bin, other: Bin) -> bool:
    """Equal, sums to within their last digits."""
    exact = ("runs", "failed", "slow", "timed")
    return (
        all(getattr(one, name) == getattr(other, name) for name in exact)
        and dict(one.buckets) == dict(other.buckets)
        and one.seconds == pytest.approx(other.seconds)
        and dict(one.phases) == pytest.approx(dict(other.phases))
    )


@settings(max_examples=40)
@given(RUNS, RUNS, RUNS)
def test_bins_put_together_are_one_bin_of_all_runs(first: Runs, second: Runs, third: Runs) -> None:
    """In whatever order and however they are split; nothing put to a bin changes nothing."""
    whole = counted([*first, *second, *third])
    a, b, c = counted(first), counted(second), counted(third)
    assert same(a.merge(b).merge(c), whole)
    assert same(c.merge(a.merge(b)), whole)
    assert same(merged([b, c, a, Bin()]), whole)
    for share in (0.5, 0.95, 0.99):
        assert merged([a, b, c]).percentile_ms(share) == percentile(whole.buckets, share)


@settings(max_examples=40)
@given(RUNS)
def test_a_bin_never_counts_more_than_it_saw(runs: Runs) -> None:
    """What failed, was slow or was timed is part of the runs; phases that do not exist are not kept."""
    one = counted(runs)
    answered = sum(one.buckets.values())
    assert one.runs == sum(result is not UNKNOWN for result, _, _ in runs)
    assert one.failed + answered == one.runs
    assert one.slow <= answered
    assert one.timed <= answered
    assert set(one.phases) <= set(PHASES)


def test_a_percentile_is_no_average_of_percentiles() -> None:
    """A quiet minute with one slow answer does not count as much as a busy one."""
    busy, quiet = counted([(PASSED, 0.1, {})] * 99), counted([(SLOW, 10.0, {})])
    assert busy.merge(quiet).percentile_ms(0.95) == pytest.approx(100, rel=0.12)


def test_only_failures_have_no_latency() -> None:
    """They are runs and failures all the same."""
    one = counted([(FAILED, 30.0, {"connect": 30.0})] * 4)
    assert (one.runs, one.failed, one.percentile_ms(0.5), one.phase_ms("connect")) == (4, 4, None, None)


def test_phases_that_are_not_known_are_never_zero() -> None:
    """Hours from before phases were kept say nothing of them, and do not thin out those that do."""
    old = Bin(runs=100, seconds=10.0, buckets={60: 100})
    assert old.phase_ms("tls") is None
    new = counted([(PASSED, 0.1, {"tls": 0.02, "transfer": 0.08})])
    assert old.merge(new).phase_ms("tls") == pytest.approx(20)
    assert new.phase_ms("connect") == 0  # this run needed none


def test_own_trouble_and_caches_count_nowhere() -> None:
    """A run that says nothing about the module is no run of its."""
    cached = Result(Outcome.PASSED, edge_only=True)
    lost = Result(Outcome.FAILED, "dns.resolver_unreachable", Blame.SELF)
    assert counted([(cached, 0.1, {"tls": 0.1}), (lost, 1.0, {})]) == Bin()


@given(
    st.sampled_from(list(WINDOWS.values())),
    st.integers(0, 10**7),
    st.sampled_from([5, 30, 60, 300, 900, 3600, 86400]),
    st.sampled_from([timedelta(minutes=30), timedelta(hours=12), WEEK]),
)
def test_the_bins_of_a_window_cover_it(window: Window, second: int, interval: int, kept: timedelta) -> None:
    """From before its beginning to now without a hole, at round times, and never more than a plot can show."""
    now = NOON + timedelta(seconds=second)
    grid = grid_of(window, now, timedelta(seconds=interval), kept)
    times = grid.times
    assert times[0] <= now - window.length < times[0] + grid.step
    assert times[-1] < now <= times[-1] + grid.step
    assert {b - a for a, b in pairwise(times)} <= {grid.step}
    assert len(times) <= 361
    assert all(grid.bin_of(at) == at == grid.bin_of(at + grid.step / 2) for at in times)
    assert not grid.from_runs or window.length <= kept


def test_bins_are_as_long_as_the_probes_need() -> None:
    """A probe that looks every quarter of an hour has no figure for each minute; without runs there are only hours."""
    steps = [
        grid_of(WINDOWS[name], NOON, timedelta(seconds=interval), kept).step
        for name, interval, kept in [("1h", 30, WEEK), ("1h", 900, WEEK), ("24h", 30, WEEK), ("24h", 30, HOUR)]
    ]
    assert steps == [timedelta(minutes=1), timedelta(minutes=15), timedelta(minutes=10), HOUR]


def test_gaps_are_nothing_and_no_zero() -> None:
    """A bin in which no probe ran has no figure; places are compared over the same bins."""
    grid = grid_of(WINDOWS["1h"], NOON, timedelta(0), WEEK)
    first, last = grid.times[0], grid.times[-1]
    here, there = counted([(PASSED, 0.1, {})]), counted([(FAILED, 1.0, {})])
    columns = by_place(
        {("http", "here"): {first: here}, ("tls", "there"): {first: there, last: Bin()}}, ["here", "there"], grid
    )
    whole = together(list(columns.values()))
    assert whole.of(lambda one: one.runs) == [2] + [None] * (len(grid.times) - 1)
    assert whole.of(lambda one: one.failed)[0] == 1
    assert columns["there"].percentile_ms(0.5) == [None] * len(grid.times)
    assert whole.whole.runs == 2
    assert Column((None,)).whole == Bin()
