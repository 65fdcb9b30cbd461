"""Notice: who is told what about an incident, and why not. `plan` follows the changes of incidents, `turn` the time.

One incident, one first notice for each channel; members have none of their own while their root is open. Escalation
goes on while an incident is open; what was opened is resolved for everybody who heard of it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from monitor.core.chain import (
    REMINDED,
    eased_off,
    is_asked_for,
    pause_of,
    reminded,
    reminders,
    restarted,
    turn_of,
    turns_of,
)
from monitor.core.concern import fits
from monitor.core.incident import Change, Incident
from monitor.core.intent import Intent, Notice, Withheld
from monitor.core.module import Platform, Priority
from monitor.core.route import Route
from monitor.core.told import AGAIN, Quiet, Told, Turn
from monitor.core.waiting import closed, open_ones, opening, takes, waits

SETTLING = timedelta(seconds=15)  # a cause that is corrected within it is told once
QUIET = timedelta(minutes=10)  # how long the end of an incident that came back again and again must last to be told
FLAPPING = 1  # relapses from which on it does
PATIENCE = {Priority.URGENT: timedelta(minutes=30)}
LONGEST_PATIENCE = timedelta(hours=4)
ENDINGS = ("silence_ended", "work_ended")  # why a channel is told late of what a silence, or planned work, kept back
OPENING = "first"  # why a channel is told of what has just opened


def plan(
    told: Told,
    incident: Incident,
    change: Change,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    quiet: Quiet | None = None,
) -> tuple[Told, list[Intent]]:
    """What a change of an incident means for the channels. While it is to be `quiet` nobody hears of it but of
    its end, which everybody hears who heard that it began."""
    match change:
        case Change.OPENED:
            return _begin(told, incident, OPENING, at, routes, platform, quiet)
        case Change.REOPENED:
            return _relapse(told, incident, at, routes, platform, quiet)
        case Change.RESOLVED:
            return _end(told, incident, at)
        case Change.ACKNOWLEDGED:
            said = _mine(told, incident, at, platform) if quiet is None else []
            return replace(told, mine_at=at), said
        case Change.LOWERED:
            told = eased_off(told, incident, routes, platform)
            told, said = _lowered(told, incident, Turn(at, "lowered"), at, platform) if quiet is None else (told, [])
            told, more = _begin(told, incident, change.value, at, routes, platform, quiet)
            return told, [*said, *more]
    settling = any(one.kind == "cause_changed" and not one.channels for one in told.turns)
    if change is Change.CAUSE_CHANGED and told.channels and not settling:
        told = told.and_then(Turn(at + SETTLING, "cause_changed"))
    told, said = _begin(told, incident, change.value, at, routes, platform, quiet)
    if quiet is None:
        told, more = _hastened(told, incident, change.value, at, platform)
        said += more
    if change is Change.MEMBER_ADDED and not said:
        shared = f"shared:{incident.cause.shared['kind']}" if incident.cause.shared else "unknown"
        why = f"explained_by:{incident.cause.module or shared}"
        said = [Withheld(at, why, incident.id, module) for module in _newest(incident)]
    return told, said


def turn(
    told: Told, incident: Incident, one: Turn, now: datetime, routes: Sequence[Route], platform: Platform
) -> tuple[Told, list[Intent]]:
    """What is said when a turn has come, once, however late; it is no longer among the turns afterwards."""
    told = told.without(one)
    if one.kind == "resolved":
        return told.forgotten(), [Notice(now, "resolved", incident.id, name, opens=False) for name in told.channels]
    if not incident.is_open:  # it may be back before its end is told
        ends = min((other.at for other in told.turns if other.kind == "resolved"), default=None)
        return (told if ends is None else told.and_then(replace(one, at=max(ends, now)))), []
    if (opens := opening(one, incident, now, platform)) != now:
        return waits(told, incident, one, opens, now, platform)
    match one.kind:
        case "escalated":
            return _escalate(told, incident, one, now, platform)
        case "reminder":
            return _remind(told, incident, one, now, platform)
        case "cause_changed":
            return _correct(told, incident, one, now, platform)
        case "lowered":
            return _lowered(told, incident, one, now, platform)
        case "silence_ended" | "work_ended":
            return _begin(told, incident, one.kind, now, routes, platform)
        case _:
            told, said = _tell(told, incident, OPENING, one, now, platform)
            fresh = tuple(each.channel for each in said if isinstance(each, Notice))
            told, more = _begin(restarted(told, fresh, incident, now), incident, OPENING, now, routes, platform)
            return told, [*said, *more]


def held(told: Told, one: Turn, until: datetime) -> Told:
    """The turn comes later, when what keeps it back ends."""
    return told.without(one).and_then(replace(one, at=until, fixed=True))


def patience_of(priority: Priority) -> timedelta:
    """How long an acknowledgement holds without being confirmed."""
    return PATIENCE.get(priority, LONGEST_PATIENCE)


# -- what happens at a change -----------------------------------------------------------------------------------------


def _begin(
    told: Told,
    incident: Incident,
    why: str,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    quiet: Quiet | None = None,
) -> tuple[Told, list[Intent]]:
    """Every route that fits now and has not begun: an incident may become one of its later, when it worsens. Its chain
    is written down here, and stays whatever the configuration says later."""
    said: list[Intent] = []
    meant = [one for one in routes if one.digest is None and one.id not in told.begun]
    meant = [one for one in meant if fits(one.match, incident, platform)]
    fresh = [one for one in meant if is_asked_for(one, incident)]
    if meant and not fresh and why == OPENING:
        return told, [Withheld(at, "low", incident.id)]
    if quiet is not None and fresh:
        return _silent(told, incident, quiet, at)
    known = reminded(told) if told.begun - {one.id for one in routes} else frozenset[str]()
    for route in fresh:
        if route.hours is not None and not route.hours.within(at):
            whole = Turn(at, "waiting", hours=(route.hours.name,))
            told, more = closed(told, incident, route.hours.name, route.hours.opens_at(at), whole, at)
            said += more
            continue
        told = replace(told, begun=told.begun | {route.id})
        for one in route.steps:
            if one.after > timedelta(0):
                told = told.and_then(*turns_of(one, route, at + one.after))
                continue
            turn = turn_of(one, route, at, "escalated")
            opens = opening(turn, incident, at, platform)
            if opens == at:
                told, more = _tell(told, incident, why, turn, at, platform)
            else:
                told, more = waits(told, incident, replace(turn, kind="waiting"), opens, at, platform, first=True)
            said += more
        told = told.and_then(*reminders(route, incident, at, known))
    return told, said


def _hastened(told: Told, incident: Incident, why: str, at: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """What has become more urgent waits no longer for the hours of a channel, and is reminded of as often as that."""
    said: list[Intent] = []
    for one in [one for one in told.turns if one.kind == "waiting" and one.channels]:
        if (
            all(takes(channel, incident, at, platform) for channel in one.channels)
            and opening(one, incident, at, platform) == at
        ):
            told, more = _tell(told.without(one), incident, why, one, at, platform)
            said += more
    pause = REMINDED.get(incident.priority)
    if pause is not None and told.channels:
        usual = [one for one in told.turns if one.kind == "reminder" and one.every is None]
        if not told.has("reminder"):
            told = told.and_then(Turn(at + pause, "reminder", told.channels))
        elif any(one.at > at + pause for one in usual):
            sooner = (replace(one, at=min(one.at, at + pause)) if one in usual else one for one in told.turns)
            told = replace(told, turns=tuple(sooner))
    return told, said


def _silent(told: Told, incident: Incident, quiet: Quiet, at: datetime) -> tuple[Told, list[Intent]]:
    """Held back until that ends; then whoever should have heard does so."""
    kind = "silence_ended" if quiet.why.startswith("silenced:") else "work_ended"
    others = tuple(one for one in told.turns if one.kind not in ENDINGS)
    told = replace(told, turns=(*others, Turn(quiet.until, kind, fixed=True)))
    return told, [Withheld(at, quiet.why, incident.id)]


def _tell(
    told: Told, incident: Incident, why: str, one: Turn, at: datetime, platform: Platform
) -> tuple[Told, list[Intent]]:
    """Tells the channels of a turn that have not heard of it, or are to hear of it again; what is not urgent waits for
    a channel's hours."""
    said: list[Intent] = []
    for channel in one.channels:
        heard = channel in told.channels
        if heard and one.what != AGAIN:
            continue
        if not takes(channel, incident, at, platform):
            hours = platform.hours[channel]
            alone = replace(one, channels=(channel,))
            if not heard:
                alone = replace(alone, kind="waiting", unless=False, what="")
            told, more = closed(told, incident, hours.name, hours.opens_at(at), alone, at)
            said += more
            continue
        said.append(Notice(at, why, incident.id, channel, opens=not heard))
        if not heard:
            told = replace(told, channels=(*told.channels, channel), cause=told.cause or _named(incident))
    return told, said


