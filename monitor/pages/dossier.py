"""Dossier: an incident as operators read it: candidates, the detail of evidence, and a timeline that tells what the
monitor said, what people did, and what else happened to its modules meanwhile."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.incident import Act, Incident, Stage, Update
from monitor.core.module import Status
from monitor.core.wording import N_, summary, title, update_body
from monitor.pages import words
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.quiet import PRIORITIES, SilenceView, silence_of
from monitor.pages.view import Link, Mark, MemberView, When
from monitor.pages.watch import Watch

WORTH_NAMING = 0.01  # of confidence
BEFORE = timedelta(hours=1)  # a version that changed so long before an incident is told in its timeline

ACTS: dict[str, str] = {
    "opened": N_("Opened by hand"),
    "updated": N_("Update written"),
    "corrected": N_("Update corrected"),
    "acknowledged": N_("Acknowledged"),
    "resolved": N_("Resolved by a person"),
    "postmortem": N_("Postmortem written"),
    "published": N_("Published"),
    "edited": N_("Public wording edited"),
}
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
class EntryView:
    """Something that happened. `kind` is `said`, `act`, `moved` or `version`; `was` is what stood there before."""

    at: When
    kind: str
    what: str
    who: str
    text: str
    was: tuple[str, ...] = ()

    @property
    def paragraphs(self) -> tuple[tuple[str, ...], ...]:
        """The text as the lines of its paragraphs."""
        return tuple(tuple(part.strip("\n").split("\n")) for part in self.text.split("\n\n") if part.strip())


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


def dossier(lens: Lens, watch: Watch, incident: Incident) -> DossierView:
    """An incident whole."""
    platform, cause = lens.facts.platform, incident.cause
    end = incident.resolved_at
    lasted = (incident.ended_at or end or incident.started_at) - incident.started_at
    known = watch.board.platform.components
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
        line=tuple(_figures(lens, incident)),
        scope=lens.word(SCOPES.get(cause.scope, SCOPES["unknown"])),
        state=cause.state,
        root=cause.module or "",
        members=tuple(_members(lens, incident)),
        affected=tuple(lens.text(known[id].name) for id in incident.components if id in known),
        evidence=tuple(
            FactView(exact(lens, e.at), lens.module_name(e.module), e.probe, lens.place(e.location), e.code, e.detail)
            for e in cause.evidence
        ),
        timeline=tuple(_timeline(lens, watch, incident)),
        updates=tuple(_editable(lens, incident)),
        wording={"title": dict(incident.title or {}), "summary": dict(incident.summary or {})},
        modules=tuple((id, lens.text(one.name)) for id, one in watch.board.platform.modules.items()),
    )


def _figures(lens: Lens, incident: Incident) -> Iterable[tuple[str, str]]:
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
    if incident.reopened:
        yield lens.word(N_("Reopened")), lens.number(incident.reopened)


def _members(lens: Lens, incident: Incident) -> Iterable[MemberView]:
    for one in sorted(incident.members, key=lambda one: one.role != "root"):
        role = N_("Cause") if one.role == "root" and incident.cause.module else N_("Affected")
        mark = lens.mark(words.MODULE[Status.UP if one.until else one.status])
        since = exact(lens, one.since)
        span = f"{since.text} – {exact(lens, one.until).text}" if one.until else since.text
        known = one.module in lens.facts.platform.modules
        link = Link(lens.module_name(one.module), f"healthcheck/modules/{one.module}" if known else "")
        yield MemberView(link, lens.word(role), mark, since, span)


# -- what happened ----------------------------------------------------------------------------------------------------


def _timeline(lens: Lens, watch: Watch, incident: Incident) -> list[EntryView]:
    found: list[tuple[datetime, EntryView]] = [(one.at, _said(lens, one, incident)) for one in incident.updates]
    found += [(act.at, _act(lens, act)) for act in incident.acts if act.what != "updated"]
    found += _moves(lens, watch, incident)
    found += _versions(lens, watch, incident)
    found.sort(key=lambda pair: pair[0], reverse=True)
    return [entry for _, entry in found]


def _said(lens: Lens, update: Update, incident: Incident) -> EntryView:
    text = lens.say(update_body(update, incident, lens.facts.platform))
    act = next((one for one in incident.acts if one.at == update.at), None) if update.author == "person" else None
    who = lens.word(N_("the monitor")) if update.author == "monitor" else (act.by if act else None) or _person(lens)
    return EntryView(exact(lens, update.at), "said", lens.word(words.STAGE[update.stage]), who, text)


def _act(lens: Lens, act: Act) -> EntryView:
    was: list[str] = []
    for text in (act.detail.get("was"), act.detail.get("title"), act.detail.get("summary")):
        if isinstance(text, Mapping):
            was += [f"{language}: {said}" for language, said in text.items()]
    what = lens.word(ACTS.get(act.what, "{act}"), act=act.what)
    return EntryView(exact(lens, act.at), "act", what, act.by or _person(lens), "", tuple(was))


def _person(lens: Lens) -> str:
    return lens.word(N_("somebody"))


def _moves(lens: Lens, watch: Watch, incident: Incident) -> Iterable[tuple[datetime, EntryView]]:
    """How the statuses of its modules went from its beginning to its end."""
    end = incident.resolved_at or watch.now
    for member in incident.members:
        for one in watch.history.transitions.get(member.module, ()):
            if incident.started_at <= one.since <= end:
                mark = lens.mark(words.MODULE[one.after])
                name = lens.module_name(member.module)
                yield one.since, EntryView(exact(lens, one.since), "moved", name, "", mark.word)


def _versions(lens: Lens, watch: Watch, incident: Incident) -> Iterable[tuple[datetime, EntryView]]:
    modules = {member.module for member in incident.members}
    told: set[tuple[str, str]] = set()
    for (module, _), version in watch.board.versions.items():
        near = incident.started_at - BEFORE <= version.since <= (incident.resolved_at or watch.now)
        if module in modules and near and version.before and (module, version.name) not in told:
            told.add((module, version.name))
            text = f"{version.before} → {version.name}"
            name = lens.module_name(module)
            yield version.since, EntryView(exact(lens, version.since), "version", name, "", text)


def _editable(lens: Lens, incident: Incident) -> Iterable[EditableView]:
    for number, one in enumerate(incident.updates, 1):
        text = lens.say(update_body(one, incident, lens.facts.platform))
        yield EditableView(number, exact(lens, one.at), text, dict(one.body or {}))
