"""Interval arithmetic: every second of a window is counted once, whatever was decided when."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.detector import Transition
from monitor.core.module import Status
from monitor.core.uptime import Span, days, interruptions, merge, spans, stays, uptime, without
from tests.stories.beats import START

WINDOW = 1000
END = START + timedelta(seconds=WINDOW)
statuses = st.sampled_from(list(Status))


def at(seconds: float) -> datetime:
    """So many seconds after the beginning of the window."""
    return START + timedelta(seconds=seconds)


def told(*changes: tuple[float, str]) -> list[Transition]:
    """Transitions of a module, decided in this order."""
    return [Transition("m", Status.UNKNOWN, Status(after), END, at(since)) for since, after in changes]


histories = st.lists(st.tuples(st.integers(-200, 1200), statuses), max_size=12).map(lambda found: told(*found))
planned = st.lists(st.integers(-100, 1100), max_size=6, unique=True).map(
    lambda edges: [(at(a), at(b)) for a, b in zip(*[iter(sorted(edges))] * 2, strict=False)]
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param([], [("unknown", 0, 1000)], id="nothing known"),
        pytest.param([(100, "up")], [("unknown", 0, 100), ("up", 100, 1000)], id="unknown before the first"),
        pytest.param([(-50, "up"), (900, "down")], [("up", 0, 900), ("down", 900, 1000)], id="what was true before"),
        pytest.param([(0, "up"), (2000, "down")], [("up", 0, 1000)], id="what comes after the window"),
        pytest.param([(0, "up"), (500, "down"), (300, "up")], [("up", 0, 1000)], id="what was decided later wins"),
        pytest.param([(0, "up"), (400, "up")], [("up", 0, 1000)], id="equal neighbours are one"),
    ],
)
def test_a_window_is_cut_at_its_transitions(
    changes: list[tuple[float, str]], expected: list[tuple[str, float, float]]
) -> None:
    """From the beginning of the window to its end without a hole."""
    assert spans(told(*changes), START, END) == [Span(Status(s), at(a), at(b)) for s, a, b in expected]


@given(histories)
def test_spans_cover_the_window_without_overlap(history: list[Transition]) -> None:
    """Each begins where the last one ended, and no two neighbours are alike."""
    cut = spans(history, START, END)
    assert [cut[0].since, cut[-1].until] == [START, END]
    for one, other in pairwise(cut):
        assert one.until == other.since
        assert one.status is not other.status


@given(histories, planned)
def test_every_second_is_counted_once(history: list[Transition], windows: list[tuple[datetime, datetime]]) -> None:
    """Up, down, degraded, unknown and excluded seconds are the window; a ratio is between none and all of it."""
    cut = spans(history, START, END)
    figure = uptime(without(cut, windows), START, END)
    assert 0 <= figure.excluded_seconds <= WINDOW
    counted = WINDOW - figure.excluded_seconds
    known = figure.coverage * counted
    assert 0 <= figure.coverage <= 1 + 1e-9
    assert figure.down_seconds + figure.degraded_seconds <= known + 1e-6
    assert (figure.ratio is None) == (known < 1e-9)
    assert figure.ratio is None or -1e-9 <= figure.ratio <= 1
    if figure.ratio is not None:
        assert figure.down_seconds == pytest.approx((1 - figure.ratio) * known, abs=1e-6)
    unplanned = uptime(cut, START, END)
    lengths = dict.fromkeys(Status, 0.0)
    for span in cut:
        lengths[span.status] += span.seconds
    assert sum(lengths.values()) == WINDOW
    assert unplanned.down_seconds == lengths[Status.DOWN]
    assert unplanned.degraded_seconds == lengths[Status.DEGRADED]
    assert unplanned.coverage == pytest.approx(1 - lengths[Status.UNKNOWN] / WINDOW)


@pytest.mark.parametrize(
    ("changes", "excluded", "ratio", "coverage"),
    [
        pytest.param([(0, "up"), (900, "down")], [], 0.9, 1.0, id="a tenth down"),
        pytest.param([(0, "up"), (900, "degraded")], [], 1.0, 1.0, id="degraded time is good time"),
        pytest.param([(500, "up")], [], 1.0, 0.5, id="unknown time counts neither way"),
        pytest.param([(0, "up"), (900, "down")], [(900, 1000)], 1.0, 1.0, id="planned work is not counted"),
        pytest.param([], [], None, 0.0, id="no figure for nothing"),
        pytest.param([(0, "down")], [(0, 1000)], None, 0.0, id="no figure when all of it was planned"),
    ],
)
def test_the_figure(
    changes: list[tuple[float, str]], excluded: list[tuple[float, float]], ratio: float | None, coverage: float
) -> None:
    """Good time over counted time."""
    cut = without(spans(told(*changes), START, END), [(at(a), at(b)) for a, b in excluded])
    figure = uptime(cut, START, END)
    assert figure.ratio == (None if ratio is None else pytest.approx(ratio))
    assert figure.coverage == pytest.approx(coverage)


@given(histories, st.lists(st.tuples(st.integers(-100, 1100), st.integers(1, 500)), max_size=6))
def test_what_is_cut_out_is_gone_and_the_rest_stays(history: list[Transition], gaps: list[tuple[int, int]]) -> None:
    """Second by second, however the stretches overlap: outside of them the status is what it was, inside is nothing."""
    cut = spans(history, START, END)
    left = without(cut, [(at(since), at(since + length)) for since, length in gaps])
    for second in range(0, WINDOW, 7):
        planned = any(since <= second < since + length for since, length in gaps)
        seen = [span.status for span in left if span.since <= at(second) < span.until]
        assert seen == ([] if planned else [span.status for span in cut if span.since <= at(second) < span.until])


@given(histories, planned, st.integers(1, WINDOW - 1))
def test_figures_add_up_over_windows(
    history: list[Transition], windows: list[tuple[datetime, datetime]], middle: int
) -> None:
    """Down, degraded and excluded time of a window are those of its two parts together."""
    cut = without(spans(history, START, END), windows)
    whole, parts = uptime(cut, START, END), [uptime(cut, START, at(middle)), uptime(cut, at(middle), END)]
    for name in ("down_seconds", "degraded_seconds", "excluded_seconds"):
        assert getattr(whole, name) == sum(getattr(part, name) for part in parts)


def test_a_component_is_cut_out_only_where_all_of_its_modules_are() -> None:
    """What is worked on says nothing; the others speak for the component meanwhile."""
    up, down = spans(told((0, "up")), START, END), spans(told((0, "down")), START, END)
    merged = merge([without(down, [(at(100), at(400))]), without(up, [(at(300), at(500))])])
    assert merged == [
        Span(Status.DOWN, at(0), at(100)),
        Span(Status.UP, at(100), at(300)),
        Span(Status.DOWN, at(400), at(1000)),
    ]


@given(st.lists(histories, min_size=1, max_size=4), st.integers(0, WINDOW - 1))
def test_merged_modules_show_the_worst_that_is_known(several: list[list[Transition]], second: int) -> None:
    """At any moment: down before degraded before up; unknown only when nothing is known of any."""
    cuts = [spans(history, START, END) for history in several]
    merged = merge(cuts)
    rank = [Status.UNKNOWN, Status.UP, Status.DEGRADED, Status.DOWN]

    def seen(cut: list[Span]) -> Status:
        return next(s.status for s in cut if s.since <= at(second) < s.until)

    assert seen(merged) is max((seen(cut) for cut in cuts), key=rank.index)
    assert sum(span.seconds for span in merged) == WINDOW


@given(histories, st.integers(1, 5), st.sampled_from(["UTC", "America/Sao_Paulo", "Asia/Kolkata", "Europe/Berlin"]))
def test_days_hold_what_the_spans_hold(history: list[Transition], count: int, zone: str) -> None:
    """Known time of all days is that of the spans within them; the last day is today."""
    now = END
    start = START - timedelta(days=6)
    found = days(spans(history, start, now), now, count, ZoneInfo(zone))
    assert len(found) == count
    assert found[-1].date == now.astimezone(ZoneInfo(zone)).date()
    begin = datetime(*found[0].date.timetuple()[:3], tzinfo=ZoneInfo(zone))
    known = sum(s.seconds for s in spans(history, begin, now) if s.status is not Status.UNKNOWN)
    midnights = [datetime(*day.date.timetuple()[:3], tzinfo=ZoneInfo(zone)).astimezone(UTC) for day in found]
    passed = [(until - since).total_seconds() for since, until in pairwise([*midnights, now])]
    assert sum(day.coverage * length for day, length in zip(found, passed, strict=True)) == pytest.approx(known)
    for day, length in zip(found, passed, strict=True):
        assert day.down_seconds + day.degraded_seconds <= day.coverage * length + 1e-6


@given(histories, st.integers(1, 5), st.sampled_from(["UTC", "America/Sao_Paulo", "Europe/Berlin"]))
def test_what_holds_without_an_end_gives_the_same_figures(history: list[Transition], count: int, zone: str) -> None:
    """Spans that go on for ever need not be cut anew at every moment."""
    start, never = END - timedelta(days=count + 1), datetime.max.replace(tzinfo=UTC)
    closed, open_ended = spans(history, start, END), spans(history, start, never)
    assert uptime(open_ended, START, END) == uptime(closed, START, END)
    assert days(open_ended, END, count, ZoneInfo(zone)) == days(closed, END, count, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("date", "hours"), [((2026, 3, 29), 23), ((2026, 10, 25), 25), ((2026, 6, 1), 24)], ids=["spring", "autumn", "june"]
)
def test_a_day_is_as_long_as_its_zone_says(date: tuple[int, int, int], hours: int) -> None:
    """Clocks that change make days of 23 and 25 hours."""
    zone = ZoneInfo("Europe/Berlin")
    noon = datetime(*date, 12, tzinfo=zone)
    now = noon + timedelta(days=1)
    cut = [Span(Status.UP, START - timedelta(days=900), START + timedelta(days=900))]
    down = [Span(Status.DOWN, one.since, one.until) for one in cut]
    assert days(down, now, 2, zone)[0].down_seconds == hours * 3600
    assert days(cut, now, 2, zone)[0].coverage == 1.0


def test_planned_work_is_cut_out_of_its_day() -> None:
    """It is told by its length, and what is left of the day is known all the same; nothing is excluded before the first
    span, or after now."""
    morning = datetime(2026, 11, 23, 6, tzinfo=UTC)
    hour = timedelta(hours=1)
    down = spans([Transition("m", Status.UNKNOWN, Status.DOWN, morning, morning)], morning, morning + 12 * hour)
    today, none = (
        days(without(down, [(morning + hour, morning + 3 * hour)]), morning + 6 * hour, 1),
        days([], morning, 1),
    )
    assert [(one.status, one.down_seconds, one.excluded_seconds) for one in today] == [
        (Status.DOWN, 4 * 3600, 2 * 3600)
    ]
    assert today[0].coverage == pytest.approx(4 / 10), "of the ten hours of the day that were not planned"
    assert [(one.status, one.coverage, one.excluded_seconds) for one in none] == [(Status.UNKNOWN, 0.0, 0.0)]


@pytest.mark.parametrize(
    ("changes", "excluded", "expected"),
    [
        pytest.param([(0, "up"), (100, "down"), (160, "up")], [], [(100, 160)], id="a minute"),
        pytest.param([(0, "up"), (100, "down"), (159, "up")], [], [], id="a second less"),
        pytest.param(
            [(0, "down"), (70, "unknown"), (90, "down")], [], [(0, 70), (90, 1000)], id="nothing known between"
        ),
        pytest.param([(0, "down"), (70, "degraded")], [], [(0, 70)], id="degraded is none"),
        pytest.param([(0, "down")], [(100, 960)], [(0, 100)], id="planned work ends one"),
    ],
)
def test_what_counts_as_an_interruption(
    changes: list[tuple[float, str]], excluded: list[tuple[float, float]], expected: list[tuple[float, float]]
) -> None:
    """Down time of a minute at least, without a break."""
    cut = without(spans(told(*changes), START, END), [(at(a), at(b)) for a, b in excluded])
    found = interruptions(cut, timedelta(minutes=1))
    assert found == [Span(Status.DOWN, at(since), at(until)) for since, until in expected]


def test_an_interruption_is_one_however_it_is_cut() -> None:
    """As where several modules are seen as one, and more of them go down."""
    cut = [
        Span(Status.DOWN, at(0), at(40), 0.5),
        Span(Status.DOWN, at(40), at(80), 1.0),
        Span(Status.UP, at(80), at(90)),
    ]
    assert interruptions(cut, timedelta(minutes=1)) == [Span(Status.DOWN, at(0), at(80))]


@given(histories, planned, st.integers(1, WINDOW), st.floats(0, 1))
def test_a_figure_stands_as_long_as_it_says(
    history: list[Transition], windows: list[tuple[datetime, datetime]], length: int, share: float
) -> None:
    """The window moves on by that much, and what it holds is the same."""
    cut = without(spans(history, at(-500), at(1500)), windows)
    for end in range(length, WINDOW, 100):
        stay = stays(cut, at(end - length), at(end))
        moved = share * stay
        assert uptime(cut, at(end - length) + moved, at(end) + moved) == uptime(cut, at(end - length), at(end))


@pytest.mark.parametrize(
    ("changes", "seconds"),
    [
        pytest.param([(-500, "up")], 500, id="until what is known ends"),
        pytest.param([(-500, "up"), (300, "down"), (400, "up")], 200, id="until a down time goes out at its start"),
        pytest.param([(-500, "up"), (700, "down")], 100, id="until one comes in at its end"),
        pytest.param([(-500, "down"), (100, "up")], 900, id="what ended as the window began is out of it"),
        pytest.param([(-500, "up"), (550, "down")], 0, id="not at all while one comes in"),
        pytest.param([(-500, "up"), (-400, "down"), (550, "down")], 900, id="as long as both are down"),
    ],
)
def test_how_long_a_figure_stands(changes: list[tuple[float, str]], seconds: float) -> None:
    """Here of the window from 100 to 600, in what is known until 1100 or 1500."""
    until = at(1100) if seconds == 500 else at(1500)
    assert stays(spans(told(*changes), at(-500), until), at(100), at(600)) == timedelta(seconds=seconds)
    assert stays([], at(100), at(600)) == timedelta(0)
