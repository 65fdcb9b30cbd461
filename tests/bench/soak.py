"""Soak: the real program over many probes with random faults, for as long as one wants, and what it costs over time.

    python -m tests.bench.soak [--probes 2000] [--minutes 15] [--seed 1] [--every 60]

A server of its own answers every module; faults that strike one module at a time (503, hang, reset, close, slow,
garbage) come and go by the seed. A webhook takes every notice. Printed once a minute: memory, descriptors, loop lag,
how long the processor kept the program's main thread waiting, runs a second, incidents, the age of the outbox, and the
rows of every table that has any. At the end: events lost or doubled, faults that opened no incident, incidents without
a fault, and how much memory grew from the middle of the first third to the end. Exit status 1 when anything was lost or
doubled.
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
from tests.processes.running import Program
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


FIGURES = {  # column: the series
    "MB": "process_resident_memory_bytes",
    "files": "process_open_fds",
    "lag s": "monitor_event_loop_lag_seconds",
    "lost %": "monitor_event_loop_lost_ratio",
    "behind s": "monitor_schedule_behind_seconds",
    "events": 'monitor_queue_depth{queue="events"}',
    "pending": 'monitor_outbox_pending{channel="chat"}',
    "oldest s": 'monitor_outbox_oldest_seconds{channel="chat"}',
    "publish s": "monitor_publish_duration_seconds",
    "shed": "monitor_store_shed_total",
}
SCALES = {"MB": 1e-6, "lost %": 100.0}


def waited(pid: int) -> tuple[float, float]:
    """(ran, could have run and did not) of a program's main thread, in seconds since it began."""
    ran, kept = Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[:2]
    return int(ran) / 1e9, int(kept) / 1e9


def sizes(crowd: Crowd) -> dict[str, int]:
    """The rows of each table that has any, and the bytes of the database and its log."""
    names = [name for (name,) in crowd.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {name: crowd.rows(f"SELECT count(*) FROM {name}")[0][0] for name in names}
    files = {one.name: one.stat().st_size for one in crowd.data.glob("monitor.db*")}
    return {name: count for name, count in sorted((found | files).items()) if count}


async def watch(crowd: Crowd, monitor: Program, target: Target, every: float, until: float) -> list[dict[str, float]]:
    """The figures of the process over time, printed as they come."""
    lines, count, began = list[dict[str, float]](), target.count, time.monotonic()
    ran, kept = waited(monitor.process.pid)
    print(" ".join(f"{name:>9}" for name in ("min", *FIGURES, "cpu s", "kept s", "runs/s", "incidents")))
    while time.monotonic() < until:
        await asyncio.sleep(every)
        line = {"min": (time.monotonic() - began) / 60}
        for name, series in FIGURES.items():
            line[name] = (await asyncio.to_thread(crowd.metric, series) or 0.0) * SCALES.get(name, 1.0)
        now_ran, now_kept = waited(monitor.process.pid)
        line |= {"cpu s": now_ran - ran, "kept s": now_kept - kept, "runs/s": (target.count - count) / every}
        ran, kept, count = now_ran, now_kept, target.count
        line["incidents"] = crowd.rows("SELECT count(*) FROM incidents")[0][0]
        lines.append(line)
        print(" ".join(f"{value:9.3f}" for value in line.values()), flush=True)
        print(" " * 9, await asyncio.to_thread(sizes, crowd), flush=True)
    return lines


def verdict(crowd: Crowd, strikes: Strikes, receiver: Hook, lines: list[dict[str, float]]) -> int:
    """Prints what came of it; 1 when something was lost or doubled."""
    struck = {
        id for id, kind, *_ in strikes.past if kind != "slow"
    }  # slow is well where nobody says from when it is not
    rows = crowd.rows("SELECT module, after FROM transitions WHERE after IN ('down', 'degraded')")
    failed = {module for module, _ in rows}
    slow = {id for id, kind, *_ in strikes.past if kind == "slow"}
    wrong, lost = told_wrong(receiver), never_told(crowd, receiver)
    settled = lines[len(lines) // 6 :] or lines
    growth = lines[-1]["MB"] - settled[0]["MB"]
    print(f"faults {len(strikes.past)} in {len(struck | slow)} modules; notices {len(receiver.came)}")
    print(f"struck and never seen: {sorted(struck - failed) or 'none'}")
    print(f"down or degraded and never struck: {sorted(failed - struck - slow) or 'none'}")
    print(f"doubled or out of order: {wrong or 'none'}")
    print(f"lost: {lost or 'none'}")
    print(f"memory grew by {growth:+.1f} MB from minute {settled[0]['min']:.0f} on; ", end="")
    print(f"files {min(one['files'] for one in settled):.0f} to {max(one['files'] for one in settled):.0f}; ", end="")
    print(f"lag at most {max(one['lag s'] for one in settled):.3f} s")
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
            lines = await watch(crowd, monitor, target, every, until)
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
