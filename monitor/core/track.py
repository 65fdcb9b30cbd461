"""Track: what is remembered of one probe at one place, and what each run adds to it.

Three channels gather evidence: failures, slowness, and failures now and then. A failed run adds ln(p1/p0) to its score,
a passed one takes ln((1-p0)/(1-p1)) off, and the score never leaves 0…CAP: however long a run of failures, one place
cannot be surer than the odds that the place itself is broken. `docs/judgement.md` derives the numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from math import log
from typing import Any

from monitor.core.codes import HARMLESS
from monitor.core.expectation import Outcome, Result, is_slow
from monitor.core.observation import Observation, moment, stamp

P1 = 0.9  # share of failing runs during an outage
VANTAGE_PRIOR = 1e-3  # share of time in which a place itself is broken
CAP = -log(VANTAGE_PRIOR)
NOISE = (2.0, 2000.0)  # prior (bad, all) of a healthy probe: 0.1 %
NOISE_RANGE = (0.002, 0.05)
NOISE_HALF_LIFE = timedelta(days=7)
PARTIAL_P1 = 0.25
PARTIAL_LIMIT = 12.0  # three failures in about eight runs


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
    bad, slow, at = is_bad(result), is_slow(result), observation.at
    if not (bad or slow or is_notable(track)):  # all is well: by far the most frequent case, kept short
        return replace(
            _learn_noise(track, bad, interval),
            good_streak=track.good_streak + 1,
            good_since=track.good_since or at,
            brisk_streak=track.brisk_streak + 1,
            brisk_since=track.brisk_since or at,
            usable_at=observation.ended_at,
            undo=(),
            reprobe_at=None,
        )
    before = replace(track, undo=())
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
        undo=(*track.undo[-24:], (observation.ended_at, before)) if busy else (),
        reprobe_at=track.reprobe_at if busy else None,
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
    sighting, count = Sighting(at, result.code, "; ".join(result.reasons)), dict(track.codes)
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
        sightings=(*track.sightings, sighting)[:5],
        codes=tuple(count.items()),
    )


def _learn_slowness(track: Track, observation: Observation, result: Result, weight: float) -> Track:
    score, at, slow = min(max(track.slow_score + weight, 0.0), CAP), observation.at, weight > 0
    sighting = Sighting(at, result.code or "", "; ".join(result.reasons)) if slow else track.slow_sighting
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
    score = min(max(track.partial_score + weight, 0.0), PARTIAL_LIMIT)
    since = track.partial_since or (observation.at if bad else None)
    return replace(track, partial_score=score, partial_since=since if score else None)


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


def is_notable(track: Track) -> bool:
    """Whether a restart must know more of a track than that all was well."""
    return bool(track.score or track.slow_score or track.partial_score)


def relieved(track: Track) -> Track:
    """The track once its probe is no longer down: the failures that made it so are not held against it twice."""
    return replace(track, partial_score=0.0, partial_since=None)


def silenced(track: Track) -> Track:
    """The track once nothing is known of its probe: no run of good, bad or slow answers reaches across a silence."""
    track = replace(track, bad_since=None, slow_since=None, partial_since=None, undo=())
    return replace(track, good_streak=0, good_since=None, brisk_streak=0, brisk_since=None)


def forget(track: Track, since: datetime) -> Track:
    """The track without every run that was still under way at `since` or later: the place could not see."""
    for ended_at, before in track.undo:
        if ended_at >= since:
            return before
    return track


_ELSEWISE = ("sightings", "slow_sighting", "codes", "reprobe_at", "undo", "last")  # told otherwise, or not at all
_INSTANTS = [f.name for f in fields(Track) if f.name not in _ELSEWISE and f.name.endswith(("_since", "_at"))]
_NUMBERS = [f.name for f in fields(Track) if f.name not in (*_ELSEWISE, *_INSTANTS)]


def track_to_json(track: Track) -> dict[str, Any]:
    """What a restart needs of a track; the pending re-probe and what could be undone are not kept.

    A track on which all is well is stored once and then no more, so when it was last heard is not told.
    """
    return {
        **{name: getattr(track, name) for name in _NUMBERS},
        **{name: stamp(getattr(track, name)) for name in _INSTANTS},
        "usable_at": stamp(track.usable_at) if is_notable(track) else None,
        "sightings": [_sighting_to_json(sighting) for sighting in track.sightings],
        "slow_sighting": None if track.slow_sighting is None else _sighting_to_json(track.slow_sighting),
        "codes": [list(pair) for pair in track.codes],
    }


def _sighting_to_json(sighting: Sighting) -> list[str | None]:
    return [stamp(sighting.at), sighting.code, sighting.detail]


def _sighting_from_json(raw: list[Any]) -> Sighting:
    at = moment(raw[0])
    assert at is not None
    return Sighting(at, raw[1], raw[2])


def track_from_json(raw: Mapping[str, Any]) -> Track:
    """The inverse of `track_to_json`. Raises KeyError or ValueError for anything else."""
    plain: dict[str, Any] = {name: raw[name] for name in _NUMBERS}
    plain |= {name: moment(raw[name]) for name in _INSTANTS}
    return Track(
        **plain,
        sightings=tuple(_sighting_from_json(one) for one in raw["sightings"]),
        slow_sighting=None if raw["slow_sighting"] is None else _sighting_from_json(raw["slow_sighting"]),
        codes=tuple((code, count) for code, count in raw["codes"]),
    )
