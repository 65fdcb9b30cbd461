"""Quiet: silences as operators read them: who wants no notices of what, why and until when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.incident import Incident
from monitor.core.module import Priority
from monitor.core.silence import Silence, silenced
from monitor.core.silencing import silences_of
from monitor.core.wording import N_, title
from monitor.pages.lens import Lens
from monitor.pages.picture import Picture
from monitor.pages.view import Link, Mark, When
from monitor.pages.watch import Watch

SHOWN = timedelta(days=30)  # after its end
MINUTE = timedelta(minutes=1)
LISTED = 100  # silences that are over

PRIORITIES: dict[str, str] = {
    "urgent": N_("Urgent"),
    "high": N_("High"),
    "normal": N_("Normal"),
    "low": N_("Low"),
}
STATES = {
    "active": ("slow", N_("Silent now")),
    "coming": ("none", N_("To come")),
    "over": ("ok", N_("Over")),
}


@dataclass(frozen=True, slots=True)
class SilenceView:
    """A silence. `what` pairs what kind of thing is named with its names; none: everything. `left` is how much longer
    it lasts, `lifted` who ended it earlier, `told` all of it in a sentence."""

    id: str
    mark: Mark
    state: str
    what: tuple[tuple[str, str], ...]
    incident: Link | None
    author: str
    reason: str
    begins: When
    until: When
    left: str
    lifted: str
    told: str


@dataclass(frozen=True, slots=True)
class SilencesView:
    """The page: what is silent or will be, what was, and what can be chosen from."""

    lasting: tuple[SilenceView, ...]
    over: tuple[SilenceView, ...]
    zone: str
    incidents: tuple[Link, ...]
    modules: tuple[Link, ...]
    components: tuple[Link, ...]
    groups: tuple[Link, ...]
    priorities: tuple[Link, ...]


def silences_view(lens: Lens, watch: Watch) -> SilencesView:
    """All silences, and the choices of the form; the `href` of a choice is its id."""
    known, platform = silences_of(watch.board, watch.history), watch.board.platform
    lasting = [one for one in known if one.state(watch.now) != "over"]
    ended = [one for one in known if one.state(watch.now) == "over" and watch.now - _end(one) <= SHOWN]
    return SilencesView(
        lasting=tuple(_view(lens, watch, one) for one in sorted(lasting, key=lambda one: (one.until, one.id))),
        over=tuple(_view(lens, watch, one) for one in sorted(ended, key=_end, reverse=True)[:LISTED]),
        zone=lens.facts.site.timezone,
        incidents=tuple(Link(lens.say(title(one, platform)), one.id) for one in watch.open_incidents),
        modules=tuple(Link(lens.text(one.name), id) for id, one in platform.modules.items()),
        components=tuple(Link(lens.text(one.name), id) for id, one in platform.components.items()),
        groups=tuple(Link(lens.text(one.name), one.id) for one in platform.groups),
        priorities=tuple(Link(lens.word(PRIORITIES[one.value]), one.value) for one in Priority),
    )


def silence_of(lens: Lens, incident: Incident) -> SilenceView | None:
    """The silence that keeps notices of an open incident back now."""
    picture = lens.facts.picture
    board = picture.board
    found = silenced(board.silences.values(), incident, board.platform, picture.now) if incident.is_open else None
    return None if found is None else _view(lens, picture, found)


def _end(one: Silence) -> datetime:
    return one.ended_at or one.until


def _view(lens: Lens, watch: Watch | Picture, one: Silence) -> SilenceView:
    state, end = one.state(watch.now), _end(one)
    left = lens.length(max(MINUTE, (end - max(watch.now, one.begins)) // MINUTE * MINUTE))
    by, until = one.lifted_by or lens.word(N_("a person")), lens.clock(end)
    said = N_("Silenced by {author} until {time}: {reason}")
    return SilenceView(
        id=one.id,
        mark=lens.mark(STATES[state]),
        state=state,
        what=tuple(_what(lens, one)),
        incident=_incident(lens, watch, one),
        author=one.author,
        reason=one.reason,
        begins=lens.clock(one.begins),
        until=until,
        left=lens.word(N_("{duration} left") if state == "active" else N_("for {duration}"), duration=left),
        lifted=lens.word(N_("lifted by {name}"), name=by) if one.is_lifted else "",
        told=lens.word(said, author=one.author, time=until.text, reason=one.reason),
    )


def _what(lens: Lens, one: Silence) -> Iterable[tuple[str, str]]:
    scope, platform = one.scope, lens.facts.platform
    match, groups = scope.match, {group.id: group for group in platform.groups}

    def named(ids: Iterable[str], known: dict[str, str]) -> str:
        return lens.names([known.get(id, id) for id in sorted(ids)])

    if match.modules:
        yield lens.word(N_("Modules")), lens.names([lens.module_name(id) for id in sorted(match.modules)])
    if match.components:
        felt = {id: lens.text(component.name) for id, component in platform.components.items()}
        yield lens.word(N_("Components")), named(match.components, felt)
    if match.groups:
        yield lens.word(N_("Groups")), named(match.groups, {id: lens.text(group.name) for id, group in groups.items()})
    if match.priorities:
        words = {id: lens.word(word) for id, word in PRIORITIES.items()}
        yield lens.word(N_("Priorities")), named(match.priorities, words)
    if scope.codes:
        yield lens.word(N_("Codes of causes")), ", ".join(sorted(scope.codes))


def _incident(lens: Lens, watch: Watch | Picture, one: Silence) -> Link | None:
    """The incident that is named, by its headline where we know it."""
    if one.scope.incident is None:
        return None
    found = watch.board.incidents.get(one.scope.incident)
    text = one.scope.incident if found is None else lens.say(title(found, lens.facts.platform))
    return Link(text, f"healthcheck/incidents/{one.scope.incident}")
