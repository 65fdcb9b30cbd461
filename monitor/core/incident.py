"""Incident: the span in which a module is not up, with its cause and its timeline.

`timeline.advance` is the only way an incident changes by itself: it opens, gains and loses members, worsens, eases, is
resolved and reopens. Its key, and so its id and every link to it, is fixed at opening.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.identity import stable_id
from monitor.core.module import Priority, Status
from monitor.core.observation import moment, stamp
from monitor.core.text import Text


class Stage(StrEnum):
    """How far the work on an incident has come, as visitors read it."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    POSTMORTEM = "postmortem"


LIKELY = 0.05  # confidence below which a candidate is not worth telling


class Change(StrEnum):
    """What happened to an incident; the words of notices and of the replay."""

    OPENED = "opened"
    WORSENED = "worsened"
    EASED = "eased"
    CAUSE_CHANGED = "cause_changed"
    MEMBER_ADDED = "member_added"
    MEMBER_CLEARED = "member_cleared"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    ACKNOWLEDGED = "acknowledged"
    LOWERED = "lowered"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A fact that points somewhere."""

    at: datetime
    module: str
    probe: str
    location: str
    code: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A module that may be the root, and how sure we are."""

    module: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Cause:
    """Our ranked, explained guess. `module` is None while no candidate is sure enough to be named."""

    scope: str  # module shared location unknown
    module: str | None
    candidates: tuple[Candidate, ...]
    code: str
    cls: str
    confidence: float
    state: str = "suspected"  # or confirmed, by a person
    shared: Mapping[str, Any] | None = None
    locations: tuple[str, ...] = ()
    trigger: Mapping[str, Any] | None = None
    evidence: tuple[Evidence, ...] = ()
    platform_reports: Mapping[str, Any] | None = None

    @property
    def likely(self) -> tuple[str, ...]:
        """The candidates that people are told of, the likeliest first."""
        return tuple(one.module for one in self.candidates[:3] if one.confidence >= LIKELY)

    @property
    def sharing(self) -> frozenset[str]:
        """The modules that are told to have something in common."""
        return frozenset((self.shared or {}).get("modules", ()))


@dataclass(frozen=True, slots=True)
class Member:
    """A module in an incident. `until` is when it answered again, None while it does not.

    `seen`: its own probes saw it fail; a root that is only inferred has not been.
    """

    module: str
    role: str  # root affected
    status: Status
    since: datetime
    until: datetime | None = None
    seen: bool = True


class Members(tuple[Member, ...]):
    """Very many members, found by their module. One more, or one as it is now, makes another of these.

    Each is longer than the one before, or as long, so that all can share where a module stands; one that was made
    beside another finds by looking through.
    """

    _places: dict[str, int]

    @classmethod
    def of(cls, members: tuple[Member, ...]) -> "Members":
        """These members, found by their module from now on."""
        return members if isinstance(members, cls) else cls._made(members, {m.module: n for n, m in enumerate(members)})

    @classmethod
    def _made(cls, members: Iterable[Member], places: dict[str, int]) -> "Members":
        made = cls(members)
        made._places = places
        return made

    def find(self, module: str) -> Member | None:
        """The member with this module's id."""
        place = self._place_of(module)
        return None if place is None else self[place]

    def put(self, member: Member) -> "Members":
        """The same with this member in place of the one of its module, or last."""
        place, members = self._place_of(member.module), list(self)
        if place is None:
            self._places[member.module] = len(members)
            members.append(member)
        else:
            members[place] = member
        return self._made(members, self._places)

    def _place_of(self, module: str) -> int | None:
        place = self._places.get(module)
        if place is None or (place < len(self) and self[place].module == module):
            return place
        return next((place for place, member in enumerate(self) if member.module == module), None)


@dataclass(frozen=True, slots=True)
class Update:
    """One entry of the timeline: the monitor writes a `kind` with params, worded when shown; a person a `body`.

    `author` is `monitor` or `person`; names stand in acts alone. `updated_at` is when its text was last corrected.
    """

    at: datetime
    stage: Stage
    kind: str
    params: Mapping[str, Any] = field(default_factory=dict)
    author: str = "monitor"
    body: Text | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Lowered:
    """That a person lowered the priority: when, from what the evidence or a person had stated, and to what."""

    at: datetime
    stated: Priority
    priority: Priority


