"""What figures cost: `python -m tests.bench.uptime_cost [URL]`, an empty database; without one a SQLite file.

A year of a hundred modules that each went down every other week, and the same with an outage a day.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from tempfile import TemporaryDirectory

from monitor.core.availability import PLATFORM, Availability, Subject
from monitor.core.daily import Reckoning, lines_of
from monitor.core.detector import Transition
from monitor.core.module import Component, Group, Module, Platform, Status
from monitor.core.period import Period
from monitor.core.report import report
from monitor.core.uptime import Spent
from monitor.store import Store, open_store

NOW = datetime(2026, 11, 23, 12, 34, 56, tzinfo=UTC)
YEAR = timedelta(days=365)
IDS = [f"module-{number}" for number in range(100)]
PARTS = tuple(Component(f"c{n}", {"en": f"C{n}"}, tuple(IDS[5 * n : 5 * n + 5])) for n in range(20))
MODULES = tuple(Subject("module", id) for id in IDS)
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
    closing = time.process_time()
    rows = await store.close_days(SHOP, UTC, NOW)
    closing = time.process_time() - closing
    for _ in range(9):
        began = time.process_time()
        for subject in MODULES:
            await reckoned(store, (subject,))
        one = (time.process_time() - began) / len(MODULES)
        began = time.process_time()
        several = await reckoned(store, MODULES)
        year = time.process_time()
        whole = await reckoned(store, (PLATFORM,))
        kept = {"one module": one, "100 modules": year - began, "the platform": time.process_time() - year}
        began = time.process_time()
        history = await store.archive(NOW - YEAR)
        read = time.process_time()
        past = Availability(SHOP, history, (), NOW - YEAR)
        plain = [past.spent(one, NOW - YEAR, NOW) for one in MODULES]
        modules = time.process_time()
        in_one = past.spent(PLATFORM, NOW - YEAR, NOW)
        platform = time.process_time()
        assert ([*several, *whole]) == ([*plain, in_one])
        period = Period("", NOW - timedelta(days=30), NOW)
        report(past, period, period, Period("", NOW - timedelta(days=60), period.since), UTC)
        end = time.process_time()
        took = kept | {
            "read": read - began,
            "modules": modules - read,
            "platform": platform - modules,
            "report": end - platform,
        }
        best = {key: min(value, best.get(key, value)) for key, value in took.items()}
    await store.close()
    told_as = ", ".join(f"{key} {1000 * value:.1f} ms" for key, value in best.items())
    print(f"{name}: {len(told):,} changes of status, {rows:,} days made in {closing:.1f} s; {told_as}", flush=True)


async def reckoned(store: Store, subjects: Sequence[Subject]) -> list[Spent]:
    """A year of these, from the store to the figures, by the sums of its days."""
    history, totals = await store.reckoned(NOW - YEAR, NOW, lines_of(SHOP, subjects))
    assert totals is not None
    past = Reckoning(Availability(SHOP, history, history.maintenances, NOW - YEAR), NOW - YEAR, NOW, totals)
    return [past.spent(one) for one in subjects]


async def main() -> None:
    """The best of five, in time of the processor."""
    for name, every in (("every other week", timedelta(days=14)), ("every day", timedelta(days=1))):
        with TemporaryDirectory() as folder:
            await measured(sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/monitor.db", name, every)


if __name__ == "__main__":
    asyncio.run(main())
