"""Notice: who is told what about an incident, and why not. `plan` follows the changes of incidents, `turn` the time.

One incident, one first notice for each channel; members have none of their own while their root is open. Escalation
goes on while an incident is open; what was opened is resolved for everybody who heard of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from monitor.core.incident import Change, Incident
from monitor.core.match import fits
from monitor.core.module import Platform, Priority
from monitor.core.observation import moment, stamp
from monitor.core.route import Route
from monitor.core.silence import Silence

SETTLING = timedelta(seconds=15)  # a cause that is corrected within it is told once
QUIET = timedelta(minutes=10)  # how long the end of an incident that came back again and again must last to be told
FLAPPING = 2  # relapses from which on it does
PATIENCE = {Priority.URGENT: timedelta(minutes=30)}  # how long an acknowledgement holds without being confirmed
LONGEST_PATIENCE = timedelta(hours=4)
REMINDED = {Priority.URGENT: timedelta(minutes=30), Priority.HIGH: timedelta(days=1)}
SILENCE_ENDED = "silence_ended"  # why a channel is told late of what a silence kept back
OPENING = "first"  # why a channel is told of what has just opened


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one channel, and why it is sent: first, escalated, reopened, resolved, reminder, cause_changed,
    acknowledged, silence_ended; or the change by which an incident became one of a route's: worsened, member_added,
    cause_changed.

    `opens`: as far as the channel knew, nothing of the kind was going on.
    """

    at: datetime
    why: str
    incident: str
    channel: str
    opens: bool = True


@dataclass(frozen=True, slots=True)
class Withheld:
    """A message that is not sent, and why not: `explained_by:MODULE`, `hours:CALENDAR`, `acknowledged`,
    `maintenance:ID`, `silenced:ID`, `flapping`. `module` is whose message it would have been, where it is a
    member's."""

    at: datetime
    why: str
    incident: str
    module: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be told at a moment: `kind` escalated, reminder, cause_changed, resolved, waiting for hours, or
    silence_ended.

    `unless`: not once a person said mine; `every` is how often a route wants its reminder.
    """

    at: datetime
    kind: str
    channels: tuple[str, ...] = ()
    unless: bool = False
    every: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of an incident: how many events it had, who heard of it and waits for its end, which routes it has
    begun, what comes when, and the cause that was named last."""

    seq: int = 0
    channels: tuple[str, ...] = ()
    begun: frozenset[str] = frozenset()
    turns: tuple[Turn, ...] = ()
    cause: str = ""

    @property
    def due_at(self) -> datetime | None:
        """When the next turn comes."""
        return min((one.at for one in self.turns), default=None)


Intent = Notice | Withheld


def plan(
    told: Told,
    incident: Incident,
    change: Change,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    silence: Silence | None = None,
) -> tuple[Told, list[Intent]]:
    """What a change of an incident means for the channels. While a `silence` keeps it back nobody hears of it but of
    its end, which everybody hears who heard that it began."""
    match change:
        case Change.OPENED:
            return _begin(told, incident, OPENING, at, routes, platform, silence)
        case Change.REOPENED:
            return _relapse(told, incident, at, routes, platform, silence)
        case Change.RESOLVED:
            return _end(told, incident, at)
        case Change.ACKNOWLEDGED:
            return told, _mine(told, incident, at, platform) if silence is None else []
    if change is Change.CAUSE_CHANGED and told.channels and not any(one.kind == "cause_changed" for one in told.turns):
        told = _with_turns(told, Turn(at + SETTLING, "cause_changed"))
    told, said = _begin(told, incident, change.value, at, routes, platform, silence)
    if silence is None:
        told, more = _hastened(told, incident, change.value, at, platform)
        said += more
    if change is Change.MEMBER_ADDED and not said:
        shared = f"shared:{incident.cause.shared['kind']}" if incident.cause.shared else "unknown"
        said = [Withheld(at, f"explained_by:{incident.cause.module or shared}", incident.id, _newest(incident))]
    return told, said


def turn(
    told: Told, incident: Incident, one: Turn, now: datetime, routes: Sequence[Route], platform: Platform
) -> tuple[Told, list[Intent]]:
    """What is said when a turn has come, once, however late; it is no longer among the turns afterwards."""
    told = replace(told, turns=tuple(other for other in told.turns if other is not one))
    if one.kind == "resolved":
        return _forgotten(told), [Notice(now, "resolved", incident.id, name, opens=False) for name in told.channels]
    if not incident.is_open:  # it may be back before its end is told
        ends = min((other.at for other in told.turns if other.kind == "resolved"), default=None)
        return (told if ends is None else _with_turns(told, replace(one, at=max(ends, now)))), []
    match one.kind:
        case "escalated":
            return _escalate(told, incident, one, now, platform)
        case "reminder":
            return _remind(told, incident, one, now, platform)
        case "cause_changed":
            return _correct(told, incident, now, platform)
        case "silence_ended":
            return _begin(told, incident, SILENCE_ENDED, now, routes, platform)
        case _:
            told, said = _tell(told, incident, OPENING, one.channels, now, platform)
            told, more = _begin(told, incident, OPENING, now, routes, platform)
            return told, [*said, *more]


