"""Silence: for a while people want no notices of what they know about. It mutes notices and nothing else.

A silence has an author, a reason and an end, at most seven days after its beginning. It speaks only for what it names:
an incident that comes from another module, or touches another component or group as well, is told of.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.identity import stable_id
from monitor.core.incident import Incident
from monitor.core.match import Match
from monitor.core.module import Platform
from monitor.core.observation import moment, stamp

LONGEST = timedelta(days=7)  # from its beginning
STATUSES = ("coming", "active", "over")


@dataclass(frozen=True, slots=True)
class Scope:
    """Which notices are meant: all that is given must fit, and what is None fits everything.

    `incident` is an id; `codes` are codes of causes or how they begin (`http.503`, `tls`).
    """

    match: Match = field(default_factory=Match)
    incident: str | None = None
    codes: frozenset[str] | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is given."""
        return self == Scope()

    def covers(self, incident: Incident, platform: Platform) -> bool:
        """Whether an incident is meant, by what it comes from and touches now.

        Of modules the one it comes from counts; while that is not certain, all that fail in it.
        """
        components = set(incident.components)
        groups = {group.id for group in platform.groups if components & {one.id for one in group.components}}
        cause = incident.cause
        modules = {cause.module} if cause.module is not None else {member.module for member in incident.members}
        return (
            self.match.covers(incident.priority.value, groups, components, modules)
            and self.incident in (None, incident.id)
            and (self.codes is None or any(f"{cause.code}.".startswith(f"{one}.") for one in self.codes))
        )


@dataclass(frozen=True, slots=True)
class Silence:
    """`begins` and `until` are as a person wanted them; `ended_at` is when it was over, by time or because somebody
    lifted it. `request` names the request that made it."""

    id: str
    scope: Scope
    author: str
    reason: str
    begins: datetime
    until: datetime
    created_at: datetime
    request: str | None = None
    ended_at: datetime | None = None
    lifted_by: str | None = None

    def state(self, at: datetime) -> str:
        """`coming`, `active` or `over`."""
        if self.ended_at is not None or at >= self.until:
            return "over"
        return "active" if at >= self.begins else "coming"

    @property
    def is_lifted(self) -> bool:
        """Whether it ended earlier than it was to."""
        return self.ended_at is not None and self.ended_at < self.until


def silenced(silences: Iterable[Silence], incident: Incident, platform: Platform, at: datetime) -> Silence | None:
    """The silence that keeps notices of an incident back at a moment; of several the one that lasts longest."""
    found = [one for one in silences if one.state(at) == "active" and one.scope.covers(incident, platform)]
    return max(found, key=lambda one: (one.until, one.id), default=None)


def id_of(scope: Scope, author: str, reason: str, until: datetime, request: str | None, again: int = 0) -> str:
    """The id of a silence: from its request, or from what it says; `again` tells later ones apart that say the same."""
    if request is not None:
        return stable_id(f"silence:{request}")
    said = (sorted(scope_to_json(scope).items()), author, reason, stamp(until), again)
    return stable_id(f"silence:{said}")


def lifted(silence: Silence, now: datetime, by: str | None) -> Silence:
    """The silence, over from now on."""
    return replace(silence, ended_at=min(now, silence.until), lifted_by=by)


# --- as JSON


def scope_to_json(scope: Scope) -> dict[str, Any]:
    """What is meant; an empty list stands for what is not given."""

    def named(ids: frozenset[str] | None) -> list[str]:
        return sorted(ids or ())

    match = scope.match
    return {
        "modules": named(match.modules),
        "components": named(match.components),
        "groups": named(match.groups),
        "priorities": named(match.priorities),
        "incident": scope.incident,
        "codes": named(scope.codes),
    }


def scope_from_json(raw: Mapping[str, Any]) -> Scope:
    """The inverse of `scope_to_json`. Raises KeyError or TypeError for anything else."""

    def named(key: str) -> frozenset[str] | None:
        return frozenset(raw[key]) or None

    match = Match(named("priorities"), named("groups"), named("components"), named("modules"))
    return Scope(match, raw["incident"], named("codes"))


def silence_object(silence: Silence, now: datetime) -> dict[str, Any]:
    """A silence as our own JSON has it."""
    return {
        "id": silence.id,
        "status": silence.state(now),
        **scope_to_json(silence.scope),
        "all": silence.scope.is_everything,
        "author": silence.author,
        "reason": silence.reason,
        "from": stamp(silence.begins),
        "until": stamp(silence.until),
        "created_at": stamp(silence.created_at),
        "ended_at": stamp(silence.ended_at),
        "lifted_by": silence.lifted_by,
    }


def silence_to_json(silence: Silence) -> dict[str, Any]:
    """The stored form; `silence_from_json` gives an equal silence back."""
    return {
        "id": silence.id,
        "scope": scope_to_json(silence.scope),
        "author": silence.author,
        "reason": silence.reason,
        "begins": stamp(silence.begins),
        "until": stamp(silence.until),
        "created_at": stamp(silence.created_at),
        "request": silence.request,
        "ended_at": stamp(silence.ended_at),
        "lifted_by": silence.lifted_by,
    }


def silence_from_json(raw: Mapping[str, Any]) -> Silence:
    """The inverse of `silence_to_json`. Raises KeyError or ValueError for anything else."""
    begins, until, created_at = (_at(raw[name]) for name in ("begins", "until", "created_at"))
    return Silence(
        id=raw["id"],
        scope=scope_from_json(raw["scope"]),
        author=raw["author"],
        reason=raw["reason"],
        begins=begins,
        until=until,
        created_at=created_at,
        request=raw["request"],
        ended_at=moment(raw["ended_at"]),
        lifted_by=raw["lifted_by"],
    )


def _at(text: str) -> datetime:
    parsed = moment(text)
    if parsed is None:
        raise ValueError("a moment is missing")
    return parsed
