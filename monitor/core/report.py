"""Report: what a month, a quarter or any stretch of time was like, in figures that can be signed.

Everything comes from stored facts by the functions that page, API and metric use. The public copy is the same without
what people did and when, and without drafts.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from math import fsum

from monitor.core.availability import Availability, Interrupted, Subject, subjects
from monitor.core.incident import Incident, Update
from monitor.core.module import Platform
from monitor.core.period import Period
from monitor.core.plan import Plan
from monitor.core.service import Service, answered_at, services
from monitor.core.uptime import Day, Uptime, days

MOST_DAYS = 100  # that are told one by one
COMPARABLE = 0.9  # of the coverage, which the period before needs to be compared
LEAST_REPEATS = 2  # incidents that make a module a repeat offender


@dataclass(frozen=True, slots=True)
class Spending:
    """The error budget of an objective over the period, in seconds; `kept` None: nothing was known."""

    objective: float
    allowed_seconds: float
    lost_seconds: float
    kept: bool | None


@dataclass(frozen=True, slots=True)
class Row:
    """A thing with its figures: of the period, of the one before, by VTEX's own rule, and against its objective."""

    subject: Subject
    uptime: Uptime
    before: Uptime
    interrupted: Interrupted
    budget: Spending | None

    @property
    def change(self) -> float | None:
        """By how much the ratio is better than before; None where too little is known of before to compare."""
        if self.uptime.ratio is None or self.before.ratio is None:
            return None
        comparable = self.before.coverage >= COMPARABLE * self.uptime.coverage
        return self.uptime.ratio - self.before.ratio if comparable else None


@dataclass(frozen=True, slots=True)
class Course:
    """An incident with how long it took to detect, to be answered by a person and to recover, in seconds from its first
    failing observation (the answer from its detection); None: not yet, never, or not public."""

    incident: Incident
    detect_seconds: float
    acknowledge_seconds: float | None
    recover_seconds: float | None


@dataclass(frozen=True, slots=True)
class Times:
    """Of several lengths in seconds; None of none."""

    count: int
    mean: float | None = None
    median: float | None = None
    worst: float | None = None

    @classmethod
    def of(cls, lengths: Iterable[float | None]) -> "Times":
        """From those that are known."""
        known = sorted(one for one in lengths if one is not None)
        if not known:
            return cls(0)
        middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
        return cls(len(known), fsum(known) / len(known), middle, known[-1])


