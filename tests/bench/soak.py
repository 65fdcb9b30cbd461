"""Soak: the real program over many probes with random faults, for as long as one wants, and what it costs over time.

    python -m tests.bench.soak [--probes 2000] [--minutes 15] [--seed 1] [--every 60]

A server of its own answers every module; faults that strike one module at a time (503, hang, reset, close, slow,
garbage) come and go by the seed. A webhook takes every notice. Printed once a minute: memory, descriptors, loop lag,
runs a second, incidents. At the end: events lost or doubled, faults that opened no incident, incidents without a fault,
and how much memory grew from the middle of the first third to the end. Exit status 1 when anything was lost or doubled.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes.crowd import OK, Crowd
from tests.processes.running import Program, get
from tests.processes.stations import Hook, hook

KINDS = ("503", "hang", "reset", "close", "slow", "garbage")
LASTS = (90.0, 240.0)  # seconds of a fault
PAUSE = (2.0, 12.0)  # seconds between the beginnings of two
QUIET = 200.0  # seconds at the end without new faults, in which what is open ends


@dataclass
class Target:
    """Answers every path after 20 ms, and struck ones in the way of their fault."""

    struck: dict[str, str] = field(default_factory=dict)
    count: int = 0
    port: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request and no more."""
        try:
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode().lstrip("/")
            self.count += 1
            await self._answer(self.struck.get(path, ""), writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _answer(self, kind: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.02)
        match kind:
            case "503":
                writer.write(b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno")
            case "hang":
                await asyncio.sleep(30)
            case "reset":
                writer.transport.abort()
            case "close":
                pass
            case "garbage":
                writer.write(os.urandom(200))
            case _:
                await asyncio.sleep(2.0 if kind == "slow" else 0)
                writer.write(OK)
        if kind != "reset":
            await writer.drain()


@dataclass
class Strikes:
    """Every fault: whom, how, from when until when; by a seed."""

    target: Target
    dice: random.Random
    ids: list[str]
    past: list[tuple[str, str, float, float]] = field(default_factory=list)

    async def go_on(self, until: float) -> None:
        """Strikes until a moment; returns once the last fault is over."""
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < until:
                free = [id for id in self.ids if id not in self.target.struck]
                group.create_task(self._strike(self.dice.choice(free), self.dice.choice(KINDS)))
                await asyncio.sleep(self.dice.uniform(*PAUSE))

    async def _strike(self, id: str, kind: str) -> None:
        began = time.monotonic()
        self.target.struck[id] = kind
        await asyncio.sleep(self.dice.uniform(*LASTS))
        del self.target.struck[id]
        self.past.append((id, kind, began, time.monotonic()))


def told_wrong(receiver: Hook) -> list[str]:
    """Events that a receiver got twice, or that are missing between those it got, and those out of order."""
    found: list[str] = []
    by_incident: dict[str, list[int]] = defaultdict(list)
    for id, times in Counter(str(notice["event_id"]) for _, notice in receiver.came).items():
        if times > 1:
            found.append(f"{id} came {times} times")
    for _, notice in receiver.came:
        covered = [notice["event_id"], *((notice.get("collapsed") or {}).get("event_ids", []))]
        incident = str(notice["event_id"]).rpartition("-")[0]
        by_incident[incident] += sorted(int(str(one).rpartition("-")[2]) for one in covered)
    for incident, seqs in by_incident.items():
        if seqs != sorted(set(seqs)):
            found.append(f"{incident}: {seqs}")
    return found


def never_told(crowd: Crowd, receiver: Hook) -> list[str]:
    """Letters that the store knows of and no receiver does."""
    came = {str(notice["event_id"]) for _, notice in receiver.came}
    for _, notice in receiver.came:
        came |= set((notice.get("collapsed") or {}).get("event_ids", []))
    rows = crowd.rows("SELECT incident, seq, state FROM outbox WHERE channel = 'chat'")
    return [f"{incident}-{seq} is {state}" for incident, seq, state in rows if f"{incident}-{seq}" not in came]


async def watch(crowd: Crowd, target: Target, every: float, until: float) -> list[dict[str, float]]:
    """The figures of the process over time, printed as they come."""
    lines, before, began = list[dict[str, float]](), target.count, time.monotonic()
    names = ("process_resident_memory_bytes", "process_open_fds", "monitor_event_loop_lag_seconds")
    more = ("monitor_event_loop_lost_ratio", "monitor_schedule_behind_seconds", 'monitor_queue_depth{queue="events"}')
    print(
        f"{'min':>5} {'MB':>7} {'files':>6} {'lag s':>7} {'lost %':>7} {'behind s':>9} {'queue':>6} {'runs/s':>7} open"
    )
    while time.monotonic() < until:
        await asyncio.sleep(every)
        values = [await asyncio.to_thread(crowd.metric, name) or 0.0 for name in (*names, *more)]
        status = await asyncio.to_thread(get, f"http://127.0.0.1:{crowd.ops}/api/ops/v1/incidents?open=true&limit=100")
        rate, before = (target.count - before) / every, target.count
        minutes = (time.monotonic() - began) / 60
        rss, files, lag, lost, behind, queue = values
        lines.append({"min": minutes, "rss": rss, "files": files, "lag": lag, "rate": rate})
        print(
            f"{minutes:5.1f} {rss / 1e6:7.1f} {files:6.0f} {lag:7.3f} {lost * 100:7.1f} {behind:9.3f} {queue:6.0f} "
            f"{rate:7.1f} {status[1].count(chr(34) + 'key' + chr(34))}",
            flush=True,
        )
    return lines


def verdict(crowd: Crowd, strikes: Strikes, receiver: Hook, lines: list[dict[str, float]]) -> int:
    """Prints what came of it; 1 when something was lost or doubled."""
    struck = {id for id, *_ in strikes.past}
    rows = crowd.rows("SELECT module, after FROM transitions WHERE after IN ('down', 'degraded')")
    failed = {module for module, _ in rows}
    wrong, lost = told_wrong(receiver), never_told(crowd, receiver)
    settled = lines[len(lines) // 6 :] or lines
    growth = (lines[-1]["rss"] - settled[0]["rss"]) / 1e6
    print(f"faults {len(strikes.past)} in {len(struck)} modules; notices {len(receiver.came)}")
    print(f"struck and never seen: {sorted(struck - failed) or 'none'}")
    print(f"down or degraded and never struck: {sorted(failed - struck) or 'none'}")
    print(f"doubled or out of order: {wrong or 'none'}")
    print(f"lost: {lost or 'none'}")
    print(f"memory grew by {growth:+.1f} MB from minute {settled[0]['min']:.0f} on; ", end="")
    print(f"files {min(one['files'] for one in settled):.0f} to {max(one['files'] for one in settled):.0f}; ", end="")
    print(f"lag at most {max(one['lag'] for one in settled):.3f} s")
    return int(bool(wrong or lost))


async def soak(probes: int, minutes: float, seed: int, every: float, folder: Path) -> int:
    """The whole of it."""
    target = Target()
    server = await asyncio.start_server(target.answer, "127.0.0.1", 0, backlog=4096)
    target.port = server.sockets[0].getsockname()[1]
    async with hook() as receiver:
        more = (
            f'channels: {{chat: {{kind: webhook, url: "{receiver.url}/chat"}}}}\nnotify: [{{steps: [{{to: [chat]}}]}}]'
        )
        crowd = Crowd(folder, target.port, probes, interval="30s", timeout="5s", more=more)
        async with crowd.running(within=300) as monitor:
            until = time.monotonic() + minutes * 60
            strikes = Strikes(target, random.Random(seed), crowd.ids)
            striking = asyncio.create_task(strikes.go_on(until - QUIET - LASTS[1]))
            lines = await watch(crowd, target, every, until)
            await striking
            left = await _leave(monitor)
        print(f"exit status {left}; tracebacks in the log: {monitor.output.count('Traceback')}")
        return verdict(crowd, strikes, receiver, lines)


async def _leave(monitor: Program) -> Any:
    monitor.tell(signal.SIGTERM)
    async with asyncio.timeout(30):
        return await monitor.process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--probes", type=int, default=2000)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=float, default=60.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as name:
        sys.exit(asyncio.run(soak(given.probes, given.minutes, given.seed, given.every, Path(name))))
