"""Cause: our ranked, explained guess at what an incident comes from, and by what code.

`look` freezes what is known into exhibits, `explain` finds what hangs together and what broke first, and `cause_of`
puts it into the words of an incident: scope, root or shared thing, code, class, trigger and evidence.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import nsmallest

from monitor.core.board import Board
from monitor.core.codes import CODES, SLOW_CODES, CauseClass, code_of
from monitor.core.exhibit import Exhibit, State
from monitor.core.explain import JUST_BELOW, NAMED_AT, TOGETHER, Group, explain
from monitor.core.incident import Candidate, Cause, Evidence
from monitor.core.module import FAILING, Status
from monitor.core.observation import stamp
from monitor.core.probe import Probe, hosts_of
from monitor.core.routing import GONE
from monitor.core.signal import DEPENDENCY
from monitor.core.track import Sighting, Track

RECENT = timedelta(minutes=2)  # a module without a failure for so long is above suspicion
CHANGE_BEFORE = timedelta(minutes=15)  # a new version this long before the onset may have triggered it
CHANGE_AFTER = timedelta(seconds=30)  # … and is first seen this long after it at most, as probes are spread out
HASTE = timedelta(seconds=20)  # what began to fail this recently will soon be known better
IN_DOUBT = 2  # so many modules that a cause does not explain and that are just being asked again: it is not named yet
STABLE = 20.0  # how many times likelier another root must be once one is named: three nats
MOST_WEIGHED = 64  # modules among which the cause is looked for, however many fail
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
    incidents = [one.members for one in board.incidents.values() if one.is_open and not one.by_hand]
    together = [frozenset(m.module for m in members) for members in incidents]
    return explain(
        board.platform.graph,
        exhibits,
        state_of,
        together,
        lambda address: _well_at(board, address),
        lambda id, onset: _is_asked_since(board, id, onset),
    )


def look(
    board: Board, now: datetime, failing: Mapping[str, datetime], since: datetime, about: Iterable[str] = ()
) -> tuple[dict[str, Exhibit], Callable[[str], State]]:
    """What is known of the modules that anything is held against, and a quick answer for all others."""
    restless = {key[0] for key in board.restless}
    ill = {id for id, one in board.modules.items() if one.status is Status.DOWN or one.status is Status.DEGRADED}
    held = (restless | ill | set(failing)) & board.platform.modules.keys()
    weighed = held if len(held) <= MOST_WEIGHED else _foremost(board, held, failing, since) | (held & set(about))
    exhibits = {id: exhibit_of(board, id, now, failing.get(id)) for id in sorted(weighed)}

    def state_of(id: str) -> State:
        return State.UP if board.status(id) is Status.UP and id not in held else State.DARK

    return exhibits, state_of


def _foremost(board: Board, held: set[str], failing: Mapping[str, datetime], since: datetime) -> set[str]:
    """The first to fail about a moment or later, with what they need of the others: these tell what the cause is."""
    onsets = {id: one.since for id, one in board.modules.items() if one.status in FAILING} | dict(failing)
    for key in board.restless:
        if key[0] not in onsets and (bad_since := board.tracks[key].bad_since) is not None:
            onsets[key[0]] = bad_since
    begins = since - TOGETHER
    known = [(onset < begins, onset, id) for id in held if (onset := onsets.get(id)) is not None]
    found = {id for _, _, id in nsmallest(MOST_WEIGHED, known)}
    todo = list(found)
    while todo:
        for need, _ in board.platform.graph.needs.get(todo.pop(), ()):
            if need in held and need not in found:
                found.add(need)
                todo.append(need)
    return found


def _well_at(board: Board, address: str) -> frozenset[str]:
    """The modules that are well and were answered by an address when they were asked last."""
    deciding = {
        p.key for id in board.platform.modules if board.status(id) is Status.UP for p in board.platform.deciding(id)
    }
    return frozenset(
        key[0] for key, track in board.tracks.items() if track.good_address == address and key[:2] in deciding
    )


def _is_asked_since(board: Board, id: str, onset: datetime) -> bool:
    return any(track.good_streak and track.usable_at and track.usable_at >= onset for _, track in _tracks(board, id))


def exhibit_of(board: Board, id: str, now: datetime, failing_since: datetime | None = None) -> Exhibit:
    """What is known of one module; `failing_since` is its onset where an incident holds it already."""
    tracks = _tracks(board, id)
    state, onset = _state(board, id, tracks, now, failing_since)
    seen = _sightings(board, id, tracks, everyone=True)
    named: Counter[str] = Counter()
    quiet = 0
    for one in seen:
        modules = {module for code in one.names if (module := board.platform.named_by(code)) and module != id}
        named.update(modules)
        quiet += not modules and any(DEPENDENCY.fullmatch(code) for code in one.names)
    failing = {p.key: p for p, t in tracks if t.sightings or t.slow_sighting}
    coded, whole = max(sum(bool(one.names) for one in seen), 1), max(len(seen), 1)
    return Exhibit(
        module=id,
        state=state,
        onset=onset,
        code=code_seen(board, id),
        named={module: count / coded for module, count in sorted(named.items())},
        quiet=quiet / coded,
        backend=sum(one.backend for one in seen) / whole,
        hosts=tuple(dict.fromkeys(host for p in failing.values() if p.kind != "verdict" for host in hosts_of(p))),
        addresses=tuple(dict.fromkeys(one.address for one in seen if one.address)),
        certificate=next((one.certificate for one in seen if one.certificate), None),
        changed=onset is not None and _change(board, [id], onset) is not None,
    )


def _state(
    board: Board, id: str, tracks: Sequence[tuple[Probe, Track]], now: datetime, failing_since: datetime | None
) -> tuple[State, datetime | None]:
    condition = board.modules.get(id)
    if failing_since is not None:
        return State.FAILING, failing_since
    if condition is not None and condition.status in (Status.DOWN, Status.DEGRADED):
        return State.FAILING, condition.since
    suspected = _suspected_since(board, id)
    if suspected is not None:
        return State.SUSPECT, suspected
    if any(t.blocked_score and not _is_over(t.last_blocked_at, now) for _, t in tracks):
        return State.BLOCKED, None
    if board.status(id) is not Status.UP or not all(_is_over(t.last_bad_at, now) for _, t in tracks):
        return State.DARK, None
    return State.UP, None


def _suspected_since(board: Board, id: str) -> datetime | None:
    """Since when a module fails without being settled: twice at least, and at two failure domains where two look."""
    found: list[datetime] = []
    for probe in board.platform.deciding(id):
        failing = {
            place: track
            for place, track in board.tracks_of(*probe.key).items()
            if track.bad_since and not track.good_streak and not board.is_excluded(probe.key, place)
        }
        looking = {board.domain_of(place) for place in probe.locations}
        domains = {board.domain_of(place) for place in failing}
        if sum(map(_count, failing.values())) >= 2 and len(domains) >= min(2, len(looking)):
            found += [track.bad_since for track in failing.values() if track.bad_since]
    return min(found, default=None)


def _count(track: Track) -> int:
    return sum(count for _, count in track.codes)


def _is_over(at: datetime | None, now: datetime) -> bool:
    return at is None or now - at > RECENT


def _sightings(board: Board, id: str, tracks: Iterable[tuple[Probe, Track]], everyone: bool = False) -> list[Sighting]:
    """Failed runs of a module, else slow ones; with those of mere evidence beside them when `everyone` is heard."""
    found = list(tracks)
    if everyone and (module := board.platform.modules.get(id)):
        deciding = {p.key for p, _ in found}
        found += [(p, t) for p in module.probes if p.key not in deciding for t in board.tracks_of(*p.key).values()]
    seen = [one for _, track in found for one in track.sightings]
    return seen or [track.slow_sighting for _, track in found if track.slow_sighting]


def code_seen(board: Board, module: str) -> str | None:
    """The code most runs of a module failed with since its failures began; None when none is failing."""
    counts: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for probe in board.platform.deciding(module):
        for track in board.tracks_of(*probe.key).values():
            counts.update(dict(track.codes))
            if track.slow_sighting is not None and not track.codes:
                counts[track.slow_sighting.code] += 1
            if track.blocked_code is not None:
                refused[track.blocked_code] += max(track.blocked_streak, 1)
    return max(counts or refused, key=lambda code: (counts or refused)[code], default=None)


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
    group = _steady(board, group, previous, now)
    root = group.root
    onset = min((board.modules[id].since for id in group.modules if id in board.modules), default=None)
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
    if group.shared is not None and group.shared.kind != "unknown":
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


def _has_just_failed(track: Track, now: datetime) -> bool:
    return track.bad_since is not None and track.good_streak == 0 and now - track.bad_since <= HASTE


def _steady(board: Board, group: Group, previous: Cause | None, now: datetime) -> Group:
    """The group with the root that was named before, unless one can be named that is likelier by far, or that fails
    now and is needed by the other: a need that was seen late explains more than what was named for want of it."""
    named = previous.module if previous else None
    if named is None or group.root == named or group.shared is not None:
        return group
    own = dict(group.candidates).get(named, 0.0)
    found = group.root
    if found is not None and (group.confidence > STABLE * own or _is_needed(board, group, named, now)):
        return group
    sure = max(own, NAMED_AT)
    rest = [(id, chance * (1 - sure)) for id, chance in group.candidates if id != named]
    return replace(group, root=named, confidence=sure, candidates=((named, sure), *rest))


def _is_needed(board: Board, group: Group, named: str, now: datetime) -> bool:
    """Whether the root of a group is seen to fail now, and what was named before needs it and not the reverse."""
    root, graph = group.root, board.platform.graph
    if root is None or named not in graph.dependants(root) or root in graph.dependants(named):
        return False
    return any(not _is_over(track.last_bad_at, now) for _, track in _tracks(board, root))


def _code(board: Board, group: Group, previous: Cause | None) -> tuple[str, CauseClass]:
    """The code of an incident and its class: what the root shows; what names it; else what its victims show."""
    root = group.root
    if root is None and group.shared is None and group.candidates:
        seen = code_seen(board, group.candidates[0][0])
    else:
        seen = code_seen(board, root) if root is not None else None
    if root is not None and seen is None:
        names = {id for id in group.modules for one in _seen_by(board, id) for id in _named(board, one)}
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


def _seen_by(board: Board, id: str) -> list[Sighting]:
    return _sightings(board, id, _tracks(board, id))


def _tracks(board: Board, id: str) -> list[tuple[Probe, Track]]:
    return [(p, t) for p in board.platform.deciding(id) for t in board.tracks_of(*p.key).values()]


def _named(board: Board, sighting: Sighting) -> set[str]:
    return {module for code in sighting.names if (module := board.platform.named_by(code))}


def _trigger(board: Board, group: Group, onset: datetime | None) -> dict[str, str | None] | None:
    """The change of version that came shortly before: of the root, else of what it needs."""
    if onset is None:
        return None
    suspects = [group.root] if group.root else [id for id, _ in group.candidates[:1]] if not group.shared else []
    needs = [need for id in suspects for need, _ in board.platform.graph.needs.get(id, ())]
    return _change(board, suspects, onset) or _change(board, needs, onset)


def _change(board: Board, modules: Iterable[str], onset: datetime) -> dict[str, str | None] | None:
    """The newest change of version of any of these modules shortly before an onset."""
    found = [
        (version.since, key, version)
        for id in modules
        if id in board.platform.modules
        for probe in board.platform.modules[id].probes
        if (version := board.versions.get(key := probe.key)) is not None
        and version.before is not None
        and -CHANGE_AFTER <= onset - version.since <= CHANGE_BEFORE
    ]
    if not found:
        return None
    at, (module, _), version = max(found, key=lambda one: (one[0], one[1]))
    return {"kind": "version_change", "module": module, "from": version.before, "to": version.name, "at": stamp(at)}


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
                    names = sorted(_named(board, sighting) & set(first) - {id})
                    code = f"upstream.signalled:{names[0]}" if names else sighting.code
                    found.append(Evidence(sighting.at, id, probe.id, place, code, sighting.detail))
    found.sort(key=lambda one: (one.module not in first, one.at, one.module, one.probe, one.location))
    own = [one for one in found if one.module in first][:3]
    others: dict[str, Evidence] = {}
    for one in found:
        if one.module not in first:
            others.setdefault(one.module, one)
    rest = [one for one in found if one not in own and one not in others.values()]
    chosen = [*own, *others.values(), *rest][:8]
    return tuple(sorted(chosen, key=found.index))


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
