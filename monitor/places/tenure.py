"""Tenure: which agent of a place asked a probe from when to when, so that nothing is taken that two of them asked.

Agents that divide the probes of a place ask the same one for a moment when it changes hands, and for as long as one of
them is cut off and goes on. Whoever was taken first from a time has it; what others saw then says nothing new.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.core.probe import Probe

SAME = timedelta(seconds=1)  # by which the runs of two agents for one point of the grid differ at most
KEPT = 16  # changes of hands that are remembered of a probe

Key = tuple[str, str, str]  # location, module, probe


@dataclass(slots=True)
class Tenure:
    """An agent asked from `first` to `last`, without a break."""

    agent: str
    first: datetime
    last: datetime

    def covers(self, at: datetime, within: timedelta) -> bool:
        """Whether a moment is in it, or so near to it."""
        return self.first - within <= at <= self.last + within


class Tenures:
    """Those of every probe at a place of several agents."""

    def __init__(self) -> None:
        self._agents: dict[str, set[str]] = defaultdict(set)
        self._tenures: dict[Key, list[Tenure]] = defaultdict(list)

    def met(self, location: str, agent: str) -> None:
        """This agent of a place brings something."""
        self._agents[location].add(agent)

    def are_needed(self, location: str) -> bool:
        """Whether there is more than one agent: where there is not, nobody needs an account of who asked what."""
        return len(self._agents[location]) > 1

    def is_taken(self, location: str, agent: str, probe: Probe, at: datetime) -> bool:
        """Whether another agent asked a probe at that time; where none did, this one has."""
        tenures = self._tenures[(location, *probe.key)]
        others = [one for one in tenures if one.agent != agent]
        if any(one.covers(at, min(SAME, probe.interval / 4)) for one in others):
            return True
        pause = 2 * probe.interval + probe.timeout
        for own in tenures:
            if own.agent == agent and own.covers(at, pause):
                first, last = min(own.first, at), max(own.last, at)
                if not any(first <= one.last and one.first <= last for one in others):
                    own.first, own.last = first, last
                    return False
        tenures.append(Tenure(agent, at, at))
        del tenures[:-KEPT]
        return False
