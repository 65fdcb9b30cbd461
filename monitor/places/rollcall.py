"""Rollcall: which places are there. Agents say so every ten seconds; who does not any more is told to the desk."""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.core.effect import Stale
from monitor.core.presence import Attendance, Presence, beaten, is_stale
from monitor.places.wire import Heartbeat, Time

log = logging.getLogger(__name__)

FORGOTTEN = 3600.0  # seconds after which an agent that nothing is heard of is no agent any more


@dataclass(frozen=True, slots=True)
class Agent:
    """What is known of one: when it was heard of, and what it said then."""

    presence: Presence
    heard_at: datetime
    said: Heartbeat


class Rollcall:
    """`tell` hears which places fall silent, and which are there again. A place is there while one of its agents is."""

    def __init__(self, clock: Clock, tell: Callable[[Stale], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._agents: dict[str, dict[str, Agent]] = {}
        self._since: dict[str, tuple[float, datetime]] = {}  # when waiting for a place began
        self._stale: set[str] = set()

    def expect(self, locations: Collection[str], stale: Collection[str] = ()) -> None:
        """These are the places with agents from now on. `stale` are those that the desk takes for gone: the ones that
        have no agents are no more."""
        now = self._clock.monotonic(), self._clock.now()
        self._stale = (self._stale | set(stale)) & set(locations)
        self._since = {one: self._since.get(one, now) for one in locations}
        self._agents = {one: self._agents.get(one, {}) for one in locations}
        for one in set(stale) - set(locations):
            self._tell(Stale(one, now[1], over=True))

    def heard(self, location: str, heartbeat: Heartbeat) -> Time | None:
        """An agent is there: what to answer it. None for a place that is none of ours."""
        now, at = self._clock.monotonic(), self._clock.now()
        if location not in self._agents:
            return None
        known = self._agents[location].get(heartbeat.agent)
        presence = beaten(known.presence if known else None, now)
        self._agents[location][heartbeat.agent] = Agent(presence, at, heartbeat)
        if location in self._stale:
            self._stale.discard(location)
            log.info("place %s is heard of again", location, extra={"about": {"location": location}})
            self._tell(Stale(location, at, over=True))
        return Time(heartbeat.agent, heartbeat.at, at, self._clock.now())

    def look(self) -> None:
        """Gives up every place whose agents have all been silent for too long; to be done several times a second."""
        now = self._clock.monotonic()
        for location, agents in self._agents.items():
            for name in [name for name, one in agents.items() if now - one.presence.heard_at > FORGOTTEN]:
                del agents[name]
            present = [one.presence for one in agents.values()] or [Presence(self._since[location][0])]
            if location not in self._stale and all(is_stale(one, now) for one in present):
                self._stale.add(location)
                since = max((one.heard_at for one in agents.values()), default=self._since[location][1])
                log.warning("nothing is heard of place %s", location, extra={"about": {"location": location}})
                self._tell(Stale(location, since))

    def missed(self, seconds: float) -> None:
        """We heard nothing ourselves for so long: nobody else is to blame for it."""
        self._since = {
            one: (since + seconds, at + timedelta(seconds=seconds)) for one, (since, at) in self._since.items()
        }
        for agents in self._agents.values():
            for name, one in agents.items():
                heard = Presence(one.presence.heard_at + seconds, one.presence.pauses)
                agents[name] = Agent(heard, one.heard_at, one.said)

    def is_stale(self, location: str) -> bool:
        """Whether a place is given up."""
        return location in self._stale

    def longest(self) -> float:
        """Seconds since the last heartbeat of the place that was silent the longest; 0 where no place has agents."""
        now = self._clock.monotonic()
        return max((now - self._heard_at(one) for one in self._agents), default=0.0)

    def _heard_at(self, location: str) -> float:
        agents = self._agents[location].values()
        return max((one.presence.heard_at for one in agents), default=self._since[location][0])

    def attendance(self, location: str, digest: str | None) -> Attendance:
        """How a place is; `digest` names the configuration that it should have. Figures are those of agents that are
        there, or were until an hour ago."""
        now = self._clock.monotonic()
        agents = list(self._agents.get(location, {}).values())
        there = [one for one in agents if not is_stale(one.presence, now)] or agents
        said = [one.said for one in there]
        skews = [one.skew for one in said if one.skew is not None]
        return Attendance(
            location,
            heard_at=max((one.heard_at for one in agents), default=None),
            stale=location in self._stale,
            agents=len(there) if location not in self._stale else 0,
            waiting=sum(one.waiting for one in said),
            oldest=max((one.oldest for one in said if one.waiting), default=0.0),
            lost=sum(one.lost for one in said),
            skew=max(skews, key=abs, default=None),
            outdated=digest is not None and any(one.digest != digest for one in said),
            trouble=next((one.trouble for one in said if one.trouble), ""),
            versions=tuple(sorted({one.version for one in said if one.version})),
        )
