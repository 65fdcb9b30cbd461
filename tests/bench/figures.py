"""The other figures of the whole program, each by its name: `python -m tests.bench.figures [start replay disk page
memory latency large]`, all of them without a name.

start    processor time of `monitor --help`, and seconds to the first page over 100 probes
replay   observations that one core judges in a second
disk     bytes of one passed run in SQLite and in PostgreSQL
page     bytes of the home page, packed, over 30 and 300 components
memory   megabytes over 1,000 probes
latency  what is told of a target asked 1,000 times a second, beside what a bare socket sees of it meanwhile
large    10,000 probes every 30 s: how late runs begin, how many are missed, megabytes
"""

import asyncio
import json
import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import asyncpg

from monitor.core.effect import Keep
from monitor.core.expectation import Outcome, Result
from monitor.core.observation import Http, Observation, observation_to_json
from monitor.store import open_store
from tests.bench.yard import Target, configured, monitor, resident, target, watched
from tests.postgres import own_server

START = datetime(2026, 1, 1, tzinfo=UTC)
HEADERS = {
    "server": "nginx/1.22.1",
    "content-type": "application/json",
    "content-length": "1121",
}


def seen(number: int, modules: int) -> Observation:
    """A run that passed, as a run over HTTP is."""
    at = START + timedelta(milliseconds=100 * number, microseconds=number % 977)
    took = 0.002 + number % 991 / 1e6
    phases = {"resolve": 1.1e-05, "connect": took / 9, "processing": took / 2, "transfer": 4.3e-05}
    http = Http(200, HEADERS | {"date": f"{at:%a, %d %b %Y %H:%M:%S} GMT"}, 1121, "{}", "1.1", 0, 1121)
    return Observation(
        at, f"module-{number % modules}", "probe-0", "here", at, took, phases, "127.0.0.1:8080", http=http
    )


def start(folder: Path) -> None:
    """The two beginnings."""
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run((sys.executable, "-m", "monitor", "--help"), capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    print(f"monitor --help: {statistics.median(spent):.2f} s of the processor")
    with target(folder / "target") as shop, monitor(folder / "monitor", shop, 100, 1, 30) as running:
        print(f"first page over 100 probes: {running.began_in:.1f} s")


def replay(folder: Path) -> None:
    """Judges a recording of 20,000 runs."""
    count, modules = 20_000, 100
    shop = Target(1, 2, "", 3)
    (folder / "probes.yaml").write_text(json.dumps(configured(shop, modules, 1, 10, False, 28901, 28902)))
    lines = (json.dumps(observation_to_json(seen(number, modules))) for number in range(count))
    (folder / "seen").write_text("\n".join(lines))
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = (sys.executable, "-m", "monitor", "replay", "--config", str(folder / "probes.yaml"), str(folder / "seen"))
    subprocess.run(command, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"replay: {count / spent:,.0f} observations a second of the processor, its start included")


def disk(folder: Path) -> None:
    """Stores 20,000 runs, in each database."""
    count = 20_000

    async def fill(url: str, count: int) -> None:
        store = await open_store(url)
        for first in range(0, count, 500):
            await store.commit([Keep(seen(n, 100), Result(Outcome.PASSED)) for n in range(first, first + 500)])
        await store.close()

    async def size(dsn: str) -> int:
        connection = await asyncpg.connect(dsn)
        found: int = await connection.fetchval("SELECT pg_database_size(current_database())")
        await connection.close()
        return found

    asyncio.run(fill(f"sqlite:///{folder}/monitor.db", count))
    print(f"a passed run in SQLite: {os.path.getsize(folder / 'monitor.db') / count:.0f} bytes")
    with own_server() as server:
        asyncio.run(fill(server.dsn, 0))
        empty = asyncio.run(size(server.dsn))
        asyncio.run(fill(server.dsn, count))
        print(f"… in PostgreSQL: {(asyncio.run(size(server.dsn)) - empty) / count:.0f} bytes")


def page(folder: Path) -> None:
    """Reads the home page as browsers ask for it."""
    with target(folder / "target") as shop:
        for components in (30, 300):
            with monitor(folder / f"monitor-{components}", shop, components, 1, 30) as running:
                asked = Request(f"{running.public}/", headers={"Accept-Encoding": "gzip"})
                print(f"home page over {components} components: {len(urlopen(asked).read()):,} bytes packed")


def memory(folder: Path) -> None:
    """A monitor that has been at work for two minutes."""
    with target(folder / "target") as shop, monitor(folder / "monitor", shop, 100, 10, 30) as running:
        time.sleep(120)
        print(f"1,000 probes of 100 modules: {resident(running.process.pid):.0f} MB")


def latency(folder: Path) -> None:
    """The median of what the probes tell, and of what a socket that only waits for its answer sees."""
    with target(folder / "target") as shop, monitor(folder / "monitor", shop, 100, 50, 5) as running:
        time.sleep(15)
        own = statistics.median(_asked(shop) for _ in range(500))
        told = [float(one) for one in re.findall(r"(?m)^probe_duration_seconds\{.*\} (\S+)$", running.metrics())]
        print(f"{watched(running.process.pid, shop, 10).runs / 10:.0f} checks a second")
    print(f"told: {statistics.median(told) * 1000:.2f} ms in the median; a bare socket sees {own * 1000:.2f} ms")


def _asked(shop: Target) -> float:
    time.sleep(0.01)
    began = time.perf_counter()
    with socket.create_connection(("127.0.0.1", shop.plain)) as plain:
        plain.sendall(b"GET /answer.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        while plain.recv(65536):
            pass
    return time.perf_counter() - began


def large(folder: Path) -> None:
    """Two minutes, after the first two."""
    with target(folder / "target") as shop, monitor(folder / "monitor", shop, 100, 100, 30, within=600) as running:
        time.sleep(120)
        before = _delays(running.metrics())
        found = watched(running.process.pid, shop, 120)
        delays = {bound: count - before[bound] for bound, count in _delays(running.metrics()).items()}
        total = delays[float("inf")]
        late = next(bound for bound, count in delays.items() if count >= 0.99 * total)
        print(f"10,000 probes every 30 s: {found.runs} runs of 40,000, 99 in 100 begin within {late:g} s,")
        print(f"  {found.each:.0f} µs of the processor a run, {found.resident:.0f} MB")


def _delays(page: str) -> dict[float, float]:
    pattern = r'(?m)^monitor_schedule_delay_seconds_bucket\{le="(.+)"\} (\S+)$'
    return {float(bound): float(count) for bound, count in re.findall(pattern, page)}


FIGURES: dict[str, Callable[[Path], None]] = {
    one.__name__: one for one in (start, replay, disk, page, memory, latency, large)
}

if __name__ == "__main__":
    for name in sys.argv[1:] or FIGURES:
        with tempfile.TemporaryDirectory() as place:
            FIGURES[name](Path(place))
