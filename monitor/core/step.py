"""Step: one event comes in, a new board and the effects to perform come out. The index of this room.

    judge      expectation.py   one run: passed, slow, failed or unknown, with reasons
    learn      detector.py      what that adds to the track of a probe at a place
    heard      vantage.py       whether the place can see at all
    settle     detector.py      when tracks make news
    advance    timeline.py      what news does to incidents
    suspect    cause.py         which module it comes from, and by what code

Pure: the same board, event and time give the same answer, so a recorded day can be judged again.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core import timeline, vantage
from monitor.core.board import Board, Budget, Condition, Vantage
from monitor.core.detector import Transition, is_stale, settle, span_needed
from monitor.core.effect import (
    Ask,
    AskCanaries,
    Effect,
    Event,
    Gap,
    Keep,
    Moved,
    Observed,
    Reconfigured,
    Remember,
    Saved,
    Settled,
    Ticked,
)
from monitor.core.expectation import judge
from monitor.core.module import Platform, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.track import Track, is_bad, is_notable, learn, relieved, silenced

VERSION_HEADER = "x-vtex-janus-router-backend-app"
AHEAD = timedelta(seconds=5)  # a run that ended later than this from now was dated by another clock
SUSPICIONS_FIRST = 0.5  # share of the budget for extra runs that is kept for suspicions


def step(board: Board, event: Event, now: datetime) -> tuple[Board, list[Effect]]:
    """The board after an event, and what is to be done about it, in order."""
    match event:
        case Observed(observation):
            if observation.module is None:
                return _hear(board, observation, now)
            return _observe(board, observation, now)
        case Ticked():
            return _tick(board, now)
        case Reconfigured(platform):
            return _reconfigure(board, platform, now)


def _observe(board: Board, observation: Observation, now: datetime) -> tuple[Board, list[Effect]]:
    probe = board.platform.probes.get((observation.module or "", observation.probe))
    if probe is None or probe.off is not None or observation.location not in probe.locations:
        return board, []
    result = judge(observation, probe.expect)
    key = (probe.module, probe.id, observation.location)
    before = board.tracks.get(key, Track())
    if _is_untimely(probe, observation, now):
        return board, [Keep(observation, result, discarded=True)]
    private = vantage.is_private(observation.address) if observation.address else before.private
    if not private and vantage.is_hidden(board.vantages.get(observation.location), observation, now):
        return board, [Keep(observation, result, discarded=True)]
    condition = board.probes.get(probe.key)
    outage = condition is not None and condition.status is Status.DOWN
    if outage or private != before.private:
        before = replace(before, private=private, pending_bad=0 if outage else before.pending_bad)  # no noise in it
    track = learn(before, observation, result, probe.interval)
    board = _with_version(replace(board, tracks={**board.tracks, key: track}), observation)
    effects: list[Effect] = [Keep(observation, result)]
    if probe.role is Role.VERDICT:
        board, asks = _doubt(board, probe, observation.location, is_bad(result) and not track.private, now)
        board, news = _resettle(board, [probe], now)
        board, more = timeline.refresh(board, probe.module, now) if is_bad(result) else (board, [])
        board, again = _reprobe(board, probe, observation.location, now)
        effects += [*asks, *news, *more, *again]
    if is_notable(before) or is_notable(track):
        effects.append(Remember(*key, board.tracks[key]))
    return board, effects


def _is_untimely(probe: Probe, observation: Observation, now: datetime) -> bool:
    """Whether a run is too old to say anything of now, or of the future: a suspended machine, a clock that was set."""
    late = now - observation.ended_at
    return late < -AHEAD or late > 2 * probe.interval + probe.timeout


def _doubt(board: Board, probe: Probe, location: str, doubtful: bool, now: datetime) -> tuple[Board, list[Effect]]:
    """Asks the canaries of a place at the moment something out there fails."""
    place = board.vantages.get(location, Vantage())
    if not doubtful or not board.platform.canaries or not vantage.may_ask(place, now):
        return board, []
    board = replace(board, vantages={**board.vantages, location: vantage.asked(place, now)})
    return board, [AskCanaries(location)]


def _hear(board: Board, observation: Observation, now: datetime) -> tuple[Board, list[Effect]]:
    """One canary answered, or did not."""
    location = observation.location
    before = board.vantages.get(location, Vantage())
    after = vantage.heard(before, observation, board.platform.canaries)
    board = replace(board, vantages={**board.vantages, location: after})
    if before.blind_since is None and after.blind_since is not None:
        back = {key: vantage.taken_back(after, track) for key, track in board.tracks.items() if key[2] == location}
        taken = [Remember(*key, track) for key, track in back.items() if track is not board.tracks[key]]
        return replace(board, tracks={**board.tracks, **back}), [Gap(location, after.blind_since), *taken]
    if before.blind_since is not None and after.blind_since is None:
        return board, [Gap(location, before.blind_since, now)]
    if after.sees_at != before.sees_at:  # failures that were waiting to be believed
        waiting = {key[:2] for key, track in board.tracks.items() if key[2] == location and track.score}
        probes = [board.platform.probes[key] for key in sorted(waiting)]
        return _resettle(board, [probe for probe in probes if probe.role is Role.VERDICT], now)
    return board, []


def _resettle(board: Board, probes: Iterable[Probe], now: datetime) -> tuple[Board, list[Effect]]:
    """Settles probes anew, rolls their modules up, and lets incidents follow."""
    effects: list[Effect] = []
    for probe in probes:
        condition = board.probes.get(probe.key, Condition(Status.UNKNOWN, now))
        tracks = board.tracks_of(*probe.key)
        status, since = settle(probe, condition.status, tracks, board.platform.locations, now, board.platform.tuning)
        if status is condition.status:
            continue
        if status is Status.DOWN and not _is_believed(board, tracks):
            continue
        if condition.status is Status.DOWN:
            tracks = {place: relieved(track) for place, track in tracks.items()}
        if status is Status.UNKNOWN:
            tracks = {place: silenced(track) for place, track in tracks.items()}
        if condition.status is Status.DOWN or status is Status.UNKNOWN:
            changed = {(*probe.key, place): track for place, track in tracks.items()}
            board = replace(board, tracks={**board.tracks, **changed})
            effects += [Remember(*key, track) for key, track in changed.items()]
        condition = Condition(status, since)
        board = replace(board, probes={**board.probes, probe.key: condition})
        effects.append(Settled(probe.module, probe.id, condition))
        board, news = _roll_up(board, probe.module, since, now)
        effects += news
    return board, effects


def _is_believed(board: Board, tracks: dict[str, Track]) -> bool:
    if not board.platform.canaries:
        return True
    return all(
        vantage.is_credible(board.vantages.get(location), [track]) for location, track in tracks.items() if track.score
    )


def _roll_up(board: Board, module: str, since: datetime, now: datetime) -> tuple[Board, list[Effect]]:
    """The module is as bad as the worst of its probes that is known; a probe nothing is known of counts neither way."""
    before = board.modules.get(module, Condition(Status.UNKNOWN, since))
    probes = [p for p in board.platform.modules[module].probes if p.role is Role.VERDICT and p.off is None]
    known = [board.probes[probe.key] for probe in probes if probe.key in board.probes]
    order = (Status.DOWN, Status.DEGRADED, Status.UP)
    status = next((s for s in order if any(c.status is s for c in known)), Status.UNKNOWN)
    if status is Status.UP and _lost_in_trouble(board, module, known):
        status = Status.UNKNOWN
    if status is before.status:
        return board, []
    if status in (Status.UP, Status.DEGRADED) and before.status in (Status.DOWN, Status.DEGRADED):
        since = max([since, *(c.since for c in known if c.status is not Status.UNKNOWN)])
    since = min(since, now)
    condition = Condition(status, max(since, before.since) if before.since <= now else since)
    board = replace(board, modules={**board.modules, module: condition})
    transition = Transition(module, before.status, status, now, condition.since)
    board, saved = timeline.advance(board, transition, now)
    return board, [Moved(transition), Settled(module, None, condition), *saved]


def _lost_in_trouble(board: Board, module: str, known: Iterable[Condition]) -> bool:
    """Whether a probe went silent while the module was failing: what the others see is no proof that it is over."""
    incident = board.incident_of(module)
    member = incident.member(module) if incident else None
    if member is None or member.until is not None:
        return False
    return any(c.status is Status.UNKNOWN and c.since >= member.since for c in known)


def _reprobe(board: Board, probe: Probe, location: str, now: datetime) -> tuple[Board, list[Effect]]:
    """Extra runs: soon and often during a suspicion, every ten seconds while down."""
    tuning = board.platform.tuning
    key = (*probe.key, location)
    track = board.tracks[key]
    longest = max(tuning.down_interval, tuning.reprobe, tuning.first_reprobe)
    if track.reprobe_at is not None and timedelta(0) < track.reprobe_at - now <= longest:
        return board, []
    status = board.probes.get(probe.key, Condition(Status.UNKNOWN, now)).status
    wait: timedelta | None = None
    if status is Status.DOWN:
        if probe.interval > tuning.down_interval:
            board, allowed = _spend(board, now, SUSPICIONS_FIRST)
            wait = tuning.down_interval if allowed else None
    elif track.score and track.bad_since is not None and now - track.bad_since <= tuning.patience:
        board, allowed = _spend(board, now)
        wait = _pause(board, probe, track, now) if allowed else None
    if wait is None:
        return board, []
    tracks = {**board.tracks, key: replace(track, reprobe_at=now + wait)}
    return replace(board, tracks=tracks), [Ask(*key, after=wait.total_seconds())]


def _pause(board: Board, probe: Probe, track: Track, now: datetime) -> timedelta:
    """How long until the next extra run: the first comes at once, none later than the span that is still needed."""
    tuning = board.platform.tuning
    assert track.bad_since is not None
    if not track.good_streak and sum(count for _, count in track.codes) == 1:
        return tuning.first_reprobe
    domains = {board.platform.locations.get(place, place) for place in probe.locations}
    needed = track.bad_since + span_needed(probe, [track], len(domains), tuning) - now
    return min(tuning.reprobe, max(tuning.first_reprobe, needed)) if needed > timedelta(0) else tuning.reprobe


def _spend(board: Board, now: datetime, spare: float = 0.0) -> tuple[Board, bool]:
    """Takes a token of the budget for extra runs, 60 a minute and a tenth of the scheduled load, if that leaves a share
    to spare."""
    budget = board.budget
    asked = (p for p in board.platform.probes.values() if p.off is None)
    scheduled = sum(len(p.locations) / p.interval.total_seconds() for p in asked) if budget.rate is None else None
    rate = 1.0 + 0.1 * scheduled if scheduled is not None else budget.rate or 1.0
    elapsed = (now - budget.at).total_seconds() if budget.at else 0.0
    tokens = min(budget.tokens + max(elapsed, 0.0) * rate, 60.0 * rate)
    allowed = tokens >= 1 + spare * 60.0 * rate
    budget = Budget(tokens - 1 if allowed else tokens, now, rate)
    return replace(board, budget=budget), allowed


def _tick(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Time alone makes two kinds of news: a probe has been silent for too long, and a blind place may see again."""
    effects: list[Effect] = []
    asked, tuning = board.platform.probes, board.platform.tuning
    heard = [p for key, c in board.probes.items() if c.status is not Status.UNKNOWN and (p := asked.get(key))]
    silent = [p for p in heard if is_stale(p, board.tracks_of(*p.key).values(), now, tuning)]
    board, news = _resettle(board, silent, now)
    effects += news
    for location, place in board.vantages.items():
        if place.blind_since is not None and vantage.may_ask(place, now):
            board = replace(board, vantages={**board.vantages, location: vantage.asked(place, now)})
            effects.append(AskCanaries(location))
    return board, effects


