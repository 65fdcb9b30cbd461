"""Maintenance: planned work, once, with its plan, what became of it and what was told of it.

Maintenance is an overlay, not a status: probes run and statuses are kept as they are. While work goes on, a failure of
the announced kind in what is worked on opens no incident, and the time is cut out of uptime.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from monitor.core.codes import SLOW_CODES
from monitor.core.identity import stable_id
from monitor.core.module import Status
from monitor.core.observation import moment, stamp
from monitor.core.text import Text


class WorkStage(StrEnum):
    """How far planned work has come."""

    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    VERIFYING = "verifying"  # a person says that it is done and being looked at; the window lasts
    COMPLETED = "completed"
    CANCELLED = "cancelled"


GOING_ON = (WorkStage.IN_PROGRESS, WorkStage.VERIFYING)
OVER = (WorkStage.COMPLETED, WorkStage.CANCELLED)


@dataclass(frozen=True, slots=True)
class Window:
    """What is planned, once or by a rule: `begins` and `ends` are those of the first time.

    `rule` is an RFC 5545 recurrence, None for work that takes place once; it repeats `wall`, what a clock in `zone`
    shows at the beginning, as `2026-11-29T02:00:00`. `modules` empty:
    everything. `excuses` are kinds of fault: `slow`, `degraded`, a code of a cause or how it begins (`http.503`,
    `tls`); empty: every fault. Without a `message` there is only the title.
    """

    id: str
    title: Text
    begins: datetime
    ends: datetime
    zone: str = "UTC"
    wall: str = ""
    rule: str | None = None
    message: Text = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkUpdate:
    """One entry of the timeline: worded by its `kind` when shown; a person's `body` stands as it was written."""

    at: datetime
    stage: WorkStage
    kind: str  # scheduled replanned extended begun verifying completed cancelled
    author: str = "monitor"
    body: Text | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """A stretch of the work in which a module failed in a way that the work does not excuse; it counts as any other."""

    module: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Planned work that takes place once. `key` is made from the window and the start first planned, and never changes.

    `updates` stand in order of time, the oldest first; `sequence` rises with each change of plan or stage.
    `author` of the plan is `monitor` for what the configuration plans, else `person`. `extended`: a person moved the
    end, so that the window's own no longer holds.
    """

    key: str
    window: str
    title: Text
    planned_from: datetime
    planned_until: datetime
    announced_at: datetime
    author: str = "monitor"
    message: Text = field(default_factory=dict)
    modules: tuple[str, ...] = ()
    excuses: tuple[str, ...] = ()
    stage: WorkStage = WorkStage.SCHEDULED
    started_at: datetime | None = None
    ended_at: datetime | None = None
    sequence: int = 0
    extended: bool = False
    updates: tuple[WorkUpdate, ...] = ()
    counted: tuple[Counted, ...] = ()

    @property
    def id(self) -> str:
        """One id for page, APIs, feeds and calendar."""
        return stable_id(self.key)

    @property
    def is_going_on(self) -> bool:
        """Whether work is under way."""
        return self.stage in GOING_ON

    @property
    def is_over(self) -> bool:
        """Whether it has taken place or was withdrawn."""
        return self.stage in OVER

    @property
    def updated_at(self) -> datetime:
        """When something was last said of it."""
        return self.updates[-1].at if self.updates else self.announced_at

    @property
    def over_at(self) -> datetime | None:
        """When its planned end has passed, and the last word was said; None while it is not over."""
        return max(self.updated_at, self.planned_until) if self.is_over else None

    @property
    def due_at(self) -> datetime | None:
        """When time alone moves it on; None once it is over."""
        if self.is_over:
            return None
        return self.planned_until if self.is_going_on else self.planned_from

    def concerns(self, module: str) -> bool:
        """Whether a module is worked on."""
        return not self.modules or module in self.modules

    def excused(self, status: Status, code: str | None) -> bool:
        """Whether a failure is of the announced kind."""
        slow = status is Status.DEGRADED and code in SLOW_CODES
        kinds = {"degraded": status is Status.DEGRADED, "slow": slow}
        return not self.excuses or any(
            kinds[kind] if kind in kinds else code is not None and f"{code}.".startswith(f"{kind}.")
            for kind in self.excuses
        )

    def excluded(self, module: str, now: datetime) -> list[tuple[datetime, datetime]]:
        """The stretches of the work that leave a module's uptime alone, in order: without those that are counted."""
        if self.started_at is None or not self.concerns(module):
            return []
        free, at = [], self.started_at
        end = min(self.ended_at or now, now)
        for one in self.counted:
            if one.module == module:
                if one.since > at:
                    free.append((at, min(one.since, end)))
                at = max(at, one.until or end)
        return [*free, (at, end)] if end > at else free


def key_of(window: str, begins: datetime) -> str:
    """The key of planned work: its window and the start it was first planned for."""
    return f"maintenance:{window}:{stamp(begins)}"


def announced(window: Window, begins: datetime, now: datetime, author: str = "monitor") -> Maintenance:
    """Work as a window plans it from a moment on."""
    return Maintenance(
        key=key_of(window.id, begins),
        window=window.id,
        title=window.title,
        planned_from=begins,
        planned_until=begins + (window.ends - window.begins),
        announced_at=now,
        author=author,
        message=window.message,
        modules=window.modules,
        excuses=window.excuses,
        updates=(WorkUpdate(now, WorkStage.SCHEDULED, "scheduled", author),),
    )


