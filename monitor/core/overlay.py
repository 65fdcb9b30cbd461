"""Overlay: what planned work does to judgement. It excuses failures, it never changes a status.

A failure is excused when work is under way on its module, it began no earlier than that work, and it is of a kind the
work announced. It then opens no incident and is *held*: as soon as nothing excuses it any more, its incident begins.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from monitor.core import agenda
from monitor.core.agenda import Refused, WorkAct
from monitor.core.board import Board
from monitor.core.effect import Answered, Arranged, Effect, Ordered, Planned, Refusal, Repeated, Scheduled
from monitor.core.findings import code_seen
from monitor.core.history import History
from monitor.core.maintenance import Counted, Maintenance, WorkStage
from monitor.core.module import FAILING
from monitor.core.uptime import Span, spans, weighed, without
from monitor.core.weights import Weights


def is_excused(board: Board, module: str, since: datetime) -> bool:
    """Whether the failure of a module that began at a moment is one that planned work announced."""
    under_way = board.agenda.concerning(module)
    if not under_way:
        return False
    status, code, counts = board.status(module), code_seen(board, module), onset(board, module, since)
    return any(one.planned_from <= counts and one.excused(status, code) for one in under_way)


def onset(board: Board, module: str, since: datetime) -> datetime:
    """Since when a failure counts against uptime: not before the end of the work that it began in, if that excused it;
    nor before the end of more work that had begun by then."""
    status, code = board.status(module), code_seen(board, module)
    over = [
        (one.planned_from, one.ended_at)
        for one in board.agenda.works.values()
        if one.started_at and one.ended_at and one.concerns(module) and one.excused(status, code)
    ]
    while ends := [end for begin, end in over if begin <= since < end]:
        since = max(ends)
    return since


def let_go(board: Board, module: str) -> Board:
    """The board once a module's failure is not held any more."""
    if module not in board.held:
        return board
    return replace(board, held={id: since for id, since in board.held.items() if id != module})


# --- what happens to planned work


def arranged(board: Board, event: Planned | Scheduled | Ordered, now: datetime) -> tuple[Board, list[Effect]]:
    """What a plan, or a person's word, does to planned work; time first does what it had to do by then."""
    board, effects = passed(board, now)
    match event:
        case Planned(plan):
            board, more = _with(board, agenda.planned(board.agenda, plan, now), now)
        case Scheduled():
            board, more = _scheduled(board, event, now)
        case Ordered():
            board, more = _ordered(board, event, now)
        case _:
            assert_never(event)
    board, begun = passed(board, now)  # work that was planned for this very moment, or too late
    return board, [*effects, *more, *begun]


def _scheduled(board: Board, event: Scheduled, now: datetime) -> tuple[Board, list[Effect]]:
    """A person plans work, once or to be repeated. The same plan once more is no news."""
    window = event.window
    news = agenda.scheduled(board.agenda, window, event.starts, now)
    if window.rule is None:
        board, effects = _with(board, news, now)
        one = next(one for one in board.agenda.works.values() if one.window == window.id)
        return board, [*effects, Answered(one.id, changed=bool(news))]
    repeats = window.id in board.agenda.windows
    board = replace(board, agenda=agenda.with_window(board.agenda, window))
    board, effects = _with(board, news, now)
    return board, [Repeated(window.id, window), *effects, Answered(window.id, changed=not repeats or bool(news))]


def _ordered(board: Board, event: Ordered, now: datetime) -> tuple[Board, list[Effect]]:
    """A person's word about work, or about a window of people's, which can only be withdrawn."""
    if event.id in board.agenda.windows:
        if event.act is not WorkAct.CANCEL:
            return board, [Answered(event.id, Refusal("wrong", "a window that repeats can only be cancelled"))]
        coming = [one for one in board.agenda.works.values() if one.window == event.id]
        news = [agenda.withdrawn(one, now, "person", event.body) for one in coming if one.stage is WorkStage.SCHEDULED]
        board = replace(board, agenda=agenda.without_window(board.agenda, event.id))
        board, effects = _with(board, news, now)
        return board, [Repeated(event.id, None), *effects, Answered(event.id)]
    one = board.agenda.works.get(event.id)
    if one is None:
        return board, [Answered(event.id, Refusal("unknown", f"no planned work has the id {event.id[:40]}"))]
    if event.act is WorkAct.BEGIN and one.window in board.agenda.windows:
        why = "its window repeats, which would bring it back: plan work from now on instead"
        return board, [Answered(event.id, Refusal("conflict", why))]
    try:
        board, effects = _with(board, [agenda.acted(one, event.act, event.until, event.body, now)], now)
    except Refused as error:
        return board, [Answered(event.id, Refusal("conflict", str(error)))]
    return board, [*effects, Answered(event.id)]


def passed(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """What time does: work begins and ends; failures that work under way does not excuse are noted, for they count."""
    effects: list[Effect] = []
    due = board.agenda.due_at
    if due is not None and due <= now:
        board, effects = _with(board, agenda.passed(board.agenda, now), now)
    for one in board.agenda.going_on:
        noted = _counting(board, one, now)
        if noted is not one:
            board = replace(board, agenda=board.agenda.with_works([noted], now))
            effects.append(Arranged(noted, None))
    return board, effects


def _with(board: Board, news: list[Maintenance], now: datetime) -> tuple[Board, list[Effect]]:
    if not news:
        return board, []
    effects: list[Effect] = [Arranged(one, one.updates[-1].kind) for one in news]
    return replace(board, agenda=board.agenda.with_works(news, now)), effects


def _counting(board: Board, one: Maintenance, now: datetime) -> Maintenance:
    """The work with the failures it does not excuse, from when they began in it until they were over."""
    assert one.started_at is not None
    failing = {
        id: _failing_since(board, id, condition.since)
        for id, condition in board.modules.items()
        if condition.status in FAILING and id not in board.held and one.concerns(id)
    }
    noted = {each.module for each in one.counted if each.until is None}
    if noted == failing.keys():
        return one
    closed = tuple(
        replace(each, until=_over(board, each, now)) if each.until is None and each.module not in failing else each
        for each in one.counted
    )
    opened = tuple(Counted(id, max(one.started_at, failing[id])) for id in failing if id not in noted)
    return replace(one, counted=(*closed, *opened))


def _failing_since(board: Board, module: str, since: datetime) -> datetime:
    """When an unexcused failure began, as its incident has it."""
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    return member.since if member is not None and member.seen and member.until is None else since


def _over(board: Board, each: Counted, now: datetime) -> datetime:
    condition = board.modules.get(each.module)
    return max(each.since, min(condition.since, now)) if condition and condition.status not in FAILING else now


# --- what remains of uptime


def works_of(board: Board, history: History) -> list[Maintenance]:
    """All planned work that is remembered, the first planned first; the board knows better than the store."""
    known = {one.id: one for one in history.maintenances} | dict(board.agenda.works)
    return sorted(known.values(), key=lambda one: (one.planned_from, one.key))


def spans_of(
    module: str, history: History, works: Sequence[Maintenance], start: datetime, now: datetime, weights: Weights
) -> list[Span]:
    """What a module's status was in a window, with planned work cut out."""
    cut = weighed(spans(history.transitions.get(module, ()), start, now), weights)
    excluded = [stretch for one in works for stretch in one.excluded(module, now)]
    return without(cut, excluded) if excluded else cut
