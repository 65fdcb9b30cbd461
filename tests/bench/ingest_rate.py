"""What it costs the core to take in what agents saw: `python -m tests.bench.ingest_rate [URL [MODULES]]`.

Opening a batch, judging each run at the desk, storing it with its track and its mark, acknowledging: processor time of
this process for each run, in time and two hours late. Figures hang on the machine; their ratio does not.
"""

import asyncio
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta

from monitor.clock import SystemClock
from monitor.core.history import board_from
from monitor.desk import Desk
from monitor.places import topics
from monitor.places.ingest import Ingest
from monitor.places.seal import Seal
from monitor.places.wire import MOST_ITEMS, Acknowledged, Batch, pack, unpack
from monitor.store import TROUBLES, open_store
from tests.places.test_ingest import Idle
from tests.stories.beats import module, observation, platform

RUNS, MODULES = 20_000, 200


async def told(location: str, through: Acknowledged) -> None:
    """Nobody is there to hear it."""


async def measure(url: str, modules: int = MODULES) -> None:
    """Takes the same day in twice."""
    names = [f"m{number}" for number in range(modules)]
    world = platform(*(module(name, places=("sao", "mia")) for name in names), locations={"sao": "1", "mia": "2"})
    store, clock = await open_store(url), SystemClock()
    desk = Desk(board_from(world, await store.recall(clock.now())), store, Idle(), clock, troubles=TROUBLES)
    ingest, writing = Ingest(desk, clock, {}, told), asyncio.create_task(desk.write())
    seal, topic = Seal("a secret that is only for this measurement", "sao"), topics.observations("sao")
    for name, age in (("in time", timedelta(seconds=4)), ("two hours late", timedelta(hours=2))):
        base, payloads = datetime.now(UTC) - age, []
        for first in range(0, RUNS, MOST_ITEMS):
            runs = (
                observation(names[number % modules], base + timedelta(milliseconds=number / 10), "+", "sao")
                for number in range(first, first + MOST_ITEMS)
            )
            payloads.append(pack(seal, topic, Batch("box", name, first + 1, first + 1, base, tuple(runs))))
        began, spent = time.monotonic(), time.process_time()
        settling = []
        for payload in payloads:
            batch = await asyncio.to_thread(unpack, seal, topic, payload)
            assert isinstance(batch, Batch)
            assert await ingest.take("sao", batch)
            settling.append(asyncio.create_task(ingest.settle("sao", batch)))
        await asyncio.gather(*settling)
        spent, took = time.process_time() - spent, time.monotonic() - began
        print(f"{name}: {RUNS} runs in {took:.1f} s, {spent / RUNS * 1e6:.0f} µs of processor time each")
    writing.cancel()
    await store.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/monitor.db"
        asyncio.run(measure(url, *map(int, sys.argv[2:])))
