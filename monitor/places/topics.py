"""Topics: under what names a place and the core speak, `vtex-monitor/v1/LOCATION/…`.

Whoever has the credentials of one place may write under its name only; `deploy/mosquitto/` and `deploy/nats/` hold the
lists that make a broker see to it. Observations are spread over SHARDS, so that several readers can share them.
"""

import re
from enum import StrEnum
from typing import NamedTuple
from zlib import crc32

PREFIX = "vtex-monitor/v1"
SHARDS = 8


class Kind(StrEnum):
    """What a message is; each kind has its own topic."""

    CONFIGURATION = "configuration"  # to the place, retained
    ORDERS = "orders"  # to the place
    ACKNOWLEDGED = "acknowledged"  # to one agent, retained
    TIME = "time"  # to one agent
    OBSERVATIONS = "observations"  # to the core
    HEARTBEAT = "heartbeat"  # to the core
    GONE = "gone"  # to the core, the last will of an agent


TO_THE_CORE = frozenset({Kind.OBSERVATIONS, Kind.HEARTBEAT, Kind.GONE})
TO_ONE_AGENT = frozenset({Kind.ACKNOWLEDGED, Kind.TIME})


class Topic(NamedTuple):
    """A topic, understood. `rest` is the shard of observations, the agent of what is meant for one, else empty."""

    location: str
    kind: Kind
    rest: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (PREFIX, self.location, self.kind, self.rest)))


def shard_of(location: str) -> int:
    """Which of the SHARDS the observations of a place go to."""
    return crc32(location.encode()) % SHARDS


def configuration(location: str) -> str:
    """Where the core leaves the share of a place."""
    return str(Topic(location, Kind.CONFIGURATION))


def orders(location: str) -> str:
    """Where the core asks a place for something."""
    return str(Topic(location, Kind.ORDERS))


def acknowledged(location: str, agent: str) -> str:
    """Where the core says how far it has stored what an agent saw."""
    return str(Topic(location, Kind.ACKNOWLEDGED, agent))


def time(location: str, agent: str) -> str:
    """Where the core answers the heartbeats of an agent."""
    return str(Topic(location, Kind.TIME, agent))


def observations(location: str) -> str:
    """Where the agents of a place publish what they saw."""
    return str(Topic(location, Kind.OBSERVATIONS, str(shard_of(location))))


def heartbeat(location: str) -> str:
    """Where the agents of a place say that they are there."""
    return str(Topic(location, Kind.HEARTBEAT))


def gone(location: str) -> str:
    """Where the broker says for an agent that it is there no more."""
    return str(Topic(location, Kind.GONE))


def of_shard(shard: int) -> str:
    """The filter of whoever reads a shard."""
    return f"{PREFIX}/+/{Kind.OBSERVATIONS}/{shard}"


def of_kind(kind: Kind) -> str:
    """The filter of whoever reads a kind that has no rest, of all places."""
    return f"{PREFIX}/+/{kind}"


def slug(name: str) -> str:
    """A name of a machine as a part of topics."""
    return re.sub("[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "agent"


def parse(topic: str) -> Topic:
    """What a topic is. Raises ValueError for one that is none of these."""
    head, _, tail = topic.partition(f"{PREFIX}/")
    parts = tail.split("/")
    if head or len(parts) not in (2, 3) or not all(parts):
        raise ValueError("no topic of a place")
    kind = Kind(parts[1])
    if (len(parts) == 3) != (kind in TO_ONE_AGENT or kind is Kind.OBSERVATIONS):
        raise ValueError("no topic of a place")
    return Topic(parts[0], kind, parts[2] if len(parts) == 3 else "")
