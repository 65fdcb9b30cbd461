"""How often the root of a random incident on a random graph is named, with the product's own search.

    python -m tests.bench.root_accuracy [--graphs 12] [--incidents 1450] [--seed 1] [--world plain] [--require]

The plain world: 30 probed and 4 hidden modules, each with 1 to 3 needs, edges hard to soft; a root fails, its failure
spreads along edges by chance, detection is late by 5 to 25 s, some failures are missed, some are strays.
The hubs are another world, to see that what is learned in one holds in the other: 45 probed and 5 hidden modules, most
of which need the same few, failures that take their time from one to the next, strays spread over minutes, and the
codes of real failures, time-outs among them.
Every figure comes with its 95 % interval (Wilson) and the number of incidents. The last table shows how far confidence
can be believed: of all incidents told with so much of it, how many were right.
"""

import argparse
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import sqrt

from monitor.core.exhibit import Exhibit, State
from monitor.core.explain import Group, explain
from monitor.core.graph import HARD, MEDIUM, SOFT, graph_of

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
    """What was said of one incident: the first candidate, whether it was named, and whether it is a true root.

    `confidence` is the first candidate's.
    """

    right: bool
    named: bool
    among_three: bool
    confidence: float


Edges = dict[str, dict[str, float]]  # what each module needs, with the chance that a failure there shows
Codes = tuple[tuple[str, float], ...]  # what failures show, with the weight of each


@dataclass(frozen=True)
class World:
    """How graphs come about, and what their failures look like. `hubs`: how much more the needed are needed;
    `hop`: seconds a failure takes from one to the next at most; `phase`: how late it is seen; `apart`: how many seconds
    strays lie before or after the rest at most."""

    probed: int
    hidden: int
    hubs: float
    hop: float
    phase: tuple[float, float]
    apart: float
    of_root: Codes
    of_victim: Codes


IDLY = 0.02  # share of healthy modules that show a stray failure as well
OWN, WAITING, HUNG = "http.500", "http.504", "http.ttfb_timeout"
WORLDS = {
    "plain": World(30, 4, 0.0, 0.0, (5, 25), 0.0, ((OWN, 0.85), (WAITING, 0.15)), ((OWN, 0.25), (WAITING, 0.75))),
    "hubs": World(
        probed=45,
        hidden=5,
        hubs=1.0,
        hop=10.0,
        phase=(0, 20),
        apart=120.0,
        of_root=((OWN, 0.35), ("http.503", 0.2), (HUNG, 0.25), ("tcp.refused", 0.1), (WAITING, 0.1)),
        of_victim=((OWN, 0.2), ("http.503", 0.1), (HUNG, 0.3), ("content.soft_error", 0.05), (WAITING, 0.35)),
    ),
}


def random_graph(world: World, dice: random.Random) -> tuple[Edges, frozenset[str]]:
    """Modules with their needs, and those that no probe watches."""
    names = [f"m{index}" for index in range(world.probed + world.hidden)]
    edges: Edges = {}
    needed = dict.fromkeys(names, 1.0)
    for index, name in enumerate(names):
        needs: set[str] = set()
        for _ in range(min(index, dice.randint(1, 3))):
            rest = [one for one in names[:index] if one not in needs]
            needs |= set(dice.choices(rest, [needed[one] for one in rest]))
        edges[name] = {need: dice.choice((HARD, MEDIUM, SOFT)) for need in sorted(needs)}
        for need in needs:
            needed[need] += world.hubs
    return edges, frozenset(dice.sample(names, world.hidden))


def strike(world: World, edges: Edges, root: str, dice: random.Random) -> dict[str, float]:
    """What fails when a root does and after how many seconds, edge by edge; modules stand in order of need."""
    failing = {root: 0.0}
    for name, needs in edges.items():
        struck = [need for need, chance in needs.items() if need in failing and dice.random() < chance]
        if struck and name != root:
            failing[name] = min(failing[need] for need in struck) + dice.uniform(0, world.hop)
    return failing


def exhibits_of(
    world: World, situation: Situation, seen: list[str], roots: set[str], failing: dict[str, float], dice: random.Random
) -> dict[str, Exhibit]:
    """What is known of the modules that probes watch and that were seen to fail, some of them once."""
    exhibits: dict[str, Exhibit] = {}
    for id in seen:
        if dice.random() < ((1 - situation.miss) if id in failing else situation.stray):
            late = failing[id] if id in failing else dice.uniform(-world.apart, world.apart)
            onset = START + timedelta(seconds=late + dice.uniform(*world.phase))
            codes = world.of_root if id in roots or id not in failing else world.of_victim
            code = dice.choices([code for code, _ in codes], [weight for _, weight in codes])[0]
            exhibits[id] = Exhibit(id, State.FAILING, onset, code)
        elif situation.glimpsed if id in failing else dice.random() < IDLY:
            exhibits[id] = Exhibit(id, State.GLIMPSED, idly=IDLY)
    return exhibits