@dataclass(frozen=True, slots=True)
class Act:
    """What a person did to an incident: when, what, who, and by which request, as far as they were told.

    `what` is `opened updated corrected acknowledged resolved postmortem published edited lowered replied`; `detail`
    holds what was there before, or what was told.
    """

    at: datetime
    what: str
    by: str | None = None
    request: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Incident:
    """One trouble, whole. `updates` and `acts` stand in order of time, the oldest first.

    `published_at` is None while it is a draft. `title` and `summary` are a person's words for the public, in place of
    those worded from the cause; `impact_said`: the impact is a person's as well. `by_hand`: a person opened it, so it
    is neither judged nor ended by the monitor, and has no code. `lowered`: a person's word holds the priority down.
    """

    key: str
    started_at: datetime
    detected_at: datetime
    published_at: datetime | None
    stage: Stage
    impact: str
    priority: Priority
    cause: Cause
    members: tuple[Member, ...]
    components: tuple[str, ...] = ()
    spared: tuple[str, ...] = ()  # components that work all the same, as of the last change
    updates: tuple[Update, ...] = ()
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    reopened: int = 0
    title: Text | None = None
    merged_into: str | None = None  # the incident that this one proved to be a part of
    summary: Text | None = None
    impact_said: bool = False
    by_hand: bool = False
    acts: tuple[Act, ...] = ()
    lowered: Lowered | None = None

    @property
    def id(self) -> str:
        """One id for page, APIs, feeds and notices."""
        return stable_id(self.key)

    @property
    def is_open(self) -> bool:
        """Whether it is still going on."""
        return self.resolved_at is None

    @property
    def is_regional(self) -> bool:
        """Whether it is trouble of a place only, which says nothing about the platform."""
        return self.cause.scope == "location"

    @property
    def is_closed_by_person(self) -> bool:
        """Whether a person ended it, so that only what failed later may bring it back."""
        return any(act.what == "resolved" and act.at == self.resolved_at for act in self.acts)

    @property
    def told_at(self) -> datetime:
        """When what readers see of it last changed."""
        moments = [update.updated_at or update.at for update in self.updates]
        moments += [act.at for act in self.acts if act.what not in ("acknowledged", "replied")]
        return max([*moments, self.published_at or self.detected_at])

    @property
    def root(self) -> str | None:
        """The module to name in a headline: the root, else the most likely one that fails; None where only a place is
        in trouble."""
        if self.cause.module is not None:
            return self.cause.module
        failing = [member.module for member in self.members]
        likely = [one.module for one in self.cause.candidates]
        return next((id for id in likely if id in failing), next(iter([*failing, *likely]), None))

    @property
    def ended_at(self) -> datetime | None:
        """When the last member answered again; None while one does not."""
        if not self.members:
            return self.resolved_at
        ends = [member.until for member in self.members]
        return None if None in ends else max((end for end in ends if end), default=self.resolved_at)

    def member(self, module: str) -> Member | None:
        """The member with this module's id."""
        if isinstance(self.members, Members):
            return self.members.find(module)
        return next((member for member in self.members if member.module == module), None)


def key_of(module: str, onset: datetime) -> str:
    """The key of an incident: from the first module named and the onset; it never follows the root."""
    return f"inc:{module}:{stamp(onset)}"


def with_update(incident: Incident, update: Update) -> Incident:
    """The incident with one more entry in its timeline, at the stage the entry sets."""
    return replace(incident, stage=update.stage, updates=(*incident.updates, update))


