"""Track: what is remembered of one probe at one place, and what each run adds to it.

Three channels gather evidence: failures, slowness, and failures now and then. A failed run adds ln(p1/p0) to its score,
a passed one takes ln((1-p0)/(1-p1)) off, and the score never leaves 0…CAP: however long a run of failures, one place
cannot be surer than the odds that the place itself is broken. `docs/judgement.md` derives the numbers.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log
from typing import Any

from monitor.core.anew import replace
from monitor.core.codes import HARMLESS, Blame
from monitor.core.expectation import Outcome, Result, is_slow
from monitor.core.marks import BACKEND
from monitor.core.observation import Observation
from monitor.core.signal import SETUP, error_codes

P1 = 0.9  # share of failing runs during an outage
VANTAGE_PRIOR = 1e-3  # share of time in which a place itself is broken
CAP = -log(VANTAGE_PRIOR)
NOISE = (2.0, 2000.0)  # prior (bad, all) of a healthy probe: 0.1 %
NOISE_RANGE = (0.002, 0.05)
NOISE_HALF_LIFE = timedelta(days=7)
PARTIAL_P1 = 0.25
PARTIAL_LIMIT = 12.0  # three failures in about eight runs
GONE = ("http.404", "http.410")
FADED = 0.75  # of one failure: what is left of it after five good runs begins nothing


@dataclass(frozen=True, slots=True)
class Sighting:
    """One failed or slow run, as evidence keeps it.

    `names` are error codes in the answer, `backend` whether an application behind the gateway gave it.
    """

    at: datetime
    code: str
    detail: str
    address: str | None = None
    backend: bool = False
    names: tuple[str, ...] = ()
    certificate: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """A value that was the same `runs` times in a row, up to the tolerance, first in the run that began at `since`."""

    value: Any
    since: datetime
    runs: int = 1


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the value under one JMESPath usually is, None until enough runs agree; and what it is at present, where that
    is something else."""

    path: str
    usual: Level | None = None
    other: Level | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered of one probe at one location. Instants are those at which runs began.

    `score`, `slow_score` and `partial_score` are the three channels; `blocked_score` counts refusals the same way,
    which are evidence only where a module is seen to be saturated. `value` is what must not stand still, and since when
    it does; `baselines` are the values that should stay what they are. `usual` is how many seconds a slow run takes at
    most in 99 of 100 cases, `usual_slow` and `usual_slowest` count what may yet raise it. `down_bad` of `down_all` runs
    failed while the probe was down. `since` values are the start of the present run of failures, of slow answers, of
    good answers; `well_at` is the end of the last run before the failures. `undo` holds the track as it was before each
    recent run, with that run's end, so that runs can be taken back when the place turns out to have been blind. `last`
    is what the newest run came to, for as long as that says anything of the present.
    """

    score: float = 0.0
    bad_since: datetime | None = None
    well_at: datetime | None = None
    last_bad_at: datetime | None = None
    slow_score: float = 0.0
    slow_since: datetime | None = None
    last_slow_at: datetime | None = None
    partial_score: float = 0.0
    partial_since: datetime | None = None
    partial_good: int = 0
    partial_bad: int = 0
    blocked_score: float = 0.0
    blocked_since: datetime | None = None
    last_blocked_at: datetime | None = None
    blocked_streak: int = 0
    blocked_code: str | None = None
    value: str | None = None
    value_since: datetime | None = None
    baselines: tuple[Baseline, ...] = ()
    usual: float = 0.0
    usual_slow: int = 0
    usual_slowest: float = 0.0
    down_bad: int = 0
    down_all: int = 0
    good_streak: int = 0
    good_since: datetime | None = None
    brisk_streak: int = 0
    brisk_since: datetime | None = None
    usable_at: datetime | None = None
    noise_bad: float = NOISE[0]
    noise_all: float = NOISE[1]
    pending_bad: int = 0
    sightings: tuple[Sighting, ...] = ()
    slow_sighting: Sighting | None = None
    codes: tuple[tuple[str, int], ...] = ()
    private: bool = False
    reprobe_at: datetime | None = None
    undo: tuple[tuple[datetime, "Track"], ...] = ()
    last: Result | None = None
    last_at: datetime | None = None
    good_address: str | None = None  # where the newest good run was answered
    runs: tuple[datetime, ...] = ()  # when the newest runs were scheduled
    raw: tuple[datetime, bool] | None = None  # when the newest run began and whether it was good, believed or not
    raw_bad_since: datetime | None = None  # … and since when such runs fail

    @property
    def noise(self) -> float:
        """Learned share of failing runs while the module is up, clamped."""
        low, high = NOISE_RANGE
        return min(max(self.noise_bad / self.noise_all, low), high)

    @property
    def code(self) -> str | None:
        """The most frequent code since the failures began, the earlier one on a tie; else that of slowness."""
        if self.codes:
            return max(self.codes, key=lambda pair: pair[1])[0]
        return self.slow_sighting.code if self.slow_sighting else None


NO_RUNS = Track()  # of a probe that has not run yet; made once, as every run looks for the one before


def is_bad(result: Result) -> bool:
    """Evidence that the module is failing."""
    return result.outcome is Outcome.FAILED and result.blame not in HARMLESS


def is_usable(result: Result) -> bool:
    """Evidence either way; own trouble, walls, wrong requests and caches say nothing about the module."""
    return is_bad(result) or (result.outcome in (Outcome.PASSED, Outcome.SLOW) and not result.edge_only)


def is_blocked(result: Result) -> bool:
    """Whether a wall or a limit refused us."""
    return result.blame is Blame.BLOCKED


def learn(track: Track, observation: Observation, result: Result, interval: timedelta) -> Track:
    """The track after one more judged run."""
    if is_blocked(result):
        return _learn_refusal(track, observation, result)
    if not is_usable(result):
        return replace(track, last=result, last_at=observation.at)
    bad, at = is_bad(result), observation.at
    slow = is_slow(result) and observation.duration > track.usual
    if not (bad or slow or is_notable(track)):  # all is well: by far the most frequent case, kept short
        return learned_well(track, observation, result, interval)
    before = replace(track, undo=())
    well_at = track.well_at if track.bad_since else track.usable_at
    track = replace(track, last=result, last_at=at, well_at=well_at, **_less_blocked(track, bad))
    rise, fall = log(P1 / track.noise), log((1 - P1) / (1 - track.noise))
    track = _learn_failures(track, observation, result, rise if bad else fall)
    if not bad:
        track = _learn_slowness(track, observation, result, rise if slow else fall)
    track = _learn_partial(track, observation, bad)
    track = _learn_noise(track, bad, interval)
    busy = track.score or track.slow_score
    return replace(
        track,
        usable_at=observation.ended_at,
        good_address=track.good_address if bad else observation.address,
        undo=(*track.undo[-24:], (observation.ended_at, before)) if busy else (),
    )


def learned_well(track: Track, observation: Observation, result: Result, interval: timedelta, **more: Any) -> Track:
    """The track of a probe about which all is well after one more good run, with `more` of its fields changed."""
    at = observation.at
    return replace(
        track,
        **_noise_after(track, interval),
        last=result,
        last_at=at,
        good_streak=track.good_streak + 1,
        good_since=track.good_since or at,
        brisk_streak=track.brisk_streak + 1,
        brisk_since=track.brisk_since or at,
        usable_at=observation.ended_at,
        good_address=observation.address,
        undo=(),
        **more,
    )


def _learn_refusal(track: Track, observation: Observation, result: Result) -> Track:
    """A refusal is counted by itself; nothing else is learned from it."""
    return replace(
        track,
        last=result,
        last_at=observation.at,
        blocked_score=min(track.blocked_score + log(P1 / track.noise), CAP),
        blocked_since=track.blocked_since or observation.at,
        last_blocked_at=observation.at,
        blocked_streak=track.blocked_streak + 1,
        blocked_code=result.code,
    )


def _less_blocked(track: Track, bad: bool) -> dict[str, Any]:
    """What an answer, good or bad, takes from the run of refusals."""
    if not track.blocked_score:
        return {}
    score = max(track.blocked_score + log((1 - P1) / (1 - track.noise)), 0.0)
    return {
        "blocked_score": score,
        "blocked_since": track.blocked_since if score else None,
        "blocked_streak": 0,
        "blocked_code": track.blocked_code if score else None,
    }


def adopted(track: Track) -> Track:
    """The track of a module that is saturated, before it learns of the refusal that shows it: what was refused until
    now counts as failed."""
    if track.blocked_since is None or track.blocked_code is None:
        return track
    since = min(track.bad_since or track.blocked_since, track.blocked_since)
    sighting = Sighting(track.blocked_since, track.blocked_code, "refused at every place, and what needs it fails")
    counts = dict(track.codes)
    counts[track.blocked_code] = counts.get(track.blocked_code, 0) + max(track.blocked_streak, 1)
    return replace(
        track,
        score=max(track.score, track.blocked_score),
        bad_since=since,
        sightings=(*track.sightings[:4], sighting),  # the first four, and the newest
        codes=tuple(counts.items()),
        blocked_score=0.0,
        blocked_since=None,
        blocked_streak=0,
        blocked_code=None,
    )


def sighted(observation: Observation, result: Result) -> Sighting:
    """What a failed or slow run shows, for evidence and for the search of its cause."""
    http = observation.http
    return Sighting(
        at=observation.at,
        code=result.code or "",
        detail="; ".join(result.reasons),
        address=observation.address,
        backend=http is not None and BACKEND in http.headers,
        names=tuple(code for code in error_codes(observation) if code not in SETUP)[:8],
        certificate=observation.certificate.sha256 if observation.certificate else None,
    )


def _learn_failures(track: Track, observation: Observation, result: Result, weight: float) -> Track:
    score, at = min(max(track.score + weight, 0.0), CAP), observation.at
    if weight <= 0:
        return replace(
            track,
            score=score,
            bad_since=track.bad_since if score else None,
            good_streak=track.good_streak + 1,
            good_since=track.good_since or at,
            sightings=track.sightings if score else (),
            codes=track.codes if score else (),
        )
    assert result.code is not None
    sighting, count = sighted(observation, result), dict(track.codes)
    count[result.code] = count.get(result.code, 0) + 1
    return replace(
        track,
        score=score,
        bad_since=min(track.bad_since or at, at),  # a run that began earlier may end later
        last_bad_at=at,
        good_streak=0,
        good_since=None,
        brisk_streak=0,
        brisk_since=None,
        sightings=(*track.sightings[:4], sighting),  # the first four, and the newest
        codes=tuple(count.items()),
    )


def _learn_slowness(track: Track, observation: Observation, result: Result, weight: float) -> Track:
    score, at, slow = min(max(track.slow_score + weight, 0.0), CAP), observation.at, weight > 0
    sighting = sighted(observation, result) if slow else track.slow_sighting
    return replace(
        track,
        slow_score=score,
        slow_since=min(track.slow_since or at, at) if slow else track.slow_since if score else None,
        last_slow_at=at if slow else track.last_slow_at,
        slow_sighting=sighting if score else None,
        brisk_streak=0 if slow else track.brisk_streak + 1,
        brisk_since=None if slow else track.brisk_since or at,
    )


def _learn_partial(track: Track, observation: Observation, bad: bool) -> Track:
    weight = log(PARTIAL_P1 / track.noise) if bad else log((1 - PARTIAL_P1) / (1 - track.noise))
    if bad and track.partial_score < FADED * weight:  # a stray before some good runs does not date what comes now
        return replace(track, partial_score=weight, partial_since=observation.at, partial_good=0, partial_bad=1)
    score = min(max(track.partial_score + weight, 0.0), PARTIAL_LIMIT)
    since = track.partial_since or (observation.at if bad else None)
    good = track.partial_good + (not bad and since is not None) if score else 0
    failed = track.partial_bad + bad if score else 0
    since = since if score else None
    return replace(track, partial_score=score, partial_since=since, partial_good=good, partial_bad=failed)


def _learn_noise(track: Track, bad: bool, interval: timedelta) -> Track:
    """Failures count as noise only once the suspicion they raised has passed without a verdict."""
    if bad:
        return replace(track, pending_bad=track.pending_bad + 1)
    if track.score:
        return track
    return replace(track, **_noise_after(track, interval))


def _noise_after(track: Track, interval: timedelta) -> dict[str, Any]:
    """What the noise is after a good run."""
    keep = 0.5 ** (interval / NOISE_HALF_LIFE)
    bad_seen = (track.noise_bad - NOISE[0]) * keep + track.pending_bad
    all_seen = (track.noise_all - NOISE[1]) * keep + track.pending_bad + 1
    return {"noise_bad": NOISE[0] + bad_seen, "noise_all": NOISE[1] + all_seen, "pending_bad": 0}


def is_notable(track: Track) -> bool:
    """Whether a restart must know more of a track than that all was well."""
    return bool(
        track.score or track.slow_score or track.partial_score or track.blocked_score or track.value is not None
    )


def is_restless(track: Track) -> bool:
    """Whether anything is held against a probe at the moment, refusals included."""
    return bool(track.score or track.slow_score or track.partial_score or track.blocked_score)


def is_gone(track: Track) -> bool:
    """Whether the address is not there, which has answered well before."""
    return track.last is not None and track.last.code in GONE and track.good_address is not None


def down(track: Track, result: Result | None) -> Track:
    """The track with one more run counted of those while its probe is down; None begins the count."""
    if result is None:
        failed = track.partial_bad or sum(count for _, count in track.codes)
        return replace(track, down_bad=failed, down_all=failed + track.partial_good)
    if not is_usable(result):
        return track
    return replace(track, down_bad=track.down_bad + is_bad(result), down_all=track.down_all + 1)


def relieved(track: Track) -> Track:
    """The track once its probe is no longer down or degraded: the failures that made it so are not held against it
    twice."""
    track = replace(track, partial_score=0.0, partial_since=None, partial_good=0, partial_bad=0)
    return replace(track, down_bad=0, down_all=0)


def silenced(track: Track) -> Track:
    """The track once nothing is known of its probe: no run of good, bad or slow answers reaches across a silence."""
    track = replace(track, bad_since=None, slow_since=None, partial_since=None, undo=())
    track = replace(track, partial_good=0, partial_bad=0)
    return replace(track, good_streak=0, good_since=None, brisk_streak=0, brisk_since=None)


def outdated(track: Track) -> Track:
    """The track once its newest run says nothing of the present any more."""
    return track if track.last is None else replace(track, last=None)


def forget(track: Track, since: datetime) -> Track:
    """The track without every run that was still under way at `since` or later: the place could not see."""
    for ended_at, before in track.undo:
        if ended_at >= since:
            return before
    return track
