"""Waiting: what comes outside of the hours of a route, of a step or of a channel is told once these open."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from monitor.core.hours import open_from
from monitor.core.incident import Incident
from monitor.core.intent import Intent, Withheld
from monitor.core.module import Platform, Priority
from monitor.core.told import Told, Turn


def opening(one: Turn, incident: Incident, now: datetime, platform: Platform) -> datetime | None:
    """When its hours are open: now, later, or None for never. A calendar that is gone is always open."""
    names = [*one.hours, *((one.office,) if one.office and incident.priority is not Priority.URGENT else ())]
    hours = [platform.calendars[name] for name in names if name in platform.calendars]
    return now if all(each.within(now) for each in hours) else open_from(hours, now)


def waits(
    told: Told,
    incident: Incident,
    one: Turn,
    opens: datetime | None,
    now: datetime,
    platform: Platform,
    *,
    first: bool = False,
) -> tuple[Told, list[Intent]]:
    """A turn that has come outside its hours comes when they open. That is said once, and not of reminders."""
    names = [*one.hours, *filter(None, [one.office])]
    shut = next(n for n in names if n in platform.calendars and not platform.calendars[n].within(now))
    told, said = closed(told, incident, shut, opens, one, now)
    return told, [] if one.kind == "reminder" or (one.fixed and not first) else said


def closed(
    told: Told, incident: Incident, calendar: str, opens_at: datetime | None, one: Turn, at: datetime
) -> tuple[Told, list[Intent]]:
    """Withheld until hours open, where they ever do; told once until then."""
    if opens_at is not None:
        one = replace(one, at=opens_at, fixed=True)
        if any((other.kind, other.channels, other.at) == (one.kind, one.channels, one.at) for other in told.turns):
            return told, []
        told = told.and_then(one)
    return told, [Withheld(at, f"hours:{calendar}", incident.id)]


def takes(channel: str, incident: Incident, at: datetime, platform: Platform) -> bool:
    """Whether a channel takes it now: what is urgent at any time."""
    hours = platform.hours.get(channel)
    return hours is None or incident.priority is Priority.URGENT or hours.within(at)


def open_ones(
    told: Told, heard: Sequence[str], incident: Incident, one: Turn, now: datetime, platform: Platform
) -> tuple[list[str], Told]:
    """The channels that take it now; for each of the others the turn comes when its hours open, once."""
    reached = [name for name in heard if takes(name, incident, now, platform)]
    for name in (name for name in heard if name not in reached):
        opens = platform.hours[name].opens_at(now)
        waiting = any((each.kind, each.channels, each.fixed) == (one.kind, (name,), True) for each in told.turns)
        if opens is not None and not waiting:
            told = told.and_then(replace(one, channels=(name,), at=opens, fixed=True))
    return reached, told
