"""Reconfigure: a new configuration comes into force while everything goes on."""

from dataclasses import replace
from datetime import datetime

from monitor.core import heartbeat, stale, timeline
from monitor.core.agenda import Agenda
from monitor.core.alias import renamed, renamed_silence, renamed_window, renamed_work
from monitor.core.board import Board, Condition, Vantage, with_gone
from monitor.core.detector import Transition
from monitor.core.effect import Arranged, Effect, Gap, Heard, Hushed, Moved, Remember, Repeated, Saved, Settled
from monitor.core.module import Platform, Status
from monitor.core.probe import Role
from monitor.core.settling import roll_up
from monitor.core.track import Track, is_notable


def reconfigure(board: Board, platform: Platform, now: datetime) -> tuple[Board, list[Effect]]:
    """A new platform in place of the old: what is still asked keeps its state, what is gone is closed and forgotten."""
    board, effects = _renamed(board, platform, now)
    members = (m.module for i in board.incidents.values() if i.is_open for m in i.members)
    for module in dict.fromkeys([*board.modules, *members]):
        if module not in platform.modules:
            board, news = _left(board, module, now)
            effects += news
    asked = {key for key, probe in platform.judged.items() if probe.off is None}
    gone = [key for key in board.tracks if key[:2] not in asked or key[2] not in platform.judged[key[:2]].locations]
    effects += [Remember(*key, None) for key in gone]
    kept = board.tracks.keys() - set(gone)
    tracks = {key: track for key, track in board.tracks.items() if key in kept}
    verdicts = {key for key in asked if platform.judged[key].role is Role.VERDICT}
    effects += [Settled(*key, Condition(Status.UNKNOWN, now)) for key in board.probes if key not in verdicts]
    calls, forgotten = heartbeat.reconfigured(board, platform, now)
    effects += forgotten
    board = replace(
        board,
        platform=platform,
        calls=calls,
        tracks=tracks,
        probes={key: condition for key, condition in board.probes.items() if key in verdicts},
        modules={id: condition for id, condition in board.modules.items() if id in platform.modules},
        versions={key: version for key, version in board.versions.items() if key in platform.probes},
        pages={key: page for key, page in board.pages.items() if key in asked},
        restless=frozenset(key for key in board.restless if key in kept),
        gone=with_gone({}, tracks),
        stale_at=board.stale_at if platform == board.platform else None,
    )
    board, news = _with_vantages(_held(board, now), now)
    effects += news
    for module in list(board.modules):
        board, news = roll_up(board, module, now, now)
        effects += news
        if not platform.measured(module):
            board, saved = timeline.drop(board, module, now)
            effects += saved
    return board, effects


def _left(board: Board, module: str, now: datetime) -> tuple[Board, list[Effect]]:
    """A module left the configuration: its incident goes on without it, and its history ends with nothing known."""
    board, saved = timeline.drop(board, module, now)
    before = board.modules.get(module)
    if before is None or before.status is Status.UNKNOWN:
        return board, [*saved]
    condition = Condition(Status.UNKNOWN, max(now, before.since))
    transition = Transition(module, before.status, Status.UNKNOWN, now, condition.since)
    return board, [Moved(transition), Settled(module, None, condition), *saved]


def _held(board: Board, now: datetime) -> Board:
    """What is known of a probe, yet not since when, holds until it has been silent for as long as any other."""
    tracks = dict(board.tracks)
    for key, condition in board.probes.items():
        heard = [track.usable_at for track in board.tracks_of(*key).values() if track.usable_at]
        if condition.status is not Status.UNKNOWN and not heard:
            for location in board.platform.judged[key].locations:
                tracks[(*key, location)] = replace(board.tracks.get((*key, location), Track()), usable_at=now)
    return replace(board, tracks=tracks)


def _with_vantages(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Places that are gone, and all places once there are no canaries to ask, are not blind any more. Whether they are
    heard of does not hang on canaries."""
    kept: dict[str, Vantage] = {}
    gaps: list[Effect] = []
    for id, place in board.vantages.items():
        if id in board.platform.locations:
            heard = Vantage(stale_since=place.stale_since, returned_at=place.returned_at)
            kept |= {id: place} if board.platform.canaries else {id: heard} if heard != Vantage() else {}
        elif place.stale_since is not None:
            gaps.append(Gap(id, place.stale_since, max(place.stale_since, now), stale.UNHEARD))
        if place.blind_since is not None and kept.get(id) is not place:
            gaps.append(Gap(id, place.blind_since, max(place.blind_since, now)))
    return replace(board, vantages=kept), gaps


def _renamed(board: Board, platform: Platform, now: datetime) -> tuple[Board, list[Effect]]:
    """The board under the new ids of modules that were renamed with an alias."""
    known = {*board.modules, *(m.module for i in board.incidents.values() for m in i.members)}
    known |= {id for work in board.agenda.works.values() for id in work.modules}
    known |= {id for one in board.silences.values() for id in one.scope.match.modules or ()}
    new = {
        alias: id
        for id, module in platform.modules.items()
        for alias in module.aliases
        if alias in known and id not in known and alias not in platform.modules
    }
    if not new:
        return board, []
    tracks = {(new.get(m, m), probe, place): track for (m, probe, place), track in board.tracks.items()}
    probes = {(new.get(m, m), probe): condition for (m, probe), condition in board.probes.items()}
    modules = {new.get(m, m): condition for m, condition in board.modules.items()}
    incidents = {id: renamed(incident, new) for id, incident in board.incidents.items()}
    works = {id: renamed_work(work, new) for id, work in board.agenda.works.items()}
    windows = {id: renamed_window(window, new) for id, window in board.agenda.windows.items()}
    silences = {id: renamed_silence(one, new) for id, one in board.silences.items()}
    versions = {(new.get(m, m), probe): version for (m, probe), version in board.versions.items()}
    calls = {(new.get(m, m), probe): call for (m, probe), call in board.calls.items()}
    pages = {(new.get(m, m), probe): page for (m, probe), page in board.pages.items()}
    restless = frozenset((new.get(m, m), probe, place) for m, probe, place in board.restless)
    ids = set(new.values())
    effects: list[Effect] = [
        *(Remember(*key, None) for key in board.tracks if key[0] in new),
        *(Remember(*key, track) for key, track in tracks.items() if key[0] in ids and is_notable(track)),
        *(Settled(m, probe, condition) for (m, probe), condition in probes.items() if m in ids),
        *(Settled(m, None, condition) for m, condition in modules.items() if m in ids),
        *(Heard(m, probe, call.at) for (m, probe), call in calls.items() if m in ids),
        *(Saved(i, None, now) for id, i in incidents.items() if i != board.incidents[id]),
        *(Arranged(work, None) for id, work in works.items() if work != board.agenda.works[id]),
        *(Hushed(one, None) for id, one in silences.items() if one != board.silences[id]),
        *(Repeated(id, window) for id, window in windows.items() if window != board.agenda.windows[id]),
    ]
    board = replace(
        board, agenda=Agenda(works, windows), held={new.get(m, m): since for m, since in board.held.items()}
    )
    gone = {new.get(m, m): which for m, which in board.gone.items()}
    board = replace(board, tracks=tracks, gone=gone, probes=probes, modules=modules, incidents=incidents)
    return replace(board, versions=versions, calls=calls, pages=pages, restless=restless, silences=silences), effects
