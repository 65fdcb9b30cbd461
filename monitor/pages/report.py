"""Report: a month, a quarter or any stretch of time as people read and print it, in one language."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from monitor.core.availability import PLATFORM
from monitor.core.incident import Incident
from monitor.core.module import Priority
from monitor.core.period import Period
from monitor.core.report import Course, Report, Times
from monitor.core.wording import N_, title, update_body
from monitor.pages import words
from monitor.pages.lens import Lens
from monitor.pages.report_figures import FiguresView, change, figures_view, kept, length, objective, percent, points
from monitor.pages.view import Link, Mark, When

TIMES = (N_("To detect"), N_("To a person's answer"), N_("To recover"))
PRIORITIES = {
    Priority.URGENT: N_("Urgent"),
    Priority.HIGH: N_("High"),
    Priority.NORMAL: N_("Normal"),
    Priority.LOW: N_("Low"),
}
PROMISES = {"response": N_("First answer"), "update": N_("Next word")}
TRIGGERS = {
    "version_change": N_("{module}: version {from} → {to}"),
    "aftermath": N_("{module}: an earlier failure had just ended"),
}


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """An incident of the period."""

    link: Link
    since: When
    mark: Mark
    why: str
    code: str
    detect: str
    acknowledge: str
    recover: str
    affected: str


@dataclass(frozen=True, slots=True)
class TimeRow:
    """How long something took: mean, median and worst, and the median before."""

    name: str
    count: str
    mean: str
    median: str
    worst: str
    before: str


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A promise of a plan and how it was kept."""

    plan: str
    what: str
    priority: str
    limit: str
    asked: str
    kept: str
    broken: str
    worst: str


@dataclass(frozen=True, slots=True)
class ReportView:
    """A report, whole. `until` is empty where the period is over; tables may be empty and then are not shown."""

    label: str
    site: str
    span: str
    until: str
    told: tuple[str, ...]
    figures: tuple[tuple[str, str], ...]
    measured: FiguresView
    incidents: tuple[IncidentRow, ...]
    carried: tuple[IncidentRow, ...]
    times: tuple[TimeRow, ...]
    offenders: tuple[tuple[Link, str, str], ...]
    changes: tuple[tuple[When, str, Link], ...]
    lowered: tuple[tuple[When, str, Link], ...]
    services: tuple[ServiceRow, ...]
    plans: tuple[tuple[str, str, str, Mark], ...]
    answered: bool  # whether the times of people are told
    earlier: Link | None = None
    later: Link | None = None


def label(lens: Lens, period: Period) -> str:
    """What a period is called."""
    if not period.name:
        return lens.span(period.since, period.until)
    first = lens.facts.local(period.since)
    if period.is_quarter:
        return lens.word(N_("Quarter {quarter} of {year}"), quarter=period.name[-1], year=str(first.year))
    said = lens.speech.month(lens.language, first)
    return said[:1].upper() + said[1:]


def report_view(
    lens: Lens,
    one: Report,
    earlier: Link | None = None,
    later: Link | None = None,
    measured: FiguresView | None = None,
    row: Callable[[Course], IncidentRow] | None = None,
) -> ReportView:
    """A report in one language; the figures may have been `measured` before, and `row` may know the incidents."""
    whole, row = one.row(PLATFORM).uptime, row or partial(incident_row, lens)
    return ReportView(
        label=label(lens, one.whole),
        site=lens.facts.site.name,
        span=lens.span(one.period.since, one.period.until),
        until=until(lens, one),
        told=tuple(_told(lens, one)),
        figures=tuple(_figures(lens, one)),
        measured=figures_view(lens, one) if measured is None else measured,
        incidents=tuple(map(row, one.began)),
        carried=tuple(map(row, one.carried)),
        times=tuple(
            _times(lens, name, now, before)
            for name, now, before in zip(TIMES, one.times, one.times_before, strict=True)
            if not one.public or name is not TIMES[1]
        ),
        offenders=tuple(
            (
                lens.module_link(each.module),
                lens.counted("{count} incident", "{count} incidents", len(each.incidents)),
                length(lens, each.seconds),
            )
            for each in one.offenders
        ),
        changes=tuple(_changes(lens, one)),
        lowered=tuple(_lowered(lens, one)),
        services=tuple(_services(lens, one)),
        plans=tuple(
            (lens.text(plan.name), percent(lens, whole.ratio), objective(lens, spent), kept(lens, spent))
            for plan, spent in one.plans
        ),
        answered=not one.public,
        earlier=earlier,
        later=later,
    )


