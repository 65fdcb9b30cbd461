"""Memory: what was freed is the system's again."""

import ctypes
import subprocess
import sys

import pytest

HELD = """
from pathlib import Path
from monitor.memory import give_back

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

blocks = [bytes([n % 251]) * 2000 for n in range(40_000)]
blocks = blocks[::400]  # what stays, here and there, keeps the heap from shrinking by itself
before = resident()
give_back()
print(before - resident())
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than GNU's")
def test_what_was_freed_between_what_stays_is_given_back() -> None:
    """80 MB in blocks of which every four-hundredth stays: most of it is left to other programs."""
    found = subprocess.run([sys.executable, "-c", HELD], check=True, capture_output=True, text=True, timeout=60)
    assert int(found.stdout) > 40_000_000


LARGE = """
import gc
from monitor import memory

memory.MANY = 100_000
gc.collect()
print(memory.overlooked(), gc.get_freeze_count())
made = [[one] for one in range(200_000)]
gc.collect()
print(memory.overlooked(), gc.get_freeze_count() > 200_000)
ring = []
ring.append(ring)
del ring
seen = []
gc.callbacks.append(lambda phase, info: seen.append(info["generation"]))
more = [[one] for one in range(2_000_000)]
print(2 in seen, memory.overlooked(), gc.get_freeze_count() > 2_200_000)
"""


def test_what_is_very_much_is_not_looked_through_again() -> None:
    """Of two million new objects no collection looks at all, and what stays of them is passed over from then on."""
    found = subprocess.run([sys.executable, "-c", LARGE], check=True, capture_output=True, text=True, timeout=60)
    assert found.stdout.splitlines() == ["False 0", "True True", "False True True"]


LOADED = """
import gc, time
import monitor.app
from monitor import memory

def look():
    began = time.thread_time()
    gc.collect()
    return time.thread_time() - began

before = min(look() for _ in range(3))
memory.loaded()
print(before / min(look() for _ in range(3)))
"""


def test_what_is_loaded_is_not_looked_through_again() -> None:
    """The code of all packages, a quarter of a million objects: to look for garbage in it holds up the loop."""
    found = subprocess.run([sys.executable, "-c", LOADED], check=True, capture_output=True, text=True, timeout=60)
    assert float(found.stdout) > 10
