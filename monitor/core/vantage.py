"""Vantage: whether a place that looks can see anything at all, found out at the moment something fails.

Canaries are well-known targets on unrelated networks. They are asked when a public target fails, never cached: a
place that does not see most of them is blind, and what it saw meanwhile is taken back.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Vantage
from monitor.core.observation import Observation
from monitor.core.track import Track, forget

ASK_EVERY = timedelta(seconds=5)
CLOCK_GRAIN = timedelta(milliseconds=1)  # to which a recording is exact


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
    vantage = replace(vantage, canaries=answers)
    if 2 * len(failed) > canaries:
        return replace(vantage, blind_since=vantage.blind_since or min(failed))
    if 2 * len(good) >= canaries:
        return replace(vantage, blind_since=None, sees_at=min([*good, vantage.asked_at or observation.at]))
    return vantage


def is_hidden(vantage: Vantage | None, observation: Observation, now: datetime) -> bool:
    """Whether a run says nothing because its place was blind; a blindness of the future is one of the present."""
    if vantage is None or vantage.blind_since is None:
        return False
    return observation.ended_at >= vantage.blind_since or vantage.blind_since > now


def taken_back(vantage: Vantage, track: Track) -> Track:
    """The track without what a place learned that turns out to be blind, and without failures nobody vouched for."""
    since = vantage.blind_since
    if since is None or track.private:
        return track
    if track.bad_since is not None and (vantage.sees_at is None or vantage.sees_at < track.bad_since):
        since = min(since, track.bad_since)
    return forget(track, since)


def is_credible(vantage: Vantage | None, tracks: Iterable[Track]) -> bool:
    """Whether the failures of these tracks may be believed: the place saw its canaries after they began.

    Failures of loopback and private targets need no canaries: the network outside has no part in them.
    """
    public = [track.bad_since for track in tracks if track.bad_since and not track.private]
    if not public:
        return True
    return vantage is not None and vantage.sees_at is not None and vantage.sees_at >= min(public)


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