def _with_version(board: Board, observation: Observation) -> Board:
    """Remembers which version of the application behind the gateway answered, and since when."""
    seen = observation.http.headers.get(VERSION_HEADER) if observation.http else None
    module = observation.module
    if seen is None or module is None or board.versions.get(module, ("",))[0] == seen:
        return board
    return replace(board, versions={**board.versions, module: (seen, observation.at)})


def _reconfigure(board: Board, platform: Platform, now: datetime) -> tuple[Board, list[Effect]]:
    """A new platform in place of the old: what is still asked keeps its state, what is gone is closed and forgotten."""
    board, effects = _renamed(board, platform, now)
    members = (m.module for i in board.incidents.values() if i.is_open for m in i.members)
    for module in dict.fromkeys([*board.modules, *members]):
        if module not in platform.modules:
            board, news = _left(board, module, now)
            effects += news
    asked = {key for key, probe in platform.probes.items() if probe.off is None}
    gone = [key for key in board.tracks if key[:2] not in asked or key[2] not in platform.probes[key[:2]].locations]
    effects += [Remember(*key, None) for key in gone]
    kept = board.tracks.keys() - set(gone)
    verdicts = {key for key in asked if platform.probes[key].role is Role.VERDICT}
    effects += [Settled(*key, Condition(Status.UNKNOWN, now)) for key in board.probes if key not in verdicts]
    board = replace(
        board,
        platform=platform,
        tracks={key: track for key, track in board.tracks.items() if key in kept},
        probes={key: condition for key, condition in board.probes.items() if key in verdicts},
        modules={id: condition for id, condition in board.modules.items() if id in platform.modules},
        versions={id: version for id, version in board.versions.items() if id in platform.modules},
        budget=replace(board.budget, rate=None),
    )
    board, news = _with_vantages(_held(board, now), now)
    effects += news
    for module in list(board.modules):
        board, news = _roll_up(board, module, now, now)
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
            for location in board.platform.probes[key].locations:
                tracks[(*key, location)] = replace(board.tracks.get((*key, location), Track()), usable_at=now)
    return replace(board, tracks=tracks)


