"""Region: trouble that only one failure domain sees. One incident of the place, without modules.

A wall that refuses one address, a limit on it, or a broken path there says nothing about the modules: their status is
what the other places see, and the place has no say in it until it has recovered.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core import vantage
from monitor.core.board import Board, Regional
from monitor.core.codes import code_of
from monitor.core.effect import Saved
from monitor.core.incident import Cause, Change, Evidence, Incident, Stage, Update, key_of, with_update
from monitor.core.module import Priority, Status
from monitor.core.standing import open_ones, relapsed, save
from monitor.core.track import CAP, Track, is_bad, is_blocked

UNBROKEN = timedelta(seconds=60)  # one probe that fails at one domain alone for so long is regional
WINDOW = timedelta(seconds=60)  # … or several modules, each with several failures in this time
MODULES, FAILURES = 3, 3
GRACE = timedelta(seconds=5)  # by which runs of a grid are late
ENDS = timedelta(minutes=2)  # after the evidence does

TROUBLE = (Status.DOWN, Status.DEGRADED)

Key = tuple[str, str, str]


def watch(board: Board, now: datetime) -> tuple[Board, list[Saved]]:
    """Looks at every domain for trouble of its own: notes it, opens, keeps and ends its incident."""
    board = _recalled(board, now)
    domains = set(board.platform.locations.values())
    if not board.regional and (len(domains) < 2 or not board.restless):
        return board, []
    saved: list[Saved] = []
    for domain in sorted(domains | set(board.regional)):
        found = _found(board, domain, now) if len(domains) > 1 else None
        known = board.regional.get(domain)
        if found is None and known is None:
            continue
        if found is not None:
            if known is not None:
                found = replace(found, since=min(known.since, found.since), probes=found.probes | known.probes)
            board = replace(board, regional={**board.regional, domain: found})
            board, more = _keep_open(board, found, now)
        elif known is not None and not _is_heard(board, domain):  # what is not heard of has not ended
            board, more = replace(board, regional={**board.regional, domain: replace(known, seen_at=now)}), []
        elif known is not None and now - known.seen_at >= ENDS:
            board = replace(board, regional={k: v for k, v in board.regional.items() if k != domain})
            board, more = _end(board, known, now)
        else:
            more = []
        saved += more
    return board, saved


def _is_heard(board: Board, domain: str) -> bool:
    """Whether any place of a domain is heard of."""
    places = [place for place, its in board.platform.locations.items() if its == domain]
    return not places or any(vantage.is_heard(board, place) for place in places)


def _recalled(board: Board, now: datetime) -> Board:
    """The board with the trouble of every open incident of a place, also after a restart: it ends with its evidence."""
    for incident in board.incidents.values():
        if incident.is_open and incident.is_regional:
            domain = board.domain_of(incident.cause.locations[0])
            if domain not in board.regional:
                found = Regional(incident.cause.locations, frozenset(), incident.started_at, now, incident.cause.code)
                board = replace(board, regional={**board.regional, domain: found})
    return board


def _found(board: Board, domain: str, now: datetime) -> Regional | None:
    """The trouble that this domain alone sees at the moment."""
    alone: list[tuple[Key, Track]] = []
    worked_on = board.maintained if board.agenda.going_on else ()
    known = board.regional[domain].probes if domain in board.regional else ()
    for key in board.restless:
        if key[0] in worked_on and key[:2] not in known:
            continue  # it comes from the work, unless it was there before
        track = board.tracks[key]
        place = board.vantages.get(key[2])
        if board.domain_of(key[2]) != domain or (place is not None and (place.blind_since or place.stale_since)):
            continue
        if _may_be_regional(board, key, track, now) and _well_elsewhere(board, key, domain, now):
            alone.append((key, track))
    if not alone:
        return None
    long = [(key, track) for key, track in alone if _has_lasted(track, now)]
    often = [(key, track) for key, track in alone if _often(board, key, track)]
    enough = often if len({key[0] for key, _ in often}) >= MODULES else []
    proof = dict([*long, *enough])
    if not proof:
        return None
    codes = Counter(track.last.code for track in proof.values() if track.last and track.last.code)
    return Regional(
        locations=tuple(sorted({key[2] for key in proof})),
        probes=frozenset(key[:2] for key, _ in alone),
        since=min(_since(track) for track in proof.values()),
        seen_at=now,
        code=max(sorted(codes), key=lambda code: codes[code], default="tcp.timeout"),
    )


def _may_be_regional(board: Board, key: Key, track: Track, now: datetime) -> bool:
    """Whether a probe's newest run there failed or was refused, while the probe itself is not in trouble."""
    condition = board.probes.get(key[:2])
    if key[:2] not in board.platform.judged or (condition is not None and condition.status in TROUBLE):
        return False
    if track.last_at is None or now - track.last_at > _patience(board, key[:2]):
        return False
    return track.last is not None and (is_bad(track.last) or is_blocked(track.last))


