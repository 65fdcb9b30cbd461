"""Rollcall: which places are there. Agents say so every ten seconds; who does not any more is told to the desk.

And who of a place divides its probes: whoever is there with the newest configuration. One that the broker says has
gone has some seconds to come back before the others ask what it asked; one that says goodbye has none.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.core.effect import Stale
from monitor.core.presence import Attendance, Presence, beaten, is_stale
from monitor.places.wire import Gone, Heartbeat, Time

log = logging.getLogger(__name__)

FORGOTTEN = 3600.0  # seconds after which an agent that nothing is heard of is no agent any more
LISTENING = 31.0  # seconds after the beginning in which agents may still be found to be there
BACK = 5.0  # seconds in which an agent that lost its connection may be back as if nothing had been
BEHIND = 30.0  # seconds in which an agent may go on with another configuration than the newest


@dataclass(frozen=True, slots=True)
class Agent:
    """What is known of one: when it was heard of, and what it said then. On the monotonic clock, `gone_at` is from when
    on it counts as gone though it may be heard of, `behind_since` since when its configuration is not the newest."""

    presence: Presence
    heard_at: datetime
    said: Heartbeat
    gone_at: float | None = None
    behind_since: float | None = None

    def is_there(self, now: float) -> bool:
        """Whether it may be asked for anything."""
        return not is_stale(self.presence, now) and (self.gone_at is None or now < self.gone_at)

    def is_apt(self, now: float) -> bool:
        """Whether it knows what there is to ask."""
        behind = self.behind_since
        return bool(self.said.digest) and (behind is None or now - behind < BEHIND)


class Rollcall:
    """`tell` hears which places fall silent, and which are there again. A place is there while one of its agents is."""

    def __init__(self, clock: Clock, tell: Callable[[Stale], None]) -> None:
        self._clock = clock
        self._tell = tell
        self._agents: dict[str, dict[str, Agent]] = {}
        self._since: dict[str, tuple[float, datetime]] = {}  # when waiting for a place began
        self._stale: set[str] = set()
        self._rosters: dict[str, tuple[str, ...]] = {}  # as they were told last

    def expect(self, locations: Collection[str], stale: Collection[str] = ()) -> None:
        """These are the places with agents from now on. `stale` are those that the desk takes for gone: the ones that
        have no agents are no more."""
        now = self._clock.monotonic(), self._clock.now()
        self._stale = (self._stale | set(stale)) & set(locations)
        self._since = {one: self._since.get(one, now) for one in locations}
        self._agents = {one: self._agents.get(one, {}) for one in locations}
        for one in set(stale) - set(locations):
            self._tell(Stale(one, now[1], over=True))

    def heard(self, location: str, heartbeat: Heartbeat, digest: str | None = None) -> Time | None:
        """An agent is there: what to answer it. None for a place that is none of ours. `digest` names the configuration
        that it should have."""
        now, at = self._clock.monotonic(), self._clock.now()
        if location not in self._agents:
            return None
        known = self._agents[location].get(heartbeat.agent)
        presence = beaten(known.presence if known else None, now)
        behind = None
        if digest is not None and heartbeat.digest != digest:
            behind = now if known is None or known.behind_since is None else known.behind_since
        self._agents[location][heartbeat.agent] = Agent(presence, at, heartbeat, behind_since=behind)
        if location in self._stale:
            self._stale.discard(location)
            self._since[location] = now, at  # the others of the place come back as well, each at its time
            log.info("place %s is heard of again", location, extra={"about": {"location": location}})
            self._tell(Stale(location, at, over=True))
        return self._time(location, heartbeat, at)

    def gone(self, location: str, word: Gone) -> None:
        """An agent is there no more, as it says itself, or as the broker says for it; an old word says nothing."""
        known = self._agents.get(location, {}).get(word.agent)
        if known is not None and known.said.epoch == word.epoch and word.since >= known.said.since:
            gone_at = self._clock.monotonic() + (0.0 if word.orderly else BACK)
            self._agents[location][word.agent] = replace(known, gone_at=gone_at)

    def roster(self, location: str) -> tuple[str, ...]:
        """The agents that divide the probes of a place, by name. Empty while that is not known: nobody is there, or we
        have not listened for long enough to say so."""
        now = self._clock.monotonic()
        if now - self._since[location][0] < LISTENING:
            return ()
        there = {name: one for name, one in self._agents[location].items() if one.is_there(now)}
        return tuple(sorted([name for name, one in there.items() if one.is_apt(now)] or there))

    def redivided(self) -> list[tuple[str, Time]]:
        """What to tell the agents of all places in which others divide the probes than at the last time."""
        found = []
        for location, agents in self._agents.items():
            before, roster = self._rosters.get(location, ()), self.roster(location)
            if not roster or roster == before:
                continue
            self._rosters[location] = roster
            if before:
                told = "the probes of place %s are divided anew among: %s"
                log.info(told, location, ", ".join(roster), extra={"about": {"location": location}})
            found += [(location, self._time(location, one.said, one.heard_at)) for one in agents.values()]
        return found

    def _time(self, location: str, said: Heartbeat, heard_at: datetime) -> Time:
        return Time(said.agent, said.at, heard_at, self._clock.now(), self.roster(location))

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
                agents[name] = replace(one, presence=heard)

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
            parts={one.agent: one.probes for one in sorted(said, key=lambda one: one.agent)},
        )
