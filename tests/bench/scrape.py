"""What a scrape costs: our page against the default registry of prometheus_client, and against the blackbox exporter.

    python -m tests.bench.scrape [--modules 1000] [--places 1] [--peer]

Prints milliseconds of the processor and bytes of a page with everything new, with half of it new (as between two
scrapes of probes that run every half minute) and with nothing new, plain and packed, and how late the event loop was
meanwhile. `--peer` asks a blackbox exporter, if one is installed, for a hundred targets on loopback and tells what that
makes for all modules.
"""

import argparse
import asyncio
import gc
import gzip
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path

from aiohttp import ClientSession
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from monitor.core.board import Board, Condition
from monitor.core.detector import Transition
from monitor.core.expectation import judge
from monitor.core.history import History
from monitor.core.module import Module, Platform, Status
from monitor.core.observation import Certificate, Http, Observation
from monitor.core.probe import Probe
from monitor.metrics import Metrics
from monitor.metrics.facts import facts
from monitor.metrics.series import BOUNDS, OUTCOMES
from monitor.turns import SWITCH
from tests.fakes import START, FakeClock
from tests.metrics.side_by_side import exporter
from tests.probers.authorities import Authorities
from tests.probers.misbehaving import answer, served

BEAT = 0.002  # seconds between looks at the event loop
PEERS = 100
PHASES = {"resolve": 0.012, "connect": 0.004, "tls": 0.01, "processing": 0.02, "transfer": 0.001}


class Fixture:
    """So many modules with one probe each, over HTTP with TLS, all seen once; every tenth was down for a while."""

    def __init__(self, modules: int, places: int) -> None:
        names = tuple(f"place-{number}" for number in range(places))
        self.probes = [
            Probe(
                f"module-{number}",
                "page",
                "http",
                timedelta(seconds=30),
                timedelta(seconds=10),
                names,
                instance=f"https://module-{number}.example/healthcheck",
            )
            for number in range(modules)
        ]
        platform = Platform(
            {one.module: Module(one.module, {"en": one.module}, probes=(one,)) for one in self.probes},
            locations={place: place for place in names},
        )
        up = {one.key: Condition(Status.UP, START) for one in self.probes}
        self.board = Board(platform, probes=up)
        self.past = {one.module: _past(one.module, index % 10 == 0) for index, one in enumerate(self.probes)}
        self.clock = FakeClock(START)
        self.metrics = Metrics(platform, self.clock)
        self.runs = 0
        self.see(self.probes)

    def see(self, probes: list[Probe]) -> float:
        """A new run of each at each place; how many microseconds of the loop one takes."""
        began = time.perf_counter()
        for probe in probes:
            for place in probe.locations:
                self.runs += 1
                seen = seen_by(probe, place, self.runs)
                self.metrics.observed(probe, seen, judge(seen, probe.expect))
        return (time.perf_counter() - began) / max(1, len(probes)) * 1e6

    def page(self, openmetrics: bool = False) -> bytes:
        """A page over a history that was just published."""
        return self.metrics.page(self.board, History(transitions=dict(self.past)), openmetrics)


def seen_by(probe: Probe, place: str, number: int) -> Observation:
    """One run, none like another; the certificate of a module stays."""
    end = START + timedelta(days=30, seconds=len(probe.module))
    serial = int.from_bytes(probe.module.encode())
    certificate = Certificate(
        *(end, f"CN={probe.module}.example", "CN=Some Authority,O=Some", f"{serial:064x}", f"{serial:032x}"),
        *((f"{probe.module}.example",), end, end, "TLSv1.3", "TLS_AES_128_GCM_SHA256"),
    )
    http = Http(200, {"content-type": "text/html"}, 12_345, None, "1.1", 0, 12_345)
    took = 0.04 + number % 997 / 10_000
    return Observation(
        *(START, probe.module, probe.id, place, START, took, PHASES, f"192.0.2.{number % 250}:443"),
        None,
        http,
        certificate,
    )


def _past(module: str, was_down: bool) -> tuple[Transition, ...]:
    """Known for a month; down for an hour a day ago."""
    times = [(Status.UP, 30.0), *([(Status.DOWN, 1.0), (Status.UP, 23 / 24)] if was_down else [])]
    found, before = [], Status.UNKNOWN
    for status, days in times:
        at = START - timedelta(days=days)
        found.append(Transition(module, before, status, at, at))
        before = status
    return tuple(found)


