"""Likelihood: how likely a hypothesis, this module or that shared thing, makes what is seen. All in nats.

    explained    a failing module whose needs fail under the hypothesis: noisy-or of the strengths of its edges
    innocent     a healthy dependant of what fails speaks against it
    stray        a failing module the hypothesis does not reach: a coincidence, or an edge nobody declared
    signature    codes of a module's own trouble, or of waiting for somebody else's
    named        answers that carry the error code of a dependency
    passed       answers that an application gave passed host, edge and gateway
    time         what failed much later than the others is hardly their cause

`docs/judgement.md` derives the numbers, `tests/bench/` measures what they are worth.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import comb, exp, log

from monitor.core.exhibit import ILL, LATE, MISS, NOTABLE, SHUFFLED, STRAY, Exhibit, Scene, State
from monitor.core.shared import Shared, fit, fit_of_gateway

STRAY_AT_ONCE = 0.001  # chance of a coincidence within ten seconds
ONE_STRAY = 4.2  # a single one has to be reckoned with: how much likelier it is than each further one
BESIDE = 8  # a coincidence is so many times its chance likelier for each other group that fails about then …
OFTEN = 0.06  # … the first one as likely as this at most
STRAY_SUSPECT = 0.02  # … of a module whose failure is not settled yet
AT_ONCE = timedelta(seconds=10)
OWN, OWN_OF_VICTIM = 0.85, 0.25  # chance of a code of one's own trouble, for the root and for what suffers
HUNG, HUNG_AS_VICTIM = 0.4, 0.6  # chance of a time-out of our own, or of slowness, for the same
NAMED, MISNAMED = 0.9, 0.002  # chance that answers name a dependency that fails, that does not
KEPT_QUIET = 0.3  # chance that an answer with an error code does not name the dependency that failed
BLOCKED, BLOCKED_IDLY = 0.5, 0.03  # chance of being throttled by a module that fails, that is well
GLIMPSED = 0.1  # chance of a failure in the last two minutes, and no more than that, of a module that fails
CHANGED, CHANGED_IDLY = 0.4, 0.02  # chance of a new version shortly before the onset, for the root and otherwise
UNDECLARED = 0.15  # share of edges nobody declared: chance that a failure of everything shows where no edge leads
DEAREST = 15.0  # nats that one failure costs at most that nothing explains: what is well may not cost more than all do
SHARED = 0.98  # chance that what shares a broken thing fails

Hypothesis = str | Shared

_OWN_CODES = ("dns.", "tcp.", "tls.", "content.")
_OWN_STATUSES = frozenset({"http.500", "http.503", "http.429"})
_WAITING = ("http.502", "http.504", "upstream.")
_HUNG = ("http.ttfb_timeout", "http.slow_ttfb")  # what hangs by itself looks like what waits for it


def score(scene: Scene, hypothesis: Hypothesis, modules: Sequence[str]) -> float:
    """How likely a hypothesis makes what is seen of these ill modules, first to fail first, and of all it strikes."""
    asked = (hypothesis, tuple(modules), scene.beside)
    known = scene.scores.get(asked)
    if known is None:
        if isinstance(hypothesis, Shared):
            known = _score_of_shared(scene, hypothesis, modules)
        else:
            known = _score_of_module(scene, hypothesis, modules)
        scene.scores[asked] = known
    return known


def _score_of_module(scene: Scene, hypothesis: str, modules: Sequence[str]) -> float:
    spread = _spread(scene, hypothesis, modules[0])
    truth, explained = spread.truth, spread.explained(modules)
    hidden = UNDECLARED * (1 + len(explained)) / max(len(scene.graph.measured), 1)
    total = _of_root(scene, hypothesis) + spread.cost(modules) + _of_named(scene, truth, modules)
    needed = {need for need, _ in scene.needs(hypothesis)}
    strays = [id for id in modules if id not in truth]
    for id in strays:
        total += _of_stray(scene, id, modules[0], 0.0 if id in needed else hidden, id != strays[0])
    if hypothesis in scene.graph.gateways:
        total += sum(log(fit_of_gateway(scene.exhibits[id])) for id in explained)
    return total + _of_time(scene, hypothesis, explained)


def _score_of_shared(scene: Scene, shared: Shared, modules: Sequence[str]) -> float:
    """The same for a thing nobody sees. One without a name may strike any of all: chosen by the number it struck."""
    spread = _spread(scene, shared, modules[0])
    truth, total = spread.truth, spread.cost(modules)
    total += _of_named(scene, truth, modules)
    strays = [id for id in modules if id not in truth]
    total += sum(_of_stray(scene, id, modules[0], 0.0, id != strays[0]) for id in strays)
    tops = [scene.exhibits[id] for id in scene.tops(modules) if id in shared.reach]
    total -= sum(signature(one, False) for one in tops)  # what it strikes is no victim of another module
    if shared.kind != "unknown":
        return total + sum(log(fit(shared.kind, one)) for one in tops)
    well, k = scene.well, len(tops)
    return total + k * log(0.5) - log((well + k + 1) * comb(well + k, k))


@dataclass(frozen=True, slots=True)
class _Spread:
    """How truly each module fails under a hypothesis, what it costs that those which are well or not seen look as they
    do, and the same of each ill one that is reached."""

    truth: Mapping[str, float]
    others: float
    ill: Mapping[str, float]

    def cost(self, modules: Iterable[str]) -> float:
        """The cost of what is seen, of these ill modules and of everything that is not ill."""
        return self.others + sum(self.ill.get(id, 0.0) for id in modules)

    def explained(self, modules: Iterable[str]) -> list[str]:
        """Those of the ill modules that are reached."""
        return [id for id in modules if id in self.ill]


def _spread(scene: Scene, hypothesis: Hypothesis, earliest: str) -> _Spread:
    """Follows a failure along the graph to what tells anything, what is needed before what needs it; once for each
    hypothesis of a scene."""
    reach = hypothesis.reach if isinstance(hypothesis, Shared) else frozenset[str]()
    first = scene.onset(earliest) if reach else None
    asked = (reach or hypothesis, first)  # of several things that the same modules share one is followed
    known: _Spread | None = scene.spreads.get(asked)
    if known is not None:
        return known
    truth: dict[str, float] = {}
    if isinstance(hypothesis, Shared):
        telling = scene.telling if first is None else scene.telling_since(first)
        order = scene.graph.behind(reach & telling, telling)
    else:
        order, truth[hypothesis] = scene.telling_dependants(hypothesis), scene.share(hypothesis)
    others, ill, needs, states = 0.0, dict[str, float](), scene.graph.needs, scene.states
    hopeless = -DEAREST * (len(scene.ill) + 4)
    for id in order:
        spared = 1 - SHARED if id in reach else 1.0
        for need, chance in needs.get(id, ()):
            if need in truth:
                spared *= 1 - chance * truth[need]
        struck = 1 - spared
        if struck < NOTABLE:
            continue
        state = states[id]
        if state is State.UP:
            if first is not None and not scene.asked_since(id, first):
                truth[id] = struck  # it was well when it was asked last, before anything failed
                continue
            looks = spared + struck * MISS
            truth[id] = struck * MISS / looks
            others += log(looks)
            if others < hopeless:
                break
            continue
        truth[id], cost = _of_struck(scene, id, state, struck)
        if state in ILL:
            ill[id] = cost
        else:
            others += cost
    found = scene.spreads[asked] = _Spread(truth, others, ill)
    return found


def _of_struck(scene: Scene, id: str, state: State, struck: float) -> tuple[float, float]:
    """How truly a module fails that is struck with this chance and does not look well, and what that look costs."""
    match state:
        case State.FAILING | State.SUSPECT:
            stray = STRAY if state is State.FAILING else STRAY_SUSPECT
            seen = log(struck * (1 - MISS) + (1 - struck) * stray)
            return 1.0, seen + signature(scene.exhibits[id], False)
        case State.BLOCKED:
            chance = struck * BLOCKED + (1 - struck) * BLOCKED_IDLY
            return struck * BLOCKED / chance, log(chance)
        case State.GLIMPSED:
            odds = struck * GLIMPSED / scene.exhibits[id].idly + 1 - struck
            return 1 - (1 - struck) / odds, log(odds)
    return struck, 0.0


def _of_root(scene: Scene, root: str) -> float:
    """What is seen of the root itself: that it fails, that it looks well, that it just changed."""
    one, state = scene.exhibits.get(root), scene.state(root)
    if one is None:
        return log(MISS) if state is State.UP else 0.0
    total = {State.UP: log(MISS), State.BLOCKED: log(BLOCKED)}.get(state, 0.0)
    if state is State.GLIMPSED:
        total = log(GLIMPSED / one.idly)
    if state in ILL:
        total = log(1 - MISS) + signature_of_root(scene, root)
    return total + (log(CHANGED / CHANGED_IDLY) if one.changed else 0.0)


def _of_stray(scene: Scene, id: str, first: str, hidden: float, another: bool) -> float:
    """A coincidence, the first or another one, or by this chance an edge that nobody declared: never from what the root
    itself needs."""
    asked = (id, first, scene.beside)
    known = scene.strays.get(asked)
    if known is None:
        chances = (STRAY_SUSPECT, STRAY_SUSPECT)
        if scene.state(id) is not State.SUSPECT:
            apart = abs(scene.onset(id) - scene.onset(first))
            chance = STRAY_AT_ONCE if apart <= AT_ONCE else STRAY
            chance = min(chance * (1 + BESIDE * scene.beside), OFTEN / ONE_STRAY)
            chances = (ONE_STRAY * chance, chance)
        one = scene.exhibits[id]
        own = exp(signature(one, True))
        known = scene.strays[asked] = (chances[0] * own, chances[1] * own, exp(signature(one, False)))
    return log(known[another] + hidden * known[2])


def _of_named(scene: Scene, truth: Mapping[str, float], modules: Sequence[str]) -> float:
    """Answers that name a dependency, and answers that carry a code and do not."""
    total = 0.0
    for id in modules:
        one = scene.exhibits[id]
        for named, share in one.named.items():
            fails = truth.get(named, 0.0)
            total += share * log(fails * NAMED + (1 - fails) * MISNAMED)
        if one.quiet and not one.named:
            for need, _ in scene.graph.needs.get(id, ()):
                if need in scene.graph.signalled and truth.get(need, 0.0) > 0.5:
                    total += one.quiet * log(KEPT_QUIET)
    return total


def _of_time(scene: Scene, root: str, explained: Sequence[str]) -> float:
    if scene.state(root) not in ILL or not explained:
        return 0.0
    onsets = sorted(scene.onset(id).timestamp() for id in explained)
    half = len(onsets) // 2
    middle = onsets[half] if len(onsets) % 2 else (onsets[half - 1] + onsets[half]) / 2
    return -max(0.0, scene.onset(root).timestamp() - middle - SHUFFLED - scene.grace(root)) / LATE


def signature_of_root(scene: Scene, root: str) -> float:
    """How well the code of a module fits its being the root: a gateway that broke says no more than that it waits."""
    one = scene.exhibits[root]
    is_gateway = root in scene.graph.gateways and (one.code or "").startswith(_WAITING)
    return log(0.5) if is_gateway else signature(one, True)


def signature(one: Exhibit, root: bool) -> float:
    """How well a code fits a module that broke by itself, or one that only suffers."""
    chance = OWN if root else OWN_OF_VICTIM
    code = one.code or ""
    if code.startswith(_WAITING):
        return log(1 - chance)
    if code.startswith(_HUNG):
        return log(HUNG if root else HUNG_AS_VICTIM)
    return log(chance) if code.startswith(_OWN_CODES) or code in _OWN_STATUSES else log(0.5)
