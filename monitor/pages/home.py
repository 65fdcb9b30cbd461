"""Home: the page that is read at night on a phone. What fails, why and since when comes before everything else."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from secrets import token_hex

from markupsafe import escape

from monitor.core.announcement import work_title
from monitor.core.incident import Incident
from monitor.core.module import Group
from monitor.core.rollup import WORST
from monitor.core.wording import N_
from monitor.pages import words
from monitor.pages.facts import RECENT_DAYS, Facts
from monitor.pages.found import Content, Passing
from monitor.pages.lens import Lens
from monitor.pages.plain import legal
from monitor.pages.planned import PlannedView, planned
from monitor.pages.truth import SAID
from monitor.pages.view import GroupView, IncidentLine, IncidentView, Link, Mark, When

WHOLE = 3  # open incidents told in full; of the others the details are folded


@dataclass(frozen=True, slots=True)
class RecentDays:
    """A day with what began on it, or a run of quiet days."""

    label: str
    incidents: tuple[IncidentLine, ...]


@dataclass(frozen=True, slots=True)
class HomeView:
    """The home page. `known` is False until the first result; `updated` is the end of the newest observation,
    `doubts` are what of all this does not hold together; `withheld`: something fails whose incident is not public yet.
    The first `whole` incidents are told in full."""

    known: bool
    overall: Mark
    count: str
    blind: str
    doubts: tuple[str, ...]
    withheld: bool
    gaps: tuple[str, ...]
    incidents: tuple[IncidentView, ...]
    whole: int
    groups: tuple[GroupView, ...]
    planned: PlannedView
    recent: tuple[RecentDays, ...]
    began: str
    updated: When | None


# Stands for the end of the newest observation. Every publication has another one, and nothing else of the page has to
# be printed again for it: `dated` puts it in its place. Nobody can guess the words, so nobody's text is taken for them.
UPDATED = When(f"updated-{token_hex(16)}", f"until-{token_hex(16)}")


_DATES = re.compile(f"({UPDATED.text}|{UPDATED.iso})".encode())


def around(page: bytes) -> tuple[Content, ...]:
    """A page cut where the end of the newest observation stands: some parts stand for it. What is a part already and
    has no such place in it stays the object it is."""
    found: list[Content] = []
    for part in (isinstance(page, Content) and page.parts) or (page,):
        pieces = _DATES.split(part)
        whole = isinstance(part, Content) and len(pieces) == 1
        found += [part] if whole else map(Content, filter(None, pieces))  # type: ignore[list-item]
    return tuple(found)


def dated(parts: Sequence[Content], lens: Lens) -> Content:
    """The page with the end of the newest observation in it."""
    until = lens.facts.data_until()
    told = lens.when(until) if until is not None else UPDATED
    said = {
        one.encode(): Passing(legal(str(escape(text))).encode())
        for one, text in ((UPDATED.text, told.text), (UPDATED.iso, told.iso))
    }
    return Content.of(*(said.get(one, one) for one in parts))


def home(lens: Lens) -> HomeView:
    """The home page in one language."""
    facts = lens.facts
    indicator, phrase = facts.seen.overall()
    going_on = len(facts.open_incidents)
    count = lens.counted("{count} open incident", "{count} open incidents", going_on)
    state, since, _ = facts.seen.monitor()
    blind = state == "blind" and since is not None
    overall = lens.mark((words.OVERALL[indicator], phrase))
    if blind:  # nobody can vouch for what was good when we last saw it
        kind = "none" if overall.kind == "ok" else overall.kind
        overall = Mark(kind, lens.word(N_("Last known: {status}"), status=overall.word))
    return HomeView(
        known=indicator != "unknown",
        overall=overall,
        count=count if going_on else "",
        blind=lens.word(_BLIND, since=lens.clock(since).text) if blind and since else "",
        doubts=tuple(_doubts(lens)),
        withheld=facts.is_withheld(),
        gaps=tuple(_gaps(lens)),
        incidents=tuple(lens.incident(one) for one in facts.open_incidents),
        whole=WHOLE,
        groups=tuple(group_view(lens, group) for group in facts.platform.groups),
        planned=planned(lens),
        recent=tuple(_recent(lens)),
        began=_began(lens),
        updated=UPDATED if facts.has_data() else None,
    )


def group_view(lens: Lens, group: Group) -> GroupView:
    """A group with its components; a component nothing is known of makes it neither better nor worse."""
    inside = [lens.facts.components[component.id] for component in group.components]
    known = [one.status for one in inside if one.status is not None]
    kind = words.COMPONENT[max(known, key=WORST.index) if known else None][0]
    return GroupView(group.id, lens.text(group.name), kind, tuple(lens.component(one) for one in inside))


_BLIND = N_("The monitor has not been able to see since {since}. What stands below is the last it knew.")
_GAP = N_("The monitor could not see from {since} to {until}.")
_GAP_PLACE = N_("The monitor could not see from {location} between {since} and {until}.")


def _doubts(lens: Lens) -> Iterable[str]:
    """What on this very page does not hold together."""
    for one in lens.facts.contradictions():
        name = ""
        if one.subject in lens.facts.components:
            name = lens.text(lens.facts.components[one.subject].component.name)
        elif one.subject in lens.facts.works:
            name = lens.say(work_title(lens.facts.work(one.subject)))
        elif one.subject:
            name = lens.incident(lens.facts.incidents[one.subject]).title
        yield lens.word(SAID[one.kind], name=name)


def _gaps(lens: Lens) -> Iterable[str]:
    facts = lens.facts
    for gap in facts.gaps_over():
        if gap.until is None:
            continue
        since, until = lens.when(gap.since), lens.when(gap.until)
        several = len(facts.platform.locations) > 1
        message = _GAP_PLACE if several else _GAP
        yield lens.word(message, since=since.text, until=until.text, location=gap.location)


def _recent(lens: Lens) -> Iterable[RecentDays]:
    """The last days, the newest first; quiet neighbours share a line, days before the first result are left out."""
    facts = lens.facts
    if facts.began is None:
        return
    today, first = facts.today(), facts.local(facts.began)
    days = [day for back in range(RECENT_DAYS) if (day := today - timedelta(days=back)) >= first]
    past: dict[date, list[Incident]] = {}
    for one in facts.incidents.values():
        if not one.is_open:
            past.setdefault(facts.local(one.started_at), []).append(one)
    started = {facts.local(one.started_at) for one in facts.open_incidents}
    for quiet, run in groupby(days, key=lambda day: day not in past):
        if not quiet:
            for day in run:
                yield RecentDays(lens.speech.short_day(lens.language, day), tuple(lens.line(one) for one in past[day]))
            continue
        calm = [day for day in run if day not in started]
        if calm:
            yield RecentDays(lens.speech.days(lens.language, calm[-1], calm[0]), ())


def _began(lens: Lens) -> str:
    facts = lens.facts
    if facts.began is None or not facts.is_young():
        return ""
    return lens.word(N_("Monitoring began on {day}."), day=lens.speech.day(lens.language, facts.local(facts.began)))


def support(facts: Facts, lens: Lens) -> tuple[Link, ...]:
    """Links to where people help; only addresses a browser can open."""
    found = []
    for name, address in facts.site.links.items():
        if address.startswith(("https://", "http://", "mailto:")):
            known = words.LINKS.get(name)
            found.append(Link(lens.word(known) if known else name.replace("_", " "), address))
    return tuple(found)