def until(lens: Lens, one: Report) -> str:
    """That the period is not over, and how far the report reaches."""
    if one.is_over:
        return ""
    return lens.word(N_("Incomplete: until {moment}"), moment=lens.when(one.period.until).text)


def _told(lens: Lens, one: Report) -> Iterable[str]:
    """The whole of it in a few sentences."""
    row = one.row(PLATFORM)
    if row.uptime.ratio is None:
        yield lens.word(N_("Nothing is known of this time."))
        return
    yield lens.word(
        N_("The platform was available for {ratio} of the time of which something is known, {coverage} of all of it."),
        ratio=percent(lens, row.uptime.ratio),
        coverage=percent(lens, row.uptime.coverage, 1),
    )
    gain = change(row)
    if gain:
        better = N_("That is {points} percentage points better than in the period before.")
        worse = N_("That is {points} percentage points worse than in the period before.")
        yield lens.word(better if gain > 0 else worse, points=points(lens, abs(gain)))
    if not one.began:
        yield lens.word(N_("No incident began."))
        return
    began = lens.counted("{count} incident began.", "{count} incidents began.", len(one.began))
    longest = one.times[2].worst
    yield (
        began
        if longest is None
        else " ".join(
            [began, lens.word(N_("The longest took {length} to recover from."), length=length(lens, longest))]
        )
    )


def _figures(lens: Lens, one: Report) -> Iterable[tuple[str, str]]:
    row = one.row(PLATFORM)
    yield lens.word(N_("Availability")), percent(lens, row.uptime.ratio)
    yield lens.word(N_("The period before")), percent(lens, row.before.ratio)
    yield lens.word(N_("By VTEX's ten-minute rule")), percent(lens, row.interrupted.ratio)
    yield lens.word(N_("Coverage")), percent(lens, row.uptime.coverage, 1)
    yield lens.word(N_("Incidents")), lens.number(len(one.began))
    yield lens.word(N_("Median time to recover")), length(lens, one.times[2].median)


def incident_row(lens: Lens, one: Course) -> IncidentRow:
    """An incident in a table."""
    incident, platform = one.incident, lens.facts.platform
    names = [lens.text(platform.components[id].name) for id in incident.components if id in platform.components]
    return IncidentRow(
        link=_link(lens, incident),
        since=lens.when(incident.started_at),
        mark=lens.mark(words.IMPACT.get(incident.impact, words.IMPACT["minor"])),
        why=lens.say(words.why(incident, platform)),
        code=incident.cause.code,
        detect=length(lens, one.detect_seconds),
        acknowledge=length(lens, one.acknowledge_seconds),
        recover=length(lens, one.recover_seconds),
        affected=lens.names(names or [lens.module_name(member.module) for member in incident.members]),
    )


def _link(lens: Lens, incident: Incident) -> Link:
    """Where it can be read; the oldest have no page any more, drafts have none yet."""
    public = incident.published_at is not None and lens.facts.has_page(incident.id)
    return Link(lens.say(title(incident, lens.facts.platform)), f"incidents/{incident.id}/" if public else "")


def _times(lens: Lens, name: str, now: Times, before: Times) -> TimeRow:
    return TimeRow(
        lens.word(name),
        lens.number(now.count),
        length(lens, now.mean),
        length(lens, now.median),
        length(lens, now.worst),
        length(lens, before.median),
    )


def _changes(lens: Lens, one: Report) -> Iterable[tuple[When, str, Link]]:
    """What changed shortly before an incident, where that is known."""
    for course in one.began:
        incident, trigger = course.incident, course.incident.cause.trigger
        if trigger is None:
            continue
        at, known = str(trigger.get("at") or ""), TRIGGERS.get(str(trigger.get("kind")))
        module = lens.module_name(str(trigger.get("module") or ""))
        places = {"module": module, "from": str(trigger.get("from") or "?"), "to": str(trigger.get("to") or "?")}
        when = lens.when(datetime.fromisoformat(at)) if at else lens.when(incident.started_at)
        yield when, module if known is None else lens.word(known, **places), _link(lens, incident)


def _lowered(lens: Lens, one: Report) -> Iterable[tuple[When, str, Link]]:
    for incident, entry in one.lowered:
        yield lens.when(entry.at), lens.say(update_body(entry, incident, lens.facts.platform)), _link(lens, incident)


def _services(lens: Lens, one: Report) -> Iterable[ServiceRow]:
    for each in one.services:
        yield ServiceRow(
            lens.text(each.name),
            lens.word(PROMISES[each.kind]),
            lens.word(PRIORITIES[each.priority]),
            lens.length(each.limit),
            lens.number(each.asked),
            lens.number(each.kept),
            lens.number(each.broken),
            length(lens, each.worst_seconds),
        )
