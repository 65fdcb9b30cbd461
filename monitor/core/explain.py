"""Explain: which failures belong together, and what broke first. Pure probability over one frozen scene.

Every failing module either suffers from something it needs, or shares something with others, or broke by itself. First
what hangs together in the graph is one group; then groups are joined where something nobody sees explains them better
together; then each group's hypotheses are weighed against each other.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import exp, inf, log
from typing import TypeVar

from monitor.core.exhibit import LINKED, STRAY, Exhibit, Scene, State
from monitor.core.graph import Graph
from monitor.core.likelihood import AT_ONCE, STRAY_AT_ONCE, Hypothesis, score, signature, signature_of_root
from monitor.core.shared import ALIKE, Shared, first_struck, fit, things

TOGETHER = timedelta(minutes=5)  # onsets of what may have one cause without an edge between them
BEGINNINGS = 3  # so many beginnings that nothing explains have something in common
NAMED_AT = 0.8  # below this confidence the candidates are told, not a root
JUST_BELOW = 0.79  # what may not be named is told with no more confidence than this
UNLISTED = 0.06  # weight of a cause outside the graph against one of its modules
FIRST_STRUCK = 0.25  # most weight of a thing in common of whose users the others have not been asked since
OVERRULES = 3.0  # nats by which something unseen must do better before failures are not their own
MOST_CANDIDATES = 24  # hypotheses scored for one group, the first to fail
OTHER_CANDIDATES = 6  # … besides its beginnings
WELL_CANDIDATES = 6  # … and besides what fails or is not seen: what several need and looks well
TOLD, WORTH_TELLING = 3, 0.01  # candidates told in any case, and the chance from which others are

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Group:
    """Failures that belong together. `candidates` by falling confidence; `root` is set where one is sure enough.

    `shared` is set where no single module explains them; then `confidence` is that of its being shared. `things` is all
    that could have been shared.
    """

    modules: tuple[str, ...]
    root: str | None
    confidence: float
    candidates: tuple[tuple[str, float], ...]
    shared: Shared | None = None
    things: tuple[Shared, ...] = ()


@dataclass
class _Part:
    """A group in the making, the first to fail first."""

    modules: list[str]
    tops: list[str]
    shared: Shared | None = None


def explain(
    graph: Graph,
    exhibits: Mapping[str, Exhibit],
    state_of: Callable[[str], State],
    together: Iterable[frozenset[str]] = (),
    well_at: Callable[[str], frozenset[str]] = lambda address: frozenset(),
    asked_since: Callable[[str, datetime], bool] = lambda id, onset: True,
) -> list[Group]:
    """The groups of all ill modules among the exhibits, the earliest first.

    `state_of` tells of modules without an exhibit. `together` are modules that stay in one group: open incidents.
    `well_at` gives the healthy modules that an address answers for; `asked_since` tells whether a module has answered
    after a moment.
    """
    scene = Scene(graph, exhibits, state_of, well_at, asked_since)
    parts = _gathered(scene, _joined(scene, _parts(scene, list(together))))
    parts.sort(key=lambda part: scene.order(part.modules[0]))
    return [_weighed(scene, part, _beside(scene, part, parts)) for part in parts]


# -- who hangs together with whom -------------------------------------------------------------------------------------


def _parts(scene: Scene, together: Sequence[frozenset[str]]) -> list[_Part]:
    """Connected pieces of the failing part of the graph; those with several beginnings are taken apart, and what is
    one incident already stays one."""
    ill = set(scene.ill)
    boss = {id: id for id in scene.ill}

    def find(id: str) -> str:
        while boss[id] != id:
            boss[id] = boss[boss[id]]
            id = boss[id]
        return id

    def tie(one: str, other: str) -> None:
        first, second = sorted((find(one), find(other)), key=scene.order)
        boss[second] = first

    held = [[id for id in scene.ill if id in modules] for modules in together]
    for one, other in (pair for modules in held for pair in pairwise(modules)):
        tie(one, other)
    for id in scene.ill:
        for need, chance in scene.needs(id):
            if need in ill and scene.link(id, need, chance) > LINKED:
                tie(id, need)
    pieces: dict[str, list[str]] = {}
    for id in scene.ill:
        pieces.setdefault(find(id), []).append(id)
    parts: list[_Part] = []
    for modules in pieces.values():
        if any(len(modules) == len(one) and set(modules) == set(one) for one in held):
            parts.append(_Part(modules, scene.tops(modules)))
            continue
        parts += [_Part(piece, scene.tops(piece)) for piece in _whole(scene, _apart(scene, modules, held), held)]
    return parts


def _whole(scene: Scene, pieces: Sequence[list[str]], held: Sequence[Sequence[str]]) -> list[list[str]]:
    """The pieces, those that hold parts of one incident put together again."""
    rest = [set(piece) for piece in pieces]
    for modules in held:
        holding = [piece for piece in rest if not piece.isdisjoint(modules)]
        rest = [piece for piece in rest if piece not in holding] + ([set().union(*holding)] if holding else [])
    return [scene.sorted(piece) for piece in rest]


def _apart(scene: Scene, modules: list[str], held: Sequence[Sequence[str]]) -> list[list[str]]:
    """A piece with several beginnings: the best one takes what it explains, and so on with the rest. An incident whose
    own beginnings explain it stays whole, so that one that suffers from two does not make them one.
    """
    pieces: list[list[str]] = []
    rest = modules
    while rest:
        tops = scene.tops(rest)
        if len(tops) <= 1:
            return [*pieces, rest]
        best = max(tops[:MOST_CANDIDATES], key=lambda top: (score(scene, top, rest), -tops.index(top)))
        reached = {best, *scene.dependants(best)}
        reached |= {id for id in rest if scene.cycle(id) == scene.cycle(best)}
        others = [top for top in tops if top not in reached]
        reached = reached.difference(*(one for one in held if best not in one and _is_explained(scene, one, others)))
        pieces.append([id for id in rest if id in reached])
        rest = [id for id in rest if id not in reached]
    return pieces


def _is_explained(scene: Scene, modules: Iterable[str], tops: Iterable[str]) -> bool:
    """Whether the beginnings among these modules reach all of them."""
    begun = [top for top in tops if top in set(modules)]
    return bool(begun) and set(modules) <= {id for top in begun for id in (top, *scene.dependants(top))}


# -- one thing behind several groups ----------------------------------------------------------------------------------


def _joined(scene: Scene, parts: list[_Part]) -> list[_Part]:
    """Groups joined where a module nobody sees, or a thing that can be named, explains them better together."""
    while len(parts) > 1:
        best: tuple[float, list[_Part], Shared | None] | None = None
        for hypothesis in _behind_several(scene, parts):
            chosen = _struck_by(scene, hypothesis, parts)
            if len(chosen) < 2:
                continue
            modules = scene.sorted(id for part in chosen for id in part.modules)
            together = score(scene, hypothesis, modules)
            if together <= max(score(scene, top, modules) for part in chosen for top in part.tops[:MOST_CANDIDATES]):
                continue  # one of their own would explain them better still
            gain = together - sum(_alone(scene, part) for part in chosen) - _coincidence(scene, chosen)
            if gain > 0 and (best is None or gain > best[0]):
                best = (gain, chosen, hypothesis if isinstance(hypothesis, Shared) else None)
        if best is None:
            return parts
        _, chosen, shared = best
        parts = [part for part in parts if part not in chosen] + [_one(scene, chosen, shared)]
    return parts


def _one(scene: Scene, parts: Sequence[_Part], shared: Shared | None) -> _Part:
    modules = scene.sorted(id for part in parts for id in part.modules)
    return _Part(modules, scene.tops(modules), shared)


def _behind_several(scene: Scene, parts: Sequence[_Part]) -> list[Hypothesis]:
    """What could be behind several groups: needs of more than one that do not fail themselves, and what their failures
    share."""
    unseen = _common(scene.unseen_needs(top) for part in parts for top in part.tops)
    well = _common(scene.well_needs(top) for part in parts for top in part.tops)[:WELL_CANDIDATES]
    return [*sorted({*unseen, *well}), *things(scene, [top for part in parts for top in part.tops])]


def _common(needs: Iterable[Iterable[str]]) -> list[str]:
    """What more than one needs, what most of them need first."""
    counts = Counter(need for one in needs for need in one)
    return sorted((need for need, count in counts.items() if count > 1), key=lambda need: (-counts[need], need))


def _struck_by(scene: Scene, hypothesis: Hypothesis, parts: Sequence[_Part]) -> list[_Part]:
    if isinstance(hypothesis, Shared):
        chosen = [
            part
            for part in parts
            if all(top in hypothesis.reach and fit(hypothesis.kind, scene.exhibits[top]) > ALIKE for top in part.tops)
        ]
    else:
        chosen = [part for part in parts if any(hypothesis in scene.hushed_needs(top) for top in part.tops)]
    return _near(chosen, lambda part: min(scene.onset(top) for top in part.tops))


def _alone(scene: Scene, part: _Part) -> float:
    """The best score of a group left to itself."""
    if part.shared is not None:
        return score(scene, part.shared, part.modules)
    return max(score(scene, top, part.modules) for top in part.tops[:MOST_CANDIDATES])


def _coincidence(scene: Scene, parts: Sequence[_Part]) -> float:
    """What it costs that these groups began near each other for no common reason."""
    starts = sorted(scene.onset(part.modules[0]) for part in parts)
    return sum(log(STRAY_AT_ONCE if later - earlier <= AT_ONCE else STRAY) for earlier, later in pairwise(starts))


def _gathered(scene: Scene, parts: list[_Part]) -> list[_Part]:
    """Three or more beginnings within minutes that nothing explains: something they share, even without a name."""
    if sum(len(part.tops) for part in parts) < BEGINNINGS:
        return parts
    loose = [part for part in parts if part.shared is None and _is_of_its_own(scene, part)]
    begun = _near([(top, part) for part in loose for top in part.tops], lambda pair: scene.onset(pair[0]))
    if len(begun) < BEGINNINGS:
        return parts
    chosen = [part for part in loose if any(part is other for _, other in begun)]
    shared = Shared("unknown", None, frozenset(id for part in chosen for id in part.modules))
    return [part for part in parts if part not in chosen] + [_one(scene, chosen, shared)]


def _is_of_its_own(scene: Scene, part: _Part) -> bool:
    """Whether nothing that nobody sees explains a group better by far than a module of its own."""
    best = _alone(scene, part)
    unseen = {need for top in part.tops for need in scene.unseen_needs(top)}
    return all(score(scene, need, part.modules) < best + OVERRULES for need in unseen)


def _near(parts: Sequence[T], start: Callable[[T], datetime]) -> list[T]:
    """The largest set of parts that all begin within TOGETHER of the first of them."""
    begun = sorted((start(part), index) for index, part in enumerate(parts))
    best: list[tuple[datetime, int]] = []
    end = 0
    for first, (at, _) in enumerate(begun):
        while end < len(begun) and begun[end][0] - at <= TOGETHER:
            end += 1
        if end - first > len(best):
            best = begun[first:end]
    return [parts[index] for _, index in best]


# -- the answer -------------------------------------------------------------------------------------------------------


def _beside(scene: Scene, part: _Part, parts: Sequence[_Part]) -> int:
    """How many other groups began about when this one did."""
    begun = scene.onset(part.modules[0])
    return sum(abs(scene.onset(one.modules[0]) - begun) <= TOGETHER for one in parts if one is not part)


def _weighed(scene: Scene, part: _Part, beside: int) -> Group:
    """The group with its candidates: what each would make of what is seen, as shares of one."""
    modules = tuple(part.modules)
    scene.beside = beside
    chances = _chances(scene, part)
    named = [(what, chance) for what, chance in chances if isinstance(what, str)]
    named.sort(key=lambda pair: -pair[1])
    shared = [(what, chance) for what, chance in chances if isinstance(what, Shared)]
    if not _is_nameable(scene, named[0][0], modules):
        named = [(what, min(chance, JUST_BELOW)) for what, chance in named]
    candidates = tuple(p for index, p in enumerate(named) if index < TOLD or p[1] >= WORTH_TELLING)[:8]
    root, confidence = named[0]
    things = tuple(thing for thing, _ in shared)
    sharing = sum(chance for _, chance in shared)
    if shared and not (confidence > sharing and _explains_most(scene, root, modules)):
        thing = max(shared, key=lambda pair: pair[1])[0]
        out = sum(chance for id, chance in named if not _explains_most(scene, id, modules))
        sharing /= max(1 - out, sharing)  # what leaves most of it unexplained is out of the question
        told = min(1.0, (1 - sharing) / max(sum(chance for _, chance in candidates), 1e-9))
        return Group(modules, None, sharing, tuple((id, chance * told) for id, chance in candidates), thing, things)
    return Group(modules, root if confidence >= NAMED_AT else None, confidence, candidates, None, things)


def _chances(scene: Scene, part: _Part) -> list[tuple[Hypothesis, float]]:
    """Every hypothesis about a group with its share; modules of one cycle share theirs, blamed as a whole only."""
    modules, tops = part.modules, part.tops
    roots = list(dict.fromkeys([*tops[:MOST_CANDIDATES], *modules[:OTHER_CANDIDATES]]))
    unseen = dict.fromkeys(need for id in modules for need in scene.unseen_needs(id))
    well = _common(scene.well_needs(id) for id in modules[:MOST_CANDIDATES])[:WELL_CANDIDATES]
    roots = list(dict.fromkeys([*roots, *(need for need in unseen if _is_pointed_at(scene, need, modules)), *well]))
    shared = things(scene, tops) if len(tops) > 1 else []
    if part.shared is not None and part.shared not in shared:
        shared.append(part.shared)
    elif len(_near(tops, scene.onset)) >= BEGINNINGS:
        shared.append(Shared("unknown", None, frozenset(tops)))
    hypotheses: list[Hypothesis] = [*roots, *shared]
    scores = [(what, score(scene, what, modules)) for what in hypotheses]
    what, best = max(scores, key=lambda pair: pair[1])
    weights: dict[Hypothesis, float] = {one: exp(value - best) for one, value in scores}
    whole = sum(weights.values()) + sum(_unnameable(scene, what, best, part, roots))
    if len(tops) == 1 and not shared:
        likeliest = max((score(scene, thing, modules) for thing in first_struck(scene, tops[0])), default=-inf)
        whole += FIRST_STRUCK * exp(min(0.0, likeliest - best))
    cycles: dict[str, list[float]] = {}
    for root in roots:
        cycles.setdefault(scene.cycle(root), []).append(weights[root] / whole)
    evened = [(root, sum(cycles[scene.cycle(root)]) / len(cycles[scene.cycle(root)])) for root in roots]
    return [*evened, *((thing, weights[thing] / whole) for thing in shared)]


def _unnameable(scene: Scene, what: Hypothesis, best: float, part: _Part, roots: Sequence[str]) -> Iterator[float]:
    """The weights, against the best hypothesis, of what may have broken and cannot be named: something outside the
    graph, and the likeliest need that looks well."""
    if isinstance(what, str) and what in part.modules:  # outside the graph; the best module would be its victim
        yield UNLISTED * exp(signature(scene.exhibits[what], False) - signature_of_root(scene, what))
    needs = dict.fromkeys(need for top in part.tops[:OTHER_CANDIDATES] for need, _ in scene.needs(top))
    well = [need for need in needs if scene.state(need) is State.UP and need not in roots]
    likeliest = max((score(scene, need, part.modules) for need in well[:OTHER_CANDIDATES]), default=-inf)
    yield exp(min(0.0, likeliest - best))


def _is_pointed_at(scene: Scene, need: str, modules: Sequence[str]) -> bool:
    """Whether a need that nobody sees comes into question. What is never measured and has error codes of its own would
    be named by them, so it takes an answer that does, or several modules that need it."""
    if need in scene.graph.measured or need not in scene.graph.signalled:
        return True
    named = any(need in scene.exhibits[id].named for id in modules)
    return named or sum(need in scene.unseen_needs(id) for id in modules) > 1


def _is_nameable(scene: Scene, root: str, modules: Sequence[str]) -> bool:
    """Whether a module may be named at all: what was measured well throughout takes more than a graph."""
    return scene.state(root) is not State.UP or any(root in scene.exhibits[id].named for id in modules)


def _explains_most(scene: Scene, root: str, modules: Sequence[str]) -> bool:
    """Whether the declared graph lets a module explain most of the others."""
    others = [id for id in modules if id != root]
    return 2 * len(scene.graph.reached(root).intersection(others)) >= len(others)
