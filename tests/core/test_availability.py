"""Figures of modules, components, groups and the platform: golden months, an independent reckoning, and what always
holds of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.availability import PLATFORM, Availability, Subject, subject_of
from monitor.core.detector import Transition
from monitor.core.effect import Gap
from monitor.core.history import History
from monitor.core.maintenance import Maintenance, Window, announced, begun, ended
from monitor.core.module import Component, Group, Module, Platform, Status
from monitor.core.period import Period, all_of, before, midnight, named
from monitor.core.weights import Weights
from tests.store.past import incident
from tests.stories.beats import module, platform

HOUR = timedelta(hours=1)
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
START = datetime(2026, 11, 1, 3, tzinfo=UTC)  # when November begins in São Paulo
END = datetime(2026, 12, 1, 3, tzinfo=UTC)
STATUSES = {"U": Status.UP, "s": Status.DEGRADED, "D": Status.DOWN, "?": Status.UNKNOWN}

SHOP = Platform(
    modules={id: Module(id, {"en": id}) for id in ("cart", "price", "search")},
    groups=(
        Group("buy", {}, (Component("order", {}, ("cart", "price")), Component("tags", {}, ("price",)))),
        Group("look", {}, (Component("find", {}, ("search",)),)),
    ),
)


def told(module: str, *moves: tuple[datetime, str]) -> tuple[Transition, ...]:
    return tuple(Transition(module, Status.UNKNOWN, STATUSES[to], at, at) for at, to in moves)


def past(
    moves: dict[str, Sequence[tuple[datetime, str]]], works: Sequence[Maintenance] = (), weights: Weights | None = None
) -> Availability:
    """The past of the shop, each module from its moves."""
    platform = SHOP if weights is None else replace(SHOP, weights=weights)
    history = History({id: told(id, *some) for id, some in moves.items()})
    return Availability(platform, history, tuple(works), START - timedelta(days=40))


def work(module: str, since: datetime, until: datetime) -> Maintenance:
    plan = Window("w", {"en": "Works"}, since, until, modules=(module,))
    return ended(begun(announced(plan, since, since - HOUR), since), until)


def november(weights: Weights | None = None) -> Availability:
    """A month made by hand: cart is down for 3 h, price for 2 h of which one is the same, slow for 10 h; an hour of the
    cart's is planned, and nobody knows of search for half of the month."""
    at = {day: START + timedelta(days=day) for day in range(31)}
    return past(
        {
            "cart": [(START - HOUR, "U"), (at[9], "D"), (at[9] + 3 * HOUR, "U")],
            "price": [
                (START - HOUR, "U"),
                (at[9] + 2 * HOUR, "D"),
                (at[9] + 4 * HOUR, "U"),
                (at[20], "s"),
                (at[20] + 10 * HOUR, "U"),
            ],
            "search": [(START, "U"), (at[15], "?")],
        },
        [work("cart", at[9], at[9] + HOUR)],
        weights,
    )


@pytest.mark.parametrize(
    ("name", "known", "lost", "excluded", "coverage"),
    [
        # November has 720 h. Worked out on paper, in hours:
        pytest.param("module:cart", 719, 2, 1, 1.0, id="an hour of three was planned"),
        pytest.param("module:price", 720, 2, 0, 1.0, id="slow time is good time"),
        pytest.param("module:search", 360, 0, 0, 0.5, id="unknown time counts neither way"),
        # order: cart 1–3 h down (0–1 h cut out, price is up then), price 2–4 h: down from 1 h to 4 h
        pytest.param("component:order", 720, 3, 0, 1.0, id="down while one of them is"),
        pytest.param("component:tags", 720, 2, 0, 1.0, id="a component of one module"),
        pytest.param("group:buy", 1440, 5, 0, 1.0, id="a group adds up its components"),
        pytest.param("group:look", 360, 0, 0, 0.5, id="a group of one"),
        pytest.param("platform", 1800, 5, 0, 1800 / 2160, id="the platform adds up all of them"),
    ],
)
def test_a_month_worked_out_by_hand(name: str, known: int, lost: int, excluded: int, coverage: float) -> None:
    """Every kind of figure over one November of São Paulo."""
    subject = subject_of(SHOP, name)
    assert subject is not None
    figure = november().figure(subject, START, END)
    assert [figure.known_seconds, figure.lost_seconds] == [known * 3600, lost * 3600]
    assert figure.excluded_seconds == excluded * 3600
    assert figure.coverage == pytest.approx(coverage, abs=1e-12)
    assert figure.ratio == pytest.approx(1 - lost / known, abs=1e-12)


