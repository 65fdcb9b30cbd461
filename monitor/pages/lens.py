"""Lens: one language's look at the facts, the small conversions every view is made with."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from yarl import URL

from monitor.core.guide import anchor, entry, help_for
from monitor.core.incident import Cause, Incident, Stage, Update
from monitor.core.module import Status
from monitor.core.observation import stamp
from monitor.core.rollup import ComponentStatus
from monitor.core.text import Text, in_language
from monitor.core.uptime import Uptime
from monitor.core.wording import N_, Place, Sentence, title, update_body, witnessed
from monitor.pages import words
from monitor.pages.bars import describe, spots
from monitor.pages.cells import cell
from monitor.pages.facts import Facts
from monitor.pages.known import ComponentFacts
from monitor.pages.plain import legal
from monitor.pages.translate import Speech
from monitor.pages.view import (
    ComponentView,
    Figure,
    IncidentLine,
    IncidentView,
    Link,
    Mark,
    MemberView,
    SightingView,
    UpdateView,
    When,
)

NAMED = 6  # names in a list before the rest is counted


class Lens:
    """What is asked for twice is made once."""

    def __init__(self, facts: Facts, speech: Speech, language: str) -> None:
        self.facts = facts
        self.speech = speech
        self.language = language
        self.name = ("lens", language)
        self.cells = facts.cells
        self.cells.belong_to(self)
        self._marks: dict[tuple[str, str], Mark] = {}

    # --- words

    def text(self, text: Text) -> str:
        """A configured text."""
        return in_language(text, self.language)

    def word(self, message: str, **places: Place) -> str:
        """A message of ours."""
        return self.speech.say(self.language, Sentence(message, places))

    def say(self, sentences: Sentence | Iterable[Sentence]) -> str:
        """Sentences."""
        return self.speech.say(self.language, sentences)

    def counted(self, singular: str, plural: str, count: int) -> str:
        """A counted thing."""
        return self.speech.counted(self.language, singular, plural, count)

    def mark(self, pair: tuple[str, str]) -> Mark:
        """A mark of `words`."""
        if pair not in self._marks:
            self._marks[pair] = Mark(pair[0], self.word(pair[1]))
        return self._marks[pair]

    # --- times and figures

    def when(self, at: datetime) -> When:
        """A date and a time."""
        return When(self.speech.moment(self.language, at, self.facts.site.timezone), stamp(at) or "")

    def clock(self, at: datetime) -> When:
        """The time alone today, with its date on other days."""
        if self.facts.local(at) != self.facts.today():
            return self.when(at)
        return When(self.speech.clock(self.language, at, self.facts.site.timezone), stamp(at) or "")

    def figure(self, uptime: Uptime) -> Figure:
        """Uptime."""
        say, language = self.speech, self.language
        return Figure(
            None if uptime.ratio is None else say.percent(language, uptime.ratio),
            say.percent(language, uptime.coverage, 0),
            say.duration(language, uptime.down_seconds) if uptime.down_seconds >= 1 else "–",
            say.duration(language, uptime.degraded_seconds) if uptime.degraded_seconds >= 1 else "–",
        )

    def span(self, since: datetime, until: datetime) -> str:
        """From then till then."""
        return self.speech.span(self.language, since, until, self.facts.site.timezone)

    def length(self, time: timedelta) -> str:
        """A length of time."""
        return self.speech.duration(self.language, time.total_seconds())

    def number(self, value: float) -> str:
        """A number."""
        return self.speech.number(self.language, value)

    def milliseconds(self, value: float | None) -> str:
        """A latency, `–` when there is none."""
        return "–" if value is None else f"{self.speech.number(self.language, value)}\u00a0ms"

    def names(self, names: list[str]) -> str:
        """Names as a list; the rest is counted when there are many."""
        if len(names) > NAMED + 1:
            names = [*names[:NAMED], self.counted("{count} other", "{count} others", len(names) - NAMED)]
        return self.speech.names(self.language, names)

    # --- things

    def module_name(self, id: str) -> str:
        """The name of a module; one that left the configuration keeps its id."""
        module = self.facts.platform.modules.get(id)
        return self.text(module.name) if module else id

    def place(self, id: str) -> str:
        """The name of a location; the one that exists without being named has a word for it."""
        return self.word(N_("here")) if id == "here" else id

    def module_link(self, id: str) -> Link:
        """The name of a module and its page, if it has one."""
        return Link(self.module_name(id), f"modules/{id}/" if id in self.facts.platform.modules else "")

    def component(self, facts: ComponentFacts) -> ComponentView:
        """A component."""
        return self._component(facts.component.id)

    @cell
    def _component(self, id: str) -> ComponentView:
        facts = self.facts.components[id]
        one = facts.component
        return ComponentView(
            id=one.id,
            href=f"components/{one.id}/",
            name=self.text(one.name),
            description=self.text(one.description),
            status=facts.status or "unknown",
            mark=self.mark(words.COMPONENT[facts.status]),
            bars=facts.bars,
            told=describe(facts.days, self.speech, self.language),
            spots=spots(facts.days, self.speech, self.language),
            uptime=self.figure(facts.uptime["90d"]),
        )

    def incident(self, incident: Incident) -> IncidentView:
        """An incident, whole."""
        return self._incident(incident.id)

    @cell
    def _incident(self, id: str) -> IncidentView:
        incident = self.facts.incident(id)
        platform, cause = self.facts.platform, incident.cause
        end, guided = incident.resolved_at, entry(cause.code)
        lasted = (incident.ended_at or end or incident.started_at) - incident.started_at
        return IncidentView(
            id=incident.id,
            href=f"incidents/{incident.id}/",
            title=self.say(title(incident, platform)),
            mark=self.mark(words.IMPACT.get(incident.impact, words.IMPACT["minor"])),
            stage=self.word(words.STAGE[incident.stage]),
            why=self.say(words.why(incident, platform)),
            code=cause.code,
            confidence=self._confidence(cause),
            since=self.clock(incident.started_at) if incident.is_open else self.when(incident.started_at),
            until=None if end is None else self.when(incident.ended_at or end),
            span="" if end is None else self.span(incident.started_at, incident.ended_at or end),
            ago=self.speech.ago(self.language, incident.started_at, self.facts.picture.now) if end is None else "",
            lasted="" if end is None else self.speech.duration(self.language, lasted.total_seconds()),
            affected=self.names(self._affected(incident)),
            unaffected=self.names(self._unaffected()) if end is None else "",
            updates=tuple(self._update(one, incident) for one in reversed(incident.updates) if not _is_learned(one)),
            postmortem=next((self._update(one, incident) for one in incident.updates if _is_learned(one)), None),
            members=tuple(self._member(incident)),
            sightings=tuple(self._sightings(incident)),
            report=self._report(incident),
            todo="" if guided is None else self.say(guided.advice),
            more=self.more(cause.code),
        )

    def _report(self, incident: Incident) -> Link:
        """What the platform's own page says, and where; an empty link while that is not known."""
        reports = incident.cause.platform_reports or {}
        url = _address(str(reports.get("url") or ""))
        if reports.get("found") is None:
            return Link("", "")
        if not reports["found"]:
            return Link(self.word(N_("Nothing so far.") if incident.is_open else N_("Nothing meanwhile.")), "")
        said = self.word("{report}", report=str(reports.get("incident") or "?"))
        return Link(said, url)

    def more(self, code: str) -> tuple[Link, ...]:
        """Where a code is explained, and what the operator named for it: addresses below the root, or whole ones."""
        here, there = anchor(code), help_for(code, self.facts.site.help)
        own = (Link(self.word(N_("What {code} means"), code=here), f"codes/#{here}"),) if here else ()
        return (*own, *((Link(self.word(N_("Help on this")), there),) if there else ()))

    def line(self, incident: Incident) -> IncidentLine:
        """A past incident in one line: which one, from when to when."""
        return self._line(incident.id)

    @cell
    def _line(self, id: str) -> IncidentLine:
        incident = self.facts.incident(id)
        zone, start = self.facts.site.timezone, incident.started_at
        end = incident.ended_at or incident.resolved_at
        clock, lasted = self.speech.clock(self.language, start, zone), ""
        span = " ".join([self.word(N_("Since")), clock]) if incident.is_open else clock
        if end is not None and self.facts.local(start) == self.facts.local(end):
            span = f"{self.speech.hour(self.language, start, zone)}–{self.speech.clock(self.language, end, zone)}"
        if end is not None:
            lasted = self.speech.duration(self.language, (end - start).total_seconds())
        mark = self.mark(words.IMPACT.get(incident.impact, words.IMPACT["minor"]))
        return IncidentLine(
            f"incidents/{incident.id}/", self.say(title(incident, self.facts.platform)), mark, span, lasted
        )

    def _affected(self, incident: Incident) -> list[str]:
        known = self.facts.platform.components
        felt = [self.text(known[id].name) for id in incident.components if id in known]
        return felt or [self.module_name(member.module) for member in incident.members]

    def _unaffected(self) -> list[str]:
        hit = {id for one in self.facts.open_incidents for id in one.components}
        return [
            self.text(one.component.name)
            for id, one in self.facts.components.items()
            if id not in hit and one.status is ComponentStatus.OPERATIONAL
        ]

    def _confidence(self, cause: Cause) -> str:
        """How sure we are, where the reason does not say it: it does of a module that is named."""
        told = cause.module is not None or cause.cls not in words.CLASS or cause.state == "confirmed"
        return "" if told else self.speech.percent(self.language, cause.confidence, 0)

    def _update(self, update: Update, incident: Incident) -> UpdateView:
        stage = self.word(words.STAGE[update.stage])
        at = self.clock(update.at) if incident.is_open else self.when(update.at)
        edited = None if update.updated_at is None else self.when(update.updated_at)
        return UpdateView(stage, at, self.say(update_body(update, incident, self.facts.platform)), edited)

    def _member(self, incident: Incident) -> Iterable[MemberView]:
        for member in sorted(incident.members, key=lambda one: one.role != "root"):
            role = N_("Cause") if member.role == "root" and incident.cause.module else N_("Affected")
            mark = self.mark(words.MODULE[Status.UP if member.until else member.status])
            span = self.span(member.since, member.until) if member.until else self.when(member.since).text
            yield MemberView(self.module_link(member.module), self.word(role), mark, self.when(member.since), span)

    def _sightings(self, incident: Incident) -> Iterable[SightingView]:
        told: set[tuple[str, str, str]] = set()
        for fact in incident.cause.evidence:
            kind = (fact.module, fact.code, fact.location)
            if kind in told:
                continue  # readers are told once what was seen again and again
            told.add(kind)
            said, name = self.say(witnessed(fact.code, self.facts.platform)), self.module_name(fact.module)
            yield SightingView(self.when(fact.at), name, self.place(fact.location), said, fact.code)


def _is_learned(update: Update) -> bool:
    return update.stage is Stage.POSTMORTEM


def _address(written: str) -> str:
    """An address that came from outside, spelt as one; empty when it leads nowhere a browser should follow."""
    try:
        url = URL(legal(written))
    except ValueError:
        return ""
    return str(url) if url.scheme in ("https", "http") else ""
