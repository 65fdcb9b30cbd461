"""Detector: when results make news. Capped CUSUM per failure domain, a quorum, and a least span of time.

Each probe has one track per location. A failed run adds ln(p1/p0) to its score, a passed one takes ln((1-p0)/(1-p1))
off, and the score never leaves 0…CAP: however long a run of failures, one place cannot be surer than the odds
that the place itself is broken. The sum over failure domains decides; `docs/judgement.md` derives the numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import log
from typing import Any

from monitor.core.codes import HARMLESS, code_of
from monitor.core.expectation import Outcome, Result, is_slow
from monitor.core.module import Status
from monitor.core.observation import Observation, moment, stamp
from monitor.core.probe import Probe
from monitor.core.tuning import Tuning

P1 = 0.9  # share of failing runs during an outage
VANTAGE_PRIOR = 1e-3  # share of time in which a place itself is broken
CAP = -log(VANTAGE_PRIOR)
SLACK = 0.2
NOISE = (2.0, 2000.0)  # prior (bad, all) of a healthy probe: 0.1 %
NOISE_RANGE = (0.002, 0.05)
NOISE_HALF_LIFE = timedelta(days=7)
PARTIAL_P1 = 0.25
PARTIAL_LIMIT = 12.0  # three failures in about eight runs
PARTIAL_CAP = 8.0  # what one domain counts for at most where several look


@dataclass(frozen=True, slots=True)
class Sighting:
    """One failed or slow run, as evidence keeps it."""

    at: datetime
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Track:
    """What is remembered of one probe at one location. Instants are those at which runs began.

    `score`, `slow_score` and `partial_score` are the three channels. `since` values are the start of the present
    run of failures, of slow answers, of good answers. `undo` holds the track as it was before each recent run, with
    that run's end, so that runs can be taken back when the place turns out to have been blind.
    """

    score: float = 0.0
    bad_since: datetime | None = None
    last_bad_at: datetime | None = None
    slow_score: float = 0.0
    slow_since: datetime | None = None
    last_slow_at: datetime | None = None
    partial_score: float = 0.0
    partial_since: datetime | None = None
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


@dataclass(frozen=True, slots=True)
class Transition:
    """A dated change of a module's status: decided `at`, true since `since`."""

    module: str
    before: Status
    after: Status
    at: datetime
    since: datetime


def is_bad(result: Result) -> bool:
    """Evidence that the module is failing."""
    return result.outcome is Outcome.FAILED and result.blame not in HARMLESS


def is_usable(result: Result) -> bool:
    """Evidence either way; own trouble, walls and wrong requests say nothing about the module."""
    return is_bad(result) or result.outcome in (Outcome.PASSED, Outcome.SLOW)


def learn(track: Track, observation: Observation, result: Result, interval: timedelta) -> Track:
    """The track after one more judged run."""
    track = replace(track, last=result, last_at=observation.at)
    if not is_usable(result):
        return track
    before = replace(track, undo=())
    bad, slow = is_bad(result), is_slow(result)
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
        private=_is_private(observation.address) if observation.address else track.private,
        undo=(*track.undo[-24:], (observation.ended_at, before)) if busy else (),
        reprobe_at=track.reprobe_at if busy else None,
    )


def _learn_failures(track: Track, observation: Observation, result: Result, weight: float) -> Track:
    score = min(max(track.score + weight, 0.0), CAP)
    at = observation.at
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
    detail = "; ".join(result.reasons)
    count = dict(track.codes)
    count[result.code] = count.get(result.code, 0) + 1
    return replace(
        track,
        score=score,
        bad_since=track.bad_since or at,
        last_bad_at=at,
        good_streak=0,
        good_since=None,
        brisk_streak=0,
        brisk_since=None,
        sightings=(*track.sightings, Sighting(at, result.code, detail))[:5],
        codes=tuple(count.items()),
    )


def _learn_slowness(track: Track, observation: Observation, result: Result, weight: float) -> Track:
    score = min(max(track.slow_score + weight, 0.0), CAP)
    at, slow = observation.at, weight > 0
    sighting = Sighting(at, result.code or "", "; ".join(result.reasons)) if slow else track.slow_sighting
    return replace(
        track,
        slow_score=score,
        slow_since=(track.slow_since or at) if slow else track.slow_since if score else None,
        last_slow_at=at if slow else track.last_slow_at,
        slow_sighting=sighting if score else None,
        brisk_streak=0 if slow else track.brisk_streak + 1,
        brisk_since=None if slow else track.brisk_since or at,
    )


def _learn_partial(track: Track, observation: Observation, bad: bool) -> Track:
    weight = log(PARTIAL_P1 / track.noise) if bad else log((1 - PARTIAL_P1) / (1 - track.noise))
    score = min(max(track.partial_score + weight, 0.0), PARTIAL_LIMIT)
    since = track.partial_since or observation.at if score else None
    return replace(track, partial_score=score, partial_since=since)


