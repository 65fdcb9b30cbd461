"""Deadline: what is told of the clocks of plans: that half of a limit has passed, and 80 %, and that it is broken.

Each is told once, to whoever looks after the stores of the plan. What is to come stands among the turns of its
incident, so that it outlives a restart and goes with a clock that is set; what was told stands there as well.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from monitor.core.hours import due_at
from monitor.core.incident import Incident
from monitor.core.intent import Intent, Notice, Withheld
from monitor.core.module import Platform, Priority
from monitor.core.service import Clock, clocks, owed, served
from monitor.core.told import Told, Turn

KIND = "clock"
SHARES = (50, 80, 100)  # percent of a limit
WARNING, BREACHED = "clock_warning", "clock_breached"  # what they are called as events
MOMENT = timedelta(seconds=1)


def timed(told: Told, incident: Incident, platform: Platform) -> Told:
    """The same with what is to be told of every clock that runs on, and nothing of one that has stopped or begun anew.

    What is known already stays when it was to come.
    """
    running = {
        _mark(one, share): (one, share)
        for one in (clocks(owed(incident, platform), incident) if incident.is_open else ())
        if one.stopped_at is None
        for share in SHARES
    }
    kept = [one for one in told.turns if one.kind != KIND or (one.what in running and _is_left(told, one))]
    known = {*told.clocks, *(one.what for one in kept)}
    fresh = [
        Turn(at, KIND, what=mark, fixed=one.hours is not None)
        for mark, (one, share) in running.items()
        if mark not in known and (at := one.at(share / 100)) is not None
    ]
    said = tuple(mark for mark in told.clocks if mark in running or ":response:" in mark)  # an incident may come back
    return replace(told, turns=(*kept, *fresh), clocks=said)


def forgotten(told: Told, plans: Iterable[str]) -> Told:
    """The same without what is to come of these plans: their hours have changed, and with them all of it."""
    gone = set(plans)
    return replace(told, turns=tuple(one for one in told.turns if one.kind != KIND or plan_of(one.what) not in gone))


def is_overtaken(told: Told, one: Turn, now: datetime) -> bool:
    """Whether more of the same clock has passed by now, so that this need not be told."""
    clock, _, share = one.what.rpartition(":")
    return any(
        other.at <= now and other.what.rpartition(":")[0] == clock and int(other.what.rpartition(":")[2]) > int(share)
        for other in told.turns
        if other.kind == KIND and not one.channels
    )


def passed_over(told: Told, one: Turn) -> Told:
    """The same, as if it had been told."""
    return replace(told.without(one), clocks=(*told.clocks, one.what))


def tell(told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """What is said when a part of a limit has passed. A channel whose hours are closed hears of it when they open."""
    told = told.without(one)
    percent = int(one.what.rpartition(":")[2])
    found = (each for each in clocks(owed(incident, platform), incident) if one.what == _mark(each, percent))
    if (clock := next(found, None)) is None:
        return told, []
    if not one.channels and (later := _moved_by_hours(clock, one, now)) is not None:
        return told.and_then(replace(one, at=later)), []
    names = one.channels or _listeners(told, incident, clock, one.what, platform)
    said: list[Intent] = []
    why = f"{KIND}:{clock.plan}:{clock.kind}:{percent}"
    for name in names:
        hours = platform.hours.get(name)
        if hours is None or incident.priority is Priority.URGENT or hours.within(now):
            said.append(Notice(now, why, incident.id, name, opens=name not in told.channels))
            told = told if name in told.channels else replace(told, channels=(*told.channels, name))
        elif (opens_at := hours.opens_at(now)) is not None:
            told = told.and_then(replace(one, at=opens_at, channels=(name,), fixed=True))
            said.append(Withheld(now, f"hours:{hours.name}", incident.id))
    return (told if one.channels else replace(told, clocks=(*told.clocks, one.what))), said


def shifted(told: Told, by: timedelta, platform: Platform) -> Told:
    """After the clock was set by so much, and all that an incident dates with it: the same clocks, as they run now."""
    hours = {one.id: one.clock for one in platform.plans}

    def anew(one: Turn) -> Turn:
        if one.kind != KIND:
            return one
        mark = _later(one.what, by)
        _, _, limit, since, share = mark.split(":")
        began = datetime.fromtimestamp(int(since) / 1000, UTC)
        at = None
        if one.fixed and not one.channels:
            at = due_at(hours.get(plan_of(mark)), began, timedelta(milliseconds=int(limit)) * int(share) / 100)
        return replace(one, at=at or one.at, what=mark)

    turns, said = tuple(map(anew, told.turns)), tuple(_later(mark, by) for mark in told.clocks)
    return replace(told, turns=turns, clocks=said)


def event_of(mark: str) -> str:
    """What a part of a limit is called as an event of its incident."""
    return BREACHED if mark.endswith(f":{SHARES[-1]}") else WARNING


def plan_of(mark: str) -> str:
    """Whose clock it is."""
    return mark.partition(":")[0]


def told_of(why: str) -> tuple[str, str, int] | None:
    """Plan, promise and percent, of why a notice about a clock is sent; None for any other."""
    kind, *about = why.split(":")
    return (about[0], about[1], int(about[2])) if kind == KIND and len(about) == 3 else None


def _mark(clock: Clock, share: int) -> str:
    """What stands for its having been told: another limit, and another beginning, is another clock."""
    since, limit = (round(each * 1000) for each in (clock.since.timestamp(), clock.limit.total_seconds()))
    return f"{clock.plan}:{clock.kind}:{limit}:{since}:{share}"


def _later(mark: str, by: timedelta) -> str:
    """The same clock, begun so much later."""
    *clock, since, share = mark.split(":")
    return ":".join((*clock, str(int(since) + round(by.total_seconds() * 1000)), share))


def _is_left(told: Told, one: Turn) -> bool:
    return bool(one.channels) or one.what not in told.clocks


def _moved_by_hours(clock: Clock, one: Turn, now: datetime) -> datetime | None:
    """When it comes instead, where a calendar has changed so that it cannot be now."""
    if clock.hours is None or clock.hours.within(one.at) or clock.hours.within(one.at - MOMENT):
        return None
    at = clock.at(int(one.what.rpartition(":")[2]) / 100)
    return at if at is not None and at > now else None


def _listeners(told: Told, incident: Incident, clock: Clock, mark: str, platform: Platform) -> tuple[str, ...]:
    """The teams of the stores of the plan, and once it is broken the people these turn to; else whoever has heard."""
    theirs = [one for one in served(incident, platform) if one.plan == clock.plan]
    names = [name for one in theirs for name in one.team]
    if event_of(mark) == BREACHED:
        names += [name for one in theirs for name in one.account]
    return tuple(dict.fromkeys(names)) or told.channels
