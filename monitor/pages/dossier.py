"""Dossier: an incident as operators read it: candidates, the detail of evidence, its timeline and what may be said."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from monitor.core.incident import Incident, Stage
from monitor.core.lowering import fitting, is_lower
from monitor.core.module import Priority, Status
from monitor.core.outcome import Course
from monitor.core.quarter import PROMISES
from monitor.core.service import Clock, clocks, owed
from monitor.core.wording import N_, summary, title, update_body
from monitor.pages import words
from monitor.pages.chronicle import EntryView, chronicle
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.quiet import PRIORITIES, SilenceView, silence_of
from monitor.pages.view import Link, Mark, MemberView, When
from monitor.pages.watch import Watch

WORTH_NAMING = 0.01  # of confidence

SCOPES: dict[str, str] = {
    "module": N_("One module"),
    "shared": N_("Something several modules share"),
    "location": N_("One place only"),
    "unknown": N_("Not known"),
}


@dataclass(frozen=True, slots=True)
class IncidentDigest:
    """An open incident on the board."""

    id: str
    title: str
    mark: Mark
    stage: str
    draft: bool
    acknowledged: When | None
    by: str
    why: str
    code: str
    since: When
    ago: str
    candidates: tuple[tuple[str, str], ...]
    members: tuple[tuple[str, str, Mark], ...]  # id, name, mark
    silence: SilenceView | None


@dataclass(frozen=True, slots=True)
class FactView:
    """A piece of evidence, whole."""

    at: When
    module: str
    probe: str
    place: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class EditableView:
    """An entry of the public timeline: its number, what it says here, and a person's text by language."""

    number: int
    at: When
    text: str
    body: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class DossierView:
    """The page of an incident, with what its forms begin with."""

    digest: IncidentDigest
    is_open: bool
    by_hand: bool
    until: When | None
    lasted: str
    detected: When
    published: When | None
    impact: str
    impact_said: bool
    stage: Stage
    summary: str
    line: tuple[tuple[str, str], ...]
    scope: str
    state: str
    root: str
    members: tuple[MemberView, ...]
    affected: tuple[str, ...]
    evidence: tuple[FactView, ...]
    timeline: tuple[EntryView, ...]  # the newest first
    updates: tuple[EditableView, ...]
    wording: Mapping[str, Mapping[str, str]]
    modules: tuple[tuple[str, str], ...]  # ids and names of whatever may be called the cause
    lower: tuple[tuple[str, str], ...]  # priorities that it may be lowered to, with their names
    fitting: str  # the one of them that the evidence is for; empty where it is for none


def digest(lens: Lens, incident: Incident) -> IncidentDigest:
    """An incident in short."""
    platform = lens.facts.platform
    members = sorted(incident.members, key=lambda one: one.role != "root")
    taken = next((act for act in incident.acts if act.what == "acknowledged"), None)
    return IncidentDigest(
        id=incident.id,
        title=lens.say(title(incident, platform)),
        mark=lens.mark(words.IMPACT.get(incident.impact, words.IMPACT["minor"])),
        stage=lens.word(words.STAGE[incident.stage]),
        draft=incident.published_at is None,
        acknowledged=None if incident.acknowledged_at is None else exact(lens, incident.acknowledged_at),
        by=(taken.by if taken else None) or "",
        why=lens.say(words.why(incident, platform)),
        code=incident.cause.code,
        since=exact(lens, incident.started_at),
        ago=lens.speech.ago(lens.language, incident.started_at, lens.facts.picture.now) if incident.is_open else "",
        candidates=tuple(
            (lens.module_name(one.module), lens.speech.percent(lens.language, one.confidence, 0))
            for one in incident.cause.candidates[:5]
            if one.confidence >= WORTH_NAMING
        ),
        members=tuple(
            (m.module, lens.module_name(m.module), lens.mark(words.MODULE[Status.UP if m.until else m.status]))
            for m in members
        ),
        silence=silence_of(lens, incident),
    )


