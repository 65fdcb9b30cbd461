"""Chain: what a route writes down when an incident opens: which step comes when, in which hours, and the reminders."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.concern import fits
from monitor.core.incident import Incident
from monitor.core.module import Platform, Priority
from monitor.core.route import Route, Step
from monitor.core.told import AGAIN, Told, Turn

REMINDED = {Priority.URGENT: timedelta(minutes=30), Priority.HIGH: timedelta(days=1)}


def is_asked_for(route: Route, incident: Incident) -> bool:
    """Whether a route tells of it: what is low is for those who name it, and for digests."""
    return incident.priority is not Priority.LOW or Priority.LOW.value in (route.priorities or ())


def turn_of(step: Step, route: Route, at: datetime, kind: str, channels: tuple[str, ...] | None = None) -> Turn:
    """What a step is to tell, in the hours of its own and of its route."""
    hours = [one.name for one in (route.hours, step.hours) if one is not None]
    return Turn(
        at,
        kind,
        step.channels if channels is None else channels,
        unless=step.unless_acknowledged,
        hours=tuple(dict.fromkeys(hours)),
        office=None if step.office is None else step.office.name,
    )


def turns_of(step: Step, route: Route, at: datetime) -> list[Turn]:
    """What a later step is to tell: a channel that an earlier one of the same route tells is told again."""
    earlier = {name for one in route.steps if one.after < step.after for name in one.channels}
    again = tuple(name for name in step.channels if name in earlier)
    fresh = tuple(name for name in step.channels if name not in earlier)
    first, later = (turn_of(step, route, at, "escalated", names) for names in (fresh, again))
    return [one for one in (first, replace(later, what=AGAIN)) if one.channels]


def reminders(route: Route, incident: Incident, at: datetime, known: frozenset[str]) -> list[Turn]:
    """The first reminder of everybody in a route, those of the same hours together; but for `known` ones, who are
    reminded already by what the route said before a reload."""
    pause = route.repeat or REMINDED.get(incident.priority)
    if pause is None:
        return []
    found: dict[Turn, list[str]] = {}
    for one in route.steps:
        kind = turn_of(replace(one, unless_acknowledged=False), route, at + pause, "reminder", ())
        found.setdefault(replace(kind, every=route.repeat), []).extend(one.channels)
    each = ((kind, dict.fromkeys(name for name in names if name not in known)) for kind, names in found.items())
    return [replace(kind, channels=tuple(names)) for kind, names in each if names]


def reminded(told: Told) -> frozenset[str]:
    return frozenset(channel for one in told.turns if one.kind == "reminder" for channel in one.channels)


def pause_of(one: Turn, incident: Incident) -> timedelta | None:
    """How long until the next reminder; None where nobody is reminded."""
    return one.every or REMINDED.get(incident.priority)


def restarted(told: Told, channels: tuple[str, ...], incident: Incident, now: datetime) -> Told:
    """Who heard of it only now is reminded from now on."""
    for one in [one for one in told.turns if one.kind == "reminder" and set(one.channels) & set(channels)]:
        pause = pause_of(one, incident)
        theirs = tuple(name for name in one.channels if name in channels)
        others = tuple(name for name in one.channels if name not in channels)
        told = told.without(one)
        if others:
            told = told.and_then(replace(one, channels=others))
        if pause is not None:
            told = told.and_then(replace(one, channels=theirs, at=now + pause, fixed=False))
    return told


def eased_off(told: Told, incident: Incident, routes: Sequence[Route], platform: Platform) -> Told:
    """Without the steps and reminders of routes that it is none of any more, now that it is less urgent."""
    fitting = [one for one in routes if fits(one.match, incident, platform) and is_asked_for(one, incident)]
    names = {name for route in fitting for name in route.channels}

    def is_left(one: Turn) -> bool:
        if one.kind == "reminder":
            return bool(names & set(one.channels))
        return one.kind not in ("escalated", "waiting") or names >= set(one.channels)

    return replace(told, turns=tuple(filter(is_left, told.turns)))