@pytest.mark.parametrize(
    ("weights", "name", "lost"),
    [
        # order: 0–1 h good, 1–2 h cart alone down, 2–3 h both, 3–4 h price alone; price slow for 10 h while cart is up
        (Weights(partial=0.3), "component:order", 0.3 + 1 + 0.3),
        (Weights(degraded=0.5), "component:order", 3 + 5),
        (Weights(degraded=0.5, partial=0.3), "component:order", 0.5 + 1 + 0.5 + 5),
        (Weights(degraded=0.1), "module:price", 2 + 1),
        (Weights(partial=0.0), "component:tags", 2),
        (Weights(degraded=1.0, partial=1.0), "group:buy", 3 + 10 + 2 + 10),
    ],
)
def test_partial_outages_weigh_what_the_operator_states(weights: Weights, name: str, lost: float) -> None:
    """Of the same November; what is down whole is lost whole."""
    subject = subject_of(SHOP, name)
    assert subject is not None
    assert november(weights).figure(subject, START, END).lost_seconds == pytest.approx(lost * 3600, abs=1e-3)


def test_vtexs_rule_counts_interruptions_of_ten_minutes_whole() -> None:
    """Nine minutes and 59 seconds are none; ten minutes are; one over the end of a month is judged by all of it."""
    minute = timedelta(minutes=1)
    moves = [(START, "U")]
    for day, length in ((1, 10 * minute), (2, 10 * minute - timedelta(seconds=1)), (3, 25 * minute)):
        moves += [(START + timedelta(days=day), "D"), (START + timedelta(days=day) + length, "U")]
    moves += [(END - 4 * minute, "D"), (END + 7 * minute, "U")]
    found = past({"cart": moves}).interrupted(Subject("module", "cart"), START, END)
    assert (found.count, found.seconds, found.longest_seconds) == (3, 39 * 60, 25 * 60)
    assert found.ratio == pytest.approx(1 - 39 / (30 * 24 * 60))


def test_an_interruption_that_goes_on_is_as_long_as_it_is() -> None:
    """Nine minutes down, and not over: none of ten minutes yet; a minute later it is one."""
    minute = timedelta(minutes=1)
    found = past({"cart": [(START, "U"), (END - 9 * minute, "D")]})
    for end, count in ((END, 0), (END + minute, 1)):
        assert found.interrupted(Subject("module", "cart"), START, end).count == count


# -- what always holds ------------------------------------------------------------------------------------------------

minutes = st.integers(0, 200)
histories = st.lists(st.tuples(minutes, st.sampled_from("UsD?")), max_size=8)
plans = st.lists(st.tuples(st.sampled_from(list(SHOP.modules)), minutes, st.integers(1, 60)), max_size=4)
weights = st.builds(Weights, st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.sampled_from([0.0, 0.3, 1.0]))
worlds = st.tuples(st.fixed_dictionaries(dict.fromkeys(SHOP.modules, histories)), plans, weights)
World = tuple[dict[str, list[tuple[int, str]]], list[tuple[str, int, int]], Weights]
SUBJECTS = [PLATFORM, Subject("group", "buy"), Subject("component", "order"), Subject("module", "cart")]


def at(minute: int) -> datetime:
    return START + timedelta(minutes=minute)


def built(world: World) -> Availability:
    histories, plans, weights = world
    moves = {id: sorted((at(one), to) for one, to in some) for id, some in histories.items()}
    works = [work(module, at(since), at(since + length)) for module, since, length in plans]
    return past(moves, works, weights)


def minute_by_minute(world: World, end: int) -> dict[Subject, tuple[int, float, int]]:
    """The same worked out by another program: a look at every minute. Minutes known, lost and excluded."""
    histories, plans, weights = world

    def status(module: str, minute: int) -> str | None:
        if any(one == module and since <= minute < since + length for one, since, length in plans):
            return None
        seen = "?"
        for since, to in sorted(histories[module]):
            if since <= minute:
                seen = to
        return seen

    def lost(statuses: list[str]) -> float:
        if "D" in statuses:
            return max(weights.partial, weights.degraded) if {"U", "s"} & set(statuses) else 1.0
        return weights.degraded if "s" in statuses else 0.0

    components = {one.id: one.modules for one in SHOP.components.values()}
    lines = {
        PLATFORM: list(components.values()),
        Subject("group", "buy"): [components["order"], components["tags"]],
        Subject("component", "order"): [components["order"]],
        Subject("module", "cart"): [("cart",)],
    }
    found = {}
    for subject, several in lines.items():
        known, gone, excluded = 0, 0.0, 0
        for modules in several:
            for minute in range(end):
                seen = [one for one in (status(module, minute) for module in modules) if one is not None]
                sure = [one for one in seen if one != "?"]
                excluded += not seen
                known += bool(sure)
                gone += lost(sure)
        found[subject] = (known, gone, excluded)
    return found


