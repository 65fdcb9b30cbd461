"""Cause: our ranked, explained guess at which module an incident comes from, and by what code.

The guess is the deepest failing module of the graph: one that fails while nothing it depends on does. It stands
behind one function, `suspect`, so that a better score can take its place without anybody else noticing.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from monitor.core.board import Board
from monitor.core.codes import SLOW_CODES, code_of
from monitor.core.incident import Candidate, Cause, Evidence, Member

NAMED_AT = 0.8  # below this confidence the candidates are told, not a root
SURE = 0.9
WITNESSES = 16  # modules whose sightings are looked through for evidence, the first to fail


def suspect(board: Board, members: Sequence[Member], previous: Cause | None) -> Cause:
    """The cause of what these members show now. Facts that have passed are taken from the previous guess."""
    failing = [member for member in members if member.until is None] or list(members)
    names = {member.module for member in failing}
    onset = {member.module: member.since for member in failing}
    needs = {name: board.platform.needs(name) & names for name in names}
    deepest = [name for name in names if all(name in needs[other] for other in needs[name])]  # a cycle is one node
    deepest.sort(key=lambda name: (onset[name], name))
    confidence = round(SURE / len(deepest), 2)
    named = deepest[0] if confidence >= NAMED_AT else None
    code = code_seen(board, deepest[0])
    if previous is not None and (code is None or (code in SLOW_CODES and previous.module == named)):
        code = previous.code  # slowness after an outage is its tail, not another cause
    code = code or "http.500"
    first = sorted(names, key=lambda name: (onset[name], name))[:WITNESSES]
    evidence = evidence_of(board, deepest[0], {deepest[0], *first}) or (previous.evidence if previous else ())
    return Cause(
        scope="module" if named else "unknown",
        module=named,
        candidates=tuple(Candidate(name, confidence) for name in deepest),
        code=code,
        cls=code_of(code).cls,
        confidence=confidence,
        state=previous.state if previous and previous.module == named else "suspected",
        evidence=evidence,
    )


def code_seen(board: Board, module: str) -> str | None:
    """The code most runs of a module failed with since its failures began; None when none is failing."""
    counts: Counter[str] = Counter()
    for probe in board.platform.modules[module].probes if module in board.platform.modules else ():
        if probe.role == "verdict":
            for track in board.tracks_of(*probe.key).values():
                counts.update(dict(track.codes))
                if track.slow_sighting is not None and not track.codes:
                    counts[track.slow_sighting.code] += 1
    return max(counts, key=lambda code: counts[code]) if counts else None


def evidence_of(board: Board, root: str, modules: set[str]) -> tuple[Evidence, ...]:
    """Up to eight sightings of the failing modules: those of the root first, then in order of time."""
    found: list[tuple[bool, datetime, str, str, str, str, str]] = []
    probes = [p for id in modules if id in board.platform.modules for p in board.platform.modules[id].probes]
    for probe in probes:
        for location, track in board.tracks_of(*probe.key).items():
            seen = track.sightings or ((track.slow_sighting,) if track.slow_sighting else ())
            found += [(probe.module != root, s.at, *probe.key, location, s.code, s.detail) for s in seen]
    return tuple(Evidence(*facts) for facts in (one[1:] for one in sorted(found)[:8]))


def same_guess(one: Cause, other: Cause) -> bool:
    """Whether two guesses say the same to a reader."""
    return (one.module, one.code, one.candidates) == (other.module, other.code, other.candidates)


def is_fresh(opened_at: datetime, now: datetime) -> bool:
    """Whether an incident is young enough for its cause to follow the evidence (five minutes)."""
    return (now - opened_at).total_seconds() <= 300
