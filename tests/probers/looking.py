"""Asking a misbehaving server, for tests: short time limits, loopback allowed, certificates of our own authority."""

import asyncio
import gc
import os
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
from tests.machine import slowness

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

    They are those of the machine on which the bounds were set: a slower one is allowed its slowness.

    Time in which the machine gave the loop's thread no processor although it was ready, or this process none at all, is
    not its own fault and not counted.
    """

    worst = 0.0

    async def __aenter__(self) -> "LagSampler":
        self._waits = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
        gc.collect()  # what earlier tests left behind is not this one's delay
        self._slowness = slowness()
        self._task = asyncio.create_task(self._sample())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        os.close(self._waits)
        self.worst /= max(self._slowness, slowness())  # a machine may be slowed down in between

    async def _sample(self) -> None:
        while True:
            wall, busy, waited = time.perf_counter(), time.process_time(), self._waited()
            await asyncio.sleep(0.002)
            late = time.perf_counter() - wall - 0.002 - (self._waited() - waited)
            self.worst = max(self.worst, min(late, time.process_time() - busy))

    def _waited(self) -> float:
        """Seconds that this thread was ready to run and had no processor, as the kernel counts them."""
        return int(os.pread(self._waits, 64, 0).split()[1]) / 1e9