def _learn_noise(track: Track, bad: bool, interval: timedelta) -> Track:
    """Failures count as noise only once the suspicion they raised has passed without a verdict."""
    if bad:
        return replace(track, pending_bad=track.pending_bad + 1)
    if track.score:
        return track
    keep = 0.5 ** (interval / NOISE_HALF_LIFE)
    bad_seen = (track.noise_bad - NOISE[0]) * keep + track.pending_bad
    all_seen = (track.noise_all - NOISE[1]) * keep + track.pending_bad + 1
    return replace(track, noise_bad=NOISE[0] + bad_seen, noise_all=NOISE[1] + all_seen, pending_bad=0)


def _is_private(address: str) -> bool:
    """Whether an `ip:port` is loopback or private: own trouble of the network outside says nothing about it."""
    host = address.rpartition(":")[0].strip("[]").lower()
    if host in ("::1", "localhost") or host.startswith(("fc", "fd", "fe80:")):
        return True
    first, _, rest = host.removeprefix("::ffff:").partition(".")
    second = rest.partition(".")[0]
    return (
        first in ("127", "10")
        or (first, second) in (("192", "168"), ("169", "254"))
        or (first == "172" and second.isdigit() and 16 <= int(second) <= 31)
    )


def span_needed(probe: Probe, tracks: Iterable[Track], domains: int, tuning: Tuning) -> timedelta:
    """Least time from the first to the last failure; none for causes that cannot be a passing blip."""
    latest = max((t for t in tracks if t.sightings), key=lambda t: t.sightings[-1].at, default=None)
    if latest is not None and code_of(latest.sightings[-1].code).deterministic:
        return timedelta(0)
    if probe.confirm is not None:
        return probe.confirm
    return tuning.span_single if domains == 1 else tuning.span_quorum


def settle(
    probe: Probe,
    status: Status,
    tracks: Mapping[str, Track],
    domain_of: Mapping[str, str],
    now: datetime,
    tuning: Tuning,
) -> tuple[Status, datetime]:
    """The status of a probe and since when, from its tracks by location. Nothing decided: the status it has."""
    domains = {domain_of.get(location, location) for location in probe.locations}
    quorum = len(domains) // 2 + 1
    if status is not Status.DOWN and _failing(probe, tracks, domain_of, quorum, len(domains), tuning):
        return Status.DOWN, min(t.bad_since for t in tracks.values() if t.bad_since)
    if _is_stale(probe, tracks, now, tuning):
        usable = [t.usable_at for t in tracks.values() if t.usable_at]
        return Status.UNKNOWN, max(usable, default=now)
    slow = _slow_since(probe, tracks, domain_of, quorum, len(domains), tuning)
    if status is Status.DOWN:
        recovered = _recovered(tracks, domain_of, quorum, now, tuning)
        if recovered is None:
            return status, now
        still_slow = slow is not None or _total(tracks, domain_of, "slow_score") >= quorum * CAP - SLACK
        return (Status.DEGRADED if still_slow else Status.UP), recovered
    if slow is not None:
        return Status.DEGRADED, slow
    if status is Status.DEGRADED:
        brisk = _brisk(tracks, domain_of, quorum, now, tuning)
        return (status, now) if brisk is None else (Status.UP, brisk)
    if status is Status.UNKNOWN:  # where nothing was known, the first good answer is enough
        good = [t.good_since for t in tracks.values() if t.good_since]
        return (Status.UP, min(good)) if good else (status, now)
    return status, now


def _failing(
    probe: Probe,
    tracks: Mapping[str, Track],
    domain_of: Mapping[str, str],
    quorum: int,
    domains: int,
    tuning: Tuning,
) -> bool:
    if _total(tracks, domain_of, "score") < quorum * CAP - SLACK:
        return False
    failing = [t for t in tracks.values() if t.bad_since and t.last_bad_at]
    first = min(t.bad_since for t in failing if t.bad_since)
    last = max(t.last_bad_at for t in failing if t.last_bad_at)
    return last - first >= span_needed(probe, failing, domains, tuning)


def _slow_since(
    probe: Probe,
    tracks: Mapping[str, Track],
    domain_of: Mapping[str, str],
    quorum: int,
    domains: int,
    tuning: Tuning,
) -> datetime | None:
    """Since when the probe is slow, or fails now and then; None when it is neither."""
    span = probe.confirm or (tuning.span_single if domains == 1 else tuning.span_quorum)
    slow = [t for t in tracks.values() if t.slow_since and t.last_slow_at and t.slow_score]
    if slow and _total(tracks, domain_of, "slow_score") >= quorum * CAP - SLACK:
        first = min(t.slow_since for t in slow if t.slow_since)
        if max(t.last_slow_at for t in slow if t.last_slow_at) - first >= span:
            return first
    partial = [t.partial_since for t in tracks.values() if t.partial_since]
    cap = PARTIAL_LIMIT if domains == 1 else PARTIAL_CAP
    if partial and _total(tracks, domain_of, "partial_score", cap) >= PARTIAL_LIMIT - SLACK:
        bad = [t.last_bad_at for t in tracks.values() if t.last_bad_at]
        if bad and max(bad) - min(partial) >= span:
            return min(partial)
    return None


