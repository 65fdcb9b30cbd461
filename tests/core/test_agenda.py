"""The agenda: what a new plan makes of planned work, whatever is planned, moved and withdrawn in whatever order."""

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.core.agenda import KEPT, Agenda, Plan, Refused, WorkAct, acted, passed, planned, scheduled
from monitor.core.maintenance import (
    Counted,
    Maintenance,
    Window,
    WorkStage,
    WorkUpdate,
    announced,
    begun,
    ended,
    maintenance_from_json,
    maintenance_to_json,
    window_from_json,
    window_to_json,
)
from monitor.core.module import Status
from tests.stories.beats import START

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
WEEKLY = Window("weekly", {"en": "Works"}, START, START + 2 * HOUR, rule="FREQ=WEEKLY")


def days(*numbers: float) -> tuple[datetime, ...]:
    """So many days after the start."""
    return tuple(START + number * DAY for number in numbers)


def after(agenda: Agenda, plan: Plan, now: datetime = START) -> Agenda:
    """The agenda once this plan is in force."""
    return agenda.with_works(planned(agenda, plan, now), now)


def at(agenda: Agenda, *starts: datetime) -> list[Maintenance]:
    """The work planned for these moments."""
    return [one for start in starts for one in agenda.works.values() if one.planned_from == start]


def test_a_plan_is_announced_once() -> None:
    """The same plan again changes nothing."""
    agenda = after(Agenda(), [(WEEKLY, days(3, 10, 17))])
    assert [one.stage for one in at(agenda, *days(3, 10, 17))] == [WorkStage.SCHEDULED] * 3
    assert planned(agenda, [(WEEKLY, days(3, 10, 17))], START) == []
    assert [one.planned_from for one in planned(agenda, [(WEEKLY, days(3, 10, 17, 24))], START)] == [*days(24)]


def test_a_changed_rule_moves_what_is_to_come() -> None:
    """From day 3 to day 4 of each week: the same three pieces of work, with their ids, one step further."""
    before = after(Agenda(), [(WEEKLY, days(3, 10, 17))])
    agenda = after(before, [(WEEKLY, days(4, 11, 18))])
    assert agenda.works.keys() == before.works.keys()
    for one in agenda.works.values():
        assert (one.stage, one.sequence, one.updates[-1].kind) == (WorkStage.SCHEDULED, 1, "replanned")
    assert {one.planned_from for one in agenda.works.values()} == {*days(4, 11, 18)}


def test_a_changed_text_or_scope_is_a_change_of_the_plan() -> None:
    before = after(Agenda(), [(WEEKLY, days(3))])
    agenda = after(before, [(replace(WEEKLY, title={"en": "Other"}, modules=("catalog",)), days(3))])
    (one,) = agenda.works.values()
    assert (one.title, one.modules, one.sequence) == ({"en": "Other"}, ("catalog",), 1)


def test_a_window_that_is_gone_is_withdrawn_and_may_come_back() -> None:
    """A mistake in the file is undone by writing the window again: the same work is on."""
    before = after(Agenda(), [(WEEKLY, days(3, 10))])
    gone = after(before, [])
    assert {one.stage for one in gone.works.values()} == {WorkStage.CANCELLED}
    back = after(gone, [(WEEKLY, days(3, 10))])
    assert back.works.keys() == before.works.keys()
    assert {(one.stage, one.sequence) for one in back.works.values()} == {(WorkStage.SCHEDULED, 2)}


def test_what_has_begun_is_never_changed_by_a_plan() -> None:
    """Neither moved nor withdrawn, under way or over."""
    agenda = after(Agenda(), [(WEEKLY, days(0, 7))], START - HOUR)
    agenda = agenda.with_works(passed(agenda, START + HOUR), START + HOUR)
    moved = after(agenda, [(replace(WEEKLY, title={"en": "x"}), days(0.5, 7))], START + HOUR)
    (on,) = [one for one in moved.works.values() if one.is_going_on]
    assert on == next(one for one in agenda.works.values() if one.is_going_on)
    over = moved.with_works(passed(moved, START + 3 * HOUR), START + 3 * HOUR)
    assert [one.stage for one in after(over, [], START + 3 * HOUR).works.values() if one.started_at] == [
        WorkStage.COMPLETED
    ]


def test_a_single_window_moves_however_far() -> None:
    """Work that is put off by a month is the same work."""
    once = replace(WEEKLY, rule=None)
    before = after(Agenda(), [(once, days(3))])
    (one,) = after(before, [(once, days(40))]).works.values()
    assert (one.id, one.planned_from) == (next(iter(before.works)), days(40)[0])