@dataclass(frozen=True, slots=True)
class Offender:
    """A module that several incidents came from, and how long these lasted together."""

    module: str
    incidents: tuple[str, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """`period` ends now where it is not over, `whole` is all of it. `began` are the incidents that began in it, the
    oldest first, `carried` those from before that were still going on; `plans` are plans with their figure."""

    whole: Period
    period: Period
    before: Period
    rows: tuple[Row, ...]
    began: tuple[Course, ...]
    carried: tuple[Course, ...]
    times: tuple[Times, Times, Times]  # to detect, to acknowledge, to recover
    times_before: tuple[Times, Times, Times]
    offenders: tuple[Offender, ...]
    days: Mapping[str, tuple[Day, ...]]  # of each component, or module where there are none; empty over long stretches
    services: tuple[Service, ...] = ()
    plans: tuple[tuple[Plan, Spending], ...] = ()
    lowered: tuple[tuple[Incident, Update], ...] = ()  # priorities that people lowered in it, with the entry
    public: bool = False

    @property
    def is_over(self) -> bool:
        """Whether all of the period has passed."""
        return self.period == self.whole

    def row(self, subject: Subject) -> Row:
        """The figures of one thing. Raises KeyError."""
        for one in self.rows:
            if one.subject == subject:
                return one
        raise KeyError(subject)

    def rows_of(self, kind: str) -> list[Row]:
        """Those of one kind, in the order of the page."""
        return [one for one in self.rows if one.subject.kind == kind]


def report(
    past: Availability,
    whole: Period,
    period: Period,
    before: Period,
    zone: tzinfo,
    plans: Sequence[Plan] = (),
    public: bool = False,
) -> Report:
    """The report of a period, from a past that reaches back to the beginning of the one before."""
    now = period.until
    told = [one for one in past.history.incidents if _is_told(one, public)]
    told.sort(key=lambda one: (one.started_at, one.id))
    began = [_course(one, now, public) for one in told if period.since <= one.started_at < period.until]
    earlier = [_course(one, now, public) for one in told if before.since <= one.started_at < before.until]
    carried = [one for one in told if one.started_at < period.since and _end(one, now) > period.since]
    incidents = [one.incident for one in began]
    return Report(
        whole=whole,
        period=period,
        before=before,
        rows=tuple(_row(past, one, period, before) for one in subjects(past.platform)),
        began=tuple(began),
        carried=tuple(_course(one, now, public) for one in carried),
        times=_times(began),
        times_before=_times(earlier),
        offenders=tuple(_offenders(began, now)),
        days=_days(past, period, zone),
        services=() if public else tuple(services(plans, incidents, now, past.platform)),
        plans=() if public else tuple(_plans(past, plans, period)),
        lowered=tuple(_lowered(told, period)),
        public=public,
    )


def _lowered(told: Iterable[Incident], period: Period) -> list[tuple[Incident, Update]]:
    found = [(one, entry) for one in told for entry in one.updates if entry.kind == "lowered"]
    within = (pair for pair in found if period.since <= pair[1].at < period.until)
    return sorted(within, key=lambda pair: (pair[1].at, pair[0].id))


def _days(past: Availability, period: Period, zone: tzinfo) -> dict[str, tuple[Day, ...]]:
    last = period.until - timedelta(microseconds=1)
    count = (last.astimezone(zone).date() - period.since.astimezone(zone).date()).days + 1
    if not 1 <= count <= MOST_DAYS:
        return {}
    lines = past.lines(Subject("platform"))
    return {id: tuple(days(cut, last, count, zone)) for id, cut in lines.items()}


def _is_told(incident: Incident, public: bool) -> bool:
    """What proved to be a part of another is told there, and what only one place saw is trouble of ours."""
    return incident.merged_into is None and not incident.is_regional and not (public and incident.published_at is None)


def _end(incident: Incident, now: datetime) -> datetime:
    return incident.ended_at or incident.resolved_at or now


def _course(incident: Incident, now: datetime, public: bool) -> Course:
    """What is not over by the end of the period has not recovered in it."""
    answered, ended = answered_at(incident), incident.ended_at or incident.resolved_at
    waited = None if public or answered is None or answered > now else answered - incident.detected_at
    return Course(
        incident,
        max(0.0, (incident.detected_at - incident.started_at).total_seconds()),
        None if waited is None else max(0.0, waited.total_seconds()),
        None if ended is None or ended > now else (ended - incident.started_at).total_seconds(),
    )


def _times(courses: Sequence[Course]) -> tuple[Times, Times, Times]:
    ours = [one for one in courses if not one.incident.by_hand]  # whoever opens one by hand detected and answered it
    return (
        Times.of(one.detect_seconds for one in ours),
        Times.of(one.acknowledge_seconds for one in ours),
        Times.of(one.recover_seconds for one in courses),
    )


def _row(past: Availability, subject: Subject, period: Period, before: Period) -> Row:
    one = past.figure(subject, period.since, period.until)
    objective = objective_of(past.platform, subject)
    return Row(
        subject,
        one,
        past.figure(subject, before.since, before.until),
        past.interrupted(subject, period.since, period.until),
        None if objective is None else _spent(one, objective, past, subject, period),
    )


def objective_of(platform: Platform, subject: Subject) -> float | None:
    """The objective of a module or of a group; None where there is none."""
    if subject.kind == "module":
        return platform.modules[subject.id].objective
    return next((one.objective for one in platform.groups if subject == ("group", one.id)), None)


def _spent(one: Uptime, objective: float, past: Availability, subject: Subject, period: Period) -> Spending:
    whole = (period.until - period.since).total_seconds() * len(past.lines(subject))
    allowed = max(0.0, (1 - objective) * (whole - one.excluded_seconds))
    return Spending(objective, allowed, one.lost_seconds, None if one.ratio is None else one.lost_seconds <= allowed)


def _plans(past: Availability, plans: Sequence[Plan], period: Period) -> Iterable[tuple[Plan, Spending]]:
    subject = Subject("platform")
    one = past.figure(subject, period.since, period.until)
    for plan in plans:
        if plan.objective is not None:
            yield plan, _spent(one, plan.objective, past, subject, period)


def _offenders(courses: Sequence[Course], now: datetime) -> Iterable[Offender]:
    """Modules named as the cause of several incidents, the most frequent first."""
    found: dict[str, list[Incident]] = {}
    for one in courses:
        if one.incident.cause.module is not None:
            found.setdefault(one.incident.cause.module, []).append(one.incident)
    several = [
        Offender(
            module,
            tuple(one.id for one in incidents),
            sum((min(_end(one, now), now) - one.started_at).total_seconds() for one in incidents),
        )
        for module, incidents in found.items()
        if len(incidents) >= LEAST_REPEATS
    ]
    return sorted(several, key=lambda one: (-len(one.incidents), -one.seconds, one.module))
