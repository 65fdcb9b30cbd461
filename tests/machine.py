"""How fast the machine is, beside the one on which the bounds of these tests were set.

A bound in seconds of the processor means another thing on each machine. What a test measures is divided by `slowness()`
or its bound multiplied, so that it holds the code to the same work everywhere.
"""

import time
from statistics import median

COUNT, SECONDS = 100_000, 0.005  # steps of an empty loop, and what they took there


def slowness() -> float:
    """How many times longer this machine takes now than the one of the bounds; 1 at least.

    In time of this thread, the median of a few: waiting for others is no slowness, sharing a core with them is.
    """
    return max(1.0, median(_counting() for _ in range(5)) / SECONDS)


def _counting() -> float:
    began = time.thread_time()
    for _ in range(COUNT):
        pass
    return time.thread_time() - began