@given(worlds)
def test_another_program_comes_to_the_same(world: World) -> None:
    """Interval arithmetic against a look at every minute, for whatever was, was planned and is stated."""
    end, found = 220, built(world)
    for subject, (known, lost, excluded) in minute_by_minute(world, end).items():
        figure = found.figure(subject, START, at(end))
        assert figure.known_seconds == known * 60
        assert figure.lost_seconds == pytest.approx(lost * 60, abs=1e-3)
        assert figure.excluded_seconds == excluded * 60


@given(worlds, minutes, minutes, minutes)
def test_windows_add_up_and_no_figure_leaves_its_bounds(world: World, a: int, b: int, c: int) -> None:
    """Two windows that follow each other are the window of both; a ratio lies between none and all of it."""
    (start, middle, end), found = sorted((a, b, c)), built(world)
    for subject in SUBJECTS:
        parts = found.spent(subject, at(start), at(middle)) + found.spent(subject, at(middle), at(end))
        whole = found.spent(subject, at(start), at(end))
        assert parts == whole
        assert parts.lost == whole.lost
        ratio = found.figure(subject, at(start), at(end)).ratio
        assert (ratio is None) == (not whole.known)
        assert ratio is None or 0 <= ratio <= 1
        assert ratio is None or ratio < 1 or whole.lost == timedelta(0)
        by_rule = found.interrupted(subject, at(start), at(end))
        assert by_rule.ratio is None or by_rule.seconds <= whole.down.total_seconds()


@given(worlds, st.integers(0, 199), st.integers(1, 60))
def test_more_trouble_never_makes_a_figure_better(world: World, since: int, length: int) -> None:
    """A module that goes down for a while in which it was known takes no figure up."""
    found = built(world)
    spans = [one for one in found.spans("cart") if one.since <= at(since) < one.until]
    spans = [one for one in spans if one.status is not Status.UNKNOWN]
    if not spans:
        return
    until = min(at(since + length), spans[0].until)
    moves = found.history.transitions["cart"]
    worse = [one for one in moves if not at(since) <= one.since < until]
    worse += told("cart", (at(since), "D"))
    if until < spans[0].until:
        worse += [replace(told("cart", (until, "U"))[0], after=spans[0].status)]
    worse.sort(key=lambda one: one.since)
    history = History({**found.history.transitions, "cart": tuple(worse)})
    other = replace(found, history=history)
    for subject in SUBJECTS:
        one, two = (each.figure(subject, START, at(220)).ratio for each in (found, other))
        assert one is None or (two is not None and two <= one + 1e-12)


@given(worlds, minutes, minutes)
def test_the_intervals_behind_a_figure_add_up_to_it(world: World, a: int, b: int) -> None:
    """Every second of every line stands in one interval, with what it counts."""
    (start, end), found = sorted((a, b)), built(world)
    for subject in SUBJECTS:
        rows, spent = found.intervals(subject, at(start), at(end)), found.spent(subject, at(start), at(end))
        assert sum(one.seconds for one in rows) == (end - start) * 60 * len(found.lines(subject))
        counted = [one for one in rows if one.lost is not None]
        assert sum(one.seconds for one in counted) == spent.known.total_seconds()
        lost = sum(one.seconds * (one.lost or 0) for one in counted)
        assert lost == pytest.approx(spent.lost.total_seconds(), abs=1e-3)
        assert all(one.status == "excluded" for one in rows if one.why and one.why[0].startswith("planned"))


def test_what_holds_now_holds_no_longer_than_somebody_watched() -> None:
    """A monitor that stopped knows nothing since: unknown is never up."""
    stopped = replace(november(), until=START + timedelta(days=25))
    figure = stopped.figure(Subject("module", "cart"), START, END)
    assert figure.known_seconds == 25 * 86400 - 3600
    rows = stopped.intervals(Subject("module", "cart"), START, END)
    assert (rows[-1].status, rows[-1].lost, rows[-1].until) == ("unknown", None, END)
    short = replace(past({"cart": [(START, "U")]}), until=START + HOUR)
    assert short.figure(Subject("module", "cart"), START, END).known_seconds == 3600


