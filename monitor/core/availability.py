"""Availability: the figures of modules, components, groups and the whole platform over any stretch of the past, and the
intervals that a figure comes from.

A figure is worked out from *lines* of spans: a module has one, a component one (the worst status of its modules at each
moment), a group and the platform one for each of their components. Lines add up as time does, so that figures of
windows that follow each other come to the figure of the whole.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import NamedTuple

from monitor.core.detector import Transition
from monitor.core.history import History
from monitor.core.incident import Incident
from monitor.core.maintenance import Maintenance
from monitor.core.module import Platform, Status
from monitor.core.overlay import spans_of
from monitor.core.uptime import END, Span, Spent, Uptime, figure, interruptions, merge, together

LEAST = timedelta(minutes=10)  # an interruption that VTEX's own rule counts
EXCLUDED = "excluded"


class Subject(NamedTuple):
    """What a figure is about. `kind`: module, component, group or platform, whose id is empty."""

    kind: str
    id: str = ""

    @property
    def name(self) -> str:
        """As it is written on a command line."""
        return self.kind if self.kind == "platform" else f"{self.kind}:{self.id}"


PLATFORM = Subject("platform")


def subjects(platform: Platform) -> list[Subject]:
    """Everything that has a figure, from the whole to the parts."""
    return [
        PLATFORM,
        *(Subject("group", one.id) for one in platform.groups),
        *(Subject("component", id) for id in platform.components),
        *(Subject("module", id) for id in platform.modules),
    ]


def subject_of(platform: Platform, word: str) -> Subject | None:
    """What a word names: `KIND:ID`, `platform`, or the id of a module, an alias of one, a component or a group, looked
    for in this order; None where nothing is called so."""
    kind, _, id = word.rpartition(":")
    known = {
        "module": {alias: one.id for one in platform.modules.values() for alias in (*one.aliases, one.id)},
        "component": {one: one for one in platform.components},
        "group": {one.id: one.id for one in platform.groups},
        "platform": {"platform": ""},
    }
    for name, ids in known.items():
        if kind in ("", name) and id in ids:
            return Subject(name, ids[id])
    return None


def parts(platform: Platform, subject: Subject) -> tuple[str, ...]:
    """The lines that the figure of a group or of the platform adds up: components; modules where there are none."""
    if subject.kind == "platform":
        return tuple(platform.components) or tuple(platform.modules)
    return tuple(one.id for group in platform.groups if group.id == subject.id for one in group.components)


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one line of a figure. `status` is that of the span, or `excluded`; `lost` the part of it that is
    lost, None where it does not count; `why` what is known of it: incidents, planned work, that we could not see."""

    line: str
    status: str
    since: datetime
    until: datetime
    lost: float | None
    why: tuple[str, ...] = ()

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.until - self.since).total_seconds()


