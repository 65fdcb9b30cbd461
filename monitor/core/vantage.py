"""Vantage: whether a place that looks can see anything at all, found out at the moment something fails.

Canaries are well-known targets on unrelated networks. They are asked when a public target fails, never cached: a
place that does not see most of them is blind, unless it reaches nearly everything else: then only the canaries are out
of reach. So is a place that the others outvote: it fails on most of what they see well. What it saw meanwhile is taken
back.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache

from monitor.core.board import Board, Vantage
from monitor.core.clause import moment_of
from monitor.core.codes import Blame
from monitor.core.expectation import Outcome, Result
from monitor.core.module import FAILING
from monitor.core.observation import Observation
from monitor.core.probe import host_of
from monitor.core.track import Track, forget, outdated

ASK_EVERY = timedelta(seconds=5)
ANSWERED_BY = timedelta(seconds=15)  # a canary's answer that has not come by then never will
CLOCK_GRAIN = timedelta(milliseconds=1)  # to which a recording is exact
VOTE_EVERY = timedelta(seconds=1)
CLOCK_EVERY = timedelta(minutes=1)
CLOCKS, OFF = 5, 2.0  # hosts whose clocks must agree, and seconds by which ours must differ from them
VOTES, VOTED_HOSTS = 4, 2  # modules that others see well, on how many hosts, before a place can be outvoted
REACHED = 0.8  # share of the modules asked in the dark that must answer well, as many of them, before it is none

Raw = tuple[str, datetime, bool, datetime | None]  # where, when begun, whether all was well, and since when not


def asked(vantage: Vantage, now: datetime) -> Vantage:
    """The place with a new question put to its canaries; earlier answers no longer count."""
    return replace(vantage, asked_at=now, canaries={})


def may_ask(vantage: Vantage, now: datetime) -> bool:
    """Whether the last question is old enough for another; one of the future is, as a clock was set back."""
    return vantage.asked_at is None or not timedelta(0) <= now - vantage.asked_at < ASK_EVERY


def heard(vantage: Vantage, observation: Observation, canaries: int) -> Vantage:
    """The place after one canary's answer: any answer at all is a good one.

    An answer may come late, but one that was over before the present question was put says nothing about it.
    """
    if vantage.asked_at is not None and observation.ended_at < vantage.asked_at - CLOCK_GRAIN:
        return vantage
    target = observation.address or observation.probe
    well = observation.http is not None or observation.failure is None
    answers = {**vantage.canaries, target: (observation.at, well)}
    good = [at for at, well in answers.values() if well]
    failed = [at for at, well in answers.values() if not well]
    vantage = replace(vantage, canaries=answers, mute=vantage.mute and 2 * len(good) < canaries)
    if 2 * len(failed) > canaries:
        if vantage.mute:
            return replace(vantage, sees_at=vantage.asked_at or observation.at)
        return replace(vantage, dark_since=vantage.dark_since or min(failed))
    if 2 * len(good) >= canaries:
        cured = max(good) if vantage.dark_since else vantage.seeing_since
        sees_at = min([*good, vantage.asked_at or observation.at])
        return replace(vantage, dark_since=None, sees_at=sees_at, seeing_since=cured, reached={})
    return vantage


def reached(vantage: Vantage, module: str, host: str, at: datetime, well: bool) -> Vantage:
    """The place after a run of a public module that began while it was dark: where nearly all of them answer well, only
    the canaries are out of reach, and say nothing until one of them answers."""
    if vantage.dark_since is None or at < vantage.dark_since:
        return vantage
    known = {**vantage.reached, module: (host, well)}
    hosts = {host for host, well in known.values() if well}
    good = sum(well for _, well in known.values())
    if good < VOTES or len(hosts) < VOTED_HOSTS or good < REACHED * len(known):
        return replace(vantage, reached=known)
    return replace(vantage, dark_since=None, seeing_since=at, sees_at=at, reached={}, mute=True)


def may_vote(board: Board, place: Vantage, location: str, now: datetime) -> bool:
    """Whether a count is worth its cost: several modules fail here, and the last count is a moment ago."""
    if place.voted_at is not None and timedelta(0) <= now - place.voted_at < VOTE_EVERY:
        return False
    return len({key[0] for key in board.restless if key[2] == location}) + 1 >= VOTES // 2


def voted(board: Board, location: str, now: datetime) -> Vantage:
    """The place after a count of what it sees badly among what every other place sees well.

    Only what was seen elsewhere after the failures here began contradicts them: at the start of a real outage every
    place is the first to see it somewhere.
    """
    place = board.vantages.get(location, Vantage())
    failing = {key[0] for key, track in board.tracks.items() if key[2] == location and track.raw_bad_since is not None}
    failing &= board.platform.modules.keys()
    bad = [since for id in failing if (since := _contradicted_since(board, id, location, now)) is not None]
    if not bad and place.outvoted_since is None:
        return replace(place, voted_at=now)
    well = 0
    hosts: set[str] = set()
    for id in board.platform.modules:
        runs = _fresh(board, id, now)
        since, here = _here(runs, location)
        if here is None or not _well_elsewhere(board, id, location, since, runs):
            continue
        well += 1
        if well > 2 * len(bad):
            break  # whatever else is well: this place sees most of it
        hosts.update(host_of(probe) for probe in board.platform.deciding(id) if probe.kind != "verdict")
    outvoted = well >= VOTES and len(hosts) >= VOTED_HOSTS and 2 * len(bad) >= well
    if outvoted:
        return replace(place, voted_at=now, outvoted_since=place.outvoted_since or min(bad))
    if not well:
        return replace(place, voted_at=now)  # nothing was heard from it, or from anybody else
    cured = now if place.outvoted_since else place.seeing_since
    return replace(place, voted_at=now, outvoted_since=None, seeing_since=cured)


def _contradicted_since(board: Board, module: str, location: str, now: datetime) -> datetime | None:
    """Since when a module fails at a place though every other one sees it well; None when that is not so."""
    if board.status(module) in FAILING:
        return None
    runs = _fresh(board, module, now)
    since, here = _here(runs, location)
    if since is None or here is not False or not _well_elsewhere(board, module, location, since, runs):
        return None
    return since


def _fresh(board: Board, module: str, now: datetime) -> list[Raw]:
    """The newest runs of a module that are not too old: where, when begun, whether all is well, and since when not.

    A good run at a place that still has failures on record is no proof that the module is well.
    """
    found: list[Raw] = []
    for probe in board.platform.deciding(module):
        if len(probe.locations) < 2:
            continue
        patience = board.platform.tuning.fresh_for(probe)
        for place, track in board.tracks_of(*probe.key).items():
            if track.raw is not None and now - track.raw[0] <= patience:
                at, good = track.raw
                found.append((place, at, good and not track.score, track.raw_bad_since))
    return found


def _here(fresh: Sequence[Raw], location: str) -> tuple[datetime | None, bool | None]:
    """Since when a module fails at a place, and whether its newest runs there were good; None when it had none."""
    runs = [run for run in fresh if run[0] == location]
    if not runs:
        return None, None
    return min((since for *_, since in runs if since), default=None), all(good for _, _, good, _ in runs)


def _well_elsewhere(board: Board, module: str, location: str, since: datetime | None, fresh: Sequence[Raw]) -> bool:
    """Whether every other failure domain sees a module well, and has looked since it began to fail here. What enough
    of them have seen fail is not well for a lucky answer."""
    if board.status(module) in FAILING:
        return False
    domain = board.domain_of(location)
    runs = [run for run in fresh if board.domain_of(run[0]) != domain]
    if since is not None:
        runs = [run for run in runs if run[1] >= since]
    return bool(runs) and all(good for _, _, good, _ in runs)


def dated(board: Board, observation: Observation) -> Board:
    """The board with the clock of the host that answered, as its `Date` has it; read once a minute for each host."""
    http = observation.http
    said = http.headers.get("date") if http else None
    if said is None or "age" in (http.headers if http else {}) or observation.module is None or observation.steps:
        return board
    probe = board.platform.probes.get((observation.module, observation.probe))
    host = host_of(probe) if probe else ""
    place = board.vantages.get(observation.location)
    known = place.clocks.get(host) if place else None
    if not host or (known and timedelta(0) <= observation.at - known[0] < CLOCK_EVERY):
        return board
    moment = moment_of(said)
    if moment is None:
        return board
    ahead = (moment - observation.ended_at).total_seconds()
    place = place or Vantage()
    clocks = {name: one for name, one in place.clocks.items() if observation.at - one[0] < 10 * CLOCK_EVERY}
    place = replace(place, clocks={**clocks, host: (observation.at, ahead)})
    return replace(board, vantages={**board.vantages, observation.location: place})


def skew(vantage: Vantage | None) -> float | None:
    """Seconds by which our clock is behind that of the others, when it is off at all: the median of several hosts."""
    clocks = sorted(ahead for _, ahead in vantage.clocks.values()) if vantage else []
    if len(clocks) < CLOCKS:
        return None
    middle = clocks[len(clocks) // 2]
    return middle if abs(middle) > OFF else None


def on_time(board: Board, observation: Observation, result: Result) -> Result:
    """The result, unless it follows from a clock of ours that is wrong."""
    if result.code not in ("tls.cert_not_yet_valid", "tls.cert_expired", "content.stale"):
        return result
    if result.code == "content.stale" and observation.http is None:
        return result  # calls of a heartbeat are dated by our own clock, like the run
    off = skew(board.vantages.get(observation.location))
    if off is None:
        return result
    reason = f"our own clock is {abs(off):.0f} s {'behind' if off > 0 else 'ahead'}"
    return Result(Outcome.UNKNOWN, "self.clock", Blame.SELF, (reason, *result.reasons))


def is_hidden(vantage: Vantage | None, observation: Observation, now: datetime) -> bool:
    """Whether a run says nothing because its place was blind at any moment of it; a blindness of the future is one of
    the present."""
    if vantage is None:
        return False
    since = vantage.blind_since
    if since is None:
        return vantage.seeing_since is not None and observation.at < vantage.seeing_since <= now
    return observation.ended_at >= since or since > now


def taken_back(vantage: Vantage, track: Track) -> Track:
    """The track without what a place learned that turns out to be blind, and without failures nobody vouched for. What
    it saw before that says nothing of the present."""
    since = vantage.blind_since
    if since is None or (track.private and vantage.outvoted_since is None):
        return track
    if track.bad_since is not None and (vantage.sees_at is None or vantage.sees_at < track.bad_since):
        since = min(since, track.bad_since)
    return outdated(forget(track, since))


def is_heard(board: Board, location: str) -> bool:
    """Whether a place is heard of: its agent, where it has one."""
    place = board.vantages.get(location)
    return place is None or place.stale_since is None


def is_credible(vantage: Vantage | None, tracks: Iterable[Track], now: datetime) -> bool:
    """Whether the failures of these tracks may be believed: the place saw its canaries after they began.

    Failures of loopback and private targets need no canaries: the network outside has no part in them. Where no
    answer comes at all, neither good nor bad, canaries say nothing.
    """
    public = [track.bad_since for track in tracks if track.bad_since and not track.private]
    if not public:
        return True
    if vantage is None:
        return False
    if vantage.sees_at is not None and vantage.sees_at >= min(public):
        return True
    return vantage.asked_at is not None and now - vantage.asked_at > ANSWERED_BY and not vantage.canaries


def is_believed(board: Board, tracks: Mapping[str, Track], now: datetime) -> bool:
    """Whether the failures that these places hold against a probe may be believed."""
    if not board.platform.canaries:
        return True
    return all(is_credible(board.vantages.get(place), [track], now) for place, track in tracks.items() if track.score)


def code_of_blindness(board: Board, location: str) -> str:
    """Our own resolver, when names are what fails; else our connection."""
    codes = [code for key in board.restless if key[2] == location for code, _ in board.tracks[key].codes]
    names = sum(code.startswith("dns.") for code in codes)
    return "self.dns" if 2 * names > len(codes) else "self.connectivity"


def is_aside(observation: Observation, track: Track) -> bool:
    """Whether the network outside has no part in a run, whose target is loopback or private: as its address says, or
    the last one that was known. In a name that could not be looked up others have a part, wherever it leads."""
    if observation.address:
        return is_private(observation.address)
    return track.private and not (observation.failure is not None and observation.failure.code.startswith("dns."))


@lru_cache(maxsize=4096)
def is_private(address: str) -> bool:
    """Whether an `ip:port` is loopback or private: own trouble of the network outside says nothing about it."""
    host = address.rpartition(":")[0].strip("[]").lower().removeprefix("::ffff:")
    if host in ("::1", "localhost") or (":" in host and host.startswith(("fc", "fd", "fe80:"))):
        return True
    first, second, *rest = [*host.split("."), "", ""]
    if not "".join((first, second, *rest)).isdigit():
        return False
    return (
        first in ("127", "10")
        or (first, second) in (("192", "168"), ("169", "254"))
        or (first == "172" and 16 <= int(second) <= 31)
    )