def test_an_interval_says_what_is_known_of_it() -> None:
    """Incident, planned work, who could not see, once each; and of time that nobody knows of, that much."""
    minutes = {edge: START + timedelta(minutes=edge) for edge in range(0, 90, 5)}
    shop = platform(module("cart"), module("price"))
    moves = told("cart", *((minutes[edge], to) for edge, to in ((10, "U"), (20, "D"), (30, "?"), (40, "U"))))
    outage = incident("cart", minutes[20], minutes[30])
    others = (incident("price", minutes[20], minutes[30]), incident("cart", minutes[30], minutes[40]))
    gaps = (
        *(Gap(place, minutes[30], minutes[35]) for place in ("here", "here", "there")),
        Gap("before", minutes[20], minutes[30]),
        Gap("after", minutes[40]),
    )
    works = (work("cart", minutes[50], minutes[60]), work("price", minutes[50], minutes[60]))
    history = History({"cart": moves}, (outage, *others), gaps=gaps)
    past = Availability(shop, history, works, START, minutes[60])
    rows = past.intervals(Subject("module", "cart"), minutes[0], minutes[70])
    assert [((one.since - START).seconds // 60, one.status, one.why) for one in rows] == [
        (0, "unknown", ("nothing was measured",)),
        (10, "up", ()),
        (20, "down", (f"incident {outage.id}",)),
        (30, "unknown", ("here could not see: self.connectivity", "there could not see: self.connectivity")),
        (40, "up", ()),
        (50, "excluded", (f"planned work {works[0].id}",)),
        (60, "unknown", ("after could not see: self.connectivity",)),
    ]
    (rest,) = past.intervals(Subject("module", "cart"), minutes[55], minutes[60])
    assert rest == replace(rows[5], since=minutes[55])
    blind = replace(past, history=replace(history, gaps=()))
    assert blind.intervals(Subject("module", "cart"), START, minutes[70])[-1].why == ("the monitor was not running",)


# -- the calendar -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "name", "hours"),
    [
        ("America/Sao_Paulo", "2026-11", 720),
        ("America/Sao_Paulo", "2018-11", 719),  # the clock went forward at midnight of the 4th
        ("America/Sao_Paulo", "2019-02", 673),  # and back at midnight of the 17th
        ("Europe/Madrid", "2026-03", 743),
        ("Europe/Madrid", "2026-10", 745),
        ("America/New_York", "2026-03", 743),
        ("America/New_York", "2026-11", 721),
        ("America/New_York", "2026-Q4", 92 * 24 + 1),
    ],
)
def test_months_are_as_long_as_the_clock_makes_them(zone: str, name: str, hours: int) -> None:
    """A module that was down for all of a month was down for its hours, and for none of its neighbours'."""
    there = ZoneInfo(zone)
    period = named(name, there)
    assert period.until - period.since == hours * HOUR
    assert before(period, there).until == period.since
    down = past({"cart": [(period.since - HOUR, "U"), (period.since, "D"), (period.until, "U")]})
    down = replace(down, since=period.since - timedelta(days=100))
    figure = down.figure(Subject("module", "cart"), period.since, period.until)
    assert (figure.ratio, figure.down_seconds) == (0.0, hours * 3600)
    assert down.figure(Subject("module", "cart"), period.until, period.until + HOUR).ratio == 1.0


def test_every_month_and_quarter_is_listed_once() -> None:
    """The newest first, each quarter before its months, from the one in which something was first known."""
    began, now = datetime(2025, 12, 1, 2, tzinfo=UTC), datetime(2026, 2, 1, 4, tzinfo=UTC)  # in São Paulo, November
    assert [one.name for one in all_of(began, now, SAO_PAULO)] == [
        *("2026-Q1", "2026-02", "2026-01", "2025-Q4", "2025-12", "2025-11")
    ]


def test_before_any_stretch_there_is_one_as_long() -> None:
    """It has no name, and follows no calendar."""
    week = Period("", START, START + timedelta(days=7))
    assert before(week, SAO_PAULO) == Period("", START - timedelta(days=7), START)


def test_a_day_without_a_midnight_begins_with_the_change() -> None:
    """São Paulo, 4 November 2018: the clock went from 23:59:59 to 01:00."""
    assert midnight(date(2018, 11, 4), SAO_PAULO) == datetime(2018, 11, 4, 3, tzinfo=UTC)


@pytest.mark.parametrize("word", ["2026-13", "2026-Q5", "november", "", "2026-1", "0001-Q1"])
def test_what_is_no_period_is_refused(word: str) -> None:
    """With a sentence that says what one looks like."""
    with pytest.raises(ValueError, match=r"month such as|too far"):
        named(word, SAO_PAULO)


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("cart", Subject("module", "cart")),
        ("order", Subject("component", "order")),
        ("group:buy", Subject("group", "buy")),
        ("platform", PLATFORM),
        ("module:order", None),
        ("carts", None),
        ("", None),
        (":", None),
    ],
)
def test_a_word_names_one_thing(word: str, found: Subject | None) -> None:
    """Modules first, unless the kind is said."""
    assert subject_of(SHOP, word) == found