def _has_lasted(track: Track, now: datetime) -> bool:
    """Whether the failures have reached their cap and gone on without a break for long enough."""
    return track.score >= CAP and track.raw_bad_since is not None and track.raw_bad_since <= now - UNBROKEN


def _since(track: Track) -> datetime:
    """When the present run of failures or refusals began."""
    refused = track.last is not None and is_blocked(track.last)
    began = track.blocked_since if refused else track.raw_bad_since or track.bad_since
    assert began is not None
    return began


def _patience(board: Board, key: tuple[str, str]) -> timedelta:
    """How long a run speaks of the present."""
    return board.platform.tuning.fresh_for(board.platform.judged[key])


def _often(board: Board, key: Key, track: Track) -> bool:
    """Whether a probe failed or was refused at least three times in a row within the last minute's worth of runs."""
    failures = max(sum(count for _, count in track.codes), track.blocked_streak)
    last = max(at for at in (track.last_bad_at, track.last_blocked_at) if at is not None)
    window = max(WINDOW, 2 * board.platform.judged[key[:2]].interval) + GRACE
    return failures >= FAILURES and (last - _since(track) <= window or failures > FAILURES)


def _well_elsewhere(board: Board, key: Key, domain: str, now: datetime) -> bool:
    """Whether every other domain that has anything to say sees the same probe well."""
    fresh = _patience(board, key[:2])
    seen = 0
    for place, track in board.tracks_of(*key[:2]).items():
        if board.domain_of(place) == domain or track.last_at is None or now - track.last_at > fresh:
            continue
        if track.score or track.blocked_score or track.good_since is None:
            return False
        seen += 1
    return seen > 0


def _open_one(board: Board, locations: Iterable[str]) -> Incident | None:
    wanted = set(locations)
    found = [i for i in board.incidents.values() if i.is_regional and wanted & set(i.cause.locations)]
    return max(found, key=lambda one: (one.is_open, one.detected_at, one.key), default=None)


def _keep_open(board: Board, regional: Regional, now: datetime) -> tuple[Board, list[Saved]]:
    incident = _open_one(board, regional.locations)
    if incident is not None and incident.is_open:
        locations = tuple(sorted({*incident.cause.locations, *regional.locations}))
        if locations == incident.cause.locations:
            return board, []
        return save(board, replace(incident, cause=replace(incident.cause, locations=locations)), None, now)
    if open_ones(board):
        return board, []  # partial outages look regional by chance
    if incident is not None and incident.resolved_at and now - incident.resolved_at <= board.platform.tuning.reopen:
        update = Update(now, Stage.IDENTIFIED, "reopened", {"code": incident.cause.code})
        return save(board, relapsed(board, with_update(incident, update)), Change.REOPENED, now)
    return save(board, _opened(board, regional, now), Change.OPENED, now)


def _opened(board: Board, regional: Regional, now: datetime) -> Incident:
    cause = Cause(
        scope="location",
        module=None,
        candidates=(),
        code=regional.code,
        cls=code_of(regional.code).cls,
        confidence=0.9,
        locations=regional.locations,
        evidence=_evidence(board, regional),
    )
    incident = Incident(
        key=key_of(regional.locations[0], regional.since),
        started_at=regional.since,
        detected_at=now,
        published_at=None,
        stage=Stage.IDENTIFIED,
        impact="minor",
        priority=Priority.LOW,
        cause=cause,
        members=(),
    )
    return with_update(incident, Update(now, Stage.IDENTIFIED, "opened", {"code": regional.code}))


def _evidence(board: Board, regional: Regional) -> tuple[Evidence, ...]:
    found: list[Evidence] = []
    for module, probe in sorted(regional.probes):
        for place in regional.locations:
            track = board.tracks.get((module, probe, place))
            if track is None:
                continue
            found += [Evidence(one.at, module, probe, place, one.code, one.detail) for one in track.sightings[:1]]
            if track.blocked_since is not None and track.blocked_code is not None:
                detail = "; ".join(track.last.reasons) if track.last else ""
                found.append(Evidence(track.blocked_since, module, probe, place, track.blocked_code, detail))
    return tuple(sorted(found, key=lambda one: (one.at, one.module, one.probe))[:8])


def _end(board: Board, regional: Regional, now: datetime) -> tuple[Board, list[Saved]]:
    incident = _open_one(board, regional.locations)
    if incident is None or not incident.is_open:
        return board, []
    ended = with_update(incident, Update(now, Stage.RESOLVED, "resolved", {}))
    return save(board, replace(ended, resolved_at=now), Change.RESOLVED, now)
