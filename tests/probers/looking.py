"""Asking a misbehaving server, for tests: short time limits, loopback allowed, certificates of our own authority."""

import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from monitor.clock import SystemClock
from monitor.core.expectation import Expect, Result, judge
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.core.target import HttpTarget, Network
from monitor.probers import Reach, look

LIMIT = 1.5  # seconds a probe of these tests has
BEAT = 0.002  # seconds between two looks at how late the loop is


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
    """How long the event loop is held up by our own work at its worst while the block runs, in seconds.

    That is what its thread computed, and what other threads of ours computed while it stood still for no other reason:
    they held the interpreter. Time in which a thread was ready and the machine gave it no processor is a neighbour's.
    A call that only waits is not seen: on a busy machine nothing tells it from a process that is not let run.
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
            wall, own, all_of_us, waits = time.perf_counter(), time.thread_time(), time.process_time(), _waits()
            await asyncio.sleep(BEAT)
            late = time.perf_counter() - wall - BEAT
            if late > self.worst:
                own = time.thread_time() - own
                others = time.process_time() - all_of_us - own
                stood_still = max(0.0, late - own - _unserved(waits))
                self.worst = max(self.worst, min(late, own + min(others, stood_still)))


def _waits() -> dict[str, int]:
    """Nanoseconds that each thread of this process was ready to run and had no processor, as the kernel counts them."""
    waits = {}
    for thread in os.listdir("/proc/self/task"):
        with suppress(OSError):  # it has ended
            waits[thread] = int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[1])
    return waits


def _unserved(before: dict[str, int]) -> float:
    """Seconds since then, of all threads together."""
    return sum(waited - before.get(thread, 0) for thread, waited in _waits().items()) / 1e9
