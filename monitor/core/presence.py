"""Presence: whether an agent that should be heard of every ten seconds still is there, by phi accrual.

How late a heartbeat is counts by how regular the ones before it were: phi is -log10 of the chance that one comes later
still. From eight on nobody waits for it: about half a minute after the last one of a regular agent, never more than
three quarters.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import erfc, log10, sqrt

BEAT = 10.0  # seconds between two heartbeats
PAUSE = 9.5  # seconds by which one may be late without any doubt: with the rest, 31 s for a regular agent
LEAST_SPREAD, MOST_SPREAD = 2.0, 4.0  # seconds of standard deviation: nobody is more regular, or may be less
LONGEST_MEAN = 12.0  # seconds between heartbeats of one that is slow and still trusted
KEPT = 100  # heartbeats that the past is made of
STALE = 8.0  # phi from which on nothing is heard of it any more
DOUBTLESS = 60.0  # phi of what no float can tell apart from never


@dataclass(frozen=True, slots=True)
class Presence:
    """An agent: when it was last heard of, on the monotonic clock, and the seconds between the heartbeats before."""

    heard_at: float
    pauses: tuple[float, ...] = ()


def beaten(presence: Presence | None, now: float) -> Presence:
    """The agent once a heartbeat came. A pause in which it was given up says nothing of how regular it is."""
    if presence is None or is_stale(presence, now):
        return Presence(now)
    return Presence(now, (*presence.pauses[1 - KEPT :], max(0.0, now - presence.heard_at)))


def phi(presence: Presence, now: float) -> float:
    """How unlikely it is that the next heartbeat still comes: 1 is a chance of a tenth, 2 of a hundredth."""
    pauses = presence.pauses or (BEAT,)
    mean = min(max(sum(pauses) / len(pauses), BEAT), LONGEST_MEAN)
    spread = sqrt(sum((one - mean) ** 2 for one in pauses) / len(pauses))
    late = (now - presence.heard_at - mean - PAUSE) / min(max(spread, LEAST_SPREAD), MOST_SPREAD)
    chance = 0.5 * erfc(late / sqrt(2))
    return -log10(chance) if chance > 10**-DOUBTLESS else DOUBTLESS


def is_stale(presence: Presence, now: float) -> bool:
    """Whether nothing is heard of it any more."""
    return phi(presence, now) >= STALE


@dataclass(frozen=True, slots=True)
class Attendance:
    """How a place with agents is. `heard_at` is when one was last heard of by our clock, the rest is as they tell it:
    `waiting` results are in their outboxes, the oldest for `oldest` seconds, `lost` went for lack of room; their clocks
    are `skew` seconds ahead. `outdated`: not all of them have the newest configuration, `trouble` says why.

    `parts` is how many probes each agent asks, by its name.

    `batches`, `results` and `repeated` count what was taken from there, and what had come before; `refused` payloads
    that were not believed, by the reason.
    """

    location: str
    heard_at: datetime | None = None
    stale: bool = False
    agents: int = 0
    waiting: int = 0
    oldest: float = 0.0
    lost: int = 0
    skew: float | None = None
    outdated: bool = False
    trouble: str = ""
    versions: tuple[str, ...] = ()
    batches: int = 0
    results: int = 0
    repeated: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    parts: Mapping[str, int] = field(default_factory=dict)
