"""Extra runs: who is asked once more, and when."""

from dataclasses import replace
from datetime import timedelta

from monitor.core.board import Board
from monitor.core.effect import Ask, Lagging, Observed
from monitor.core.module import Status
from monitor.core.probe import Role
from monitor.core.step import step
from tests.stories.beats import START, module, observation, platform

PLACES = ("x", "y", "z")
DOMAINS = {place: place for place in PLACES}


def asked(board: Board, event: object, seconds: float) -> tuple[Board, list[tuple[str, float]]]:
    """The board after an event, and which places are asked once more, after how long."""
    board, effects = step(board, event, START + timedelta(seconds=seconds))  # type: ignore[arg-type]
    return board, [(one.location, one.after) for one in effects if isinstance(one, Ask)]


def watched(**changes: object) -> Board:
    """A board with one module that three places see well."""
    one = module("catalog", places=PLACES)
    probe = replace(one.probes[0], **changes)  # type: ignore[arg-type]
    board = Board(platform(replace(one, probes=(probe,)), locations=DOMAINS))
    for place in PLACES:
        board, _ = step(board, Observed(observation("catalog", START, "+", place)), START + timedelta(seconds=1))
    return board


def test_a_failure_has_every_place_asked_at_once() -> None:
    """0.3 seconds later, the one that failed included."""
    failed = Observed(observation("catalog", START + timedelta(seconds=30), "-", "x"))
    _, places = asked(watched(), failed, 30.1)
    assert places == [("x", 0.3), ("y", 0.3), ("z", 0.3)]


def test_a_run_that_waits_for_its_answer_has_the_others_asked() -> None:
    """Not the one that waits, and not twice."""
    board, places = asked(watched(), Lagging("catalog", "ask", "x"), 33)
    assert places == [("y", 0.3), ("z", 0.3)]
    assert asked(board, Lagging("catalog", "ask", "x"), 33.1)[1] == []


def test_doubt_adds_nothing_to_a_suspicion() -> None:
    """Once a failure is known its own extra runs are under way."""
    failed = Observed(observation("catalog", START + timedelta(seconds=30), "-", "x"))
    board, _ = asked(watched(), failed, 30.1)
    assert asked(board, Lagging("catalog", "ask", "y"), 34)[1] == []


def test_nobody_is_doubted_for_mere_evidence_or_what_is_gone() -> None:
    """A probe that decides nothing, one that is off, one that nobody knows."""
    assert asked(watched(role=Role.EVIDENCE), Lagging("catalog", "ask", "x"), 33)[1] == []
    assert asked(watched(off="no key"), Lagging("catalog", "ask", "x"), 33)[1] == []
    assert asked(watched(), Lagging("catalog", "gone", "x"), 33)[1] == []


def test_extra_runs_are_sixty_a_minute() -> None:
    """Of seventy that fail at once forty-five are asked again, and a quarter of the sixty is kept for asking them once
    more; half a minute later, with half of the span over, thirty more would be allowed, and an eighth is kept."""
    names = [f"m{number:02}" for number in range(70)]
    board, extra = Board(platform(*(module(name, interval=600) for name in names))), []
    for seconds in (30, 60):
        extra.append(0)
        for name in names:
            seen = Observed(observation(name, START + timedelta(seconds=seconds), "-"))
            board, places = asked(board, seen, seconds + 0.1)
            extra[-1] += len(places)
    assert extra == [45, 38]
    assert sum(extra) <= 60 + 30


def test_what_leaves_something_behind_is_never_asked_in_between() -> None:
    """Neither at a first failure, nor while a place waits, nor while it is down."""
    board = watched(extra_runs=False)
    assert asked(board, Lagging("catalog", "ask", "x"), 33)[1] == []
    for beat in range(1, 5):
        for place in PLACES:
            failed = Observed(observation("catalog", START + timedelta(seconds=30 * beat), "-", place))
            board, places = asked(board, failed, 30 * beat + 0.1)
            assert places == []
    assert board.status("catalog") is Status.DOWN
