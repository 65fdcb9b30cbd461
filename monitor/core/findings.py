"""Findings: what is known of the modules now, frozen into the exhibits that `explain` weighs.

What only the tracks of a module tell is worked out once for each state of them: while many fail, most do not change
from one step to the next.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from heapq import nsmallest
from math import exp, log
from operator import is_
from typing import Any

from monitor.core.anew import replace
from monitor.core.board import Board
from monitor.core.exhibit import Exhibit, State
from monitor.core.explain import TOGETHER
from monitor.core.module import FAILING, Status
from monitor.core.observation import stamp
from monitor.core.probe import Probe, hosts_of
from monitor.core.signal import DEPENDENCY
from monitor.core.track import Sighting, Track

RECENT = timedelta(minutes=2)  # a module without a failure for so long is above suspicion
CHANGE_BEFORE = timedelta(minutes=15)  # a new version this long before the onset may have triggered it
CHANGE_AFTER = timedelta(seconds=30)  # … and is first seen this long after it at most, as probes are spread out
LEAST_IDLE = 0.02  # chance of a failure in that time though all is well, at least
MOST_WEIGHED = 64  # modules among which the cause is looked for, however many fail; as many of open incidents …
EACH_WEIGHED = 8  # … of each so many

Seen = tuple[Probe, Track]


def look(
    board: Board, now: datetime, failing: Mapping[str, datetime], since: datetime, about: Iterable[str] = ()
) -> tuple[dict[str, Exhibit], Callable[[str], State]]:
    """What is known of the modules that anything is held against, and a quick answer for all others."""
    restless = {key[0] for key in board.restless}
    ill = {id for id, one in board.modules.items() if one.status is Status.DOWN or one.status is Status.DEGRADED}
    held = (restless | ill | set(failing)) & board.platform.modules.keys()
    weighed = held if len(held) <= MOST_WEIGHED else _foremost(board, held, failing, since) | (held & set(about))
    exhibits = {id: exhibit_of(board, id, now, failing.get(id)) for id in sorted(weighed)}

    well = {id for id, one in board.modules.items() if one.status is Status.UP} - held

    def state_of(id: str) -> State:
        return State.UP if id in well else State.DARK

    return exhibits, state_of


def _foremost(board: Board, held: set[str], failing: Mapping[str, datetime], since: datetime) -> set[str]:
    """The first to fail about a moment or later, those of each open incident, and what they need of the others: these
    tell what the cause is, and what belongs to which incident."""
    onsets = {id: one.since for id, one in board.modules.items() if one.status in FAILING} | dict(failing)
    for key in board.restless:
        if key[0] not in onsets and (bad_since := board.tracks[key].bad_since) is not None:
            onsets[key[0]] = bad_since
    begins = since - TOGETHER
    known = [(onset < begins, onset, id) for id in held if (onset := onsets.get(id)) is not None]
    found = {id for _, _, id in nsmallest(MOST_WEIGHED, known)} | (_of_incidents(board, failing, begins) & held)
    todo = list(found)
    while todo:
        for need, _ in board.platform.graph.needs.get(todo.pop(), ()):
            if need in held and need not in found:
                found.add(need)
                todo.append(need)
    return found


def _of_incidents(board: Board, failing: Mapping[str, datetime], begins: datetime) -> set[str]:
    """Of each open incident the first to fail: extra runs settle some long before those that failed first of all."""
    ranked: list[tuple[int, datetime, str]] = []
    for incident in board.incidents.values():
        if incident.is_open and not incident.by_hand:
            known = ((onset, m.module) for m in incident.members if (onset := failing.get(m.module)) is not None)
            first = nsmallest(EACH_WEIGHED, (one for one in known if one[0] >= begins))
            ranked += ((rank, onset, id) for rank, (onset, id) in enumerate(first))
    return {id for *_, id in nsmallest(MOST_WEIGHED, ranked)}


def well_at(board: Board, address: str) -> frozenset[str]:
    """The modules that are well and were answered by an address when they were asked last."""
    well = {id for id, one in board.modules.items() if one.status is Status.UP}
    there = {key for key, track in board.tracks.items() if track.good_address == address and key[0] in well}
    return frozenset(key[0] for key in there if key[:2] in board.platform.decisive)


def answered_at(board: Board, id: str) -> datetime | None:
    """When a module answered last, of the places that see it well by now."""
    latest = None
    for probe in board.platform.deciding(id):
        for place in probe.locations:
            track = board.tracks.get((id, probe.id, place))
            if track is not None and track.good_streak and track.usable_at:
                latest = track.usable_at if latest is None else max(latest, track.usable_at)
    return latest


def is_asked_since(board: Board, id: str, onset: datetime) -> bool:
    """Whether a module has answered well since a moment."""
    at = answered_at(board, id)
    return at is not None and at >= onset


def exhibit_of(board: Board, id: str, now: datetime, failing_since: datetime | None = None) -> Exhibit:
    """What is known of one module; `failing_since` is its onset where an incident holds it already."""
    deciding = tracks_of(board, id)
    state, onset = _state(board, id, deciding, now, failing_since)
    changed = onset is not None and change_before(board, [id], onset) is not None
    seen = _seen_of(board, id, deciding)
    coded = [one for one in _sightings(_everyone(board, id, deciding)) if one.names]
    if coded:
        seen = replace(seen, **_naming(board, id, coded))
    return replace(seen, state=state, onset=onset, changed=changed)


def _naming(board: Board, id: str, coded: Sequence[Sighting]) -> dict[str, Any]:
    """Whom the error codes of failing answers name, and how many name nobody. What was said of a module before it
    recovered is over."""
    named: Counter[str] = Counter()
    quiet = 0
    for one in coded:
        modules = named_in(board, one) - {id}
        named.update(module for module in modules if not _is_well_since(board, module, one.at))
        quiet += not modules and any(DEPENDENCY.fullmatch(code) for code in one.names)
    return {
        "named": {module: count / len(coded) for module, count in sorted(named.items())},
        "quiet": quiet / len(coded),
    }


def _is_well_since(board: Board, module: str, at: datetime) -> bool:
    condition = board.modules.get(module)
    return condition is not None and condition.status is Status.UP and condition.since > at


def _seen_of(board: Board, id: str, deciding: Sequence[Seen]) -> Exhibit:
    """What the tracks of a module alone tell of it."""
    everyone = _everyone(board, id, deciding)
    tracks = [track for _, track in everyone]
    known: tuple[list[Track], Exhibit] | None = board.platform.findings.get(id)
    if known is not None and len(known[0]) == len(tracks) and all(map(is_, known[0], tracks)):
        return known[1]
    seen = _sightings(everyone)
    failing = {p.key: p for p, t in deciding if t.sightings or t.slow_sighting}
    found = Exhibit(
        module=id,
        state=State.DARK,
        code=_code_of(track for _, track in deciding),
        backend=sum(one.backend for one in seen) / max(len(seen), 1),
        hosts=tuple(dict.fromkeys(host for p in failing.values() if p.kind != "verdict" for host in hosts_of(p))),
        addresses=tuple(dict.fromkeys(one.address for one in seen if one.address)),
        certificate=next((one.certificate for one in seen if one.certificate), None),
        fitful=any(track.partial_good for _, track in deciding),
        idly=max(LEAST_IDLE, 1 - exp(sum(log(1 - t.noise) * (RECENT / p.interval) for p, t in deciding))),
    )
    board.platform.findings[id] = tracks, found
    return found


def _everyone(board: Board, id: str, deciding: Sequence[Seen]) -> Sequence[Seen]:
    """The deciding tracks of a module, and those of mere evidence beside them."""
    module = board.platform.modules.get(id)
    keys = {p.key for p, _ in deciding}
    others = [p for p in module.probes if p.key not in keys] if module is not None else []
    return [*deciding, *((p, t) for p in others for t in board.tracks_of(*p.key).values())] if others else deciding


def _state(
    board: Board, id: str, tracks: Sequence[Seen], now: datetime, failing_since: datetime | None
) -> tuple[State, datetime | None]:
    condition = board.modules.get(id)
    if failing_since is not None:
        return State.FAILING, failing_since
    if condition is not None and condition.status in (Status.DOWN, Status.DEGRADED):
        return State.FAILING, condition.since
    suspected = _suspected_since(board, id)
    if suspected is not None:
        return State.SUSPECT, suspected
    if any(t.blocked_score and not is_over(t.last_blocked_at, now) for _, t in tracks):
        return State.BLOCKED, None
    if board.status(id) is not Status.UP:
        return State.DARK, None
    if not all(is_over(t.last_bad_at, now) and (not t.slow_score or is_over(t.last_slow_at, now)) for _, t in tracks):
        return State.GLIMPSED, None
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


def is_over(at: datetime | None, now: datetime) -> bool:
    """Whether a failure is too long ago to be held against its module."""
    return at is None or now - at > RECENT


def _sightings(tracks: Iterable[Seen]) -> list[Sighting]:
    """Failed runs, else slow ones."""
    seen = [one for _, track in tracks for one in track.sightings]
    return seen or [track.slow_sighting for _, track in tracks if track.slow_sighting]


def code_seen(board: Board, module: str) -> str | None:
    """The code most runs of a module failed with since its failures began; None when none is failing."""
    return _code_of(track for _, track in tracks_of(board, module))


def _code_of(tracks: Iterable[Track]) -> str | None:
    counts: dict[str, int] = {}
    refused: dict[str, int] = {}
    for track in tracks:
        for code, count in track.codes:
            counts[code] = counts.get(code, 0) + count
        if track.slow_sighting is not None and not track.codes:
            counts[track.slow_sighting.code] = counts.get(track.slow_sighting.code, 0) + 1
        if track.blocked_code is not None:
            refused[track.blocked_code] = refused.get(track.blocked_code, 0) + max(track.blocked_streak, 1)
    found = counts or refused
    return max(found, key=found.__getitem__, default=None)


def tracks_of(board: Board, id: str) -> list[Seen]:
    """The tracks that decide of a module, each with its probe."""
    return [(p, t) for p in board.platform.deciding(id) for t in board.tracks_of(*p.key).values()]


def named_in(board: Board, sighting: Sighting) -> set[str]:
    """The modules that the error codes of an answer name."""
    return {module for code in sighting.names if (module := board.platform.named_by(code))}


def seen_by(board: Board, id: str) -> list[Sighting]:
    """What the probes that decide of a module saw of its failures."""
    return _sightings(tracks_of(board, id))


def change_before(board: Board, modules: Iterable[str], onset: datetime) -> dict[str, str | None] | None:
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