@dataclass(frozen=True)
class Availability:
    """The past from `since` on, ready to be asked. `works` are all pieces of planned work of that time; of what comes
    after `until` nothing is known."""

    platform: Platform
    history: History
    works: tuple[Maintenance, ...]
    since: datetime
    until: datetime = END

    def spans(self, module: str) -> list[Span]:
        """What a module's status was, planned work cut out."""
        if module not in self._spans:
            history = self.history if self.until == END else self._told(module)
            self._spans[module] = spans_of(module, history, self.works, self.since, END, self.platform.weights)
        return self._spans[module]

    def _told(self, module: str) -> History:
        moves = [one for one in self.history.transitions.get(module, ()) if one.since < self.until]
        if moves:
            moves.append(Transition(module, moves[-1].after, Status.UNKNOWN, self.until, self.until))
        return History({module: tuple(moves)})

    @cached_property
    def _spans(self) -> dict[str, list[Span]]:
        return {}

    @cached_property
    def _merged(self) -> dict[str, list[Span]]:
        return {}

    def component(self, id: str) -> list[Span]:
        """What a component's status was: the worst known of its modules."""
        if id not in self._merged:
            cuts = [self.spans(module) for module in self.platform.components[id].modules]
            self._merged[id] = merge(cuts, self.platform.weights)
        return self._merged[id]

    def lines(self, subject: Subject) -> Mapping[str, list[Span]]:
        """The spans that a figure adds up, by module or component."""
        if subject.kind == "module":
            return {subject.id: self.spans(subject.id)}
        if subject.kind == "component":
            return {subject.id: self.component(subject.id)}
        line = self.component if self.platform.components else self.spans
        return {id: line(id) for id in parts(self.platform, subject)}

    def spent(self, subject: Subject, start: datetime, end: datetime) -> Spent:
        """How a window was spent; that of a group or the platform is the sum over its components."""
        return together(self.lines(subject).values(), start, end)

    def figure(self, subject: Subject, start: datetime, end: datetime) -> Uptime:
        """The figure of a window."""
        return figure(self.spent(subject, start, end))

    def interrupted(self, subject: Subject, start: datetime, end: datetime, least: timedelta = LEAST) -> "Interrupted":
        """The figure by VTEX's own rule: only interruptions of ten minutes and more are lost, and these whole."""
        count, lost, longest = 0, timedelta(0), timedelta(0)
        for cut in self.lines(subject).values():
            for one in interruptions(cut, least, end):
                inside = min(one.until, end) - max(one.since, start)
                if inside > timedelta(0):
                    count, lost, longest = count + 1, lost + inside, max(longest, inside)
        known = self.spent(subject, start, end).known
        return Interrupted(count, lost.total_seconds(), longest.total_seconds(), 1 - lost / known if known else None)

    def intervals(self, subject: Subject, start: datetime, end: datetime) -> list[Interval]:
        """The window cut into what its figure comes from: every second of every line, once."""
        found = []
        for line, cut in self.lines(subject).items():
            modules = self.platform.components[line].modules if line in self.platform.components else (line,)
            modules = (line,) if subject.kind == "module" else modules
            at = start
            for span in cut:
                since, until = max(span.since, start), min(span.until, end)
                if since >= until:
                    continue
                if since > at:
                    found.append(self._excluded(line, modules, at, since))
                found.append(self._interval(line, modules, span, since, until))
                at = until
            if at < end:
                found.append(self._excluded(line, modules, at, end))
        return found

    def _interval(self, line: str, modules: tuple[str, ...], span: Span, since: datetime, until: datetime) -> Interval:
        if span.status is Status.UNKNOWN:
            return Interval(line, span.status.value, since, until, None, tuple(self._unseen(modules, since, until)))
        why = [f"incident {one.id}" for one in self.history.incidents if _concerns(one, modules, since, until)]
        return Interval(line, span.status.value, since, until, span.lost, () if span.status is Status.UP else (*why,))

    def _unseen(self, modules: tuple[str, ...], since: datetime, until: datetime) -> list[str]:
        if not any(self.platform.measured(id) for id in modules):
            return ["never measured"]
        gaps = [one for one in self.history.gaps if one.since < until and (one.until or END) > since]
        if gaps:
            return list(dict.fromkeys(f"{one.location} could not see: {one.code}" for one in gaps))
        return ["the monitor was not running" if since >= self.until else "nothing was measured"]

    def _excluded(self, line: str, modules: tuple[str, ...], since: datetime, until: datetime) -> Interval:
        works = [
            one
            for one in self.works
            for module in modules
            if any(begin < until and end > since for begin, end in one.excluded(module, END))
        ]
        why = dict.fromkeys(f"planned work {one.id}" for one in works)
        return Interval(line, EXCLUDED, since, until, None, tuple(why))


@dataclass(frozen=True, slots=True)
class Interrupted:
    """Interruptions of at least some length: how many, how long together and the longest in seconds, and the ratio
    when they alone are lost; None when nothing was known."""

    count: int
    seconds: float
    longest_seconds: float
    ratio: float | None


def _concerns(incident: Incident, modules: tuple[str, ...], since: datetime, until: datetime) -> bool:
    return any(
        member.module in modules and member.since < until and (member.until or incident.resolved_at or END) > since
        for member in incident.members
    )
