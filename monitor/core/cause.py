"""Cause: our ranked, explained guess at what an incident comes from, and by what code.

`look` (findings.py) freezes what is known into exhibits, `explain` finds what hangs together and what broke first, and
`cause_of` puts it into the words of an incident: scope, root or shared thing, code, class, trigger and evidence.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from monitor.core.board import Board
from monitor.core.codes import CODES, SLOW_CODES, CauseClass, code_of
from monitor.core.explain import JUST_BELOW, NAMED_AT, Group, explain
from monitor.core.findings import (
    answered_at,
    change_before,
    code_seen,
    is_asked_since,
    is_over,
    look,
    named_in,
    seen_by,
    tracks_of,
    well_at,
)
from monitor.core.graph import MEDIUM
from monitor.core.incident import Candidate, Cause, Evidence
from monitor.core.module import FAILING, Status
from monitor.core.shared import Shared
from monitor.core.track import GONE, Track

HASTE = timedelta(seconds=20)  # what began to fail this recently will soon be known better
UNHEARD = timedelta(seconds=60)  # … what it needs has so long to be asked since
DOUBT = timedelta(seconds=90)  # … and so long to be settled once it fails or is slow
OWN_WAY = ("dns.", "tcp.", "tls.")  # codes of the way to a module, on which nothing that it needs has a part
IN_DOUBT = 2  # so many modules that a cause does not explain and that are just being asked again: it is not named yet
PLENTY = 50  # so many modules that fail together: what a few more are in doubt about changes nothing
SURE = 0.95  # … and with so much it takes the place of a thing in common that was told
STABLE = 20.0  # how many times likelier another root must be once one is named: three nats
WITNESSES = 16  # modules whose sightings are looked through for evidence, the first to fail
ANSWERED = frozenset({CauseClass.UNKNOWN, CauseClass.DEPENDENCY, CauseClass.STALLED})  # a change explains these better

SHARED_CLASS = {
    "host": CauseClass.NETWORK,
    "address": CauseClass.NETWORK,
    "edge": CauseClass.NETWORK,
    "region": CauseClass.NETWORK,
    "certificate": CauseClass.CERTIFICATE,
    "dns_zone": CauseClass.DNS,
}


def groups_of(
    board: Board, now: datetime, failing: Mapping[str, datetime], since: datetime, about: Iterable[str] = ()
) -> list[Group]:
    """What fails now, by what it comes from. `failing` are modules of open incidents and their onsets. Of very many
    some are weighed only: those `about` which it is, and the first that began to fail about `since` or later."""
    exhibits, state_of = look(board, now, failing, since, about)
    answered = cache(lambda id: answered_at(board, id))  # of thousands, for one onset after the other
    incidents = [one.members for one in board.incidents.values() if one.is_open and not one.by_hand]
    together = [frozenset(m.module for m in members) for members in incidents]
    return explain(
        board.platform.graph,
        exhibits,
        state_of,
        together,
        lambda address: well_at(board, address),
        lambda id, onset: (at := answered(id)) is not None and at >= onset,
    )


def cause_of(board: Board, group: Group, previous: Cause | None, now: datetime) -> Cause:
    """The cause of a group. Facts that have passed, and a root that was named, are taken from the previous guess; one
    that a person confirmed only gains evidence, and so does one that extra runs may change in a moment."""
    if previous is not None and previous.state == "confirmed":
        named = [previous.module] if previous.module else []
        return replace(previous, evidence=evidence_of(board, named, group.modules, previous.evidence))
    if _is_hasty(board, group, previous, now):
        if previous is not None:
            return replace(previous, evidence=evidence_of(board, [], group.modules, previous.evidence))
        told = tuple((id, min(chance, JUST_BELOW)) for id, chance in group.candidates)
        group = replace(group, root=None, shared=None, confidence=min(group.confidence, JUST_BELOW), candidates=told)
    graph = board.platform.graph
    group = _steady(board, _still_shared(group, previous), previous, now)
    root = group.root
    onset = min((began for id in group.modules if (began := _began(board, id))), default=None)
    code, cls = _code(board, group, previous)
    shared = group.shared
    if root is not None and root in graph.gateways and code != "content.maintenance":
        cls = CauseClass.NETWORK
    elif shared is not None:
        cls = SHARED_CLASS.get(shared.kind, cls)
    trigger = _trigger(board, group, onset) or (previous.trigger if previous else None)
    if trigger is not None and trigger.get("kind") == "version_change" and (cls in ANSWERED or code == "http.503"):
        cls = CauseClass.DEPLOY
    first = [root] if root else [id for id, _ in group.candidates[:1]]
    evidence = evidence_of(board, first, group.modules, previous.evidence if previous else ())
    scope = "module" if root is not None else "shared" if shared is not None else "unknown"
    return Cause(
        scope=scope,
        module=root,
        candidates=tuple(Candidate(id, round(chance, 2)) for id, chance in group.candidates),
        code=code,
        cls=cls,
        confidence=round(group.confidence, 2),
        state="suspected",
        shared=None
        if shared is None
        else {
            "kind": shared.kind,
            "value": shared.value,
            "modules": [id for id in group.modules if id in shared.reach],
        },
        trigger=trigger,
        evidence=evidence,
        platform_reports=previous.platform_reports if previous else None,
    )


def _is_hasty(board: Board, group: Group, previous: Cause | None, now: datetime) -> bool:
    """Whether several modules that what is to be named would not explain have just begun to fail, and are being asked
    again. What is named already, or can be seen in the failures themselves, waits for nobody."""
    if previous is not None and previous.module == group.root is not None:
        return False
    if _awaits_needs(board, group, now):
        return True
    if group.shared is not None and (group.shared.kind != "unknown" or len(group.modules) >= PLENTY):
        return False
    explained = {*board.platform.graph.dependants(group.root), group.root} if group.root else set()
    if group.shared is not None and (previous is None or previous.module is None):
        explained = set(group.modules)
    doubtful = {
        key[0]
        for key in board.restless
        if key[0] not in explained and board.status(key[0]) not in FAILING and _has_just_failed(board.tracks[key], now)
    }
    return len(doubtful) >= IN_DOUBT


def _awaits_needs(board: Board, group: Group, now: datetime) -> bool:
    """Whether something that the root needs is in doubt as well, or has not been asked since: what looks like the root
    may only be the first to show it. A failure on the way to a module is its own."""
    root, onset = group.root, None if group.root is None else _onset(board, group.root)
    if root is None or onset is None or (code_seen(board, root) or "").startswith(OWN_WAY):
        return False
    graph = board.platform.graph
    needs = [need for need, chance in graph.needs.get(root, ()) if chance >= MEDIUM and need in graph.measured]
    return any(
        any(_is_in_doubt(track, now) for _, track in tracks_of(board, need))
        or (now - onset <= UNHEARD and not is_asked_since(board, need, onset))
        for need in needs
        if need not in group.modules and board.status(need) is Status.UP
    )


def _is_in_doubt(track: Track, now: datetime) -> bool:
    """Whether the newest runs failed or were slow, and it is not settled yet what that means."""
    failing, slow = track.bad_since and not track.good_streak, track.slow_score and not track.brisk_streak
    since = track.bad_since if failing else track.slow_since if slow else None
    return since is not None and now - since <= DOUBT


def _began(board: Board, module: str) -> datetime | None:
    """Since when a module fails, settled or not; never since when it was well."""
    condition = board.modules.get(module)
    return condition.since if condition is not None and condition.status in FAILING else _onset(board, module)


def _onset(board: Board, module: str) -> datetime | None:
    return min((track.bad_since for _, track in tracks_of(board, module) if track.bad_since), default=None)


def _has_just_failed(track: Track, now: datetime) -> bool:
    return track.bad_since is not None and track.good_streak == 0 and now - track.bad_since <= HASTE


def _still_shared(group: Group, previous: Cause | None) -> Group:
    """The group with the thing in common that was told before, unless a module is surely the cause or another thing
    reaches more of what fails: what is just being asked again comes and goes. What has joined since counts for both,
    and one that can be named is worth more than one that cannot."""
    told = previous.shared if previous is not None else None
    if previous is None or told is None or (group.root is not None and group.confidence >= SURE):
        return group
    its, found = (told["kind"], told["value"]), group.shared
    joined = (thing.reach for thing in group.things if (thing.kind, thing.value) == its)
    reach = frozenset(told["modules"]).union(*joined).intersection(group.modules)
    reached = len(found.reach.intersection(group.modules)) if found is not None else 0
    same = found is not None and (found.kind, found.value) == its
    if same or not reach or reached > len(reach) or (told["kind"] == "unknown" and reached == len(reach)):
        return group
    thing = Shared(told["kind"], told["value"], reach)
    return replace(group, root=None, shared=thing, confidence=previous.confidence)


def _steady(board: Board, group: Group, previous: Cause | None, now: datetime) -> Group:
    """The group with the root that was named before, unless one can be named that is likelier by far, or that fails
    now and is needed by the other: a need that was seen late explains more than what was named for want of it."""
    named = previous.module if previous else None
    if named is None or group.root == named:
        return group
    own = dict(group.candidates).get(named, 0.0)
    if group.shared is not None and group.confidence > STABLE * own:
        return group
    found = group.root
    if found is not None and (group.confidence > STABLE * own or _is_needed(board, group, named, now)):
        return group
    sure = max(own, NAMED_AT)
    rest = [(id, chance * (1 - sure)) for id, chance in group.candidates if id != named]
    return replace(group, root=named, shared=None, confidence=sure, candidates=((named, sure), *rest))


def _is_needed(board: Board, group: Group, named: str, now: datetime) -> bool:
    """Whether the root of a group is seen to fail now, and what was named before needs it and not the reverse."""
    root, graph = group.root, board.platform.graph
    if root is None or named not in graph.dependants(root) or root in graph.dependants(named):
        return False
    return any(not is_over(track.last_bad_at, now) for _, track in tracks_of(board, root))


def _code(board: Board, group: Group, previous: Cause | None) -> tuple[str, CauseClass]:
    """The code of an incident and its class: what the root shows; what names it; else what its victims show."""
    root = group.root
    if root is None and group.shared is None and group.candidates:
        seen = code_seen(board, group.candidates[0][0])
    else:
        seen = code_seen(board, root) if root is not None else None
    if root is not None and seen is None:
        names = {id for id in group.modules for one in seen_by(board, id) for id in named_in(board, one)}
        inferred = f"upstream.{'signalled' if root in names else 'inferred'}:{root}"
        if previous is None or previous.module != root:
            return inferred, CauseClass.DEPENDENCY
    if seen is None and root is None:
        counts = Counter(code for id in group.modules if (code := code_seen(board, id)))
        seen = max(counts, key=lambda code: counts[code], default=None)
    if previous is not None and (seen is None or (seen in SLOW_CODES and previous.module == root)):
        seen = previous.code  # slowness after an outage is its tail, not another cause
    seen = seen or "http.500"
    if seen in GONE:  # a cause only where many are gone together
        return seen, CauseClass.DEPLOY
    return seen, code_of(seen).cls if seen.partition(":")[0] in CODES else CauseClass.UNKNOWN


def _trigger(board: Board, group: Group, onset: datetime | None) -> dict[str, str | None] | None:
    """The change of version that came shortly before: of the root, else of what it needs."""
    if onset is None:
        return None
    suspects = [group.root] if group.root else [id for id, _ in group.candidates[:1]] if not group.shared else []
    needs = [need for id in suspects for need, _ in board.platform.graph.needs.get(id, ())]
    return change_before(board, suspects, onset) or change_before(board, needs, onset)


def evidence_of(
    board: Board, first: Sequence[str], modules: Sequence[str], known: Sequence[Evidence] = ()
) -> tuple[Evidence, ...]:
    """Up to eight sightings of the failing modules: three of the likeliest root, then one of each other in order of
    time. What was `known` before stays; an answer that names the root is evidence of that."""
    found = list(known)
    for id in dict.fromkeys([*first, *modules[:WITNESSES]]):
        if any(one.module == id for one in known):
            continue
        for probe in board.platform.deciding(id):
            for place, track in board.tracks_of(*probe.key).items():
                seen = track.sightings or ((track.slow_sighting,) if track.slow_sighting else ())
                for sighting in seen:
                    names = sorted(named_in(board, sighting) & set(first) - {id})
                    code = f"upstream.signalled:{names[0]}" if names else sighting.code
                    found.append(Evidence(sighting.at, id, probe.id, place, code, sighting.detail))
    found.sort(key=lambda one: (one.module not in first, one.at, one.module, one.probe, one.location))
    own = [index for index, one in enumerate(found) if one.module in first][:3]
    firsts: dict[str, int] = {}
    for index, one in enumerate(found):
        if one.module not in first:
            firsts.setdefault(one.module, index)
    chosen = islice(dict.fromkeys([*own, *firsts.values(), *range(len(found))]), 8)
    return tuple(found[index] for index in sorted(chosen))


def same_guess(one: Cause, other: Cause) -> bool:
    """Whether two guesses say the same to a reader."""
    return _gist(one) == _gist(other)


def _gist(cause: Cause) -> tuple[object, ...]:
    shared = cause.shared or {}
    likely = frozenset(cause.likely) if cause.scope == "unknown" else frozenset()
    return (cause.scope, cause.module, cause.code, shared.get("kind"), shared.get("value"), likely, bool(cause.trigger))


def is_fresh(opened_at: datetime, now: datetime) -> bool:
    """Whether an incident is young enough for its cause to follow the evidence (five minutes)."""
    return (now - opened_at).total_seconds() <= 300
