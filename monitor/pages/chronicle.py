"""Chronicle: the timeline of an incident as operators read it: what the monitor said, what people did, whom that was
told, how the modules went, which versions changed and which work was under way on them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.announcement import work_title
from monitor.core.incident import Act, Incident, Update
from monitor.core.outcome import Course
from monitor.core.overlay import works_of
from monitor.core.wording import N_, update_body
from monitor.pages import words
from monitor.pages.lastrun import exact
from monitor.pages.lens import Lens
from monitor.pages.letters import EVENTS, STATES
from monitor.pages.view import When
from monitor.pages.watch import Watch

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
    "lowered": N_("Priority lowered"),
    "replied": N_("Answered in a ticket"),
}


@dataclass(frozen=True, slots=True)
class EntryView:
    """Something that happened. `kind` is `said`, `act`, `moved`, `version`, `planned` or `told`; `was` is what
    stood there before."""

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


def chronicle(lens: Lens, watch: Watch, incident: Incident, course: Course | None) -> list[EntryView]:
    """Everything that happened around an incident, the newest first."""
    found: list[tuple[datetime, EntryView]] = [(one.at, _said(lens, one, incident)) for one in incident.updates]
    found += [(act.at, _act(lens, act)) for act in incident.acts if act.what != "updated"]
    found += _moves(lens, watch, incident)
    found += _versions(lens, watch, incident)
    found += _works(lens, watch, incident)
    found += _notices(lens, course or Course())
    found.sort(key=lambda pair: pair[0])
    return [entry for _, entry in reversed(found)]  # of one moment as well the last first


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
    text = ""
    if act.what == "replied":
        at = exact(lens, datetime.fromisoformat(act.detail["at"])).text
        text = " · ".join(filter(None, (f"#{act.detail['ticket']}", act.detail["store"], at)))
    return EntryView(exact(lens, act.at), "act", what, act.by or _person(lens), text, tuple(was))


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


def _works(lens: Lens, watch: Watch, incident: Incident) -> Iterable[tuple[datetime, EntryView]]:
    """Planned work that was under way on its modules, when it began and when it was over."""
    end, modules = incident.resolved_at or watch.now, {member.module for member in incident.members}
    for work in works_of(watch.board, watch.history):
        if work.started_at is None or not any(work.concerns(module) for module in modules):
            continue
        if work.started_at > end or (work.ended_at is not None and work.ended_at < incident.started_at):
            continue
        name = lens.say(work_title(work))
        for at, word in ((work.started_at, N_("Planned work begun")), (work.ended_at, N_("Planned work completed"))):
            if at is not None and at <= end:
                yield at, EntryView(exact(lens, at), "planned", lens.word(word), "", name)


def _notices(lens: Lens, course: Course) -> Iterable[tuple[datetime, EntryView]]:
    """Who was told of it and what became of that, and why somebody was not; an event of which nobody was to hear is
    none."""
    for one in course.happenings:
        letters = [each for each in course.letters if each.seq == one.seq]
        lines = [f"{each.channel}: {lens.word(STATES[each.state][1])}" for each in letters]
        lines += [f"{lens.word(N_('Withheld'))}: {why}" for _, why in one.withheld]
        if lines:
            what = lens.word(N_("Notice: {event}"), event=lens.word(EVENTS.get(one.event, one.event)))
            yield one.at, EntryView(exact(lens, one.at), "told", what, "", "\n".join(lines))
