"""Imported: the past as another monitor or another status page kept it, in our words.

A monitor measured, so what it saw becomes changes of status; but never of a time that was measured here. A page was
written, so what it says becomes incidents, and no figure follows from them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from monitor.core.detector import Transition
from monitor.core.incident import Act, Cause, Incident, Member, Stage, Update
from monitor.core.module import Platform, Priority, Status
from monitor.core.observation import moment
from monitor.core.text import Text
from monitor.core.uptime import Span, merge, spans

GRACE = 3  # intervals without a beat after which nothing is known
NEARLY = 0.9  # of the runs that there should be, which make a stretch one that was watched
LONGEST_TITLE, LONGEST_BODY = 200, 10_000  # characters
IMPACTS = {"none": "minor", "minor": "minor", "major": "major", "critical": "critical"}
STATUSES = {"degraded_performance": Status.DEGRADED, "partial_outage": Status.DOWN, "major_outage": Status.DOWN}


@dataclass(frozen=True, slots=True)
class Beat:
    """What Uptime Kuma noted of a run: 0 down, 1 up, 2 pending (failed, not yet believed), 3 maintenance."""

    at: datetime
    status: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many runs it counted in a stretch; 2.0 keeps these of a time of which it deletes the runs that changed
    nothing."""

    since: datetime
    length: timedelta
    runs: int


def named(name: str, platform: Platform, mapping: Mapping[str, str]) -> str | None:
    """The module that a name of elsewhere means: by the mapping, its id, an alias, or its name in any language."""
    if name in mapping:
        return mapping[name]
    wanted = _slug(name)
    for id, module in platform.modules.items():
        if wanted in {_slug(one) for one in (id, *module.aliases, *module.name.values())}:
            return id
    return None


def _slug(text: str) -> str:
    return "-".join("".join(one if one.isalnum() else " " for one in text.casefold()).split())


# -- a monitor: Uptime Kuma -------------------------------------------------------------------------------------------


def watched(
    counts: Iterable[Count], interval: timedelta, since: datetime, until: datetime
) -> list[tuple[datetime, datetime]]:
    """The stretches between two moments in which nearly all runs that there should be were counted, in order of time.
    Longer counts are believed of the time before the first shorter one, since these are kept for less long."""
    found: list[tuple[datetime, datetime]] = []
    ends = until
    by_length = sorted(counts, key=lambda one: (one.length, one.since))
    for _, some in groupby(by_length, key=lambda one: one.length):
        before, oldest = ends, ends
        for one in some:
            begin, end = max(one.since, since), min(one.since + one.length, until)
            oldest = min(oldest, one.since)
            if begin < min(end, before) and one.runs * interval >= NEARLY * (end - begin):
                found.append((begin, min(end, before)))
        ends = oldest
    return sorted(found)


def seen(beats: Iterable[Beat], interval: timedelta, counted: Sequence[tuple[datetime, datetime]] = ()) -> list[Span]:
    """What beats in order of time say. An outage is dated from the first failed run before it was believed; where beats
    are missing, and in maintenance, nothing is known. In `counted` stretches runs that changed nothing are missing,
    and what the last beat said goes on."""
    edges: list[tuple[datetime, Status]] = []
    status, pending, last = Status.UNKNOWN, None, None
    for beat in beats:
        if last is not None and beat.at - last > GRACE * interval:
            pending = None
            for begin, end in _holes(last + interval, beat.at, counted):
                edges.append((begin, Status.UNKNOWN))
                if end < beat.at:
                    edges.append((end, status))
                else:
                    status = Status.UNKNOWN
        last = beat.at
        if beat.status == 2:
            pending = pending or beat.at
            continue
        after = {0: Status.DOWN, 1: Status.UP}.get(beat.status, Status.UNKNOWN)
        since = pending if after is Status.DOWN and pending is not None else beat.at
        pending = None
        if after is not status:
            edges.append((since, after))
            status = after
    if last is None or not edges:
        return []
    moves = [Transition("", Status.UNKNOWN, after, since, since) for since, after in edges]
    return spans(moves, edges[0][0], last + interval)


def _holes(
    since: datetime, until: datetime, counted: Sequence[tuple[datetime, datetime]]
) -> Iterable[tuple[datetime, datetime]]:
    """What of a stretch lies in none of the others, which are in order of time."""
    for begin, end in counted[max(0, bisect_left(counted, since, key=itemgetter(1))) :]:
        if begin >= until or since >= until:
            break
        if begin > since:
            yield since, begin
        since = max(since, end)
    if since < until:
        yield since, until


def moves_of(module: str, lines: Sequence[Sequence[Span]], known: Sequence[Transition]) -> list[Transition]:
    """The changes of status that are new, from what several monitors of a module saw. `known` are those stored: what
    was measured here begins with the first of them that is not one of ours, and nothing is added from there on."""
    wanted = _moves(module, merge([line for line in lines if line]))
    ours = {_key(one) for one in wanted}
    begins = min((one.since for one in known if _key(one) not in ours), default=None)
    stored = {_key(one) for one in known}
    return [one for one in wanted if _key(one) not in stored and (begins is None or one.since < begins)]


