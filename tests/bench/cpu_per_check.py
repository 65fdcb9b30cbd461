"""What one check costs: the whole monitor beside the blackbox exporter and a bare loop around aiohttp.

    python -m tests.bench.cpu_per_check [--seconds 30] [--rounds 1] [--only plain,even,tls,even-tls]

The target is an nginx on loopback that answers a kilobyte of JSON on a fresh connection each time. The monitor is
`monitor run` as its users start it: it probes, judges, stores, counts and publishes. The exporter is asked for one
probe after another, as Prometheus asks it; the bare loop only asks and reads. Each is measured alone, in turn, in
every round. `plain` and `tls` are saturated: more is due than can be done. `even` and `even-tls` are 200 checks a
second, one after the other, as a monitor does them.

Prints microseconds of processor time a check, checks a second and memory; then the ratio to the exporter in the same
round.
"""

import argparse
import asyncio
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import aiohttp

from tests.bench.yard import Figure, Target, exporter, monitor, target, watched

AT_ONCE = 64  # checks under way in a saturated loop
EVEN = 200  # checks a second
WARM = 8.0  # seconds before anything is measured; a monitor has had its first publication and two rounds by then
MODULES = 100
SCENES = {"plain": (False, None), "even": (False, EVEN), "tls": (True, None), "even-tls": (True, EVEN)}


async def bare(url: str, rate: float | None, ca_file: str | None, keep: bool = False) -> None:
    """Asks for ever: as fast as it can, or so many times a second."""
    context = ssl.create_default_context(cafile=ca_file)
    connector = aiohttp.TCPConnector(limit=0, force_close=not keep, ssl=context)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def once() -> None:
            try:
                async with session.get(url) as answer:
                    await answer.read()
            except aiohttp.ClientError:
                await asyncio.sleep(0.1)

        async def many() -> None:
            while True:
                await once()

        if rate is None:
            await asyncio.gather(*(many() for _ in range(AT_ONCE)))
            return
        due, under_way = time.monotonic(), set()
        while True:
            task = asyncio.create_task(once())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            due += 1 / rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))


@contextmanager
def asking(url: str, rate: float | None, ca_file: str = "", keep: bool = False) -> Iterator[int]:
    """The bare loop as a process of its own."""
    command = (sys.executable, "-m", "tests.bench.cpu_per_check", "--bare", url, "--rate", str(rate or 0))
    extra = (*(("--ca", ca_file) if ca_file else ()), *(("--keep",) if keep else ()))
    process = subprocess.Popen((*command, *extra), cwd=Path(__file__).parents[2])
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def of_monitor(folder: Path, shop: Target, tls: bool, rate: float | None, seconds: float) -> Figure:
    """The whole program. Probes are asked every five seconds, so there are five times as many as a second holds."""
    due = rate or (600 if tls else 1500)
    with monitor(folder / "monitor", shop, MODULES, round(due * 5 / MODULES), 5, tls=tls, within=300) as running:
        time.sleep(WARM)
        return watched(running.process.pid, shop, seconds)


def of_exporter(folder: Path, shop: Target, tls: bool, rate: float | None, seconds: float) -> Figure:
    """The exporter, asked by a process of its own."""
    with exporter(folder, shop.ca_file) as (url, pid):
        asked = f"{url}/probe?module=http_2xx&target={quote(shop.url(tls), safe='')}"
        with asking(asked, rate, keep=True):
            time.sleep(WARM / 2)
            return watched(pid, shop, seconds)


def of_bare(folder: Path, shop: Target, tls: bool, rate: float | None, seconds: float) -> Figure:
    """The bare loop."""
    with asking(shop.url(tls), rate, shop.ca_file) as pid:
        time.sleep(WARM / 2)
        return watched(pid, shop, seconds)


def measure(rounds: int, seconds: float, scenes: list[str]) -> None:
    """Prints a table."""
    print(f"{'scene':<10}{'program':<20}{'µs a check':>11}{'checks/s':>10}{'MB':>6}{'ratio':>8}")
    for _ in range(rounds):
        for scene in scenes:
            tls, rate = SCENES[scene]
            peer: Figure | None = None
            ways = {"blackbox exporter": of_exporter, "bare aiohttp": of_bare, "monitor, all of it": of_monitor}
            for name, way in ways.items():
                with tempfile.TemporaryDirectory() as place:
                    folder = Path(place)
                    with target(folder / "target") as shop:
                        seen = way(folder, shop, tls, rate, seconds)
                peer = peer or seen
                print(
                    f"{scene:<10}{name:<20}{seen.each:>11.0f}{seen.runs / seen.seconds:>10.0f}{seen.resident:>6.0f}"
                    f"{seen.each / peer.each:>8.2f}",
                    flush=True,
                )


def main() -> None:
    """Reads the arguments and measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", default=",".join(SCENES))
    parser.add_argument("--bare", help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--ca", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.bare:
        asyncio.run(bare(given.bare, given.rate or None, given.ca, given.keep))
    else:
        measure(given.rounds, given.seconds, given.only.split(","))


if __name__ == "__main__":
    main()