def test_starts_far_apart_are_not_the_same_work() -> None:
    """The last week of a rule goes, another month's first comes: one is withdrawn, the other is new."""
    before = after(Agenda(), [(WEEKLY, days(3))])
    agenda = after(before, [(WEEKLY, days(60))])
    assert [one.stage for one in agenda.works.values()] == [WorkStage.CANCELLED, WorkStage.SCHEDULED]


def test_what_a_person_extended_keeps_its_end() -> None:
    """Until its window moves it to another time."""
    agenda = after(Agenda(), [(WEEKLY, days(3))])
    (one,) = agenda.works.values()
    long = acted(one, WorkAct.EXTEND, one.planned_until + HOUR, None, START)
    agenda = agenda.with_works([long], START)
    assert planned(agenda, [(WEEKLY, days(3))], START) == []
    (moved,) = after(agenda, [(WEEKLY, days(4))]).works.values()
    assert moved.planned_until - moved.planned_from == 2 * HOUR


def test_what_a_person_planned_once_may_begin_earlier() -> None:
    """For as long as it was to take; what stands in the configuration would come back."""
    (one,) = scheduled(Agenda(), WEEKLY, days(3), START)
    early = acted(one, WorkAct.BEGIN, None, None, START + HOUR)
    assert (early.stage, early.id) == (WorkStage.IN_PROGRESS, one.id)
    assert (early.started_at, early.planned_from, early.planned_until) == (
        START + HOUR,
        START + HOUR,
        START + 3 * HOUR,
    )
    agenda = Agenda().with_works([early], START + HOUR)
    assert [each.stage for each in passed(agenda, START + 3 * HOUR)] == [WorkStage.COMPLETED]
    for refused in (early, announced(WEEKLY, START + HOUR, START)):
        with pytest.raises(Refused):
            acted(refused, WorkAct.BEGIN, None, None, START)


def test_two_starts_of_one_moment_are_one_piece_of_work() -> None:
    """Whoever plans the same twice plans it once; withdrawn, it is on again."""
    agenda = Agenda().with_works(scheduled(Agenda(), WEEKLY, days(3), START), START)
    assert scheduled(agenda, WEEKLY, days(3), START) == []
    (one,) = agenda.works.values()
    agenda = agenda.with_works([acted(one, WorkAct.CANCEL, None, None, START)], START)
    (again,) = scheduled(agenda, WEEKLY, days(3), START)
    assert (again.id, again.stage) == (one.id, WorkStage.SCHEDULED)


def test_what_is_over_is_let_go_after_a_day() -> None:
    agenda = after(Agenda(), [(WEEKLY, days(0))], START - HOUR)
    agenda = agenda.with_works(passed(agenda, START + 3 * HOUR), START + 3 * HOUR)
    assert len(agenda.with_works([], START + 2 * HOUR + KEPT).works) == 1
    assert len(agenda.with_works([], START + 4 * HOUR + KEPT).works) == 0


@pytest.mark.parametrize("act", list(WorkAct))
def test_nothing_is_done_to_what_is_over(act: WorkAct) -> None:
    over = ended(begun(announced(WEEKLY, START, START - DAY), START), START + HOUR)
    with pytest.raises(Refused):
        acted(over, act, START + 9 * HOUR, None, START + 2 * HOUR)


plans = st.lists(st.integers(0, 40), max_size=6, unique=True).map(lambda found: tuple(sorted(found)))
acts = st.tuples(st.sampled_from(WorkAct), st.integers(0, 5), st.integers(1, 100))
histories = st.lists(st.tuples(st.integers(0, 50), st.none() | plans | acts), max_size=15)


def lived(history: Sequence[tuple[int, object]]) -> list[tuple[datetime, Agenda]]:
    """The agenda after each of these plans, words and stretches of time, in hours."""
    now, agenda, seen = START, Agenda(), []
    for hours, what in history:
        now += hours * HOUR
        agenda = agenda.with_works(passed(agenda, now), now)
        works = sorted(agenda.works.values(), key=lambda one: one.key)
        if isinstance(what, tuple) and what and isinstance(what[0], WorkAct):
            act, which, length = what
            if works:
                one = works[which % len(works)]
                with suppress(Refused):
                    agenda = agenda.with_works([acted(one, act, now + length * HOUR, None, now)], now)
        elif isinstance(what, tuple):
            agenda = after(agenda, [(WEEKLY, days(*what))], now)
            agenda = agenda.with_works(passed(agenda, now), now)
        seen.append((now, agenda))
    return seen


