"""Graph: who needs whom, compiled from a platform once, so that explaining a failure costs little.

Modules that need each other in a circle are one node: `cycle` names it, and they share one rank. Where a gateway is
declared and nobody says that it depends on it, everything does: that is what a gateway is.
"""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

HARD = 0.9  # chance that a failure shows in a dependant, by the strength of the edge
MEDIUM = 0.5
SOFT = 0.25


@dataclass(frozen=True)
class Graph:
    """`needs` and `needed_by` hold direct edges with their chance; `rank` grows from what is needed to what needs it.

    `place` numbers them in that order. `hosts` are the modules with a deciding probe on each host; `signalled` those
    with error codes of their own.
    """

    needs: Mapping[str, tuple[tuple[str, float], ...]]
    needed_by: Mapping[str, tuple[str, ...]]
    rank: Mapping[str, int]
    cycle: Mapping[str, str]
    place: Mapping[str, int]
    measured: frozenset[str] = frozenset()
    gateways: frozenset[str] = frozenset()
    signalled: frozenset[str] = frozenset()
    hosts: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def reached(self, module: str) -> frozenset[str]:
        """The same as `dependants` as a set, found once."""
        if module not in self._reached:
            self._reached[module] = frozenset(self.dependants(module))
        return self._reached[module]

    @cached_property
    def _reached(self) -> dict[str, frozenset[str]]:
        return {}

    def dependants(self, module: str) -> list[str]:
        """Everything that needs a module, directly or not, itself left out: what is needed before what needs it."""
        if module not in self._dependants:
            self._dependants[module] = [one for one in self.behind([module]) if one != module]
        return self._dependants[module]

    @cached_property
    def _dependants(self) -> dict[str, list[str]]:
        return {}

    def behind(self, modules: Iterable[str], among: Container[str] | None = None) -> list[str]:
        """These modules and everything that needs one of them, in the same order; as far as ways lead `among` some."""
        seen = set(modules)
        todo = list(seen)
        while todo:
            for one in self.needed_by.get(todo.pop(), ()):
                if one not in seen and (among is None or one in among):
                    seen.add(one)
                    todo.append(one)
        return sorted(seen, key=lambda one: self.place.get(one, -1))


def graph_of(
    edges: Mapping[str, Mapping[str, float]],
    measured: Iterable[str] = (),
    gateways: Iterable[str] = (),
    signalled: Iterable[str] = (),
    hosts: Mapping[str, frozenset[str]] | None = None,
) -> Graph:
    """The graph of these edges, by what needs something; those to modules that do not exist are left out."""
    known = {id: {need: chance for need, chance in needs.items() if need in edges} for id, needs in edges.items()}
    gateways = frozenset(gateways)
    for gateway in sorted(gateways):
        if not any(gateway in needs for needs in known.values()):
            for id in known.keys() - gateways:
                known[id][gateway] = HARD
    needed_by: dict[str, list[str]] = {id: [] for id in known}
    for id, needs in known.items():
        for one in needs:
            needed_by[one].append(id)
    rank, cycle = _ranks(known)
    return Graph(
        needs={id: tuple(needs.items()) for id, needs in known.items()},
        needed_by={id: tuple(sorted(ones)) for id, ones in needed_by.items()},
        rank=rank,
        cycle=cycle,
        place={one: place for place, one in enumerate(sorted(rank, key=lambda one: (rank[one], one)))},
        measured=frozenset(measured),
        gateways=gateways,
        signalled=frozenset(signalled),
        hosts=hosts or {},
    )


def _ranks(edges: Mapping[str, Mapping[str, float]]) -> tuple[dict[str, int], dict[str, str]]:
    """Tarjan's strongly connected components, which come out with what is needed first; no recursion."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    rank: dict[str, int] = {}
    cycle: dict[str, str] = {}
    stack: list[str] = []
    for start in edges:
        if start in index:
            continue
        work = [(start, iter(edges[start]))]
        index[start] = low[start] = len(index)
        stack.append(start)
        while work:
            node, rest = work[-1]
            for one in rest:
                if one not in index:
                    index[one] = low[one] = len(index)
                    stack.append(one)
                    work.append((one, iter(edges[one])))
                    break
                if one not in rank:
                    low[node] = min(low[node], index[one])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    number = len(rank)
                    while True:
                        one = stack.pop()
                        rank[one], cycle[one] = number, node
                        if one == node:
                            break
    return rank, cycle
