"""Exhibit: what is known of one module, as far as the search for a cause goes; and the scene that they make together.

A scene is one frozen picture of everything that matters: the graph, the exhibits, and an answer for every other module.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache, cached_property
from math import exp, log
from typing import Any

from monitor.core.codes import CODES, CauseClass
from monitor.core.graph import Graph

MISS = 0.05  # chance that a module fails and its probes do not show it
STRAY = 0.002  # chance that another module fails by coincidence
LATE = 20.0  # seconds for which lateness costs one nat
JITTER = 30.0  # seconds by which phases of probes alone shuffle the order of onsets
SHUFFLED = 20.0  # … and by which a root is seen later than what it explains, at no cost
FITFUL = 60.0  # … and by which either is later of a module that answers well in between: it is caught failing late
HALF = 0.5  # share of the time for which such a module fails, and drags along what needs it
# Failures of a module's own name or certificate: no module does that to another that needs it.
OWN_NAME = frozenset(code for code, one in CODES.items() if one.cls in (CauseClass.DNS, CauseClass.CERTIFICATE))
LINKED = 10 * STRAY  # a need that explains a failure no better than this has no part in it
NOTABLE = 1e-3  # a smaller chance is not followed along the graph


class State(StrEnum):
    """What is known of a module."""

    FAILING = "failing"  # down or degraded, or it was in this incident
    SUSPECT = "suspect"  # several failures that are not settled yet
    BLOCKED = "blocked"  # it throttles or refuses us
    GLIMPSED = "glimpsed"  # a failure a moment ago that settles nothing
    DARK = "dark"  # nothing is known: never measured, or silent
    UP = "up"


ILL = frozenset({State.FAILING, State.SUSPECT})
UNSEEN = frozenset({State.DARK, State.BLOCKED, State.GLIMPSED})


@dataclass(frozen=True, slots=True)
class Exhibit:
    """What is known of one module. `named` maps other modules to the share of failing answers with an error code that
    name them, `quiet` is the share of those that name nobody.

    `backend` is the share of all failing answers that an application gave.
    `changed`: its version changed shortly before its failures. `fitful`: it answers well in between. `idly` is the
    chance that noise alone gives it a failure in the last two minutes.
    """

    module: str
    state: State
    onset: datetime | None = None
    code: str | None = None
    named: Mapping[str, float] = field(default_factory=dict)
    quiet: float = 0.0
    backend: float = 0.0
    hosts: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    certificate: str | None = None
    changed: bool = False
    fitful: bool = False
    idly: float = 0.03


class Scene:
    """The graph with everything that is known of its modules; what is asked twice is remembered."""

    def __init__(
        self,
        graph: Graph,
        exhibits: Mapping[str, Exhibit],
        state_of: Callable[[str], State],
        well_at: Callable[[str], frozenset[str]] = lambda address: frozenset(),
        asked_since: Callable[[str, datetime], bool] = lambda id, onset: True,
    ) -> None:
        self.graph = graph
        self.asked_since = cache(asked_since)
        self.well_at = cache(well_at)
        self.exhibits = exhibits
        self._state_of = state_of
        self._weights: dict[str, float] = {}
        self._needs: dict[str, list[tuple[str, float]]] = {}
        self._hushed: dict[str, frozenset[str]] = {}
        self._telling_since: dict[datetime, frozenset[str]] = {}
        self.beside = 0  # so many other groups fail beside the one that is weighed: coincidences happen, then
        self.strays: dict[tuple[str, str, int], tuple[float, float, float]] = {}  # the likelihood's own notes
        self.scores: dict[tuple[object, tuple[str, ...], int], float] = {}  # … what it said before, …
        self.spreads: dict[tuple[object, datetime | None], Any] = {}  # … and how far each hypothesis reaches
        self._order = {id: (one.onset, id) for id, one in exhibits.items() if one.onset is not None}
        self.ill = self.sorted(id for id, one in exhibits.items() if one.state in ILL)

    def order(self, id: str) -> tuple[datetime, str]:
        """By what ill modules are sorted: their onset, then their name."""
        return self._order[id]

    def onset(self, id: str) -> datetime:
        """When an ill module began to fail."""
        return self._order[id][0]

    def sorted(self, modules: Iterable[str]) -> list[str]:
        """Ill modules, each once, the first to fail first."""
        return sorted(set(modules), key=self._order.__getitem__)

    def state(self, id: str) -> State:
        """What is known of a module."""
        one = self.exhibits.get(id)
        return self._state_of(id) if one is None else one.state

    @cached_property
    def well(self) -> int:
        """How many measured modules are well."""
        return sum(self.state(id) is State.UP for id in self.graph.measured)

    def dependants(self, id: str) -> list[str]:
        """Everything that needs a module, what is needed before what needs it."""
        return self.graph.dependants(id)

    @cached_property
    def states(self) -> dict[str, State]:
        """What is known of each module."""
        found = {id: self._state_of(id) for id in self.graph.place}
        return found | {id: one.state for id, one in self.exhibits.items()}

    @cached_property
    def telling(self) -> frozenset[str]:
        """Modules of which anything is known or that answers name, with all that they need: what is thought of any
        other one changes no likelihood."""
        return self._with_needs({id for id, state in self.states.items() if state is not State.DARK})

    def telling_since(self, onset: datetime) -> frozenset[str]:
        """The same where what was well before a moment, and has not been asked since, tells nothing."""
        if onset not in self._telling_since:
            told = {
                id
                for id, state in self.states.items()
                if state is not State.DARK and (state is not State.UP or self.asked_since(id, onset))
            }
            self._telling_since[onset] = self._with_needs(told)
        return self._telling_since[onset]

    def _with_needs(self, found: set[str]) -> frozenset[str]:
        found.update(id for one in self.exhibits.values() for id in one.named if id in self.states)
        todo = list(found) if len(found) < len(self.states) else []
        while todo:
            for need, _ in self.graph.needs.get(todo.pop(), ()):
                if need not in found:
                    found.add(need)
                    todo.append(need)
        return frozenset(found)

    def telling_dependants(self, id: str) -> list[str]:
        """The same as `dependants`, those only that are telling."""
        telling = self.telling
        if 2 * len(telling) < len(self.graph.place):
            return [one for one in self.graph.behind([id], telling) if one != id]
        return [one for one in self.graph.dependants(id) if one in telling]

    def cycle(self, id: str) -> str:
        """The name of the circle that a module stands on; its own when it stands on none."""
        return self.graph.cycle.get(id, id)

    def needs(self, id: str) -> list[tuple[str, float]]:
        """What a module needs, through needs nothing is known of as well, with the chance along the way; what its
        failing answers name through whatever lies between."""
        if id not in self._needs:
            found = self._followed(id, UNSEEN)
            named = self.exhibits[id].named if id in self.exhibits else {}
            if any(one not in found and id in self.graph.reached(one) for one in named):
                through = self._followed(id, frozenset(State))
                found |= {one: through[one] for one in named if one not in found and one in through}
            self._needs[id] = list(found.items())
        return self._needs[id]

    def _followed(self, id: str, through: frozenset[State]) -> dict[str, float]:
        """What a module needs by the best way that leads through needs in these states, with the chance along it."""
        found: dict[str, float] = {}
        todo = [(id, 1.0)]
        while todo:
            one, chance = todo.pop()
            for need, strength in self.graph.needs.get(one, ()):
                along = chance * strength
                if along < NOTABLE or found.get(need, 0.0) >= along or need == id:
                    continue
                found[need] = along
                if self.state(need) in through:
                    todo.append((need, along))
        return found

    def unseen_needs(self, id: str) -> list[str]:
        """What a module needs and nothing is known of, or what its failing answers name though it looks well."""
        named = self.exhibits[id].named if id in self.exhibits else {}
        return [need for need, _ in self.needs(id) if self.state(need) in UNSEEN or need in named]

    def well_needs(self, id: str) -> list[str]:
        """What a module needs and looks well."""
        return [need for need, _ in self.needs(id) if self.state(need) is State.UP]

    def hushed_needs(self, id: str) -> frozenset[str]:
        """What a module needs and may have broken without being seen to: nothing is known of it, or it looks well."""
        if id not in self._hushed:
            self._hushed[id] = frozenset([*self.unseen_needs(id), *self.well_needs(id)])
        return self._hushed[id]

    def link(self, id: str, need: str, chance: float) -> float:
        """How likely a failing need explains a failing module: strength, truth, and order of time."""
        if id in self.nameless and need in self.nameless:
            return 0.0
        late = (self.onset(need) - self.onset(id)).total_seconds() - JITTER - self.grace(need)
        return chance * self._weight(need) * exp(-max(0.0, late) / LATE)

    @cached_property
    def nameless(self) -> frozenset[str]:
        """Those of three or more ill modules whose own names or certificates fail: none of them did that to another."""
        found = frozenset(id for id in self.ill if self.exhibits[id].code in OWN_NAME)
        return found if len(found) > 2 else frozenset()

    def is_fitful(self, id: str) -> bool:
        """Whether a module answers well in between its failures."""
        return id in self.exhibits and self.exhibits[id].fitful

    def grace(self, id: str) -> float:
        """Seconds by which a module that answers well in between is caught failing later than one that does not."""
        return FITFUL if self.is_fitful(id) else 0.0

    def share(self, id: str) -> float:
        """For how much of the time a module fails once it does, and what needs it with it."""
        return HALF if self.is_fitful(id) else 1.0

    def _weight(self, id: str) -> float:
        """How sure it is that a failing module really fails, given how many healthy modules need it all the same."""
        if id not in self._weights:
            doubt = 0.0
            for one in self.graph.needed_by.get(id, ()):
                if self.state(one) is State.UP:
                    chance = dict(self.graph.needs[one])[id] * self.share(id)
                    doubt += log(1 - chance * (1 - MISS))
            alive = exp(doubt)
            self._weights[id] = alive / (alive + STRAY)
        return self._weights[id]

    def tops(self, modules: Iterable[str]) -> list[str]:
        """Those that nothing else among them explains; a cycle counts once, by its first failure."""
        inside = set(modules)
        tops: list[str] = []
        cycles: set[str] = set()
        for id in self.sorted(inside):
            cycle = self.cycle(id)
            explained = any(
                need in inside and self.cycle(need) != cycle and self.link(id, need, chance) > LINKED
                for need, chance in self.needs(id)
            )
            if not explained and cycle not in cycles:
                cycles.add(cycle)
                tops.append(id)
        return tops