@given(histories)
def test_planned_work_holds_together(history: list[tuple[int, object]]) -> None:
    """Ids are those of the works, stages go with their moments, updates stand in order, and nothing is behind time."""
    for now, agenda in lived(history):
        for id, one in agenda.works.items():
            assert id == one.id
            assert one.planned_from < one.planned_until
            assert (one.started_at is None) == (one.stage in (WorkStage.SCHEDULED, WorkStage.CANCELLED))
            assert (one.ended_at is None) == (one.stage is not WorkStage.COMPLETED)
            assert one.started_at is None or one.started_at <= (one.ended_at or now) <= now
            assert one.due_at is None or one.due_at > now
            assert [update.at for update in one.updates] == sorted(update.at for update in one.updates)
            assert (one.sequence, one.stage) == (len(one.updates) - 1, one.updates[-1].stage)
        starts = [one.planned_from for one in agenda.works.values() if one.stage is WorkStage.SCHEDULED]
        assert len(starts) == len(set(starts))


words = st.text(max_size=4)
texts = st.dictionaries(words, words, max_size=2)
instants = st.integers(-99, 99).map(lambda hours: START + hours * HOUR)
some = st.lists(words, max_size=2).map(tuple)
windows = st.builds(
    Window, words, texts, instants, instants, words, words, st.none() | words, texts, modules=some, excuses=some
)
stages = st.sampled_from(WorkStage)
said = st.builds(WorkUpdate, instants, stages, words, words, st.none() | texts)
works = st.builds(
    Maintenance,
    *(words, words, texts, instants, instants, instants, words, texts, some, some, stages),
    *(st.none() | instants, st.none() | instants, st.integers(0, 9), st.booleans()),
    updates=st.lists(said, max_size=2).map(tuple),
    counted=st.lists(st.builds(Counted, words, instants, st.none() | instants), max_size=2).map(tuple),
)


@given(works, windows)
def test_the_stored_form_gives_work_and_window_back(work: Maintenance, window: Window) -> None:
    """Whole, by way of JSON text."""
    assert maintenance_from_json(json.loads(json.dumps(maintenance_to_json(work)))) == work
    assert window_from_json(json.loads(json.dumps(window_to_json(window)))) == window


@given(histories)
def test_a_piece_of_work_only_goes_forward(history: list[tuple[int, object]]) -> None:
    """Its sequence never falls, its key never changes, and what is done is done."""
    known: dict[str, Maintenance] = {}
    for _, agenda in lived(history):
        for id, one in agenda.works.items():
            before = known.get(id, one)
            assert (one.sequence, one.key) >= (before.sequence, before.key)
            assert one == before or one.sequence > before.sequence
            assert one.updates[: len(before.updates)] == before.updates
            if before.stage is WorkStage.COMPLETED:
                assert one == before
        known.update(agenda.works)


@given(histories, plans)
def test_a_plan_says_all_that_is_to_come(history: list[tuple[int, object]], numbers: tuple[int, ...]) -> None:
    """After it, what is scheduled are its starts, but for those that a person withdrew or that have begun."""
    now, agenda = (lived(history) or [(START, Agenda())])[-1]
    wanted = {start for start in days(*numbers) if start + 2 * HOUR > now}
    agenda = after(agenda, [(WEEKLY, days(*numbers))], now)
    coming = {one.planned_from for one in agenda.works.values() if one.stage is WorkStage.SCHEDULED}
    assert coming <= wanted
    for start in wanted - coming:
        assert any(
            one.started_at or (one.stage is WorkStage.CANCELLED and one.updates[-1].author == "person")
            for one in agenda.works.values()
            if one.planned_from == start or one.key.endswith(start.isoformat(timespec="milliseconds")[:-6] + "Z")
        )


@pytest.mark.parametrize(
    ("excuses", "status", "code", "excused"),
    [
        ((), Status.DOWN, "http.500", True),
        (("slow",), Status.DEGRADED, "http.slow_ttfb", True),
        (("slow",), Status.DEGRADED, "http.503", False),
        (("slow",), Status.DOWN, "http.slow_ttfb", False),
        (("degraded",), Status.DEGRADED, "http.503", True),
        (("degraded",), Status.DOWN, "http.503", False),
        (("http.503",), Status.DOWN, "http.503", True),
        (("http.503",), Status.DOWN, "http.50", False),
        (("http.50",), Status.DOWN, "http.503", False),
        (("tls",), Status.DOWN, "tls.cert_expired", True),
        (("tls", "slow"), Status.DEGRADED, "http.slow_ttfb", True),
        (("tls",), Status.DOWN, None, False),
    ],
)
def test_kinds_of_fault(excuses: tuple[str, ...], status: Status, code: str | None, excused: bool) -> None:
    """By status, by code, by family of codes; never by a part of a word."""
    assert announced(replace(WEEKLY, excuses=excuses), START, START).excused(status, code) is excused
