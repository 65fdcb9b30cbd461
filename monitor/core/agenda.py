"""Agenda: all planned work that is known, what a new plan makes of it, and what time and people do to it.

Plans arrive expanded: core knows no calendars. What has begun is never changed by a plan, only by time and by people.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property

from monitor.core.maintenance import (
    Maintenance,
    Window,
    WorkStage,
    announced,
    begun,
    changed,
    ended,
    key_of,
    replanned,
)
from monitor.core.observation import stamp
from monitor.core.text import Text

KEPT = timedelta(days=1)  # how long the board remembers work that is over; a failure may be dated before its end
LONGEST = timedelta(days=366)  # that one piece of work may be made to take
NEAR = timedelta(days=7)  # a start that is gone and a new one of a rule, so close, are the same work, moved

Plan = Sequence[tuple[Window, Sequence[datetime]]]  # windows with the starts that are to come, and those going on


class WorkAct(StrEnum):
    """What a person does to planned work."""

    BEGIN = "begin"
    CANCEL = "cancel"
    EXTEND = "extend"
    VERIFY = "verify"
    COMPLETE = "complete"


class Refused(Exception):
    """The work cannot be changed like this; the text says why."""


@dataclass(frozen=True)
class Agenda:
    """Planned work by id: what is to come, what goes on, and what was over a short while ago. `windows` are those that
    people planned to repeat, by id."""

    works: Mapping[str, Maintenance] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)

    @cached_property
    def going_on(self) -> tuple[Maintenance, ...]:
        """The work under way, the first to begin first."""
        found = [one for one in self.works.values() if one.is_going_on]
        return tuple(sorted(found, key=lambda one: (one.planned_from, one.key)))

    @cached_property
    def due_at(self) -> datetime | None:
        """When time alone changes something; None when nothing is planned."""
        return min((due for one in self.works.values() if (due := one.due_at)), default=None)

    def concerning(self, module: str) -> tuple[Maintenance, ...]:
        """The work under way on a module."""
        return tuple(one for one in self.going_on if one.concerns(module))

    def with_works(self, news: Iterable[Maintenance], now: datetime) -> "Agenda":
        """The agenda with these in place of what was known of them; what was over long ago is let go."""
        works = {**self.works, **{one.id: one for one in news}}
        return Agenda({id: one for id, one in works.items() if now - (one.over_at or now) < KEPT}, self.windows)


def planned(agenda: Agenda, plan: Plan, now: datetime) -> list[Maintenance]:
    """What a plan changes: new starts are announced, others move, what is in it no more is withdrawn.

    A start that is gone and a new one of the same window near it are the same work, moved. What a person withdrew stays
    withdrawn.
    """
    news: list[Maintenance] = []
    for window, starts in plan:
        known = [one for one in agenda.works.values() if one.window == window.id]
        author = "person" if window.id in agenda.windows else "monitor"
        news += _of_window(
            window, [at for at in starts if at + (window.ends - window.begins) > now], known, now, author
        )
    named = {window.id for window, _ in plan}
    gone = [one for one in agenda.works.values() if one.window not in named and one.author == "monitor"]
    return [*news, *(withdrawn(one, now) for one in gone if one.stage is WorkStage.SCHEDULED)]


def _of_window(
    window: Window, starts: Sequence[datetime], known: Sequence[Maintenance], now: datetime, author: str
) -> list[Maintenance]:
    standing_last = sorted(known, key=lambda one: one.stage is not WorkStage.CANCELLED)
    by_start = {one.planned_from: one for one in standing_last}
    fresh = [at for at in starts if at not in by_start]
    wanted = set(starts)
    left = [one for one in known if one.stage is WorkStage.SCHEDULED and one.planned_from not in wanted]
    moved = _pairs(left, fresh, NEAR if window.rule else timedelta.max)
    pairs = [*((by_start[at], at) for at in starts if at in by_start), *moved]
    news = [
        replanned(one, window, at, now) for one, at in pairs if one.stage is WorkStage.SCHEDULED or _may_return(one)
    ]
    told = {one.key for one, _ in pairs}
    taken = {at for _, at in moved}
    for at in fresh:
        if at in taken:
            continue
        again = next((one for one in known if one.key == key_of(window.id, at)), None)
        if again is not None and again.key not in told and _may_return(again):
            news.append(replanned(again, window, at, now))
            continue
        one = announced(window, at, now, author)
        news.append(one if again is None else replace(one, key=f"{one.key}:{stamp(now)}"))  # that one has moved away
    news += [withdrawn(one, now) for one in left if one.key not in told]
    before = {one.key: one for one in known}
    return [one for one in news if before.get(one.key) != one]


def _may_return(one: Maintenance) -> bool:
    """Whether what was withdrawn may be planned again: not what a person withdrew."""
    return one.stage is WorkStage.CANCELLED and one.updates[-1].author == "monitor"


def _pairs(
    left: Sequence[Maintenance], fresh: Sequence[datetime], near: timedelta
) -> list[tuple[Maintenance, datetime]]:
    """Works whose start is gone, each with the new start it moves to: one to one, the nearest first."""
    close = [(abs(at - one.planned_from), at, one.key) for one in left for at in fresh]
    by_key = {one.key: one for one in left}
    free = set(fresh)
    found = []
    for distance, at, key in sorted(close):
        if distance <= near and at in free and key in by_key:
            free.remove(at)
            found.append((by_key.pop(key), at))
    return found


def withdrawn(one: Maintenance, now: datetime, author: str = "monitor", body: Text | None = None) -> Maintenance:
    """Work that will not take place."""
    return changed(one, now, "cancelled", WorkStage.CANCELLED, author, body)


def scheduled(agenda: Agenda, window: Window, starts: Sequence[datetime], now: datetime) -> list[Maintenance]:
    """What a person plans. The same plan once more changes nothing, but for work that was withdrawn: it is on again."""
    known = [one for one in agenda.works.values() if one.window == window.id]
    if not known:
        return [announced(window, at, now, "person") for at in starts]
    gone = (one for one in known if one.stage is WorkStage.CANCELLED and one.planned_until > now)
    return [changed(one, now, "scheduled", WorkStage.SCHEDULED, "person") for one in gone]


def acted(one: Maintenance, act: WorkAct, until: datetime | None, body: Text | None, now: datetime) -> Maintenance:
    """The work after a person's word. Raises Refused when it makes no sense now."""
    if one.is_over:
        raise Refused(f"it is over: {one.stage.value}")
    match act:
        case WorkAct.BEGIN:
            if one.is_going_on:
                raise Refused("it has begun already")
            if one.author == "monitor":
                raise Refused(
                    "it stands in the configuration, which would bring it back: plan work from now on instead"
                )
            moved = {"planned_from": now, "planned_until": now + (one.planned_until - one.planned_from)}
            return changed(one, now, "begun", WorkStage.IN_PROGRESS, "person", body, started_at=now, **moved)
        case WorkAct.CANCEL:
            if one.is_going_on:
                raise Refused("it has begun: complete it instead")
            return withdrawn(one, now, "person", body)
        case WorkAct.EXTEND:
            if until is None or until <= max(now, one.planned_from):
                raise Refused("the new end must lie after its beginning, and ahead")
            if until - one.planned_from > LONGEST:
                raise Refused("it would take longer than a year")
            return changed(one, now, "extended", None, "person", body, planned_until=until, extended=True)
        case WorkAct.VERIFY:
            if one.stage is not WorkStage.IN_PROGRESS:
                raise Refused("only work in progress is verified")
            return changed(one, now, "verifying", WorkStage.VERIFYING, "person", body)
        case WorkAct.COMPLETE:
            if not one.is_going_on:
                raise Refused("it has not begun: cancel it instead")
            return ended(one, now, "person", body)


def may_begin(agenda: Agenda, one: Maintenance) -> bool:
    """Whether work may begin earlier than planned: what a standing window plans would be planned once more."""
    return one.author == "person" and one.window not in agenda.windows


def passed(agenda: Agenda, now: datetime) -> list[Maintenance]:
    """What time alone does: work begins and ends as planned, also while nobody was there to see it."""
    news = []
    for one in agenda.works.values():
        after = one
        if after.stage is WorkStage.SCHEDULED and after.planned_from <= now:
            after = begun(after, now)
        if after.is_going_on and after.planned_until <= now:
            after = ended(after, now)
        if after is not one:
            news.append(after)
    return news


def with_window(agenda: Agenda, window: Window) -> Agenda:
    """The agenda with a window that a person plans to repeat."""
    return replace(agenda, windows={**agenda.windows, window.id: window})


def without_window(agenda: Agenda, id: str) -> Agenda:
    """The agenda without such a window."""
    return replace(agenda, windows={key: one for key, one in agenda.windows.items() if key != id})
