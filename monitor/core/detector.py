"""Detector: when results make news. Capped CUSUM per failure domain, a quorum, and a least span of time.

Each probe has one track per location. Within a failure domain the surest place counts, the sum over the domains
decides, and how long it takes depends on how the probe can fail; `docs/judgement.md` derives the numbers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.codes import code_of
from monitor.core.module import Status
from monitor.core.probe import Probe
from monitor.core.track import CAP, PARTIAL_LIMIT, Track, is_bad, relieved
from monitor.core.tuning import Tuning

SLACK = 0.2
AGREED = 2 / 3  # share of the span for which as many places fail as must agree
WONDER = 1e-4  # chance that a probe which still fails answers this well
SELDOM, WONDER_SELDOM = 1, 0.05  # good runs in a row, and that chance, of one that has no extra runs: they take long
LEAST_SHARE = 0.2  # of runs that fail during an outage, for that chance; below, recovery would take too long
STILL = 0.5  # share of the limit from which a place still fails now and then: 21 good runs under it …
STILL_SELDOM = 0.75  # … and eleven for a probe that has no extra runs: they take long
TOGETHER, TOGETHER_SELDOM = 24, 12  # good runs since the last failure, of all places that saw one, that tell the same
PARTIAL_CAP = 8.0  # what one domain counts for at most where several look …
PARTIAL_QUORUM = 13.2  # … and what all must reach: more than a burst at one place and a stray failure elsewhere


@dataclass(frozen=True, slots=True)
class Transition:
    """A dated change of a module's status: decided `at`, true since `since`."""

    module: str
    before: Status
    after: Status
    at: datetime
    since: datetime


def span_needed(probe: Probe, tracks: Iterable[Track], domains: int, tuning: Tuning) -> timedelta:
    """Least time for which the failures must last; none for causes that cannot be a passing blip."""
    latest = max((t for t in tracks if t.sightings and t.last_bad_at), key=_last_bad_at, default=None)
    if latest is not None and code_of(_last_code(latest)).deterministic:
        return timedelta(0)
    if probe.confirm is not None:
        return probe.confirm
    return tuning.span_single if domains == 1 else tuning.span_quorum


def _last_bad_at(track: Track) -> datetime:
    assert track.last_bad_at is not None
    return track.last_bad_at


def _last_code(track: Track) -> str:
    """What the newest failed run gave; only the first few are kept as sightings."""
    if track.last is not None and track.last.code is not None and is_bad(track.last):
        return track.last.code
    return track.sightings[-1].code


@dataclass(frozen=True, slots=True)
class Panel:
    """The places whose word counts now, with the failure domain of each, and how many domains must agree."""

    domain_of: Mapping[str, str]

    @property
    def domains(self) -> int:
        """How many failure domains look."""
        return len(set(self.domain_of.values()))

    @property
    def quorum(self) -> int:
        """How many of them must agree: more than half."""
        return self.domains // 2 + 1

    def of(self, tracks: Mapping[str, Track]) -> dict[str, Track]:
        """The tracks of places whose word counts."""
        return {place: track for place, track in tracks.items() if place in self.domain_of}


def settle(
    probe: Probe,
    status: Status,
    tracks: Mapping[str, Track],
    panel: Panel,
    now: datetime,
    tuning: Tuning,
) -> tuple[Status, datetime]:
    """The status of a probe and since when, from its tracks by location. Nothing decided: the status it has."""
    if is_stale(probe, tracks.values(), now, tuning) or (
        status is Status.DOWN and _is_passed_over(probe, tracks.values(), tuning)
    ):
        usable = [t.usable_at for t in tracks.values() if t.usable_at]
        return Status.UNKNOWN, max(usable, default=now)
    tracks = panel.of(tracks)
    if status is not Status.DOWN and _failing(probe, tracks, panel, tuning):
        return Status.DOWN, min(t.bad_since for t in tracks.values() if t.bad_since)
    judged = {place: relieved(track) for place, track in tracks.items()} if status is Status.DOWN else tracks
    slow = _slow_since(probe, judged, panel, tuning)
    if status is Status.DOWN:
        still_slow = slow is not None or _total(tracks, panel, "slow_score") >= panel.quorum * CAP - SLACK
        recovered = _recovered(probe, tracks, panel, now, tuning)
        return (status, now) if recovered is None else (Status.DEGRADED if still_slow else Status.UP, recovered)
    if slow is not None:
        return Status.DEGRADED, slow
    if status is Status.DEGRADED:
        brisk = _brisk(probe, tracks, panel, now, tuning)
        return (status, now) if brisk is None else (Status.UP, brisk)
    if status is Status.UNKNOWN:  # where nothing was known the first good answer is enough; what failed has to recover
        if any(t.score and t.bad_since is None for t in tracks.values()):
            recovered = _recovered(probe, tracks, panel, now, tuning)
            return (status, now) if recovered is None else (Status.UP, recovered)
        good = [t.good_since for t in tracks.values() if t.good_since]
        return (Status.UP, min(good)) if good else (status, now)
    return status, now