def dossier(lens: Lens, watch: Watch, incident: Incident, course: Course | None = None) -> DossierView:
    """An incident whole. `course` is what was said of it to people, None where that is not known."""
    platform, cause = lens.facts.platform, incident.cause
    end = incident.resolved_at
    lasted = (incident.ended_at or end or incident.started_at) - incident.started_at
    known = watch.board.platform.components
    fits = fitting(watch.board, incident)
    return DossierView(
        digest=digest(lens, incident),
        is_open=incident.is_open,
        by_hand=incident.by_hand,
        until=None if end is None else exact(lens, incident.ended_at or end),
        lasted="" if end is None else lens.length(lasted),
        detected=exact(lens, incident.detected_at),
        published=None if incident.published_at is None else exact(lens, incident.published_at),
        impact=incident.impact,
        impact_said=incident.impact_said,
        stage=incident.stage,
        summary=lens.say(summary(incident, platform)),
        line=tuple(_figures(lens, incident, fits)),
        scope=lens.word(SCOPES.get(cause.scope, SCOPES["unknown"])),
        state=cause.state,
        root=cause.module or "",
        members=tuple(_members(lens, incident)),
        affected=tuple(lens.text(known[id].name) for id in incident.components if id in known),
        evidence=tuple(
            FactView(exact(lens, e.at), lens.module_name(e.module), e.probe, lens.place(e.location), e.code, e.detail)
            for e in cause.evidence
        ),
        timeline=tuple(chronicle(lens, watch, incident, course)),
        updates=tuple(_editable(lens, incident)),
        wording={"title": dict(incident.title or {}), "summary": dict(incident.summary or {})},
        modules=tuple((id, lens.text(one.name)) for id, one in watch.board.platform.modules.items()),
        lower=tuple((one.value, lens.word(PRIORITIES[one.value])) for one in Priority if _may_be(incident, one)),
        fitting=fits.value if fits is not None and _may_be(incident, fits) else "",
    )


def _may_be(incident: Incident, priority: Priority) -> bool:
    """Whether its priority may be lowered to this."""
    return incident.is_open and is_lower(priority, incident.priority)


def _figures(lens: Lens, incident: Incident, fits: Priority | None) -> Iterable[tuple[str, str]]:
    """What is known of the cause besides the sentence."""
    cause = incident.cause
    if not incident.by_hand:
        yield lens.word(N_("Confidence")), lens.speech.percent(lens.language, cause.confidence, 0)
    if cause.cls in words.CLASS:
        yield lens.word(N_("Kind of cause")), lens.word(words.CLASS[cause.cls])
    if cause.shared is not None:
        yield lens.word(N_("What they share")), f"{cause.shared.get('kind')} {cause.shared.get('value') or '?'}"
    if cause.locations:
        yield lens.word(N_("Seen from")), lens.names([lens.place(place) for place in cause.locations])
    yield lens.word(N_("Priority")), lens.word(PRIORITIES[incident.priority.value])
    if fits is not None and _may_be(incident, fits):
        yield lens.word(N_("Priority by the evidence")), lens.word(PRIORITIES[fits.value])
    if incident.lowered is not None:
        yield lens.word(N_("Lowered from")), lens.word(PRIORITIES[incident.lowered.stated.value])
    for clock in clocks(owed(incident, lens.facts.platform), incident):
        yield _clock(lens, clock)
    if incident.reopened:
        yield lens.word(N_("Reopened")), lens.number(incident.reopened)


def _clock(lens: Lens, one: Clock) -> tuple[str, str]:
    """What a plan promises, and how far it is from being broken."""
    now, due_at = lens.facts.picture.now, one.at(1)
    share, limit = one.used(now), lens.length(one.limit)
    used, due = lens.speech.percent(lens.language, share, 0), "–" if due_at is None else lens.when(due_at).text
    if one.stopped_at is not None:
        said = N_("kept, {used} of {limit} passed") if one.kept else N_("missed, {used} of {limit} passed")
    elif share > 1:
        said = N_("missed since {due}, {used} of {limit} passed")
    elif one.is_running(now):
        said = N_("due {due}, {used} of {limit} passed")
    else:
        said = N_("stands still outside the hours of the plan; due {due}, {used} of {limit} passed")
    name = lens.word(N_("{promise}, {plan}"), promise=lens.word(PROMISES[one.kind]), plan=lens.text(one.name))
    return name, lens.word(said, due=due, used=used, limit=limit)


def _members(lens: Lens, incident: Incident) -> Iterable[MemberView]:
    for one in sorted(incident.members, key=lambda one: one.role != "root"):
        role = N_("Cause") if one.role == "root" and incident.cause.module else N_("Affected")
        mark = lens.mark(words.MODULE[Status.UP if one.until else one.status])
        since = exact(lens, one.since)
        span = f"{since.text} – {exact(lens, one.until).text}" if one.until else since.text
        known = one.module in lens.facts.platform.modules
        link = Link(lens.module_name(one.module), f"healthcheck/modules/{one.module}" if known else "")
        yield MemberView(link, lens.word(role), mark, since, span)


# -- what may be corrected ---------------------------------------------------------------------------------------------


def _editable(lens: Lens, incident: Incident) -> Iterable[EditableView]:
    for number, one in enumerate(incident.updates, 1):
        text = lens.say(update_body(one, incident, lens.facts.platform))
        yield EditableView(number, exact(lens, one.at), text, dict(one.body or {}))
