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
from monitor.core.detector import Track, Transition, forget, is_bad, learn, relieved, settle, span_needed
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
    Settled,
    Ticked,
)
from monitor.core.expectation import judge
from monitor.core.module import Module, Platform, Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role

VERSION_HEADER = "x-vtex-janus-router-backend-app"


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
    place = board.vantages.get(observation.location)
    if place is not None and place.blind_since is not None and observation.ended_at >= place.blind_since:
        return board, [Keep(observation, result, discarded=True)]
    key = (probe.module, probe.id, observation.location)
    before = board.tracks.get(key, Track())
    track = learn(before, observation, result, probe.interval)
    board = _with_version(replace(board, tracks={**board.tracks, key: track}), observation)
    effects: list[Effect] = [Keep(observation, result)]
    if probe.role is Role.VERDICT:
        board, asks = _doubt(board, probe, observation.location, is_bad(result) and not track.private, now)
        board, news = _resettle(board, [probe], now)
        board, more = timeline.refresh(board, probe.module, now) if is_bad(result) else (board, [])
        board, again = _reprobe(board, probe, observation.location, now)
        effects += [*asks, *news, *more, *again]
    if _notable(before) or _notable(track):
        effects.append(Remember(*key, board.tracks[key]))
    return board, effects


def _notable(track: Track) -> bool:
    """Whether a restart must know more of a track than that all was well."""
    return bool(track.score or track.slow_score or track.partial_score)


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
        since = after.blind_since
        tracks = {key: forget(track, since) if key[2] == location else track for key, track in board.tracks.items()}
        taken = [Remember(*key, tracks[key]) for key, track in board.tracks.items() if tracks[key] is not track]
        return replace(board, tracks=tracks), [Gap(location, since), *taken]
    if before.blind_since is not None and after.blind_since is None:
        return board, [Gap(location, before.blind_since, now)]
    if after.sees_at != before.sees_at:  # failures that were waiting to be believed
        waiting = {key[:2] for key, track in board.tracks.items() if key[2] == location and track.score}
        return _resettle(board, [board.platform.probes[key] for key in sorted(waiting)], now)
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
            calm = {(*probe.key, place): relieved(track) for place, track in tracks.items()}
            board = replace(board, tracks={**board.tracks, **calm})
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
    if status is before.status:
        return board, []
    if status in (Status.UP, Status.DEGRADED) and before.status in (Status.DOWN, Status.DEGRADED):
        since = max([since, *(c.since for c in known if c.status is not Status.UNKNOWN)])
    condition = Condition(status, max(since, before.since))
    board = replace(board, modules={**board.modules, module: condition})
    transition = Transition(module, before.status, status, now, condition.since)
    board, saved = timeline.advance(board, transition, now)
    return board, [Moved(transition), Settled(module, None, condition), *saved]


def _reprobe(board: Board, probe: Probe, location: str, now: datetime) -> tuple[Board, list[Effect]]:
    """Extra runs: soon and often during a suspicion, every ten seconds while down."""
    tuning = board.platform.tuning
    key = (*probe.key, location)
    track = board.tracks[key]
    if track.reprobe_at is not None and track.reprobe_at > now:
        return board, []
    status = board.probes.get(probe.key, Condition(Status.UNKNOWN, now)).status
    wait: timedelta | None = None
    if status is Status.DOWN:
        wait = tuning.down_interval if probe.interval > tuning.down_interval else None
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
    if sum(count for _, count in track.codes) == 1:
        return tuning.first_reprobe
    domains = {board.platform.locations.get(place, place) for place in probe.locations}
    needed = track.bad_since + span_needed(probe, [track], len(domains), tuning) - now
    return min(tuning.reprobe, max(tuning.first_reprobe, needed))


