"""Traffic: the runs of the made-up past, hour by hour and, of the last day, one by one, so that a demo begins with
plots. Where the past had an incident, runs failed or were slow."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from math import erf, log, sqrt
from random import Random

from monitor.core.codes import code_of
from monitor.core.effect import Keep
from monitor.core.expectation import Outcome, Result
from monitor.core.history import bucket_of
from monitor.core.module import Platform
from monitor.core.observation import Observation
from monitor.core.probe import Probe, Role
from monitor.core.series import HOUR, Bin
from monitor.simulator.history import PastIncident, latency

RUNS_AN_HOUR = 120
WHOLE = timedelta(days=8)  # so far back every hour is told
PART = 6 * HOUR  # before that, one hour tells of six: nobody sees more of it, and a demo begins sooner
# Between runs of the last day, and of its last hour: fewer than the hours tell of, as when older ones are forgotten.
EVERY, OFTEN = timedelta(minutes=3), timedelta(seconds=31)
SLOWER = 5.0  # times, in an incident that made a module slow

# Shares of an answered run's time, by phase.
_SHARES = {"resolve": 0.03, "connect": 0.09, "tls": 0.17, "processing": 0.62, "transfer": 0.09}

Trouble = tuple[datetime, datetime, str, str]  # since, until, status, code


def hours(
    platform: Platform, past: Sequence[PastIncident], since: datetime, until: datetime
) -> Iterator[tuple[str, str, str, datetime, Bin]]:
    """(module, probe, location, hour, what was counted) from the hour of `since` up to that of `until`, without it."""
    first, last = (one.replace(minute=0, second=0, microsecond=0) for one in (since, until))
    near = _part(last - WHOLE)
    for probe in _probes(platform):
        trouble, at = _trouble(probe.module, past), first if first >= near else _part(first)
        while at < last:
            length = HOUR if at >= near else PART
            yield probe.module, probe.id, "here", at, _bin(probe.module, at, length, trouble)
            at += length


def runs(platform: Platform, past: Sequence[PastIncident], since: datetime, until: datetime) -> Iterator[Keep]:
    """Judged runs of each probe in between."""
    for probe in _probes(platform):
        trouble, random = _trouble(probe.module, past), Random(f"runs/{probe.module}/{probe.id}")
        at = since + timedelta(seconds=random.random() * 30)
        while at < until:
            yield _run(probe, at, trouble, random)
            at += OFTEN if until - at <= HOUR else EVERY


def _part(hour: datetime) -> datetime:
    """The beginning of the part of the day that an hour lies in."""
    return hour.replace(hour=hour.hour - hour.hour % 6)


def _probes(platform: Platform) -> list[Probe]:
    return [one for one in platform.probes.values() if one.off is None and one.role is Role.VERDICT and not one.steps]


def _trouble(module: str, past: Sequence[PastIncident]) -> list[Trouble]:
    """When a module was in trouble, and how."""
    return [
        (one.started_at, one.ended_at, status, one.code)
        for one in past
        for id, status in ((one.module, one.status), *one.affected)
        if id == module
    ]


def _bin(module: str, at: datetime, length: timedelta, trouble: list[Trouble]) -> Bin:
    middle, tail, _ = latency(module, at)
    whole = round(RUNS_AN_HOUR * (length / HOUR))
    failed, slow = (_struck(at, length, trouble, status, whole) for status in ("down", "degraded"))
    usual = _scaled(_spread(round(middle, -1) or 10.0, round(tail / middle, 1)), whole - failed - slow)
    late = {bucket_of(middle * SLOWER): slow} if slow else {}
    buckets = {index: usual.get(index, 0) + late.get(index, 0) for index in {**usual, **late}}
    seconds = (sum(usual.values()) + SLOWER * slow) * middle / 1000
    answered = sum(buckets.values())
    return Bin(failed + answered, failed, slow, seconds, buckets, answered, _phases(module, seconds))


def _struck(at: datetime, length: timedelta, trouble: list[Trouble], status: str, whole: int) -> int:
    """How many of the runs of a stretch fell into trouble of this status."""
    stretches = ((since, until) for since, until, how, _ in trouble if how == status)
    cut = (min(until, at + length) - max(since, at) for since, until in stretches)
    inside = sum((one for one in cut if one > timedelta(0)), timedelta(0))
    return round(whole * (inside / length))


def _run(probe: Probe, at: datetime, trouble: list[Trouble], random: Random) -> Keep:
    middle, tail, _ = latency(probe.module, at)
    seconds = middle / 1000 * random.lognormvariate(0, log(tail / middle) / 1.645)
    struck = next(((status, code) for since, until, status, code in trouble if since <= at < until), None)
    result = Result(Outcome.PASSED)
    if struck is not None:
        slow, code = struck[0] == "degraded", "http.slow_ttfb" if struck[0] == "degraded" else struck[1]
        seconds *= SLOWER if slow else 1.0
        result = Result(Outcome.SLOW if slow else Outcome.FAILED, code, code_of(code).blame)
    phases = _phases(probe.module, seconds)
    return Keep(Observation(at, probe.module, probe.id, "here", at, seconds, phases), result)


@lru_cache(maxsize=256)
def _shares(module: str) -> dict[str, float]:
    """A module's own shares: one answers from far away, another thinks for long."""
    random = Random(f"phases/{module}")
    shares = {name: share * random.uniform(0.6, 1.4) for name, share in _SHARES.items()}
    return {name: share / sum(shares.values()) for name, share in shares.items()}


def _phases(module: str, seconds: float) -> dict[str, float]:
    return {name: share * seconds for name, share in _shares(module).items()}


@lru_cache(maxsize=4096)
def _spread(middle: float, tail: float) -> dict[int, float]:
    """The share of runs in each bucket: lognormal around the median, the 95th percentile `tail` times as long."""
    sigma = log(tail) / 1.645
    cumulated, shares = 0.0, {}
    for bucket in range(bucket_of(middle * 0.4), bucket_of(middle * tail * 2) + 1):
        upper = 0.1 * 10 ** ((bucket + 1) / 20)
        share = (1 + erf(log(upper / middle) / sigma / sqrt(2))) / 2
        shares[bucket] = share - cumulated
        cumulated = share
    return shares


def _scaled(shares: dict[int, float], runs: int) -> dict[int, int]:
    """Whole runs by bucket."""
    cumulated, found, told = 0.0, {}, 0
    for bucket, share in shares.items():
        cumulated += share
        here = round(cumulated * runs) - told
        told += here
        if here:
            found[bucket] = here
    return found