def _moves(module: str, cut: Sequence[Span]) -> list[Transition]:
    found: list[Transition] = []
    before, end = Status.UNKNOWN, None
    for span in cut:
        if end is not None and span.since > end and before is not Status.UNKNOWN:
            found.append(Transition(module, before, Status.UNKNOWN, end, end))
            before = Status.UNKNOWN
        if span.status is not before:
            found.append(Transition(module, before, span.status, span.since, span.since))
        before, end = span.status, span.until
    if end is not None and before is not Status.UNKNOWN:
        found.append(Transition(module, before, Status.UNKNOWN, end, end))
    return found


def _key(one: Transition) -> tuple[datetime, datetime, Status]:
    return one.at, one.since, one.after


# -- a page: Statuspage v2 --------------------------------------------------------------------------------------------


def incident_of(
    raw: Mapping[str, Any], platform: Platform, mapping: Mapping[str, str], language: str
) -> Incident | None:
    """An incident of `incidents.json`; None while it is not over, which only whoever wrote it can tell.

    Raises ValueError with a sentence's end for what is none.
    """
    try:
        began = _at(raw, "started_at") or _at(raw, "created_at")
        ended = _at(raw, "resolved_at")
        id, title = str(raw["id"]), _line(raw["name"])
        if ended is None:
            return None
        if began is None or began > ended or not title or not id:
            raise ValueError("it has no beginning, no end after it, or no name")
        created = min(max(began, _at(raw, "created_at") or began), ended)
        updates = [_update(one, language) for one in raw.get("incident_updates") or ()]
        members = _members(raw, platform, mapping, began, ended)
        return Incident(
            key=f"statuspage:{id}",
            started_at=began,
            detected_at=created,
            published_at=created,
            stage=Stage(raw.get("status", "resolved")),
            impact=IMPACTS.get(str(raw.get("impact")), "minor"),
            priority=Priority.NORMAL,
            cause=Cause("unknown", None, (), "", "unknown", 0.0),
            members=members,
            components=_components(raw, platform, members),
            updates=tuple(sorted(updates, key=lambda one: one.at)),
            resolved_at=ended,
            title={language: title},
            impact_said=True,
            by_hand=True,
            acts=(Act(created, "opened", None, None, {"imported": "statuspage"}),),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"it is no incident of Statuspage ({type(error).__name__}: {error})") from None


def _at(raw: Mapping[str, Any], name: str) -> datetime | None:
    found = moment(raw[name]) if raw.get(name) else None
    if found is not None and not 1971 <= found.year < 9000:
        raise ValueError(f"`{name}` is out of range")
    return found


def _line(text: Any) -> str:
    said = "".join(one if one.isprintable() else " " for one in str(text))
    return " ".join(said.split())[:LONGEST_TITLE]


def _update(raw: Mapping[str, Any], language: str) -> Update:
    at = _at(raw, "display_at") or _at(raw, "created_at")
    if at is None:
        raise ValueError("an update has no time")
    body: Text = {language: str(raw.get("body") or "").replace("\r\n", "\n").strip()[:LONGEST_BODY]}
    return Update(at, Stage(raw.get("status", "investigating")), "said", author="person", body=body)


def _members(
    raw: Mapping[str, Any], platform: Platform, mapping: Mapping[str, str], began: datetime, ended: datetime
) -> tuple[Member, ...]:
    worst: dict[str, Status] = {}
    for name, status in _touched(raw):
        module = named(name, platform, mapping)
        if module is not None and worst.get(module) is not Status.DOWN:
            worst[module] = status
    return tuple(Member(id, "affected", status, began, ended, seen=False) for id, status in worst.items())


def _touched(raw: Mapping[str, Any]) -> Iterable[tuple[str, Status]]:
    """Names of components with what they were, as far as updates say it."""
    for one in raw.get("components") or ():
        yield str(one["name"]), Status.DEGRADED
    for update in raw.get("incident_updates") or ():
        for one in update.get("affected_components") or ():
            status = STATUSES.get(str(one.get("new_status")))
            if status is not None:
                yield str(one["name"]), status


def _components(raw: Mapping[str, Any], platform: Platform, members: Sequence[Member]) -> tuple[str, ...]:
    """Components of ours of that name, and those the modules are part of."""
    names = {_slug(name) for name, _ in _touched(raw)}
    same = {id for id, one in platform.components.items() if names & {_slug(id), *map(_slug, one.name.values())}}
    same.update(platform.components_of(member.module for member in members))
    return tuple(id for id in platform.components if id in same)


def unknown_names(raw: Mapping[str, Any], platform: Platform, mapping: Mapping[str, str]) -> list[str]:
    """Names that mean neither a module nor a component."""
    known = {_slug(one) for id, component in platform.components.items() for one in (id, *component.name.values())}
    names = dict.fromkeys(name for name, _ in _touched(raw))
    return [one for one in names if named(one, platform, mapping) is None and _slug(one) not in known]
