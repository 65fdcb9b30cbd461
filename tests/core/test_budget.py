"""The error budget: what may be lost, what is, and how fast it goes; and availability bin by bin."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.core.budget import BURNS, PERIOD, budget, by_bin
from monitor.core.module import Status
from monitor.core.series import WINDOWS, Window, grid_of
from monitor.core.uptime import Span, uptime, without
from tests.store.past import NOON

BACK = timedelta(days=91)
OBJECTIVE = st.floats(0, 1)


@st.composite
def cuts(draw: st.DrawFn) -> list[Span]:
    """Spans of the last days in order, some of it cut out for planned work."""
    edges = sorted(draw(st.lists(st.integers(0, int(BACK.total_seconds())), max_size=8, unique=True)))
    times = [NOON - BACK, *(NOON - BACK + timedelta(seconds=edge) for edge in edges), NOON]
    found = [Span(draw(st.sampled_from(Status)), a, b) for a, b in pairwise(times) if a < b]
    begins = NOON - BACK + timedelta(seconds=draw(st.integers(0, int(BACK.total_seconds()))))
    return without(found, [(begins, begins + timedelta(hours=draw(st.integers(0, 100))))])


def span(status: Status, since: timedelta, until: timedelta = timedelta(0)) -> Span:
    return Span(status, NOON - since, NOON - until)


@given(cuts(), OBJECTIVE)
def test_what_is_spent_is_the_downtime_of_thirty_days(cut: list[Span], objective: float) -> None:
    """By the function that gives every other figure; spent and left are what is allowed."""
    one, whole = budget(cut, NOON, objective), uptime(cut, NOON - PERIOD, NOON)
    assert one.spent_seconds == whole.down_seconds
    assert one.left_seconds + one.spent_seconds == pytest.approx(one.allowed_seconds)
    assert 0 <= one.allowed_seconds <= (1 - objective) * PERIOD.total_seconds() + 1e-6
    assert all(burn is None or burn >= 0 for burn in one.burn.values())


@settings(max_examples=10)
@given(st.floats(0.5, 0.9999))
def test_a_burn_of_one_spends_all_of_it_in_thirty_days(objective: float) -> None:
    """Whoever loses exactly what may be lost, evenly, has nothing left and is not overspent."""
    cut = []
    for hour in range(30 * 24):
        since = timedelta(hours=30 * 24 - hour)
        lost = (1 - objective) * timedelta(hours=1)
        cut += [span(Status.DOWN, since, since - lost), span(Status.UP, since - lost, since - timedelta(hours=1))]
    one = budget(cut, NOON, objective)
    assert one.burn == {name: pytest.approx(1, rel=1e-3) for name in BURNS}
    assert one.left_seconds == pytest.approx(0, abs=1)


def test_an_outage_burns_fast_over_an_hour_and_slower_over_three_days() -> None:
    """Six minutes down with 99.9 %: a hundred times too fast over the hour."""
    minutes = timedelta(minutes=6)
    one = budget([span(Status.UP, PERIOD, minutes), span(Status.DOWN, minutes)], NOON, 0.999)
    assert one.burn["1h"] == pytest.approx(100)
    assert one.burn["6h"] == pytest.approx(100 / 6)
    assert one.burn["3d"] == pytest.approx(100 / 72)
    assert one.left_ratio == pytest.approx(1 - 360 / 2592)


def test_what_is_not_known_burns_nothing_and_is_told_as_such() -> None:
    """Slow is not lost; unknown is no zero; an objective of all of it leaves nothing to burn."""
    assert budget([], NOON, 0.999).burn == dict.fromkeys(BURNS)
    slow = budget([span(Status.DEGRADED, PERIOD)], NOON, 0.999)
    assert (slow.spent_seconds, slow.burn["1h"]) == (0, 0)
    strict = budget([span(Status.DOWN, timedelta(hours=1))], NOON, 1.0)
    assert (strict.burn["1h"], strict.left_ratio, strict.left_seconds) == (None, None, -3600)


@settings(max_examples=30)
@given(cuts(), st.sampled_from(list(WINDOWS.values())))
def test_bins_lose_what_the_window_loses(cut: list[Span], window: Window) -> None:
    """Each bin is the figure of its own time, and together they are the whole."""
    grid = grid_of(window, NOON, timedelta(0), window.length)
    bins = by_bin(cut, grid)
    ends = [min(at + grid.step, NOON) for at in grid.times]
    assert bins == [uptime(cut, at, end) for at, end in zip(grid.times, ends, strict=True)]
    whole = uptime(cut, grid.since, NOON)
    assert sum(one.down_seconds for one in bins) == pytest.approx(whole.down_seconds)
    assert sum(one.excluded_seconds for one in bins) == pytest.approx(whole.excluded_seconds)


def test_a_budget_is_exhausted_when_the_pace_of_three_days_has_spent_it() -> None:
    """99 % of 30 days are 7.2 h. Whoever lost 6 h in the last three days loses 2 h a day: the rest lasts 14.4 h."""
    hours = timedelta(hours=1)
    fast = [span(Status.UP, 30 * 24 * hours, 72 * hours), span(Status.DOWN, 6 * hours)]
    one = budget([*fast[:1], span(Status.UP, 72 * hours, 6 * hours), fast[1]], NOON, 0.99)
    # 6 h of 7.2 h are spent, 6 h in 72 h is the pace: 1.2 h take 14.4 h, and nothing leaves before 27 days have passed
    assert one.exhausted_at == NOON + timedelta(hours=14.4)
    assert budget([span(Status.UP, 30 * 24 * hours)], NOON, 0.99).exhausted_at is None
    assert (
        budget([span(Status.UP, 30 * 24 * hours, 9 * hours), span(Status.DOWN, 9 * hours)], NOON, 0.99).exhausted_at
        == NOON
    )


def test_what_is_spent_to_the_last_second_is_spent_now() -> None:
    """Also where nothing was lost lately: half of 30 days may be lost, and the first half was."""
    half = PERIOD / 2
    one = budget([span(Status.DOWN, PERIOD, half), span(Status.UP, half)], NOON, 0.5)
    assert (one.left_seconds, one.exhausted_at) == (0, NOON)
    blink = [span(Status.DOWN, half, half - timedelta(seconds=0.5)), span(Status.UP, half - timedelta(seconds=0.5))]
    assert budget(blink, NOON, 1.0).exhausted_at == NOON


def test_old_losses_that_leave_the_thirty_days_put_the_end_off() -> None:
    """5 h were lost 29 days ago and leave tomorrow; an hour of the last three days is the pace."""
    hours, day = timedelta(hours=1), timedelta(days=1)
    cut = [
        span(Status.UP, 30 * day, 29 * day),
        span(Status.DOWN, 29 * day, 29 * day - 5 * hours),
        span(Status.UP, 29 * day - 5 * hours, 2 * hours),
        span(Status.DOWN, 2 * hours, hours),
        span(Status.UP, hours),
    ]
    one = budget(cut, NOON, 0.99)
    assert (one.allowed_seconds, one.spent_seconds) == (pytest.approx(7.2 * 3600), 6 * 3600)
    assert one.exhausted_at is not None
    # After 29 h all of the old loss is gone: 1 h and 29/72 h are spent then, and the rest takes until
    # 7.2 - 1 = 6.2 h at an hour in 72 h: 446.4 h from now.
    assert one.exhausted_at == pytest.approx(NOON + timedelta(hours=446.4), abs=timedelta(seconds=1))


@given(cuts(), st.floats(0.5, 0.9999))
def test_at_the_time_told_the_budget_is_spent_and_not_before(cut: list[Span], objective: float) -> None:
    """Played forward with losses at the pace of the last three days, minute parts of an hour at a time."""
    one = budget(cut, NOON, objective)
    if one.exhausted_at is None or one.exhausted_at == NOON:
        return
    rate = uptime(cut, NOON - BURNS["3d"], NOON).lost_seconds / BURNS["3d"].total_seconds()

    def spent(ahead: timedelta) -> float:
        old = uptime(cut, NOON - PERIOD + ahead, NOON).lost_seconds
        return old + rate * ahead.total_seconds()

    told = one.exhausted_at - NOON
    assert spent(told) == pytest.approx(one.allowed_seconds, abs=1)
    assert all(spent(told * part) <= one.allowed_seconds + 1 for part in (0.1, 0.3, 0.5, 0.7, 0.9))
