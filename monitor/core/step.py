"""Step: one event comes in, a new board and the effects to perform come out. The index of this room.

    judge      expectation.py   one run: passed, slow, failed or unknown, with reasons
    read       flow.py          what a run of several steps says, module by module
    watched    usual.py         … and what only the runs before it can tell
    learn      track.py         what that adds to the track of a probe at a place
    learned    calm.py          … the short way where all is well
    heard      vantage.py       whether the place can see at all
    read       platform_page.py what the platform says of itself, as evidence
    settle     detector.py      when tracks make news
    roll_up    settling.py      … and what a module is then
    watch      region.py        what only one failure domain sees
    turned     stale.py         what is known of a place nothing is heard of, and what comes from there late
    advance    timeline.py      what news does to incidents
    arranged   surfacing.py     what planned work excuses, and what surfaces when it ends
    look       findings.py      what is known of every module that anything is held against
    cause_of   cause.py         which module it comes from, and by what code
    explain    explain.py       which failures hang together
    call       heartbeat.py     that a module called, and since when its silence counts
    heard      people.py        what a person said about an incident
    heard      silencing.py     … and of what nobody wants notices for a while
    publish    publishing.py    when an incident appears in public
    announced  herald.py        … and who is told of it, by notice.py
    reset      clockset.py      and what remains of all that when the clock was set

Pure: the same board, event and time give the same answer, so a recorded day can be judged again.
"""

from datetime import datetime, timedelta

from monitor.core import (
    calm,
    clockset,
    heartbeat,
    herald,
    people,
    platform_page,
    region,
    silencing,
    stale,
    surfacing,
    timeline,
    vantage,
)
from monitor.core.anew import replace
from monitor.core.board import Board, Vantage
from monitor.core.codes import Blame
from monitor.core.effect import (
    Ailing,
    AskCanaries,
    Called,
    Effect,
    Event,
    Gap,
    Hold,
    Keep,
    Lagging,
    Lifted,
    Missed,
    Observed,
    Reconfigured,
    Remember,
    Silenced,
    Spoken,
    Stale,
    Ticked,
)
from monitor.core.expectation import Outcome, Result, judge_side
from monitor.core.flow import Reading, judge_run, read
from monitor.core.module import Status
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role, host_of
from monitor.core.reconfigure import reconfigure
from monitor.core.reprobe import doubt, reprobe
from monitor.core.routing import forgotten, is_lost
from monitor.core.saturation import is_saturated
from monitor.core.settling import resettle, settle_waiting
from monitor.core.track import NO_RUNS, Track, adopted, down, is_bad, is_blocked, is_notable, learn, outdated
from monitor.core.usual import watched
from monitor.core.version import with_version

AHEAD = timedelta(seconds=5)  # a run that ended later than this from now was dated by another clock
LONGEST_HOLD = timedelta(minutes=10)  # a target may not ask for more
REMEMBERED_RUNS = 4  # scheduled times by which a run that is handed in twice is told


def step(board: Board, event: Event, now: datetime) -> tuple[Board, list[Effect]]:
    """The board after an event, and what is to be done about it, in order."""
    found: list[Effect] = []
    if board.began_at is None:
        board, found = clockset.reset(board, clockset.set_back_meanwhile(board, now), now)
        board, saved = timeline.caught_up(heartbeat.listening_again(replace(board, began_at=now), now), now)
        board, news = herald.announced(board, [*saved])
        found += news
    board, effects = herald.announced(*_follow(board, event, now))
    board, due = herald.turned(board, now) if isinstance(event, Ticked) else (board, [])  # work may have begun by now
    return board, [*found, *effects, *due] if found or due else effects


