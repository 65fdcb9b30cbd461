"""How fast observations are stored, and what batches are worth: `python -m tests.bench.store_rates [URL]`.

Every run comes with its track, as the desk commits them. Ratios of one round are to be trusted, figures are not.
"""

import asyncio
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from monitor.core.detector import Transition
from monitor.core.effect import Keep, Remember, Storable
from monitor.core.expectation import Outcome, Result
from monitor.core.module import Status
from monitor.core.observation import PHASES, Http, Observation
from monitor.core.series import Bin
from monitor.core.track import Track
from monitor.store import Rollup, Store, open_store

MODULES, PROBES = 25, 4
START = datetime(2026, 1, 1, tzinfo=UTC)


def step(number: int) -> list[Storable]:
    """What one passed run asks for."""
    module, probe = f"module-{number % MODULES}", f"http-{number // MODULES % PROBES}"
    at = START + timedelta(milliseconds=100 * number)
    observation = Observation(
        at,
        module,
        probe,
        "here",
        at,
        0.123,
        dict.fromkeys(PHASES, 0.02),
        "10.0.0.1:443",
        http=Http(200, {"server": "x"}),
    )
    return [Keep(observation, Result(Outcome.PASSED)), Remember(module, probe, "here", Track(last_at=at))]


def processor() -> float:
    """Seconds of processor time so far, of every thread."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


async def rate(store: Store, first: int, batch: int, batches: int) -> tuple[float, float]:
    """Runs a second, and microseconds of processor time a run."""
    commits = [
        [effect for number in range(start, start + batch) for effect in step(number)]
        for start in range(first, first + batch * batches, batch)
    ]
    began, used = time.perf_counter(), processor()
    for effects in commits:
        await store.commit(effects)
    runs = batch * batches
    return runs / (time.perf_counter() - began), (processor() - used) / runs * 1e6


async def timed(what: str, work: object) -> None:
    """Prints how long it took."""
    began = time.perf_counter()
    await work  # type: ignore[misc]
    print(f"{what:<52}{time.perf_counter() - began:8.3f} s")


async def main(url: str) -> None:
    """One round."""
    store = await open_store(url)
    try:
        await rate(store, 0, 100, 5)
        slow, slow_us = await rate(store, 1_000, 1, 300)
        fast, fast_us = await rate(store, 10_000, 100, 100)
        print(f"batches of   1: {slow:8.0f} runs/s {slow_us:8.0f} µs of processor a run")
        print(f"batches of 100: {fast:8.0f} runs/s {fast_us:8.0f} µs of processor a run; ratio {fast / slow:.0f}")
        hours = [START - timedelta(hours=back) for back in range(1, 90 * 24 + 1)]
        rollups = [
            Rollup(f"module-{module}", "seeded", "here", hour, Bin(120, 1, 2, 14.4, {60: 100, 64: 17, 80: 2}))
            for module in range(MODULES)
            for hour in hours
        ]
        transitions = [
            Transition(f"module-{module}", Status.UNKNOWN, Status.UP, hour, hour)
            for module in range(MODULES)
            for hour in hours[::24]
        ]
        await timed(
            f"seed: {len(rollups)} rollups, {len(transitions)} transitions", store.seed(transitions, [], rollups)
        )
        now = START + timedelta(minutes=30)
        await timed("history of 90 days", store.history(now - timedelta(days=90), now))
        await timed("recall", store.recall(now))
        await timed("the newest 50 runs of a module", newest(store, now))
        await timed("sweep of every run", store.sweep(now + timedelta(days=1), timedelta(0), timedelta(days=99)))
    finally:
        await store.close()


async def newest(store: Store, now: datetime) -> None:
    """What a module's page asks for."""
    await store.observations("module-3", since=START, until=now + timedelta(days=1), limit=50)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/monitor.db"))
