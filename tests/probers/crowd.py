"""A crowd: two hundred modules that all look at hostile servers at once, and a few at healthy ones beside them.

The servers run in a process of their own (`python -m tests.probers.crowd` prints the port of each), so what is measured
is the monitor alone: how long its event loop stood still at worst, and how much memory it took on.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from monitor.clock import SystemClock
from monitor.core.expectation import Result, judge
from monitor.core.flow import judge_run
from monitor.core.observation import Observation
from monitor.core.probe import Probe
from monitor.probers import Reach, look
from monitor.probers.rounds import Rounds

from .adversaries import adversaries
from .corpus import EXPECT, whole
from .looking import LagSampler, probe_of
from .misbehaving import raw, served
from .strangers import DNS_WAYS, name_server, servers

HOSTILE, HEALTHY = 200, 20
ROOT = Path(__file__).parents[2]


@dataclass
class Report:
    """What a crowd showed: the worst hold-up of the loop in seconds, memory taken on at the peak in bytes, and the
    results of hostile and of healthy modules."""

    lag: float
    growth: int
    seconds: float
    hostile: list[tuple[Observation, Result]]
    healthy: list[tuple[Observation, Result]]

    @property
    def codes(self) -> set[str | None]:
        return {result.code for _, result in self.hostile}


@contextmanager
def serving() -> Iterator[Mapping[str, int]]:
    """The port of every hostile server, and of `healthy`, while the block runs."""
    command = (sys.executable, "-m", "tests.probers.crowd")
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.kill()


async def crowd(reach: Reach, hostile: Sequence[Probe], healthy: Sequence[Probe]) -> Report:
    """One round of all these probes at once, by the rounds of the program."""
    probes = {}
    for kind, ones in (("hostile", hostile), ("healthy", healthy)):
        for number, probe in enumerate(ones):
            named = replace(probe, module=f"{kind}-{number}")
            probes[named.key] = named
    seen: dict[str, Observation] = {}
    everything = asyncio.Event()

    async def one(probe: Probe, at: datetime, extra: bool) -> Observation:
        return await look(probe, reach, scheduled_at=at)

    def hand_in(observation: Observation) -> None:
        seen[observation.module or ""] = observation
        if len(seen) == len(probes):
            everything.set()

    rounds = Rounds(one, hand_in, SystemClock())
    rounds.plan(probes)
    rounds._heap.clear()  # the first round would spread them over four seconds
    for key in probes:
        rounds.ask(key, 0.0)
    forget_peak()
    before, began = memory(), time.monotonic()
    async with LagSampler() as lag:
        walking = asyncio.create_task(rounds.walk())
        await everything.wait()
        await asyncio.sleep(0.05)
        walking.cancel()
        await asyncio.gather(walking, return_exceptions=True)
    by_kind: dict[str, list[tuple[Observation, Result]]] = {"hostile": [], "healthy": []}
    for key, probe in probes.items():
        by_kind[key[0].partition("-")[0]].append((seen[key[0]], _judged(seen[key[0]], probe)))
    return Report(lag.worst, peak() - before, time.monotonic() - began, **by_kind)


def _judged(observation: Observation, probe: Probe) -> Result:
    return judge_run(observation, probe) if probe.steps else judge(observation, probe.expect)


def crowd_of(ports: Mapping[str, int], name: str, limit: float, **target: object) -> tuple[list[Probe], list[Probe]]:
    """Probes of one hostile server each, and of the healthy one."""
    hostile = probe_of(f"http://127.0.0.1:{ports[name]}/", EXPECT, limit=limit, **target)
    well = probe_of(f"http://127.0.0.1:{ports['healthy']}/", EXPECT, limit=10, **target)
    return [hostile] * HOSTILE, [well] * HEALTHY


def memory() -> int:
    """Bytes of this process that are in memory."""
    return _status("VmRSS")


def peak() -> int:
    """The most there were since `forget_peak`."""
    return _status("VmHWM")


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


async def _serve() -> None:
    ways = {name: way for name, (_, way) in adversaries().items()}
    ways["healthy"] = raw(whole())
    async with AsyncExitStack() as stack:
        ports = {name: (await stack.enter_async_context(served(way))).port for name, way in ways.items()}
        for name, (way, context) in servers().items():
            ports[name] = (await stack.enter_async_context(served(way, context))).port
        for way in DNS_WAYS:
            ports[f"dns: {way}"] = await stack.enter_async_context(name_server(way))
        print(json.dumps(ports), flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