def _follow(board: Board, event: Event, now: datetime) -> tuple[Board, list[Effect]]:
    match event:
        case Observed(observation, carried):
            if observation.module is None:
                told = not carried or stale.is_of_now(observation, now)
                return _hear(board, observation, now) if told else (board, [])
            return surfacing.surfaced(*_observe(board, observation, carried, now), now)
        case Ticked():
            return _tick(board, now)
        case Reconfigured(platform):
            return herald.retimed(*reconfigure(board, platform, now), board.platform)
        case Lagging(module, id, location):
            probe = board.platform.probes.get((module, id))
            decides = probe is not None and probe.off is None and probe.role is Role.VERDICT and not probe.steps
            return doubt(board, probe, location, now) if probe is not None and decides else (board, [])
        case Called(module, id):
            return heartbeat.call(board, (module, id), now)
        case Missed():
            return _miss(board, event, now)
        case Stale():
            return surfacing.surfaced(*stale.turned(board, event, now), now)
        case Spoken():
            return people.heard(board, event, now)
        case Silenced() | Lifted():
            return silencing.heard(board, event, now)
        case Ailing(code, over):
            others = {one: since for one, since in board.ailing.items() if one != code}
            return replace(board, ailing=others if over else {code: now, **board.ailing}), []
        case _:
            return surfacing.arranged(board, event, now)


# -- a run ------------------------------------------------------------------------------------------------------------


def _observe(board: Board, observation: Observation, carried: bool, now: datetime) -> tuple[Board, list[Effect]]:
    probe = board.platform.probes.get((observation.module or "", observation.probe))
    if probe is None or probe.off is not None or observation.location not in probe.locations:
        return board, []
    board = vantage.dated(board, observation)
    result, readings = _read(board, probe, observation)
    key = (*probe.key, observation.location)
    before = board.tracks.get(key, NO_RUNS)
    if carried and (late := stale.came_late(board, probe, observation, before, now)) is not None:
        return board, [Keep(observation, result, late=True)] if late else []
    if _is_untimely(probe, observation, now) or observation.scheduled_at in before.runs:
        return board, [Keep(observation, result, discarded=True)]
    runs = (*before.runs[1 - REMEMBERED_RUNS :], observation.scheduled_at)
    if len(readings) == 1 and not probe.steps:
        after = calm.learned(board, probe, observation, result, runs, now)
        if after is not None:
            return after, [Keep(observation, result)]
    effects: list[Effect] = []
    for one in readings if len(probe.locations) > 1 else ():
        board, asks = _vote(board, one, now)
        effects += asks
    before = board.tracks.get(key, before)
    private = vantage.is_aside(observation, before)
    if not private:
        board, sees = _reach(board, probe, observation, result, now)
        effects += sees
    if _is_hidden(board, observation, private, now):
        board = board.with_track(key, replace(before, runs=runs))
        return board, [*effects, Keep(observation, result, discarded=True)]
    own, *others = readings
    board, changes = with_version(board, own.seen)
    board = platform_page.read(board, probe, observation, result)
    board, said, more = _learn(board, own, replace(before, runs=runs), now)
    if not probe.steps:
        result = said
    effects += [Keep(observation, result), *changes, *more]
    if (is_blocked(result) or result.code == "http.429") and (hold := _hold(probe, observation)):
        effects.append(hold)
    for one in others:
        before = board.tracks.get((*one.probe.key, observation.location), NO_RUNS)
        board, _, more = _learn(board, one, before, now)
        effects += more
    return board, effects


def _read(board: Board, probe: Probe, observation: Observation) -> tuple[Result, list[Reading]]:
    """What a run says as a whole, and to each probe that it judges: the one that was asked, then those of others."""
    sides = board.platform.sides.get(probe.key, ())
    result = vantage.on_time(board, observation, judge_run(observation, probe))
    if probe.steps:
        found = read(observation, probe, sides)
        return result, [replace(one, result=vantage.on_time(board, one.seen, one.result)) for one in found]
    own = Reading(probe, observation, result)
    return result, [own, *(Reading(one, observation, judge_side(observation, result, one.expect)) for one in sides)]


