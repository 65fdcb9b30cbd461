"""Service: what a support plan promises about incidents, and how far it was kept, in the hours of the plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from monitor.core.incident import Incident
from monitor.core.module import Priority, Text
from monitor.core.plan import Plan
from monitor.core.route import Hours

MINUTE = timedelta(minutes=1)
LONGEST = timedelta(days=14)  # that a clock is followed


@dataclass(frozen=True, slots=True)
class Service:
    """How a promise was kept: `kind` is `response` or `update`. Of `asked` incidents `kept` kept it, `broken` did not,
    and of the rest that cannot be said yet; `worst_seconds` is the longest that anybody waited."""

    plan: str
    name: Text
    kind: str
    priority: Priority
    limit: timedelta
    asked: int
    kept: int
    broken: int
    worst_seconds: float | None


def worked(hours: Hours | None, since: datetime, until: datetime) -> timedelta:
    """How much of a stretch lies in working hours, to the minute they begin and end at."""
    until = min(until, since + LONGEST)
    if hours is None:
        return max(timedelta(0), until - since)
    found, at = timedelta(0), since
    while at < until:
        after = min(until, at.replace(second=0, microsecond=0) + MINUTE)
        if hours.within(at):
            found += after - at
        at = after
    return found


def answered_at(incident: Incident) -> datetime | None:
    """When a person first said something: that it is theirs, or a word for readers. What the monitor writes by itself
    is no answer."""
    said = [one.at for one in incident.updates if one.author != "monitor"]
    said += [one.at for one in incident.acts if one.what == "acknowledged"]
    return min([*said, *filter(None, [incident.acknowledged_at])], default=None)


def services(plans: Sequence[Plan], incidents: Sequence[Incident], now: datetime) -> list[Service]:
    """How every promise was kept in these incidents, in the order of the plans."""
    found = []
    for plan in plans:
        for kind, limits in (("response", plan.response), ("update", plan.update)):
            for priority in Priority:
                if priority.value in limits:
                    those = [one for one in incidents if one.priority is priority]
                    found.append(_kept(plan, kind, priority, limits[priority.value], those, now))
    return found


def _kept(
    plan: Plan, kind: str, priority: Priority, limit: timedelta, incidents: list[Incident], now: datetime
) -> Service:
    kept = broken = 0
    waits = []
    for one in incidents:
        wait, over = _waited(plan, one, now) if kind == "response" else _silent(plan, one, now)
        waits.append(wait.total_seconds())
        kept += over and wait <= limit
        broken += wait > limit
    worst = max(waits, default=None)
    return Service(plan.id, plan.name, kind, priority, limit, len(incidents), kept, broken, worst)


def _waited(plan: Plan, incident: Incident, now: datetime) -> tuple[timedelta, bool]:
    """How long the first answer took, and whether it can come no more: an end without a word is none."""
    ends = [at for at in (answered_at(incident), incident.resolved_at) if at is not None]
    return worked(plan.clock, incident.detected_at, min(ends, default=now)), bool(ends)


def _silent(plan: Plan, incident: Incident, now: datetime) -> tuple[timedelta, bool]:
    """The longest that readers waited for the next word while it went on, and whether it is over."""
    end = incident.resolved_at or now
    words = [incident.published_at or incident.detected_at, *(one.at for one in incident.updates), end]
    return max(_gaps(plan.clock, sorted(one for one in words if one <= end))), incident.resolved_at is not None


def _gaps(hours: Hours | None, words: list[datetime]) -> Iterable[timedelta]:
    yield timedelta(0)
    for one, other in pairwise(words):
        yield worked(hours, one, other)