def changed(
    one: Maintenance,
    now: datetime,
    kind: str,
    stage: WorkStage | None = None,
    author: str = "monitor",
    body: Text | None = None,
    **changes: Any,
) -> Maintenance:
    """The work after one more step, told in its timeline."""
    stage = stage or one.stage
    updates = (*one.updates, WorkUpdate(now, stage, kind, author, body))
    return replace(one, stage=stage, updates=updates, sequence=one.sequence + 1, **changes)


def begun(one: Maintenance, now: datetime) -> Maintenance:
    """Work that begins as planned; what was announced too late begins with its announcement."""
    return changed(one, now, "begun", WorkStage.IN_PROGRESS, started_at=max(one.planned_from, one.announced_at))


def ended(one: Maintenance, now: datetime, author: str = "monitor", body: Text | None = None) -> Maintenance:
    """Work that is over: at its planned end, or earlier by a person's word."""
    end = min(one.planned_until, now)
    start = one.started_at or min(max(one.planned_from, one.announced_at), end)
    counted = tuple(replace(each, until=max(each.since, each.until or end)) for each in one.counted)
    return changed(
        one, now, "completed", WorkStage.COMPLETED, author, body,
        started_at=start, ended_at=max(start, end), counted=counted,
    )  # fmt: skip


def replanned(one: Maintenance, window: Window, begins: datetime, now: datetime) -> Maintenance:
    """Work that has not begun as its window plans it now; the same object when nothing is different."""
    kept = one.extended and begins == one.planned_from
    told = replace(
        one,
        title=window.title,
        message=window.message,
        modules=window.modules,
        excuses=window.excuses,
        planned_from=begins,
        planned_until=one.planned_until if kept else begins + (window.ends - window.begins),
        extended=kept,
    )
    if one.stage is WorkStage.CANCELLED:
        return changed(told, now, "scheduled", WorkStage.SCHEDULED)
    return one if told == one else changed(told, now, "replanned")


# --- the stored form


def window_to_json(window: Window) -> dict[str, Any]:
    """The stored form; `window_from_json` gives an equal window back."""
    return {
        "id": window.id,
        "title": dict(window.title),
        "message": dict(window.message),
        "begins": stamp(window.begins),
        "ends": stamp(window.ends),
        "zone": window.zone,
        "wall": window.wall,
        "rule": window.rule,
        "modules": list(window.modules),
        "excuses": list(window.excuses),
    }


def window_from_json(raw: Mapping[str, Any]) -> Window:
    """The inverse of `window_to_json`. Raises KeyError or ValueError for anything else."""
    return Window(
        id=raw["id"],
        title=raw["title"],
        message=raw["message"],
        begins=_at(raw["begins"]),
        ends=_at(raw["ends"]),
        zone=raw["zone"],
        wall=raw["wall"],
        rule=raw["rule"],
        modules=tuple(raw["modules"]),
        excuses=tuple(raw["excuses"]),
    )


def maintenance_to_json(one: Maintenance) -> dict[str, Any]:
    """The stored form; `maintenance_from_json` gives equal work back."""
    return {
        "key": one.key,
        "window": one.window,
        "title": dict(one.title),
        "message": dict(one.message),
        "planned_from": stamp(one.planned_from),
        "planned_until": stamp(one.planned_until),
        "announced_at": stamp(one.announced_at),
        "author": one.author,
        "modules": list(one.modules),
        "excuses": list(one.excuses),
        "stage": one.stage,
        "started_at": stamp(one.started_at),
        "ended_at": stamp(one.ended_at),
        "sequence": one.sequence,
        "extended": one.extended,
        "updates": [
            [stamp(each.at), each.stage, each.kind, each.author, None if each.body is None else dict(each.body)]
            for each in one.updates
        ],
        "counted": [[each.module, stamp(each.since), stamp(each.until)] for each in one.counted],
    }


def maintenance_from_json(raw: Mapping[str, Any]) -> Maintenance:
    """The inverse of `maintenance_to_json`. Raises KeyError or ValueError for anything else."""
    return Maintenance(
        key=raw["key"],
        window=raw["window"],
        title=raw["title"],
        message=raw["message"],
        planned_from=_at(raw["planned_from"]),
        planned_until=_at(raw["planned_until"]),
        announced_at=_at(raw["announced_at"]),
        author=raw["author"],
        modules=tuple(raw["modules"]),
        excuses=tuple(raw["excuses"]),
        stage=WorkStage(raw["stage"]),
        started_at=moment(raw["started_at"]),
        ended_at=moment(raw["ended_at"]),
        sequence=raw["sequence"],
        extended=raw["extended"],
        updates=tuple(
            WorkUpdate(_at(at), WorkStage(stage), kind, author, body)
            for at, stage, kind, author, body in raw["updates"]
        ),
        counted=tuple(Counted(module, _at(since), moment(until)) for module, since, until in raw["counted"]),
    )


def _at(text: str) -> datetime:
    parsed = moment(text)
    if parsed is None:
        raise ValueError("a moment is missing")
    return parsed