def _with_vantages(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Places that are gone, and all places once there are no canaries to ask, are not blind any more."""
    kept = {
        id: place for id, place in board.vantages.items() if board.platform.canaries and id in board.platform.locations
    }
    gaps = ((id, place.blind_since) for id, place in board.vantages.items() if id not in kept)
    return replace(board, vantages=kept), [Gap(id, since, max(since, now)) for id, since in gaps if since]


def _renamed(board: Board, platform: Platform, now: datetime) -> tuple[Board, list[Effect]]:
    """The board under the new ids of modules that were renamed with an alias."""
    known = {*board.modules, *(m.module for i in board.incidents.values() for m in i.members)}
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
    incidents = {id: timeline.renamed(incident, new) for id, incident in board.incidents.items()}
    versions = {new.get(m, m): version for m, version in board.versions.items()}
    ids = set(new.values())
    effects: list[Effect] = [
        *(Remember(*key, None) for key in board.tracks if key[0] in new),
        *(Remember(*key, track) for key, track in tracks.items() if key[0] in ids and is_notable(track)),
        *(Settled(m, probe, condition) for (m, probe), condition in probes.items() if m in ids),
        *(Settled(m, None, condition) for m, condition in modules.items() if m in ids),
        *(Saved(i, None, now) for id, i in incidents.items() if i is not board.incidents[id]),
    ]
    board = replace(board, tracks=tracks, probes=probes, modules=modules, incidents=incidents, versions=versions)
    return board, effects