def held(told: Told, one: Turn, until: datetime) -> Told:
    """The turn comes later."""
    return _with_turns(replace(told, turns=tuple(other for other in told.turns if other is not one)), _at(one, until))


def acknowledged_until(incident: Incident) -> datetime | None:
    """How long the last acknowledgement holds; None where nobody said mine."""
    if incident.acknowledged_at is None:
        return None
    said = max((act.at for act in incident.acts if act.what == "acknowledged"), default=incident.acknowledged_at)
    return said + PATIENCE.get(incident.priority, LONGEST_PATIENCE)


def told_to_json(told: Told) -> dict[str, Any]:
    """The stored form; `told_from_json` gives an equal one back, to the millisecond."""
    turns = [
        [stamp(one.at), one.kind, list(one.channels), one.unless, one.every and one.every.total_seconds()]
        for one in told.turns
    ]
    begun = sorted(told.begun)
    return {"seq": told.seq, "channels": list(told.channels), "begun": begun, "turns": turns, "cause": told.cause}


def told_from_json(raw: Mapping[str, Any]) -> Told:
    """The inverse of `told_to_json`. Raises KeyError or ValueError for anything else."""
    turns = (
        Turn(at, kind, tuple(channels), unless, None if every is None else timedelta(seconds=every))
        for text, kind, channels, unless, every in raw["turns"]
        if (at := moment(text)) is not None
    )
    return Told(raw["seq"], tuple(raw["channels"]), frozenset(raw["begun"]), tuple(turns), raw["cause"])


# -- what happens at a change -----------------------------------------------------------------------------------------


def _begin(
    told: Told,
    incident: Incident,
    why: str,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    silence: Silence | None = None,
) -> tuple[Told, list[Intent]]:
    """Every route that fits now and has not begun: an incident may become one of its later, when it worsens. Its chain
    is written down here, and stays whatever the configuration says later."""
    said: list[Intent] = []
    fresh = [one for one in routes if one.id not in told.begun and fits(one.match, incident, platform)]
    if silence is not None and fresh:
        return _silent(told, incident, silence, at)
    for route in fresh:
        if route.hours is not None and not route.hours.within(at):
            told, more = _closed(told, incident, route.hours.name, route.hours.opens_at(at), (), at)
            said += more
            continue
        told = replace(told, begun=told.begun | {route.id})
        for one in route.steps:
            if one.after > timedelta(0):
                told = _with_turns(
                    told, Turn(at + one.after, "escalated", one.channels, unless=one.unless_acknowledged)
                )
                continue
            told, more = _tell(told, incident, why, one.channels, at, platform)
            said += more
        pause = route.repeat or REMINDED.get(incident.priority)
        if pause is not None:
            everybody = tuple(dict.fromkeys(channel for one in route.steps for channel in one.channels))
            told = _with_turns(told, Turn(at + pause, "reminder", everybody, every=route.repeat))
    return told, said