def _relapse(
    told: Told,
    incident: Incident,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    quiet: Quiet | None,
) -> tuple[Told, list[Intent]]:
    """What came back is told anew, unless nobody was told yet that it was over."""
    if told.has("resolved"):
        told = replace(told, turns=tuple(one for one in told.turns if one.kind != "resolved"))
        return told, [Withheld(at, "flapping", incident.id)]
    return _begin(told.forgotten(), incident, "reopened", at, routes, platform, quiet)


def _end(told: Told, incident: Incident, at: datetime) -> tuple[Told, list[Intent]]:
    """Everybody who heard of it hears of its end: at once, or once it has lasted, where it keeps coming back."""
    if (
        told.channels
        and incident.reopened >= FLAPPING
        and not incident.merged_into
        and not incident.is_closed_by_person
    ):
        return told.and_then(Turn(at + QUIET, "resolved")), [Withheld(at, "flapping", incident.id)]
    said: list[Intent] = [Notice(at, "resolved", incident.id, name, opens=False) for name in told.channels]
    return told.forgotten(), said


def _mine(told: Told, incident: Incident, at: datetime, platform: Platform) -> list[Intent]:
    """Whoever heard of it hears that somebody has it, once; that they still have it is told to nobody."""
    if _is_mine(told, incident, at):
        return []
    heard = [name for name in told.channels if takes(name, incident, at, platform)]
    return [Notice(at, "acknowledged", incident.id, name, opens=False) for name in heard]