def is_settled(probe: Probe, status: Status, track: Track, now: datetime, tuning: Tuning) -> bool:
    """Whether `settle` surely leaves a probe that one place looks at as it is, seen from its track at a glance: it is
    down and failed a moment ago or has not answered often enough since, or well and has failed too little, or for too
    short, for anything else."""
    if probe.kind in ("flow", "verdict") or is_stale(probe, [track], now, tuning):
        return False
    if status is Status.DOWN:
        return _is_recent(track.last_bad_at, now, tuning) or track.good_streak < _streak(probe, tuning)
    if status is not Status.UP or track.slow_score or track.partial_good:
        return False
    if track.score < CAP - SLACK or track.bad_since is None or track.last_bad_at is None:
        return True
    return track.last_bad_at - track.bad_since < span_needed(probe, [track], 1, tuning)


def _failing(probe: Probe, tracks: Mapping[str, Track], panel: Panel, tuning: Tuning) -> bool:
    failing = [t for t in tracks.values() if t.bad_since and t.last_bad_at]
    if not failing or not _is_sure(tracks, panel):
        return False
    proven = proven_at(probe, tracks, panel, tuning)
    return proven is not None and max(t.last_bad_at for t in failing if t.last_bad_at) >= proven


def _is_sure(tracks: Mapping[str, Track], panel: Panel) -> bool:
    """Whether the failures are worth the quorum, however short they are."""
    return _total(tracks, panel, "score") >= panel.quorum * CAP - SLACK


def proven_at(probe: Probe, tracks: Mapping[str, Track], panel: Panel, tuning: Tuning) -> datetime | None:
    """When a failure proves that the failures last: the span after the first, and most of it after as many failure
    domains fail as must agree. None while nothing fails.

    A place that was not well since the first failure of all has failed since then, for all we know; one that was has
    not, and cannot vouch for that time.
    """
    failing = {place: t for place, t in tracks.items() if t.bad_since}
    first = min((t.bad_since for t in failing.values() if t.bad_since), default=None)
    if first is None:
        return None
    begun = {place: first if t.well_at is None or t.well_at < first else t.bad_since for place, t in failing.items()}
    agreed = _since_quorum({place: at for place, at in begun.items() if at}, panel) or first
    span = span_needed(probe, failing.values(), panel.domains, tuning)
    return max(first + span, agreed + AGREED * span)


def _slow_since(probe: Probe, tracks: Mapping[str, Track], panel: Panel, tuning: Tuning) -> datetime | None:
    """Since when the probe is slow, or fails now and then; None when it is neither."""
    span = span_needed(probe, (), panel.domains, tuning)
    slow = [t for t in tracks.values() if t.slow_since and t.last_slow_at and t.slow_score]
    if slow and _total(tracks, panel, "slow_score") >= panel.quorum * CAP - SLACK:
        first = min(t.slow_since for t in slow if t.slow_since)
        if max(t.last_slow_at for t in slow if t.last_slow_at) - first >= span:
            return first
    if _is_sure(tracks, panel):
        return None  # it is down as soon as that has lasted
    partial = [t.partial_since for t in tracks.values() if t.partial_since]
    if not any(t.partial_good for t in tracks.values() if t.partial_since):
        return None  # it fails throughout, which the first channel is for
    cap, limit = (PARTIAL_LIMIT, PARTIAL_LIMIT) if panel.domains == 1 else (PARTIAL_CAP, PARTIAL_QUORUM)
    if partial and _total(tracks, panel, "partial_score", cap) >= limit - SLACK:
        bad = [t.last_bad_at for t in tracks.values() if t.last_bad_at]
        if bad and max(bad) - min(partial) >= span:
            return min(partial)
    return None


def _total(tracks: Mapping[str, Track], panel: Panel, channel: str, cap: float = CAP) -> float:
    """Sum over failure domains of the surest place in each."""
    best: dict[str, float] = {}
    for location, track in tracks.items():
        domain = panel.domain_of.get(location, location)
        best[domain] = max(best.get(domain, 0.0), min(getattr(track, channel), cap))
    return sum(best.values())


