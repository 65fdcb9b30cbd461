"""Past: the made-up ninety days as the facts a store keeps, so that a demo begins with bars, incidents and plots."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import erf, log, sqrt

from monitor.core.codes import code_of
from monitor.core.detector import Transition
from monitor.core.history import bucket_of
from monitor.core.incident import Candidate, Cause, Incident, Member, Stage, Update, key_of, with_update
from monitor.core.module import Platform, Priority, Status
from monitor.core.rollup import component_status, impact_of
from monitor.simulator.history import PastIncident, latency

DETECTED_AFTER = timedelta(seconds=70)
RUNS_AN_HOUR = 120


def transitions(platform: Platform, past: Sequence[PastIncident], since: datetime) -> list[Transition]:
    """Every module up since the beginning, and down or degraded while an incident has it."""
    found = [
        Transition(id, Status.UNKNOWN, Status.UP, since, since) for id in platform.modules if platform.measured(id)
    ]
    for incident in past:
        for module, status in ((incident.module, incident.status), *incident.affected):
            bad = Status(status)
            found.append(Transition(module, Status.UP, bad, incident.started_at + DETECTED_AFTER, incident.started_at))
            found.append(Transition(module, bad, Status.UP, incident.ended_at + DETECTED_AFTER, incident.ended_at))
    return sorted(found, key=lambda t: (t.module, t.since))


def incidents(platform: Platform, past: Sequence[PastIncident]) -> list[Incident]:
    """One resolved incident each, with its members, impact and timeline."""
    return [_incident(platform, one) for one in past]


def _incident(platform: Platform, past: PastIncident) -> Incident:
    members = (
        Member(past.module, "root", Status(past.status), past.started_at, past.ended_at),
        *(Member(id, "affected", Status(status), past.started_at, past.ended_at) for id, status in past.affected),
    )
    statuses = {id: Status.UP for id in platform.modules} | {m.module: m.status for m in members}
    components = platform.components_of(statuses_of(members))
    root = platform.modules[past.module]
    detected, resolved = past.started_at + DETECTED_AFTER, past.ended_at + DETECTED_AFTER
    incident = Incident(
        key=key_of(past.module, past.started_at),
        started_at=past.started_at,
        detected_at=detected,
        published_at=detected,
        stage=Stage.IDENTIFIED,
        impact=impact_of([component_status(platform.components[id], statuses) for id in components]),
        priority=root.priority if past.status == "down" else Priority.NORMAL,
        cause=Cause(
            scope="module",
            module=past.module,
            candidates=(Candidate(past.module, 0.9),),
            code=past.code,
            cls=code_of(past.code).cls,
            confidence=0.9,
        ),
        members=members,
        components=components,
    )
    params = {"module": past.module, "code": past.code, "status": past.status}
    incident = with_update(incident, Update(detected, Stage.IDENTIFIED, "opened", params))
    for module, _ in past.affected:
        at = detected + timedelta(seconds=4)
        incident = with_update(incident, Update(at, Stage.IDENTIFIED, "member_added", {"module": module}))
    incident = with_update(incident, Update(resolved, Stage.RESOLVED, "resolved", {"module": past.module}))
    return replace(incident, resolved_at=resolved)


def statuses_of(members: Sequence[Member]) -> list[str]:
    """The modules of these members."""
    return [member.module for member in members]


def hours(
    platform: Platform, now: datetime, days: int
) -> Iterator[tuple[str, str, str, datetime, float, dict[int, int]]]:
    """(module, probe, location, hour, seconds in all, runs by latency bucket) of the last days, for plots."""
    start = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=days)
    for module in platform.modules.values():
        for probe in module.probes:
            if probe.off is None and probe.role == "verdict":
                for hour in range(days * 24):
                    at = start + timedelta(hours=hour)
                    middle, tail, _ = latency(module.id, at)
                    yield module.id, probe.id, "here", at, middle / 1000 * RUNS_AN_HOUR, _spread(middle, tail)


def _spread(middle: float, tail: float) -> dict[int, int]:
    """Runs of an hour over the buckets: lognormal around the median with the given 95th percentile."""
    sigma = log(tail / middle) / 1.645
    low, high = bucket_of(middle * 0.4), bucket_of(tail * 2)
    cumulated, runs = 0.0, {}
    for bucket in range(low, high + 1):
        upper = 0.1 * 10 ** ((bucket + 1) / 20)
        share = (1 + erf(log(upper / middle) / sigma / sqrt(2))) / 2
        count = round(share * RUNS_AN_HOUR) - round(cumulated * RUNS_AN_HOUR)
        cumulated = share
        if count:
            runs[bucket] = count
    return runs