def _mine_until(told: Told, incident: Incident) -> datetime | None:
    return None if told.mine_at is None else told.mine_at + patience_of(incident.priority)


def _is_mine(told: Told, incident: Incident, at: datetime) -> bool:
    """Whether a person said mine, and that holds."""
    until = _mine_until(told, incident)
    return until is not None and until > at


# -- what happens in time ---------------------------------------------------------------------------------------------


def _escalate(
    told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform
) -> tuple[Told, list[Intent]]:
    """Dated when it was due. What an acknowledgement stops goes on when that has expired."""
    until = _mine_until(told, incident)
    if one.unless and until is not None and until > now:
        return told.and_then(replace(one, at=until, fixed=False)), [Withheld(now, "acknowledged", incident.id)]
    told, said = _tell(told, incident, one.kind, one, now, platform)
    return told, [replace(each, at=one.at) for each in said]


def _remind(told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """How long it goes on, to those of a route that heard of it; not while somebody has it."""
    pause = pause_of(one, incident)
    if pause is None:
        return told, []
    until = _mine_until(told, incident)
    if until is not None and until > now:
        return told.and_then(replace(one, at=until, fixed=False)), []
    heard = [name for name in one.channels if name in told.channels]
    reached, told = open_ones(told, heard, incident, one, now, platform)
    again = tuple(name for name in one.channels if name in reached or name not in heard)
    if again:
        told = told.and_then(replace(one, channels=again, at=now + pause, fixed=False))
    return told, [Notice(one.at, one.kind, incident.id, name, opens=False) for name in reached]


def _correct(told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """The cause as it settled, unless that is what was told before; to channels that were closed then once they are
    open."""
    named = _named(incident)
    if named == told.cause and not one.channels:
        return told, []
    heard = [name for name in told.channels if not one.channels or name in one.channels]
    reached, told = open_ones(replace(told, cause=named), heard, incident, one, now, platform)
    return told, [Notice(now, "cause_changed", incident.id, name, opens=False) for name in reached]


def _lowered(told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """That its priority is lower, and why, to whoever heard of it; to channels that are closed once they open, if that
    still holds then."""
    if incident.lowered is None:
        return told, []
    heard = [name for name in told.channels if not one.channels or name in one.channels]
    reached, told = open_ones(told, heard, incident, one, now, platform)
    return told, [Notice(now, "lowered", incident.id, name, opens=False) for name in reached]


def _named(incident: Incident) -> str:
    """What a reader of a notice would call the cause. That it is surer than before is no other cause."""
    cause = incident.cause
    subject = f"shared {cause.shared['kind']}" if cause.shared else incident.root or ", ".join(cause.locations)
    return f"{subject}: {cause.code}"


def _newest(incident: Incident) -> Sequence[str | None]:
    """The module that joined last, or all of a crowd that did."""
    joined = (update.params for update in reversed(incident.updates) if update.kind == "member_added")
    last = next(joined, {})
    return last.get("modules") or [last.get("module")]
