"""What dividing a place costs, and what its agents say: `python -m tests.bench.division`.

Milliseconds of the processor in which an agent works out its part of 1,000 to 25,000 probes, the size of the parts,
bytes of an answer that names the agents, and bytes on the wire of each run, by how many go in one batch.
"""

import time
from collections import Counter
from datetime import timedelta

from monitor.places import topics
from monitor.places.roster import asker_of
from monitor.places.seal import Seal
from monitor.places.wire import Batch, Heartbeat, Time, pack
from tests.bench.figures import START, seen

SEAL = Seal("a secret that is only for this measurement", "here")


def parts(probes: int, agents: int) -> None:
    """One division."""
    roster = [f"machine-{number}-3fa{number}9c" for number in range(agents)]
    began = time.thread_time()
    asked = Counter(asker_of((f"module-{number // 5}", f"probe-{number % 5}"), roster) for number in range(probes))
    took = (time.thread_time() - began) * 1e3
    even = probes / agents
    least, most = min(asked.values()) / even, max(asked.values()) / even
    print(f"{probes} probes, {agents} agents: {took:.0f} ms, parts of {least:.2f} to {most:.2f} of an even one")


def messages(agents: int) -> None:
    """A heartbeat and its answer."""
    roster = tuple(f"machine-{number}-3fa{number}9c" for number in range(agents))
    beat = Heartbeat(roster[0], "0123456789abcdef", START, START, "0123456789abcdef", 12, 0.3, 0, 0.0012, "0.9.0")
    asked = len(pack(SEAL, topics.heartbeat("here"), beat))
    told = len(pack(SEAL, topics.time("here", roster[0]), Time(roster[0], START, START, START, roster)))
    print(f"{agents} agents: a heartbeat has {asked} bytes, its answer {told}")


def batches(size: int) -> None:
    """Batches of runs over HTTP that passed."""
    topic, found = topics.observations("here"), 0
    for first in range(0, 2000, size):
        runs = tuple(seen(number, 100) for number in range(first, first + size))
        batch = Batch("machine-0-3fa09c", "0123456789abcdef", first + 1, 1, START + timedelta(seconds=first), runs)
        found += len(pack(SEAL, topic, batch))
    print(f"batches of {size}: {found / (2000 // size * size):.0f} bytes a run")


if __name__ == "__main__":
    for probes in (1000, 10_000, 25_000):
        for agents in (2, 4, 16):
            parts(probes, agents)
    for agents in (1, 4, 16):
        messages(agents)
    for size in (1, 10, 50, 250, 500):
        batches(size)