def _learn(board: Board, reading: Reading, before: Track, now: datetime) -> tuple[Board, Result, list[Effect]]:
    """What one reading changes: its track, and where it decides anything, statuses and incidents."""
    probe, observation, result = reading.probe, reading.seen, reading.result
    key = (*probe.key, observation.location)
    private = vantage.is_aside(observation, before)
    condition = board.probes.get(probe.key)
    outage = condition is not None and condition.status is Status.DOWN
    track, result = watched(before, observation, probe, result)
    if track.usual_slow and condition is not None and condition.status in (Status.DOWN, Status.DEGRADED):
        track = replace(track, usual_slow=0, usual_slowest=0.0)  # no habit, but trouble
    if is_blocked(result) and is_saturated(board, probe, now):
        result, track = replace(result, blame=Blame.TARGET), adopted(track)
    elif is_lost(board, probe, observation, result):
        result = replace(result, blame=Blame.TARGET)
    if outage or private != track.private:
        track = replace(track, private=private, pending_bad=0 if outage else track.pending_bad)  # no noise in it
    if outage:
        track = down(track, result)
    board = board.with_track(key, learn(track, observation, result, probe.interval))
    effects: list[Effect] = []
    if probe.role is Role.VERDICT:
        board, asks = _ask_canaries(board, observation.location, is_bad(result) and not private, now)
        board, news = resettle(board, [probe], now)
        board, again = reprobe(board, probe, observation.location, now)
        effects += [*asks, *news, *again]
    if is_notable(before) or is_notable(board.tracks[key]) or before.baselines != track.baselines:
        effects.append(Remember(*key, board.tracks[key]))
    return board, result, effects


def _is_untimely(probe: Probe, observation: Observation, now: datetime) -> bool:
    """Whether a run is too old to say anything of now, or of the future: a suspended machine, a clock that was set."""
    late = now - observation.ended_at
    return late < -AHEAD or late > 2 * probe.interval + probe.timeout


def _hold(probe: Probe, observation: Observation) -> Hold | None:
    """How long a target that refuses us asked to be left alone, in bounds."""
    asked = (observation.http.headers if observation.http else {}).get("retry-after", "")
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9:
        return None
    pause = min(timedelta(seconds=int(asked)), LONGEST_HOLD)
    return Hold(*probe.key, observation.location, observation.ended_at + pause) if pause else None


# -- whether a place can see ------------------------------------------------------------------------------------------


def _is_hidden(board: Board, observation: Observation, private: bool, now: datetime) -> bool:
    """Whether a run says nothing because its place was blind. The network outside has no part in private targets."""
    place = board.vantages.get(observation.location)
    if place is None or (private and place.outvoted_since is None):
        return False
    return vantage.is_hidden(place, observation, now)


def _reach(
    board: Board, probe: Probe, observation: Observation, result: Result, now: datetime
) -> tuple[Board, list[Effect]]:
    """What a dark place reaches all the same: where that is nearly everything, it sees."""
    place = board.vantages.get(observation.location)
    well = result.outcome in (Outcome.PASSED, Outcome.SLOW)
    if place is None or place.dark_since is None or not (well or is_bad(result)):
        return board, []
    after = vantage.reached(place, probe.module, host_of(probe), observation.at, well)
    return _with_vantage(board, observation.location, place, after, now)


def _vote(board: Board, reading: Reading, now: datetime) -> tuple[Board, list[Effect]]:
    """Counts what a place sees badly among what all others see well, at every failure and while it is outvoted."""
    observation, result = reading.seen, reading.result
    location, key = observation.location, (*reading.probe.key, observation.location)
    well, bad = result.outcome in (Outcome.PASSED, Outcome.SLOW), is_bad(result)
    if well or bad:
        track = board.tracks.get(key, NO_RUNS)
        since = None if well else track.raw_bad_since or observation.at
        board = board.with_track(key, replace(track, raw=(observation.at, well), raw_bad_since=since))
    place = board.vantages.get(location, Vantage())
    if place.outvoted_since is None and not (bad and vantage.may_vote(board, place, location, now)):
        return board, []
    return _with_vantage(board, location, place, vantage.voted(board, location, now), now)


def _ask_canaries(board: Board, location: str, doubtful: bool, now: datetime) -> tuple[Board, list[Effect]]:
    """Asks the canaries of a place at the moment something out there fails."""
    if not doubtful or not board.platform.canaries:
        return board, []
    place = board.vantages.get(location, Vantage())
    if not vantage.may_ask(place, now):
        return board, []
    board = replace(board, vantages={**board.vantages, location: vantage.asked(place, now)})
    return board, [AskCanaries(location)]


def _hear(board: Board, observation: Observation, now: datetime) -> tuple[Board, list[Effect]]:
    """One canary answered, or did not."""
    location = observation.location
    before = board.vantages.get(location, Vantage())
    after = vantage.heard(before, observation, board.platform.canaries)
    board, effects = _with_vantage(board, location, before, after, now)
    if not effects and after.sees_at != before.sees_at:  # failures that were waiting to be believed
        return settle_waiting(board, location, now)
    return board, effects


