"""Asking a misbehaving server, for tests: short time limits, loopback allowed, certificates of our own authority."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from monitor.clock import SystemClock
from monitor.core.expectation import Expect, Result, judge
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.target import HttpTarget, Network
from monitor.probers import Reach, look

LIMIT = 1.5  # seconds a probe of these tests has


def probe_of(url: str, expect: Expect | None = None, limit: float = LIMIT, kind: str = "http", **target: Any) -> Probe:
    """A probe that may ask loopback, unless the target says otherwise."""
    return Probe(
        "checkout",
        "simulation",
        kind,
        timedelta(seconds=30),
        timedelta(seconds=limit),
        expect=expect or Expect(),
        ask=HttpTarget(url, **({"allow_private": True} | target)),
    )


@asynccontextmanager
async def reaching(
    *, secrets: Sequence[str] = (), nameservers: Sequence[str] = (), lookup_timeout: float = 0.2, **network: Any
) -> AsyncIterator[Reach]:
    """A reach of its own for one test."""
    async with Reach.open(
        Network(**network), frozenset(secrets), SystemClock(), nameservers=nameservers, lookup_timeout=lookup_timeout
    ) as reach:
        yield reach


async def seen(reach: Reach, probe: Probe, **options: Any) -> tuple[Observation, Result]:
    """One run and what it is judged to say."""
    observation = await look(probe, reach, **options)
    return observation, judge(observation, probe.expect)


class LagSampler:
    """How long the event loop is held up at its worst while the block runs, in seconds.

    Time in which this process had no processor at all (a busy machine) is not its own fault and not counted.
    """

    worst = 0.0

    async def __aenter__(self) -> "LagSampler":
        gc.collect()  # what earlier tests left behind is not this one's delay
        self._task = asyncio.create_task(self._sample())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _sample(self) -> None:
        while True:
            wall, busy = time.perf_counter(), time.process_time()
            await asyncio.sleep(0.002)
            late = time.perf_counter() - wall - 0.002
            self.worst = max(self.worst, min(late, time.process_time() - busy))
