"""Settling: when the tracks of probes make news, and what a module is then: as bad as the worst of its probes."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import cache, partial

from monitor.core import timeline, vantage
from monitor.core.board import Board, Condition
from monitor.core.detector import Panel, Transition, is_settled, settle
from monitor.core.effect import Effect, Moved, Remember, Settled
from monitor.core.module import Status
from monitor.core.probe import Probe, Role
from monitor.core.track import Track, down, relieved, silenced


def _panel(board: Board, probe: Probe, now: datetime) -> Panel:
    """The places whose word about a probe counts: those that were heard of late, see, and are not alone with it."""
    places = probe.locations
    if len(places) > 1:
        patience = board.platform.tuning.fresh_for(probe)
        places = tuple(place for place in places if _has_a_say(board, probe, place, patience, now)) or places
        places = tuple(place for place in places if not board.is_excluded(probe.key, place)) or places
    return Panel({place: board.domain_of(place) for place in places})


def _heard(board: Board, probe: Probe, tracks: Mapping[str, Track]) -> Mapping[str, Track]:
    """The tracks of places that are heard of. None where only places are left that are alone with what they see: that
    the others fall silent proves nothing."""
    heard = {place: track for place, track in tracks.items() if vantage.is_heard(board, place)}
    if len(heard) < len(tracks) and all(board.is_excluded(probe.key, place) for place in heard):
        return {}
    return heard


def _has_a_say(board: Board, probe: Probe, place: str, patience: timedelta, now: datetime) -> bool:
    vantage_there = board.vantages.get(place)
    if vantage_there is not None and (vantage_there.blind_since or vantage_there.stale_since):
        return False
    track = board.tracks.get((*probe.key, place))
    heard = track.last_at if track is not None else None
    return now - (heard or board.began_at or now) <= patience


def settle_waiting(board: Board, location: str | None, now: datetime) -> tuple[Board, list[Effect]]:
    """Settles every probe that holds anything against its module, at one place or all."""
    judged, heard = board.platform.judged, cache(partial(vantage.is_heard, board))
    waiting: dict[tuple[str, str], Probe] = {}
    for module, id, place in board.restless:
        track, probe = board.tracks[module, id, place], judged.get((module, id))
        if location not in (None, place) or probe is None or probe.role is not Role.VERDICT or not track.score:
            continue
        if probe.locations != (place,) or not heard(place) or not _is_as_it_was(board, probe, track, now):
            waiting[probe.key] = probe
    return resettle(board, [waiting[key] for key in sorted(waiting)], now)


def _is_as_it_was(board: Board, probe: Probe, track: Track, now: datetime) -> bool:
    """Whether time changes nothing yet about a probe that one place looks at: while very many are down, nearly all."""
    condition = board.probes.get(probe.key)
    return condition is not None and is_settled(probe, condition.status, track, now, board.platform.tuning)


def resettle(board: Board, probes: Iterable[Probe], now: datetime) -> tuple[Board, list[Effect]]:
    """Settles probes anew, rolls their modules up, and lets incidents follow."""
    effects: list[Effect] = []
    for probe in probes:
        condition = board.probes.get(probe.key, Condition(Status.UNKNOWN, now))
        tracks = board.tracks_of(*probe.key)
        panel = _panel(board, probe, now)
        heard = _heard(board, probe, tracks)
        status, since = settle(probe, condition.status, heard, panel, now, board.platform.tuning)
        if status is condition.status:
            continue
        if len(heard) < len(tracks) and status is Status.UNKNOWN:
            since = max((track.usable_at for track in tracks.values() if track.usable_at), default=since)
        if status is Status.DOWN and not vantage.is_believed(board, panel.of(tracks), now):
            continue
        eased = condition.status is Status.DEGRADED and status is Status.UP
        if condition.status is Status.DOWN or eased:
            tracks = {place: relieved(track) for place, track in tracks.items()}
        if status is Status.DOWN:
            tracks = {place: down(track, None) for place, track in tracks.items()}
        if status is Status.UNKNOWN:
            tracks = {place: silenced(track) for place, track in tracks.items()}
        if Status.DOWN in (condition.status, status) or status is Status.UNKNOWN or eased:
            changed = {(*probe.key, place): track for place, track in tracks.items()}
            board = board.with_tracks(changed)
            effects += [Remember(*key, track) for key, track in changed.items()]
        condition = Condition(status, since)
        board = board.with_probe(probe.key, condition)
        effects.append(Settled(probe.module, probe.id, condition))
        board, news = roll_up(board, probe.module, since, now)
        effects += news
    return board, effects


def roll_up(board: Board, module: str, since: datetime, now: datetime) -> tuple[Board, list[Effect]]:
    """The module is as bad as the worst of its probes that is known; a probe nothing is known of counts neither way."""
    before = board.modules.get(module, Condition(Status.UNKNOWN, since))
    found = [board.probes.get(probe.key) for probe in board.platform.deciding(module)]
    known = [condition for condition in found if condition is not None]
    seen = {condition.status for condition in known}
    status = next((s for s in (Status.DOWN, Status.DEGRADED, Status.UP) if s in seen), Status.UNKNOWN)
    if status is Status.UP and _lost_in_trouble(board, module, known):
        status = Status.UNKNOWN
    if status is before.status:
        return board, []
    if status in (Status.UP, Status.DEGRADED) and before.status in (Status.DOWN, Status.DEGRADED):
        since = max([since, *(c.since for c in known if c.status is not Status.UNKNOWN)])
    since = min(since, now)
    condition = Condition(status, max(since, before.since) if before.since <= now else since)
    board = board.with_module(module, condition)
    transition = Transition(module, before.status, status, now, condition.since)
    board, saved = timeline.advance(board, transition, now)
    return board, [Moved(transition), Settled(module, None, condition), *saved]


def _lost_in_trouble(board: Board, module: str, known: Iterable[Condition]) -> bool:
    """Whether a probe went silent while the module was failing: what the others see is no proof that it is over."""
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    told = member is not None and member.until is None and member.seen
    since = member.since if member is not None and told else board.held.get(module)
    return since is not None and any(c.status is Status.UNKNOWN and c.since >= since for c in known)
