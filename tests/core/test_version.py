"""Which application answers, when that changed, and when a change is the trigger of a fault."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitor.core.board import Board
from monitor.core.effect import Versioned
from monitor.core.marks import BACKEND
from monitor.core.observation import Http, Observation
from monitor.core.version import with_version
from tests.stories.beats import START, Story, module, observation, platform, story

HIT = {"x-vtex-cache-status-janus-edge": "HIT"}


def answer(
    version: str | None, after: float = 0, status: int = 200, name: str = "catalog", **headers: str
) -> Observation:
    """A run that a version of an application answered."""
    said = {} if version is None else {BACKEND: version}
    one = observation(name, START + timedelta(seconds=after), "+")
    return replace(one, http=Http(status, {**said, **headers}, 2))


def board_after(*observations: Observation) -> tuple[Board, list[Versioned]]:
    """What is known after these runs, and every change that was told."""
    board, told = Board(platform(module("catalog"))), []
    for one in observations:
        board, changes = with_version(board, one)
        told += changes
    return board, told


@pytest.mark.parametrize(
    ("versions", "changes"),
    [
        pytest.param([(None, 0), (None, 30)], [], id="nothing is said"),
        pytest.param([("catalog-v1", 0), ("catalog-v1", 30)], [("catalog-v1", None)], id="the first is no change"),
        pytest.param(
            [("catalog-v1", 0), ("catalog-v2", 30)],
            [("catalog-v1", None), ("catalog-v2", "catalog-v1")],
            id="another one",
        ),
        pytest.param(
            [("catalog-v1", 0), ("catalog-v2", 30), ("catalog-v1", 60), ("catalog-v2", 90)],
            [("catalog-v1", None), ("catalog-v2", "catalog-v1")],
            id="both in turns while it rolls out",
        ),
        pytest.param(
            [("catalog-v1", 0), ("catalog-v2", 30), ("catalog-v1", 631)],
            [("catalog-v1", None), ("catalog-v2", "catalog-v1"), ("catalog-v1", "catalog-v2")],
            id="rolled back later",
        ),
        pytest.param(
            [("catalog-v1", 0), ("router-v9", 30), ("catalog-v1", 60)],
            [("catalog-v1", None)],
            id="another application answers in between",
        ),
        pytest.param([("catalog-v1", 0), (None, 30), ("catalog-v1", 60)], [("catalog-v1", None)], id="silence between"),
    ],
)
def test_a_change_of_version_is_told_once(
    versions: list[tuple[str | None, float]], changes: list[tuple[str, str | None]]
) -> None:
    """With what it was before, dated from the first answer of the new one."""
    board, told = board_after(*(answer(name, after) for name, after in versions))
    assert [(one.version.name, one.version.before) for one in told] == changes
    assert board.version_of("catalog") == (changes[-1][0] if changes else None)


def test_a_cache_tells_no_version() -> None:
    """What it keeps was answered some time ago."""
    board, told = board_after(answer("catalog-v1"), answer("catalog-v2", 30, **HIT))
    assert (len(told), board.version_of("catalog")) == (1, "catalog-v1")


def test_a_failing_answer_tells_its_version() -> None:
    """A release that breaks everything is the very one to know of."""
    board, told = board_after(answer("catalog-v1"), answer("catalog-v2", 30, status=500))
    assert told[-1].version.since == START + timedelta(seconds=30)
    assert board.version_of("catalog") == "catalog-v2"


def test_what_was_never_answered_has_no_version() -> None:
    """Nor has a canary."""
    nothing = replace(answer("catalog-v1"), http=None)
    canary = replace(answer("catalog-v1"), module=None)
    assert board_after(nothing, canary) == (Board(platform(module("catalog"))), [])


def release(at: float, broken: bool = True, needs: tuple[str, ...] = (), name: str = "catalog") -> Story:
    """A catalog that changes its version at a moment, and fails from two minutes on."""
    told = story(module("catalog", *needs), *(module(need) for need in needs))
    for beat in range(12):
        after = beat * 30
        for one in ("catalog", *needs):
            version = "v2" if one == name and after >= at else "v1"
            status = 500 if broken and one == "catalog" and after >= 120 else 200
            told.feed(answer(f"{one}-{version}", after, status, one))
            told.tick()
    return told


@pytest.mark.parametrize(("at", "found"), [(60, True), (120, True), (150, True), (180, False), (999, False)])
def test_a_change_just_before_a_fault_is_its_trigger(at: float, found: bool) -> None:
    """From a quarter of an hour before the onset to half a minute after it; the class says deploy."""
    told = release(at)
    assert told.changes[0] == "opened"
    cause = told.incidents[0].cause
    assert (cause.trigger is not None) is found
    assert (cause.cls == "deploy_or_config_change") is found
    if cause.trigger is not None:
        assert dict(cause.trigger) == {
            "kind": "version_change",
            "module": "catalog",
            "from": "catalog-v1",
            "to": "catalog-v2",
            "at": f"2026-11-23T12:{at // 60:02d}:{at % 60:02d}.000Z",
        }


def test_a_change_alone_is_no_incident() -> None:
    """Releases happen all day."""
    assert release(60, broken=False).changes == []


def test_a_change_of_what_it_needs_may_be_the_trigger() -> None:
    """The dependency looks well; its release is told all the same."""
    told = release(60, needs=("logistics",), name="logistics")
    trigger = told.incidents[0].cause.trigger
    assert trigger is not None
    assert (trigger["module"], trigger["to"]) == ("logistics", "logistics-v2")


def test_a_restart_knows_the_version() -> None:
    """The first answer after it is no change."""
    told = story(module("catalog"))
    told.feed(answer("catalog-v1"))
    told.restart(pause=5)
    told.feed(answer("catalog-v1", 30))
    assert len([effect for effect in told.effects if isinstance(effect, Versioned)]) == 1
    assert told.board.version_of("catalog") == "catalog-v1"
