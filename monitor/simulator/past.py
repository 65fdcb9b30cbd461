"""Past: the made-up ninety days as the facts a store keeps, so that a demo begins with bars and incidents."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.codes import code_of
from monitor.core.detector import Transition
from monitor.core.incident import Candidate, Cause, Incident, Member, Stage, Update, key_of, with_update
from monitor.core.module import Platform, Priority, Status
from monitor.core.rollup import component_status, impact_of
from monitor.simulator.history import PastIncident

DETECTED_AFTER = timedelta(seconds=70)


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
