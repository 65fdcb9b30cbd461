"""How often the root of a random incident on a random graph is named, with the product's own search.

    python -m tests.bench.root_accuracy [--graphs 12] [--incidents 1450] [--seed 1] [--require]

As judgement.md 2.3 has it: 30 probed and 4 hidden modules, each with 1 to 3 needs, edges hard to soft; a root fails,
its failure spreads along edges by chance, detection is late by 5 to 25 s, some failures are missed, some are strays.
Every figure comes with its 95 % interval (Wilson) and the number of incidents.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import sqrt

from monitor.core.exhibit import Exhibit, State
from monitor.core.explain import Group, explain
from monitor.core.graph import HARD, MEDIUM, SOFT, graph_of

PROBED, HIDDEN = 30, 4
START = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Situation:
    """A row of the table: what is wrong with the world besides the root."""

    name: str
    undeclared: float = 0.0
    miss: float = 0.05
    stray: float = 0.002
    two_roots: float = 0.0
    glimpsed: bool = False  # a missed module had a failure or two, too few to be settled


SITUATIONS = (
    Situation("declared graph complete"),
    Situation("20 % of edges undeclared", undeclared=0.2),
    Situation("20 % missed, with a failure seen", miss=0.2, glimpsed=True),
    Situation("20 % missed, without a trace", miss=0.2),
    Situation("half with two roots", two_roots=0.5),
    Situation("3 % unrelated failures", stray=0.03),
)


@dataclass(frozen=True)
class Answer:
    """What was said of one incident: the first candidate, whether it was named, and whether it is a true root."""

    right: bool
    named: bool
    among_three: bool


Edges = dict[str, dict[str, float]]  # what each module needs, with the chance that a failure there shows


def random_graph(dice: random.Random) -> tuple[Edges, frozenset[str]]:
    """Modules with their needs, and those that no probe watches."""
    names = [f"m{index}" for index in range(PROBED + HIDDEN)]
    edges: Edges = {}
    for index, name in enumerate(names):
        needs = dice.sample(names[:index], min(index, dice.randint(1, 3)))
        edges[name] = {need: dice.choice((HARD, MEDIUM, SOFT)) for need in needs}
    return edges, frozenset(dice.sample(names, HIDDEN))


def strike(edges: Edges, root: str, dice: random.Random) -> set[str]:
    """What fails when a root does, edge by edge; modules stand in order of need."""
    failing = {root}
    for name, needs in edges.items():
        if any(need in failing and dice.random() < chance for need, chance in needs.items()):
            failing.add(name)
    return failing


def incidents(
    situation: Situation, graphs: int, count: int, seed: int
) -> Iterator[tuple[set[str], set[str], list[Group]]]:
    """True roots, what fails with them, and the groups that were found; what nobody sees is no incident."""
    dice = random.Random(f"{seed}/{situation.name}")
    for _ in range(graphs):
        edges, hidden = random_graph(dice)
        declared = {
            id: {need: chance for need, chance in needs.items() if dice.random() >= situation.undeclared}
            for id, needs in edges.items()
        }
        measured = [id for id in edges if id not in hidden]
        graph = graph_of(declared, measured)
        done = 0
        while done < count // graphs:
            roots = set(dice.sample(list(edges), 2 if dice.random() < situation.two_roots else 1))
            failing: set[str] = set()
            for root in sorted(roots):
                failing |= strike(edges, root, dice)
            exhibits: dict[str, Exhibit] = {}
            glimpsed: set[str] = set()
            for id in measured:
                seen = dice.random() >= situation.miss if id in failing else dice.random() < situation.stray
                if seen:
                    onset = START + timedelta(seconds=dice.uniform(5, 25))
                    own = dice.random() < (0.85 if id in roots or id not in failing else 0.25)
                    exhibits[id] = Exhibit(id, State.FAILING, onset, "http.500" if own else "http.504")
                elif situation.glimpsed and id in failing:
                    glimpsed.add(id)
            if not failing & exhibits.keys():
                continue
            done += 1

            def state(id: str, dark: frozenset[str] = hidden | glimpsed) -> State:
                return State.DARK if id in dark else State.UP

            yield roots, failing, explain(graph, exhibits, state)


def asked(situation: Situation, graphs: int, count: int, seed: int) -> Iterator[Answer]:
    """The answer to each fault: what the incident says that most of its victims are in. Strays have their own."""
    for roots, failing, groups in incidents(situation, graphs, count, seed):
        main = max(groups, key=lambda group: (len(failing.intersection(group.modules)), group.confidence))
        first = [id for id, _ in main.candidates]
        yield Answer(first[:1] != [] and first[0] in roots, main.root is not None, bool(roots & set(first[:3])))


# (top-1, right when named) that must not be missed: with --require a figure whose whole interval lies below fails.
WANTED = {
    "declared graph complete": (0.94, 0.95),
    "20 % of edges undeclared": (0.87, 0.95),
    "20 % missed, with a failure seen": (0.88, 0.95),
}


def interval(right: int, of: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share."""
    if not of:
        return 0.0, 1.0
    z, share = 1.96, right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * sqrt(share * (1 - share) / of + z * z / (4 * of * of)) / (1 + z * z / of)
    return middle - half, middle + half


def share(right: int, of: int) -> str:
    """`94.1 % (92.8–95.2)`."""
    low, high = interval(right, of)
    return f"{100 * right / max(of, 1):.1f} % ({100 * low:.1f}–{100 * high:.1f})"


def measure(graphs: int, count: int, seed: int, tell: Callable[[str], None] = print) -> list[str]:
    """Prints the table; says which figures are surely worse than they must be."""
    missed: list[str] = []
    tell("| Situation | incidents | top-1 right | in the first three | named at 0.8 | right when named |")
    tell("|---|---|---|---|---|---|")
    for situation in SITUATIONS:
        answers = list(asked(situation, graphs, count, seed))
        right, named = sum(a.right for a in answers), [a for a in answers if a.named]
        sure = sum(a.right for a in named)
        tell(
            f"| {situation.name} | {len(answers)} | {share(right, len(answers))} "
            f"| {share(sum(a.among_three for a in answers), len(answers))} "
            f"| {share(len(named), len(answers))} | {share(sure, len(named))} |"
        )
        best = (interval(right, len(answers))[1], interval(sure, len(named))[1])
        for what, figure, wanted in zip(("top-1", "named"), best, WANTED.get(situation.name, (0, 0)), strict=True):
            if figure < wanted:
                missed.append(f"{situation.name}: {what} is {100 * figure:.1f} % at best, {100 * wanted:.0f} % wanted")
    return missed


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=12)
    parser.add_argument("--incidents", type=int, default=1450)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--require", action="store_true", help="exit status 1 when a figure is missed")
    given = parser.parse_args()
    missed = measure(given.graphs, given.incidents, given.seed)
    sys.exit("\n".join(missed) if given.require and missed else 0)