def incidents(
    world: World, situation: Situation, graphs: int, count: int, seed: int
) -> Iterator[tuple[set[str], set[str], list[Group]]]:
    """True roots, what fails with them, and the groups that were found; what nobody sees is no incident."""
    dice = random.Random(f"{seed}/{situation.name}")
    for _ in range(graphs):
        edges, hidden = random_graph(world, dice)
        declared = {
            id: {need: chance for need, chance in needs.items() if dice.random() >= situation.undeclared}
            for id, needs in edges.items()
        }
        measured = [id for id in edges if id not in hidden]
        graph = graph_of(declared, measured)
        done = 0
        while done < count // graphs:
            roots = set(dice.sample(list(edges), 2 if dice.random() < situation.two_roots else 1))
            failing: dict[str, float] = {}
            for root in sorted(roots):
                for id, after in strike(world, edges, root, dice).items():
                    failing[id] = min(after, failing.get(id, after))
            exhibits = exhibits_of(world, situation, measured, roots, failing, dice)
            if not any(id in failing and one.state is State.FAILING for id, one in exhibits.items()):
                continue
            done += 1

            def state(id: str, dark: frozenset[str] = hidden) -> State:
                return State.DARK if id in dark else State.UP

            yield roots, set(failing), explain(graph, exhibits, state)


def asked(world: World, situation: Situation, graphs: int, count: int, seed: int) -> Iterator[Answer]:
    """The answer to each fault: what the incident says that most of its victims are in. Strays have their own."""
    for roots, failing, groups in incidents(world, situation, graphs, count, seed):
        main = max(groups, key=lambda group: (len(failing.intersection(group.modules)), group.confidence))
        first = [id for id, _ in main.candidates]
        right = first[:1] != [] and first[0] in roots
        yield Answer(right, main.root is not None, bool(roots & set(first[:3])), dict(main.candidates)[first[0]])


# (top-1, right when named) that must not be missed: with --require a figure whose whole interval lies below fails.
WANTED = {
    "declared graph complete": (0.94, 0.95),
    "20 % of edges undeclared": (0.87, 0.95),
    "20 % missed, with a failure seen": (0.88, 0.95),
    "20 % missed, without a trace": (0.0, 0.95),
    "half with two roots": (0.0, 0.95),
    "3 % unrelated failures": (0.0, 0.95),
}
BANDS = (0.0, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 1.01)  # of confidence, for the last table


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


def measure(
    world: str, graphs: int, count: int, seed: int, tell: Callable[[str], None] = print
) -> tuple[list[str], list[Answer]]:
    """Prints the table; gives which figures are surely worse than they must be, and all answers."""
    missed: list[str] = []
    everything: list[Answer] = []
    tell("| Situation | incidents | top-1 right | in the first three | named at 0.8 | right when named |")
    tell("|---|---|---|---|---|---|")
    for situation in SITUATIONS:
        answers = list(asked(WORLDS[world], situation, graphs, count, seed))
        everything += answers
        right, named = sum(a.right for a in answers), [a for a in answers if a.named]
        sure = sum(a.right for a in named)
        tell(
            f"| {situation.name} | {len(answers)} | {share(right, len(answers))} "
            f"| {share(sum(a.among_three for a in answers), len(answers))} "
            f"| {share(len(named), len(answers))} | {share(sure, len(named))} |"
        )
        best = (interval(right, len(answers))[1], interval(sure, len(named))[1])
        for what, figure, wanted in zip(("top-1", "named"), best, WANTED[situation.name], strict=True):
            if figure < wanted:
                missed.append(f"{situation.name}: {what} is {100 * figure:.1f} % at best, {100 * wanted:.0f} % wanted")
    return missed, everything


def reliability(answers: Sequence[Answer], tell: Callable[[str], None] = print) -> None:
    """Prints how often the first candidate is right, by how sure it was told."""
    tell("| Confidence | incidents | on average | right |")
    tell("|---|---|---|---|")
    for low, high in pairwise(BANDS):
        inside = [one for one in answers if low <= one.confidence < high]
        if inside:
            said = sum(one.confidence for one in inside) / len(inside)
            right = sum(one.right for one in inside)
            tell(f"| {low:.2f} to {min(high, 1):.2f} | {len(inside)} | {said:.2f} | {share(right, len(inside))} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--graphs", type=int, default=12)
    parser.add_argument("--incidents", type=int, default=1450)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--world", choices=WORLDS, default="plain")
    parser.add_argument("--require", action="store_true", help="exit status 1 when a figure is missed")
    given = parser.parse_args()
    missed, everything = measure(given.world, given.graphs, given.incidents, given.seed)
    print()
    reliability(everything)
    sys.exit("\n".join(missed) if given.require and missed else 0)
