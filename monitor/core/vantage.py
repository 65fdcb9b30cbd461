"""Vantage: whether a place that looks can see anything at all, found out at the moment something fails.

Canaries are well-known targets on unrelated networks. They are asked when a public target fails, never cached: a
place that does not see most of them is blind, and what it saw meanwhile is taken back.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.board import Vantage
from monitor.core.detector import Track
from monitor.core.observation import Observation

ASK_EVERY = timedelta(seconds=5)


def asked(vantage: Vantage, now: datetime) -> Vantage:
    """The place with a new question put to its canaries; earlier answers no longer count."""
    return replace(vantage, asked_at=now, canaries={})


def may_ask(vantage: Vantage, now: datetime) -> bool:
    """Whether the last question is old enough for another."""
    return vantage.asked_at is None or now - vantage.asked_at >= ASK_EVERY


def heard(vantage: Vantage, observation: Observation, canaries: int) -> Vantage:
    """The place after one canary's answer: any answer at all is a good one."""
    target = observation.address or observation.probe
    well = observation.http is not None or observation.failure is None
    answers = {**vantage.canaries, target: (observation.at, well)}
    good = sum(well for _, well in answers.values())
    failed = [at for at, well in answers.values() if not well]
    vantage = replace(vantage, canaries=answers)
    if 2 * len(failed) > canaries:
        return replace(vantage, blind_since=vantage.blind_since or min(failed))
    if 2 * good > canaries:
        return replace(vantage, blind_since=None, sees_at=vantage.asked_at or observation.at)
    return vantage


def is_credible(vantage: Vantage | None, tracks: Iterable[Track]) -> bool:
    """Whether the failures of these tracks may be believed: the place saw its canaries after they began.

    Failures of loopback and private targets need no canaries: the network outside has no part in them.
    """
    public = [track.bad_since for track in tracks if track.bad_since and not track.private]
    if not public:
        return True
    return vantage is not None and vantage.sees_at is not None and vantage.sees_at >= min(public)