def _with_vantage(
    board: Board, location: str, before: Vantage, after: Vantage, now: datetime
) -> tuple[Board, list[Effect]]:
    """A place as it is now: what it saw while it was blind is taken back, the time is kept as a gap."""
    board = replace(board, vantages={**board.vantages, location: after})
    if before.blind_since is None and after.blind_since is not None:
        gap = Gap(location, after.blind_since, code=vantage.code_of_blindness(board, location))
        back = {key: vantage.taken_back(after, track) for key, track in board.tracks.items() if key[2] == location}
        changed = {key: track for key, track in back.items() if track is not board.tracks[key]}
        stored = (Remember(*key, track) for key, track in changed.items() if is_notable(board.tracks[key]))
        return board.with_tracks(changed), [gap, *stored]
    if before.blind_since is not None and after.blind_since is None:
        return heartbeat.listening_again(board, now, location), [Gap(location, before.blind_since, now)]
    return board, []


def _miss(board: Board, missed: Missed, now: datetime) -> tuple[Board, list[Effect]]:
    """A time in which a place could not look: what was under way then says nothing."""
    board, moved = clockset.reset(board, missed.shift, now)
    place = board.vantages.get(missed.location, Vantage())
    seeing = max(missed.until, place.seeing_since or missed.until)
    board = replace(board, vantages={**board.vantages, missed.location: replace(place, seeing_since=seeing)})
    board = heartbeat.listening_again(board, now, missed.location)
    return board, [Gap(missed.location, missed.since, max(missed.until, missed.since), missed.code), *moved]


# -- time -------------------------------------------------------------------------------------------------------------


def _tick(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """What time alone does: probes fall silent, blind places may see again, incidents are looked at anew."""
    board, effects = surfacing.passed(board, now)
    board, ended = silencing.passed(board, now)
    effects += ended
    if board.stale_at is None or not timedelta(0) < board.stale_at - now <= timedelta(days=1):
        board, news = _silence(board, now)
        effects += news
    if board.platform.canaries and board.restless:
        for location in sorted({key[2] for key in board.restless if board.tracks[key].score}):
            if location not in board.vantages:  # a restart: nobody has vouched yet for what is remembered
                board, asks = _ask_canaries(board, location, True, now)
                effects += asks
        board, news = settle_waiting(board, None, now)
        effects += news
    for location, place in board.vantages.items():
        if place.outvoted_since is not None:
            board, news = _with_vantage(board, location, place, vantage.voted(board, location, now), now)
            effects += news
        if place.dark_since is not None and vantage.may_ask(place, now):
            asked = vantage.asked(board.vantages[location], now)
            board = replace(board, vantages={**board.vantages, location: asked})
            effects.append(AskCanaries(location))
    board, saved = region.watch(board, now)
    effects += saved
    if any(one.is_open or one.is_closed_by_person for one in board.incidents.values()):
        board, saved = timeline.review(board, now)
        effects += saved
    return forgotten(board, now), effects


def _silence(board: Board, now: datetime) -> tuple[Board, list[Effect]]:
    """Probes that nothing usable was heard of for too long, places whose runs of one stay away, and when the next can
    be."""
    platform, tracks = board.platform, board.tracks
    soonest = now + (platform.fresh_for or AHEAD)
    silent: list[Probe] = []
    old: dict[tuple[str, str, str], Track] = {}
    for key, condition in board.probes.items():
        probe = platform.judged.get(key)
        if probe is None:
            continue
        patience = platform.tuning.fresh_for(probe)
        found = {place: track for place in probe.locations if (track := tracks.get((*key, place))) is not None}
        for place, track in found.items():
            if track.last is None or track.last_at is None:
                continue
            if (due := track.last_at + patience) < now:
                old[(*key, place)] = outdated(track)
            elif due < soonest:
                soonest = due
        if condition.status is Status.UNKNOWN:
            continue
        newest = max([track.usable_at for track in found.values() if track.usable_at], default=None)
        if newest is None or (due := newest + patience) < now:
            silent.append(probe)
        elif due < soonest:
            soonest = due
    board, effects = resettle(board.with_tracks(old) if old else board, silent, now)
    return replace(board, stale_at=max(soonest, now + timedelta(milliseconds=500))), effects