def _total(tracks: Mapping[str, Track], domain_of: Mapping[str, str], channel: str, cap: float = CAP) -> float:
    """Sum over failure domains of the surest place in each."""
    best: dict[str, float] = {}
    for location, track in tracks.items():
        domain = domain_of.get(location, location)
        best[domain] = max(best.get(domain, 0.0), min(getattr(track, channel), cap))
    return sum(best.values())


def _recovered(
    tracks: Mapping[str, Track], domain_of: Mapping[str, str], quorum: int, now: datetime, tuning: Tuning
) -> datetime | None:
    """Since when the probe answers again, once enough places say so for long enough."""
    good = {domain_of.get(place, place) for place, t in tracks.items() if t.good_streak >= tuning.recovery_streak}
    last_bad = max((t.last_bad_at for t in tracks.values() if t.last_bad_at), default=None)
    if len(good) < quorum or (last_bad is not None and now - last_bad < tuning.calm):
        return None
    return min(t.good_since for t in tracks.values() if t.good_since)


def _brisk(
    tracks: Mapping[str, Track], domain_of: Mapping[str, str], quorum: int, now: datetime, tuning: Tuning
) -> datetime | None:
    """Since when the probe neither fails nor is slow, once that has lasted."""
    brisk = {domain_of.get(place, place) for place, t in tracks.items() if t.brisk_streak >= tuning.recovery_streak}
    trouble = [moment for t in tracks.values() for moment in (t.last_bad_at, t.last_slow_at) if moment]
    if _total(tracks, domain_of, "partial_score", PARTIAL_LIMIT) >= PARTIAL_LIMIT / 2:
        return None  # it still fails now and then
    if len(brisk) < quorum or (trouble and now - max(trouble) < tuning.calm):
        return None
    return min(t.brisk_since for t in tracks.values() if t.brisk_since)


def _is_stale(probe: Probe, tracks: Mapping[str, Track], now: datetime, tuning: Tuning) -> bool:
    usable = [t.usable_at for t in tracks.values() if t.usable_at]
    return not usable or now - max(usable) > tuning.stale_intervals * probe.interval + probe.timeout


def relieved(track: Track) -> Track:
    """The track once its probe is no longer down: the failures that made it so are not held against it twice."""
    return replace(track, partial_score=0.0, partial_since=None)


def forget(track: Track, since: datetime) -> Track:
    """The track without every run that was still under way at `since` or later: the place could not see."""
    for ended_at, before in track.undo:
        if ended_at >= since:
            return before
    return track


_INSTANTS = (
    "bad_since",
    "last_bad_at",
    "slow_since",
    "last_slow_at",
    "partial_since",
    "good_since",
    "brisk_since",
    "usable_at",
    "last_at",
)
_NUMBERS = (
    "score",
    "slow_score",
    "partial_score",
    "good_streak",
    "brisk_streak",
    "noise_bad",
    "noise_all",
    "pending_bad",
    "private",
)


def track_to_json(track: Track) -> dict[str, Any]:
    """What a restart needs of a track; the pending re-probe and what could be undone are not kept."""
    return {
        **{name: getattr(track, name) for name in _NUMBERS},
        **{name: stamp(getattr(track, name)) for name in _INSTANTS},
        "sightings": [_sighting_to_json(sighting) for sighting in track.sightings],
        "slow_sighting": None if track.slow_sighting is None else _sighting_to_json(track.slow_sighting),
        "codes": [list(pair) for pair in track.codes],
    }


def _sighting_to_json(sighting: Sighting) -> list[str | None]:
    return [stamp(sighting.at), sighting.code, sighting.detail]


def _sighting_from_json(raw: list[Any]) -> Sighting:
    at, code, detail = raw
    seen_at = moment(at)
    assert seen_at is not None
    return Sighting(seen_at, code, detail)


def track_from_json(raw: Mapping[str, Any]) -> Track:
    """The inverse of `track_to_json`. Raises KeyError or ValueError for anything else."""
    fields: dict[str, Any] = {name: raw[name] for name in _NUMBERS}
    fields |= {name: moment(raw[name]) for name in _INSTANTS}
    return Track(
        **fields,
        sightings=tuple(_sighting_from_json(one) for one in raw["sightings"]),
        slow_sighting=None if raw["slow_sighting"] is None else _sighting_from_json(raw["slow_sighting"]),
        codes=tuple((code, count) for code, count in raw["codes"]),
    )