def registry(fixture: Fixture) -> CollectorRegistry:
    """The same series, kept and written by prometheus_client."""
    whole, gauges = CollectorRegistry(), dict[str, Gauge]()
    counter = Counter("runs", "Runs.", ["module", "probe", "location", "outcome"], registry=whole)
    times = Histogram("seconds", "Times.", ["module", "probe"], buckets=BOUNDS, registry=whole)
    for number, probe in enumerate(fixture.probes):
        own = {"instance": probe.instance, "module": probe.module, "probe": probe.id, "kind": probe.kind}
        seen = seen_by(probe, probe.locations[0], number)
        times.labels(probe.module, probe.id).observe(seen.duration)
        for place in probe.locations:
            for outcome in OUTCOMES:
                counter.labels(probe.module, probe.id, place, outcome.value)
        for (name, more), value in facts(probe, seen, judge(seen, probe.expect)).items():
            pairs = dict(pair.split("=", 1) for pair in more.split('",') if pair) if "=" in more else {}
            labels = own | {label: text.strip('"') for label, text in pairs.items()}
            if name not in gauges:
                gauges[name] = Gauge(name, "Told.", list(labels), registry=whole)
            gauges[name].labels(**labels).set(value)
    return whole


def timed(work: Callable[[], bytes]) -> tuple[float, bytes]:
    """Milliseconds of the processor, and what came of it."""
    began = time.thread_time()
    made = work()
    return (time.thread_time() - began) * 1000, made


async def scraped(work: Callable[[], bytes]) -> tuple[float, float, bytes]:
    """The same in a thread, as the ops side does it: milliseconds, and the most the loop was late meanwhile. Time in
    which this process had no processor is not counted."""
    worst, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            began, busy = time.perf_counter(), time.process_time()
            await asyncio.sleep(BEAT)
            late = time.perf_counter() - began - BEAT
            worst = max(worst, min(late, time.process_time() - busy))

    watching = asyncio.create_task(watch())
    await asyncio.sleep(0.05)
    took, page = await asyncio.to_thread(timed, work)
    done.set()
    await watching
    return took, worst * 1000, page


async def measure(modules: int, places: int) -> None:
    """Prints our figures, and those of the client library."""
    fixture = Fixture(modules, places)
    gc.collect()
    gc.freeze()  # as the monitor does once it has begun
    gc.set_threshold(700, 10, 1000)
    print(f"{modules} modules at {places} place(s); the loop spends {fixture.see(fixture.probes):.0f} µs a probe")
    for openmetrics in (False, True):
        for told, fresh in (("everything new", fixture.probes), ("half new", fixture.probes[::2]), ("nothing new", [])):
            fixture.see(fresh)
            gc.collect()  # they did not come all in one moment
            fixture.clock.at += timedelta(seconds=15)
            took, late, page = await scraped(partial(fixture.page, openmetrics))
            packing, packed = timed(partial(gzip.compress, page, 1, mtime=0))
            kind = "OpenMetrics" if openmetrics else "text"
            print(
                f"  {kind:11} {told:14} {took:7.1f} ms, loop late {late:5.1f} ms, {len(page):>11,} bytes; "
                f"packed {len(packed):>10,} in {packing:.0f} ms"
            )
    whole = registry(fixture)
    took, page = timed(partial(generate_latest, whole))
    print(f"  default registry           {took:7.1f} ms, all of it on its thread, {len(page):>11,} bytes")


async def ask_peer(modules: int) -> None:
    """Prints what the exporter takes for as many targets, from a sample of them."""
    async with AsyncExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        url = held.enter_context(exporter(folder, Authorities(folder).ca_file))
        shop = await held.enter_async_context(served(answer(b"hello")))
        session = await held.enter_async_context(ClientSession())
        size, began = 0, time.perf_counter()
        for _ in range(PEERS):
            async with session.get(f"{url}/probe", params={"target": shop.url(), "module": "http_2xx"}) as told:
                size += len(await told.read())
        took = (time.perf_counter() - began) * 1000
    share = modules / PEERS
    print(f"  blackbox exporter          {took * share:7.1f} ms in {modules} requests, {size * share:>11,.0f} bytes")


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modules", type=int, default=1000)
    parser.add_argument("--places", type=int, default=1)
    parser.add_argument("--peer", action="store_true", help="ask a blackbox exporter as well")
    given = parser.parse_args()
    sys.setswitchinterval(SWITCH)  # as the monitor does
    asyncio.run(measure(given.modules, given.places))
    if given.peer:
        asyncio.run(ask_peer(given.modules))


if __name__ == "__main__":
    main()