def _hastened(told: Told, incident: Incident, why: str, at: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """What has become more urgent waits no longer for the hours of a channel, and is reminded of as often as that."""
    said: list[Intent] = []
    for one in [one for one in told.turns if one.kind == "waiting" and one.channels]:
        if all(_takes(channel, incident, at, platform) for channel in one.channels):
            told = replace(told, turns=tuple(other for other in told.turns if other is not one))
            told, more = _tell(told, incident, why, one.channels, at, platform)
            said += more
    pause = REMINDED.get(incident.priority)
    if pause is not None and told.channels:
        usual = [one for one in told.turns if one.kind == "reminder" and one.every is None]
        if not any(one.kind == "reminder" for one in told.turns):
            told = _with_turns(told, Turn(at + pause, "reminder", told.channels))
        elif any(one.at > at + pause for one in usual):
            sooner = (_at(one, min(one.at, at + pause)) if one in usual else one for one in told.turns)
            told = replace(told, turns=tuple(sooner))
    return told, said


def _silent(told: Told, incident: Incident, silence: Silence, at: datetime) -> tuple[Told, list[Intent]]:
    """Held back until the silence ends; then whoever should have heard does so."""
    others = tuple(one for one in told.turns if one.kind != "silence_ended")
    told = replace(told, turns=(*others, Turn(silence.until, "silence_ended")))
    return told, [Withheld(at, f"silenced:{silence.id}", incident.id)]


def _tell(
    told: Told, incident: Incident, why: str, channels: Sequence[str], at: datetime, platform: Platform
) -> tuple[Told, list[Intent]]:
    """Tells the channels that have not heard of it; what is not urgent waits for a channel's hours."""
    said: list[Intent] = []
    for channel in channels:
        if channel in told.channels:
            continue
        if not _takes(channel, incident, at, platform):
            hours = platform.hours[channel]
            told, more = _closed(told, incident, hours.name, hours.opens_at(at), (channel,), at)
            said += more
            continue
        said.append(Notice(at, why, incident.id, channel))
        told = replace(told, channels=(*told.channels, channel), cause=told.cause or _named(incident))
    return told, said


def _closed(
    told: Told, incident: Incident, calendar: str, opens_at: datetime | None, channels: tuple[str, ...], at: datetime
) -> tuple[Told, list[Intent]]:
    """Withheld until hours open, where they ever do; told once until then."""
    if any(one.kind == "waiting" and (one.channels, one.at) == (channels, opens_at) for one in told.turns):
        return told, []
    if opens_at is not None:
        told = _with_turns(told, Turn(opens_at, "waiting", channels))
    return told, [Withheld(at, f"hours:{calendar}", incident.id)]


def _takes(channel: str, incident: Incident, at: datetime, platform: Platform) -> bool:
    hours = platform.hours.get(channel)
    return hours is None or incident.priority is Priority.URGENT or hours.within(at)


def _relapse(
    told: Told,
    incident: Incident,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    silence: Silence | None,
) -> tuple[Told, list[Intent]]:
    """What came back is told anew, unless nobody was told yet that it was over."""
    if any(one.kind == "resolved" for one in told.turns):
        told = replace(told, turns=tuple(one for one in told.turns if one.kind != "resolved"))
        return told, [Withheld(at, "flapping", incident.id)]
    return _begin(_forgotten(told), incident, "reopened", at, routes, platform, silence)


def _end(told: Told, incident: Incident, at: datetime) -> tuple[Told, list[Intent]]:
    """Everybody who heard of it hears of its end: at once, or once it has lasted, where it keeps coming back."""
    if (
        told.channels
        and incident.reopened >= FLAPPING
        and not incident.merged_into
        and not incident.is_closed_by_person
    ):
        return _with_turns(told, Turn(at + QUIET, "resolved")), [Withheld(at, "flapping", incident.id)]
    said: list[Intent] = [Notice(at, "resolved", incident.id, name, opens=False) for name in told.channels]
    return _forgotten(told), said


def _mine(told: Told, incident: Incident, at: datetime, platform: Platform) -> list[Intent]:
    """Whoever heard of it hears that somebody has it, once; that they still have it is told to nobody."""
    if sum(act.what == "acknowledged" for act in incident.acts) > 1:
        return []
    heard = [name for name in told.channels if _takes(name, incident, at, platform)]
    return [Notice(at, "acknowledged", incident.id, name, opens=False) for name in heard]


# -- what happens in time ---------------------------------------------------------------------------------------------


def _escalate(
    told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform
) -> tuple[Told, list[Intent]]:
    """Dated when it was due. What an acknowledgement stops goes on when that has expired."""
    until = acknowledged_until(incident)
    if one.unless and until is not None and until > now:
        return _with_turns(told, _at(one, until)), [Withheld(now, "acknowledged", incident.id)]
    told, said = _tell(told, incident, one.kind, one.channels, now, platform)
    return told, [replace(each, at=one.at) for each in said]


def _remind(told: Told, incident: Incident, one: Turn, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """How long it goes on, to those of a route that heard of it; not while somebody has it."""
    pause = one.every or REMINDED.get(incident.priority)
    if pause is None:
        return told, []
    until = acknowledged_until(incident)
    if until is not None and until > now:
        return _with_turns(told, _at(one, until)), []
    told = _with_turns(told, _at(one, now + pause))
    heard = [name for name in one.channels if name in told.channels and _takes(name, incident, now, platform)]
    return told, [Notice(one.at, one.kind, incident.id, name, opens=False) for name in heard]


def _correct(told: Told, incident: Incident, now: datetime, platform: Platform) -> tuple[Told, list[Intent]]:
    """The cause as it settled, unless that is what was told before."""
    named = _named(incident)
    if named == told.cause:
        return told, []
    heard = [name for name in told.channels if _takes(name, incident, now, platform)]
    said: list[Intent] = [Notice(now, "cause_changed", incident.id, name, opens=False) for name in heard]
    return replace(told, cause=named), said


def _named(incident: Incident) -> str:
    """What a reader of a notice would call the cause. That it is surer than before is no other cause."""
    cause = incident.cause
    subject = f"shared {cause.shared['kind']}" if cause.shared else incident.root or ", ".join(cause.locations)
    return f"{subject}: {cause.code}"


def _newest(incident: Incident) -> str | None:
    """The module that joined last."""
    joined = (update for update in reversed(incident.updates) if update.kind == "member_added")
    return next((update.params.get("module") for update in joined), None)


def _forgotten(told: Told) -> Told:
    """Nobody has heard of it, and nothing comes any more."""
    return Told(told.seq)


def _at(one: Turn, at: datetime) -> Turn:
    return replace(one, at=at)


def _with_turns(told: Told, *turns: Turn) -> Told:
    return replace(told, turns=(*told.turns, *turns))
