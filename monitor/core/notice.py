"""Notice: who is told what about an incident, and why not. `plan` follows the changes of incidents.

One incident, one first notice for each channel; members have none of their own while their root is open. Escalation
goes on while an incident is open; what was opened is resolved for everybody who heard of it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from monitor.core.incident import Change, Incident
from monitor.core.match import Match
from monitor.core.module import Platform
from monitor.core.publishing import fits


@dataclass(frozen=True, slots=True)
class Step:
    """Channels that are told so long after an incident opened."""

    channels: tuple[str, ...]
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Route:
    """One way of telling people about matching incidents. What is None fits everything.

    `within` says whether a moment lies in the hours of the route, `hours` is what they are called.
    """

    steps: tuple[Step, ...]
    priorities: frozenset[str] | None = None
    groups: frozenset[str] | None = None
    components: frozenset[str] | None = None
    modules: frozenset[str] | None = None
    hours: str = "always"
    within: Callable[[datetime], bool] = lambda at: True

    def fits(self, incident: Incident, platform: Platform) -> bool:
        """Whether an incident is one of this route's."""
        return fits(Match(self.priorities, self.groups, self.components, self.modules), incident, platform)


@dataclass(frozen=True, slots=True)
class Notice:
    """A message to one channel, and why it is sent: first, escalated, reopened, resolved, silence_ended; or the change
    by which an incident became one of a route's: worsened, member_added, cause_changed."""

    at: datetime
    why: str
    incident: str
    channel: str


@dataclass(frozen=True, slots=True)
class Withheld:
    """A message that is not sent, and why not: `explained_by:MODULE`, `hours:CALENDAR`, `silenced:ID`."""

    at: datetime
    why: str
    incident: str


Turn = tuple[datetime, str, str]  # when it is due, incident, channel


@dataclass(frozen=True, slots=True)
class Told:
    """Who heard of which open incident, which routes it has begun, by their number, and whose turn comes when. `held`
    are the incidents of which a silence keeps something back, each with the turns that were held back already."""

    channels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    begun: Mapping[str, frozenset[int]] = field(default_factory=dict)
    due: tuple[Turn, ...] = ()
    held: Mapping[str, frozenset[Turn]] = field(default_factory=dict)


Said = Notice | Withheld


def plan(
    told: Told,
    incident: Incident,
    change: Change,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    why_not: str | None = None,
) -> tuple[Told, list[Said]]:
    """What a change of an incident means for the channels. `why_not`: why nobody is to hear of it now, such as
    `silenced:ID`; whoever heard that it began hears of its end all the same."""
    match change:
        case Change.OPENED:
            return _begin(told, incident, "first", at, routes, platform, why_not)
        case Change.REOPENED:
            return _begin(_forgotten(told, incident.id), incident, "reopened", at, routes, platform, why_not)
        case Change.RESOLVED:
            return _end(told, incident.id, at)
        case Change.ACKNOWLEDGED:
            return told, []
    told, said = _begin(told, incident, change.value, at, routes, platform, why_not)
    if change is Change.MEMBER_ADDED and not said:
        shared = f"shared:{incident.cause.shared['kind']}" if incident.cause.shared else "unknown"
        said = [Withheld(at, f"explained_by:{incident.cause.module or shared}", incident.id)]
    return told, said


def escalate(told: Told, now: datetime, why_not: Mapping[str, str] | None = None) -> tuple[Told, list[Said]]:
    """The steps that have come due, each told once, at the moment it was due. `why_not` has the incidents of which
    nobody is to hear now: their steps wait until it ends, and are told then."""
    said: list[Said] = []
    waiting: list[Turn] = []
    for turn in sorted(one for one in told.due if one[0] <= now):
        at, incident, channel = turn
        held = told.held.get(incident, frozenset())
        if channel in told.channels.get(incident, ()):
            continue
        if why_not and incident in why_not:
            waiting.append(turn)
            if turn not in held:
                said.append(Withheld(at, why_not[incident], incident))
                told = replace(told, held={**told.held, incident: held | {turn}})
            continue
        said.append(Notice(now if turn in held else at, "escalated", incident, channel))
        told = _heard(told, incident, channel)
    return replace(told, due=(*waiting, *(one for one in told.due if one[0] > now))), said


def resume(
    told: Told, incident: Incident, at: datetime, routes: Sequence[Route], platform: Platform
) -> tuple[Told, list[Said]]:
    """What was held back of an open incident, once nothing keeps it back any more: whoever should have heard of it
    does so now."""
    if incident.id not in told.held or not incident.is_open:
        return told, []
    told, said = _begin(told, incident, "silence_ended", at, routes, platform)
    held = {**told.held, incident.id: told.held[incident.id] & set(told.due)}  # `escalate` tells those
    return replace(told, held={id: turns for id, turns in held.items() if id != incident.id or turns}), said


def _begin(
    told: Told,
    incident: Incident,
    why: str,
    at: datetime,
    routes: Sequence[Route],
    platform: Platform,
    why_not: str | None = None,
) -> tuple[Told, list[Said]]:
    """Every route that fits now and has not begun: an incident may become one of its later, when it worsens."""
    said: list[Said] = []
    due: list[Turn] = []
    begun = set(told.begun.get(incident.id, frozenset()))
    fresh = [n for n, route in enumerate(routes) if n not in begun and route.fits(incident, platform)]
    if why_not is not None and fresh:
        held = {**told.held, incident.id: told.held.get(incident.id, frozenset())}
        return replace(told, held=held), [Withheld(at, why_not, incident.id)]
    for number in fresh:
        route = routes[number]
        begun.add(number)
        if not route.within(at):
            said.append(Withheld(at, f"hours:{route.hours}", incident.id))
            continue
        for one in route.steps:
            for channel in one.channels:
                if one.after > timedelta(0):
                    due.append((at + one.after, incident.id, channel))
                elif channel not in told.channels.get(incident.id, ()):
                    said.append(Notice(at, why, incident.id, channel))
                    told = _heard(told, incident.id, channel)
    begins = {**told.begun, incident.id: frozenset(begun)}
    return replace(told, begun=begins, due=(*told.due, *due)), said


def _end(told: Told, incident: str, at: datetime) -> tuple[Told, list[Said]]:
    said: list[Said] = [Notice(at, "resolved", incident, channel) for channel in told.channels.get(incident, ())]
    return _forgotten(told, incident), said


def _forgotten(told: Told, incident: str) -> Told:
    """Nobody has heard of an incident, and no turn is due for it."""
    channels = {id: names for id, names in told.channels.items() if id != incident}
    begun = {id: numbers for id, numbers in told.begun.items() if id != incident}
    held = {id: turns for id, turns in told.held.items() if id != incident}
    return Told(channels, begun, tuple(one for one in told.due if one[1] != incident), held)


def _heard(told: Told, incident: str, channel: str) -> Told:
    names = (*told.channels.get(incident, ()), channel)
    return replace(told, channels={**told.channels, incident: names})
