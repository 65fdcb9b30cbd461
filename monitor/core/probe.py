"""Probe: a configured, repeated question about a module, and when it is due.

What the prober of its kind needs to ask the question (address, headers, steps) is carried in `ask`,
which nothing in this room ever looks into.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from math import floor
from typing import Any

from monitor.core.expectation import Expect


class Role(StrEnum):
    """Whether the results of a probe decide a module's status or are only kept as evidence."""

    VERDICT = "verdict"
    EVIDENCE = "evidence"


@dataclass(frozen=True, slots=True)
class Step:
    """One request of a flow, and the module that is to blame when it fails.

    `orders`: it places an order. `cleanup`: it undoes that, after everything else. `withheld`: it is never run as
    configured, since no orders may be placed. `ask` is for the prober.
    """

    module: str
    name: str
    expect: Expect = field(default_factory=Expect)
    orders: bool = False
    cleanup: bool = False
    withheld: bool = False
    ask: Any = None


@dataclass(frozen=True, slots=True)
class Probe:
    """One question. `off` says why it is never asked ("VTEX_APP_KEY is not set"); None means it is asked.

    `confirm` is the least time from the first to the last failure before the module is down;
    None derives it (`docs/judgement.md`). `instance` is the target without user, query and fragment. `steps` are those
    of a flow, in order. `extra_runs`: whether a suspicion may ask it more often than its interval says.
    """

    module: str
    id: str
    kind: str
    interval: timedelta
    timeout: timedelta
    locations: tuple[str, ...] = ("here",)
    confirm: timedelta | None = None
    role: Role = Role.VERDICT
    expect: Expect = field(default_factory=Expect)
    ask: Any = None
    instance: str = ""
    off: str | None = None
    steps: tuple[Step, ...] = ()
    extra_runs: bool = True

    @property
    def key(self) -> tuple[str, str]:
        """What names this probe on the board: (module id, probe id)."""
        return (self.module, self.id)


def phase_of(probe: Probe, location: str) -> float:
    """Where in its interval a probe stands, 0 to 1: fixed by its name, so a reload moves nobody else.

    Its locations divide the interval evenly: whatever breaks, one of them asks soon (judgement.md 1.1).
    """
    turn = probe.locations.index(location) / len(probe.locations) if location in probe.locations else 0.0
    return (_place_of(probe.module, probe.id) + turn) % 1


@lru_cache(maxsize=65536)
def _place_of(module: str, id: str) -> float:
    return int.from_bytes(blake2b(f"{module}/{id}".encode(), digest_size=8).digest()) / 2**64


def next_due(probe: Probe, location: str, after: float) -> float:
    """The first point of the probe's grid strictly after `after`, both in seconds of one clock.

    The grid never drifts: a late run skips points instead of moving them.
    """
    interval = probe.interval.total_seconds()
    offset = phase_of(probe, location) * interval
    return (floor((after - offset) / interval) + 1) * interval + offset


def host_of(probe: Probe) -> str:
    """The host a probe talks to, without port; empty where it talks to none of its own."""
    return _host_in(probe.instance)


@lru_cache(4096)
def _host_in(instance: str) -> str:
    rest = instance.partition("://")[2] or instance
    place = rest.partition("/")[0].lower()
    if place.startswith("["):
        return place.partition("]")[0] + "]"
    return place.partition(":")[0]


def hosts_of(probe: Probe) -> tuple[str, ...]:
    """What a probe has in common with others that talk to the same host, or to one in the same zone.

    The name that a `dns` probe asks for ends with a dot: it lies in the zone of the host so called, but whether that
    host works is no part of the answer. The name server itself is left out, as its name is nobody's business.
    """
    if probe.kind == "dns":
        return (f"{probe.instance.rpartition('/')[2].lower()}.",)
    return tuple(filter(None, (host_of(probe),)))
