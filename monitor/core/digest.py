"""Digest: what a channel is to hear in one message: of which incidents, and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitor.core.observation import moment, stamp
from monitor.core.wording import Place

MOST = 40  # incidents of which a message tells; of the others only how many they are


@dataclass(frozen=True, slots=True)
class Line:
    """One incident as a digest tells it. `what` is what is in trouble, for people; `code` what is seen of it."""

    incident: str
    what: Place
    code: str
    priority: str
    started_at: datetime
    ended_at: datetime | None = None
    reopened: int = 0


@dataclass(frozen=True, slots=True)
class Digest:
    """What waits for a channel: its lines by incident, and when they are told. `fixed`: that is a time of day.
    `unended` are the incidents it was told of that went on then: it hears of their end."""

    due_at: datetime | None = None
    fixed: bool = False
    lines: Mapping[str, Line] = field(default_factory=dict)
    unended: frozenset[str] = frozenset()


def line_to_json(line: Line) -> dict[str, Any]:
    """The stored form, and what templates read of it."""
    return {
        "incident": line.incident,
        "what": line.what,
        "code": line.code,
        "priority": line.priority,
        "started_at": stamp(line.started_at),
        "ended_at": stamp(line.ended_at),
        "reopened": line.reopened,
    }


def line_from_json(raw: Mapping[str, Any]) -> Line:
    """The inverse of `line_to_json`. Raises KeyError or ValueError for anything else."""
    started_at = moment(raw["started_at"])
    if started_at is None:
        raise ValueError("a moment is missing")
    ended_at = moment(raw["ended_at"])
    what = _place(raw["what"])
    return Line(raw["incident"], what, raw["code"], raw["priority"], started_at, ended_at, raw["reopened"])


def _place(raw: Any) -> Place:
    return tuple(map(_place, raw)) if isinstance(raw, list) else raw


def digest_to_json(digest: Digest) -> dict[str, Any]:
    """The stored form; `digest_from_json` gives an equal one back, to the millisecond."""
    return {
        "due_at": stamp(digest.due_at),
        "fixed": digest.fixed,
        "lines": [line_to_json(one) for one in digest.lines.values()],
        "unended": sorted(digest.unended),
    }


def digest_from_json(raw: Mapping[str, Any]) -> Digest:
    """The inverse of `digest_to_json`. Raises KeyError or ValueError for anything else."""
    lines = map(line_from_json, raw["lines"])
    return Digest(moment(raw["due_at"]), raw["fixed"], {one.incident: one for one in lines}, frozenset(raw["unended"]))