def incident_to_json(incident: Incident) -> dict[str, Any]:
    """The stored form, language-neutral; `incident_from_json` gives an equal incident back."""
    cause = incident.cause
    return {
        "key": incident.key,
        "started_at": stamp(incident.started_at),
        "detected_at": stamp(incident.detected_at),
        "published_at": stamp(incident.published_at),
        "acknowledged_at": stamp(incident.acknowledged_at),
        "resolved_at": stamp(incident.resolved_at),
        "stage": incident.stage,
        "impact": incident.impact,
        "priority": incident.priority,
        "reopened": incident.reopened,
        "components": list(incident.components),
        "spared": list(incident.spared),
        "title": None if incident.title is None else dict(incident.title),
        "summary": None if incident.summary is None else dict(incident.summary),
        "impact_said": incident.impact_said,
        "lowered": None if (low := incident.lowered) is None else [stamp(low.at), low.stated, low.priority],
        "by_hand": incident.by_hand,
        "merged_into": incident.merged_into,
        "cause": {
            "scope": cause.scope,
            "module": cause.module,
            "candidates": [[one.module, one.confidence] for one in cause.candidates],
            "code": cause.code,
            "class": cause.cls,
            "confidence": cause.confidence,
            "state": cause.state,
            "shared": cause.shared,
            "locations": list(cause.locations),
            "trigger": cause.trigger,
            "platform_reports": cause.platform_reports,
            "evidence": [[stamp(e.at), e.module, e.probe, e.location, e.code, e.detail] for e in cause.evidence],
        },
        "members": [[m.module, m.role, m.status, stamp(m.since), stamp(m.until), m.seen] for m in incident.members],
        "updates": [
            {
                "at": stamp(update.at),
                "stage": update.stage,
                "kind": update.kind,
                "params": dict(update.params),
                "author": update.author,
                "body": None if update.body is None else dict(update.body),
                "updated_at": stamp(update.updated_at),
            }
            for update in incident.updates
        ],
        "acts": [[stamp(act.at), act.what, act.by, act.request, dict(act.detail)] for act in incident.acts],
    }


def _at(text: str) -> datetime:
    parsed = moment(text)
    assert parsed is not None
    return parsed


def incident_from_json(raw: Mapping[str, Any]) -> Incident:
    """The inverse of `incident_to_json`. Raises KeyError or ValueError for anything else."""
    cause = raw["cause"]
    return Incident(
        key=raw["key"],
        started_at=_at(raw["started_at"]),
        detected_at=_at(raw["detected_at"]),
        published_at=moment(raw["published_at"]),
        acknowledged_at=moment(raw["acknowledged_at"]),
        resolved_at=moment(raw["resolved_at"]),
        stage=Stage(raw["stage"]),
        impact=raw["impact"],
        priority=Priority(raw["priority"]),
        reopened=raw["reopened"],
        components=tuple(raw["components"]),
        spared=tuple(raw.get("spared", ())),
        title=raw["title"],
        merged_into=raw.get("merged_into"),
        summary=raw.get("summary"),
        impact_said=raw.get("impact_said", False),
        by_hand=raw.get("by_hand", False),
        lowered=None if (low := raw.get("lowered")) is None else Lowered(_at(low[0]), *map(Priority, low[1:])),
        acts=tuple(Act(_at(at), *rest) for at, *rest in raw.get("acts", ())),
        cause=Cause(
            scope=cause["scope"],
            module=cause["module"],
            candidates=tuple(Candidate(module, confidence) for module, confidence in cause["candidates"]),
            code=cause["code"],
            cls=cause["class"],
            confidence=cause["confidence"],
            state=cause["state"],
            shared=cause["shared"],
            locations=tuple(cause["locations"]),
            trigger=cause["trigger"],
            platform_reports=cause["platform_reports"],
            evidence=tuple(Evidence(_at(at), *rest) for at, *rest in cause["evidence"]),
        ),
        members=tuple(
            Member(module, role, Status(status), _at(since), moment(until), *seen)
            for module, role, status, since, until, *seen in raw["members"]
        ),
        updates=tuple(
            Update(
                at=_at(u["at"]),
                stage=Stage(u["stage"]),
                kind=u["kind"],
                params=u["params"],
                author=u["author"],
                body=u["body"],
                updated_at=moment(u.get("updated_at")),
            )
            for u in raw["updates"]
        ),
    )
