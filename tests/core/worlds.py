"""Random platforms and random days on them, for properties that hold whatever happens."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from monitor.core.board import Board
from monitor.core.effect import Effect, Event, Observed, Reconfigured, Ticked
from monitor.core.history import board_from
from monitor.core.module import Dependency, Platform
from monitor.core.probe import Role
from monitor.core.step import step
from tests.stories.beats import START, canary, module, observation, platform, remembered

NAMES = ("a", "b", "c", "d")
HARMLESS = "?cb"


@dataclass(frozen=True)
class Beat:
    """What happens `after` seconds of nothing: a kind of event and what it is about."""

    after: float
    kind: str  # run canaries tick reload
    name: str
    outcome: str
    probe: str = "ask"


def days(outcomes: str = "++++----~~?cbxt", kinds: Sequence[str] = ("tick",)) -> st.SearchStrategy[list[Beat]]:
    """A day: stretches in which a module keeps showing the same, with other things between them.

    Every stretch is one number, which is many times quicker to draw than its parts.
    """

    def stretch(number: int) -> list[Beat]:
        def pick(choices: Sequence[Any]) -> Any:
            nonlocal number
            number, index = divmod(number, len(choices))
            return choices[index]

        name, probe = pick("aaabbbcd"), pick(("ask", "ask", "more"))
        if pick("rrrrro") == "o":
            return [Beat(pick((0.0, 1.0, 150.0, 700.0)), pick(kinds), name, pick("+-"))]
        outcome, length = pick(outcomes), pick((1, 4, 8, 12))
        every = pick((0.0, 0.3, 5.0, 10.0, 30.0) if length == 1 else (10.0, 30.0))
        return [Beat(every, "run", name, outcome, probe)] * length + [Beat(1.0, "tick", name, "+")]

    stretches = st.lists(st.integers(0, 2**22).map(stretch), min_size=8, max_size=20)
    return stretches.map(lambda parts: list(chain.from_iterable(parts)))


def worlds(canaries: int = 0) -> st.SearchStrategy[Platform]:
    """Platforms of four modules in any graph, cycles included; the first has a second probe of either role."""
    edges = [(of, to) for of in NAMES for to in NAMES if of != to]

    def build(bits: int) -> Platform:
        chosen = [edge for index, edge in enumerate(edges) if bits >> (2 * index) & 3 == 3]
        made = [replace(module(of), depends_on=tuple(Dependency(b) for a, b in chosen if a == of)) for of in NAMES]
        base, role = made[0].probes[0], (Role.VERDICT, Role.EVIDENCE)[bits & 1]
        made[0] = replace(made[0], probes=(base, replace(base, id="more", role=role)))
        return platform(*made, canaries=canaries)

    return st.integers(0, 4 ** len(edges) - 1).map(build)


def without(world: Platform, name: str) -> Platform:
    """The platform with a module gone, or with its probes switched off when it is the first of all."""
    modules = dict(world.modules)
    if name == NAMES[0]:
        gone = modules[name]
        modules[name] = replace(gone, probes=tuple(replace(p, off="no key") for p in gone.probes))
    else:
        del modules[name]
    return replace(world, modules=modules)


@dataclass
class Run:
    """Every board and the effects that led to it, one entry an event."""

    steps: list[tuple[Board, Event, list[Effect], Board]]
    ended_at: datetime

    @property
    def effects(self) -> list[Effect]:
        """All effects in order."""
        return [effect for _, _, effects, _ in self.steps for effect in effects]


def events(world: Platform, beats: Iterable[Beat]) -> list[tuple[float, Event]]:
    """The day as events with their time in seconds from the start."""
    found: list[tuple[float, Event]] = []
    now = 0.0
    whole = True
    for beat in beats:
        now += beat.after
        at = START + timedelta(seconds=now)
        match beat.kind:
            case "run":
                probe = beat.probe if beat.name == NAMES[0] else "ask"
                one = observation(beat.name, at, beat.outcome, probe=probe)
                now += one.duration
                found.append((now, Observed(one)))
            case "canaries":
                found += [(now + 0.05, Observed(canary(at, beat.outcome == "+", name))) for name in "xyz"]
                now += 0.05
            case "reload":
                whole = not whole
                found.append((now, Reconfigured(world if whole else without(world, beat.name))))
            case _:
                found.append((now, Ticked()))
    return found


def live(world: Platform, beats: Iterable[Beat], restart_at: int | None = None) -> Run:
    """Lives through a day; at one event, if any is given, the monitor is restarted first."""
    board = Board(world)
    steps: list[tuple[Board, Event, list[Effect], Board]] = []
    told: list[Effect] = []
    now = START
    for index, (seconds, event) in enumerate(events(world, beats)):
        now = START + timedelta(seconds=seconds)
        if index == restart_at:
            board = board_from(board.platform, remembered(told, exactly=True))
            board, effects = step(board, Reconfigured(board.platform), now)
            told += effects
            steps.append((board, Reconfigured(board.platform), effects, board))
        before = board
        board, effects = step(board, event, now)
        told += effects
        steps.append((before, event, effects, board))
    return Run(steps, now)