def _spend(board: Board, now: datetime) -> tuple[Board, bool]:
    """Takes a token of the budget for extra runs: 60 a minute and a tenth of the scheduled load."""
    budget = board.budget
    asked = (p for p in board.platform.probes.values() if p.off is None)
    scheduled = sum(len(p.locations) / p.interval.total_seconds() for p in asked) if budget.rate is None else None
    rate = 1.0 + 0.1 * scheduled if scheduled is not None else budget.rate or 1.0
    elapsed = (now - budget.at).total_seconds() if budget.at else 0.0
    tokens = min(budget.tokens + max(elapsed, 0.0) * rate, 60.0 * rate)
    allowed = tokens >= 1
    budget = Budget(tokens - 1 if allowed else tokens, now, rate)
    return replace(board, budget=budget), allowed


def _tick(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Time alone makes two kinds of news: a probe has been silent for too long, and a blind place may see again."""
    effects: list[Effect] = []
    silent = [p for p in board.platform.probes.values() if p.role is Role.VERDICT and _is_silent(board, p, now)]
    board, news = _resettle(board, silent, now)
    effects += news
    for location, place in board.vantages.items():
        if place.blind_since is not None and vantage.may_ask(place, now):
            board = replace(board, vantages={**board.vantages, location: vantage.asked(place, now)})
            effects.append(AskCanaries(location))
    return board, effects


def _is_silent(board: Board, probe: Probe, now: datetime) -> bool:
    condition = board.probes.get(probe.key)
    if condition is None or condition.status is Status.UNKNOWN:
        return False
    heard = [track.usable_at for track in board.tracks_of(*probe.key).values() if track.usable_at]
    return not heard or now - max(heard) > board.platform.tuning.stale_intervals * probe.interval + probe.timeout


def _with_version(board: Board, observation: Observation) -> Board:
    """Remembers which version of the application behind the gateway answered, and since when."""
    seen = observation.http.headers.get(VERSION_HEADER) if observation.http else None
    module = observation.module
    if seen is None or module is None or board.versions.get(module, ("",))[0] == seen:
        return board
    return replace(board, versions={**board.versions, module: (seen, observation.at)})


def _reconfigure(board: Board, platform: Platform, now: datetime) -> tuple[Board, list[Effect]]:
    """A new platform in place of the old: what is still asked keeps its state, what is gone is closed and forgotten."""
    board = _renamed(board, platform)
    effects: list[Effect] = []
    for module in board.modules:
        if module not in platform.modules:
            board, saved = timeline.drop(board, module, now)
            effects += saved
    asked = {key for key, probe in platform.probes.items() if probe.off is None}
    gone = [key for key in board.tracks if key[:2] not in asked or key[2] not in platform.probes[key[:2]].locations]
    effects += [Remember(*key, None) for key in gone]
    board = replace(
        board,
        platform=platform,
        tracks={key: track for key, track in board.tracks.items() if key not in set(gone)},
        probes={key: condition for key, condition in board.probes.items() if key in asked},
        modules={id: condition for id, condition in board.modules.items() if id in platform.modules},
        versions={id: version for id, version in board.versions.items() if id in platform.modules},
        budget=replace(board.budget, rate=None),
    )
    for module in list(board.modules):
        board, news = _roll_up(board, module, now, now)
        effects += news
        if not platform.measured(module):
            board, saved = timeline.drop(board, module, now)
            effects += saved
    return board, effects


def _renamed(board: Board, platform: Platform) -> Board:
    """The board under the new ids of modules that were renamed with an alias."""
    new = {alias: id for id, module in platform.modules.items() for alias in module.aliases if alias in board.modules}
    if not new:
        return board
    incidents = {
        id: replace(i, members=tuple(replace(m, module=new.get(m.module, m.module)) for m in i.members))
        for id, i in board.incidents.items()
    }
    return replace(
        board,
        platform=_with_alias(board.platform, new),
        tracks={(new.get(m, m), probe, place): track for (m, probe, place), track in board.tracks.items()},
        probes={(new.get(m, m), probe): condition for (m, probe), condition in board.probes.items()},
        modules={new.get(m, m): condition for m, condition in board.modules.items()},
        versions={new.get(m, m): version for m, version in board.versions.items()},
        incidents=incidents,
    )


def _with_alias(platform: Platform, new: dict[str, str]) -> Platform:
    modules: dict[str, Module] = {new.get(id, id): module for id, module in platform.modules.items()}
    return replace(platform, modules=modules)
