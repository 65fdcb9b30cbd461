"""What figures cost: `python -m tests.bench.uptime_cost [URL]`, an empty database; without one a SQLite file.

A year of a hundred modules that each went down every other week, and the same with an outage a day.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime, timedelta
from random import Random
from tempfile import TemporaryDirectory

from monitor.core.availability import PLATFORM, Availability, Subject
from monitor.core.detector import Transition
from monitor.core.module import Component, Group, Module, Platform, Status
from monitor.core.period import Period
from monitor.core.report import report
from monitor.store import open_store

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
YEAR = timedelta(days=365)
IDS = [f"module-{number}" for number in range(100)]
PARTS = tuple(Component(f"c{n}", {"en": f"C{n}"}, tuple(IDS[5 * n : 5 * n + 5])) for n in range(20))
SHOP = Platform({id: Module(id, {"en": id}) for id in IDS}, (Group("all", {}, PARTS),))


def moves(every: timedelta) -> list[Transition]:
    """Outages of some minutes, this often on average."""
    random, found = Random(every.days), []
    for id in IDS:
        at = NOW - YEAR - timedelta(days=1)
        found.append(Transition(id, Status.UNKNOWN, Status.UP, at, at))
        while (at := at + every * random.expovariate(1)) < NOW:
            found.append(Transition(id, Status.UP, Status.DOWN, at, at))
            at += timedelta(minutes=random.expovariate(0.1))
            found.append(Transition(id, Status.DOWN, Status.UP, at, at))
    return found


async def measured(url: str, name: str, every: timedelta) -> None:
    store = await open_store(url)
    told = moves(every)
    await store.seed(told, [], [])
    best: dict[str, float] = {}
    for _ in range(5):
        began = time.process_time()
        history = await store.archive(NOW - YEAR)
        read = time.process_time()
        past = Availability(SHOP, history, (), NOW - YEAR)
        for id in IDS:
            past.figure(Subject("module", id), NOW - YEAR, NOW)
        modules = time.process_time()
        past.figure(PLATFORM, NOW - YEAR, NOW)
        platform = time.process_time()
        period = Period("", NOW - timedelta(days=30), NOW)
        report(past, period, period, Period("", NOW - timedelta(days=60), period.since), UTC)
        end = time.process_time()
        took = {
            "read": read - began,
            "modules": modules - read,
            "platform": platform - modules,
            "report": end - platform,
        }
        best = {key: min(value, best.get(key, value)) for key, value in took.items()}
    await store.close()
    told_as = ", ".join(f"{key} {1000 * value:.1f} ms" for key, value in best.items())
    print(f"{name}: {len(told):,} changes of status; {told_as}", flush=True)


async def main() -> None:
    """The best of five, in time of the processor."""
    for name, every in (("every other week", timedelta(days=14)), ("every day", timedelta(days=1))):
        with TemporaryDirectory() as folder:
            await measured(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/monitor.db", name, every)


if __name__ == "__main__":
    asyncio.run(main())