def _recovered(
    probe: Probe, tracks: Mapping[str, Track], panel: Panel, now: datetime, tuning: Tuning
) -> datetime | None:
    """Since when the probe answers again, once enough places say so for long enough."""
    if any(_is_recent(t.last_bad_at, now, tuning) for t in tracks.values()):
        return None
    if not _is_convincing(probe, tracks.values()):
        return None
    streak = _streak(probe, tuning)
    good = {p: t.good_since for p, t in tracks.items() if t.good_since and t.good_streak >= streak}
    return _since_quorum(good, panel)


def _streak(probe: Probe, tuning: Tuning) -> int:
    """How many good runs in a row it takes."""
    return tuning.recovery_streak if probe.extra_runs else SELDOM


def _is_convincing(probe: Probe, tracks: Iterable[Track]) -> bool:
    """Whether so many good runs in a row would be a wonder, were the probe still failing as often as it did."""
    tracks = list(tracks)
    failed = sum(track.down_bad for track in tracks)
    runs = sum(max(0, track.down_all - track.good_streak) for track in tracks)
    share = max(LEAST_SHARE, min(1.0, failed / runs)) if runs else 1.0
    good = sum(track.good_streak for track in tracks)
    return (1 - share) ** good <= (WONDER if probe.extra_runs else WONDER_SELDOM)


def _brisk(probe: Probe, tracks: Mapping[str, Track], panel: Panel, now: datetime, tuning: Tuning) -> datetime | None:
    """Since when the probe neither fails nor is slow, once that has lasted."""
    if fails_still(probe, tracks.values()):
        return None
    if any(_is_recent(at, now, tuning) for t in tracks.values() for at in (t.last_bad_at, t.last_slow_at)):
        return None
    streak = _streak(probe, tuning)
    brisk = {p: t.brisk_since for p, t in tracks.items() if t.brisk_since and t.brisk_streak >= streak}
    return _since_quorum(brisk, panel)


def fails_still(probe: Probe, tracks: Iterable[Track]) -> bool:
    """Whether a probe that fails now and then has not been well for so long, at each place or at all of them together,
    that this is over."""
    limit = PARTIAL_LIMIT * (STILL if probe.extra_runs else STILL_SELDOM)
    seen = [track for track in tracks if track.partial_score and track.last_bad_at]
    if all(track.partial_score < limit for track in seen):
        return False
    last = max(track.last_bad_at for track in seen if track.last_bad_at)
    enough = TOGETHER if probe.extra_runs else TOGETHER_SELDOM
    return sum(_good_since(track, last, probe.interval) for track in seen) < enough


def _good_since(track: Track, last: datetime, interval: timedelta) -> int:
    """At least how many good runs a place had since the last failure anywhere."""
    if track.good_since is None or track.last_at is None:
        return 0
    if track.good_since >= last:
        return track.good_streak
    return max(0, min(track.good_streak, (track.last_at - last) // interval))


def _since_quorum(begun: Mapping[str, datetime], panel: Panel) -> datetime | None:
    """When enough failure domains were well, or failed: a place that never saw the trouble does not date its end."""
    first: dict[str, datetime] = {}
    for place, since in begun.items():
        domain = panel.domain_of.get(place, place)
        first[domain] = min(first.get(domain, since), since)
    return sorted(first.values())[panel.quorum - 1] if len(first) >= panel.quorum else None


def _is_recent(trouble: datetime | None, now: datetime, tuning: Tuning) -> bool:
    """Whether trouble ended so recently that calm has not returned. The future is not: a clock was set back."""
    return trouble is not None and timedelta(0) <= now - trouble < tuning.calm


def _is_passed_over(probe: Probe, tracks: Iterable[Track], tuning: Tuning) -> bool:
    """Whether runs go on and say nothing of a probe any more: a flow that is in trouble earlier does not reach it."""
    if probe.kind not in ("flow", "verdict"):
        return False
    patience = tuning.stale_intervals * tuning.flow_pause
    return all(t.usable_at is not None and t.last_at is not None and t.last_at - t.usable_at > patience for t in tracks)


def is_stale(probe: Probe, tracks: Iterable[Track], now: datetime, tuning: Tuning) -> bool:
    """Whether no place has had anything usable to say for too long."""
    usable = [t.usable_at for t in tracks if t.usable_at]
    return not usable or now - max(usable) > tuning.fresh_for(probe)
