"""What plots cost: `python -m tests.bench.series_cost [URL]`, an empty database; a SQLite file of its own without one.

Ninety days of hours of a module with four probes at three places beside a hundred others, and an hour of runs of a
thousand modules every 30 s.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from tempfile import TemporaryDirectory

from monitor.core.effect import Keep
from monitor.core.expectation import Outcome, Result
from monitor.core.observation import Certificate, Http, Observation
from monitor.core.series import HOUR, WINDOWS, Bin, grid_of
from monitor.store import Rollup, Store, open_store

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
PROBES, PLACES = ["a", "b", "c", "d"], ["here", "there", "elsewhere"]
PHASES = {"resolve": 0.001, "connect": 0.004, "tls": 0.01, "processing": 0.02, "transfer": 0.001}
HEADERS = {f"x-vtex-header-{n}": "a value of about forty characters, as seen" for n in range(12)}
BUCKETS = {index: 3 for index in range(55, 75)}


def run(module: str, probe: str, place: str, at: datetime) -> Keep:
    """A passed run with what an answer of the platform carries."""
    shown = Certificate(NOW, "CN=*.example.com", "CN=An Issuer", "ab" * 32, alternative_names=("*.example.com",))
    http = Http(200, HEADERS, 4000)
    seen = Observation(at, module, probe, place, at, 0.036, PHASES, "10.0.0.1:443", http=http, certificate=shown)
    return Keep(seen, Result(Outcome.PASSED))


async def timed(what: str, work: Awaitable[object]) -> None:
    """Prints how long it took, and for how much of that the processor worked."""
    wall, cpu = time.perf_counter(), time.process_time()
    await work
    print(f"{what:52} {time.perf_counter() - wall:7.3f} s   {time.process_time() - cpu:7.3f} s processor", flush=True)


async def fill(store: Store) -> None:
    """Everything that is asked for, and what it stands among."""
    hours = [NOW.replace(minute=0, second=0, microsecond=0) - n * HOUR for n in range(90 * 24)]
    for number in range(100):
        several = [(probe, place) for probe in PROBES for place in PLACES] if not number else [("a", "here")]
        bin = Bin(60, 1, 2, 2.2, BUCKETS, 59, {name: s * 59 for name, s in PHASES.items()})
        await store.seed([], [], [Rollup(f"m{number}", p, place, at, bin) for p, place in several for at in hours])
    for beat in range(120):
        at = NOW - timedelta(seconds=30 * beat + 1)
        await store.seed([], [], [], [run(f"m{number}", "a", "here", at) for number in range(1000)])
    for beat in range(2880):  # a day of the first module
        several = [
            (probe, place) for probe in PROBES for place in PLACES if beat >= 120 or (probe, place) != ("a", "here")
        ]
        at = NOW - timedelta(seconds=30 * beat + 1)
        await store.seed([], [], [], [run("m0", probe, place, at) for probe, place in several])


async def main(url: str) -> None:
    """Fills the store and asks."""
    store = await open_store(url)
    await timed("filling", fill(store))
    for name, window in WINDOWS.items():
        grid = grid_of(window, NOW, timedelta(seconds=30), timedelta(days=7))
        for again in ("", ", again"):
            await timed(f"{name}, 4 probes at 3 places{again}", store.bins("m0", PROBES, PLACES, grid))
    hour = grid_of(WINDOWS["1h"], NOW, timedelta(seconds=30), timedelta(days=7))
    await timed("1h, one of 1,000 modules", store.bins("m500", ["a"], ["here"], hour))
    await store.close()


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/monitor.db"))
