"""Service: what a support plan promises about incidents, and how far it was kept, in the hours of the plan."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from monitor.core.concern import concerned
from monitor.core.hours import Hours, due_at, worked
from monitor.core.incident import Incident
from monitor.core.module import Platform, Priority
from monitor.core.observation import moment
from monitor.core.plan import Client, Plan
from monitor.core.text import Text


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


def service_to_json(one: Service) -> dict[str, Any]:
    """As the report and the review tell it, without the plan."""
    return {
        "promise": one.kind,
        "priority": one.priority.value,
        "limit_seconds": round(one.limit.total_seconds()),
        "incidents": one.asked,
        "kept": one.kept,
        "broken": one.broken,
        "worst_seconds": None if one.worst_seconds is None else round(one.worst_seconds),
    }


def answered_at(incident: Incident, plan: str | None = None) -> datetime | None:
    """When a person first said something: that it is theirs, a word for readers, or an answer in a ticket of a store of
    this plan, None: of any. What the monitor writes by itself is no answer, and what stands in a draft is one once that
    is published."""
    said = [one for one, author in _words(incident) if author != "monitor"]
    said += [one.at for one in incident.acts if one.what in ("acknowledged", "lowered")]
    return min([*said, *replies(incident, plan), *filter(None, [incident.acknowledged_at])], default=None)


def replies(incident: Incident, plan: str | None) -> list[datetime]:
    """When tickets of stores of a plan were answered; None: of any."""
    told = (act.detail for act in incident.acts if act.what == "replied")
    moments = (moment(one["at"]) for one in told if plan is None or one["plan"] in (None, plan))
    return [at for at in moments if at is not None]


def stated(incident: Incident) -> Priority:
    """The priority by which its first answer is asked for: a lower one says that there was one."""
    return incident.priority if incident.lowered is None else incident.lowered.stated


def _words(incident: Incident) -> list[tuple[datetime, str]]:
    """When readers could first read each entry, and whose it is: none of a draft."""
    public_at = incident.published_at
    return [] if public_at is None else [(max(one.at, public_at), one.author) for one in incident.updates]


def _told_at(incident: Incident, plan: str) -> list[datetime]:
    """When readers heard of it, and the stores of a plan in their tickets; of a draft they wait from the verdict on."""
    answered = [max(at, incident.detected_at) for at in replies(incident, plan)]
    return [*answered, incident.published_at or incident.detected_at, *(at for at, _ in _words(incident))]


@dataclass(frozen=True, slots=True)
class Clock:
    """What a plan promises about one incident: the first answer (`response`), or the next word (`update`) since the
    last one. It runs in the hours of the plan; `stopped_at` is when that came, or could come no more."""

    plan: str
    name: Text
    kind: str
    priority: Priority
    limit: timedelta
    hours: Hours | None
    since: datetime
    stopped_at: datetime | None = None

    def at(self, share: float) -> datetime | None:
        """When this part of the limit has passed, whether or not the clock still runs then."""
        return due_at(self.hours, self.since, self.limit * share)

    def waited(self, now: datetime) -> timedelta:
        """How much time has passed on it."""
        return worked(self.hours, self.since, min(self.stopped_at or now, now))

    def used(self, now: datetime) -> float:
        """The part of the limit that has passed, above 1 once it is broken."""
        return self.waited(now) / self.limit

    def is_running(self, now: datetime) -> bool:
        """Whether time passes on it now."""
        return self.stopped_at is None and (self.hours is None or self.hours.within(now))

    @property
    def kept(self) -> bool | None:
        """Whether the promise was kept; None while nobody knows."""
        return None if self.stopped_at is None else self.used(self.stopped_at) <= 1


def served(incident: Incident, platform: Platform) -> list[Client]:
    """The stores that an incident concerns."""
    here = concerned(incident, platform)
    return [one for one in platform.clients if one.id in here]


def owed(incident: Incident, platform: Platform) -> list[Plan]:
    """The plans that promise somebody something about an incident: all of them where no stores are named."""
    if not platform.clients:
        return list(platform.plans)
    held = {one.plan for one in served(incident, platform)}
    return [one for one in platform.plans if one.id in held]


def clocks(plans: Sequence[Plan], incident: Incident) -> list[Clock]:
    """The clocks of an incident, in the order of the plans; that of the next word runs while the incident is open."""
    found = []
    for plan in plans:
        if (first := _first_answer(plan, incident)) is not None:
            found.append(first)
        if (limit := plan.update.get(incident.priority.value)) and incident.is_open:
            since = max(_told_at(incident, plan.id))
            found.append(Clock(plan.id, plan.name, "update", incident.priority, limit, plan.clock, since))
    return found


def _first_answer(plan: Plan, incident: Incident) -> Clock | None:
    """The clock of the first answer, at the priority by which it is asked for; it can come no more after the end."""
    priority, since = stated(incident), incident.detected_at
    if not (limit := plan.response.get(priority.value)):
        return None
    ends = [max(since, at) for at in (answered_at(incident, plan.id), incident.resolved_at) if at is not None]
    return Clock(plan.id, plan.name, "response", priority, limit, plan.clock, since, min(ends, default=None))


def services(
    plans: Sequence[Plan], incidents: Sequence[Incident], now: datetime, platform: Platform | None = None
) -> list[Service]:
    """How every promise was kept in these incidents, in the order of the plans. Those of a `platform` with stores count
    for the plans of the stores they concern."""
    found = []
    for plan in plans:
        for kind, limits in (("response", plan.response), ("update", plan.update)):
            for priority in Priority:
                if priority.value in limits:
                    those = [one for one in incidents if _counts(plan, one, platform)]
                    found.append(_kept(plan, kind, priority, limits[priority.value], those, now))
    return found


def _counts(plan: Plan, incident: Incident, platform: Platform | None) -> bool:
    if platform is None or not platform.clients:
        return True
    return any(one.plan == plan.id for one in served(incident, platform))


def _kept(
    plan: Plan, kind: str, priority: Priority, limit: timedelta, incidents: list[Incident], now: datetime
) -> Service:
    kept = broken = 0
    waits = []
    for one in incidents:
        found = _waited(plan, one, priority, now) if kind == "response" else _silent(plan, one, priority, now)
        if found is not None:
            wait, over = found
            waits.append(wait.total_seconds())
            kept += over and wait <= limit
            broken += wait > limit
    worst = max(waits, default=None)
    return Service(plan.id, plan.name, kind, priority, limit, len(waits), kept, broken, worst)


def _waited(plan: Plan, incident: Incident, priority: Priority, now: datetime) -> tuple[timedelta, bool] | None:
    """How long the first answer took, and whether it can come no more: an end without a word is none. None where it
    was asked for at another priority."""
    clock = _first_answer(plan, incident) if stated(incident) is priority else None
    return None if clock is None else (clock.waited(now), clock.stopped_at is not None)


def _silent(plan: Plan, incident: Incident, priority: Priority, now: datetime) -> tuple[timedelta, bool] | None:
    """The longest that readers waited for the next word while it went on at this priority, and whether that is over;
    None where it never had it."""
    end, low = incident.resolved_at or now, incident.lowered
    since, until, over = None, end, incident.resolved_at is not None
    if low is not None and priority is low.stated is not incident.priority:
        until, over = min(low.at, end), True
    elif incident.priority is not priority:
        return None
    elif low is not None:
        since = low.at
    words = [*_told_at(incident, plan.id), until, *([] if since is None else [since])]
    asked = sorted(one for one in words if one <= until and (since is None or one >= since))
    return max(_gaps(plan.clock, asked)), over


def _gaps(hours: Hours | None, words: list[datetime]) -> Iterable[timedelta]:
    yield timedelta(0)
    for one, other in pairwise(words):
        yield worked(hours, one, other)
